"""``portal vault``: one process of the data zone, until SIGTERM."""

import asyncio
import ctypes
import os
import resource
import signal
import sys
from typing import Final

from portal.domain.errors import PortalError
from portal.kit import log
from portal.vault.server import VaultServer
from portal.vault.settings import VaultSettings

_PR_SET_DUMPABLE: Final = 4
"""Source: prctl(2)."""

_log = log.get_logger()


def harden() -> None:
    """No core file, and no other process of our uid may read our memory.

    Raises: OSError when the kernel refuses, because keys would lie open then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


async def _serve(settings: VaultSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with VaultServer(settings):
        await stop.wait()


def run() -> None:
    """Serve until SIGTERM; exit code 1 when the vault may not start, with the reason logged."""
    log.configure("vault")
    harden()
    os.umask(0o027)
    settings = VaultSettings.read()
    try:
        asyncio.run(_serve(settings))
    except PortalError as fault:
        _log.exception("vault.refused_start", code=fault.code, reason=fault.context)
        sys.exit(1)
