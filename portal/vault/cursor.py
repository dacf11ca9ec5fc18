"""Data zone: where a page of a list ended, sealed so that it can be neither read nor moved.

A cursor opens only for the merchant, the list, the order and the filter that it was made for: they
are its additional authenticated data.
"""

import base64
import binascii
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.errors import InvalidInput, InvariantBroken
from portal.kit.crypto import sha256
from portal.vault.fields import Fields

_TABLE: Final = "cursor"
_LENGTH_MAX: Final = 400


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The last row of a page: its id and the value that the list is ordered by, if any."""

    id: UUID
    value: int | date | None = None


def write_cursor(fields: Fields, scope: bytes, place: Place) -> str:
    """Seal a place for one list; ``scope`` is whatever makes the list another one."""
    sealed = fields.seal(_TABLE, "document", _scope_id(scope), 1, place)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_cursor(fields: Fields, scope: bytes, cursor: str) -> Place:
    """The place behind a cursor.

    Raises: InvalidInput ``cursor_invalid`` when it was forged, or made for another list.
    """
    if len(cursor) > _LENGTH_MAX:
        raise InvalidInput("cursor_invalid")
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return fields.open(_TABLE, "document", _scope_id(scope), 1, sealed, Place)
    except (InvariantBroken, binascii.Error, ValueError) as fault:
        raise InvalidInput("cursor_invalid") from fault


def _scope_id(scope: bytes) -> UUID:
    return UUID(bytes=sha256(scope)[:16])
