"""Merchant schema, cases: the queue of what needs a person, one case, and settling it.

Zone: application. What may be done about a case, and by whom, is the vault's to say: it comes with
each case as its choices, and an act that is none of them is refused there.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.bills import CappedCount, CountValue
from portal.application.doors.graphql.case_kinds import CaseAction, CaseKind, CaseResolution
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    CURSOR_DESCRIPTION,
    JSON,
    VAULT_CALL,
    DateTime,
    Info,
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
from portal.application.doors.locales import TEXTS
from portal.contract.case import (
    LIST_CASES,
    SETTLE_CASE,
    VIEW_CASE,
    CaseSettled,
    CaseView,
    ListCases,
    SettleCase,
    ViewCase,
)
from portal.contract.case import CaseAttempt as CaseAttemptPart
from portal.contract.case import CaseBill as CaseBillPart
from portal.contract.case import CaseImport as CaseImportPart
from portal.contract.case import CaseRefund as CaseRefundPart
from portal.domain.errors import NotFound
from portal.domain.ids import CaseId, from_public, to_public

# What a case is about


def _bill_id(bill: strawberry.Parent[CaseBillPart]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", bill.id))


def _over(bill: strawberry.Parent[CaseBillPart]) -> MoneyValue:
    return MoneyValue(bill.over_minor)


@strawberry.type(description="The bill that a case is about.")
class CaseBill:
    """portal.contract.case.CaseBill."""

    id: strawberry.ID = by(_bill_id, "`bill_…`")
    number: str = plain("The merchant's number of the bill.")
    settlement: enums.Settlement = plain("What money did.")
    over: Money = by(_over, "What is owed back to the payer now.")


def _import_id(part: strawberry.Parent[CaseImportPart]) -> strawberry.ID:
    return strawberry.ID(to_public("import", part.id))


@strawberry.type(description="The import that a case is about.")
class CaseImport:
    """portal.contract.case.CaseImport."""

    id: strawberry.ID = by(_import_id, "`imp_…`")
    filename: str = plain("What the sender called the file.")
    state: enums.ImportState = plain("How far it has come.")


def _attempt_id(attempt: strawberry.Parent[CaseAttemptPart]) -> strawberry.ID:
    return strawberry.ID(to_public("attempt", attempt.id))


def _attempt_amount(attempt: strawberry.Parent[CaseAttemptPart]) -> MoneyValue:
    return MoneyValue(attempt.amount_minor)


@strawberry.type(description="The try to pay that a case is about.")
class CaseAttempt:
    """portal.contract.case.CaseAttempt."""

    id: strawberry.ID = by(_attempt_id, "`att_…`")
    state: str = plain("How far it has come.")
    provider: str = plain("Who carries the payment out.")
    reference: str = plain("Our reference at the provider.")
    amount: Money = by(_attempt_amount, "What was to be paid.")


def _refund_id(refund: strawberry.Parent[CaseRefundPart]) -> strawberry.ID:
    return strawberry.ID(to_public("refund", refund.id))


def _refund_amount(refund: strawberry.Parent[CaseRefundPart]) -> MoneyValue:
    return MoneyValue(refund.amount_minor)


@strawberry.type(description="The refund that a case is about.")
class CaseRefund:
    """portal.contract.case.CaseRefund."""

    id: strawberry.ID = by(_refund_id, "`rfd_…`")
    state: enums.RefundState = plain("How far it has come.")
    reference: str = plain("Our reference at the provider.")
    amount: Money = by(_refund_amount, "What was to go back.")


@strawberry.type(description="One thing that the viewer may do about a case.")
class CaseChoice:
    """portal.contract.case.CaseChoice."""

    action: CaseAction = plain("Give this to `caseSettle`.")
    needs_note: bool = plain("Whether why has to be written down.")


# A case


def _case_id(case: strawberry.Parent[CaseView]) -> strawberry.ID:
    return strawberry.ID(to_public("case", case.id))


def _import(case: strawberry.Parent[CaseView]) -> CaseImportPart | None:
    return case.import_


def _worded(case: CaseView, info: Info, part: str) -> str:
    name = CaseKind(case.kind).name
    return TEXTS[info.context.language].say(f"cases.kinds.{name}.{part}")


def _title(case: strawberry.Parent[CaseView], info: Info) -> str:
    return _worded(case, info, "text")


def _meaning(case: strawberry.Parent[CaseView], info: Info) -> str:
    return _worded(case, info, "means")


def _advice(case: strawberry.Parent[CaseView], info: Info) -> str:
    return _worded(case, info, "todo")


@strawberry.type(description="Something that needs a person; closed by settling it.")
class Case:
    """portal.contract.case.CaseView."""

    id: strawberry.ID = by(_case_id, "`case_…`")
    kind: CaseKind = plain("What happened.")
    title: str = by(_title, "What happened, in the viewer's language.")
    meaning: str = by(_meaning, "What that means, in the viewer's language.")
    advice: str = by(_advice, "What to do about it, in the viewer's language.")
    params: JSON = plain("Details of the latest time, e.g. `code`; nothing personal.")
    seen: int = plain("How often it happened while the case was open.")
    opened_at: DateTime = plain("When it happened first.")
    last_seen_at: DateTime = plain("When it happened last.")
    bill: CaseBill | None = plain("The bill it is about, if it is about one.")
    import_: CaseImport | None = by(_import, "The import it is about, if any.", name="import")
    attempt: CaseAttempt | None = plain("The try to pay it is about, if any.")
    refund: CaseRefund | None = plain("The refund it is about, if any.")
    waiting: int = plain("Parts of a file, bills or messages that stand still; 0 for other kinds.")
    moved_on: bool = plain("Whether it went on by itself: then nothing is left to be done.")
    choices: list[CaseChoice] = plain("What the viewer may do; empty once it is closed.")
    closed_at: DateTime | None = plain("When it was settled.")
    closed_by: str | None = plain("Who settled it.")
    resolution: CaseResolution | None = plain("How it was settled.")
    note: str = plain("What was written then, or empty.")


# The list


@strawberry.type(description="A case and where it stands.")
class CaseEdge:
    """Relay edge."""

    node: Case = plain("The case.")
    cursor: str | None = plain(CURSOR_DESCRIPTION)


def _count(page: strawberry.Parent[Paged[CaseView]]) -> CountValue:
    return CountValue(page.count, page.count_exact)


@strawberry.type(description="A page of cases, newest first.")
class CaseConnection:
    """Relay connection."""

    edges: list[CaseEdge] = by(edges_of, "The cases with their places.")
    nodes: list[Case] = plain("The cases.")
    page_info: PageInfo = plain("Where this page ends.")
    count: CappedCount = by(_count, "How many match in all.")


@strawberry.input(description="All given conditions hold together; a missing one means any.")
class CaseFilterInput:
    """The conditions of portal.contract.case.ListCases."""

    is_open: bool | None = optional("Only open ones, or only closed ones.")
    kinds: list[CaseKind] | None = optional("Any of these.")


async def list_cases(
    info: Info,
    first: int,
    after: str | None = None,
    filter: CaseFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
) -> Paged[CaseView]:
    """A page of cases; the cursor is the vault's own, sealed there."""
    kinds = (filter.kinds if filter else None) or ()
    request = ListCases(
        is_open=filter.is_open if filter else None,
        kinds=tuple(kind.value for kind in kinds),
        first=page_size(first),
        after=after,
    )
    page = await info.context.call(LIST_CASES, request)
    return Paged(
        nodes=page.cases,
        page_info=PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor),
        count=page.count,
        count_exact=page.count_exact,
    )


