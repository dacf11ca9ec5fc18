"""A bank's answer to a debit file, fetched by the line: when, how often, and when no more. Pure.

Fetching changes nothing at the bank, so whatever goes wrong is simply done again; an answer is read
once for its bytes, however often it comes. Each try has an id of its own, under which the relay may
put the answer into the vault once.
"""

from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from portal.domain.days import JAPAN, BankCalendar

FetchState = Literal["planned", "handed", "storing", "read", "by_hand"]
"""``handed``: a worker has the try; ``storing``: the relay has begun to put its answer in;
``read``: there is an answer, or nothing is left to be fetched; ``by_hand``: given up."""

FetchAct = Literal["fetch", "wait", "done"]
FetchOutcome = Literal["stored", "not_yet", "not_read"]
"""``not_yet``: the bank has no answer so far. ``not_read``: none came, for whatever reason."""

RESULT_FROM: Final = time(9)
"""The hour in Japan from which a bank's answer is looked for, on its day."""

RESULT_DAYS_MAX: Final = 10

GRACE: Final = timedelta(seconds=120)
"""A try belongs to whoever took it for so long; then it is void and another is made."""

ENDS_AFTER: Final = timedelta(days=3)
"""Nobody looks for an answer longer than this; then a person puts it up."""

_ASK_S: Final = (60.0, 600.0, 1_800.0, 3_600.0)


def result_due(calendar: BankCalendar, debit_on: date, days: int) -> datetime:
    """When a bank's answer is first looked for: ``days`` business days after the debit, aware.

    Raises: InvalidInput ``calendar_ends``.
    """
    day = debit_on
    for _ in range(days):
        day = calendar.roll(day + timedelta(days=1))
    return datetime.combine(day, RESULT_FROM, tzinfo=JAPAN)


def next_act(state: FetchState, state_at: datetime, now: datetime) -> FetchAct:
    """What a worker does about an answer that is looked for."""
    if state in {"planned", "by_hand"}:  # once it was given up, only a person starts it again
        return "fetch"
    if state in {"handed", "storing"}:
        return "fetch" if now - state_at >= GRACE else "wait"
    return "done"


def ask_again_s(tries: int, since: datetime, now: datetime) -> float | None:
    """Seconds until the bank is asked again after ``tries``; None when a person has to.

    ``since``: when it was first asked.
    """
    if now - since > ENDS_AFTER:
        return None
    return _ASK_S[min(max(tries, 1), len(_ASK_S)) - 1]
