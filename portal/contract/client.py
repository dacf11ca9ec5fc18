"""The caller's side of the data API: one channel to the vault, many calls at once, reconnecting.

For application, egress and the operator's commands. Holds no authority but the small one that the
vault gave to this channel's certificate; whoever calls passes the principal's own. Errors are
portal.domain.errors by kind, so a caller sees from the type whether repeating is safe.
"""

import asyncio
import random
import ssl
import time
from typing import Final, TypeVar, cast

import msgspec

from portal.contract.envelope import (
    PROTOCOL,
    Answer,
    Authority,
    Call,
    Failure,
    Hello,
    Operation,
    Reply,
    Request,
)
from portal.contract.frames import FrameBuffer, FrameError, to_frame
from portal.contract.onetime import one_time_parameter
from portal.domain.errors import KINDS, InvariantBroken, PortalError, TryLater, Unknown
from portal.kit import limits
from portal.kit.crashpoint import crash_point
from portal.kit.crypto import zone_of

Q = TypeVar("Q", bound=Request)
R = TypeVar("R", bound=Reply)

_HELLO: Final = msgspec.msgpack.Decoder(Hello)
_ANSWER: Final = msgspec.msgpack.Decoder(Answer)
_encode: Final = msgspec.msgpack.Encoder().encode


class _Channel(asyncio.Protocol):
    """One connection: its nonce, its sequence and the calls that wait for answers."""

    def __init__(self) -> None:
        self.hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._frames = FrameBuffer()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._sequence = 0
        self._transport: asyncio.Transport | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.is_open = False

    # --- asyncio.Protocol --------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                self._take(frame)
        except (FrameError, msgspec.MsgspecError):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # the calls learn that the link broke; the system's reason adds nothing for them
        self.is_open = False
        self._may_write.set()
        if not self.hello.done():
            self.hello.set_exception(TryLater("vault_away", context="refused before the nonce"))
            self.hello.exception()  # mark as seen: the connecting side may have timed out
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(Unknown("vault_lost"))

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # --- frames ------------------------------------------------------------------------------
    def _take(self, frame: bytes) -> None:
        if not self.hello.done():
            hello = _HELLO.decode(frame)
            self.is_open = hello.protocol == PROTOCOL
            self.hello.set_result(hello)
            return
        answer = _ANSWER.decode(frame)
        future = self._waiting.pop(answer.sequence, None)
        if future is not None and not future.done():
            future.set_result(answer)

    async def call(
        self, op: Operation[Q, R], body: bytes, authority: Authority | None, timeout_s: float
    ) -> Answer:
        """Send one call and wait for its answer.

        Raises: TryLater ``vault_away`` when nothing was sent; Unknown ``vault_lost`` and
        ``vault_timed_out`` when it was.
        """
        transport, hello = self._transport, self.hello.result()
        if not self._may_write.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._may_write.wait()
            except TimeoutError as fault:
                raise TryLater("vault_busy") from fault
        if transport is None or not self.is_open:
            raise TryLater("vault_away")
        principal = authority or hello.authority
        self._sequence += 1
        sequence = self._sequence
        expires_at = int(time.time()) + limits.PARAMETER_AHEAD_S
        parameter = one_time_parameter(
            principal.key, hello.nonce, sequence, op.name, op.version, expires_at, body
        )
        call = Call(
            sequence, op.name, op.version, expires_at, principal.capability, parameter, body
        )
        try:
            frame = to_frame(_encode(call))
        except ValueError as fault:
            raise InvariantBroken("request_too_large", context=op.name) from fault
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = future
        transport.write(frame)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError as fault:
            raise Unknown("vault_timed_out", context=op.name) from fault
        finally:
            self._waiting.pop(sequence, None)

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()


