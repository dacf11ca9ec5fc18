"""One HTTP/2 connection of the relay's, and the exchanges that go on it side by side.

Zone: egress. The frames are ``h2``'s work; what they mean for a request's fate is said here. The
host has a request whole once its last byte was written: from then on, and once it has begun to
answer, only a complete answer, or the host's own word that it did not look (GOAWAY with a lower
stream, REFUSED_STREAM), makes certain what became of it. Before that byte, and after that word,
nothing has happened there. Nothing is repeated. Source: RFC 9113 §5.4, §6.8, §8.7; RFC 7541.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

from portal.egress.denial import Denied
from portal.egress.grammar import ANSWER_HEADERS
from portal.kit.outbound.wire import OutboundAnswer

STREAMS_MAX: Final = 100
"""Requests under way on one connection, where the host allows more."""

HEADER_BYTES_MAX: Final = 16 * 1024
"""All headers of one answer; what is longer ends the connection."""

LAST_STREAM: Final = 1 << 30
"""A connection that has come so far takes no new request. Source: RFC 9113 §5.1.1."""

QUIET_S: Final = 5.0
"""A connection that said nothing for so long is asked whether it is there before it is used."""

PING_WAIT_S: Final = 3.0
IDLE_S: Final = 300.0
"""After so long without a frame a connection that carries nothing is closed."""

_READ_BYTES: Final = 64 * 1024
_PING: Final = b"harai-up"
_IDENTITY: Final = b"identity"
_ENCODING: Final = b"content-encoding"

Headers = Sequence[tuple[str, str]]


class NotBegun(Exception):
    """The connection takes no new request; of this one no byte was written."""


@dataclass(slots=True)
class Progress:
    """``may_have_reached``: the host may have the request whole, so it may have acted."""

    may_have_reached: bool = False


@dataclass(slots=True)
class _Stream:
    """One request under way."""

    id: int
    bytes_max: int
    progress: Progress
    done: asyncio.Future[OutboundAnswer]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytearray = field(default_factory=bytearray)
    is_written: bool = False
    """Its last byte was written."""
    is_ended: bool = False
    """The host says nothing more of it."""

    def answer(self, answer: OutboundAnswer) -> None:
        """It is over, and this came of it; a second word changes nothing."""
        if not self.done.done():
            self.done.set_result(answer)

    def fail(self, code: str, *, is_untouched: bool = False) -> None:
        """It is over without an answer; ``is_untouched``: the host said that it did not look."""
        if self.done.done():
            return
        if is_untouched and not self.status:
            self.progress.may_have_reached = False
        self.done.set_exception(Denied(code))


class _Leaving(Event):
    """The host takes no stream above ``last`` any more; the others it still answers."""

    def __init__(self, last: int) -> None:
        self.last = last


class _Frames(H2Connection):
    """h2's connection, but one that hears answers out after a GOAWAY, as RFC 9113 §6.8 wants it."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        return [], [_Leaving(frame.last_stream_id)]


