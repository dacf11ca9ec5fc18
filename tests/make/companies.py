"""A company behind a real relay, under the rules of docs/providers.md, and localstripe as one.

localstripe is free software under the GPL: it runs as a process of its own and nothing here imports
it. It is no Stripe: see docs/providers.md for what it lacks.
"""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from portal.application.payment.desk import PayDesk
from portal.application.providers.exchange import Endpoint
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.provider import HOST, Behaviour, Provider, Seen, answer
from tests.make.relay import Relay, running_relay

if TYPE_CHECKING:
    from portal.contract.client import VaultClient

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
_BLOCK = re.compile(r"^```json rules\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SERVE = (
    "import socket, sys; from aiohttp import web; from localstripe import server; "
    "web.run_app(server.app, sock=socket.socket(fileno=int(sys.argv[1])))"
)


def rules_of(provider: str) -> list[dict[str, Any]]:
    """What the page tells an operator to sign for this provider, dialled at the test's company."""
    blocks = [json.loads(block) for block in _BLOCK.findall(PAGE.read_text())]
    [rules] = [rules for rules in blocks if rules[0]["id"].partition("-")[0] == provider]
    here = {"host": HOST, "port": 0, "address": "127.0.0.1", "sandbox": True}
    return [rule | here for rule in rules]


@asynccontextmanager
async def behind_a_relay(
    folder: Path,
    provider: str,
    behaviour: Behaviour,
    *,
    account: tuple[str, ...] = (),
    roles: tuple[str, ...] = ("web", "work"),
) -> AsyncGenerator[tuple[Relay, PayDesk, Endpoint]]:
    """The relay, a desk of these roles that talks through it, and where the company is."""
    async with running_relay(
        folder,
        behaviour=behaviour,
        rules=rules_of(provider),
        callers=",".join(f"{os.geteuid()}={role}" for role in roles),
    ) as relay:
        endpoint = Endpoint(HOST, relay.provider.port, account)
        # No act of a desk that only converses with a company ever asks the vault.
        desk = PayDesk(cast("VaultClient", None), relay.outbound, {provider: endpoint})
        yield relay, desk, endpoint


@asynccontextmanager
async def running_localstripe(folder: Path) -> AsyncGenerator[str]:
    """Its address while it runs; what it keeps is in ``folder``."""
    # The socket is bound here and handed down: nobody can take the port in between.
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SERVE, str(door.fileno()), pass_fds=(door.fileno(),),
            env={"TMPDIR": str(folder)},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        await answers(process, address)
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answers(process: asyncio.subprocess.Process, address: str) -> None:
    """Wait until it does. Raises: AssertionError when its process ends before."""
    async with httpx.AsyncClient(timeout=60.0) as client:
        while process.returncode is None:
            try:
                await client.get(address)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    msg = f"it ended with {process.returncode}"
    raise AssertionError(msg)


@dataclass
class Drop:
    """While ``next`` is set the company acts on one more request, and its answer is lost."""

    next: bool = False


def passing_on(address: str, transport: httpx.AsyncBaseTransport | None = None) -> Behaviour:
    """Hand every request on to ``address``, as it came, and its answer back."""

    async def pass_on(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        del provider
        await hand_on(address, seen, writer, transport=transport)

    return pass_on


async def hand_on(
    address: str,
    seen: Seen,
    writer: asyncio.StreamWriter,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    lost: Drop | None = None,
) -> None:
    """Hand one request on and its answer back, unless that is ``lost``."""
    method, path, _ = seen.line.split(" ")
    headers = {name: text for name, text in seen.headers.items() if name != "host"}
    async with httpx.AsyncClient(timeout=30.0, transport=transport) as client:
        said = await client.request(method, f"{address}{path}", headers=headers, content=seen.body)
    if lost is not None and lost.next:
        lost.next = False
        writer.transport.abort()
        return
    replayed = said.headers.get("idempotent-replayed")
    told = [f"Content-Type: {said.headers.get('content-type', 'text/plain')}"]
    told += [] if replayed is None else [f"Idempotent-Replayed: {replayed}"]
    writer.write(answer(said.status_code, said.content, *told))


def saying(answers: dict[str, OutboundAnswer]) -> Behaviour:
    """Answer each path of the protocol with what was recorded for it."""

    async def say(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        del provider
        said = answers[seen.line.split(" ")[1].removeprefix("/payment/")]
        lines = [f"{name}: {text}" for name, text in said.headers.items()]
        writer.write(answer(said.status, said.body, *lines))

    return say
