"""A card on file: kept by its company for one contract, and charged for later bills. Pure.

The payer agrees while paying one bill; the company keeps the card and names it by a token of its
own, and only that one payment's success makes the leave good. Later bills of the contract are
charged on their day without the payer there. Nothing is ever charged twice on the strength of not
knowing: a try that may have reached the company is asked about, and a decline ends the matter for
that bill.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal
from uuid import UUID

from portal.domain.bill import Lifecycle, Settlement, is_payable
from portal.domain.errors import InvalidInput
from portal.domain.methods import METHODS
from portal.domain.payment import AttemptState
from portal.domain.transition import Edge, take

CardState = Literal["awaited", "active", "suspended", "replaced", "revoked", "void"]
"""``awaited``: agreed to, and the payment that enrols it has not succeeded. ``void``: it never
came to be. ``suspended``: its company said that this card is not to be charged any more, or its
holder contests a payment by it."""

CardEvent = Literal["enrol", "drop", "suspend", "replace", "revoke"]
ChargeState = Literal["planned", "handed", "redeemed", "again", "left_out"]
"""``handed``: a worker was told to send it. ``redeemed``: the relay had its values, so the company
may have it. What became of it then is its attempt's to say. ``again``: a worker says that its
company took nothing on; it is sent once more as the same attempt, under the same reference."""

ChargeOutcome = Literal["accepted", "refused", "unknown"]
InstrumentPart = Literal["charge", "order", "keep", "secure"]
"""What a relay's request says of a card: it charges it, it registers at a company that wants two
calls what is to be charged, it has the card of a payment kept under a name of ours, or it takes the
last step of a payment whose payer was asked by their bank (portal.domain.card_payment)."""

METHOD: Final = "card"
"""The method of a charge's attempt."""

ENROLS: Final = frozenset({"gmopg", "sandbox_card", "smbc_gp", "stripe"})
"""Companies that keep a card and charge it later."""

NAMED_BY_US: Final = frozenset({"gmopg", "smbc_gp"})
"""Of these the companies that keep a card under a name which we give it: see :func:`name_card`."""

REPEAT_IS_SAFE: Final = frozenset({"sandbox_card", "stripe"})
"""Companies at which a charge under a reference that they know has no second effect, at least for
REPEATED_WITHIN; the relay fills that reference in, so no worker can send another.

Source: docs.stripe.com/api/idempotent_requests (keys are kept for 24 hours at least)."""

REPEATED_WITHIN: Final = timedelta(hours=12)
"""So long after an attempt was made it may be sent once more."""

CONSENT: Final = "1"
"""The version of the words that payers agree to now; texts ``page.card.consent``, ``.terms``. Who
changes what they say counts this up: each card keeps the version that its payer read."""

DAYS_BEFORE_MAX: Final = 28
"""Further ahead the bill itself would often not be there."""

TRIES_MAX: Final = 5
"""Of a charge that its company was too busy for, in one day; the next day begins anew."""

TRY_PAUSE_S: Final = 600.0

FOUND_WITHIN: Final = timedelta(hours=3)
"""So long a company's search may be behind a charge whose answer was lost. Source:
docs.stripe.com/search (Data freshness: within a minute, in an outage up to an hour behind)."""

STOPS: Final = frozenset({"card_expired", "card_stopped"})
"""Declines after which a card is charged no more: the same would be said every month, and networks
fine who keeps asking. Source: docs.stripe.com/declines/codes (expired_card, stolen_card and
others)."""

CHARGE_BEGUN: Final = "card.charge_begun"
"""What the timeline says when a charge's attempt begins: nobody pressed a button."""

AGAIN_TODAY: Final = frozenset({"provider_busy", "provider_away", "provider_unconfigured"})
"""Refusals that say nothing of the card: nothing was carried out, so a new try may follow."""

TRANSITIONS: Final[dict[tuple[CardState, CardEvent], Edge[CardState]]] = {
    ("awaited", "enrol"): Edge("active", "card.enrolled"),
    ("awaited", "drop"): Edge("void", "card.not_enrolled"),
    ("active", "suspend"): Edge("suspended", "card.suspended"),
    ("active", "replace"): Edge("replaced", "card.replaced"),
    ("suspended", "replace"): Edge("replaced", "card.replaced"),
    ("active", "revoke"): Edge("revoked", "card.removed"),
    ("suspended", "revoke"): Edge("revoked", "card.removed"),
}

STANDING: Final[frozenset[CardState]] = frozenset({"active", "suspended"})
"""States in which a contract has a card; at most one does, which an index enforces."""


