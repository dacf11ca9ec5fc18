"""One tunnel: a caller's connection, its ClientHello, and the bytes both ways.

Zone: egress. Two protocols that write into each other's transports, so that back-pressure and
half-close pass through: a side whose buffer is full stops the other from reading, an end of stream
is handed on while the other direction still flows. Bytes up are booked before they are passed on.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Literal, Protocol, cast

from portal.egress.callers import Caller, caller_of
from portal.egress.denial import Denied
from portal.egress.head import ConnectHead, HeadRefused, read_head
from portal.egress.hello import check_hello
from portal.egress.policy import RuleBook
from portal.egress.record import Record
from portal.egress.rule import Rule

HEAD_DEADLINE_S: Final = 5.0
HELLO_DEADLINE_S: Final = 5.0

LINGER_S: Final = 10.0
"""How long a side may take to read what is left for it after the tunnel has ended."""

STATUS: Final = {
    "relay_busy": 429,
    "quota_spent": 429,
    "dns_failed": 502,
    "connect_failed": 502,
    "timed_out": 504,
    "host_differs": 400,
}
"""Status of a denial; 403 for all others."""

State = Literal["head", "dialing", "hello", "open", "closed"]


class Keeper(Protocol):
    """What a tunnel needs of the relay that keeps it (``portal.egress.relay``)."""

    book: RuleBook
    record: Record
    callers: Mapping[int, frozenset[str]]
    tasks: asyncio.TaskGroup

    def opened(self, tunnel: "Tunnel") -> bool:
        """Take a new connection on; False when there are too many."""
        ...

    def closed(self, tunnel: "Tunnel", why: str) -> None:
        """Forget a connection."""
        ...

    def rule_for(self, tunnel: "Tunnel", head: ConnectHead) -> Rule:
        """The rule for a tunnel, with a place under it; raises Denied."""
        ...

    async def dial(self, rule: Rule, tunnel: "Tunnel") -> "Outside":
        """A connection to the rule's host; raises Denied."""
        ...


