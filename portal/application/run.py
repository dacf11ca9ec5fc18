"""`portal web`: connects the data API and the egress, then serves the doors on a Unix socket.

Zone: application. The folder of the socket decides who may connect (the DMZ); no TCP port is
opened and nothing but the two connections leaves the process.
"""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from portal.application.doors.server import create_app
from portal.application.settings import WebSettings
from portal.contract.client import VaultClient
from portal.kit import log
from portal.kit.crypto import client_context
from portal.kit.loop import run_quickly
from portal.kit.memory import settle_memory
from portal.kit.one_write import OneWriteHttp
from portal.kit.outbound import Outbound

KEEP_ALIVE_S: Final = 75
CONCURRENCY_MAX: Final = 1000
DRAIN_S: Final = 10


class Server(uvicorn.Server):
    """Ends with exit code 0 on SIGTERM, after the requests under way are answered."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ask the loop instead of raising the signal again after a clean end."""
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, self._stop)
        try:
            yield
        finally:
            for wanted in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(wanted)

    def _stop(self) -> None:
        self.should_exit = True


def server_for(app: Starlette, socket: Path) -> Server:
    """The HTTP server of the application on its Unix socket; no access log is written."""
    config = uvicorn.Config(
        app,
        uds=str(socket),
        loop="asyncio",
        http=OneWriteHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        limit_concurrency=CONCURRENCY_MAX,
    )
    return Server(config)


async def serve(settings: WebSettings) -> None:
    """Serve until SIGTERM. Raises TryLater ``vault_away`` when no vault is there in time."""
    logger = log.get_logger()
    context = client_context(settings.cert, settings.key, settings.ca)
    vault = await VaultClient.connect(str(settings.vault_socket), context)
    outbound = await Outbound.connect(settings.egress_socket)
    try:
        server = server_for(create_app(settings, vault, outbound), settings.socket)
        settle_memory()
        logger.info("web.started", socket=settings.socket.name, instance=settings.instance)
        await server.serve()
    finally:
        await outbound.aclose()
        await vault.close()
        logger.info("web.stopped")


def run() -> None:
    """Read the settings and serve until SIGTERM; the exit code is 0 then."""
    log.configure(process="web")
    run_quickly(serve(WebSettings.read()))