def advance(state: CardState, event: CardEvent) -> Edge[CardState]:
    """The next state of a card and the event code that must be emitted with it.

    Raises: Conflict ``card_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(TRANSITIONS, state, event, "card_state")


def is_enrollable(method: str, provider: str, days_before: int | None) -> bool:
    """Whether payers may be asked to leave the card there. ``days_before`` None: never."""
    return method == METHOD and provider in ENROLS and days_before is not None


def words(days_before: int) -> str:
    """How what a payer reads is named: by the version of the words and by the day that they say.

    So nobody agrees to another day than their page says, whatever the merchant sets meanwhile.
    """
    return f"{CONSENT}.{days_before}"


def name_card(provider: str, card_id: UUID, told: str) -> str:
    """What a card that was kept is charged by: ``told`` by its company, or the name we gave it.

    A name of ours is the card's own id, whatever a worker says that it heard: so no word of a
    worker's can put another person's card into its place. It is random and says nothing of anybody.
    """
    return card_id.hex if provider in NAMED_BY_US else told


def check_days_before(days: int | None) -> None:
    """Refuse a setting that nobody can mean. None: the merchant keeps no cards.

    Raises: InvalidInput ``charge_days_out_of_bounds`` (param ``max``).
    """
    if days is not None and not 0 <= days <= DAYS_BEFORE_MAX:
        raise InvalidInput("charge_days_out_of_bounds", params={"max": DAYS_BEFORE_MAX})


def charge_on(due_on: date, days_before: int, today: date) -> date:
    """The day on which a bill that is not paid by then is charged; never one that has passed."""
    return max(due_on - timedelta(days=days_before), today)


def covers(enrolled_on: date, due_on: date) -> bool:
    """Whether the leave reaches to a bill: the payer agreed for bills to come, not for old ones."""
    return due_on > enrolled_on


def is_day(enrolled_on: date, due_on: date, days_before: int, today: date) -> bool:
    """Whether a bill is one of those to come, and its day is here or has passed."""
    return covers(enrolled_on, due_on) and due_on - timedelta(days=days_before) <= today


WITH_COMPANY: Final[frozenset[ChargeState]] = frozenset({"redeemed", "again"})
"""States in which the company may have the charge, whatever a worker says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """How a bill stands at the moment in which it would be charged, read under its lock.

    ``has_live``: another try may still bring its money. ``is_paused``: held, or promised.
    ``card``: the state of the card that was chosen for it. Units: yen.
    """

    lifecycle: Lifecycle
    settlement: Settlement
    amount_minor: int
    is_day: bool
    has_live: bool
    is_paused: bool
    card: CardState


def why_not(facts: ChargeFacts) -> str | None:
    """Why a bill is not charged now, as a code; None when it is."""
    least, most = METHODS[METHOD].amount_min, METHODS[METHOD].amount_max
    rules = (
        (facts.card != "active", "card_not_active"),
        (not is_payable(facts.lifecycle, facts.settlement), "not_payable"),
        (not facts.is_day, "not_due"),
        (facts.is_paused, "paused"),
        (facts.has_live, "attempt_running"),
        (not least <= facts.amount_minor <= most, "method_unavailable"),
    )
    return next((code for refused, code in rules if refused), None)


def is_believed_missing(state: ChargeState, age: timedelta) -> bool:
    """Whether "not found" about a charge of that age may count at all.

    A charge has no page whose address nobody has: if the relay had it, its money may be taken while
    the company's search does not show it yet. One that nobody redeemed was never sent.
    """
    return state not in WITH_COMPANY or age >= FOUND_WITHIN


def weighed(outcome: ChargeOutcome, code: str, state: ChargeState) -> ChargeOutcome:
    """What a worker's word about its call is worth.

    Once the relay had the card's values, "nothing was carried out" is asked about like any doubt: a
    worker that was taken over could else send, deny it, and send again under a new reference.
    """
    return "unknown" if is_denial(outcome, code) and state in WITH_COMPANY else outcome


def is_denial(outcome: ChargeOutcome, code: str) -> bool:
    """Whether a worker says that nothing was carried out, for want of time or of a connection."""
    return outcome == "refused" and code in AGAIN_TODAY


def is_repeated(provider: str, tries: int, age: timedelta) -> bool:
    """Whether a charge that a company may have is planned to be sent once more, as the same.

    Only where that is harmless if the company did take it on, and only so soon that it still is.
    ``age``: see :func:`is_known_yet`.
    """
    return provider in REPEAT_IS_SAFE and tries < TRIES_MAX and is_known_yet(age)


def is_known_yet(age: timedelta) -> bool:
    """Whether a company that takes repeats surely knows the reference still.

    To be asked whenever a repeat may leave, not when it is planned: a worker may be away for days
    between the two, or wait on purpose. ``age``: since the attempt was made, before it was sent for
    the first time, whatever was said of it since.
    """
    return age < REPEATED_WITHIN


def goes_on(outcome: ChargeOutcome, code: str, tries: int) -> ChargeState | None:
    """Where a charge goes after its company's first answer; None: its attempt tells the rest.

    Only what never left the relay is tried again (see :func:`weighed`), by a new attempt under a
    new reference.
    """
    if outcome != "refused" or code not in AGAIN_TODAY:
        return None
    return "planned" if tries < TRIES_MAX else "left_out"


def is_stopped_by(state: AttemptState, decline_code: str | None) -> bool:
    """Whether a try that ended so tells that its card must not be charged any more."""
    return state == "failed" and decline_code in STOPS
