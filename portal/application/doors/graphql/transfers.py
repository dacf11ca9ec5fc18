"""Merchant schema, refunds by a bank's file: contracts, files with their lines, what comes back.

Zone: application. Staff only. Who may approve or discard is the vault's to say: what the viewer may
do comes with each file.
"""

import strawberry

from portal.application.doors.graphql import transfer_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.refunds import Refund
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    Money,
    MoneyValue,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.contract.refund import RefundChanged, RefundView
from portal.contract.transfer import (
    BUILD_TRANSFER_FILE,
    DECIDE_TRANSFER_FILE,
    LIST_TRANSFER_FILES,
    RECORD_RETURN,
    REPORT_TRANSFER_FILE,
    VIEW_TRANSFER_FILE,
    BuildTransferFile,
    DecideTransferFile,
    ListTransferFiles,
    RecordReturn,
    ReportTransferFile,
    TransferContractView,
    TransferFileChanged,
    TransferFilePage,
    TransferFileSeen,
    TransferFileView,
    TransferLineView,
    TransferOutcomes,
    ViewTransferFile,
)
from portal.domain.errors import NotFound
from portal.domain.ids import (
    RefundId,
    TransferContractId,
    TransferFileId,
    from_public,
    to_public,
)

# Contracts


def _contract_id(contract: strawberry.Parent[TransferContractView]) -> strawberry.ID:
    return strawberry.ID(to_public("transfer_contract", contract.id))


@strawberry.type(description="What a bank agreed to with the merchant about transfers.")
class TransferContract:
    """portal.contract.transfer.TransferContractView."""

    id: strawberry.ID = by(_contract_id, "`trc_…`")
    bank_code: str = plain("The bank's 4 digits.")
    bank_name: str = plain("What it is called.")
    company_code: str = plain("The merchant's 10 digits there.")
    next_on: Date | None = plain("The next day whose file is in time, if the calendar says.")
    submit_until: DateTime | None = plain("Until when that file may come.")


# Files


def _file_id(file: strawberry.Parent[TransferFileView]) -> strawberry.ID:
    return strawberry.ID(to_public("transfer_file", file.id))


def _file_contract(file: strawberry.Parent[TransferFileView]) -> strawberry.ID:
    return strawberry.ID(to_public("transfer_contract", file.contract_id))


def _total(file: strawberry.Parent[TransferFileView]) -> MoneyValue:
    return MoneyValue(file.total_minor)


def _gone_sum(outcomes: strawberry.Parent[TransferOutcomes]) -> MoneyValue:
    return MoneyValue(outcomes.transferred_minor)


@strawberry.type(description="A file's transfers by what became of them.")
class TransferFileOutcomes:
    """portal.contract.transfer.TransferOutcomes."""

    waiting: int = plain("Their day, or the bank's word, is still to come.")
    transferred: int = plain("With their payers, as far as the bank has said.")
    transferred_total: Money = by(_gone_sum, "What these are over.")
    returned: int = plain("The bank sent them back.")
    released: int = plain("Not transferred by this file: they wait again.")


@strawberry.type(description="A file of transfers for one day at one bank.")
class TransferFile:
    """portal.contract.transfer.TransferFileView."""

    id: strawberry.ID = by(_file_id, "`trf_…`")
    contract_id: strawberry.ID = by(_file_contract, "`trc_…`")
    bank_name: str = plain("What the bank is called.")
    transfer_on: Date = plain("When the money goes.")
    state: enums.TransferFileState = plain("How far it has come.")
    count: int = plain("Transfers in it.")
    total: Money = by(_total, "What they are over.")
    sha256: str = plain("The sealed bytes' SHA-256 in hexadecimal, or empty.")
    is_full: bool = plain("Whether the bank's limit left refunds out.")
    is_on_line: bool = plain("Whether a worker brings it to the bank, so that nobody else may.")
    built_by: str = plain("Who built it.")
    built_at: DateTime = plain("When that was.")
    approve_until: DateTime | None = plain("Until when a second person may approve it.")
    decided_by: str | None = plain("Who approved or discarded it.")
    decided_at: DateTime | None = plain("When that was.")
    outcomes: TransferFileOutcomes = plain("What became of its transfers.")
    choices: list[enums.TransferDecision] = plain("What the viewer may decide about it now.")


