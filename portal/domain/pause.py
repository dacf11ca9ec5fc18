"""What stops dunning for one bill: a hold, a promise to pay, an extension of its due date. Pure.

A *hold* says "don't write to this payer now" (a dispute, a death, a wrong address); a *promise* is
the day by which the payer said to pay; an *extension* is a later due date that the merchant gives.
All three are placed by people or systems of the merchant, and none of them keeps money away: who
wants to pay a held bill may. A promise and a dated hold end by themselves after their day; what is
promised and not kept is told as missed, whatever follows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from portal.domain.bill import OWED, PAYABLE, Lifecycle, Settlement
from portal.domain.errors import Conflict, InvalidInput, NotAllowed

PauseKind = Literal["hold", "promise", "extension"]
PauseEnd = Literal["released", "replaced", "paid"]
"""``paid`` ends a promise, in time or late: with the bill's money there is nothing to wait for."""

PauseState = Literal["in_force", "passed", "kept", "missed", "released", "replaced"]
PauseShown = Literal["hold", "promise", "missed", "extended"]
"""What a list says of a bill that is still owed, and what it can be filtered by."""

PauseChoice = Literal["hold", "promise", "extension", "release"]
Role = Literal["owner", "clerk"]

REPLACES: Final[Mapping[PauseKind, frozenset[PauseKind]]] = {
    "hold": frozenset({"hold", "promise"}),
    "promise": frozenset({"hold", "promise"}),
    "extension": frozenset({"promise", "extension"}),
}
"""Kind → what it ends. A hold outlives an extension: a disputed bill stays disputed with any date;
a promise does not, its day is no longer what was agreed."""

PLACED_ON: Final[Mapping[PauseKind, frozenset[Lifecycle]]] = {
    "hold": frozenset({"scheduled", "open", "overdue"}),
    "promise": PAYABLE,
    "extension": OWED,
}
"""Kind → lifecycles of a bill that it can be placed on, while nothing has paid it."""

EVENTS: Final[Mapping[PauseKind, str]] = {
    "hold": "pause.held",
    "promise": "pause.promised",
    "extension": "bill.extended",
}
HELD_OPEN: Final = "pause.held_open"
"""What the timeline says of each; a hold without an end has words of its own."""

PAUSABLE: Final[frozenset[Lifecycle]] = PLACED_ON["hold"] | OWED
"""Lifecycles in which a pause of any kind means something."""

RELEASED: Final[frozenset[PauseKind]] = frozenset({"hold", "promise"})
"""What can be taken back. An extension can't: a due date that was given is never shortened."""

HOLD_DAYS_MAX: Final = 366
NOTE_CHARACTERS_MAX: Final = 500
LIMIT_DAYS_MAX: Final = 3_650
PROMISE_DAYS_DEFAULT: Final = 31
EXTENSION_DAYS_DEFAULT: Final = 120

FIRST_MESSAGE: Final = "first"
ASKED_MESSAGE: Final = "resent"
"""A message that staff asked for; every other one goes out by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause that nobody has ended. ``placed_at`` is a business time, ``until`` its last day."""

    kind: PauseKind
    placed_at: datetime
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedBill:
    """What judging a pause needs to know of its bill. ``first_due_on``: before any extension."""

    lifecycle: Lifecycle
    settlement: Settlement
    due_on: date
    first_due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLimits:
    """What the merchant lets be agreed. Units: days; ``lapse_after_days`` None: never lapses.

    A promise reaches ``promise_days`` from today, an extension ``extension_days`` from the first
    due date, however often it was extended.
    """

    promise_days: int
    extension_days: int
    lapse_after_days: int | None


def is_in_force(pause: Pause, today: date) -> bool:
    """Whether the pause still holds on ``today``; its last day belongs to it."""
    return pause.until is None or today <= pause.until


def is_stopped(pauses: Iterable[Pause], campaign: str, planned_at: datetime, today: date) -> bool:
    """Whether a message of a bill with these open pauses may not go out on ``today``.

    A hold stops every message. A promise stops all but one that staff asked for since: the payer
    on the telephone wants the link. An extension stops what was planned by the old date, but not
    the first message: that tells the payer of the bill at all, and says the new date.
    """
    return any(_stops(pause, campaign, planned_at) for pause in pauses if is_in_force(pause, today))


def _stops(pause: Pause, campaign: str, planned_at: datetime) -> bool:
    is_older = planned_at < pause.placed_at
    match pause.kind:
        case "hold":
            return True
        case "promise":
            return campaign != ASKED_MESSAGE or is_older
        case "extension":
            return campaign != FIRST_MESSAGE and is_older


def check_kind(kind: PauseKind, bill: PausedBill) -> None:
    """Refuse what nobody could pause: paid, on its way to be canceled, or over.

    Raises: Conflict ``not_pausable`` (params ``lifecycle``, ``settlement``).
    """
    if bill.settlement != "unpaid" or bill.lifecycle not in PLACED_ON[kind]:
        raise Conflict(
            "not_pausable", params={"lifecycle": bill.lifecycle, "settlement": bill.settlement}
        )


