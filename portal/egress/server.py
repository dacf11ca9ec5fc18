"""The originate socket: frames of slices in, frames of answers out.

Zone: egress. Knows callers by their socket's credentials and decides nothing else. A slice that has
been read is finished even when its caller vanishes: what was handed out to be sent is better sent
than left in doubt, and its answers are dropped. Reading stops while too much is under way.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portal.egress.callers import Caller, caller_of
from portal.egress.originate import Originate
from portal.egress.record import Record
from portal.kit.log import get_logger
from portal.kit.outbound.frames import (
    GOODBYE,
    PREFIX_BYTES,
    FrameBroken,
    SliceCall,
    SliceReply,
    body_bytes,
    pack,
    read_call,
)
from portal.kit.outbound.wire import SLICE_MAX, OutboundAnswer

LINKS_MAX: Final = 256
SLICES_PER_LINK: Final = 16
FRAME_DEADLINE_S: Final = 10.0
"""From the first byte of a frame to its last."""
REPLY_DEADLINE_S: Final = 30.0
"""How long a caller may take to read a reply before its link is cut."""
SOCKET_MODE: Final = 0o666
"""Any uid may connect: who it is, the kernel says; what it may, the rules."""

_log = get_logger()


class OriginateServer:
    """Serves :class:`Originate` on a Unix socket until it is drained."""

    def __init__(
        self,
        originate: Originate,
        callers: Mapping[int, frozenset[str]],
        record: Record,
    ) -> None:
        """``callers`` maps uids to roles; any other uid is turned away."""
        self._originate = originate
        self._callers = callers
        self._record = record
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._is_draining = False

    async def listen(self, path: Path) -> None:
        """Accept callers on ``path``, replacing a socket that a dead relay left behind."""
        self._server = await asyncio.start_unix_server(self._serve, str(path))
        await asyncio.to_thread(path.chmod, SOCKET_MODE)

    async def drain(self, wait_s: float) -> None:
        """Send nothing more, answer what is under way, then close.

        Callers are told to leave; what they had written before they heard it is answered
        ``not_sent``, so that a restart leaves nothing unclear. Links whose slices are not answered
        after ``wait_s`` seconds are cut; their callers see ``relay_lost``.
        """
        self._stop_accepting()
        self._is_draining = True
        for writer in self._links.values():
            writer.write(pack(SliceReply(GOODBYE, [])))
        if self._links:
            _, late = await asyncio.wait(set(self._links), timeout=wait_s)
            if late:
                _log.warning("egress.slices_cut", count=len(late))
        await self.close()

    async def close(self) -> None:
        """Cut every link at once, whatever is under way on it."""
        self._stop_accepting()
        links = set(self._links)
        for link in links:
            link.cancel()
        if links:
            await asyncio.wait(links)

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        caller = caller_of(writer.transport, self._callers)
        if not caller.roles or len(self._links) >= LINKS_MAX or link is None:
            code = "relay_busy" if caller.roles else "caller_unknown"
            self._record.denied(caller, "originate", "", 0, code)
            writer.transport.abort()
            return
        self._links[link] = writer
        try:
            async with asyncio.TaskGroup() as slices:
                await self._read_slices(caller, reader, writer, slices)
        finally:
            del self._links[link]
            writer.close()

    async def _read_slices(
        self,
        caller: Caller,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        slices: asyncio.TaskGroup,
    ) -> None:
        """Read frames until the caller ends the link or breaks the rules of frames."""
        places = asyncio.Semaphore(SLICES_PER_LINK)
        try:
            while True:
                await places.acquire()
                call = await _read_frame(reader)
                answering = slices.create_task(self._answer(caller, call, writer))
                answering.add_done_callback(lambda _: places.release())
        except asyncio.IncompleteReadError as ended:
            if ended.partial:
                _log.warning("egress.link_broken", caller=caller.name, code="frame_cut")
        except (FrameBroken, OSError) as error:
            _log.warning("egress.link_broken", caller=caller.name, error=type(error).__name__)

    async def _answer(self, caller: Caller, call: SliceCall, writer: asyncio.StreamWriter) -> None:
        if self._is_draining:
            answers = [OutboundAnswer(fate="not_sent", code="relay_away")] * len(call.requests)
        else:
            answers = await self._originate.send_slice(caller, call.requests)
        if writer.is_closing():
            return
        writer.write(pack(SliceReply(call.number, answers)))
        try:
            async with asyncio.timeout(REPLY_DEADLINE_S):
                await writer.drain()
        except (OSError, TimeoutError):
            # The caller is gone or does not read: its answers are dropped, see docs/egress.md.
            writer.transport.abort()


async def _read_frame(reader: asyncio.StreamReader) -> SliceCall:
    """The next slice, however long its caller is silent before it.

    Raises: FrameBroken, IncompleteReadError at the link's end, TimeoutError for a slow frame.
    """
    prefix = await reader.readexactly(1)
    async with asyncio.timeout(FRAME_DEADLINE_S):
        prefix += await reader.readexactly(PREFIX_BYTES - 1)
        call = read_call(await reader.readexactly(body_bytes(prefix)))
    if not 0 < len(call.requests) <= SLICE_MAX:
        msg = "a slice out of bounds"
        raise FrameBroken(msg)
    return call