class Link:
    """One connection over TLS, once its ALPN is known to be h2."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """``reader`` and ``writer`` are this connection's alone from now on."""
        self._reader, self._writer = reader, writer
        self._h2 = _Frames(H2Configuration(client_side=True, header_encoding=False))
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_BYTES_MAX,
            },
        )
        self._h2.decoder.max_header_list_size = HEADER_BYTES_MAX
        self._loop = asyncio.get_running_loop()
        self._streams: dict[int, _Stream] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._heard_at = self._loop.time()
        self._is_settled = False
        self._is_leaving = False
        self._ended_by = ""
        self._pings = 0
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say hello, and hear the host's own terms before the first request.

        Raises: Denied ``dropped`` or ``answer_invalid``: this is no HTTP/2.
        """
        self._h2.initiate_connection()
        self._reading = asyncio.create_task(self._read())
        await self._flush()
        while not self._is_settled:
            if self._is_leaving:
                raise Denied(self._ended_by or "going_away")
            await self._change()

    async def is_fit(self) -> bool:
        """Whether a new request may go here; one that has been quiet is asked first."""
        if self._is_leaving:
            return False
        if self._loop.time() - self._heard_at < QUIET_S:
            return True
        asked = self._pings
        try:
            async with asyncio.timeout(PING_WAIT_S):
                self._h2.ping(_PING)
                await self._flush()
                while self._pings == asked and not self._is_leaving:
                    await self._change()
        except (OSError, H2Error):  # TimeoutError is an OSError
            # What is under way has its own time; nothing new goes where nobody answers.
            self._leave()
        return not self._is_leaving

    async def exchange(
        self, head: Headers, body: bytes, bytes_max: int, progress: Progress
    ) -> OutboundAnswer:
        """Send one request and hear its answer out.

        Raises: NotBegun; Denied ``going_away``, ``stream_refused``, ``dropped`` or
            ``answer_invalid``, with ``progress`` telling whether the host may have acted; OSError.
        """
        while self._is_leaving or len(self._streams) >= self._places:
            if self._is_leaving:
                raise NotBegun
            await self._change()
        stream = self._open(head, bytes_max, progress, has_body=bool(body))
        try:
            await self._write(stream, body)
            return await stream.done
        except H2Error as error:
            raise Denied("answer_invalid") from error
        except OSError:
            # Some answer before they have read it all, and hang up: the answer stands.
            if stream.done.done():
                return stream.done.result()
            raise
        finally:
            self._forget(stream)

    def close(self) -> None:
        """End it at once; what is under way is over without an answer."""
        if self._reading is not None:
            self._reading.cancel()
        self._end("dropped")

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._ended_by != ""

    @property
    def _places(self) -> int:
        return min(self._h2.remote_settings.max_concurrent_streams, STREAMS_MAX)

    def _open(
        self, head: Headers, bytes_max: int, progress: Progress, *, has_body: bool
    ) -> _Stream:
        stream = _Stream(
            self._h2.get_next_available_stream_id(), bytes_max, progress, self._loop.create_future()
        )
        if stream.id >= LAST_STREAM:
            self._is_leaving = True
        if not has_body:
            progress.may_have_reached = stream.is_written = True
        self._h2.send_headers(stream.id, head, end_stream=not has_body)
        self._streams[stream.id] = stream
        return stream

    async def _write(self, stream: _Stream, body: bytes) -> None:
        """Write the body as the host's windows let it, and no further once it has answered."""
        rest = memoryview(body)
        await self._flush()
        while rest and not stream.done.done():
            window = self._h2.local_flow_control_window(stream.id)
            size = min(window, self._h2.max_outbound_frame_size, len(rest))
            if size <= 0:
                await self._change()
                continue
            piece, rest = rest[:size], rest[size:]
            if not rest:
                stream.progress.may_have_reached = stream.is_written = True
            self._h2.send_data(stream.id, bytes(piece), end_stream=not rest)
            await self._flush()

    def _forget(self, stream: _Stream) -> None:
        """It is over: cut it off where the host has not ended it, and let the next one go."""
        self._streams.pop(stream.id, None)
        if stream.done.done() and not stream.done.cancelled():
            stream.done.exception()  # looked at, or asyncio would complain
        if not stream.is_written or not stream.is_ended:
            self._cut_off(stream)
        if self._is_leaving:
            self._leave()
        self._wake()

    def _cut_off(self, stream: _Stream) -> None:
        try:
            self._h2.reset_stream(stream.id, ErrorCodes.CANCEL)
        except H2Error:
            return  # it is closed already, and so may be the connection
        self._push()

    async def _read(self) -> None:
        """Take frames until the connection ends."""
        code = "dropped"
        try:
            while data := await self._next_bytes():
                self._heard_at = self._loop.time()
                for event in self._h2.receive_data(data):
                    self._take(event)
                await self._flush()
        except H2Error:
            code = "answer_invalid"
            self._push()
        except OSError:
            code = "dropped"
        finally:
            self._end(code)

    async def _next_bytes(self) -> bytes:
        """What came; nothing at the connection's end, or when nobody has used it for long."""
        while True:
            patience = asyncio.timeout(IDLE_S)
            try:
                async with patience:
                    return await self._reader.read(_READ_BYTES)
            except TimeoutError:
                if not patience.expired() or not self._streams:
                    return b""

    def _take(self, event: Event) -> None:
        match event:
            case RemoteSettingsChanged():
                self._is_settled = True
            case PingAckReceived():
                self._pings += 1
            case _Leaving():
                self._leave()
                for stream in list(self._streams.values()):
                    if stream.id > event.last:
                        stream.fail("going_away", is_untouched=True)
            case ResponseReceived() | DataReceived() | StreamEnded() | StreamReset():
                self._take_of_stream(event)
            case _:
                pass  # h2 has done what is to be done; nothing of it is about a request
        self._wake()

    def _take_of_stream(
        self, event: ResponseReceived | DataReceived | StreamEnded | StreamReset
    ) -> None:
        stream = self._streams.get(event.stream_id)
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if stream is None:
            return
        stream.is_ended = isinstance(event, StreamEnded | StreamReset)
        match event:
            case ResponseReceived():
                _read_head(stream, event)
            case DataReceived():
                _read_piece(stream, event.data)
            case StreamEnded():
                stream.answer(
                    OutboundAnswer(
                        fate="answered",
                        status=stream.status,
                        headers=stream.headers,
                        body=bytes(stream.body),
                    )
                )
            case StreamReset():
                is_refused = event.error_code == ErrorCodes.REFUSED_STREAM and not stream.status
                stream.fail("stream_refused" if is_refused else "dropped", is_untouched=is_refused)

    def _leave(self) -> None:
        """No new request goes here, and once nothing is under way the connection ends."""
        self._is_leaving = True
        if not self._streams:
            self._writer.close()
        self._wake()

    def _end(self, code: str) -> None:
        """The connection is over, and so is all that was under way on it."""
        self._ended_by = code
        self._leave()
        for stream in list(self._streams.values()):
            stream.fail(code)
        if not self._writer.is_closing():
            self._writer.transport.abort()

    async def _change(self) -> None:
        """Wait until the host has said something, or a request is over."""
        waiting: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiting)
        await waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _push(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def _flush(self) -> None:
        """Write what h2 has ready. Raises: OSError when the connection has gone."""
        self._push()
        await self._writer.drain()


def _read_head(stream: _Stream, event: ResponseReceived) -> None:
    headers = {bytes(name): bytes(text) for name, text in event.headers or ()}
    said = headers.get(b":status", b"")
    if len(said) != len("200") or not said.isdigit():
        stream.fail("answer_invalid")
        return
    stream.status = int(said)
    stream.progress.may_have_reached = True  # who answers has looked, at however little of it
    stream.headers = {
        name.decode("latin-1"): text.decode("latin-1")
        for name, text in headers.items()
        if name.decode("latin-1") in ANSWER_HEADERS
    }
    if headers.get(_ENCODING, _IDENTITY).strip().lower() != _IDENTITY:
        # Values could not be scrubbed out of it, and a small one could unpack to a huge one.
        stream.answer(OutboundAnswer(fate="unclear", status=stream.status, code="answer_encoded"))


def _read_piece(stream: _Stream, data: bytes) -> None:
    stream.body += data
    if len(stream.body) > stream.bytes_max:
        stream.answer(
            OutboundAnswer(
                fate="unclear",
                status=stream.status,
                headers=stream.headers,
                body=bytes(stream.body[: stream.bytes_max]),
                code="too_large",
            )
        )
