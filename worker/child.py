"""One worker process: the slots of both lanes, until told to stop or left alone.

Application zone. Started by the supervisor, which holds the other end of its standard input: when
that closes, the supervisor is gone and the child ends too, so that nothing is left running.
"""

import asyncio
import os
import signal
import sys

from portal.kit.log import configure, get_logger
from worker.queue.arq_queue import ArqQueue
from worker.settings import WorkSettings
from worker.tasks.run import run_job
from worker.tasks.workbench import open_workbench

log = get_logger()


async def work(settings: WorkSettings, number: int, stop: asyncio.Event) -> None:
    """Serve the queue until ``stop``; running tasks end or give their leases back."""
    name = f"{settings.instance}-{number}-{os.getpid()}"
    async with open_workbench(settings, name, stop) as bench:
        queue = make_queue(settings)
        log.info("worker.started", worker=name)
        try:
            await queue.serve(settings.slots, lambda job: run_job(bench, job), stop)
        finally:
            await queue.close()
            log.info("worker.stopped", worker=name, refused=queue.refused())


def make_queue(settings: WorkSettings) -> ArqQueue:
    """The queue as all processes of this installation see it."""
    return ArqQueue(
        settings.valkey_url,
        settings.read_queue_key(),
        name=settings.instance,
        slots_total=max(settings.slots_together.values()),
    )


def run_child(number: int) -> None:
    """Run one worker process until SIGTERM or until the supervisor is gone."""
    configure("work")
    settings = WorkSettings.read()
    asyncio.run(_until_told(settings, number))


async def _until_told(settings: WorkSettings, number: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    transport, _ = await loop.connect_read_pipe(lambda: _Lifeline(stop), sys.stdin)
    try:
        await work(settings, number, stop)
    finally:
        transport.close()


class _Lifeline(asyncio.Protocol):
    """Standard input: nothing is ever said on it; that it closes is the message."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        """The supervisor is gone."""
        del exc
        self._stop.set()
