"""The steps of background work by name, with the types of what goes in and what comes out.

Application zone, but free of it on purpose: tasks implement these steps, job nets refer to them,
so this module knows neither the tasks nor the data API. No I/O, no behaviour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from portal.domain.ids import (
    AttemptId,
    CardChargeId,
    ChunkId,
    DebitFileId,
    FailedFileId,
    ImportId,
    MandateId,
    MerchantId,
    RefundId,
    TransferFileId,
)
from portal.domain.task import LANES, Lane, TaskKind

Params = TypeVar("Params")
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class Step(Generic[Params, Output]):
    """One kind of task. ``run_s``: after this a run gives its task back (it goes on later)."""

    kind: TaskKind
    params: type[Params]
    output: type[Output]
    run_s: float

    @property
    def lane(self) -> Lane:
        """The lane it runs in unless the task was planned for the other one."""
        return LANES[self.kind]


@dataclass(frozen=True, slots=True)
class ImportChunk:
    """One chunk (about 1,000 rows) of an import, numbered from 0."""

    import_id: ImportId
    chunk_no: int


@dataclass(frozen=True, slots=True)
class WholeImport:
    """All bills of an import."""

    import_id: ImportId


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """One immutable chunk of about 500 deliveries."""

    chunk_id: ChunkId


@dataclass(frozen=True, slots=True)
class OneAttempt:
    """One attempt to pay."""

    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class OneRefund:
    """One refund."""

    refund_id: RefundId


@dataclass(frozen=True, slots=True)
class OneCharge:
    """One bill to be charged to a card on file."""

    charge_id: CardChargeId


@dataclass(frozen=True, slots=True)
class OneDebitFile:
    """One file of bank debits."""

    file_id: DebitFileId


@dataclass(frozen=True, slots=True)
class OneTransferFile:
    """One file of transfers."""

    file_id: TransferFileId


@dataclass(frozen=True, slots=True)
class OneFailedFile:
    """One file of a merchant's own debits that failed."""

    file_id: FailedFileId


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """One merchant's business day, counted as ``date.toordinal`` does."""

    merchant_id: MerchantId
    day_no: int


@dataclass(frozen=True, slots=True)
class OneMerchant:
    """All bills of one merchant."""

    merchant_id: MerchantId


@dataclass(frozen=True, slots=True)
class RowsJudged:
    """What became of a chunk's rows."""

    good: int
    faulty: int
    known: int


@dataclass(frozen=True, slots=True)
class BillsMoved:
    """Bills issued or discarded by this run."""

    bills: int


@dataclass(frozen=True, slots=True)
class MessagesSent:
    """Messages by what the provider said, in this run."""

    accepted: int
    rejected: int
    busy: int
    unknown: int


@dataclass(frozen=True, slots=True)
class LaddersMoved:
    """Messages that this run planned for bills on their ladders."""

    planned: int


@dataclass(frozen=True, slots=True)
class AttemptAsked:
    """The attempt's state after the inquiry; empty when it was over before."""

    state: str


@dataclass(frozen=True, slots=True)
class RefundMoved:
    """The refund's state after the step; empty when there was nothing to do."""

    state: str


@dataclass(frozen=True, slots=True)
class LinesMoved:
    """Lines of a file for a bank that this run wrote, booked or gave back."""

    lines: int


@dataclass(frozen=True, slots=True)
class ChargesPlanned:
    """Bills whose charge this run planned."""

    charges: int


@dataclass(frozen=True, slots=True)
class ChargeMoved:
    """The state of the charge's attempt; empty when there was nothing to send."""

    state: str


@dataclass(frozen=True, slots=True)
class FileMoved:
    """The file's state after a step of its line; empty when there was nothing to do."""

    state: str


@dataclass(frozen=True, slots=True)
class OneMandate:
    """A mandate that its payer gives at a bank's page."""

    mandate_id: MandateId


@dataclass(frozen=True, slots=True)
class MandateAsked:
    """The mandate's state after its bank was asked; empty when nothing needed asking."""

    state: str


@dataclass(frozen=True, slots=True)
class ResultsMoved:
    """Rows of a result file that this run wrote."""

    rows: int


@dataclass(frozen=True, slots=True)
class BillsPassed:
    """Bills that the calendar passed by, moved by this run."""

    overdue: int
    lapsed: int


ACCEPT_CHUNK: Final = Step("intake.accept_chunk", ImportChunk, RowsJudged, 60.0)
ISSUE_BILLS: Final = Step("intake.issue_bills", WholeImport, BillsMoved, 60.0)
DISCARD_BILLS: Final = Step("intake.discard_bills", WholeImport, BillsMoved, 60.0)
SEND_CHUNK: Final = Step("message.send_chunk", MessageChunk, MessagesSent, 600.0)
ADVANCE_LADDERS: Final = Step("message.advance_ladders", OneMerchant, LaddersMoved, 600.0)
INQUIRE: Final = Step("payment.inquire", OneAttempt, AttemptAsked, 30.0)
PASS_DUE: Final = Step("payment.pass_due", BusinessDay, BillsPassed, 600.0)
REFUND: Final = Step("payment.refund", OneRefund, RefundMoved, 30.0)
REFUND_INQUIRE: Final = Step("payment.refund_inquire", OneRefund, RefundMoved, 30.0)
DEBIT_FILL: Final = Step("debit.fill", OneDebitFile, LinesMoved, 600.0)
DEBIT_BOOK: Final = Step("debit.book", OneDebitFile, LinesMoved, 600.0)
DEBIT_SEND: Final = Step("debit.send", OneDebitFile, FileMoved, 60.0)
CHARGE_CHOOSE: Final = Step("charge.choose", BusinessDay, ChargesPlanned, 600.0)
CHARGE_SEND: Final = Step("charge.send", OneCharge, ChargeMoved, 30.0)
MANDATE_ASK: Final = Step("mandate.ask", OneMandate, MandateAsked, 30.0)
DEBIT_FETCH: Final = Step("debit.fetch", OneDebitFile, FileMoved, 120.0)
TRANSFER_ADVANCE: Final = Step("transfer.advance", OneTransferFile, LinesMoved, 600.0)
TRANSFER_SEND: Final = Step("transfer.send", OneTransferFile, FileMoved, 60.0)
DEBIT_TELL_FAILED: Final = Step("debit.tell_failed", OneFailedFile, LinesMoved, 600.0)
SWITCH_UNOPENED: Final = Step("message.switch_unopened", OneMerchant, LaddersMoved, 600.0)
WRITE_RESULTS: Final = Step("settlement.write_results", OneMerchant, ResultsMoved, 600.0)

STEPS: Final[Mapping[TaskKind, Step[Any, Any]]] = MappingProxyType(
    {
        step.kind: step
        for step in (
            ACCEPT_CHUNK,
            ISSUE_BILLS,
            DISCARD_BILLS,
            SEND_CHUNK,
            ADVANCE_LADDERS,
            INQUIRE,
            PASS_DUE,
            REFUND,
            REFUND_INQUIRE,
            DEBIT_FILL,
            DEBIT_BOOK,
            DEBIT_SEND,
            CHARGE_CHOOSE,
            CHARGE_SEND,
            MANDATE_ASK,
            DEBIT_FETCH,
            TRANSFER_ADVANCE,
            TRANSFER_SEND,
            DEBIT_TELL_FAILED,
            WRITE_RESULTS,
            SWITCH_UNOPENED,
        )
    }
)
"""Every kind of task → its step."""
