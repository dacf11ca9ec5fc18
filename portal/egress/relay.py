"""The exceptional mode: CONNECT tunnels to listed hosts, on a socket of its own.

Zone: egress. The caller speaks TLS through the relay, which sees only names and sizes; so a tunnel
is a road out for whoever has an account at the host, and is bounded by the rule's bytes, by idle
time and by a life of ten minutes. The head is answered before anything else is read; the
ClientHello must name the host of the CONNECT. On the stdlib's loop only: uvloop crashes when both
sides half-close.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from portal.egress.denial import Denied
from portal.egress.head import ConnectHead
from portal.egress.policy import RuleBook
from portal.egress.record import Record
from portal.egress.resolve import Resolver
from portal.egress.rule import Rule
from portal.egress.rules import TUNNEL_LIFE_S
from portal.egress.server import SOCKET_MODE
from portal.egress.tunnel import Outside, Tunnel
from portal.kit.clock import Clock
from portal.kit.log import get_logger

TUNNELS_MAX: Final = 1_000
SWEEP_S: Final = 1.0

_log = get_logger()


@dataclass(slots=True)
class TunnelRelay:
    """All tunnels of one relay. ``tasks`` is the group that dials for them."""

    book: RuleBook
    resolver: Resolver
    record: Record
    clock: Clock
    callers: Mapping[int, frozenset[str]]
    tasks: asyncio.TaskGroup
    life_s: float = TUNNEL_LIFE_S
    _server: asyncio.Server | None = None
    _tunnels: set[Tunnel] = field(default_factory=set[Tunnel])
    _none_open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Nothing is open yet."""
        self._none_open.set()

    async def listen(self, path: Path) -> None:
        """Accept callers on ``path``, replacing a socket that a dead relay left behind."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Tunnel(self), str(path))
        await asyncio.to_thread(path.chmod, SOCKET_MODE)

    async def sweep(self) -> None:
        """End, every second, what has been idle or alive too long or lost its rule. Endless."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep_once()

    def sweep_once(self) -> None:
        """One round of :meth:`sweep`; at once after the rules have changed."""
        now = asyncio.get_running_loop().time()
        moment = self.clock.wall()
        for tunnel in list(self._tunnels):
            rule = tunnel.rule
            if rule is None:
                continue
            if not self.book.policy.has_effective(rule, moment):
                self.record.denied(tunnel.caller, "tunnel", rule.host, rule.port, "rule_withdrawn")
                tunnel.end("rule_withdrawn")
            elif now - tunnel.active_at > rule.idle_timeout_s:
                tunnel.end("idle")
            elif now - tunnel.made_at > self.life_s:
                tunnel.end("life")

    async def drain(self, wait_s: float) -> None:
        """Accept nothing more, let open tunnels end by themselves, then cut them."""
        self._stop_accepting()
        for tunnel in list(self._tunnels):
            if tunnel.rule is None:
                tunnel.end("drained")
        try:
            async with asyncio.timeout(wait_s):
                await self._none_open.wait()
        except TimeoutError:
            _log.warning("egress.tunnels_cut", count=len(self._tunnels))
        self.close()

    def close(self) -> None:
        """Cut every tunnel at once."""
        self._stop_accepting()
        for tunnel in list(self._tunnels):
            tunnel.end("drained")

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def opened(self, tunnel: Tunnel) -> bool:
        """Take a new connection on; False when there are too many."""
        if len(self._tunnels) >= TUNNELS_MAX:
            return False
        self._tunnels.add(tunnel)
        self._none_open.clear()
        return True

    def closed(self, tunnel: Tunnel, why: str) -> None:
        """Forget a connection."""
        self._tunnels.discard(tunnel)
        if not self._tunnels:
            self._none_open.set()
        if tunnel.rule is not None:
            self.record.metrics.tunnels.labels(tunnel.rule.id).dec()
            self.record.metrics.tunnels_closed.labels(tunnel.rule.id, why).inc()

    def rule_for(self, tunnel: Tunnel, head: ConnectHead) -> Rule:
        """The rule for a tunnel, with a place under it.

        Raises: Denied ``host_not_listed``, ``rule_expired``, ``host_differs`` or ``relay_busy``.
        """
        rule = self.book.policy.decide_tunnel(
            tunnel.caller.roles, host=head.host, port=head.port, now=self.clock.wall()
        )
        if not head.is_host_same:
            raise Denied("host_differs")
        ruled = (other.rule for other in self._tunnels)
        if (
            sum(other is not None and other.id == rule.id for other in ruled)
            >= rule.concurrency_max
        ):
            raise Denied("relay_busy")
        return rule

    async def dial(self, rule: Rule, tunnel: Tunnel) -> Outside:
        """A connection to the first address that answers, by its literal.

        Raises: Denied ``dns_failed``, ``name_not_public``, ``connect_failed`` or ``timed_out``.
        """
        loop = asyncio.get_running_loop()
        addresses = await self.resolver.addresses(rule)
        try:
            async with asyncio.timeout(rule.connect_timeout_s):
                for address in addresses:
                    try:
                        _, outside = await loop.create_connection(
                            lambda: Outside(tunnel), address, rule.port
                        )
                    except TimeoutError:
                        raise
                    except OSError:
                        continue
                    return outside
        except TimeoutError as error:
            raise Denied("timed_out") from error
        raise Denied("connect_failed")
