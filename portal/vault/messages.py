"""Data zone: planning deliveries: which bill is told by which channel, in chunks that tasks send.

Unique per bill, campaign, step and channel, so a message that was planned is not planned again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.contact import takes_sms
from portal.domain.message import Channel, road_of_one, split_by_share
from portal.domain.refund_message import CAMPAIGN as ACCOUNT_MESSAGE
from portal.domain.task import Lane
from portal.vault.act import Act
from portal.vault.channels import Road, roads, roads_to_plan
from portal.vault.push import CHANNEL as PUSH
from portal.vault.push import providers_by_bill
from portal.vault.sealed import BillContact

CHUNK_DELIVERIES: Final = 500
FEW_BILLS: Final = 50
"""Fewer than this are spread over a channel's roads one by one, by lot."""

FIRST_MESSAGE: Final = "first"
RESENT_MESSAGE: Final = "resent"
DECLINED_MESSAGE: Final = "declined"

_STEP: Final = """
select coalesce(max(step) + 1, 0) from delivery
where merchant_id = $1 and bill_id = $2 and campaign = $3
"""
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

    A channel's roads carry what their shares say; a road without one stands by (portal.vault.
    failover).

    Raises: InvariantBroken ``channel_missing`` for a channel that the merchant hasn't.
    """
    if not bill_ids:
        return
    roads = await roads_to_plan(act, telling.channel)
    split = _by_road(roads, bill_ids)
    if telling.channel == PUSH and len(roads) > 1:
        split = _by_reach(roads, bill_ids, await providers_by_bill(act, bill_ids))
    for road, ids in split:
        for start in range(0, len(ids), CHUNK_DELIVERIES):
            await _plan_chunk(act, telling, road, ids[start : start + CHUNK_DELIVERIES], lane)


def _by_road(
    roads: Sequence[Road], bill_ids: Sequence[UUID]
) -> Iterator[tuple[Road, Sequence[UUID]]]:
    """The bills of each road: many are split by share, a few drawn by their own numbers."""
    if len(roads) == 1:
        yield roads[0], bill_ids
        return
    shares = {road.provider: road.share for road in roads}
    if len(bill_ids) < FEW_BILLS:
        drawn = [(road_of_one(shares, bill_id.int), bill_id) for bill_id in bill_ids]
        for road in roads:
            yield road, [bill_id for name, bill_id in drawn if name == road.provider]
        return
    start = 0
    for name, count in split_by_share(shares, len(bill_ids)).items():
        (road,) = (one for one in roads if one.provider == name)
        yield road, bill_ids[start : start + count]
        start += count


def _by_reach(
    roads: Sequence[Road], bill_ids: Sequence[UUID], providers: Mapping[UUID, str]
) -> Iterator[tuple[Road, Sequence[UUID]]]:
    """The bills of each road where only one company reaches each payer; else the first road."""
    for road in roads:
        is_first = road == roads[0]
        yield (
            road,
            [
                bill_id
                for bill_id in bill_ids
                if providers.get(bill_id, roads[0].provider if is_first else "") == road.provider
            ],
        )


async def plan_resent_message(act: Act, bill_id: UUID, step: int, channel: Channel = "sms") -> None:
    """One delivery in the urgent lane: someone is waiting for it."""
    await plan_messages(act, Telling(RESENT_MESSAGE, step, channel), [bill_id], lane="urgent")


async def plan_declined_message(act: Act, bill_id: UUID) -> None:
    """One delivery, the link again: the card on file was declined, so the payer has to act.

    Once a bill, which is charged once; by the bulk lane, as a merchant's charges come in thousands.
    """
    await plan_messages(act, Telling(DECLINED_MESSAGE), [bill_id])


async def plan_account_message(act: Act, bill_id: UUID, contact: BillContact) -> None:
    """One delivery by SMS and one by mail, as far as they reach the payer, in the urgent lane.

    An account for a refund was given or changed: whoever did it, the payer hears of it at the
    contact that the merchant has. The bill is locked, so the step is the next one.
    """
    step: int = await act.db.fetchval(_STEP, act.merchant_id, bill_id, ACCOUNT_MESSAGE)
    reached: tuple[tuple[Channel, bool], ...] = (
        ("sms", takes_sms(contact.phone)), ("email", bool(contact.email))
    )  # fmt: skip
    for channel, is_reached in reached:
        if is_reached and await roads(act, channel):
            telling = Telling(ACCOUNT_MESSAGE, step, channel)
            await plan_messages(act, telling, [bill_id], lane="urgent")


async def _plan_chunk(
    act: Act, telling: Telling, road: Road, bill_ids: Sequence[UUID], lane: Lane | None
) -> None:
    """One chunk of deliveries on a road, and its task."""
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
