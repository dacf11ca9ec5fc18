"""Bills as the merchant's staff and systems see them."""

from datetime import date, datetime
from typing import Literal

from portal.contract.card_on_file import CardShown
from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.contract.intake import ImportView
from portal.domain.ids import AttemptId, BillId, ImportId
from portal.domain.message import Channel
from portal.domain.pause import PauseShown

Lifecycle = Literal["scheduled", "open", "overdue", "lapsed", "canceling", "canceled", "superseded"]
Settlement = Literal["unpaid", "provisional", "settled", "over", "reversed"]
MessageState = Literal[
    "none", "planned", "sending", "accepted", "delivered", "undelivered", "failed", "ambiguous"
]
BillOrder = Literal[
    "created_desc", "created_asc", "due_asc", "due_desc", "amount_asc", "amount_desc"
]
SearchField = Literal["number", "customer_no", "phone", "email", "check_code"]


class BillRow(Part, frozen=True, kw_only=True):
    """One line of the list. ``payer_name`` in clear, ``phone_hint`` as ``090-****-1234``.

    ``given_back_minor`` has arrived at the payer by refunds, whatever it was of. ``pause`` says
    what stops dunning, or that a promise was missed; ``pause_until`` is its last day, if any.
    ``part_paid_minor`` is paid of a bill that still owes the rest, ``left_minor``; 0 of others.
    """

    id: BillId
    number: str
    customer_no: str
    payer_name: str
    phone_hint: str
    period: str
    kind: str
    amount_minor: int
    due_on: date
    lifecycle: Lifecycle
    settlement: Settlement
    message: MessageState
    opened_at: datetime | None
    paid_at: datetime | None
    created_at: datetime
    version: int
    given_back_minor: int = 0
    pause: PauseShown | None = None
    pause_until: date | None = None
    part_paid_minor: int = 0
    left_minor: int = 0


class BillFilter(Part, frozen=True, kw_only=True):
    """All given conditions hold together; an empty tuple or None means any."""

    lifecycle: tuple[Lifecycle, ...] = ()
    settlement: tuple[Settlement, ...] = ()
    message: tuple[MessageState, ...] = ()
    due_from: date | None = None
    due_to: date | None = None
    import_id: ImportId | None = None
    never_opened: bool = False
    pause: tuple[PauseShown, ...] = ()


class BillSearch(Part, frozen=True, kw_only=True):
    """Exact match on a blind index, after normalising ``text`` (width, case, +81, hyphens)."""

    field: SearchField
    text: str


class ListBills(Request, frozen=True, kw_only=True):
    """A page by keyset. ``after`` is the ``end_cursor`` of the page before, opaque and sealed."""

    filter: BillFilter
    search: BillSearch | None
    order: BillOrder
    first: int
    after: str | None


class BillPage(Reply, frozen=True, kw_only=True):
    """``count`` is exact up to 10,000 and ``count_exact`` says so."""

    bills: tuple[BillRow, ...]
    end_cursor: str | None
    has_next: bool
    count: int
    count_exact: bool


class BillLine(Part, frozen=True, kw_only=True):
    """One line item; the amount contains its tax."""

    label: str
    amount_minor: int
    tax_rate_percent: int


class BillEvent(Part, frozen=True, kw_only=True):
    """One fact in a bill's life. ``code`` is translated by the doors, ``params`` fill it."""

    at: datetime
    code: str
    actor: str
    params: dict[str, str | int]


class AttemptShareRow(Part, frozen=True, kw_only=True):
    """What one of several bills gets of a payment."""

    bill_id: BillId
    bill_number: str
    amount_minor: int


class AttemptRow(Part, frozen=True, kw_only=True):
    """One try to pay. ``amount_minor`` is what the bill gets of ``payment_minor``.

    ``shares`` says what every bill gets, where it pays several; empty where it pays this one alone.
    """

    id: AttemptId
    method: str
    provider: str
    state: str
    amount_minor: int
    reference: str
    decline_code: str | None
    created_at: datetime
    payment_minor: int = 0
    shares: tuple[AttemptShareRow, ...] = ()


