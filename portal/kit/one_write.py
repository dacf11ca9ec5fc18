"""HTTP answers that leave in one piece: head and body by one call of the system.

Zone-less; for the processes that serve pages. uvicorn writes the head of an answer and its body one
after the other, and the quick loop hands each to the system at once: two calls, and whoever reads
(nginx, a browser) is woken twice for one answer.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

HELD_BYTES_MAX: Final = 64 * 1024
"""More than this is never held back: a long stream is bounded by its reader, as without us."""


class OneWrite(asyncio.Transport):
    """A transport that collects what is written in one turn of the loop and writes it at its end.

    What it does not collect it passes on: closing first writes what is held.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Write to ``transport``."""
        super().__init__()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes | bytearray | memoryview] = []
        self._held_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold until the turn ends, or until there is too much of it."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES_MAX:
            self._flush()

    def writelines(self, list_of_data: "Iterable[bytes | bytearray | memoryview]") -> None:
        """The same for several."""
        for data in list_of_data:
            self.write(data)

    def _flush(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.writelines(held)

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is held is lost, as what the loop held would be."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's own signature
        """What the transport below knows of itself."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more in for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what comes in to another protocol."""
        self._transport.set_protocol(protocol)


class OneWriteHttp(HttpToolsProtocol):
    """uvicorn's protocol over :class:`OneWrite`; for ``uvicorn.Config(http=...)``."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has connected."""
        super().connection_made(OneWrite(transport))
