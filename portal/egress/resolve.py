"""Names to addresses, at the relay only, and never to one that is not public.

Zone: egress. A name is resolved once for a connection and the address found is what is dialled, so
there is no second answer to rebind to. One answer that is not public refuses the whole name:
taking the public one of a mixed answer would let the name's owner choose. Lookups run in threads
of their own, because getaddrinfo blocks, and a few hung names would stop the loop's shared ones.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from portal.domain.address import is_public
from portal.egress.denial import Denied
from portal.egress.rule import Rule

LOOKUP_TIMEOUT_S: Final = 5.0
THREADS: Final = 8
PIN_S: Final = 30.0
"""How long an answer is used again: getaddrinfo tells no TTL; 5 to 60 s is the usual pin."""
ADDRESSES_MAX: Final = 8
NAMES_MAX: Final = 1_000

Lookup = Callable[[str], Sequence[str]]
"""A name to its addresses as text; blocks; raises OSError."""


def look_up(name: str) -> list[str]:
    """Ask the system's resolver for a fully qualified name, without search suffixes.

    Raises: OSError (socket.gaierror) when it does not resolve.
    """
    found = socket.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Judged addresses of names; answers are pinned for PIN_S, failures are not kept."""

    def __init__(self, lookup: Lookup = look_up) -> None:
        """``lookup`` is the system's resolver everywhere but in tests of hostile answers."""
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")
        self._under_way: dict[str, asyncio.Future[Sequence[str]]] = {}
        self._pinned: dict[str, tuple[float, list[str]]] = {}

    async def addresses(self, rule: Rule) -> list[str]:
        """The addresses to dial for the rule's host: its pin, or what DNS says now.

        Raises: Denied ``dns_failed`` when there is no answer in LOOKUP_TIMEOUT_S,
        ``name_not_public`` when any address of the answer is not plainly public.
        """
        if rule.address is not None:
            return [rule.address]
        return await self.public_addresses(rule.host)

    async def public_addresses(self, host: str) -> list[str]:
        """The addresses of a name, all of them public; raises as :meth:`addresses`."""
        now = asyncio.get_running_loop().time()
        pinned = self._pinned.get(host)
        if pinned is not None and now < pinned[0]:
            return pinned[1]
        answer = await self._ask(host)
        addresses = _judge(answer)
        if len(self._pinned) >= NAMES_MAX:
            self._pinned.clear()
        self._pinned[host] = (now + PIN_S, addresses)
        return addresses

    def close(self) -> None:
        """Let the threads end; hung ones are left to the process' end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, host: str) -> Sequence[str]:
        """One lookup of a name at a time: a hung name holds one thread, however often asked."""
        under_way = self._under_way.get(host)
        if under_way is None:
            loop = asyncio.get_running_loop()
            under_way = loop.run_in_executor(self._threads, self._lookup, host)
            self._under_way[host] = under_way
            under_way.add_done_callback(lambda done: self._forget(host, done))
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                return await asyncio.shield(under_way)
        except (OSError, UnicodeError) as error:
            # TimeoutError is an OSError.
            raise Denied("dns_failed") from error

    def _forget(self, host: str, done: asyncio.Future[Sequence[str]]) -> None:
        self._under_way.pop(host, None)
        if not done.cancelled():
            done.exception()  # looked at, or asyncio would complain about nobody waiting any more


def _judge(answer: Sequence[str]) -> list[str]:
    if not answer:
        raise Denied("dns_failed")
    try:
        addresses: list[IPv4Address | IPv6Address] = [ip_address(text) for text in answer]
    except ValueError as error:
        raise Denied("name_not_public") from error
    if not all(is_public(address) for address in addresses):
        raise Denied("name_not_public")
    return [str(address) for address in addresses[:ADDRESSES_MAX]]