def check_until(
    kind: PauseKind,
    until: date | None,
    bill: PausedBill,
    limits: PauseLimits,
    today: date,
) -> None:
    """Refuse a last day that this kind can't have.

    Raises: InvalidInput ``pause_day_needed``, ``pause_day_past``, ``extension_shortens``,
    ``pause_too_long`` (param ``last``), each with the param ``field``.
    """
    if until is None:
        if kind != "hold":
            raise InvalidInput("pause_day_needed", params={"field": "until"})
        return
    if until < today:
        raise InvalidInput("pause_day_past", params={"field": "until"})
    if kind == "extension" and until <= bill.due_on:
        raise InvalidInput("extension_shortens", params={"field": "until"})
    last = latest(kind, bill, limits, today)
    if until > last:
        raise InvalidInput("pause_too_long", params={"field": "until", "last": last.isoformat()})


def check_role(kind: PauseKind, until: date | None, role: Role | None) -> None:
    """Refuse a hold without an end to whoever is no owner: nothing else stops dunning for ever.

    ``role`` None is a system of the merchant. Raises: NotAllowed ``hold_without_end``.
    """
    if kind == "hold" and until is None and role != "owner":
        raise NotAllowed("hold_without_end", params={"field": "until"})


def latest(kind: PauseKind, bill: PausedBill, limits: PauseLimits, today: date) -> date:
    """The last day that a pause of this kind may have.

    A promise never reaches beyond the day on which the bill lapses: nobody could keep it.
    """
    match kind:
        case "hold":
            return today + timedelta(days=HOLD_DAYS_MAX)
        case "extension":
            return bill.first_due_on + timedelta(days=limits.extension_days)
        case "promise":
            last = today + timedelta(days=limits.promise_days)
            if limits.lapse_after_days is None:
                return last
            return min(last, bill.due_on + timedelta(days=limits.lapse_after_days))


def check_released(pauses: Iterable[Pause], role: Role | None) -> None:
    """Refuse to release where nothing is to be released, or what only an owner may.

    Raises: Conflict ``not_paused``; NotAllowed ``endless_hold``.
    """
    found = [pause for pause in pauses if pause.kind in RELEASED]
    if not found:
        raise Conflict("not_paused")
    _check_endless(found, role)


def check_replaced(kind: PauseKind, pauses: Iterable[Pause], role: Role | None) -> None:
    """Refuse a pause that would end a hold without an end, to whoever is no owner.

    Raises: NotAllowed ``endless_hold``.
    """
    _check_endless((pause for pause in pauses if pause.kind in REPLACES[kind]), role)


def is_endless(pause: Pause) -> bool:
    """Whether it is a hold without an end, which only an owner places, replaces and releases."""
    return pause.kind == "hold" and pause.until is None


def _check_endless(pauses: Iterable[Pause], role: Role | None) -> None:
    if role != "owner" and any(is_endless(pause) for pause in pauses):
        raise NotAllowed("endless_hold")


def check_resend(pauses: Iterable[Pause], today: date) -> None:
    """Refuse to send a payer the link again whose bill is held. Raises: Conflict ``bill_held``."""
    if any(pause.kind == "hold" and is_in_force(pause, today) for pause in pauses):
        raise Conflict("bill_held")


def state_of(
    pause: Pause, today: date, *, paid_on: date | None, end: PauseEnd | None, ended_on: date | None
) -> PauseState:
    """How a pause stands, or how it ended.

    A promise is kept by money that came by its day. One whose day passed without is missed, even
    if somebody ended it or paid afterwards.
    """
    if pause.kind == "promise" and pause.until is not None:
        if paid_on is not None and paid_on <= pause.until:
            return "kept"
        if pause.until < (ended_on or today):
            return "missed"
    if end is not None:
        return "kept" if end == "paid" else end
    return "in_force" if is_in_force(pause, today) else "passed"


def shown_of(
    kind: PauseKind | None,
    until: date | None,
    lifecycle: Lifecycle,
    settlement: Settlement,
    today: date,
) -> PauseShown | None:
    """What lists say of a bill by its open pause; None when there is nothing to say any more."""
    if kind is None or settlement != "unpaid" or lifecycle not in PAUSABLE:
        return None
    has_passed = until is not None and until < today
    match kind:
        case "hold":
            return None if has_passed else "hold"
        case "promise":
            return "missed" if has_passed else "promise"
        case "extension":
            return None if has_passed else "extended"


def choices_of(
    bill: PausedBill,
    pauses: Sequence[Pause],
    limits: PauseLimits,
    today: date,
    role: Role | None,
) -> tuple[PauseChoice, ...]:
    """What one may do about a bill's dunning now, in the order in which screens offer it."""
    is_locked = role != "owner" and any(is_endless(pause) for pause in pauses)
    kinds: tuple[PauseKind, ...] = ("extension",) if is_locked else ("hold", "promise", "extension")
    offered: list[PauseChoice] = []
    if not is_locked and any(
        pause.kind in RELEASED and is_in_force(pause, today) for pause in pauses
    ):
        offered.append("release")
    for kind in kinds:
        first = bill.due_on + timedelta(days=1) if kind == "extension" else today
        is_open = bill.settlement == "unpaid" and bill.lifecycle in PLACED_ON[kind]
        if is_open and max(first, today) <= latest(kind, bill, limits, today):
            offered.append(kind)
    return tuple(offered)
