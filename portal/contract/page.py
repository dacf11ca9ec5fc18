"""What the holder of one link sees. No operation here takes a bill's id: the authority names it."""

from datetime import date, datetime
from typing import Literal

from portal.contract.bills import BillLine
from portal.contract.card_on_file import CardShown
from portal.contract.envelope import Authority, Done, Nothing, Operation, Part, Reply, Request
from portal.contract.login import MerchantFacts
from portal.contract.mandate import PageMandate
from portal.contract.number import StoreNumber
from portal.contract.refund_account import PageRefunds
from portal.contract.share import OtherBill, PaidShare, PartRange, ViewPage
from portal.domain.digital import Billing
from portal.domain.ids import AttemptId
from portal.domain.pause import PauseKind

PageState = Literal[
    "open", "due_soon", "overdue", "processing", "declined", "unclear", "paid", "canceled",
    "superseded", "lapsed", "provisional", "contested",
]  # fmt: skip
"""What the page has to say; decided in portal.domain.page from the bill and its attempts."""


class OpenLink(Request, frozen=True, kw_only=True):
    """The secret of a link. NotFound ``link_unknown``, Expired ``link_expired``."""

    merchant_code: str
    secret: str


class LinkOpened(Reply, frozen=True, kw_only=True):
    """``page_ref`` is a short public name for this page in addresses; it grants nothing."""

    authority: Authority
    page_ref: str


class MethodOffer(Part, frozen=True, kw_only=True):
    """A way to pay; when ``available`` is False, ``reason`` is a code that says why not.

    ``provider`` carries it out; it is for the web, which knows whom it can reach, not for pages.
    ``charge_days_before``: the payer may let the card be kept for the bills of this contract to
    come, which are then charged so many days before they are due; None: not here.
    """

    method: str
    available: bool
    reason: str | None
    provider: str = ""
    charge_days_before: int | None = None
    kept_at: str = ""
    """The company at which the contract's card on file can pay now, with its payer there."""


class AttemptView(Part, frozen=True, kw_only=True):
    """The payer's latest try. ``decline_code`` is one of portal.domain.payment's codes."""

    id: AttemptId
    method: str
    state: str
    amount_minor: int
    decline_code: str | None
    approval_no: str | None
    instrument_hint: str | None
    finished_at: datetime | None
    number: StoreNumber | None = None
    """By what somebody can pay at a store, while they can."""


class PagePause(Part, frozen=True, kw_only=True):
    """What the merchant's staff agreed or decided about dunning; ``until`` is its last day."""

    kind: PauseKind
    until: date | None


class PageReminder(Part, frozen=True, kw_only=True):
    """A channel by which this payer can be reminded, and whether they want it so."""

    channel: str
    is_wanted: bool


class PageBilling(Part, frozen=True, kw_only=True):
    """How the bill's contract is billed, and what its payer may say of it and of this message.

    ``is_denied``: somebody who got the message said that the bill is not theirs.
    """

    billing: Billing = "none"
    may_choose: bool = False
    may_deny: bool = False
    is_denied: bool = False


class PageView(Reply, frozen=True, kw_only=True):
    """Masked: only what proves the message genuine and what is needed to pay.

    ``payer_hint`` is the name with all but the ends hidden; ``customer_hint`` the last 4 of the
    customer number; ``check_code`` is what a call centre can look up. ``given_back_minor`` has gone
    back to the payer by refunds, ``on_its_way_back_minor`` is set aside for refunds under way,
    ``owed_back_minor`` is owed back and no refund is over it yet; they may exceed ``amount_minor``
    when the bill was paid twice. ``pauses`` are in force today, while the bill is owed.
    ``left_minor`` is what is still to be paid of the bill, ``pay_minor`` what a payment of what was
    chosen comes to; the methods are judged by that. Units: minor units.
    """

    page_ref: str
    merchant: MerchantFacts
    state: PageState
    number: str
    period: str
    kind: str
    payer_hint: str
    customer_hint: str
    amount_minor: int
    tax_minor: int
    lines: tuple[BillLine, ...]
    due_on: date
    days_left: int
    check_code: str
    language: str
    methods: tuple[MethodOffer, ...]
    attempt: AttemptView | None
    paid_at: datetime | None
    given_back_minor: int = 0
    on_its_way_back_minor: int = 0
    owed_back_minor: int = 0
    debit_on: date | None = None
    """The day on which the bank will debit it, or has been asked to: no other way is offered."""
    pauses: tuple[PagePause, ...] = ()
    card: CardShown | None = None
    """The contract's card on file, and when it is charged for this bill."""
    may_remove_card: bool = False
    left_minor: int = 0
    pay_minor: int = 0
    part_minor: int | None = None
    """What was chosen of the bill alone, if not all that is left."""
    others: tuple[OtherBill, ...] = ()
    part: PartRange | None = None
    choice_refused: str | None = None
    """Why what was chosen can't be paid, a code; nothing is chosen then."""
    shares: tuple[PaidShare, ...] = ()
    """What each bill gets of ``attempt``, where it pays several; empty where it pays one."""
    reminders: tuple[PageReminder, ...] = ()
    """By what reminders come; empty where they can't be stopped from."""
    mandate: PageMandate | None = None
    """The payer's latest mandate, if any."""
    mandates_by: str = ""
    """Who takes a mandate of this payer now; empty where none can be begun."""
    billing: PageBilling = PageBilling()
    refunds: PageRefunds = PageRefunds()
    attempt_key: str
    """A fresh idempotency key for the form of this view."""


OPEN_LINK = Operation("open_link", OpenLink, LinkOpened)
VIEW_PAGE = Operation("view_page", ViewPage, PageView)
MARK_OPENED = Operation("mark_opened", Nothing, Done)
"""A person is looking (the page ran, or a form was sent), not a prefetcher."""
