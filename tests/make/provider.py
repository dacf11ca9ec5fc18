"""Providers of every kind, over real TLS: good ones, slow ones, and those that break off."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.make.certificates import Authority

HOST = "api.provider.test"


@dataclass(frozen=True)
class Seen:
    """One request as the provider got it."""

    line: str
    headers: dict[str, str]
    body: bytes
    link: int

    @property
    def document(self) -> object:
        return json.loads(self.body)


Behaviour = Callable[["Provider", Seen, asyncio.StreamWriter], Awaitable[None]]


async def accept(provider: "Provider", seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answer 201 with a small document."""
    del provider, seen
    body = b'{"id":"sm_1","status":"queued"}'
    writer.write(answer(201, body, "Content-Type: application/json"))


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """An HTTP/1.1 answer with its length."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(raw: bytes, *, then_close: bool = False) -> Behaviour:
    """Write exactly these bytes, whatever was asked."""

    async def say(_provider: Provider, _seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if then_close:
            writer.close()

    return say


def by_path(**behaviours: Behaviour) -> Behaviour:
    """Choose by the last word of the path; ``accept`` for all others."""

    async def choose(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        word = seen.line.split(" ")[1].partition("?")[0].rpartition("/")[2]
        await behaviours.get(word, accept)(provider, seen, writer)

    return choose


@dataclass
class Provider:
    """A TLS server at 127.0.0.1; ``seen`` is its own journal of what arrived."""

    authority: Authority
    names: tuple[str, ...] = (HOST,)
    behaviour: Behaviour = accept
    seen: list[Seen] = field(default_factory=list[Seen])
    links: int = 0
    handshakes: int = 0
    port: int = 0
    _closing: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.host(*self.names))
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        await self._closing.enter_async_context(server)
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    async def is_asked(self) -> bool:
        """Whether a request has arrived, answered or not."""
        return bool(self.seen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links += 1
        link = self.links
        try:
            while True:
                seen = await _read_request(reader, link)
                self.seen.append(seen)
                await self.behaviour(self, seen, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        except asyncio.CancelledError:
            # The loop ends with the test while a slow behaviour still sleeps.
            writer.transport.abort()
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader, link: int) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {
        name.lower(): text.strip() for name, _, text in (row.partition(":") for row in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(line, headers, body, link)
