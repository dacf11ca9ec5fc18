"""A caller that may break every rule of the channel: sends what bytes it likes, sees what comes."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Self

import msgspec

from portal.contract.envelope import Answer, Authority, Call, Hello
from portal.contract.frames import to_frame
from portal.contract.onetime import one_time_parameter


class RawChannel:
    """One TLS connection to a vault, with the nonce and the authority it was greeted with."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.hello = Hello(0, "", b"", Authority(capability=b"", key=b"", expires_at=0))
        self.sequence = 0

    @classmethod
    async def open(cls, socket: Path, context: ssl.SSLContext) -> Self:
        """Connect and take the greeting; IncompleteReadError or OSError when refused."""
        reader, writer = await asyncio.open_unix_connection(
            str(socket), ssl=context, server_hostname=""
        )
        channel = cls(reader, writer)
        channel.hello = msgspec.msgpack.decode(await channel.frame(), type=Hello)
        return channel

    async def frame(self) -> bytes:
        """The next frame's body; IncompleteReadError when the vault has cut us off."""
        length = int.from_bytes(await self.reader.readexactly(4), "big")
        return await self.reader.readexactly(length)

    def make(self, operation: str, body: bytes = b"\x80", **changes: object) -> Call:
        """A call that is right in all but what ``changes`` says (before the MAC is made).

        ``authority``, ``nonce``, ``sequence``, ``version``, ``expires_at``; ``parameter`` and
        ``sent_body`` replace what was authenticated by something else.
        """
        self.sequence += 1
        authority = changes.get("authority", self.hello.authority)
        assert isinstance(authority, Authority)
        place = {
            "nonce": self.hello.nonce,
            "sequence": self.sequence,
            "operation": operation,
            "version": 1,
            "expires_at": int(time.time()) + 20,
        }
        place |= {name: changes[name] for name in place if name in changes}
        parameter = one_time_parameter(authority.key, **place, body=body)  # type: ignore[arg-type]
        sent = {name: place[name] for name in place if name != "nonce"}
        sent |= {
            "capability": authority.capability,
            "parameter": parameter,
            "body": changes.get("sent_body", body),
        }
        sent |= {name: changes[f"sent_{name}"] for name in sent if f"sent_{name}" in changes}
        return Call(**sent)  # type: ignore[arg-type]

    async def send(self, call: Call) -> None:
        """Send one call as a frame."""
        await self.send_bytes(to_frame(msgspec.msgpack.encode(call)))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next answer; IncompleteReadError when the vault has cut us off."""
        async with asyncio.timeout(10):
            return msgspec.msgpack.decode(await self.frame(), type=Answer)

    async def ask(self, call: Call) -> Answer:
        """Send a call and take the next answer."""
        await self.send(call)
        return await self.answer()

    async def is_cut_off(self, within_s: float = 10.0) -> bool:
        """Whether the vault has ended the connection within a time."""
        try:
            async with asyncio.timeout(within_s):
                await self.reader.readexactly(1)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False
        return False

    async def close(self) -> None:
        """Hang up."""
        self.writer.transport.abort()
        await asyncio.sleep(0)
