"""The queue port over arq and Valkey, set up so that arq's defaults can't hurt.

Application zone. Two arq queues, one a lane; bodies sealed both ways (never pickle), no results,
job ids ``task:attempt``, short expiry (the vault gives every hint again), reading deep enough that
running jobs at the queue's head hide nothing, and a loop around arq, which ends when Valkey does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any, Final, cast, get_args
from uuid import UUID

from arq import ArqRedis, Worker
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.typing import WorkerCoroutine
from arq.utils import timestamp_ms
from arq.worker import func
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from portal.domain.task import Lane, TaskKind
from portal.kit.log import get_logger
from worker.queue.body import BodySeal
from worker.queue.client import QueueClient
from worker.queue.port import Job, QueueAway

POLL_DELAY_S: Final = 0.05
CANCEL_AGAIN_S: Final = 0.5
HINT_EXPIRES_S: Final = 60
"""A hint that nobody took by then is dropped; the vault has given it again long before."""

JOB_TIMEOUT_S: Final = 900
"""arq's own limit; steps end themselves well before (worker.lanes, run_s)."""

MARK_LIFE_S: Final = JOB_TIMEOUT_S + 10
"""How long arq keeps the mark of a job that runs."""

MARK_FRESH_S: Final = 20
"""Much longer than whoever has taken a hint needs to lease its task."""

AHEAD: Final = timedelta(seconds=10)
"""How much sooner than it came a hint that goes ahead is put in: more than hints wait in a queue
that is kept short, and less than they are kept."""

READ_LIMIT_PER_SLOT: Final = 4
CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 3.0
STOP_GRACE_S: Final = 20.0
AWAY_PAUSE_MIN_S: Final = 0.1
AWAY_PAUSE_MAX_S: Final = 2.0
KINDS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)

Run = Callable[[Job], Awaitable[None]]

log = get_logger()


