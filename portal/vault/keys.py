"""Keys of the data zone: a root key in a file wraps everything else that is stored, by AES-KW.

root → one key per merchant → data keys by class and version. Mint keys (capabilities) and the
audit's signing key hang on the root directly. Unwrapped keys live in this process only; losing the
root key loses the data, on purpose.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from portal.domain.errors import InvariantBroken
from portal.kit.crypto import KEY_BYTES, derive_key
from portal.vault.db import Db
from portal.vault.fields import CLASSES, Fields

MERCHANT: Final = "merchant"
INDEX: Final = "index"
CACHE_S: Final = 60
"""How long unwrapped keys are used before the database is asked for newer versions."""

SETTLE_S: Final = 2 * CACHE_S
"""A new version is written only after every instance has had time to learn it."""

CACHE_MERCHANTS_MAX: Final = 4096


def create_root_key_file(path: Path) -> None:
    """Write a fresh root key for its owner only. Raises FileExistsError: never replaced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))


def read_root_key_file(path: Path) -> bytes:
    """The root key.

    Raises: InvariantBroken ``root_key_exposed`` when the file is not its owner's alone,
    ``root_key_wrong`` when it does not hold exactly one key.
    """
    status = path.stat()
    if status.st_mode & 0o077 or status.st_uid != os.geteuid():
        raise InvariantBroken("root_key_exposed")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise InvariantBroken("root_key_wrong")
    return key


@dataclass(slots=True)
class _Cached:
    fields: Fields
    until: datetime


class Keys:
    """Wraps and unwraps under one root key; caches merchants' unwrapped keys."""

    def __init__(self, root: bytes) -> None:
        """Derive the root's uses; the root key itself wraps nothing directly."""
        self._wrapping = derive_key(root, "harai wrap 1")
        self.audit = Ed25519PrivateKey.from_private_bytes(derive_key(root, "harai audit 1"))
        self._cache: dict[UUID, _Cached] = {}

    def wrap(self, key: bytes) -> bytes:
        """A key under the root, for storing (RFC 3394)."""
        return aes_key_wrap(self._wrapping, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """A key that :meth:`wrap` wrapped.

        Raises: InvariantBroken ``root_key_wrong`` under another root.
        """
        return _unwrap(self._wrapping, wrapped)

    async def fields(self, db: Db, merchant: UUID, now: datetime) -> Fields:
        """The sealer of a merchant, from the cache or from its stored keys.

        Raises: InvariantBroken ``keys_missing`` for a merchant that was never founded.
        """
        cached = self._cache.get(merchant)
        if cached is not None and now < cached.until:
            return cached.fields
        fields = await self._load(db, merchant, now)
        if len(self._cache) >= CACHE_MERCHANTS_MAX:
            del self._cache[next(iter(self._cache))]
        self._cache[merchant] = _Cached(fields, now + timedelta(seconds=CACHE_S))
        return fields

    def forget(self, merchant: UUID) -> None:
        """Drop a merchant's unwrapped keys, so that the next act loads them again."""
        self._cache.pop(merchant, None)

    async def found(self, db: Db, merchant: UUID, now: datetime) -> None:
        """Make and store all keys of a new merchant, in use at once."""
        merchant_key = secrets.token_bytes(KEY_BYTES)
        await _store(db, merchant, (MERCHANT, 1), self.wrap(merchant_key), now)
        for purpose in (INDEX, *CLASSES):
            wrapped = aes_key_wrap(merchant_key, secrets.token_bytes(KEY_BYTES))
            await _store(db, merchant, (purpose, 1), wrapped, now)

    async def add_version(self, db: Db, merchant: UUID, klass: str, now: datetime) -> int:
        """Add a newer data key of a class; written after SETTLE_S, older ones stay readable.

        Returns the new version. Raises: InvariantBroken ``keys_missing``.
        """
        rows = await _stored(db, merchant)
        merchant_key = self.unwrap(rows[MERCHANT, 1][0])
        version = 1 + max(version for purpose, version in rows if purpose == klass)
        wrapped = aes_key_wrap(merchant_key, secrets.token_bytes(KEY_BYTES))
        await _store(db, merchant, (klass, version), wrapped, now + timedelta(seconds=SETTLE_S))
        return version

    async def _load(self, db: Db, merchant: UUID, now: datetime) -> Fields:
        rows = await _stored(db, merchant)
        merchant_key = self.unwrap(rows[MERCHANT, 1][0])
        keys: dict[tuple[str, int], bytes] = {}
        newest: dict[str, int] = {}
        for (purpose, version), (wrapped, active_from) in sorted(rows.items()):
            if purpose == MERCHANT:
                continue
            keys[purpose, version] = _unwrap(merchant_key, wrapped)
            if active_from <= now:
                newest[purpose] = version
        index_key = keys.pop((INDEX, 1))
        return Fields(merchant, keys, newest, index_key)

    async def load_mint_keys(self, db: Db, now: datetime) -> Mapping[int, bytes]:
        """The mint keys by number; the first is made by whichever instance starts first.

        Raises: InvariantBroken ``root_key_wrong`` when they were made under another root.
        """
        await db.execute(
            "insert into mint_key (kid, wrapped, created_at) values (1, $1, $2)"
            " on conflict do nothing",
            self.wrap(secrets.token_bytes(KEY_BYTES)),
            now,
        )
        rows = await db.fetch("select kid, wrapped from mint_key where retired_at is null")
        return {row["kid"]: self.unwrap(row["wrapped"]) for row in rows}


def _unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except (InvalidUnwrap, ValueError) as fault:
        raise InvariantBroken("root_key_wrong") from fault


async def _stored(db: Db, merchant: UUID) -> dict[tuple[str, int], tuple[bytes, datetime]]:
    rows = await db.fetch(
        "select purpose, version, wrapped, active_from from merchant_key where merchant_id = $1",
        merchant,
    )
    if not rows:
        raise InvariantBroken("keys_missing", context=str(merchant))
    return {(row["purpose"], row["version"]): (row["wrapped"], row["active_from"]) for row in rows}


async def _store(
    db: Db, merchant: UUID, place: tuple[str, int], wrapped: bytes, active_from: datetime
) -> None:
    await db.execute(
        "insert into merchant_key (merchant_id, purpose, version, wrapped, active_from)"
        " values ($1, $2, $3, $4, $5)",
        merchant,
        *place,
        wrapped,
        active_from,
    )
