"""The frames of the data API's channel: what travels between a caller and the vault.

A frame is a 4-byte big-endian length and that many bytes of msgpack. The vault speaks first
(:class:`Hello`); then the caller sends :class:`Call` frames, as many at once as it likes, and the
vault answers each with an :class:`Answer` in whatever order they finish.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

PROTOCOL: Final = 1
"""Version of the frames themselves; operations carry versions of their own."""

FRAME_BYTES_MAX: Final = 2 * 1024 * 1024
"""Longest frame either side accepts: a 1 MiB file part and its envelope fit."""

PARAMETER_LIFE_S: Final = 30
"""How far ahead, at most, a one-time parameter may expire."""

Q = TypeVar("Q", bound="Request")
R = TypeVar("R", bound="Reply")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every request: an unknown field is refused."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every reply: it may grow, an older caller skips what it does not know."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values inside requests and replies."""


class Nothing(Request, frozen=True, kw_only=True):
    """The request of an operation whose authority says it all."""


class Done(Reply, frozen=True, kw_only=True):
    """The reply of an operation that either works or raises."""


class Authority(Part, frozen=True, kw_only=True):
    """A capability with its key: whoever holds both may act; see portal.vault.capability.

    ``capability`` is opaque to every zone but the vault. ``expires_at`` is in unix seconds.
    """

    capability: bytes
    key: bytes
    expires_at: int

    def __repr__(self) -> str:
        """Never print the key."""
        return f"Authority(expires_at={self.expires_at})"


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """First frame, vault to caller: the channel's nonce and the caller's own small authority."""

    protocol: int
    instance: str
    nonce: bytes
    authority: Authority


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One request: ``parameter`` is the one-time parameter over all the rest."""

    sequence: int
    operation: str
    version: int
    expires_at: int
    capability: bytes
    parameter: bytes
    body: bytes


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """Why a call failed: a leaf of portal.domain.errors by its kind, without our context."""

    kind: str
    code: str
    params: dict[str, str | int] = {}
    retry_after_s: float = 0.0


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The reply to the call of the same sequence: exactly one of ``body`` and ``failure``."""

    sequence: int
    body: bytes = b""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Operation(Generic[Q, R]):
    """A business act of the vault: its name, version and the types that cross the border."""

    name: str
    request: type[Q]
    reply: type[R]
    version: int = 1
