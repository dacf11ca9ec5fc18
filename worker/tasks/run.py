"""One task from lease to end: take it, keep it, run its step, say what went wrong.

Application zone. The vault decides who works (one lease an attempt) and fences whoever comes too
late, so a hint that is doubled, replayed or forged into the right shape does nothing. This is one
of the four doors where any exception is caught.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

from portal.contract.work import (
    EXTEND_LEASE,
    FAIL_TASK,
    TAKE_LEASE,
    ExtendLease,
    FailTask,
    Leased,
    TakeLease,
)
from portal.domain.errors import Conflict, PortalError, TryLater, Unknown
from portal.domain.ids import TaskId
from portal.domain.task import TaskKind
from portal.kit import limits
from portal.kit.crashpoint import crash_point
from portal.kit.log import get_logger
from worker.lanes import STEPS
from worker.queue import Job
from worker.tasks import charge, debit, intake, mandate, message, payment, settlement, transfer
from worker.tasks.workbench import Workbench

HEARTBEAT_S: Final = limits.LEASE_LIFE_S / 3
RUN_GRACE_S: Final = 30.0
UNKNOWN_RETRY_S: Final = 5.0
BROKEN_RETRY_S: Final = 10.0
LAST_WORD_S: Final = 3.0

TASKS: Final[Mapping[TaskKind, Callable[[Workbench, Leased], Awaitable[Any]]]] = MappingProxyType(
    {
        "intake.accept_chunk": intake.accept_chunk,
        "intake.issue_bills": intake.issue_bills,
        "intake.discard_bills": intake.discard_bills,
        "message.send_chunk": message.send_chunk,
        "message.advance_ladders": message.advance_ladders,
        "payment.inquire": payment.inquire,
        "payment.pass_due": payment.pass_due,
        "payment.refund": payment.refund,
        "payment.refund_inquire": payment.refund_inquire,
        "debit.fill": debit.fill,
        "debit.book": debit.book,
        "debit.send": debit.send,
        "charge.choose": charge.choose,
        "charge.send": charge.send,
        "mandate.ask": mandate.ask,
        "debit.fetch": debit.fetch,
        "transfer.advance": transfer.advance,
        "transfer.send": transfer.send,
        "debit.tell_failed": debit.tell_failed,
        "settlement.write_results": settlement.write_results,
        "message.switch_unopened": message.switch_unopened,
    }
)
"""Kind of task → who does it."""

log = get_logger()


async def run_job(work: Workbench, job: Job) -> None:
    """Lease the hint's task and run its step; raises nothing but CancelledError.

    A task that can't be leased is somebody else's, or done: nothing happens then.
    """
    leased = await _take(work, job)
    if leased is None:
        return
    crash_point("worker.after_lease", leased.kind)
    started = asyncio.get_running_loop().time()
    try:
        async with _kept(work, leased), asyncio.timeout(STEPS[leased.kind].run_s + RUN_GRACE_S):
            await TASKS[leased.kind](work, leased)
    except asyncio.CancelledError:
        await asyncio.shield(_fail(work, job, leased, ("worker_stopping", 0.0)))
        raise
    except Exception as error:  # noqa: BLE001  # the door of tasks: nothing may pass it
        await _give_up(work, job, leased, error)
    else:
        took_ms = round((asyncio.get_running_loop().time() - started) * 1000)
        log.info("task.finished", task_id=job.task_id, kind=leased.kind, duration_ms=took_ms)


async def _take(work: Workbench, job: Job) -> Leased | None:
    request = TakeLease(task_id=TaskId(job.task_id), attempt=job.attempt, worker=work.worker)
    try:
        return await work.vault.call(TAKE_LEASE, request)
    except Conflict:
        return None
    except PortalError as error:
        log.warning("lease.not_taken", task_id=job.task_id, kind=job.kind, code=error.code)
        return None


async def _give_up(work: Workbench, job: Job, leased: Leased, error: Exception) -> None:
    """Say why the step ended early: loudly unless waiting is all that it needs."""
    if isinstance(error, Conflict) and error.code == "lease_lost":
        log.warning("lease.lost", task_id=job.task_id, kind=leased.kind)
        return
    if isinstance(error, TryLater):
        why = (error.code, error.retry_after_s)
    elif isinstance(error, Unknown):
        why = (error.code, UNKNOWN_RETRY_S)
    else:
        why = (error.code if isinstance(error, PortalError) else "task_broke", BROKEN_RETRY_S)
        log.error(
            "task.broke",
            task_id=job.task_id,
            kind=leased.kind,
            code=why[0],
            reason=error.context if isinstance(error, PortalError) else "",
            exc_info=error,
        )
    await _fail(work, job, leased, why)


async def _fail(work: Workbench, job: Job, leased: Leased, why: tuple[str, float]) -> None:
    """Give the task back; when even that fails its lease runs out and it comes back by itself."""
    code, retry_in_s = why
    try:
        request = FailTask(code=code, retry_in_s=retry_in_s)
        closed = await work.vault.call(FAIL_TASK, request, leased.authority, timeout_s=LAST_WORD_S)
    except PortalError as error:
        log.warning("task.not_given_back", task_id=job.task_id, kind=leased.kind, code=error.code)
        return
    tell = log.error if closed.gave_up else log.warning
    event = "task.gave_up" if closed.gave_up else "task.given_back"
    tell(event, task_id=job.task_id, kind=leased.kind, code=code, retry_in_s=retry_in_s)


@asynccontextmanager
async def _kept(work: Workbench, leased: Leased) -> AsyncGenerator[None]:
    """Extend the lease while the block runs."""
    beating = asyncio.ensure_future(_beat(work, leased))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait({beating})


async def _beat(work: Workbench, leased: Leased) -> None:
    """Ends when the lease is lost; the step then meets the fence at its next call."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            await work.vault.call(EXTEND_LEASE, ExtendLease(), leased.authority)
        except (TryLater, Unknown) as error:
            log.warning("lease.not_extended", kind=leased.kind, code=error.code)
        except PortalError:
            return
