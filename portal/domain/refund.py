"""Giving money back: the states of a refund and who moves it. Pure.

Money is set aside in the ledger before anyone outside hears of a refund, and it is submitted once.
When nobody knows what happened the state is ``unknown``; only findings of an inquiry lead out of
it (portal.domain.refund_finding). Where nobody outside can give the money back (a method that
can't, or the merchant's choice) the merchant transfers it: ``by_bank_transfer``, then
``transferred``. Either somebody records that, or it goes into a file for a bank, ``in_transfer``
meanwhile (portal.domain.transfer). What the bank sends back is to be transferred anew.
"""

from datetime import date, datetime, timedelta
from typing import Final, Literal

from portal.domain.errors import Conflict, InvalidInput
from portal.domain.ledger import CauseKind
from portal.domain.transition import Edge, take

RefundState = Literal[
    "requested", "reserved", "submitting", "pending", "unknown", "succeeded", "failed",
    "withdrawn", "by_bank_transfer", "in_transfer", "transferred",
]  # fmt: skip
RefundEvent = Literal[
    "reserve", "approve", "withdraw", "submit", "hand_over", "record_transfer",
    "file", "release", "arrive", "send_back", "given", "accepted", "refused", "not_sent", "lost",
    "found_succeeded", "found_failed", "found_pending", "found_unclear", "found_missing",
]  # fmt: skip
RefundFound = Literal["succeeded", "pending", "failed", "not_found", "unclear"]
RefundOutcome = Literal["succeeded", "accepted", "refused", "unknown"]
"""What came of the one call: ``refused`` means that nothing was given back."""

RefundReason = Literal["overpaid", "canceled", "wrong_bill", "goodwill", "other"]
"""Why money goes back, for lists and sums; anything more stands in the note."""

RefundWay = Literal["provider", "bank_transfer"]
RefundChoice = Literal["approve", "withdraw", "record_transfer", "record_return"]
Role = Literal["owner", "clerk"]
RefundCase = Literal["refund_failed", "refund_unresolved", "refund_contradicts", "refund_returned"]

HOLDING: Final[frozenset[RefundState]] = frozenset(
    {
        "reserved", "submitting", "pending", "unknown", "succeeded", "by_bank_transfer",
        "in_transfer", "transferred",
    }
)  # fmt: skip
"""States that hold a part of what was taken: all of them together never exceed it."""

ASKED: Final[frozenset[RefundState]] = frozenset({"submitting", "pending", "unknown"})
"""States in which the provider is asked: it has heard of the refund, or may have."""

GIVEN: Final[frozenset[RefundState]] = frozenset({"succeeded", "transferred"})
"""States in which the money is with the payer."""

ENDED: Final[frozenset[RefundState]] = frozenset(
    {"succeeded", "failed", "withdrawn", "transferred"}
)
"""States out of which nothing leads but what turns out otherwise: a success that was believed to
have failed, and a transfer that the bank sends back."""

APPROVAL_LIFE_S: Final = 3 * 86_400
"""So long a second person may approve; then it has to be asked for again."""

LIMIT_DEFAULT_MINOR: Final = 10_000
"""Yen that go back of one payment without a second person, unless the operator sets another sum."""

WAITS_BEHIND: Final[frozenset[RefundState]] = frozenset({"submitting", "unknown"})
"""While a refund is in one of these, no other of the same payment is sent: some companies know no
refunds, only the amount that remains, and nobody could tell by that which of the two went back."""

WAIT_S: Final = 30.0
"""Seconds until a refund that waits behind another is tried again."""

NOT_SENT: Final = frozenset({"provider_away", "provider_busy"})
"""Refusals that say nothing about the refund: the company was not reached, or took nothing on."""

SEND_AGAIN_MIN_S: Final = 60.0
SEND_AGAIN_MAX_S: Final = 3_600.0
SEND_WITHIN: Final = timedelta(days=1)
"""A refund that was not sent is sent again, ever more seldom, until so long after it was decided;
then a person looks."""

TRANSFER_PAST_DAYS_MAX: Final = 366
NOTE_CHARACTERS_MAX: Final = 500

