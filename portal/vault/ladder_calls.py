"""Data zone: calls among a bill's messages: a rung whose call reached nobody is called again.

Each further call of a rung is a delivery of its own, whose step says which one it is; when it comes
is portal.domain.call's table.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from portal.domain.call import AGAIN, again_at
from portal.domain.ladder import CAMPAIGN, MARKETING, RUNGS_MAX, Rung
from portal.domain.message import Channel
from portal.vault.db import Row
from portal.vault.messages import FIRST_MESSAGE

WAITS: Final = timedelta(days=2)
"""How long a ladder stays open for what becomes of a call that was made."""

_RUNGS: Final = frozenset({FIRST_MESSAGE, CAMPAIGN, MARKETING})
_UNMADE: Final = frozenset({"planned", "handed"})
"""Nobody was called yet, however long ago it was planned: staff may hold its import's messages."""

_OPEN: Final = frozenset({"redeemed", "accepted", "ambiguous"})


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one bill's rungs.

    ``made``: rung → how many; ``again``: rung → when it is called once more; ``until``: how long
    to wait for a call that is under way.
    """

    made: Mapping[int, int] = field(default_factory=dict[int, int])
    again: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    until: datetime | None = None

    def step_of(self, place: int, channel: Channel) -> int:
        """The step of a rung's next delivery: its place, and for a call the number of its tries."""
        return place + RUNGS_MAX * self.made.get(place, 0) if channel == "voice" else place

    @property
    def not_lost(self) -> frozenset[str]:
        """Channels whose last message came back, and which are tried again."""
        return frozenset({"voice"} if self.again else ())

    def look_at(self, rungs: Sequence[Rung], sent: int | None, now: datetime) -> datetime | None:
        """How long to wait for a call, also for the one that a rung sends now."""
        is_call = sent is not None and rungs[sent].channel == "voice"
        return earliest(self.until, now + WAITS if is_call else None)

    def open_rungs(self, done: int) -> int:
        """The bits of the rungs that are over, without those that are called again."""
        for place in self.again:
            done &= ~(1 << place)
        return done


def is_in_vain(told: Row) -> bool:
    """Whether it is a call of no rung, such as one that staff asked for, that found nobody.

    It is not tried again, and says nothing of the number: later calls may find somebody.
    """
    is_call = told["channel"] == "voice" and told["campaign"] not in _RUNGS
    return is_call and told["state"] == "undelivered" and told["code"] in AGAIN


def calls_of(told: Sequence[Row], now: datetime) -> Calls:
    """What the deliveries of one bill, oldest first, say of its calls."""
    calls: defaultdict[int, list[Row]] = defaultdict(list)
    for one in told:
        if one["channel"] == "voice" and one["campaign"] in _RUNGS:
            calls[one["step"] % RUNGS_MAX].append(one)
    if not calls:
        return Calls()
    again: dict[int, datetime] = {}
    waits: list[datetime] = []
    for place, made in calls.items():
        last = made[-1]
        # From when it ended: one that staff held for days was not made when it was planned.
        at = again_at(last["code"], len(made), last["changed_at"])
        if last["state"] == "undelivered" and at is not None:
            again[place] = at.astimezone(now.tzinfo)
        elif last["state"] in _UNMADE:
            waits.append(now + WAITS)
        elif last["state"] in _OPEN and last["changed_at"] + WAITS > now:
            waits.append(last["changed_at"] + WAITS)
    made_of = {place: len(made) for place, made in calls.items()}
    return Calls(made_of, again, min(waits, default=None))


def rungs_to_end(rungs: Sequence[Rung], sent: int | None) -> int:
    """How many rungs end a ladder whose first rung was just sent: a call may come again."""
    is_call = sent is not None and rungs[sent].channel == "voice"
    return len(rungs) + is_call


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of these moments that is one."""
    return min((moment for moment in moments if moment is not None), default=None)
