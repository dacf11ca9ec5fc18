"""Cases: everything that needs a human, in one queue of the data zone.

A case names a kind, the thing it is about and parameters without personal data. There is at most
one open case of a kind per thing, so a fault that repeats makes one line of work, not a thousand.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from portal.domain.errors import NotFound
from portal.vault.db import Db

if TYPE_CHECKING:
    from portal.vault.act import Act


async def open_case(
    act: "Act", kind: str, subject_id: UUID, params: Mapping[str, str | int]
) -> UUID:
    """Open a case, or return the one that is open for this kind and thing already."""
    case_id = act.new_id()
    opened: UUID = await act.db.fetchval(
        "insert into case_ (merchant_id, id, kind, subject_id, params, opened_at)"
        " values ($1, $2, $3, $4, $5, $6)"
        " on conflict (merchant_id, kind, subject_id) where closed_at is null"
        " do update set seen = case_.seen + 1 returning id",
        act.merchant_id,
        case_id,
        kind,
        subject_id,
        msgspec.json.encode(params).decode(),
        act.now,
    )
    return opened


async def close_case(act: "Act", case_id: UUID, resolution: str) -> None:
    """Close a case with a code that says how; closing a closed one changes nothing.

    Raises: NotFound ``not_found``.
    """
    closed = await act.db.fetchval(
        "update case_ set closed_at = coalesce(closed_at, $3), closed_by = coalesce(closed_by, $4),"
        " resolution = coalesce(resolution, $5) where merchant_id = $1 and id = $2 returning true",
        act.merchant_id,
        case_id,
        act.now,
        act.actor,
        resolution,
    )
    if not closed:
        raise NotFound("not_found", params={"kind": "case"})


async def count_open(db: Db, merchant_id: UUID) -> int:
    """How many cases of a merchant wait for someone."""
    open_cases: int = await db.fetchval(
        "select count(*) from case_ where merchant_id = $1 and closed_at is null", merchant_id
    )
    return open_cases