async def view_case(info: Info, id: strawberry.ID) -> CaseView | None:  # noqa: A002 - the argument's name in the schema
    """One case, or None for an unknown or a foreign id alike."""
    try:
        case_id = CaseId(from_public("case", id))
        return (await info.context.look(VIEW_CASE, ViewCase(case_id=case_id))).case
    except NotFound:
        return None


@strawberry.type
class CasesQuery:
    """Cases."""

    cases: CaseConnection = by(list_cases, "What needs a person, newest first.", cost=VAULT_CALL)
    case: Case | None = by(view_case, "One case.", cost=VAULT_CALL)


# Settling


@strawberry.input(description="Do one of a case's choices, which closes it.")
class CaseSettleInput:
    """portal.contract.case.SettleCase."""

    id: strawberry.ID = plain("`case_…`")
    action: CaseAction = plain("One of the case's choices.")
    note: str = optional("Why, at most 500 characters; stored sealed.", default="")
    idempotency_key: str = plain("Yours; the same key and arguments settle once.")


def _settled_case(outcome: strawberry.Parent[Outcome[CaseSettled]]) -> CaseView | None:
    return outcome.entity.case if outcome.entity else None


def _tasks_planned(outcome: strawberry.Parent[Outcome[CaseSettled]]) -> int:
    return outcome.entity.tasks_planned if outcome.entity else 0


@strawberry.type(description="The case as it was left, or why it was not settled.")
class CaseSettlePayload:
    """Outcome of caseSettle."""

    case: Case | None = by(_settled_case, "The case.")
    tasks_planned: int = by(_tasks_planned, "How many steps were started again.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def settle_case(info: Info, input: CaseSettleInput) -> Outcome[CaseSettled]:  # noqa: A002 - the argument's name in the schema
    """Settle; whether that is possible and allowed is decided in the vault."""

    async def act() -> CaseSettled:
        request = SettleCase(
            case_id=CaseId(from_public("case", input.id)),
            action=input.action.value,
            note=input.note,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(SETTLE_CASE, request)

    return await outcome_of(info, act())


@strawberry.type
class CasesMutation:
    """What is done about a case."""

    case_settle: CaseSettlePayload = by(
        settle_case, "Do one of a case's choices, which closes it.", cost=VAULT_CALL
    )
