"""``portal vault``: one process of the data zone, until SIGTERM."""

import asyncio
import os
import signal
import sys

from portal.domain.errors import PortalError
from portal.kit import log
from portal.kit.loop import run_quickly
from portal.kit.memory import settle_memory, shut_memory
from portal.vault.server import VaultServer
from portal.vault.settings import VaultSettings

_log = log.get_logger()


async def _serve(settings: VaultSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with VaultServer(settings):
        settle_memory()
        await stop.wait()


def run() -> None:
    """Serve until SIGTERM; exit code 1 when the vault may not start, with the reason logged."""
    log.configure("vault")
    shut_memory()
    os.umask(0o027)
    settings = VaultSettings.read()
    try:
        run_quickly(_serve(settings))
    except PortalError as fault:
        _log.exception("vault.refused_start", code=fault.code, reason=fault.context)
        sys.exit(1)
