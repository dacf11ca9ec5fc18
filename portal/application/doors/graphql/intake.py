"""Merchant schema, intake: imports, their progress, every faulty row, and the decision.

Zone: application. The file itself comes by PUT to the address that importCreate returns.
"""

from uuid import UUID

import msgspec
import strawberry

from portal.application.doors.graphql import enums, result_enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    CURSOR_DESCRIPTION,
    JSON,
    VAULT_CALL,
    DateTime,
    Info,
    Int64,
    Money,
    MoneyValue,
    Paged,
    PageEnd,
    PageInfo,
    by,
    edges_of,
    optional,
    page_size,
    plain,
)
from portal.application.doors.graphql.sending import ImportSending, view_sending
from portal.application.doors.locales import TEXTS
from portal.application.doors.uploads import seal_upload_address
from portal.contract.intake import (
    CREATE_IMPORT,
    DECIDE_IMPORT,
    LIST_IMPORTS,
    LIST_ROW_FAULTS,
    VIEW_IMPORT,
    CreateImport,
    DecideImport,
    ImportView,
    ListImports,
    ListRowFaults,
    ViewImport,
)
from portal.contract.intake import (
    ChangeCount as ChangeCountPart,
)
from portal.contract.intake import (
    FaultCount as FaultCountPart,
)
from portal.contract.intake import (
    ImportWait as ImportWaitPart,
)
from portal.contract.intake import (
    RowFault as RowFaultPart,
)
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.ids import ImportId, from_public, to_public

# Faulty rows


def _count_text(count: strawberry.Parent[FaultCountPart], info: Info) -> str:
    return TEXTS[info.context.language].code(count.code)


@strawberry.type(description="How many rows failed for one reason.")
class FaultCount:
    """portal.contract.intake.FaultCount."""

    code: str = plain("Stable code of the reason.")
    rows: int = plain("How many rows.")
    reason: str = by(_count_text, "The reason in the viewer's language.")


def _fault_text(fault: strawberry.Parent[RowFaultPart], info: Info) -> str:
    return TEXTS[info.context.language].code(fault.code, fault.params)


def _fault_remedy(fault: strawberry.Parent[RowFaultPart], info: Info) -> str:
    return TEXTS[info.context.language].remedy(fault.code, fault.params)


@strawberry.type(description="One reason why one row was not taken.")
class RowFault:
    """portal.contract.intake.RowFault."""

    line: int = plain("Line of the file from 1, as editors count.")
    column: str = plain("Name of the column, or empty when the whole row is meant.")
    code: str = plain("Stable code of the reason.")
    params: JSON = plain("What fills the reason's text.")
    value: str = plain("What stood there, shortened.")
    reason: str = by(_fault_text, "The reason in the viewer's language.")
    remedy: str = by(_fault_remedy, "What to do about it, or empty.")


@strawberry.type(description="A faulty row and where it stands.")
class RowFaultEdge:
    """Relay edge."""

    node: RowFault = plain("The fault.")
    cursor: str | None = plain(CURSOR_DESCRIPTION)


@strawberry.type(description="Faulty rows in the order of the file.")
class RowFaultConnection:
    """Relay connection."""

    edges: list[RowFaultEdge] = by(edges_of, "The faults with their places.")
    nodes: list[RowFault] = plain("The faults.")
    page_info: PageInfo = plain("Where this page ends.")


async def list_faults(
    view: strawberry.Parent[ImportView],
    info: Info,
    first: int,
    after: str | None = None,
    code: str | None = None,
) -> Paged[RowFaultPart]:
    """A page of faulty rows by line."""
    seals = info.context.doors.seals
    purpose = f"cursor/faults/{view.id}"
    line = seals.unseal(purpose, after, int) if after is not None else 0
    if line is None:
        raise InvalidInput("cursor_invalid", params={"field": "after"})
    page = await info.context.call(
        LIST_ROW_FAULTS,
        ListRowFaults(import_id=view.id, first=page_size(first), after_line=line, code=code),
    )
    end = seals.seal(purpose, page.faults[-1].line) if page.faults else None
    return Paged(nodes=page.faults, page_info=PageEnd(has_next_page=page.has_next, end_cursor=end))


# Imports


def _import_id(view: strawberry.Parent[ImportView]) -> strawberry.ID:
    return strawberry.ID(to_public("import", view.id))


