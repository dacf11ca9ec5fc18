"""Data zone: messages that leave a road on which nothing goes, for another of the same channel.

A worker says for how long a company has taken nothing from it. A chunk of that road gives up then
what was certainly never sent: it is planned on the other road, in a chunk of its own. What is in
doubt stays, as only its own company knows its key. Only so much moves as keeps the other road busy;
the rest waits and asks by turns, one message each, so the first road carries again as soon as it
takes something.
"""

from typing import Final
from uuid import UUID

from portal.domain.message import Channel
from portal.vault.act import Act
from portal.vault.channels import Road, roads
from portal.vault.db import Row
from portal.vault.sender_hold import stopped_roads

AFTER_S: Final = 20.0
"""So long a company must have taken nothing before anything leaves its road."""

BUSY_CHUNKS: Final = 8
"""Chunks that wait on the other road at most; beyond it nothing moves there."""

_CHUNK: Final = """
select k.id, k.import_id, k.channel, k.provider, k.created_at, t.lane
from delivery_chunk k join task t on t.subject_id = k.id and t.merchant_id = $1 and t.id = $3
where k.merchant_id = $1 and k.id = $2
"""
_WAITING: Final = """
select count(*) from (
    select from task t
    join delivery_chunk k on k.merchant_id = $1 and k.id = t.subject_id
    where t.merchant_id = $1 and t.kind = 'message.send_chunk' and k.provider = $2 limit $3
) as waiting
"""
_NEW_CHUNK: Final = """
insert into delivery_chunk (merchant_id, id, import_id, channel, provider, deliveries, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_MOVE: Final = """
update delivery set chunk_id = $3, provider = $4, state = 'planned'
where merchant_id = $1 and chunk_id = $2 and state in ('planned', 'handed') and unclear_at is null
"""
_COUNT: Final = """
select count(*) from delivery
where merchant_id = $1 and chunk_id = $2 and state in ('planned', 'handed') and unclear_at is null
"""
_LEFT: Final = """
update delivery_chunk set deliveries = deliveries - $3 where merchant_id = $1 and id = $2
"""


async def leave_road(act: Act, chunk_id: UUID) -> int:
    """Move what is certainly unsent of the leased chunk to another road; how many, often none.

    What was redeemed is booked before: then ``handed`` means that nothing of it can have been sent,
    and nobody else has the lease.
    """
    chunk = await act.db.fetchrow(_CHUNK, act.merchant_id, chunk_id, act.capability.subject)
    if chunk is None:
        return 0
    other = await _other_road(act, chunk)
    if other is None:
        return 0
    count: int = await act.db.fetchval(_COUNT, act.merchant_id, chunk_id)
    if not count:
        return 0
    new_id = act.new_id()
    await act.db.execute(
        _NEW_CHUNK,
        act.merchant_id,
        new_id,
        chunk["import_id"],
        chunk["channel"],
        other.provider,
        count,
        chunk["created_at"],
    )
    await act.db.execute(_MOVE, act.merchant_id, chunk_id, new_id, other.provider)
    await act.db.execute(_LEFT, act.merchant_id, chunk_id, count)
    await act.plan_task("message.send_chunk", new_id, lane=chunk["lane"])
    return count


async def other_roads(act: Act, channel: Channel, provider: str) -> list[Road]:
    """Roads to leave this one for, those that only stand by included.

    One that refuses the merchant's sender, too, is none.
    A browser or device is reached by its own company and by no other: push waits.
    """
    if channel == "push":
        return []
    none = await stopped_roads(act, channel) | {provider}
    return [road for road in await roads(act, channel) if road.provider not in none]


async def _other_road(act: Act, chunk: Row) -> Road | None:
    """The first road of the channel that has room."""
    for road in await other_roads(act, chunk["channel"], chunk["provider"]):
        waiting = await act.db.fetchval(_WAITING, act.merchant_id, road.provider, BUSY_CHUNKS)
        if waiting < BUSY_CHUNKS:
            return road
    return None
