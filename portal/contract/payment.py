"""Money moves: a reference before the call, findings after it, notices as hints."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from portal.contract.envelope import Authority, Operation, Part, Reply, Request
from portal.contract.number import NumberTerms, StoreNumber
from portal.contract.page import AttemptView
from portal.domain.card_payment import Secures
from portal.domain.dispute import DisputeState
from portal.domain.ids import AttemptId
from portal.domain.payment import AttemptState

FindingState = Literal["succeeded", "failed", "requires_action", "pending", "not_found", "unclear"]


class StartPayment(Request, frozen=True, kw_only=True, omit_defaults=True):
    """One intent to pay. ``expected_minor`` must equal what it comes to now.

    That is what is left of the bill and of those in ``also`` (public names of the pages of other
    bills of the same contract, as the page names them), or ``part_minor`` of a bill alone.

    Conflict ``amount_changed``, ``not_payable``, ``other_not_payable``, ``part_not_taken``,
    ``attempt_running``; ``attempt_elsewhere`` while the payer may still pay on the page of another
    method, or of other bills. InvalidInput ``part_out_of_bounds``, ``part_of_several``,
    ``too_many_bills``. The same key and arguments get the same
    attempt again. ``reachable``: the providers that the caller can submit to; with any other a new
    try is refused as ``method_unconfigured`` (param ``provider``). None: the caller does not say.
    """

    method: str
    expected_minor: int
    idempotency_key: str
    reachable: tuple[str, ...] | None = None
    consent: str = ""
    """The version of the words by which the payer agreed that the card is kept; '' if not."""
    also: tuple[str, ...] = ()
    part_minor: int | None = None
    store: str = ""
    """At which store a number is to be paid by; '' for every other method."""
    kept: bool = False
    """By the card on file of the bill's contract: which one that is, the vault says."""


class AttemptStarted(Reply, frozen=True, kw_only=True):
    """``reference`` is ours, allocated in the provider's own form, unique there.

    ``fresh`` is False when this key was seen before: then do not submit, look at ``state``.
    ``return_token`` goes into the return address and grants only the look-up of this attempt; it is
    '' where nothing is to be submitted.
    ``merchant_code`` completes that address and names the provider's account; ``description`` is
    what the payer reads at the provider (the bill's number, and how many others come with it).
    """

    attempt_id: AttemptId
    provider: str
    reference: str
    amount_minor: int
    state: str
    fresh: bool
    return_token: str
    merchant_code: str = ""
    description: str = ""
    card_id: UUID | None = None
    """The card on file that this attempt enrols: ours, and it names nobody. None: it enrols none.
    """
    number: NumberTerms | None = None
    """What a company that makes a number is to be asked for; None for every other method."""
    kept: bool = False
    """It is paid by the card on file: the relay has card, sum and reference from the vault."""
    payee_name: str = ""
    """Whom a bank says that it is paid to."""


class RecordSubmission(Request, frozen=True, kw_only=True, omit_defaults=True):
    """What the provider said to our first call. ``redirect_url`` and ``number`` are stored sealed.

    ``unknown`` (time-out, garbage, 5xx) moves the attempt to unknown and plans an inquiry.
    ``app_url`` leads into the provider's app instead of to its page: exactly in that provider's
    form (portal.domain.app_link), or refused. Of a payment by the card on file the page is what the
    relay deposited (DepositCardStep), whatever is said here.
    """

    attempt_id: AttemptId
    outcome: Literal["accepted", "refused", "unknown"]
    redirect_url: str
    provider_ref: str
    code: str
    number: StoreNumber | None = None
    app_url: str = ""


class DisputeFound(Part, frozen=True, kw_only=True):
    """What an inquiry learned of a payer who contests the payment at the company.

    ``reference``: the company's name of the dispute. ``taken_minor``: what it has taken back of the
    payment by now, 0 for nothing. ``respond_by``: until when it takes an answer of the merchant's.
    """

    reference: str
    state: DisputeState
    amount_minor: int
    taken_minor: int
    reason: str = ""
    respond_by: datetime | None = None


class Finding(Part, frozen=True, kw_only=True):
    """What an inquiry learned from the provider about one reference."""

    state: FindingState
    amount_minor: int
    provider_ref: str
    decline_code: str
    approval_no: str
    instrument_hint: str
    authentication: str
    """EMV 3-D Secure result as the provider gave it, or empty."""
    saved_token: str = ""
    """What the provider calls an instrument that this payment enrolled; '' when it kept none."""
    saved_customer: str = ""
    """Whose it is at the provider, in its own words, where it wants that too."""
    saved_brand: str = ""
    number: StoreNumber | None = None
    """By what it is paid at a store, where the provider told it once more."""
    dispute: DisputeFound | None = None
    """The newest dispute of the payment; None when there is none, or the company tells of none."""


