"""A file on the line to its bank: handed over once, and asked about afterwards. Pure.

Of debits or of transfers: a line knows two kinds of file and treats them alike.

Each try has an id of its own, which the relay can redeem once. What was redeemed may be at the bank
and is never sent again, unless the relay says that nothing reached it; what was handed out and
never redeemed was not sent, whatever became of who was to send it.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from portal.domain.debit import FileEvent, FileState
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.task import TaskKind

HandoverState = Literal["planned", "handed", "redeemed", "unknown", "ended", "by_hand"]
"""``by_hand``: the line is given up and the file goes as one of a contract without a line."""

HandoverAct = Literal["send", "ask", "wait", "done"]
LineOutcome = Literal["accepted", "rejected", "unknown", "not_sent", "not_found"]
"""What the bank said, by the worker. ``not_sent``: nothing reached it, by the relay's word."""

LineKind = Literal["debit", "transfer"]
SENT_BY: Final[dict[LineKind, TaskKind]] = {"debit": "debit.send", "transfer": "transfer.send"}
"""Kind of file → the task that brings it to its bank."""

LINE_BYTES_MAX: Final = 120 * 1024 * 1024
"""A longer file is sent by hand; the longest that there is, 999,999 lines, is 122 MB."""

CLOCKS_APART_MAX: Final = timedelta(seconds=5)
"""The vault that planned a question and the one that is asked to begin it may differ so much."""

TRIES_MAX: Final = 5
"""Of tries whose bytes the relay had; one that nobody redeemed is none."""

TRY_PAUSE_S: Final = 60.0
_ASK_S: Final = (10.0, 30.0, 120.0, 600.0, 3_600.0)
ASKING_ENDS_AFTER: Final = timedelta(days=3)
"""Nobody asks a bank for longer; what it said is then recorded by an owner."""

IN_FLIGHT: Final[frozenset[FileState]] = frozenset({"approved", "sending", "unknown"})
"""States of a file in which its line has anything to do."""

_AT_BANK: Final[frozenset[HandoverState]] = frozenset({"redeemed", "unknown"})
_EVENTS: Final[dict[LineOutcome, FileEvent]] = {
    "accepted": "accept",
    "rejected": "reject",
    "unknown": "lose",
    "not_found": "lose",
}


def goes_by_line(line: str, size_bytes: int) -> bool:
    """Whether a file is sent by its contract's line. Units: bytes of the sealed file."""
    return bool(line) and size_bytes <= LINE_BYTES_MAX


def next_act(
    state: HandoverState, state_at: datetime, ask_at: datetime | None, now: datetime
) -> HandoverAct:
    """What a worker does about a file whose line is in ``state``.

    A try that was handed out belongs to whoever took it for SUBMIT_GRACE; then it is voided and
    another is made.
    """
    if state == "planned":
        return "send"
    if state == "handed":
        return "send" if now - state_at >= SUBMIT_GRACE else "wait"
    if state in _AT_BANK:
        return "ask" if ask_at is None or ask_at <= now + CLOCKS_APART_MAX else "done"
    return "done"


def after(
    state: HandoverState, outcome: LineOutcome, tries: int, kind: LineKind = "debit"
) -> tuple[HandoverState, FileEvent | None]:
    """Where an outcome leads a handover, and what it means for the file.

    ``not_sent`` is believed of a try alone, never of a question: what was once unknown is not sent
    again. Of transfers, once the relay has the bytes, a worker's word lets nothing go a second
    time: neither "not sent" nor "refused" is believed, and a person asks the bank.

    Raises: nothing; an outcome that says nothing leaves the state as it is.
    """
    if kind == "transfer" and state in _AT_BANK and outcome in {"not_sent", "rejected"}:
        return _doubted(state, outcome)
    if outcome == "not_sent":
        if state in {"handed", "redeemed"}:
            return ("planned" if tries < TRIES_MAX else "by_hand"), None
        return state, None
    if state == "handed" and outcome in {"unknown", "not_found"}:
        # Nothing was redeemed, so nothing was sent; the watch makes another try.
        return state, None
    if state not in _AT_BANK:
        return state, None
    event = _EVENTS[outcome]
    return ("unknown" if event == "lose" else "ended"), event


def _doubted(state: HandoverState, outcome: LineOutcome) -> tuple[HandoverState, FileEvent | None]:
    """What a worker says of transfers that the bank may have, as far as it is believed."""
    if outcome == "rejected":
        return "ended", "lose"
    return ("unknown", "lose") if state == "redeemed" else (state, None)


def ask_again_s(asked: int, doubt_s: float) -> float | None:
    """Seconds until the bank is asked again, None when an owner has to find out."""
    if doubt_s > ASKING_ENDS_AFTER.total_seconds():
        return None
    return _ASK_S[min(asked, len(_ASK_S) - 1)]
