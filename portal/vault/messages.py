"""Data zone: planning deliveries: which bill is told by which channel, in chunks that tasks send.

Unique per bill, campaign, step and channel, so a message that was planned is not planned again.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.domain.task import Lane
from portal.vault.act import Act

CHUNK_DELIVERIES: Final = 500
FIRST_MESSAGE: Final = "first"
RESENT_MESSAGE: Final = "resent"
DECLINED_MESSAGE: Final = "declined"
SMS: Final = "sms"

_PROVIDER: Final = "select sms_provider from merchant where id = $1"
_CHUNK: Final = """
insert into delivery_chunk (merchant_id, id, import_id, channel, provider, deliveries, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_DELIVERIES: Final = """
insert into delivery (merchant_id, chunk_id, campaign, step, channel, provider, state, created_at,
                      changed_at, id, bill_id)
select $1, $2, $3, $4, $5, $6, 'planned', $7, $7, d.* from unnest($8::uuid[], $9::uuid[]) as d
"""


async def plan_first_messages(act: Act, import_id: UUID, bill_ids: Sequence[UUID]) -> None:
    """One delivery for each bill, in chunks of 500 with a task each, in the bulk lane."""
    for start in range(0, len(bill_ids), CHUNK_DELIVERIES):
        part = bill_ids[start : start + CHUNK_DELIVERIES]
        await _plan_chunk(act, part, campaign=FIRST_MESSAGE, step=0, import_id=import_id)


async def plan_resent_message(act: Act, bill_id: UUID, step: int) -> None:
    """One delivery in the urgent lane: someone is waiting for it."""
    await _plan_chunk(act, [bill_id], campaign=RESENT_MESSAGE, step=step, lane="urgent")


async def plan_declined_message(act: Act, bill_id: UUID) -> None:
    """One delivery, the link again: the card on file was declined, so the payer has to act.

    Once a bill, which is charged once; by the bulk lane, as a merchant's charges come in thousands.
    """
    await _plan_chunk(act, [bill_id], campaign=DECLINED_MESSAGE, step=0)


async def _plan_chunk(
    act: Act,
    bill_ids: Sequence[UUID],
    *,
    campaign: str,
    step: int,
    import_id: UUID | None = None,
    lane: Lane | None = None,
) -> None:
    provider: str = await act.db.fetchval(_PROVIDER, act.merchant_id)
    chunk_id = act.new_id()
    await act.db.execute(
        _CHUNK, act.merchant_id, chunk_id, import_id, SMS, provider, len(bill_ids), act.business
    )
    await act.db.execute(
        _DELIVERIES,
        act.merchant_id,
        chunk_id,
        campaign,
        step,
        SMS,
        provider,
        act.business,
        sorted(act.new_id() for _ in bill_ids),
        list(bill_ids),
    )
    await act.plan_task("message.send_chunk", chunk_id, lane=lane)
