"""Data zone: planning deliveries: which bill is told by which channel, in chunks that tasks send.

Unique per bill, campaign, step and channel, so a message that was planned is not planned again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.message import Channel
from portal.domain.task import Lane
from portal.vault.act import Act
from portal.vault.channels import Road, main_road

CHUNK_DELIVERIES: Final = 500
FIRST_MESSAGE: Final = "first"
RESENT_MESSAGE: Final = "resent"
DECLINED_MESSAGE: Final = "declined"

_CHUNK: Final = """
insert into delivery_chunk (merchant_id, id, import_id, channel, provider, deliveries, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_DELIVERIES: Final = """
insert into delivery (merchant_id, chunk_id, campaign, step, channel, provider, state, created_at,
                      changed_at, id, bill_id)
select $1, $2, $3, $4, $5, $6, 'planned', $7, $7, d.* from unnest($8::uuid[], $9::uuid[]) as d
"""


@dataclass(frozen=True, slots=True)
class Telling:
    """Why and how bills are told of: with the bill's id these four make a message what it is."""

    campaign: str
    step: int = 0
    channel: Channel = "sms"
    import_id: UUID | None = None


async def plan_messages(
    act: Act, telling: Telling, bill_ids: Sequence[UUID], *, lane: Lane | None = None
) -> None:
    """One delivery for each bill, in chunks of 500 with a task each; ``lane`` None: the bulk lane.

    Raises: InvariantBroken ``channel_missing`` for a channel that the merchant hasn't.
    """
    if not bill_ids:
        return
    road = await main_road(act, telling.channel)
    for start in range(0, len(bill_ids), CHUNK_DELIVERIES):
        part = bill_ids[start : start + CHUNK_DELIVERIES]
        await _plan_chunk(act, telling, road, part, lane)


async def plan_resent_message(act: Act, bill_id: UUID, step: int, channel: Channel = "sms") -> None:
    """One delivery in the urgent lane: someone is waiting for it."""
    await plan_messages(act, Telling(RESENT_MESSAGE, step, channel), [bill_id], lane="urgent")


async def plan_declined_message(act: Act, bill_id: UUID) -> None:
    """One delivery, the link again: the card on file was declined, so the payer has to act.

    Once a bill, which is charged once; by the bulk lane, as a merchant's charges come in thousands.
    """
    await plan_messages(act, Telling(DECLINED_MESSAGE), [bill_id])


async def _plan_chunk(
    act: Act, telling: Telling, road: Road, bill_ids: Sequence[UUID], lane: Lane | None
) -> None:
    chunk_id = act.new_id()
    await act.db.execute(
        _CHUNK,
        act.merchant_id,
        chunk_id,
        telling.import_id,
        telling.channel,
        road.provider,
        len(bill_ids),
        act.business,
    )
    await act.db.execute(
        _DELIVERIES,
        act.merchant_id,
        chunk_id,
        telling.campaign,
        telling.step,
        telling.channel,
        road.provider,
        act.business,
        sorted(act.new_id() for _ in bill_ids),
        list(bill_ids),
    )
    await act.plan_task("message.send_chunk", chunk_id, lane=lane)
