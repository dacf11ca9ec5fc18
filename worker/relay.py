"""The relay: turns the vault's due tasks into hints for the queue, as fast as they are used.

Application zone; one in the supervisor process, a loop for each lane. It keeps a few hints a
slot in the queue and asks for no more, so that a pause or a cancelled run is felt at once and the
queue can be lost at any moment. While the queue is away, and for a hint that the queue seems to
have swallowed, it runs the task itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.work import AWAIT_WORK, AwaitWork, TaskHint
from portal.domain.errors import PortalError
from portal.domain.task import Lane
from portal.kit import limits
from portal.kit.log import get_logger
from worker.queue import Job, Queue, QueueAway

HINTS_PER_SLOT: Final = 2
"""Hints under way at most, for each slot: one runs and the next is at hand. What is queued goes in
its order, but for the hint of a merchant that has no other: it goes ahead, or a small merchant
would wait behind as many tasks of a large one as there are slots."""

DIRECT_SLOTS: Final = 4
"""Tasks of a lane that this process runs itself at most."""

GIVEN_TIMES_MAX: Final = 3
"""A hint that the vault gives this often without a lease has been swallowed by the queue."""

REMEMBERED_MAX: Final = 10_000
AWAIT_S: Final = 20.0
FULL_PAUSE_S: Final = 0.05
ERROR_PAUSE_S: Final = 0.5

log = get_logger()


class Relay:
    """``slots`` are those of all processes together; ``run`` does one task and never raises."""

    def __init__(
        self,
        vault: VaultClient,
        queue: Queue,
        slots: Mapping[Lane, int],
        run: Callable[[Job], Awaitable[None]],
    ) -> None:
        """Holds connections that belong to the process."""
        self._vault = vault
        self._queue = queue
        self._slots = slots
        self._run = run
        self._is_away = False
        self.ran_directly = 0

    async def relay(self, stop: asyncio.Event) -> None:
        """Pass hints on until ``stop``; then let the tasks run here end."""
        async with asyncio.TaskGroup() as direct, asyncio.TaskGroup() as lanes:
            looping = [
                lanes.create_task(self._relay_lane(_Lane(lane, slots, direct), stop))
                for lane, slots in self._slots.items()
            ]
            await stop.wait()
            for task in looping:
                task.cancel()

    async def _relay_lane(self, lane: "_Lane", stop: asyncio.Event) -> None:
        # Not ``while True``: before Python 3.12 wait_for swallows a cancellation that arrives with
        # the end of what it waits for, as when the vault goes away at the same moment.
        while not stop.is_set():
            room = await self._room(lane)
            if room <= 0:
                await asyncio.sleep(FULL_PAUSE_S)
                continue
            try:
                for hint in await self._await_work(lane.name, room):
                    await self._pass_on(lane, hint)
            except PortalError as error:
                log.warning("work.not_heard", lane=lane.name, code=error.code)
                await asyncio.sleep(ERROR_PAUSE_S)

    async def _await_work(self, lane: Lane, at_most: int) -> tuple[TaskHint, ...]:
        request = AwaitWork(wait_s=AWAIT_S, at_most=min(at_most, limits.HINTS_MAX), lanes=(lane,))
        timeout_s = AWAIT_S + limits.CALL_TIMEOUT_S
        return (await self._vault.call(AWAIT_WORK, request, timeout_s=timeout_s)).tasks

    async def _room(self, lane: "_Lane") -> int:
        """How many more hints may be under way; while the queue is away, slots of this process."""
        try:
            pending = await self._queue.pending(lane.name)
        except QueueAway:
            self._note(is_away=True)
            return lane.free
        self._note(is_away=False)
        return lane.slots * HINTS_PER_SLOT - pending

    async def _pass_on(self, lane: "_Lane", hint: TaskHint) -> None:
        job = Job(
            task_id=hint.id,
            attempt=hint.attempt,
            kind=hint.kind,
            lane=hint.lane,
            is_ahead=hint.is_ahead,
        )
        if lane.given(job.id) >= GIVEN_TIMES_MAX and lane.free:
            self._run_here(lane, job)
            return
        try:
            await self._queue.offer((job,))
        except QueueAway:
            self._note(is_away=True)
            if lane.free:
                self._run_here(lane, job)

    def _run_here(self, lane: "_Lane", job: Job) -> None:
        """Without the queue: a hint dropped here for want of a slot is given again by the vault."""
        self.ran_directly += 1
        lane.start(self._run(job))

    def _note(self, *, is_away: bool) -> None:
        if is_away and not self._is_away:
            log.warning("queue.went_away")
        if self._is_away and not is_away:
            log.info("queue.came_back", count=self.ran_directly)
        self._is_away = is_away


class _Lane:
    """One lane's loop: what it runs itself and which hints it has seen lately."""

    def __init__(self, name: Lane, slots: int, group: asyncio.TaskGroup) -> None:
        self.name: Final[Lane] = name
        self.slots = slots
        self._group = group
        self._running = 0
        self._seen: OrderedDict[str, int] = OrderedDict()

    @property
    def free(self) -> int:
        """Slots of this process that are free."""
        return DIRECT_SLOTS - self._running

    def given(self, job_id: str) -> int:
        """How often this hint has come, counting this time; old ones are forgotten."""
        times = self._seen.pop(job_id, 0) + 1
        self._seen[job_id] = times
        while len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return times

    def start(self, running: Awaitable[None]) -> None:
        """Run it in a slot of this process."""
        self._running += 1
        self._group.create_task(self._until_done(running))

    async def _until_done(self, running: Awaitable[None]) -> None:
        try:
            await running
        finally:
            self._running -= 1
