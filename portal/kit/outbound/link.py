"""One link to the egress relay: an asyncio protocol that matches replies to slices.

A protocol and no reader task, so that there is nothing to cancel, and so that a lost link fails
every waiting slice in the very callback that reports it.
"""

import asyncio
from typing import cast

from portal.kit.outbound.frames import GOODBYE, PREFIX_BYTES, FrameBroken, body_bytes, read_reply
from portal.kit.outbound.wire import OutboundAnswer


class LinkLost(Exception):
    """The link ended after the slice was written: the relay may have sent any part of it."""


class Link(asyncio.Protocol):
    """Frames out and replies in over one Unix socket."""

    def __init__(self) -> None:
        """A link that is not up yet."""
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[list[OutboundAnswer]]] = {}
        self._buffer = bytearray()
        self._is_leaving = False
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_up(self) -> bool:
        """Whether a slice written now has a chance to arrive."""
        if self._transport is None or self._is_leaving:
            return False
        return not self._transport.is_closing()

    def write(self, number: int, frame: bytes) -> asyncio.Future[list[OutboundAnswer]]:
        """Write one slice; the future ends with its answers or with LinkLost."""
        waiting: asyncio.Future[list[OutboundAnswer]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        waiting.add_done_callback(lambda _: self._forget(number))
        if self._transport is not None:
            self._transport.write(frame)
        return waiting

    async def until_writable(self) -> None:
        """Wait while the socket's buffer is full (back-pressure of the relay)."""
        await self._writable.wait()

    def close(self) -> None:
        """Give the link up; whatever waits is LinkLost."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the socket is connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Asyncio: cut the stream into frames and wake the slices that they answer."""
        self._buffer += data
        try:
            while len(self._buffer) >= PREFIX_BYTES:
                end = PREFIX_BYTES + body_bytes(self._buffer[:PREFIX_BYTES])
                if len(self._buffer) < end:
                    return
                reply = read_reply(bytes(self._buffer[PREFIX_BYTES:end]))
                del self._buffer[:end]
                if reply.number == GOODBYE:
                    self._is_leaving = True
                    self._leave_if_idle()
                    continue
                waiting = self._waiting.get(reply.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply.answers)
        except FrameBroken:
            self.close()

    def pause_writing(self) -> None:
        """Asyncio: the buffer towards the relay is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Asyncio: there is room again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the link is gone, and with it the certainty about every slice on it."""
        self._transport = None
        self._writable.set()
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(LinkLost(*(exc.args if exc else ())))

    def _forget(self, number: int) -> None:
        self._waiting.pop(number, None)
        self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        """Close once the last slice is answered, if the relay has asked for it."""
        if self._is_leaving and not self._waiting:
            self.close()
