"""A web process in a test: the real application on a real Unix socket, with a real browser's rules
for cookies left to the test. The vault is whoever listens at the socket given, or nobody."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette

from portal.application.doors.context import Doors
from portal.application.doors.server import create_app
from portal.application.run import server_for
from portal.application.settings import WebSettings
from portal.contract.client import VaultClient
from portal.kit import log
from portal.kit.crypto import client_context
from portal.kit.outbound import Outbound
from tests.make.certificates import Authority

ORIGIN = "http://localhost:8080"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: the socket speaks plain HTTP. httpx's own context takes 20 ms, in each test."""


def web_settings(folder: Path, *, origin: str = ORIGIN, instance: str = "t1") -> WebSettings:
    """Settings of a web process whose files are in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "cookie.key"
    if not key.exists():
        key.write_bytes(secrets.token_bytes(32))
    return WebSettings(
        socket=folder / "web.sock",
        vault_socket=folder / "vault.sock",
        cert=folder / "web.pem",
        key=folder / "web.key",
        ca=folder / "ca.pem",
        egress_socket=folder / "egress.sock",
        public_origin=origin,
        cookie_key_file=key,
        instance=instance,
        provider_endpoints=(
            "sandbox_card=card.sandbox.test:9443,sandbox_wallet=wallet.sandbox.test:9443,"
            "gmopg=p01.mul-pay.test:443/shop"
        ),
    )


@dataclass(slots=True)
class Web:
    """A running application."""

    app: Starlette
    socket: Path

    @property
    def doors(self) -> Doors:
        doors: Doors = self.app.state.doors
        return doors

    def browser(self, **options: object) -> httpx.AsyncClient:
        """A client that keeps cookies and follows nothing."""
        transport = httpx.AsyncHTTPTransport(verify=NO_TLS, uds=str(self.socket))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def running_web(
    folder: Path, vault: VaultClient | None = None, *, settings: WebSettings | None = None
) -> AsyncGenerator[Web]:
    """The application, served; without a vault given, the one it looks for is away."""
    log.configure(process="web", strict=True)
    settings = settings or web_settings(folder)
    own = vault is None
    if vault is None:
        authority = Authority(folder / "certificates")
        context = client_context(*authority.zone("web"), authority.ca)
        vault = VaultClient(str(settings.vault_socket), context)
    outbound = Outbound(settings.egress_socket)
    app = create_app(settings, vault, outbound)
    server = server_for(app, settings.socket)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not serving.done(), "the server did not start"
    try:
        yield Web(app, settings.socket)
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
        await outbound.aclose()
        if own:
            await vault.close()