class Tunnel(asyncio.Protocol):
    """The caller's side, and the one that decides; ``rule`` is set once it is let through."""

    def __init__(self, relay: Keeper) -> None:
        """A connection that has said nothing yet."""
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outside: Outside | None = None
        self._state: State = "head"
        self._buffer = bytearray()
        self._deadline: asyncio.TimerHandle | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._caller_ended = False
        self.caller = Caller(-1, frozenset())
        self.rule: Rule | None = None
        self.made_at = self.active_at = self._loop.time()

    # --- what the relay asks for ------------------------------------------------------------
    def end(self, why: str) -> None:
        """Cut both sides at once."""
        self._close(why, abort=True)

    # --- the caller's side ------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: a caller has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self.caller = caller_of(transport, self._relay.callers)
        if not self._relay.opened(self):
            self._refuse(429, "relay_busy", "", 0)
        elif not self.caller.roles:
            self._refuse(403, "caller_unknown", "", 0)
        else:
            self._start_deadline(HEAD_DEADLINE_S, "head_timed_out")

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes from the caller, in whichever phase."""
        self.active_at = self._loop.time()
        match self._state:
            case "head":
                self._buffer += data
                self._read_head()
            case "dialing":
                self._refuse(400, "data_before_answer", "", 0)
            case "hello":
                self._buffer += data
                self._read_hello()
            case "open":
                self._pass_up(data)
            case "closed":
                pass

    def eof_received(self) -> bool:
        """Asyncio: the caller will say no more; True keeps its other direction open."""
        if self._state != "open" or self._outside is None:
            self._close("caller_left", abort=True)
            return False
        self._caller_ended = True
        self._outside.write_end()
        return not self._close_if_both_ended()

    def pause_writing(self) -> None:
        """Asyncio: the caller reads slowly, so the outside is read slowly too."""
        if self._outside is not None:
            self._outside.set_reading(flowing=False)

    def resume_writing(self) -> None:
        """Asyncio: the caller has caught up."""
        if self._outside is not None:
            self._outside.set_reading(flowing=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the caller is gone."""
        self._close("caller_left" if exc is None else "caller_lost", abort=exc is not None)

    # --- the outside's side, told by Outside -------------------------------------------------
    def outside_said(self, data: bytes) -> None:
        """Bytes from the outside; none are due before the ClientHello has been checked."""
        self.active_at = self._loop.time()
        if self._state == "open" and self._transport is not None and self.rule is not None:
            self._relay.record.metrics.bytes_down.labels(self.rule.id).inc(len(data))
            self._transport.write(data)
        else:
            self._close("outside_first", abort=True)

    def outside_ended(self) -> bool:
        """End of stream from the outside; True keeps its other direction open."""
        if self._state != "open" or self._transport is None:
            self._close("outside_left", abort=True)
            return False
        self._transport.write_eof()
        return not self._close_if_both_ended()

    def outside_lost(self, exc: Exception | None) -> None:
        """The connection to the outside is gone."""
        self._close("outside_left" if exc is None else "outside_lost", abort=exc is not None)

    def set_reading(self, *, flowing: bool) -> None:
        """Read from the caller only while the outside takes it."""
        _set_reading(self._transport, flowing=flowing)

    # --- phases -----------------------------------------------------------------------------
    def _read_head(self) -> None:
        try:
            head = read_head(self._buffer)
        except HeadRefused as refused:
            self._refuse(refused.status, refused.code, "", 0)
            return
        if head is not None:
            self._buffer.clear()
            self._state = "dialing"
            self._stop_deadline()
            self._dialing = self._relay.tasks.create_task(self._open(head))

    async def _open(self, head: ConnectHead) -> None:
        """Decide, dial, and answer 200; the next bytes must be a ClientHello."""
        try:
            rule = self._relay.rule_for(self, head)
            # Counted against the rule from here on, so that many dials at once can't pass it.
            self.rule = rule
            self._relay.record.metrics.tunnels.labels(rule.id).inc()
            self._outside = await self._relay.dial(rule, self)
        except Denied as denied:
            self._dialing = None
            self._refuse(STATUS.get(denied.code, 403), denied.code, head.host, head.port)
            return
        self._dialing = None
        if self._state == "closed" or self._transport is None:
            self._outside.close(abort=True)
            return
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._state = "hello"
        self._start_deadline(HELLO_DEADLINE_S, "hello_timed_out")

    def _read_hello(self) -> None:
        rule = self.rule
        if rule is None:
            return
        try:
            if not check_hello(self._buffer, rule.host):
                return
        except Denied as denied:
            self._relay.record.denied(self.caller, "tunnel", rule.host, rule.port, denied.code)
            self._close(denied.code, abort=True)
            return
        self._stop_deadline()
        self._state = "open"
        hello = bytes(self._buffer)
        self._buffer.clear()
        self._pass_up(hello)

    def _pass_up(self, data: bytes) -> None:
        if self.rule is None or self._outside is None:
            return
        try:
            self._relay.book.quotas.spend(self.rule, len(data))
        except Denied as denied:
            rule = self.rule
            self._relay.record.denied(self.caller, "tunnel", rule.host, rule.port, denied.code)
            self._close(denied.code, abort=True)
            return
        self._relay.record.metrics.bytes_up.labels(self.rule.id).inc(len(data))
        self._outside.write(data)

    # --- ends -------------------------------------------------------------------------------
    def _refuse(self, status: int, code: str, host: str, port: int) -> None:
        """Answer the head with a stable code in the reason phrase, and close."""
        self._relay.record.denied(self.caller, "tunnel", host, port, code)
        if self._transport is not None and self._state != "closed":
            lines = (f"HTTP/1.1 {status} {code}", "Content-Length: 0", "Connection: close", "", "")
            self._transport.write("\r\n".join(lines).encode())
        self._close(code, abort=False)

    def _close_if_both_ended(self) -> bool:
        if self._outside is None or not (self._caller_ended and self._outside.has_ended):
            return False
        self._close("done", abort=False)
        return True

    def _close(self, why: str, *, abort: bool) -> None:
        """Close both sides once: at once, or after what is still to be written."""
        if self._state == "closed":
            return
        self._state = "closed"
        self._stop_deadline()
        if self._dialing is not None:
            self._dialing.cancel()
        if self._outside is not None:
            self._outside.close(abort=abort)
        _close_transport(self._transport, abort=abort)
        self._relay.closed(self, why)

    def _start_deadline(self, after_s: float, code: str) -> None:
        self._deadline = self._loop.call_later(after_s, self._late, code)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self, code: str) -> None:
        if self._state == "head":
            self._refuse(408, code, "", 0)
        elif self.rule is not None:
            self._relay.record.denied(self.caller, "tunnel", self.rule.host, self.rule.port, code)
            self._close(code, abort=True)


class Outside(asyncio.Protocol):
    """The far side of a tunnel: passes everything on to it."""

    def __init__(self, tunnel: Tunnel) -> None:
        """The tunnel that dials."""
        self._tunnel = tunnel
        self._transport: asyncio.Transport | None = None
        self.has_ended = False

    def write(self, data: bytes) -> None:
        """Send bytes to the outside."""
        if self._transport is not None:
            self._transport.write(data)

    def write_end(self) -> None:
        """Hand the caller's end of stream on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def set_reading(self, *, flowing: bool) -> None:
        """Read from the outside only while the caller takes it."""
        _set_reading(self._transport, flowing=flowing)

    def close(self, *, abort: bool) -> None:
        """Close, at once or after what is still to be written."""
        _close_transport(self._transport, abort=abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: dialled."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes for the caller."""
        self._tunnel.outside_said(data)

    def eof_received(self) -> bool:
        """Asyncio: the outside will say no more."""
        self.has_ended = True
        return self._tunnel.outside_ended()

    def pause_writing(self) -> None:
        """Asyncio: the outside reads slowly."""
        self._tunnel.set_reading(flowing=False)

    def resume_writing(self) -> None:
        """Asyncio: the outside has caught up."""
        self._tunnel.set_reading(flowing=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the outside is gone."""
        self._tunnel.outside_lost(exc)


def _set_reading(transport: asyncio.Transport | None, *, flowing: bool) -> None:
    if transport is None or transport.is_closing():
        return
    if flowing:
        transport.resume_reading()
    else:
        transport.pause_reading()


def _close_transport(transport: asyncio.Transport | None, *, abort: bool) -> None:
    """Close at once, or after what is still to be written, but not for ever."""
    if transport is None:
        return
    if abort:
        transport.abort()
    else:
        transport.close()
        asyncio.get_running_loop().call_later(LINGER_S, transport.abort)
