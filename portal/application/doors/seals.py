"""Values that leave with the browser and come back unread and unchanged: cookies, tokens, cursors.

Zone: application. AES-256-GCM-SIV under the cookie key; what a value is for is authenticated with
it, so a cursor can't be presented as a cookie nor one bill's cookie as another's. The key is the
installation's; nothing here is stored.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, TypeVar

import msgspec

from portal.domain.errors import InvariantBroken
from portal.kit.crypto import open_sealed, seal

T = TypeVar("T")

_SEALED_MAX: Final = 4096
"""Longest sealed text that is looked at; a cookie can't be longer either (RFC 6265 §6.1)."""


def to_text(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes:
    """Read base64url without padding; ValueError for anything else."""
    if not text.isascii():
        msg = "not base64url"
        raise ValueError(msg)
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Seals:
    """Seals values of one installation. ``purpose`` separates the kinds of values."""

    def __init__(self, key: bytes, instance: str) -> None:
        """Keep the installation's cookie key and its name."""
        self._key = key
        self._instance = instance

    def seal(self, purpose: str, value: object) -> str:
        """Seal a Struct (or any msgpack value) for one purpose; the text fits cookies and paths."""
        return to_text(seal(self._key, msgspec.msgpack.encode(value), self._bound_to(purpose)))

    def unseal(self, purpose: str, text: str, type_: type[T]) -> T | None:
        """The value sealed for this purpose, or None for whatever else was presented."""
        if len(text) > _SEALED_MAX:
            return None
        try:
            body = open_sealed(self._key, from_text(text), self._bound_to(purpose))
            return msgspec.msgpack.decode(body, type=type_)
        except (ValueError, InvariantBroken, msgspec.MsgspecError):
            # Cut, moved, forged or of an older release: all the same, it is not a seal of ours.
            return None

    def _bound_to(self, purpose: str) -> bytes:
        return f"harai/web/{self._instance}/{purpose}".encode()
