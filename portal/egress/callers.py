"""Who is at the other end of a Unix socket: the kernel says the uid, the settings say its role.

Zone: egress. Nothing that a caller sends can change what it is. Where zones share one uid (the
stack started by an ordinary user) that uid has several roles and the border is only logical;
``portal doctor`` says so.
"""

import asyncio
import socket
import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_CREDENTIALS: Final = struct.Struct("3i")
"""struct ucred of Linux: pid, uid, gid. Source: unix(7), SO_PEERCRED."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A process on the other side; no roles means unknown."""

    uid: int
    roles: frozenset[str]

    @property
    def name(self) -> str:
        """Its roles for journal and metrics, or ``unknown``."""
        return "+".join(sorted(self.roles)) or "unknown"


def read_callers(text: str) -> dict[int, frozenset[str]]:
    """``61002=web,61003=work`` as uid → roles; a uid may stand more than once.

    Raises: ValueError for anything else, an empty list too.
    """
    roles: dict[int, set[str]] = defaultdict(set)
    for item in text.split(","):
        uid, equals, role = item.strip().partition("=")
        if not equals or not uid.isascii() or not uid.isdecimal() or not role.isidentifier():
            msg = "expected uid=role pairs with commas between"
            raise ValueError(msg)
        roles[int(uid)].add(role)
    return {uid: frozenset(names) for uid, names in roles.items()}


def caller_of(transport: asyncio.BaseTransport, callers: Mapping[int, frozenset[str]]) -> Caller:
    """The process that connected, by its socket's credentials at the time of connecting."""
    raw = transport.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return Caller(uid, callers.get(uid, frozenset()))
