"""What the payer's page has to say and to offer: one table of bill by attempt. Pure.

The bill's side and the attempt's side are each reduced to a few words; :data:`SAYS` then has one
answer for every pair, so that a new state can't be forgotten (a test walks the product).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from portal.domain.bill import Lifecycle, Settlement, is_payable
from portal.domain.methods import METHODS, MethodFacts
from portal.domain.payment import LIVE, AttemptState

PageState = Literal[
    "open", "due_soon", "overdue", "processing", "declined", "unclear", "paid", "canceled",
    "superseded", "lapsed", "provisional", "contested",
]  # fmt: skip
BillSide = Literal[
    "due", "paid", "announced", "contested", "withdrawn", "replaced", "lapsed", "future"
]
AttemptSide = Literal["none", "acting", "asking", "running", "unclear", "declined", "succeeded"]
Due = Literal["due"]
"""Stands for open, due_soon or overdue, by the calendar."""

DUE_SOON_DAYS: Final = 3
"""So many days before the due date, and on it, the page says "due soon"."""

DECLINE_SHOWN: Final = timedelta(hours=1)
"""A declined try is news for this long; who comes back later sees just the bill."""

JUST_LEFT: Final = timedelta(seconds=10)
"""Nobody has typed a card's number in this time: who is back has just turned round."""

HEARD_FOR: Final = timedelta(seconds=60)
"""So long a provider's "not paid yet" is shown; longer than a waiting page's slowest look."""

SAYS: Final[dict[BillSide, dict[AttemptSide, PageState | Due]]] = {
    "due": {
        "none": "due", "acting": "due", "asking": "unclear", "running": "processing",
        "unclear": "unclear", "declined": "declined", "succeeded": "due",
    },
    "paid": {
        "none": "paid", "acting": "paid", "asking": "paid", "running": "paid", "unclear": "paid",
        "declined": "paid", "succeeded": "paid",
    },
    "announced": {
        "none": "provisional", "acting": "provisional", "asking": "unclear",
        "running": "processing", "unclear": "unclear", "declined": "provisional",
        "succeeded": "provisional",
    },
    "contested": {
        "none": "contested", "acting": "contested", "asking": "unclear", "running": "processing",
        "unclear": "unclear", "declined": "contested", "succeeded": "contested",
    },
    "withdrawn": {
        "none": "canceled", "acting": "canceled", "asking": "unclear", "running": "processing",
        "unclear": "unclear", "declined": "canceled", "succeeded": "canceled",
    },
    "replaced": {
        "none": "superseded", "acting": "superseded", "asking": "unclear",
        "running": "processing", "unclear": "unclear", "declined": "superseded",
        "succeeded": "superseded",
    },
    "lapsed": {
        "none": "lapsed", "acting": "lapsed", "asking": "unclear", "running": "processing",
        "unclear": "unclear", "declined": "lapsed", "succeeded": "lapsed",
    },
    "future": {
        "none": "due", "acting": "due", "asking": "unclear", "running": "processing",
        "unclear": "unclear", "declined": "due", "succeeded": "due",
    },
}  # fmt: skip
"""Bill's side → attempt's side → what the page says. While a try runs or is unclear that is said
first, whatever the merchant did to the bill: money may be on its way. Somebody on the provider's
page ("acting") may come back and simply pay: that is the open page, as long as the provider said
lately that they have not. Else it is asked first ("asking")."""

