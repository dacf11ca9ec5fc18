"""Cases: everything that needs a human, in one queue of the data zone.

A case names a kind, the thing it is about and parameters without personal data. There is at most
one open case of a kind per thing, so a fault that repeats makes one line of work, not a thousand;
one that comes again after its case was closed opens another. A case is locked after the thing that
it is about: whoever finds something out about a bill opens cases while holding that bill.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.errors import NotFound
from portal.vault.db import Db

CASE_TABLE: Final = "case_"
COUNT_OPEN: Final = """
select count(*) from (
    select from case_ where merchant_id = $1 and closed_at is null limit 10000) as open_ones
"""
"""How many wait for someone, counted up to 10,000; also as a part of another statement."""


class CaseNote(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a closed case: the words of whoever settled it."""

    text: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Whose case it is, when something happens to it, and through whom."""

    merchant_id: UUID
    at: datetime
    actor: str


async def open_case(
    db: Db,
    happening: Happening,
    case_id: UUID,
    about: tuple[str, UUID],
    params: Mapping[str, str | int],
) -> UUID:
    """Open a case about ``(kind, thing)``, or return the one that is open for it already.

    The one that is open counts once more and keeps the newest parameters.
    """
    kind, subject_id = about
    opened: UUID = await db.fetchval(
        "insert into case_ (merchant_id, id, kind, subject_id, params, opened_at, seen_at)"
        " values ($1, $2, $3, $4, $5, $6, $6)"
        " on conflict (merchant_id, kind, subject_id) where closed_at is null"
        " do update set seen = case_.seen + 1, seen_at = excluded.seen_at,"
        " params = excluded.params returning id",
        happening.merchant_id,
        case_id,
        kind,
        subject_id,
        msgspec.json.encode(params).decode(),
        happening.at,
    )
    return opened


async def close_case(
    db: Db, happening: Happening, case_id: UUID, resolution: str, note: bytes | None = None
) -> None:
    """Close a case with a code that says how; closing a closed one changes nothing.

    ``note`` is a sealed :class:`CaseNote`. Raises: NotFound ``not_found``.
    """
    closed = await db.fetchval(
        "update case_ set closed_at = coalesce(closed_at, $3), closed_by = coalesce(closed_by, $4),"
        " resolution = coalesce(resolution, $5),"
        " note = case when closed_at is null then $6 else note end"
        " where merchant_id = $1 and id = $2 returning true",
        happening.merchant_id,
        case_id,
        happening.at,
        happening.actor,
        resolution,
        note,
    )
    if not closed:
        raise NotFound("not_found", params={"kind": "case"})


async def count_open(db: Db, merchant_id: UUID) -> int:
    """How many cases of a merchant wait for someone."""
    open_cases: int = await db.fetchval(COUNT_OPEN, merchant_id)
    return open_cases