class BillMessage(Part, frozen=True, kw_only=True):
    """One message about a bill: how far it came, and when.

    ``sent_at``: a company took it; None with a state that says so: before anybody kept it.
    ``opened_at`` and ``paid_at``: the bill was, and that is put down to this message.
    ``cost_hundredths`` of a yen, of an ordinary message; 0 for what was not sent, None without a
    price.
    """

    channel: str
    provider: str
    state: str
    planned_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    paid_at: datetime | None
    cost_hundredths: int | None


class BillDetail(Reply, frozen=True, kw_only=True):
    """A bill with all that happened to it, newest first (at most 200 events)."""

    row: BillRow
    contract_no: str
    email_hint: str
    check_code: str
    lines: tuple[BillLine, ...]
    tax_minor: int
    attempts: tuple[AttemptRow, ...]
    events: tuple[BillEvent, ...]
    card: CardShown | None = None
    """The card on file of its contract."""
    resend_channels: tuple[str, ...] = ()
    """By which channels its payer can be told: the merchant has them, and the payer's contact."""
    messages: tuple[BillMessage, ...] = ()
    """What was sent about it, newest first, at most 50."""


class ViewBill(Request, frozen=True, kw_only=True):
    """One bill of the merchant."""

    bill_id: BillId


class CancelBill(Request, frozen=True, kw_only=True):
    """``version`` is the row's as last seen; Conflict ``stale_version`` when it moved on."""

    bill_id: BillId
    version: int
    reason: str
    idempotency_key: str


class ResendMessage(Request, frozen=True, kw_only=True):
    """Send the payer the link once more; Conflict ``not_payable`` when there is nothing to pay.

    ``channel``: one of the bill's ``resend_channels``.
    """

    bill_id: BillId
    idempotency_key: str
    channel: Channel = "sms"


class BillChanged(Reply, frozen=True, kw_only=True):
    """The bill after the act."""

    row: BillRow


class Funnel(Part, frozen=True, kw_only=True):
    """How far the issued bills have come, in bills.

    ``accepted`` and ``delivered``: some message about the bill was, not just its newest.
    """

    requested: int
    accepted: int
    delivered: int
    opened: int
    paid: int


class DayPaid(Part, frozen=True, kw_only=True):
    """What came in on one day of the merchant's zone."""

    day: date
    bills: int
    amount_minor: int


class Summary(Reply, frozen=True, kw_only=True):
    """What the dashboard's first screen shows. Amounts in yen, counts in bills.

    Only bills that were issued count; ``overdue`` are those in that state that nothing has paid.
    ``paid_minor`` is what the paid bills were over and what was paid of others in part,
    ``returned_minor`` what of just that has gone back to payers: the difference stays with the
    merchant. What came beyond a bill is in neither. What is unpaid or overdue is what is left.
    ``missed_promises`` counts bills still owed whose payer promised a day that has passed, up to
    10,000; so does ``bad_contacts`` numbers and addresses that reach nobody or somebody else.
    """

    requested_bills: int
    requested_minor: int
    paid_bills: int
    paid_minor: int
    unpaid_bills: int
    unpaid_minor: int
    overdue_bills: int
    overdue_minor: int
    never_opened_bills: int
    undelivered_bills: int
    open_cases: int
    funnel: Funnel
    days: tuple[DayPaid, ...]
    imports: tuple[ImportView, ...]
    as_of: datetime
    returned_minor: int = 0
    missed_promises: int = 0
    doubtful_bills: int = 0
    """Still owed, and nobody knows whether their message was sent."""

    bad_contacts: int = 0


LIST_BILLS = Operation("list_bills", ListBills, BillPage)
VIEW_BILL = Operation("view_bill", ViewBill, BillDetail)
CANCEL_BILL = Operation("cancel_bill", CancelBill, BillChanged)
RESEND_MESSAGE = Operation("resend_message", ResendMessage, BillChanged)
SUMMARISE_BILLS = Operation("summarise_bills", Nothing, Summary)