_BILL_SIDE: Final[dict[Lifecycle, BillSide]] = {
    "scheduled": "future",
    "open": "due",
    "overdue": "due",
    "lapsed": "lapsed",
    "canceling": "withdrawn",
    "canceled": "withdrawn",
    "superseded": "replaced",
}
_ATTEMPT_SIDE: Final[dict[AttemptState, AttemptSide]] = {
    "created": "running",
    "submitting": "running",
    "requires_action": "acting",
    "processing": "running",
    "unknown": "unclear",
    "succeeded": "succeeded",
    "failed": "declined",
    "expired": "none",
}
_PAID: Final[frozenset[Settlement]] = frozenset({"settled", "over"})
_PAYS_NOTHING: Final[frozenset[Lifecycle]] = frozenset({"canceled", "superseded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestAttempt:
    """The bill's live attempt, else its newest; ``state_at`` says since when.

    ``heard_at``: when an inquiry last learned for certain how it stands.
    """

    state: AttemptState
    state_at: datetime
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A way to pay; ``reason`` (a code) says why it can't be used now, None when it can."""

    method: str
    reason: str | None


def bill_side(lifecycle: Lifecycle, settlement: Settlement) -> BillSide:
    """The bill in one word: money that came wins over what the merchant decided since.

    So does money that a till says it has: nobody is asked for it twice. Who had a payment taken
    back is asked for nothing either, before a person says so. Money for a bill that was canceled,
    or replaced by another, paid nothing: it is owed back, and the page of that bill says so.
    """
    if lifecycle in _PAYS_NOTHING and settlement == "over":
        return _BILL_SIDE[lifecycle]
    if settlement == "provisional":
        return "announced"
    if settlement == "reversed":
        return "contested"
    return "paid" if settlement in _PAID else _BILL_SIDE[lifecycle]


def attempt_side(attempt: LatestAttempt | None, now: datetime) -> AttemptSide:
    """The try in one word; an old decline is no news any more."""
    if attempt is None:
        return "none"
    side = _ATTEMPT_SIDE[attempt.state]
    if side == "acting" and not _heard_lately(attempt, now):
        return "asking"
    if side == "declined" and now - attempt.state_at > DECLINE_SHOWN:
        return "none"
    return side


def _heard_lately(attempt: LatestAttempt, now: datetime) -> bool:
    """Whether what we know of somebody on the provider's page can still be taken as so."""
    has_just_left = now - attempt.state_at <= JUST_LEFT
    return has_just_left or (attempt.heard_at is not None and now - attempt.heard_at <= HEARD_FOR)


def page_state(
    bill: BillSide, attempt: AttemptSide, *, is_overdue: bool, days_left: int
) -> PageState:
    """What the page says. ``days_left`` until the due date, 0 on it, negative after it."""
    said = SAYS[bill][attempt]
    if said != "due":
        return said
    if is_overdue or days_left < 0:
        return "overdue"
    return "due_soon" if days_left <= DUE_SOON_DAYS else "open"


def days_left(due_on: date, today: date) -> int:
    """Days until the due date in the merchant's zone: 0 on the day itself."""
    return (due_on - today).days


def offers(  # noqa: PLR0913  # each is a fact that one of the reasons is about
    lifecycle: Lifecycle,
    settlement: Settlement,
    attempt: AttemptState | None,
    *,
    amount_minor: int,
    offered: frozenset[str],
    held_by: str | None = None,
    bounds: Mapping[str, tuple[int, int]] = MappingProxyType({}),
) -> tuple[Offer, ...]:
    """Every way to pay with the reason why not, in a fixed order.

    ``offered``: the methods that the merchant has a provider for. ``held_by``: the method on whose
    page the payer has begun and may still pay; until that has ended only it leads anywhere.
    ``bounds``: least and most that the merchant's contract allows of a method, in yen.
    Reasons: ``not_offered``, ``not_payable``, ``attempt_running``, ``attempt_elsewhere``,
    ``amount_too_small``, ``amount_too_large``.
    """
    return tuple(
        Offer(
            method=name,
            reason=_refusal(
                facts,
                (name not in offered, "not_offered"),
                (not is_payable(lifecycle, settlement), "not_payable"),
                (attempt in LIVE and attempt != "requires_action", "attempt_running"),
                (held_by not in {None, name}, "attempt_elsewhere"),
                amount_minor=amount_minor,
                bounds=bounds.get(name),
            ),
        )
        for name, facts in METHODS.items()
        if facts.starts_on_page
    )


def _refusal(
    facts: MethodFacts,
    *before: tuple[bool, str],
    amount_minor: int,
    bounds: tuple[int, int] | None,
) -> str | None:
    least, most = bounds or (facts.amount_min, facts.amount_max)
    rules = (
        *before,
        (amount_minor < max(least, facts.amount_min), "amount_too_small"),
        (amount_minor > min(most, facts.amount_max), "amount_too_large"),
    )
    return next((reason for refused, reason in rules if refused), None)


def mask_name(name: str) -> str:
    """A name with all but its ends hidden: enough to know oneself by, too little to learn it.

    Spaces stay; of a name of two letters only the first shows, of one letter none.
    """
    letters = [place for place, letter in enumerate(name) if not letter.isspace()]
    shown = {letters[0], letters[-1]} if len(letters) > 2 else set(letters[:-1])  # noqa: PLR2004  both ends of three
    hidden = set(letters) - shown
    return "".join("●" if place in hidden else letter for place, letter in enumerate(name))
