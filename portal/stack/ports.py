"""Ports of the embedded stack: the usual ones when they are free, others when they are taken.

Stack only. Everything binds to loopback; a port counts as taken when anything on this host's
loopback, old or new address family, answers on it or holds it. Two stacks that start at the same
moment would both find a port free, because their servers listen only seconds later: so a stack
claims its ports, by a name that the kernel frees when the process ends.
"""

import contextlib
import errno
import socket
from dataclasses import dataclass
from typing import Final

FIRST: Final = 8080
LAST: Final = 8999


@dataclass(frozen=True, slots=True)
class Ports:
    """``portal`` is the DMZ's, ``browser`` the sandbox's pages', ``api`` the sandbox's TLS'."""

    portal: int
    browser: int
    api: int


class Claims:
    """Ports that this process means to use, before any of its servers listens there."""

    def __init__(self) -> None:
        """Nothing is claimed yet."""
        self._held: dict[int, socket.socket] = {}

    def take(self, port: int) -> bool:
        """Claim a port; False when another stack on this host has it.

        An abstract socket's name lives in the network namespace, as ports do, and ends with its
        process; unix(7).
        """
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0harai-port-{port}")
        except OSError:
            claim.close()
            return False
        self._held[port] = claim
        return True

    def release(self) -> None:
        """Give all of them back."""
        for claim in self._held.values():
            claim.close()
        self._held.clear()


def is_free(port: int) -> bool:
    """Whether a server could listen there, and ``localhost`` would lead to it alone."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            # As servers do: a port in TIME_WAIT is free for them.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    continue  # no IPv6 on this host
                return False
    return True


def choose(claims: Claims, preferred: tuple[int, int, int] = (8080, 8081, 8082)) -> Ports:
    """Claim the preferred ports, or for each one taken the next free one up to 8999.

    Raises RuntimeError when there is none.
    """
    chosen: list[int] = []
    for wish in preferred:
        candidates = (one for one in (wish, *range(FIRST, LAST + 1)) if one not in chosen)
        port = next((one for one in candidates if is_free(one) and claims.take(one)), None)
        if port is None:
            msg = f"no free port between {FIRST} and {LAST} on 127.0.0.1: stop something there"
            raise RuntimeError(msg)
        chosen.append(port)
    return Ports(*chosen)
