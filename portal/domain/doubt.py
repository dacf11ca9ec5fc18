"""What nobody knows yet: how long it is asked about, and when "not found" means anything. Pure.

The clockwork of every question to a company, whatever it is about. Whose states these are, and
which event leads where, say the tables on top of it (portal.domain.payment, portal.domain.refund).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic, Literal, TypeVar

S = TypeVar("S", bound=str)

SUBMIT_GRACE: Final = timedelta(seconds=60)
"""The submitter's own time-outs are below this: an inquiry may speak for it afterwards."""

NOT_FOUND_AFTER: Final = timedelta(minutes=15)
"""A provider may take this long to know a payment; until then "not found" means nothing."""

NOT_FOUND_AGAIN: Final = timedelta(seconds=60)
"""Least time between the two inquiries that must both say "not found"."""

INQUIRED_WITHIN: Final = NOT_FOUND_AFTER + 2 * NOT_FOUND_AGAIN
"""Inquiries that are answered settle within this what a provider never received."""

UNRESOLVED_AFTER: Final = timedelta(hours=24)
"""What nobody could explain for so long becomes a person's work."""

ASKING_ENDS_AFTER: Final = timedelta(days=30)
"""After its case is open it is asked about once a day, until this."""

BACKOFF_S: Final = (10.0, 30.0, 120.0, 600.0, 3600.0)
DAY_S: Final = 86_400.0

Missing = Literal["grace", "early", "counts", "twice"]
"""What a "not found" is worth: the submitter may still be at it; the company may not know yet; it
counts, and has to be said once more; it was said again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt(Generic[S]):
    """What is asked about.

    ``doubt_at``: since when the outcome is open (the submission). ``asked``: inquiries since the
    present state began. ``missing_at``: first "not found" that counted, or None.
    """

    state: S
    doubt_at: datetime
    asked: int
    missing_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience(Generic[S]):
    """What is otherwise in some states: pauses between questions, and when a person has to look."""

    backoff_s: Mapping[S, tuple[float, ...]]
    unresolved_after: Mapping[S, timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Generic[S]):
    """Where it stands now, when to ask again, and whether it has taken too long for that state.

    ``ask_in_s``: seconds, None when only a person or a notice starts it again. ``missing_at``: the
    new value.
    """

    state: S
    ask_in_s: float | None
    is_overdue: bool
    missing_at: datetime | None = None


def ask_again_s(
    asked: int, doubt_s: float, backoff_s: tuple[float, ...] = BACKOFF_S
) -> float | None:
    """Seconds until the next question after ``asked``; daily once it is a case, None at the end."""
    if doubt_s > ASKING_ENDS_AFTER.total_seconds():
        return None
    if doubt_s > UNRESOLVED_AFTER.total_seconds():
        return DAY_S
    return backoff_s[min(asked, len(backoff_s) - 1)]


def stand(
    doubt: Doubt[S], patience: Patience[S], state: S, now: datetime, *, is_move: bool = True
) -> Course[S]:
    """It stands in ``state``: questions are counted anew where that is a move."""
    asked = 0 if is_move and state != doubt.state else doubt.asked + 1
    age = now - doubt.doubt_at
    return Course(
        state=state,
        ask_in_s=ask_again_s(asked, age.total_seconds(), patience.backoff_s.get(state, BACKOFF_S)),
        is_overdue=age > patience.unresolved_after.get(state, UNRESOLVED_AFTER),
    )


def weigh_missing(doubt: Doubt[S], now: datetime) -> Missing:
    """What it is worth that the company does not find it."""
    age = now - doubt.doubt_at
    if doubt.state == "submitting" and age < SUBMIT_GRACE:
        return "grace"
    if age < NOT_FOUND_AFTER:
        return "early"
    again = doubt.missing_at is not None and now - doubt.missing_at >= NOT_FOUND_AGAIN
    return "twice" if again else "counts"


def ask_of_missing(course: Course[S], doubt: Doubt[S], now: datetime) -> Course[S]:
    """The same course, asked again as soon as another "not found" would count."""
    age = now - doubt.doubt_at
    if age >= NOT_FOUND_AFTER:
        return replace(
            course,
            ask_in_s=NOT_FOUND_AGAIN.total_seconds(),
            missing_at=doubt.missing_at or now,
        )
    soon = max((NOT_FOUND_AFTER - age).total_seconds(), 1.0)
    return replace(course, ask_in_s=min(course.ask_in_s or soon, soon))
