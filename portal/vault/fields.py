"""Sealed fields and blind indexes of one merchant: what is written into ``bytea`` columns.

One blob per row and class of data. Its additional authenticated data names table, class, merchant,
row, row version and key version, so that no blob opens anywhere but where it was written. Blind
indexes are HMACs per merchant and field over a normalised value: equal values are found again,
and nothing links one merchant's payers to another's.

Record: ``0xD1 | algorithm (1 byte) | key version (4 bytes) | nonce (12) | ciphertext | tag (16)``.
"""

import os
from collections.abc import Mapping
from typing import Final, Literal, TypeVar
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from portal.domain.errors import InvariantBroken
from portal.kit.crypto import NONCE_BYTES, TAG_BYTES, derive_key, hmac_sha256

Class = Literal["contact", "billing", "instrument", "document"]
"""Classes of data; each has keys of its own, so a class is a unit of permission."""

CLASSES: Final[tuple[Class, ...]] = ("contact", "billing", "instrument", "document")
BLIND_BYTES: Final = 16

_MAGIC: Final = 0xD1
_AES_256_GCM_SIV: Final = 1
_HEADER_BYTES: Final = 6

T = TypeVar("T", bound=msgspec.Struct)


class Fields:
    """Seals and opens one merchant's records with keys already unwrapped.

    ``keys`` are data keys by class and version; ``newest`` is the version to write per class.
    """

    def __init__(
        self,
        merchant: UUID,
        keys: Mapping[tuple[str, int], bytes],
        newest: Mapping[str, int],
        index_key: bytes,
    ) -> None:
        """Keep the keys of 32 bytes; one cipher per key is made once."""
        self._merchant = merchant.bytes
        self._ciphers = {place: AESGCMSIV(key) for place, key in keys.items()}
        self._newest = dict(newest)
        self._index_key = index_key
        self._index_keys: dict[str, bytes] = {}

    def seal(
        self, table: str, klass: str, row_id: UUID, version: int, value: msgspec.Struct
    ) -> bytes:
        """A struct as a sealed blob for one place: this table, class, row and row version."""
        return self.seal_bytes(table, klass, row_id, version, msgspec.msgpack.encode(value))

    def open(
        self, table: str, klass: str, row_id: UUID, version: int, blob: bytes, type_: type[T]
    ) -> T:
        """The struct sealed at this very place.

        Raises: InvariantBroken ``seal_broken`` when the blob was made elsewhere or touched.
        """
        plain = self.open_bytes(table, klass, row_id, version, blob)
        try:
            return msgspec.msgpack.decode(plain, type=type_)
        except msgspec.MsgspecError as fault:
            context = f"{table} {klass} does not decode"
            raise InvariantBroken("seal_broken", context=context) from fault

    def seal_bytes(self, table: str, klass: str, row_id: UUID, version: int, plain: bytes) -> bytes:
        """Like :meth:`seal` for bytes that are no struct (parts of files)."""
        key_version = self._newest[klass]
        header = bytes((_MAGIC, _AES_256_GCM_SIV)) + key_version.to_bytes(4, "big")
        nonce = os.urandom(NONCE_BYTES)
        place = self._place(table, klass, row_id, version, header)
        return header + nonce + self._ciphers[klass, key_version].encrypt(nonce, plain, place)

    def open_bytes(self, table: str, klass: str, row_id: UUID, version: int, blob: bytes) -> bytes:
        """Like :meth:`open` for bytes that are no struct.

        Raises: InvariantBroken ``seal_broken``.
        """
        header, nonce = blob[:_HEADER_BYTES], blob[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES]
        cipher = self._ciphers.get((klass, int.from_bytes(header[2:], "big")))
        known = header[:2] == bytes((_MAGIC, _AES_256_GCM_SIV))
        if cipher is None or not known or len(blob) < _HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
            raise InvariantBroken("seal_broken", context=f"{table} {klass} {row_id}")
        place = self._place(table, klass, row_id, version, header)
        try:
            return cipher.decrypt(nonce, blob[_HEADER_BYTES + NONCE_BYTES :], place)
        except InvalidTag as fault:
            raise InvariantBroken("seal_broken", context=f"{table} {klass} {row_id}") from fault

    def blind(self, field: str, normalised: str) -> bytes:
        """16 bytes by which an equal value of this merchant's field is found again.

        ``normalised`` comes from the domain's canonical form; this adds none.
        """
        key = self._index_keys.get(field)
        if key is None:
            key = self._index_keys[field] = derive_key(self._index_key, f"harai blind {field}")
        return hmac_sha256(key, normalised.encode())[:BLIND_BYTES]

    def _place(self, table: str, klass: str, row_id: UUID, version: int, header: bytes) -> bytes:
        names = f"harai1\0{table}\0{klass}\0".encode()
        return names + self._merchant + row_id.bytes + version.to_bytes(8, "big") + header