_FAILED: Final[Edge[RefundState]] = Edge("failed", "refund.failed")
_SUCCEEDED: Final[Edge[RefundState]] = Edge("succeeded", "refund.succeeded")
_PENDING: Final[Edge[RefundState]] = Edge("pending", "refund.pending")
_UNCLEAR: Final[Edge[RefundState]] = Edge("unknown", "refund.unclear")
_WITHDRAWN: Final[Edge[RefundState]] = Edge("withdrawn", "refund.withdrawn")

TRANSITIONS: Final[dict[tuple[RefundState, RefundEvent], Edge[RefundState]]] = {
    ("requested", "reserve"): Edge("reserved", "refund.reserved"),
    ("requested", "approve"): Edge("reserved", "refund.approved"),
    ("requested", "withdraw"): _WITHDRAWN,
    ("reserved", "withdraw"): _WITHDRAWN,
    ("reserved", "submit"): Edge("submitting", "refund.submitted"),
    ("reserved", "hand_over"): Edge("by_bank_transfer", "refund.by_bank_transfer"),
    ("by_bank_transfer", "withdraw"): _WITHDRAWN,
    ("by_bank_transfer", "record_transfer"): Edge("transferred", "refund.transferred"),
    ("by_bank_transfer", "file"): Edge("in_transfer", "refund.in_transfer"),
    ("in_transfer", "release"): Edge("by_bank_transfer", "refund.transfer_released"),
    ("in_transfer", "arrive"): Edge("transferred", "refund.transferred_by_bank"),
    ("transferred", "send_back"): Edge("by_bank_transfer", "refund.returned"),
    ("submitting", "given"): _SUCCEEDED,
    ("submitting", "accepted"): _PENDING,
    ("submitting", "refused"): _FAILED,
    ("submitting", "not_sent"): Edge("reserved", "refund.not_sent"),
    ("submitting", "lost"): _UNCLEAR,
    ("submitting", "found_succeeded"): _SUCCEEDED,
    ("submitting", "found_failed"): _FAILED,
    ("submitting", "found_pending"): _PENDING,
    ("submitting", "found_unclear"): _UNCLEAR,
    ("pending", "found_succeeded"): _SUCCEEDED,
    ("pending", "found_failed"): _FAILED,
    ("pending", "found_unclear"): _UNCLEAR,
    ("unknown", "found_succeeded"): _SUCCEEDED,
    ("unknown", "found_failed"): _FAILED,
    ("unknown", "found_pending"): _PENDING,
    ("unknown", "found_missing"): Edge("failed", "refund.never_received"),
    ("failed", "found_succeeded"): Edge("succeeded", "refund.succeeded_late"),
}
"""Only ``reserved`` leads to ``submitting``, and only what was not sent for certain leads back;
every event out of ``unknown`` is a finding. Nobody outside ever heard of a ``withdrawn`` one.
Nobody moves one that is ``in_transfer`` but what becomes of its file."""

_ANSWERED: Final[dict[RefundOutcome, RefundEvent]] = {
    "succeeded": "given",
    "accepted": "accepted",
    "refused": "refused",
    "unknown": "lost",
}
_FOUND_BY: Final[dict[RefundOutcome, RefundFound]] = {
    "succeeded": "succeeded",
    "accepted": "pending",
    "refused": "failed",
    "unknown": "unclear",
}

_BOOKED: Final[dict[tuple[RefundState, RefundState], CauseKind]] = {
    ("requested", "reserved"): "refund_reserved",
    ("reserved", "withdrawn"): "refund_released",
    ("by_bank_transfer", "withdrawn"): "refund_released",
    ("by_bank_transfer", "transferred"): "refund_transferred",
    ("in_transfer", "transferred"): "refund_transferred",
    ("transferred", "by_bank_transfer"): "refund_returned",
    ("submitting", "succeeded"): "refund_succeeded",
    ("pending", "succeeded"): "refund_succeeded",
    ("unknown", "succeeded"): "refund_succeeded",
    ("submitting", "failed"): "refund_released",
    ("pending", "failed"): "refund_released",
    ("unknown", "failed"): "refund_released",
    ("failed", "succeeded"): "refund_succeeded_late",
}