def _fault_counts(view: strawberry.Parent[ImportView]) -> tuple[FaultCountPart, ...]:
    return view.faults


def _good_amount(view: strawberry.Parent[ImportView]) -> MoneyValue:
    return MoneyValue(view.amount_good_minor)


def _refused_text(view: strawberry.Parent[ImportView], info: Info) -> str | None:
    if view.refused_code is None:
        return None
    return TEXTS[info.context.language].code(view.refused_code, view.refused_params)


def _awaited_id(wait: strawberry.Parent[ImportWaitPart]) -> strawberry.ID:
    return strawberry.ID(to_public("import", wait.import_id))


@strawberry.type(description="An earlier import, undecided, because of which rows were left out.")
class ImportWait:
    """portal.contract.intake.ImportWait."""

    import_id: strawberry.ID = by(_awaited_id, "`imp_…`")
    filename: str = plain("What its sender called it.")
    created_at: DateTime = plain("When it was opened.")
    rows: int = plain("How many rows of this import it has, too.")


def _change_action(change: strawberry.Parent[ChangeCountPart]) -> result_enums.ChangeAction:
    return result_enums.ChangeAction(change.action)


@strawberry.type(description="What rows of an import do to bills that were there before.")
class ImportChange:
    """portal.contract.intake.ChangeCount."""

    action: result_enums.ChangeAction = by(_change_action, "What is done to them.")
    planned: int = plain("Rows of which it is still to be done.")
    done: int = plain("Rows of which it was done.")
    waiting: int = plain(
        "Of those, bills that nobody is asked to pay any more and that end as soon as a number for"
        " a convenience store is withdrawn."
    )


def _changes(view: strawberry.Parent[ImportView]) -> tuple[ChangeCountPart, ...]:
    return view.changes


@strawberry.type(description="One file of billing requests. Counts are rows.")
class Import:
    """portal.contract.intake.ImportView."""

    id: strawberry.ID = by(_import_id, "`imp_…`")
    state: enums.ImportState = plain("How far it has come.")
    filename: str = plain("What the sender called it.")
    created_at: DateTime = plain("When it was opened.")
    created_by: str = plain("Who opened it: a member of staff or an API key.")
    received_bytes: Int64 = plain("Bytes that are safe now.")
    size_bytes: Int64 | None = plain("Bytes in all, once the sender has said it.")
    rows_seen: int = plain("Rows judged so far; the header is not a row.")
    rows_good: int = plain("Rows that can be sent.")
    rows_faulty: int = plain("Rows that were not taken.")
    rows_known: int = plain("Rows accepted before; they create nothing again.")
    rows_issued: int = plain("Bills issued so far.")
    amount_good: Money = by(_good_amount, "Sum of the good rows.")
    fault_counts: list[FaultCount] = by(_fault_counts, "Reasons with how many rows each.")
    faults: RowFaultConnection = by(
        list_faults, "Every faulty row with reason and remedy.", cost=VAULT_CALL
    )
    refused_code: str | None = plain(
        "Why the file was refused, or discarded by itself; null otherwise."
    )
    refused_params: JSON = plain("What fills that reason's text.")
    refused_reason: str | None = by(_refused_text, "That reason in the viewer's language.")
    changes: list[ImportChange] = by(_changes, "Bills that it withdraws or replaces.", rows=3)
    unknown_columns: list[str] = plain("Columns that were left out because nobody knows them.")
    waits_for: list[ImportWait] = plain(
        "Imports to be decided before this one can be sent; discarding one judges this file again."
    )
    rows_awaited: int = plain("Rows of other undecided imports left out because this one has them.")
    checked_at: DateTime | None = plain("When the last row was judged.")
    decided_at: DateTime | None = plain("When it was decided to send or discard.")
    sending: ImportSending = by(view_sending, "Its messages on their way.", cost=VAULT_CALL)


@strawberry.type(description="An import and where it stands.")
class ImportEdge:
    """Relay edge."""

    node: Import = plain("The import.")
    cursor: str | None = plain(CURSOR_DESCRIPTION)


@strawberry.type(description="Imports, newest first.")
class ImportConnection:
    """Relay connection."""

    edges: list[ImportEdge] = by(edges_of, "The imports with their places.")
    nodes: list[Import] = plain("The imports.")
    page_info: PageInfo = plain("Where this page ends.")