def _file_nodes(page: strawberry.Parent[TransferFilePage]) -> tuple[TransferFileView, ...]:
    return page.files


def _contracts(page: strawberry.Parent[TransferFilePage]) -> tuple[TransferContractView, ...]:
    return page.contracts


def _waiting_total(page: strawberry.Parent[TransferFilePage]) -> MoneyValue:
    return MoneyValue(page.waiting_minor)


def _page_end(page: strawberry.Parent[TransferFilePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of transfer files, those of the latest day first.")
class TransferFileConnection:
    """portal.contract.transfer.TransferFilePage."""

    nodes: list[TransferFile] = by(_file_nodes, "The files.")
    contracts: list[TransferContract] = by(_contracts, "All contracts of the merchant.", rows=20)
    waiting: int = plain("Refunds that the next file could hold.")
    waiting_total: Money = by(_waiting_total, "What these are over.")
    accountless: int = plain("Refunds that wait for their payer's account.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


# Lines


def _refund_id(line: strawberry.Parent[TransferLineView]) -> strawberry.ID:
    return strawberry.ID(to_public("refund", line.refund_id))


def _bill_id(line: strawberry.Parent[TransferLineView]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", line.bill_id))


def _amount(line: strawberry.Parent[TransferLineView]) -> MoneyValue:
    return MoneyValue(line.amount_minor)


@strawberry.type(description="One transfer as the sealed file has it.")
class TransferLine:
    """portal.contract.transfer.TransferLineView."""

    line_no: int = plain("Its place, from 1.")
    refund_id: strawberry.ID = by(_refund_id, "`rfd_…`")
    bill_id: strawberry.ID = by(_bill_id, "`bill_…`")
    bill_number: str = plain("The merchant's number of the bill.")
    bank_name: str = plain("The payee's bank.")
    holder: str = plain("The account's holder, as the file has it.")
    account_hint: str = plain("The account's last digits.")
    amount: Money = by(_amount, "What is transferred.")
    state: enums.TransferLineState = plain("What became of it.")


def _seen_file(seen: strawberry.Parent[TransferFileSeen]) -> TransferFileView:
    return seen.file


def _lines(seen: strawberry.Parent[TransferFileSeen]) -> tuple[TransferLineView, ...]:
    return seen.lines


@strawberry.type(description="A file of transfers with lines of it.")
class TransferFileDetail:
    """portal.contract.transfer.TransferFileSeen."""

    file: TransferFile = by(_seen_file, "The file.")
    lines: list[TransferLine] = by(_lines, "Its transfers from the one asked for on.", rows=100)
    end_line: int | None = plain("From where to go on; null behind the last line.")


async def list_files(info: Info, first: int, after: str | None = None) -> TransferFilePage:
    """A page of files; the cursor is the vault's own, sealed there."""
    request = ListTransferFiles(first=page_size(first), after=after)
    return await info.context.call(LIST_TRANSFER_FILES, request)


async def view_file(
    info: Info,
    id: strawberry.ID,  # noqa: A002 - the argument's name in the schema
    first: int,
    after_line: int = 0,
) -> TransferFileSeen | None:
    """A file and its lines behind ``after_line``; None for an unknown or a foreign id alike."""
    try:
        request = ViewTransferFile(
            file_id=TransferFileId(from_public("transfer_file", id)),
            first=page_size(first),
            after_line=after_line,
        )
        return await info.context.look(VIEW_TRANSFER_FILE, request)
    except NotFound:
        return None


@strawberry.type
class TransfersQuery:
    """Refunds by a bank's file."""

    transfer_files: TransferFileConnection = by(
        list_files, "Files of transfers; staff only.", cost=VAULT_CALL
    )
    transfer_file: TransferFileDetail | None = by(
        view_file, "One file with its transfers; staff only.", cost=VAULT_CALL
    )


# What is done


def _file(outcome: strawberry.Parent[Outcome[TransferFileChanged]]) -> TransferFileView | None:
    return outcome.entity.file if outcome.entity else None


@strawberry.type
class _FileOutcome:
    file: TransferFile | None = by(_file, "The file as it is now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.type(description="The file that is being built, or why it is not.")
class TransferFileBuildPayload(_FileOutcome):
    """Outcome of transferFileBuild."""


@strawberry.type(description="The file as it was decided, or why it was not.")
class TransferFileDecidePayload(_FileOutcome):
    """Outcome of transferFileDecide."""


@strawberry.type(description="The file with the bank's word, or why that was not recorded.")
class TransferFileReportPayload(_FileOutcome):
    """Outcome of transferFileReport."""


def _refund(outcome: strawberry.Parent[Outcome[RefundChanged]]) -> RefundView | None:
    return outcome.entity.refund if outcome.entity else None


@strawberry.type(description="The refund that came back, or why that was not recorded.")
class RefundReturnedPayload:
    """Outcome of refundReturned."""

    refund: Refund | None = by(_refund, "The refund as it is now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.input(description="Build the file of a contract for one day.")
class TransferFileBuildInput:
    """portal.contract.transfer.BuildTransferFile."""

    contract_id: strawberry.ID = plain("`trc_…`")
    transfer_on: Date = plain("The day on which the money goes.")
    idempotency_key: str = plain("Yours; the same key and arguments build once.")


async def build_file(info: Info, input: TransferFileBuildInput) -> Outcome[TransferFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Begin; a worker fills it."""

    async def act() -> TransferFileChanged:
        request = BuildTransferFile(
            contract_id=TransferContractId(from_public("transfer_contract", input.contract_id)),
            transfer_on=input.transfer_on,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(BUILD_TRANSFER_FILE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Approve a file that someone else built, or discard one.")
class TransferFileDecideInput:
    """portal.contract.transfer.DecideTransferFile."""

    id: strawberry.ID = plain("`trf_…`")
    decision: enums.TransferDecision = plain("What to do with it.")
    totp: str = optional(
        "To approve: a code of the viewer's authenticator that was not used before.", default=""
    )
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


async def decide_file(info: Info, input: TransferFileDecideInput) -> Outcome[TransferFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Decide; who may is the vault's to say."""

    async def act() -> TransferFileChanged:
        request = DecideTransferFile(
            file_id=TransferFileId(from_public("transfer_file", input.id)),
            decision=input.decision.value,
            totp=input.totp,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_TRANSFER_FILE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Record what the bank said to a file as a whole.")
class TransferFileReportInput:
    """portal.contract.transfer.ReportTransferFile."""

    id: strawberry.ID = plain("`trf_…`")
    word: enums.TransferWord = plain("What it said.")
    idempotency_key: str = plain("Yours; the same key and arguments record once.")


async def report_file(info: Info, input: TransferFileReportInput) -> Outcome[TransferFileChanged]:  # noqa: A002 - the argument's name in the schema
    """Record; an owner's act."""

    async def act() -> TransferFileChanged:
        request = ReportTransferFile(
            file_id=TransferFileId(from_public("transfer_file", input.id)),
            word=input.word.value,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(REPORT_TRANSFER_FILE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Record that the bank sent a transferred refund back.")
class RefundReturnedInput:
    """portal.contract.transfer.RecordReturn."""

    id: strawberry.ID = plain("`rfd_…`")
    returned_on: Date = plain("The day on which the money was back, in the merchant's zone.")
    reason: str = plain("Why, as the bank said.")
    idempotency_key: str = plain("Yours; the same key and arguments record once.")


async def record_return(info: Info, input: RefundReturnedInput) -> Outcome[RefundChanged]:  # noqa: A002 - the argument's name in the schema
    """Record; an owner's act."""

    async def act() -> RefundChanged:
        request = RecordReturn(
            refund_id=RefundId(from_public("refund", input.id)),
            returned_on=input.returned_on,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(RECORD_RETURN, request)

    return await outcome_of(info, act())


@strawberry.type
class TransfersMutation:
    """What is done about refunds by a bank's file."""

    transfer_file_build: TransferFileBuildPayload = by(
        build_file, "Build a file; staff only.", cost=VAULT_CALL
    )
    transfer_file_decide: TransferFileDecidePayload = by(
        decide_file, "Approve or discard a file; staff only.", cost=VAULT_CALL
    )
    transfer_file_report: TransferFileReportPayload = by(
        report_file, "Record what the bank said to a file; owners only.", cost=VAULT_CALL
    )
    refund_returned: RefundReturnedPayload = by(
        record_return, "Record that a transfer came back; owners only.", cost=VAULT_CALL
    )
