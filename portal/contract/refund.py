"""Refunds: asking for one, a second person's decision, and the worker's steps to the provider."""

from datetime import date, datetime
from typing import Literal

from portal.contract.company_word import CompanyAsked
from portal.contract.envelope import Operation, Part, Reply, Request
from portal.contract.refund_account import GivenAccount
from portal.domain.ids import AttemptId, BillId, RefundId
from portal.domain.refund import (
    RefundChoice,
    RefundFound,
    RefundOutcome,
    RefundReason,
    RefundState,
    RefundWay,
)

RefundDecision = Literal["approve", "withdraw"]


class RefundView(Part, frozen=True, kw_only=True):
    """One refund. ``choices`` are for the one who asks.

    ``transfer_on``: the day of the file in which it stands.
    ``code`` says why it failed. ``approve_until`` is set while, or if, a second person was needed.
    ``asked_at``, ``decided_at`` and ``finished_at`` are business times.
    """

    id: RefundId
    bill_id: BillId
    bill_number: str
    attempt_id: AttemptId
    state: RefundState
    amount_minor: int
    way: RefundWay
    reason: RefundReason
    note: str
    provider: str
    reference: str
    code: str | None
    asked_by: str
    asked_at: datetime
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    finished_at: datetime | None
    transferred_on: date | None
    choices: tuple[RefundChoice, ...]
    account: GivenAccount | None = None
    """Where it is transferred to, as far as anyone has said; None for any other way."""
    takes_account: bool = False
    transfer_on: date | None = None
    """Whether staff may give or correct that now."""


class RequestRefund(Request, frozen=True, kw_only=True):
    """Give back a part or all of what one attempt brought. ``totp`` is a code not used before.

    Conflict ``not_refundable``, ``refund_exceeds``; NotAllowed ``totp_refused``; LimitReached
    ``login_locked``; InvalidInput ``refund_amount`` or what is wrong with the note.
    """

    bill_id: BillId
    attempt_id: AttemptId
    amount_minor: int
    way: RefundWay
    reason: RefundReason
    note: str
    totp: str
    idempotency_key: str


class DecideRefund(Request, frozen=True, kw_only=True):
    """Approve what someone else asked for, or withdraw what nobody outside has heard of.

    Approving takes ``totp``, a code not used before; withdrawing takes none. NotAllowed
    ``totp_refused``; LimitReached ``login_locked``.
    """

    refund_id: RefundId
    decision: RefundDecision
    idempotency_key: str
    totp: str = ""


class RecordTransfer(Request, frozen=True, kw_only=True):
    """The merchant transferred the money itself on this day, in its own time zone."""

    refund_id: RefundId
    transferred_on: date
    note: str
    idempotency_key: str


class RefundChanged(Reply, frozen=True, kw_only=True):
    """The refund as it is now."""

    refund: RefundView


class ListRefunds(Request, frozen=True, kw_only=True, omit_defaults=True):
    """Newest first; no ``states``: any. ``after`` is the ``end_cursor`` of the page before.

    ``lacks_account``: only those that wait for a transfer and nobody has said where to.
    """

    states: tuple[RefundState, ...]
    first: int
    after: str | None
    lacks_account: bool = False


class RefundPage(Reply, frozen=True, kw_only=True):
    """``limit_minor`` goes back of one payment without a second person. Units: yen."""

    refunds: tuple[RefundView, ...]
    end_cursor: str | None
    has_next: bool
    limit_minor: int


class ListBillRefunds(Request, frozen=True, kw_only=True):
    """The refunds of one bill, and what can still go back."""

    bill_id: BillId


class Refundable(Part, frozen=True, kw_only=True):
    """What of one attempt's money nothing holds yet. ``by_provider``: its provider can do it."""

    attempt_id: AttemptId
    amount_minor: int
    by_provider: bool
    paid_at: datetime


class BillRefunds(Reply, frozen=True, kw_only=True):
    """``refunds`` newest first (50 at most). ``owed_minor`` is what is owed back and not set aside.

    ``refundable`` lists attempts that have something left, the newest first.
    """

    refunds: tuple[RefundView, ...]
    refundable: tuple[Refundable, ...]
    owed_minor: int
    limit_minor: int


class BeginRefund(Request, frozen=True, kw_only=True):
    """The refund is about to be sent. Authority: its task's lease."""

    refund_id: RefundId


class RefundBegun(Reply, frozen=True, kw_only=True):
    """What to send, once: only if ``fresh``. Else someone may have sent it; an inquiry is planned.

    Units: ``remaining_minor`` stays taken afterwards of the payment ``reference``.
    """

    fresh: bool
    provider: str
    reference: str
    provider_ref: str
    refund_reference: str
    amount_minor: int
    remaining_minor: int
    account: str


