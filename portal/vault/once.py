"""Single-use effects: an idempotency key is consumed in the transaction of its effect.

The same key with the same arguments gets the stored answer; with other arguments it is refused and
an incident. Two at once: the second waits for the first one's commit. Nothing but PostgreSQL
remembers.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from portal.domain.errors import Conflict, InvalidInput
from portal.kit.crypto import same, sha256
from portal.vault.db import Db

KEY_CHARACTERS_MAX: Final = 200


class ArgumentsDifferError(Exception):
    """The key was used before with other arguments; ``refusal`` is what the caller hears."""

    def __init__(self) -> None:
        """Prepare the refusal."""
        super().__init__()
        self.refusal = Conflict("idempotency_mismatch")


async def claim(
    db: Db, merchant: UUID, now: datetime, place: tuple[str, str], arguments: bytes
) -> bytes | None:
    """Claim ``(kind, key)``: None the first time, the stored answer afterwards.

    Raises: InvalidInput ``key_too_long``, or an empty key; ArgumentsDifferError.
    """
    kind, key = place
    if not 0 < len(key) <= KEY_CHARACTERS_MAX:
        raise InvalidInput("idempotency_key_invalid", params={"most": KEY_CHARACTERS_MAX})
    digest = sha256(arguments)
    claimed = await db.fetchval(
        "insert into once (merchant_id, kind, key, arguments, created_at)"
        " values ($1, $2, $3, $4, $5) on conflict do nothing returning true",
        merchant,
        kind,
        key,
        digest,
        now,
    )
    if claimed:
        return None
    row = await db.fetchrow(
        "select arguments, answer from once where merchant_id = $1 and kind = $2 and key = $3",
        merchant,
        kind,
        key,
    )
    if row is None or not same(row["arguments"], digest):
        raise ArgumentsDifferError
    answer: bytes | None = row["answer"]
    return answer if answer is not None else b""
