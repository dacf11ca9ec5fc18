"""`portal work`: the supervisor with its relay, and the worker processes that it starts.

Application zone. Runs until SIGTERM; tasks that are running then end or give their leases back.
"""

import asyncio
import signal
import sys
from typing import Final

from portal.kit.log import configure, get_logger
from worker.child import run_child
from worker.settings import WorkSettings
from worker.supervisor import supervise

_CHILD_ARGUMENTS: Final = 3

log = get_logger()


def run() -> None:
    """Run the supervisor until SIGTERM or SIGINT; returns normally then."""
    configure("work")
    settings = WorkSettings.read()
    asyncio.run(_until_told(settings))


async def _until_told(settings: WorkSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    await supervise(settings, stop)
    log.info("work.stopped")


def main(arguments: list[str]) -> None:
    """Run as ``python -m worker.main [--child N]``: the supervisor starts its children so."""
    if len(arguments) == _CHILD_ARGUMENTS and arguments[1] == "--child":
        run_child(int(arguments[2]))
    else:
        run()


if __name__ == "__main__":
    main(sys.argv)
