"""One channel: the vault's end of a caller's connection. Bounded in bytes, calls and time.

Frames in, answers out, in whatever order calls finish. A peer that breaks the protocol or sends a
frame a second time is cut off; the others don't notice. Nothing here knows what a call means.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, cast
from uuid import UUID

import msgspec

from portal.contract.envelope import (
    FRAME_BYTES_MAX,
    PROTOCOL,
    Answer,
    Authority,
    Call,
    Failure,
    Hello,
)
from portal.contract.frames import FrameBuffer, FrameError, to_frame
from portal.domain.errors import InvariantBroken, PortalError, TryLater
from portal.kit import limits, log
from portal.kit.crypto import sha256, zone_of
from portal.vault.gate import Peer
from portal.vault.onetime import ReplayError, Sequence
from portal.vault.registry import CALLERS

_CALL: Final = msgspec.msgpack.Decoder(Call)
_encode: Final = msgspec.msgpack.Encoder().encode
_log = log.get_logger()

Serve = Callable[[Call, Peer], Awaitable[bytes]]
"""Runs one call to the bytes of its reply; raises portal.domain.errors."""


class Host:
    """What a channel needs of its server."""

    def __init__(
        self,
        *,
        instance: str,
        serve: Serve,
        greet: Callable[[str, UUID], Authority],
        report: Callable[[Peer, str], None],
    ) -> None:
        """``greet`` mints the caller's own authority, ``report`` records an incident."""
        self.instance = instance
        self.serve = serve
        self.greet = greet
        self.report = report
        self.channels: set[Channel] = set()