class RecordInquiry(Request, frozen=True, kw_only=True):
    """A company was asked about an attempt. Authority: the payer's, or a task's lease.

    What the asker says that it heard moves nothing: the relay has told it, or nothing was learned.
    """

    attempt_id: AttemptId
    finding: Finding


class AttemptNow(Reply, frozen=True, kw_only=True):
    """The attempt after the call. ``redirect_url`` only while the payer has to act.

    ``app_url``: the same in the provider's app, where there is one; never without the page.
    ``merchant_code``: whose it is, told while there is a number that the payer may withdraw.
    """

    attempt: AttemptView
    provider: str
    reference: str
    redirect_url: str | None
    app_url: str | None = None
    merchant_code: str = ""


class ViewAttempt(Request, frozen=True, kw_only=True):
    """The payer's own attempt."""

    attempt_id: AttemptId


class ViewReturn(Request, frozen=True, kw_only=True, omit_defaults=True):
    """The attempt behind a return token: works in another browser than the one that left.

    ``access``: what the company says it calls the order that the payer comes back from; '' where
    it says nothing. It has to be this attempt's.
    """

    merchant_code: str
    return_token: str
    access: str = ""


class Returned(Reply, frozen=True, kw_only=True):
    """A short authority for the receipt and the inquiry of this one attempt, and what to ask."""

    authority: Authority
    attempt_id: AttemptId
    page_ref: str
    provider: str
    reference: str
    state: AttemptState
    provider_ref: str = ""
    """What the provider calls the payment, or '' while it has not said."""
    secures: Secures = ""
    """Whether the last step of a payment by the card on file is to be taken before asking."""


class NoticeClaim(Part, frozen=True, kw_only=True):
    """One thing that a provider's notice says; never believed, only followed up.

    Where it names the payment by the provider's own name only, that is ``provider_ref`` and
    ``reference`` is ''.
    """

    notice_id: str
    subject: Literal["attempt", "delivery"]
    reference: str
    claim: str
    at: datetime | None
    provider_ref: str = ""


class RecordNotice(Request, frozen=True, kw_only=True):
    """A provider's notice as it came, with what the adapter read in it. Caller: web.

    Stored once per (provider, notice id); a repeat changes nothing. Claims about attempts plan an
    inquiry; claims about deliveries move them forward only.
    """

    merchant_code: str
    provider: str
    raw: bytes
    claims: tuple[NoticeClaim, ...]


class NoticeRecorded(Reply, frozen=True, kw_only=True):
    """How many claims were new."""

    fresh: int


class ViewInquiry(Request, frozen=True, kw_only=True):
    """What to ask the provider about. Authority: the inquiry task's lease."""

    attempt_id: AttemptId


class InquiryDue(Reply, frozen=True, kw_only=True):
    """``settled`` is True when the attempt is over and nothing needs asking.

    ``provider_ref`` is what the provider calls the payment, or '' while it has not said. One
    provider may take money in several ways: ``method`` says which of them to ask by. ``unwanted``:
    what it pays is asked for no more, so the number that somebody may hold is withdrawn first.
    ``unwanted_page``: the same of a page on which somebody may still pay, or of a bank's page that
    its payer has left for good. ``secures``: the last step of a payment by the card on file is to
    be taken first. ``merchant_code``: whose it is, as the relay has to tell.
    """

    provider: str
    reference: str
    amount_minor: int
    settled: bool
    provider_ref: str = ""
    method: str = ""
    unwanted: bool = False
    unwanted_page: bool = False
    secures: Secures = ""
    merchant_code: str = ""


START_PAYMENT = Operation("start_payment", StartPayment, AttemptStarted)
RECORD_SUBMISSION = Operation("record_submission", RecordSubmission, AttemptNow)
VIEW_ATTEMPT = Operation("view_attempt", ViewAttempt, AttemptNow)
VIEW_RETURN = Operation("view_return", ViewReturn, Returned)
VIEW_INQUIRY = Operation("view_inquiry", ViewInquiry, InquiryDue)
RECORD_INQUIRY = Operation("record_inquiry", RecordInquiry, AttemptNow)
RECORD_NOTICE = Operation("record_notice", RecordNotice, NoticeRecorded)