class VaultClient:
    """Calls to one vault over one multiplexed channel; a lost channel is opened again on demand."""

    def __init__(self, address: str, ssl_context: ssl.SSLContext) -> None:
        """``address`` is a Unix socket's path or ``host:port``; connects at the first call."""
        self._address = address
        self._ssl = ssl_context
        self._channel: _Channel | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._pause_s = 0.0
        self._not_before = 0.0

    @classmethod
    async def connect(
        cls, address: str, ssl_context: ssl.SSLContext, *, wait_s: float = limits.CONNECT_WAIT_S
    ) -> "VaultClient":
        """A client whose channel is open; waits up to ``wait_s`` for a vault that starts.

        Raises: TryLater ``vault_away``.
        """
        client = cls(address, ssl_context)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                await client._open()
            except TryLater:
                if time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(limits.RECONNECT_MIN_S)
            else:
                return client

    async def call(
        self,
        op: Operation[Q, R],
        request: Q,
        authority: Authority | None = None,
        *,
        timeout_s: float = limits.CALL_TIMEOUT_S,
    ) -> R:
        """Run one operation under ``authority`` (None: this channel's own small one).

        Raises: what the operation raised, by kind; TryLater ``vault_away`` or ``vault_busy`` when
        the call was certainly not sent; Unknown ``vault_lost`` or ``vault_timed_out`` when it was
        and no answer came.
        """
        body = _encode(request)
        channel = await self._open()
        crash_point("caller.before_call", op.name)
        answer = await channel.call(op, body, authority, timeout_s)
        crash_point("caller.after_call", op.name)
        if answer.failure is not None:
            raise _to_error(answer.failure, op.name)
        try:
            return msgspec.msgpack.decode(answer.body, type=op.reply)
        except msgspec.MsgspecError as fault:
            raise InvariantBroken("reply_malformed", context=op.name) from fault

    async def close(self) -> None:
        """End the channel; calls still waiting fail with Unknown ``vault_lost``."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()
        await asyncio.sleep(0)

    async def _open(self) -> _Channel:
        if self._channel is not None and self._channel.is_open:
            return self._channel
        async with self._opening:
            if self._channel is not None and self._channel.is_open:
                return self._channel
            if self._closed:
                raise TryLater("vault_away", context="client closed")
            if time.monotonic() < self._not_before:
                raise TryLater("vault_away", retry_after_s=self._pause_s)
            try:
                self._channel = await self._dial()
            except TryLater:
                longer = max(limits.RECONNECT_MIN_S, self._pause_s * 2)
                self._pause_s = min(limits.RECONNECT_MAX_S, longer)
                spread = 0.5 + random.random() / 2  # noqa: S311  # spreads retries, guards nothing
                self._not_before = time.monotonic() + self._pause_s * spread
                raise
            self._pause_s = self._not_before = 0.0
            return self._channel

    async def _dial(self) -> _Channel:
        """Open one channel. Raises: TryLater ``vault_away``."""
        channel = _Channel()
        try:
            async with asyncio.timeout(limits.HANDSHAKE_TIMEOUT_S):
                await self._reach(channel)
                hello = await channel.hello
        except (OSError, TimeoutError) as fault:
            raise TryLater("vault_away", context=type(fault).__name__) from fault
        finally:
            if not channel.is_open:  # refused, too late, canceled or another protocol
                channel.close()
        if hello.protocol != PROTOCOL:
            raise TryLater("vault_away", context="another protocol")
        return channel

    async def _reach(self, channel: _Channel) -> None:
        """Connect and make sure that it is a vault that answers. Raises: OSError, TryLater."""
        loop = asyncio.get_running_loop()
        host, _, port = self._address.rpartition(":")
        if host and port.isdecimal():
            transport, _ = await loop.create_connection(
                lambda: channel, host, int(port), ssl=self._ssl, server_hostname=""
            )
        else:
            transport, _ = await loop.create_unix_connection(
                lambda: channel, self._address, ssl=self._ssl, server_hostname=""
            )
        if zone_of(transport.get_extra_info("ssl_object")) != "vault":
            channel.close()
            raise TryLater("vault_away", context="the peer is no vault")


def _to_error(failure: Failure, operation: str) -> PortalError:
    """The error of its kind; a kind that a newer vault invented counts as refused."""
    if failure.kind == TryLater.kind:
        return TryLater(
            failure.code,
            params=failure.params,
            context=operation,
            retry_after_s=failure.retry_after_s,
        )
    leaf = KINDS.get(failure.kind, KINDS["refused"])
    return leaf(failure.code, params=failure.params, context=operation)