async def list_imports(info: Info, first: int, after: str | None = None) -> Paged[ImportView]:
    """A page of imports, newest first."""
    seals = info.context.doors.seals
    purpose = f"cursor/imports/{info.context.session.merchant_code}"
    last = seals.unseal(purpose, after, UUID) if after is not None else None
    if after is not None and last is None:
        raise InvalidInput("cursor_invalid", params={"field": "after"})
    request = ListImports(
        first=page_size(first), after=ImportId(last) if last is not None else None
    )
    page = await info.context.call(LIST_IMPORTS, request)
    end = seals.seal(purpose, page.imports[-1].id) if page.imports else None
    return Paged(nodes=page.imports, page_info=PageEnd(has_next_page=page.has_next, end_cursor=end))


async def view_import(info: Info, id: strawberry.ID) -> ImportView | None:  # noqa: A002 - the argument's name in the schema
    """One import, or None for an unknown or a foreign id alike."""
    try:
        import_id = ImportId(from_public("import", id))
        return await info.context.look(VIEW_IMPORT, ViewImport(import_id=import_id))
    except NotFound:
        return None


# Opening and deciding


class OpenedImport(msgspec.Struct, frozen=True, kw_only=True):
    """A new import and where its file goes."""

    view: ImportView
    upload_url: str


@strawberry.input(description="A file that is about to be sent.")
class ImportCreateInput:
    """portal.contract.intake.CreateImport."""

    filename: str = plain("For people, at most 200 characters.")
    size_bytes: Int64 | None = optional("Bytes in all, when known.")
    idempotency_key: str = plain("Yours; the same key and arguments get the same import.")


def _opened_import(outcome: strawberry.Parent[Outcome[OpenedImport]]) -> ImportView | None:
    return outcome.entity.view if outcome.entity else None


def _opened_url(outcome: strawberry.Parent[Outcome[OpenedImport]]) -> str | None:
    return outcome.entity.upload_url if outcome.entity else None


@strawberry.type(description="The import and where to PUT its file, or why there is none.")
class ImportCreatePayload:
    """Outcome of importCreate."""

    import_: Import | None = by(_opened_import, "The import.", name="import")
    upload_url: str | None = by(
        _opened_url, "PUT the raw file here; resume with `Upload-Offset` after HEAD."
    )
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def create_import(info: Info, input: ImportCreateInput) -> Outcome[OpenedImport]:  # noqa: A002 - the argument's name in the schema
    """Open an import and seal the address for its file."""
    request = CreateImport(
        filename=input.filename,
        size_bytes=input.size_bytes,
        idempotency_key=input.idempotency_key,
    )

    async def act() -> OpenedImport:
        view = await info.context.call(CREATE_IMPORT, request)
        return OpenedImport(view=view, upload_url=seal_upload_address(info.context, view.id))

    return await outcome_of(info, act())


@strawberry.input(description="What to do with an import's good rows.")
class ImportDecideInput:
    """portal.contract.intake.DecideImport."""

    id: strawberry.ID = plain("`imp_…`")
    decision: enums.Decision = plain("Send them, or forget them.")
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


def _decided(outcome: strawberry.Parent[Outcome[ImportView]]) -> ImportView | None:
    return outcome.entity


@strawberry.type(description="The import after the decision, or why nothing was decided.")
class ImportDecidePayload:
    """Outcome of importDecide."""

    import_: Import | None = by(_decided, "The import.", name="import")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def decide_import(info: Info, input: ImportDecideInput) -> Outcome[ImportView]:  # noqa: A002 - the argument's name in the schema
    """Send or discard the good rows."""

    async def act() -> ImportView:
        request = DecideImport(
            import_id=ImportId(from_public("import", input.id)),
            decision=input.decision.value,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_IMPORT, request)

    return await outcome_of(info, act())


@strawberry.type
class IntakeQuery:
    """Imports."""

    imports: ImportConnection = by(list_imports, "Imports, newest first.", cost=VAULT_CALL)
    import_: Import | None = by(view_import, "One import.", name="import", cost=VAULT_CALL)


@strawberry.type
class IntakeMutation:
    """Opening and deciding."""

    import_create: ImportCreatePayload = by(create_import, "Open an import.", cost=VAULT_CALL)
    import_decide: ImportDecidePayload = by(
        decide_import, "Send or discard an import's good rows.", cost=VAULT_CALL
    )
