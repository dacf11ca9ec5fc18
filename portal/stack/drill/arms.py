"""Making processes of a stack die at named crash points, and seeing that they did.

Stack only. A process is armed for one life: it starts with the point in its environment, dies
there with exit code 137, and its successor starts with the next point planned for it, or plain.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.kit.crashpoint import EXIT_CODE
from portal.stack.up import Drill, Ended


@dataclass(frozen=True, slots=True)
class Crash:
    """A point at which a process is to die, narrowed to one operation or kind of task."""

    process: str
    point: str
    operation: str = ""
    skip: int = 0

    def __str__(self) -> str:
        """For reports: process, point, operation."""
        return ":".join(filter(None, (self.process, self.point, self.operation)))

    @property
    def variables(self) -> dict[str, str]:
        """The environment that arms a process (portal.kit.crashpoint)."""
        wanted = {"HARAI_CRASH_POINT": self.point, "HARAI_CRASH_SKIP": str(self.skip)}
        return wanted | ({"HARAI_CRASH_OPERATION": self.operation} if self.operation else {})


@dataclass(slots=True)
class Arms(Drill):
    """The drill's side of a stack: hand it to ``Stack(drill=arms, on_end=arms.ended)``.

    ``hits`` are the crashes that happened, in order; ``kills`` counts processes that a signal
    ended; ``strays`` are ends that nobody ordered.
    """

    pause_max_s: float = 0.4
    hits: list[Crash] = field(default_factory=list[Crash])
    kills: int = 0
    strays: list[str] = field(default_factory=list[str])
    _planned: defaultdict[str, deque[Crash]] = field(
        default_factory=lambda: defaultdict[str, deque[Crash]](deque)
    )
    _armed: dict[str, Crash] = field(default_factory=dict[str, Crash])
    _hit: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, crashes: Sequence[Crash]) -> None:
        """Arm the next lives of the processes, one crash a life; the present life goes on."""
        for crash in crashes:
            self._planned[crash.process].append(crash)

    def forget(self, process: str) -> None:
        """Arm no further life of a process."""
        self._planned[process].clear()

    def next_life(self, name: str) -> Mapping[str, str]:
        """What the stack adds to a life that begins now."""
        if not self._planned[name]:
            self._armed.pop(name, None)
            return {}
        self._armed[name] = crash = self._planned[name].popleft()
        return crash.variables

    def ended(self, end: Ended) -> None:
        """Told by the stack that a process ended by itself."""
        crash = self._armed.get(end.name)
        if end.code == EXIT_CODE and crash is not None:
            self.note(crash)
        elif end.code < 0:
            self.kills += 1
        else:
            self.strays.append(f"{end.name} ended with {end.code}")

    def note(self, crash: Crash) -> None:
        """A crash was seen to happen."""
        self.hits.append(crash)
        self._hit.set()

    async def until_hit(self, crash: Crash, timeout_s: float) -> bool:
        """Wait until a planned crash has happened; False when it did not in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while crash not in self.hits:
                    self._hit.clear()
                    await self._hit.wait()
        except TimeoutError:
            return False
        return True
