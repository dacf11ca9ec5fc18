"""Data zone: the token by which one mail's reader stops further mail about bills, and no more.

It stands in an address, so it holds nothing of anybody: the delivery's public id and a MAC over it
and over the blind index of the address that the mail went to. It grants that one thing, for that
address: once a bill has another, the token is good for nothing. Source: RFC 8058 §3.1 (opaque, hard
to forge).
"""

import hmac
from typing import Final
from uuid import UUID

from portal.domain.errors import NotFound
from portal.domain.ids import DeliveryId, from_public, to_public
from portal.vault.fields import Fields

_PREFIX: Final = "dlv_"
_ID_CHARACTERS: Final = 26
_MAC_BYTES: Final = 12
_STOPS: Final = "stop by mail"


def stop_token(fields: Fields, delivery_id: UUID, contact: bytes) -> str:
    """Small letters and digits, 50 of them: what is between there and here may fold capitals."""
    name = to_public("delivery", DeliveryId(delivery_id))
    return name.removeprefix(_PREFIX).lower() + _mac(fields, name, contact)


def delivery_in(token: str) -> UUID | None:
    """The delivery that a token names, whoever made it; None for what names none."""
    try:
        return from_public("delivery", _PREFIX + token[:_ID_CHARACTERS].upper())
    except NotFound:
        return None


def is_stop_token(fields: Fields, token: str, delivery_id: UUID, contact: bytes) -> bool:
    """Whether the token was made here for this delivery to this address."""
    made = stop_token(fields, delivery_id, contact)
    return hmac.compare_digest(made.encode(), token.lower().encode())


def _mac(fields: Fields, name: str, contact: bytes) -> str:
    return fields.blind(_STOPS, f"{name} {contact.hex()}")[:_MAC_BYTES].hex()
