"""The supervisor: keeps the worker processes alive and the relay running; stops both in order.

Application zone. A child that dies is started again after a growing pause; its tasks come back by
their leases, so nothing has to be remembered here.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

from portal.kit.log import get_logger
from worker.child import make_queue
from worker.relay import Relay
from worker.settings import WorkSettings
from worker.tasks.run import run_job
from worker.tasks.workbench import open_workbench

RESTART_PAUSE_MIN_S: Final = 0.2
RESTART_PAUSE_MAX_S: Final = 10.0
STEADY_AFTER_S: Final = 30.0
"""A child that lived this long starts again at the shortest pause."""

STOP_WAIT_S: Final = 45.0
"""Longer than a child's own patience with its running tasks; then it is killed."""

log = get_logger()


async def supervise(settings: WorkSettings, stop: asyncio.Event) -> None:
    """Run children and relay until ``stop``; returns when all of them are gone."""
    name = f"{settings.instance}-0-{os.getpid()}"
    async with open_workbench(settings, name, stop, is_supervisor=True) as bench:
        queue = make_queue(settings)
        relay = Relay(bench.vault, queue, settings.slots_together, lambda job: run_job(bench, job))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(relay.relay(stop))
                for number in range(1, settings.processes + 1):
                    group.create_task(_keep(number, stop))
        finally:
            await queue.close()


async def _keep(number: int, stop: asyncio.Event) -> None:
    """Keep one child running until ``stop``, then end it."""
    loop = asyncio.get_running_loop()
    pause_s = RESTART_PAUSE_MIN_S
    restarts = 0
    while not stop.is_set():
        started = loop.time()
        child = await _start(number)
        try:
            code = await _wait(child, stop)
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        if code is None:
            await _end(child, number)
            return
        restarts += 1
        pause_s = RESTART_PAUSE_MIN_S if loop.time() - started > STEADY_AFTER_S else pause_s * 2
        pause_s = min(pause_s, RESTART_PAUSE_MAX_S)
        log.error("worker.died", number=number, exit_code=code, restarts=restarts)
        await _sleep(stop, pause_s)


async def _start(number: int) -> Process:
    """Start one child; its log goes where ours goes, its standard input is its lifeline."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worker.main", "--child", str(number), stdin=PIPE
    )


async def _wait(child: Process, stop: asyncio.Event) -> int | None:
    """The child's exit code, or None when ``stop`` came first."""
    ended = asyncio.ensure_future(child.wait())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return ended.result() if ended.done() else None
    finally:
        ended.cancel()
        stopping.cancel()


async def _end(child: Process, number: int) -> None:
    try:
        child.terminate()
    except ProcessLookupError:
        return
    ended = asyncio.ensure_future(child.wait())
    await asyncio.wait({ended}, timeout=STOP_WAIT_S)
    if not ended.done():
        log.error("worker.killed", number=number)
        child.kill()
    await ended


async def _sleep(stop: asyncio.Event, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        return
