"""HTTP/2 connections of the relay's, one for each host and the terms that it is written to by.

Zone: egress. A connection goes to an address that the relay's resolver judged, over TLS whose
certificate verifies for the rule's host and whose ALPN says h2, or not at all. Two apps share none:
a service may tell whose a connection is by the first token that it saw on it.
"""

import asyncio
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from portal.domain.push import HTTPS_PORT
from portal.egress.denial import Denied
from portal.egress.dial import dial
from portal.egress.http2 import Headers, Link, NotBegun, Progress
from portal.egress.pushing import Pushing
from portal.egress.resolve import Resolver
from portal.egress.rule import Rule
from portal.egress.template import Filled
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

USER_AGENT: Final = "harai"
ALPN: Final = "h2"
TRIES: Final = 3
"""Connections that may turn out to take nothing more before a request was begun on one."""

_Where = tuple[str, int, str | None, Pushing | None]


def _where(rule: Rule) -> _Where:
    return (rule.host, rule.port, rule.address, rule.pushing)


@dataclass(slots=True)
class _Place:
    """The connection in use, if there is one; one at a time is made or asked."""

    link: Link | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Links:
    """Connections by host, port and terms; made when they are needed."""

    def __init__(self, resolver: Resolver, tls_for: Callable[[Rule], ssl.SSLContext]) -> None:
        """Names are judged by ``resolver``; ``tls_for`` trusts what a rule may, and offers h2."""
        self._resolver = resolver
        self._tls_for = tls_for
        self._places: dict[_Where, _Place] = {}
        self._open: set[Link] = set()

    async def exchange(
        self, rule: Rule, request: OutboundRequest, filled: Filled, progress: Progress
    ) -> OutboundAnswer:
        """Send one request, once; a connection that took none of it is replaced.

        Raises: Denied, OSError, as :meth:`Link.exchange` and :meth:`Resolver.addresses`, and
            ``protocol_missing`` where the host does not agree to HTTP/2.
        """
        head = _head(rule, request, filled)
        for _ in range(TRIES):
            link = await self._fit(rule)
            try:
                return await link.exchange(head, filled.body, rule.answer_bytes_max, progress)
            except NotBegun:
                continue
        raise Denied("going_away")

    def close(self) -> None:
        """Close every connection."""
        for link in self._open:
            link.close()
        self._open.clear()
        self._places.clear()

    async def _fit(self, rule: Rule) -> Link:
        place = self._places.setdefault(_where(rule), _Place())
        async with place.asking:
            if place.link is None or not await place.link.is_fit():
                place.link = None
                place.link = await self._connect(rule)
            return place.link

    async def _connect(self, rule: Rule) -> Link:
        tls = self._tls_for(rule)
        dialled = await dial(self._resolver, rule)
        async with asyncio.timeout(rule.connect_timeout_s):
            reader, writer = await asyncio.open_connection(
                sock=dialled, ssl=tls, server_hostname=rule.host
            )
            link = Link(reader, writer)
            with _closed_unless_good(link):
                chosen: ssl.SSLObject = writer.get_extra_info("ssl_object")
                if chosen.selected_alpn_protocol() != ALPN:
                    raise Denied("protocol_missing")
                await link.start()
        self._open = {one for one in self._open if not one.is_over} | {link}
        return link


@contextmanager
def _closed_unless_good(link: Link) -> Generator[None]:
    try:
        yield
    except BaseException:
        link.close()
        raise


def _head(rule: Rule, request: OutboundRequest, filled: Filled) -> Headers:
    """The request's head. Source: RFC 9113 §8.2 (names in small letters), §8.3.1."""
    authority = rule.host if rule.port == HTTPS_PORT else f"{rule.host}:{rule.port}"
    return (
        (":method", request.method),
        (":scheme", "https"),
        (":authority", authority),
        (":path", request.path),
        *((name.lower(), text) for name, text in filled.headers.items()),
        ("user-agent", USER_AGENT),
        ("accept-encoding", "identity"),
        ("content-length", str(len(filled.body))),
    )