class ArqQueue:
    """Hints over Valkey: see :class:`worker.queue.port.Queue`.

    ``slots_total`` are the slots of all processes together: arq must read at least so far into the
    queue, because running jobs stay at its head.
    """

    def __init__(self, url: str, key: bytes, *, name: str, slots_total: int) -> None:
        """Connects to nothing yet. ``name`` keeps two installations on one Valkey apart."""
        _silence_arq()
        self._url = url
        self._name = name
        self._seal = BodySeal(key)
        self._read_limit = READ_LIMIT_PER_SLOT * slots_total
        self._misplaced = 0
        self._pool = self._connect()
        self._leftover: set[asyncio.Task[Any]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def offer(self, jobs: Sequence[Job]) -> int:
        """Put hints in; a hint that is still there, waiting or running, is not put in twice.

        The one of the attempt before is taken out. arq itself keeps the jobs of a dead worker for
        JOB_TIMEOUT_S, and they would take up the room of the living.
        """
        fresh = 0
        try:
            for job in jobs:
                if job.before is not None:
                    await self._withdraw(job.lane, job.before)
                queued = await self._pool.enqueue_job(
                    job.kind,
                    job.task_id,
                    job.attempt,
                    _job_id=job.id,
                    _queue_name=self._queue(job.lane),
                    _expires=HINT_EXPIRES_S,
                    _defer_by=-AHEAD if job.is_ahead else None,
                )
                fresh += queued is not None
                if queued is None:
                    await self._unmark(job.id)
        except (RedisError, OSError) as error:
            raise QueueAway from error
        return fresh

    async def _unmark(self, job_id: str) -> None:
        """Let a hint run that was taken long ago and whose task nobody has leased since.

        It would not have come again else: whoever took it is dead, and arq would keep the mark for
        JOB_TIMEOUT_S. If they live after all, the lease judges.
        """
        mark = in_progress_key_prefix + job_id
        left_ms = cast("int", await self._pool.pttl(mark))
        if 0 < left_ms < (MARK_LIFE_S - MARK_FRESH_S) * 1000:
            await self._pool.delete(mark)

    async def _withdraw(self, lane: Lane, job_id: str) -> None:
        """Take a hint out, waiting or marked as running; whoever runs it is not disturbed."""
        async with self._pool.pipeline(transaction=True) as together:
            together.zrem(self._queue(lane), job_id)
            together.delete(job_key_prefix + job_id, in_progress_key_prefix + job_id)
            await together.execute()

    async def pending(self, lane: Lane) -> int:
        """Hints of the lane that wait or run.

        One put in HINT_EXPIRES_S ago waits no more. It runs long, or whoever ran it died when it
        was done, before arq knew: then it lies there for JOB_TIMEOUT_S, so it is not counted.
        """
        since = timestamp_ms() - HINT_EXPIRES_S * 1000
        try:
            return int(await self._pool.zcount(self._queue(lane), since, "+inf"))
        except (RedisError, OSError) as error:
            raise QueueAway from error

    async def serve(self, slots: Mapping[Lane, int], run: Run, stop: asyncio.Event) -> None:
        """Run both lanes in this process until ``stop``."""
        async with asyncio.TaskGroup() as group:
            for lane, count in slots.items():
                group.create_task(self._serve_lane(lane, count, run, stop))
        await _settle(self._leftover)
        await _settle(self._closing)

    def refused(self) -> int:
        """Bodies refused here: not sealed by our key, or lying under another job's id."""
        return self._seal.refused + self._misplaced

    async def close(self) -> None:
        """Let go of connections."""
        await _close(self._pool)

    async def _serve_lane(self, lane: Lane, slots: int, run: Run, stop: asyncio.Event) -> None:
        pause_s = AWAY_PAUSE_MIN_S
        while not stop.is_set():
            pool = self._connect()
            worker = self._worker(pool, lane, slots, run)
            started = asyncio.get_running_loop().time()
            try:
                await self._run_until(worker, stop)
            except (RedisError, OSError) as error:
                log.warning("queue.went_away", lane=lane, error=type(error).__name__)
                lived_s = asyncio.get_running_loop().time() - started
                pause_s = AWAY_PAUSE_MIN_S if lived_s > AWAY_PAUSE_MAX_S else pause_s * 2
                pause_s = min(pause_s, AWAY_PAUSE_MAX_S)
                await _wait(stop, pause_s)
            finally:
                await self._let_go(pool, set(worker.tasks.values()))

    async def _let_go(self, pool: ArqRedis, jobs: set[asyncio.Task[Any]]) -> None:
        """Close connections now, and once more after jobs that may open one to say they ended."""
        await _close(pool)
        late = {job for job in jobs if not job.done()}
        if late:
            closing = asyncio.create_task(_close_after(late, pool))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _run_until(self, worker: Worker, stop: asyncio.Event) -> None:
        """Run arq's loop until ``stop``, then let its jobs end; raises what arq's loop dies of."""
        polling = asyncio.ensure_future(worker.main())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            worker.allow_pick_jobs = False
            if stop.is_set():
                await _settle(set(worker.tasks.values()))
        finally:
            stopping.cancel()
            was_running = not polling.done()
            while not polling.done():
                # Insist: before Python 3.12 one cancellation may be swallowed on the way down, when
                # it arrives with the end of what is waited for (a connection just opened).
                polling.cancel()
                await asyncio.wait({polling}, timeout=CANCEL_AGAIN_S)
            self._leave(worker)
        if not was_running:
            polling.result()

    def _leave(self, worker: Worker) -> None:
        """Jobs that outlive arq's loop (Valkey went away) work on: their truth is in the vault."""
        for task in worker.tasks.values():
            if not task.done():
                self._leftover.add(task)
                task.add_done_callback(self._leftover.discard)
            task.add_done_callback(_look_at_end)

    def _worker(self, pool: ArqRedis, lane: Lane, slots: int, run: Run) -> Worker:
        return _Puller(
            [
                func(self._function(kind, lane, run), name=kind, timeout=JOB_TIMEOUT_S)
                for kind in KINDS
            ],
            queue_name=self._queue(lane),
            redis_pool=pool,
            handle_signals=False,
            max_jobs=slots,
            job_timeout=JOB_TIMEOUT_S,
            keep_result=0,
            poll_delay=POLL_DELAY_S,
            queue_read_limit=self._read_limit,
            max_tries=20,
            retry_jobs=False,
            job_serializer=self._seal.pack,
            job_deserializer=self._seal.unpack,
            expires_extra_ms=HINT_EXPIRES_S * 1000,
            timezone=UTC,
            log_results=False,
        )

    def _function(self, kind: TaskKind, lane: Lane, run: Run) -> WorkerCoroutine:
        async def perform(ctx: dict[str, Any], task_id: UUID, attempt: int) -> None:
            job = Job(task_id=task_id, attempt=attempt, kind=kind, lane=lane)
            if ctx["job_id"] != job.id:
                self._misplaced += 1
                log.warning("job.refused", code="body_misplaced", lane=lane)
                return
            await run(job)

        perform.__qualname__ = kind
        return cast("WorkerCoroutine", perform)

    def _queue(self, lane: Lane) -> str:
        return f"harai:{self._name}:{lane}"

    def _connect(self) -> ArqRedis:
        pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]  # redis-py 5
            self._url,
            socket_timeout=ANSWER_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
        )
        return QueueClient(
            pool,
            job_serializer=self._seal.pack,
            job_deserializer=self._seal.unpack,
            default_queue_name=self._queue("bulk"),
            expires_extra_ms=HINT_EXPIRES_S * 1000,
        )


