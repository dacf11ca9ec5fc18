"""Data zone, stage "message": providers' receipts move deliveries forward.

Called by the one operation that records notices. A receipt says what the provider knows of its own
message; it can't be asked for more, so it is believed, but only forward: a delivered message stays
delivered, and a receipt for a delivery that was never redeemed changes nothing. One that says that
there is no such mailbox, or that its reader complains, ends all sending there.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.contract.payment import NoticeClaim
from portal.domain.errors import NotFound
from portal.domain.ids import from_public
from portal.domain.message import CONTACT_FAULTS, RECEIPTS, TOLD_BY_ADDRESS, TOLD_BY_MAIL
from portal.vault.act import Act
from portal.vault.contact_faults import note_faults, read_return_token
from portal.vault.deliveries import COLUMNS, Delivery, store
from portal.vault.fields import Fields

_LOCK: Final = f"""
select {COLUMNS} from delivery d
where d.merchant_id = $1 and d.provider = any($2) and d.id = any($3::uuid[])
order by d.id for update
"""  # noqa: S608  # constant columns
_NOT_SENT: Final = frozenset({"planned", "handed", "left_out"})


async def apply_receipts(act: Act, provider: str, claims: Sequence[NoticeClaim]) -> int:
    """Apply claims about deliveries of one provider, in their order; how many changed something.

    A claim with a reference that is no delivery's, or with a word that is no receipt, is passed
    over: the notice itself is kept by whoever calls. A returned mail speaks of whatever mail bears
    its token, by whichever of the roads that are told by mail it went.
    """
    roads = list(TOLD_BY_MAIL) if provider in TOLD_BY_MAIL else [provider]
    by_token = provider in TOLD_BY_MAIL | TOLD_BY_ADDRESS
    fields = await act.fields() if by_token else None
    wanted = {claim.reference: found for claim in claims if (found := _delivery_of(claim, fields))}
    if not wanted:
        return 0
    rows = await act.db.fetch(_LOCK, act.merchant_id, roads, list(set(wanted.values())))
    deliveries = {row["id"]: Delivery.of(row) for row in rows}
    moved: dict[object, Delivery] = {}
    faults: dict[UUID, str] = {}
    changes = 0
    for claim in claims:
        delivery = deliveries.get(wanted.get(claim.reference))
        event = RECEIPTS.get(claim.claim)
        if delivery is None or event is None:
            continue
        is_sent = delivery.state not in _NOT_SENT or delivery.unclear_at is not None
        if claim.claim in CONTACT_FAULTS and is_sent:
            faults.setdefault(delivery.id, claim.claim)
        if not delivery.take(event):
            continue
        delivery.code = f"receipt_{claim.claim}"
        moved[delivery.id] = delivery
        changes += 1
    await store(act, list(moved.values()))
    await note_faults(act, faults)
    return changes


def _delivery_of(claim: NoticeClaim, fields: Fields | None) -> UUID | None:
    """The delivery whose public id the provider repeats as reference; ``fields``: whose token."""
    if fields is not None:
        return read_return_token(fields, claim.reference)
    try:
        return from_public("delivery", claim.reference)
    except NotFound:
        return None