class RedeemRefund(Request, frozen=True, kw_only=True, omit_defaults=True):
    """A refund is about to leave for ``host``, once for a submission. Caller: egress.

    What the request says of it, as far as the relay's rule says where: None is not compared.
    ``asked`` is that request; a relay of an older release says none, an older vault hears none.
    """

    host: str
    refund_id: RefundId
    reference: str | None
    payment: str | None
    amount_minor: int | None
    remaining_minor: int | None
    asked: CompanyAsked | None = None


class RefundRedeemed(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when nothing may leave."""

    refused: str | None


class ReturnRefund(Request, frozen=True, kw_only=True):
    """What was redeemed surely moved nothing: it never got there. Caller: egress."""

    host: str
    refund_id: RefundId


class RefundReturned(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when the vault does not believe it."""

    refused: str | None


class DepositRefundAnswer(Request, frozen=True, kw_only=True):
    """What ``host`` answered of a refund: to giving it back, or to a question. Caller: egress.

    The relay's word on what was asked and heard; nobody else's moves a refund that has left.
    Units: ``age_ms`` milliseconds since the asking began.
    """

    host: str
    refund_id: RefundId
    is_submission: bool
    asked: CompanyAsked
    status: int
    body: bytes
    age_ms: int


class RefundAnswerDeposited(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when the answer moves nothing."""

    refused: str | None


class RecordRefundSubmission(Request, frozen=True, kw_only=True):
    """The one call was made; ends the task. What its caller heard decides only of what never left.

    A refund that left is moved by its company's answer, which the relay has put here before.
    """

    refund_id: RefundId
    outcome: RefundOutcome
    provider_ref: str
    code: str


class ViewRefund(Request, frozen=True, kw_only=True):
    """What to ask the provider about. Authority: the inquiry task's lease."""

    refund_id: RefundId


class RefundDue(Reply, frozen=True, kw_only=True):
    """``settled`` is True when the refund is over and nothing needs asking.

    ``remaining_minor`` is below 0 when others gave back so much that this one had no room.
    """

    settled: bool
    provider: str
    reference: str
    provider_ref: str
    refund_reference: str
    amount_minor: int
    remaining_minor: int
    account: str


class RecordRefundFinding(Request, frozen=True, kw_only=True):
    """A question was asked: it is asked again if the relay has put no answer here; ends the task.

    What its caller says that it heard moves nothing. ``remaining_minor`` is what the inquiry was
    told (RefundDue): where it is another by now the question is out of date.
    """

    refund_id: RefundId
    state: RefundFound
    amount_minor: int
    provider_ref: str
    code: str
    remaining_minor: int | None = None


class RefundNow(Reply, frozen=True, kw_only=True):
    """The refund's state after a worker's step."""

    state: RefundState


class SetRefundLimit(Request, frozen=True, kw_only=True):
    """What goes back of one payment without a second person. Units: yen; 0: nothing does.

    Refused: ``refund_limit_out_of_bounds`` (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    limit_minor: int


class RefundLimitSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    limit_minor: int


REQUEST_REFUND = Operation("request_refund", RequestRefund, RefundChanged)
DECIDE_REFUND = Operation("decide_refund", DecideRefund, RefundChanged)
RECORD_TRANSFER = Operation("record_transfer", RecordTransfer, RefundChanged)
LIST_REFUNDS = Operation("list_refunds", ListRefunds, RefundPage)
LIST_BILL_REFUNDS = Operation("list_bill_refunds", ListBillRefunds, BillRefunds)
BEGIN_REFUND = Operation("begin_refund", BeginRefund, RefundBegun)
REDEEM_REFUND = Operation("redeem_refund", RedeemRefund, RefundRedeemed)
RETURN_REFUND = Operation("return_refund", ReturnRefund, RefundReturned)
DEPOSIT_REFUND_ANSWER = Operation(
    "deposit_refund_answer", DepositRefundAnswer, RefundAnswerDeposited
)
RECORD_REFUND_SUBMISSION = Operation("record_refund_submission", RecordRefundSubmission, RefundNow)
VIEW_REFUND = Operation("view_refund", ViewRefund, RefundDue)
RECORD_REFUND_FINDING = Operation("record_refund_finding", RecordRefundFinding, RefundNow)
SET_REFUND_LIMIT = Operation("set_refund_limit", SetRefundLimit, RefundLimitSet)
