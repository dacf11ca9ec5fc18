"""A real nginx under the generated configuration, before an upstream that records what it gets."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.dmz.routes import Route
from portal.stack.processes import Program, Running
from portal.stack.users import Account

SAMPLES = {
    "code": "aozora",
    "secret": "a1B2c3D4e5F6g7H8i9J0kL",
    "ref": "p_8xY3",
    "attempt": "att_01JD0000000000000000000000",
    "token": "tok-abcdefghijklmnop_0123456789",
    "ticket": "aozora.tkt-abcdefghijklmnop_0123456789",
    "id": "bill_01JD0000000000000000000000",
    "number": "12",
    "mutation": "decideImport",
    "provider": "sandbox_card",
    "message": "01jd0000000000000000000000.0123456789abcdef01234567",
    "turn": "3",
    "file": "page.3f2a9c.css",
}
"""One value for every path parameter."""


def sample(route: Route) -> str:
    """A path that the route takes."""
    return route.path.format(**SAMPLES)


@dataclass
class Upstream:
    """Says 200 to everything and remembers the request lines, headers and sizes of bodies."""

    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    answer: bytes = b"from the application"
    body_started: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            headers: dict[str, str] = {}
            while head := (await reader.readline()).decode().rstrip("\r\n"):
                name, _, value = head.partition(":")
                headers[name.lower()] = value.strip()
            self.lines.append(line)
            self.headers.append(headers)
            body = 0
            length = int(headers.get("content-length", "0"))
            while body < length:
                piece = await reader.read(65536)
                self.body_started.set()
                if not piece:
                    break
                body += len(piece)
            self.bodies.append(body)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.answer)}\r\n\r\n".encode()
            writer.write(head + (b"" if line.startswith("HEAD") else self.answer))
            await writer.drain()
        writer.close()


@dataclass
class Dmz:
    port: int
    upstream: Upstream
    state: Path
    running: Running

    async def ask(self, raw: bytes) -> tuple[int, bytes]:
        """Send bytes as they are; status and the rest of the answer."""
        reader, writer = await dial(self.port)
        try:
            writer.write(raw)
            await writer.drain()
            return read_answer(await rest(reader))
        finally:
            writer.close()

    async def get(
        self, path: str, method: str = "GET", body: bytes = b"", host: str = "localhost"
    ) -> tuple[int, bytes]:
        length = f"Content-Length: {len(body)}\r\n" if body or method in {"POST", "PUT"} else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}\r\n"
        return await self.ask(head.encode() + body)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All until the other side ends or resets the connection."""
    pieces: list[bytes] = []
    with contextlib.suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(65536), 10):
            pieces.append(piece)
    return b"".join(pieces)


async def dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)  # noqa: TID251 - the attacker's side


def read_answer(answer: bytes) -> tuple[int, bytes]:
    if not answer:
        return 0, b""
    return int(answer.split(b" ", 2)[1]), answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def dmz_before(upstream: Upstream, folder: Path, **settings: str) -> AsyncIterator[Dmz]:
    port = free_port()
    server = await asyncio.start_unix_server(upstream.serve, folder / "web.sock")

    async def probe() -> None:
        reader, writer = await dial(port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 421 " in await rest(reader)
        writer.close()

    running = Running(
        Program(
            name="dmz",
            account=Account("dmz"),
            argv=[sys.executable, "-c", "from portal.dmz.run import run; run()"],
            log=folder / "dmz.log",
            cwd=folder,
            probe=probe,
            env={
                "PORTAL_DMZ_LISTEN": f"127.0.0.1:{port}",
                "PORTAL_DMZ_WEB_SOCKET": str(folder / "web.sock"),
                "PORTAL_DMZ_STATE_DIR": str(folder / "dmz"),
                **{f"PORTAL_DMZ_{name.upper()}": value for name, value in settings.items()},
            },
        )
    )
    try:
        await running.start()
        yield Dmz(port, upstream, folder / "dmz", running)
    finally:
        await running.stop()
        server.close()