class Channel(asyncio.Protocol):
    """The vault's end of one connection."""

    def __init__(self, host: Host) -> None:
        """Wait for the TLS handshake."""
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._frames = FrameBuffer()
        self._sequence = Sequence()
        self._calls: set[asyncio.Task[None]] = set()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._is_reading = True
        self._may_write = True
        self._is_draining = False
        self._deadline: asyncio.TimerHandle | None = None

    # --- asyncio.Protocol --------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet a caller whose certificate we know; anyone else sees the end of the stream."""
        self._transport = stream = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        tls = stream.get_extra_info("ssl_object")
        caller = zone_of(tls)
        certificate: bytes = tls.getpeercert(binary_form=True) or b""
        if caller not in CALLERS or len(self._host.channels) >= limits.CHANNELS_MAX:
            _log.warning("channel.refused", caller=str(caller))
            stream.abort()
            return
        identity = UUID(bytes=sha256(certificate)[:16])
        self._peer = Peer(caller, identity, secrets.token_bytes(32))
        self._host.channels.add(self)
        authority = self._host.greet(caller, identity)
        hello = Hello(PROTOCOL, self._host.instance, self._peer.nonce, authority)
        stream.write(to_frame(_encode(hello)))

    def data_received(self, data: bytes) -> None:
        """Start every call that is complete; stop reading when too much is in flight."""
        if self._peer is None:
            return
        try:
            frames = self._frames.feed(data)
        except FrameError:
            self._break_off(self._peer, "protocol_broken")
            return
        self._waiting.extend(frames)
        self._watch_frame(has_progressed=bool(frames))
        self._begin_waiting()

    def _break_off(self, peer: Peer, code: str) -> None:
        """Cut off a caller that no honest program of ours can be."""
        self._waiting.clear()
        self._host.report(peer, code)
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the channel. Running calls end by themselves; those that only wait are ended."""
        del exc  # whatever the reason was, the caller is gone
        self._host.channels.discard(self)
        self._transport = None
        self._waiting.clear()
        self._stop_deadline()
        for task in self._calls:
            if task.get_name() == "await_work":
                task.cancel()

    def pause_writing(self) -> None:
        """The caller reads too slowly: take no further calls from it."""
        self._may_write = False
        self._regulate()

    def resume_writing(self) -> None:
        """It caught up."""
        self._may_write = True
        self._begin_waiting()

    # --- calls -------------------------------------------------------------------------------
    def _begin_waiting(self) -> None:
        """Start calls in the order they came, as many as the bounds allow."""
        peer = self._peer
        while self._waiting and self._has_room() and peer is not None:
            try:
                self._begin(self._waiting.popleft(), peer)
            except ReplayError:
                self._break_off(peer, "sequence_replayed")
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self._break_off(peer, "protocol_broken")
        self._regulate()

    def _begin(self, frame: bytes, peer: Peer) -> None:
        call = _CALL.decode(frame)
        self._sequence.advance(call.sequence)
        self._bytes += len(frame)
        # Not a task group: one call's fate must not be its neighbours'. The set holds the task.
        task = asyncio.get_running_loop().create_task(
            self._run(call, peer, len(frame)), name=call.operation
        )
        self._calls.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._begin_waiting()

    async def _run(self, call: Call, peer: Peer, size: int) -> None:
        try:
            answer = Answer(call.sequence, body=await self._host.serve(call, peer))
        except PortalError as fault:
            _report(fault, call)
            answer = Answer(call.sequence, failure=to_failure(fault))
        except Exception:  # noqa: BLE001  # one of the product's four doors: no fault passes it
            _log.exception("call.broken", operation=_name(call))
            answer = Answer(call.sequence, failure=Failure("invariant", "internal"))
        finally:
            self._bytes -= size
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        body = _encode(answer)
        if len(body) > FRAME_BYTES_MAX:
            _log.error("reply.too_large", bytes=len(body))
            body = _encode(Answer(answer.sequence, failure=Failure("invariant", "internal")))
        self._transport.write(to_frame(body))

    # --- bounds ------------------------------------------------------------------------------
    def _has_room(self) -> bool:
        return (
            len(self._calls) < limits.CALLS_IN_FLIGHT_MAX
            and self._bytes < limits.CALL_BYTES_IN_FLIGHT_MAX
            and self._may_write
        )

    def _regulate(self) -> None:
        """Read only while everything that came could be started."""
        if self._transport is None or self._transport.is_closing():
            return
        may_read = not self._waiting and self._has_room() and not self._is_draining
        if may_read and not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()
        elif not may_read and self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()
        if not self._is_reading:  # we stopped, so the sender is not to blame
            self._stop_deadline()

    def _watch_frame(self, *, has_progressed: bool) -> None:
        """Give every unfinished frame its own deadline."""
        if has_progressed or not self._frames.is_mid_frame:
            self._stop_deadline()
        if self._frames.is_mid_frame and self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(limits.FRAME_DEADLINE_S, self.close)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def close(self) -> None:
        """Cut the caller off."""
        if self._transport is not None:
            self._transport.abort()

    async def drain(self, timeout_s: float) -> None:
        """Take no more calls, let the running ones answer for a while, then cut off."""
        self._is_draining = True
        self._waiting.clear()
        self._regulate()
        for task in self._calls:
            if task.get_name() == "await_work":
                task.cancel()
        if self._calls:
            await asyncio.wait(self._calls, timeout=timeout_s)
        if self._transport is not None:
            self._transport.close()


def to_failure(fault: PortalError) -> Failure:
    """The part of an error that may leave the zone: never its context."""
    retry_after_s = fault.retry_after_s if isinstance(fault, TryLater) else 0.0
    return Failure(fault.kind, fault.code, fault.params, retry_after_s)


def _report(fault: PortalError, call: Call) -> None:
    if isinstance(fault, InvariantBroken):
        _log.error(
            "call.broken",
            operation=_name(call),
            code=fault.code,
            reason=fault.context,
            exc_info=fault,
        )
    else:
        _log.info("call.refused", operation=_name(call), code=fault.code, kind=fault.kind)


def _name(call: Call) -> str:
    return call.operation if call.operation.isidentifier() else "?"