def advance(state: RefundState, event: RefundEvent) -> Edge[RefundState]:
    """The next state of a refund and the event code that must be emitted with it.

    Raises: Conflict ``refund_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(TRANSITIONS, state, event, "refund_state")


def booked_with(before: RefundState, after: RefundState) -> CauseKind | None:
    """What the ledger is told of a change of state; None when no money moves by it."""
    return _BOOKED.get((before, after))


def check_amount(amount_minor: int, room_minor: int) -> None:
    """Refuse what is nothing, or more than the payment still has.

    Raises: InvalidInput ``refund_amount`` (param ``field``); Conflict ``refund_exceeds`` (param
    ``amount_minor``: what can be given back). Units: minor units.
    """
    if amount_minor < 1:
        raise InvalidInput("refund_amount", params={"field": "amount"})
    if amount_minor > room_minor:
        raise Conflict(
            "refund_exceeds", params={"field": "amount", "amount_minor": max(room_minor, 0)}
        )


def needs_approval(amount_minor: int, unapproved_minor: int, limit_minor: int) -> bool:
    """Whether a second person must approve.

    ``unapproved_minor`` goes or went back of the same payment without one: many small refunds are
    as large as their sum.
    """
    return amount_minor + unapproved_minor > limit_minor


def send_again_in_s(code: str, decided_at: datetime, now: datetime) -> float | None:
    """When to send again what a company answered with the refusal ``code``; None: not again.

    ``decided_at``: when the refund was asked for or approved; each wait is as long as all before.
    """
    age = now - decided_at
    if code not in NOT_SENT or age >= SEND_WITHIN:
        return None
    return min(max(age.total_seconds(), SEND_AGAIN_MIN_S), SEND_AGAIN_MAX_S)


def outcome_of(told: RefundOutcome, *, has_left: bool) -> RefundEvent:
    """What the sender's word for the one call makes of a refund that is being submitted.

    Whether a refund left is the relay's to say (``has_left``), and what came of one that left its
    company's, whose answer the relay puts into the vault past the sender. So a sender is heard of
    one thing: that nothing came of what never left.
    """
    return "refused" if told == "refused" and not has_left else "lost"


def event_of(answer: RefundOutcome, code: str) -> RefundEvent:
    """What a company's answer to the one call, as the relay heard it, makes of a refund.

    That it was too busy is asked about: whoever is believed to have done nothing is sent it again.
    """
    return "lost" if answer == "refused" and code in NOT_SENT else _ANSWERED[answer]


def finding_of(answer: RefundOutcome, code: str) -> RefundFound:
    """The same for a refund that is not being submitted any more, as a finding of it."""
    return "unclear" if answer == "refused" and code in NOT_SENT else _FOUND_BY[answer]


def check_transfer_day(day: date, today: date, field: str = "transferredOn") -> None:
    """Refuse a day on which the merchant can't have transferred anything, or had it back.

    Raises: InvalidInput ``transfer_day`` (param ``field``).
    """
    if not today - timedelta(days=TRANSFER_PAST_DAYS_MAX) <= day <= today:
        raise InvalidInput("transfer_day", params={"field": field})


def choices_of(
    state: RefundState, role: Role | None, *, is_asker: bool, is_late: bool
) -> tuple[RefundChoice, ...]:
    """What someone may do about a refund; ``role`` None is a system, which may do nothing.

    Approving takes an owner who did not ask, in time; saying that money was transferred, or that
    the bank sent it back, an owner;
    taking back what nobody outside has heard of the asker or an owner.
    """
    is_owner = role == "owner"
    offered: tuple[tuple[RefundChoice, bool], ...] = (
        ("approve", state == "requested" and is_owner and not is_asker and not is_late),
        ("record_transfer", state == "by_bank_transfer" and is_owner),
        ("record_return", state == "transferred" and is_owner),
        ("withdraw", (state, "withdraw") in TRANSITIONS and (is_owner or is_asker)),
    )
    return tuple(choice for choice, is_offered in offered if is_offered and role is not None)
