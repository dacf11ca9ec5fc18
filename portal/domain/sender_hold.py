"""One merchant's stop on a road: its company refuses that merchant's sender or app. Pure.

A road has a breaker that all merchants share, for when the company is away. What a company refuses
because of one merchant's number, address or app is counted here, by merchant and road: so many
messages refused one after the other, and none taken between, stop the road for this merchant alone,
however often one of them was tried. Then
one message at a time asks whether it is over, and none of them uses up a try. The first that is
taken ends the stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from portal.domain.errors import LimitReached

REFUSALS_MIN: Final = 3
"""So many messages refused in a row stop the road; one alone may be about itself after all."""

ASK_PAUSE: Final = timedelta(minutes=1)
"""Staff have a message ask at once whether a stop is over, and no oftener than this."""

PAUSE_FIRST_S: Final = 60.0
PAUSE_MAX_S: Final = 900.0
"""Between two messages that ask whether it is over; each that is refused doubles the pause."""

PROBE_S: Final = 60.0
"""So long one that asks has for its answer; then another one may."""

LEAVE_AFTER: Final = timedelta(seconds=20)
"""A road stopped for so long is left for another of the channel, as one whose company is away."""

WAIT_MAX: Final = timedelta(days=3)
"""So long what has no other road waits; then it counts as failed, and its bill's ladder goes on.

Staff mend a sender in a working day, and a weekend has two days without one. Counted from when the
road was stopped, or the message planned, whichever is later. Whoever mends it later than that finds
the later rungs gone on, and has those told whom nobody reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How a merchant fares on a road; stopped since ``since``, when it is.

    ``refusals``: in a row, the newest for ``code``; ``messages``: of which ones, as many as matter.
    ``probe_at``: when the next message may ask, a wall time; ``probe_chunk``: whose message asks
    now. Units: ``pause_s`` in seconds; ``since`` is business time.
    """

    refusals: int = 0
    code: str = ""
    since: datetime | None = None
    probe_at: datetime | None = None
    probe_chunk: UUID | None = None
    pause_s: float = 0.0
    messages: frozenset[UUID] = frozenset()

    @property
    def is_lasting(self) -> bool:
        """Whether one that asked was refused as well: somebody has to look."""
        return self.pause_s > PAUSE_FIRST_S


@dataclass(frozen=True, slots=True)
class Said:
    """What a company said to one slice of a chunk: how many taken, and refused for the sender.

    ``refusals``: of each message that was, and by which code.
    """

    chunk_id: UUID
    taken: int
    refusals: Sequence[tuple[UUID, str]]


def learn(hold: Hold, said: Said, now: datetime, business: datetime) -> Hold | None:
    """How the merchant fares after a slice; None: nothing speaks against the sender any more.

    What was under way when the road was stopped only counts; the pause is doubled by what asked.
    """
    if said.taken:
        return None
    if not said.refusals:
        return hold
    messages = sorted(hold.messages | {message_id for message_id, _ in said.refusals})
    counted = replace(
        hold,
        refusals=hold.refusals + len(said.refusals),
        code=said.refusals[-1][1],
        messages=frozenset(messages[:REFUSALS_MIN]),
    )
    if hold.since is None and len(counted.messages) < REFUSALS_MIN:
        return counted
    if hold.since is not None and hold.probe_chunk != said.chunk_id:
        return counted
    pause_s = min(max(PAUSE_FIRST_S, hold.pause_s * 2), PAUSE_MAX_S)
    return replace(
        counted,
        since=hold.since or business,
        probe_at=now + timedelta(seconds=pause_s),
        probe_chunk=None,
        pause_s=pause_s,
    )


def may_probe(hold: Hold, now: datetime) -> bool:
    """Whether one message may ask now whether a stop is over."""
    return hold.probe_at is not None and now >= hold.probe_at


def wait_s(hold: Hold, now: datetime) -> float:
    """How long it is until one may ask; 0: at once. Units: seconds."""
    return max(0.0, (hold.probe_at - now).total_seconds()) if hold.probe_at else 0.0


def check_ask(asked_at: datetime | None, now: datetime) -> None:
    """Refuse to have a message ask once more so soon.

    Raises: LimitReached ``asked_just_now`` (param ``seconds``).
    """
    if asked_at is not None and now - asked_at < ASK_PAUSE:
        raise LimitReached("asked_just_now", params={"seconds": int(ASK_PAUSE.total_seconds())})


def probe(hold: Hold, chunk_id: UUID, now: datetime) -> Hold:
    """One message of the chunk asks; nobody else for PROBE_S, if its answer is lost."""
    return replace(hold, probe_chunk=chunk_id, probe_at=now + timedelta(seconds=PROBE_S))
