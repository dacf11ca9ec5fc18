"""A card on file: agreed to on the page, charged by a worker or by its payer, taken back.

Nothing here carries what its company calls the card, but the relay's own reply.
"""

from datetime import date
from uuid import UUID

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.domain.card_on_file import CardState, ChargeOutcome, InstrumentPart
from portal.domain.ids import AttemptId, BillId, CardChargeId


class CardShown(Part, frozen=True, kw_only=True):
    """A contract's card as payers and staff may see it.

    ``brand`` as its company writes it, ``hint`` the last digits. ``charge_on``: the day on which
    the bill at hand is charged to it, None where it is not (paid, older than the leave, or declined
    already). ``is_declined``: it was charged for this bill, and no money came. ``code``: why its
    company stopped it.
    """

    state: CardState
    brand: str
    hint: str
    enrolled_on: date
    charge_on: date | None = None
    is_declined: bool = False
    code: str | None = None
    provider: str = ""
    """Its company; for the web, which knows whom it can reach, not for pages."""


class ChooseCharges(Request, frozen=True, kw_only=True):
    """Choose the next bills of the lease's merchant to be charged; ``after``: cards looked at."""

    after: UUID | None = None


class ChargesChosen(Reply, frozen=True, kw_only=True):
    """``charges`` were planned by this call; ``after`` is None at the end, which ends the task."""

    charges: int
    after: UUID | None


class BeginCharge(Request, frozen=True, kw_only=True):
    """A worker is about to charge a card. Authority: its task's lease."""

    charge_id: CardChargeId


class ChargeBegun(Reply, frozen=True, kw_only=True):
    """What to send, if ``fresh``; else somebody may have sent it, or nothing is to be charged.

    ``attempt_id`` is what the relay redeems. ``original_reference`` is the payment that enrolled
    the card.
    """

    fresh: bool
    provider: str = ""
    reference: str = ""
    attempt_id: AttemptId = AttemptId(UUID(int=0))
    amount_minor: int = 0
    original_reference: str = ""
    account: str = ""
    description: str = ""


class RecordCharge(Request, frozen=True, kw_only=True):
    """What the company said to the one call; finishes the task."""

    charge_id: CardChargeId
    attempt_id: AttemptId
    outcome: ChargeOutcome
    provider_ref: str
    code: str


class ChargeNow(Reply, frozen=True, kw_only=True):
    """The state of the charge's attempt."""

    state: str


class RedeemInstrument(Request, frozen=True, kw_only=True, omit_defaults=True):
    """What a request about a card is to say at ``host``. Caller: egress.

    ``part``: a "charge" has the card, once for a try; an "order" only registers what is to be
    charged, and has no card; to "keep" names the card of the payment that enrols it; to "secure"
    has what acts on an order after the payer's bank was asked. ``by_payer``: the relay's rule is
    one for payers who are there, so that nobody is charged as if they were.
    """

    host: str
    attempt_id: AttemptId
    part: InstrumentPart = "charge"
    by_payer: bool = False


class InstrumentRedeemed(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when there is nothing to send; the values are empty then.

    ``reference`` and ``amount_minor`` are the attempt's: no caller can charge another sum. An order
    has no ``token``; of a card that is to be kept it is the name that we give it. ``order`` and
    ``order_pass``: what a company calls the order of a payer who is there, and what acts on it.
    """

    token: str
    customer: str
    reference: str
    amount_minor: int
    refused: str | None
    order: str = ""
    order_pass: str = ""


class DepositCardStep(Request, frozen=True, kw_only=True):
    """What a company answered to a payment by the card on file, as the relay heard it.

    Either the order that it registered, with what acts on it, or the ``page`` at which the payer's
    bank asks them (the relay has held its host to the signed rule), or that nothing came of naming
    the card: it never got there, or its host takes no more for now. Caller: egress.
    """

    host: str
    attempt_id: AttemptId
    order: str = ""
    order_pass: str = ""
    page: str = ""
    is_nothing: bool = False


class CardStepDeposited(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when nothing was stored."""

    refused: str | None


class RemoveBillCard(Request, frozen=True, kw_only=True):
    """Charge the card of a bill's contract no more, as its payer asked the merchant."""

    bill_id: BillId
    idempotency_key: str


class CardRemoved(Reply, frozen=True, kw_only=True):
    """Whether there was a card, removed by this act."""

    removed: bool


class SetCharges(Request, frozen=True, kw_only=True):
    """Keep cards of payers who agree, and charge them so many days before a bill is due.

    None: no card is kept any more; those that are there are not charged. Refused:
    ``charge_days_out_of_bounds`` (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    days_before: int | None


class ChargesSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    days_before: int | None


CHOOSE_CHARGES = Operation("choose_charges", ChooseCharges, ChargesChosen)
BEGIN_CHARGE = Operation("begin_charge", BeginCharge, ChargeBegun)
RECORD_CHARGE = Operation("record_charge", RecordCharge, ChargeNow)
REDEEM_INSTRUMENT = Operation("redeem_instrument", RedeemInstrument, InstrumentRedeemed)
DEPOSIT_CARD_STEP = Operation("deposit_card_step", DepositCardStep, CardStepDeposited)
REMOVE_CARD = Operation("remove_card", Nothing, CardRemoved)
"""The payer's own: of the contract of the bill that their link names."""
REMOVE_BILL_CARD = Operation("remove_bill_card", RemoveBillCard, CardRemoved)
SET_CHARGES = Operation("set_charges", SetCharges, ChargesSet)