class _Puller(Worker):
    """arq's worker, which asks about all jobs of a look at once whether they run somewhere."""

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start those that nobody runs; arq makes sure of each.

        Running jobs stay at the queue's head, and arq asks three times about each of them at each
        look, twenty times a second: a tenth of a core for as long as a few long tasks run.
        """
        if not job_ids:
            return
        running = await self.pool.mget([in_progress_key_prefix + one.decode() for one in job_ids])
        idle = [one for one, mark in zip(job_ids, running, strict=True) if mark is None]
        await super().start_jobs(idle)


class _Bridge(logging.Handler):
    """Carries arq's own complaints into our log: the sentence without its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Name what happened; job ids and bodies may be an attacker's text, so they stay out."""
        fault = record.exc_info[1] if record.exc_info else None
        log.warning(
            "queue.complained",
            reason=record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
            error=type(fault).__name__ if fault is not None else "",
        )


def _silence_arq() -> None:
    """Keep arq's free text off stderr, where every line is one JSON event of ours."""
    logger = logging.getLogger("arq")
    logger.propagate = False
    if not any(isinstance(handler, _Bridge) for handler in logger.handlers):
        bridge = _Bridge(logging.WARNING)
        logger.addHandler(bridge)


async def _settle(tasks: set[asyncio.Task[Any]]) -> None:
    """Let running jobs end by themselves; cancel what is not done by then."""
    if not tasks:
        return
    _, late = await asyncio.wait(set(tasks), timeout=STOP_GRACE_S)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=STOP_GRACE_S)


async def _close(pool: ArqRedis) -> None:
    """Close a client's connections; one that does not close in time is given up as it is."""
    with suppress(RedisError, OSError):
        await pool.aclose(close_connection_pool=True)


async def _close_after(jobs: set[asyncio.Task[Any]], pool: ArqRedis) -> None:
    try:
        await asyncio.wait(jobs)
    finally:
        await _close(pool)


async def _wait(stop: asyncio.Event, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        return


def _look_at_end(task: asyncio.Task[Any]) -> None:
    """Arq tells Valkey that a job ended; when Valkey is away that fails, and loses only a hint."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        log.info("queue.end_untold", error=type(error).__name__)
