"""Approvals: some acts need a second person, who approves exactly what the first one asked for.

An approval has a kind, the hash of what is approved, an asker and an end. Who asked can't approve,
what changed meanwhile is not covered, and each approval is used once.
"""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from portal.domain.errors import Conflict, Expired, NotAllowed, NotFound
from portal.kit.crypto import same, sha256

if TYPE_CHECKING:
    from portal.vault.act import Act


async def ask(
    act: "Act", kind: str, content: bytes, life_s: float, asker: str | None = None
) -> UUID:
    """Ask for someone else's approval of ``content``; returns what they approve by.

    ``asker``: who wanted it, where a worker ended what they began; else the one who acts.
    """
    approval_id = act.new_id()
    await act.db.execute(
        "insert into approval (merchant_id, id, kind, content, asked_by, asked_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        act.merchant_id,
        approval_id,
        kind,
        sha256(content),
        asker or act.actor,
        act.now,
        act.now + timedelta(seconds=life_s),
    )
    return approval_id


async def approve(act: "Act", approval_id: UUID, content: bytes) -> None:
    """Approve what the approver was shown.

    Raises: NotFound; NotAllowed ``approver_is_asker``; Expired ``approval_expired``; Conflict
    ``approval_differs`` when something else was asked, ``approval_decided`` when it is too late.
    """
    row = await act.db.fetchrow(
        "select content, asked_by, expires_at, approved_at from approval"
        " where merchant_id = $1 and id = $2 for update",
        act.merchant_id,
        approval_id,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "approval"})
    if row["asked_by"] == act.actor:
        raise NotAllowed("approver_is_asker")
    if row["expires_at"] <= act.now:
        raise Expired("approval_expired")
    if row["approved_at"] is not None:
        raise Conflict("approval_decided")
    if not same(row["content"], sha256(content)):
        raise Conflict("approval_differs")
    await act.db.execute(
        "update approval set approved_by = $3, approved_at = $4 where merchant_id = $1 and id = $2",
        act.merchant_id,
        approval_id,
        act.actor,
        act.now,
    )


async def use(act: "Act", approval_id: UUID, kind: str, content: bytes) -> None:
    """Use up an approval for exactly this content, in the transaction of its effect.

    Raises: NotAllowed ``approval_missing`` when it is not approved, of another kind or content,
    past its end, or used before.
    """
    used = await act.db.fetchval(
        "update approval set used_at = $5 where merchant_id = $1 and id = $2 and kind = $3"
        " and content = $4 and approved_at is not null and used_at is null and expires_at > $5"
        " returning true",
        act.merchant_id,
        approval_id,
        kind,
        sha256(content),
        act.now,
    )
    if not used:
        raise NotAllowed("approval_missing")
