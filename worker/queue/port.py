"""What the worker asks of a queue: carry hints between the relay and the slots, nothing more.

Application zone. A hint names a task of the vault and may be lost, doubled or late; the lease that
the vault grants decides who works. So an adapter needs no durability and no exactly-once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from portal.domain.task import Lane, TaskKind


class QueueAway(Exception):
    """The queue can't be reached; nothing was queued that matters, ask again or work without."""


@dataclass(frozen=True, slots=True)
class Job:
    """A hint: which task, at which attempt, of which kind; nothing of what it is about.

    ``is_ahead``: it goes before hints that wait already, and behind others like it.
    """

    task_id: UUID
    attempt: int
    kind: TaskKind
    lane: Lane
    is_ahead: bool = False

    @property
    def id(self) -> str:
        """``task:attempt``, the same for the same hint, so that a doubled one is recognised."""
        return f"{self.task_id.hex}:{self.attempt}"

    @property
    def before(self) -> str | None:
        """The id of the hint that this one is given in place of; None for a first one."""
        return f"{self.task_id.hex}:{self.attempt - 1}" if self.attempt > 0 else None


class Queue(Protocol):
    """Two lanes of hints; at most five methods, so that another carrier can take arq's place."""

    async def offer(self, jobs: Sequence[Job]) -> int:
        """Put hints in; returns how many were not there yet. Raises QueueAway.

        A hint of a later attempt takes the place of the one before: the vault gave the task anew,
        so whoever had that one is dead, or fenced and may end unheard.
        """
        ...

    async def pending(self, lane: Lane) -> int:
        """Hints of a lane that wait or run at this moment. Raises QueueAway."""
        ...

    async def serve(
        self,
        slots: Mapping[Lane, int],
        run: Callable[[Job], Awaitable[None]],
        stop: asyncio.Event,
    ) -> None:
        """Run hints until ``stop`` is set, then let running ones end; outlives the queue's absence.

        ``run`` must not raise. Units: ``slots`` are jobs at a time in this process.
        """
        ...

    def refused(self) -> int:
        """How many bodies this process refused because they were not sealed by our key."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
