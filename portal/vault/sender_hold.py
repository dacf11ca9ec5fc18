"""Data zone: roads that are stopped for one merchant, because its sender or app is refused there.

The row is there while refusals are counted, and holds over restarts: a sender that a company does
not know is not known to it after one either. Who changes it locks it before any delivery. When the
stop lasts the merchant's staff have a case; that and the row end with the first message that is
taken, or with whoever sets the road, or the app, anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from portal.contract.message import SendResult
from portal.domain import sender_hold as rules
from portal.domain.errors import Conflict
from portal.domain.message import Channel
from portal.domain.sender_hold import Hold, Said
from portal.kit import log
from portal.vault.act import Act
from portal.vault.db import Row

CASE: Final = "sender_refused"
_log = log.get_logger()

_FIELDS: Final = "h.refusals, h.code, h.since, h.probe_at, h.probe_chunk, h.pause_s, h.messages"
_READ: Final = f"""
select k.channel, k.provider, k.created_at, {_FIELDS}
from delivery_chunk k
join sender_hold h on h.merchant_id = $1 and h.channel = k.channel and h.provider = k.provider
where k.merchant_id = $1 and k.id = $2
"""  # noqa: S608  # constant columns
_LOCK: Final = _READ + " for update of h"
_KEEP: Final = _READ + " for key share of h"
_REDEEMED: Final = """
select id from delivery where merchant_id = $1 and chunk_id = $2 and state = 'redeemed'
union all
select id from message_trial where merchant_id = $1 and chunk_id = $2 and state = 'redeemed'
"""
_BEGIN: Final = """
insert into sender_hold (merchant_id, channel, provider)
select $1, channel, provider from delivery_chunk where merchant_id = $1 and id = $2
on conflict do nothing
"""
_STORE: Final = """
update sender_hold set refusals = $4, code = $5, since = $6, probe_at = $7, probe_chunk = $8,
    pause_s = $9, messages = $10
where merchant_id = $1 and channel = $2 and provider = $3
"""
_END: Final = """
delete from sender_hold where merchant_id = $1 and channel = $2 and provider = $3
returning since is not null as was_stopped
"""
_STOPPED: Final = """
select provider from sender_hold where merchant_id = $1 and channel = $2 and since is not null
"""
_LOCK_STOPPED: Final = """
select channel, provider, asked_at from sender_hold
where merchant_id = $1 and since is not null order by channel, provider for update
"""
_ASK_NOW: Final = """
update sender_hold set probe_at = $2, probe_chunk = null, asked_at = $2
where merchant_id = $1 and since is not null
"""
_OPEN_CASE: Final = """
select id from case_ where merchant_id = $1 and kind = $2 and subject_id = $1
                       and closed_at is null
"""
_IS_ANY_STOPPED: Final = """
select exists (select from sender_hold where merchant_id = $1 and since is not null)
"""
_WAKE: Final = """
with asleep as (
    select t.id from task t join delivery_chunk k on k.merchant_id = $1 and k.id = t.subject_id
    where t.merchant_id = $1 and t.kind = 'message.send_chunk' and t.state = 'open'
          and k.channel = $2 and k.provider = $3
    for update of t skip locked
)
update task t set next_at = $4 from asleep where t.id = asleep.id
"""
"""What somebody has in hand is awake: who reports under it may be waiting for the road's row."""


@dataclass(frozen=True, slots=True)
class RoadHold:
    """The row of the road of a chunk that was planned ``planned_at``, a business time."""

    channel: Channel
    provider: str
    planned_at: datetime
    hold: Hold


async def learn(act: Act, chunk_id: UUID, results: Sequence[SendResult]) -> RoadHold | None:
    """Take note of what a slice was told of the merchant's sender; how the road stands, if stopped.

    Call it before a delivery is locked. A refusal is heard of a message that went out and is not
    booked yet: a report that comes again, as its answer was lost, counts nothing more.
    Whoever tells nothing and may not ask only looks: a merchant's chunks don't stand in line there.
    """
    found = await _read(act, _READ, chunk_id)
    if found is None and not any(one.is_about_sender for one in results):
        return None
    if found is not None:
        if not results and not rules.may_probe(found.hold, act.now):
            return None if found.hold.since is None else found
        found = await _read(act, _LOCK, chunk_id)
    said = await _hear(act, chunk_id, results)
    refusals = said.refusals
    if found is None and refusals and not said.taken:
        await act.db.execute(_BEGIN, act.merchant_id, chunk_id)
        found = await _read(act, _LOCK, chunk_id)
    if found is None:
        return None
    after = rules.learn(found.hold, said, act.now, act.business)
    if after is None:
        await end(act, found.channel, found.provider)
        return None
    if after != found.hold:
        await _store(act, found, after)
    if found.hold.since is None and after.since is not None:
        _log.warning(
            "sender.stopped",
            merchant_id=act.merchant_id,
            channel=found.channel,
            provider=found.provider,
            code=after.code,
        )
    if after.is_lasting and refusals:
        await act.open_case(
            CASE, act.merchant_id, channel=found.channel, provider=found.provider, code=after.code
        )
    return None if after.since is None else replace(found, hold=after)


async def probe(act: Act, found: RoadHold, chunk_id: UUID) -> None:
    """One message of the chunk goes out to ask whether the stop is over."""
    await _store(act, found, rules.probe(found.hold, chunk_id, act.now))


async def end(act: Act, channel: str, provider: str) -> None:
    """Nothing speaks against the sender any more: what waits goes at once, and the case ends."""
    was_stopped = await act.db.fetchval(_END, act.merchant_id, channel, provider)
    if not was_stopped:
        return
    _log.info("sender.goes_on", merchant_id=act.merchant_id, channel=channel, provider=provider)
    await act.db.execute(_WAKE, act.merchant_id, channel, provider, act.now)
    act.tasks_planned = True
    if await act.db.fetchval(_IS_ANY_STOPPED, act.merchant_id):
        return
    case_id = await act.db.fetchval(_OPEN_CASE, act.merchant_id, CASE)
    if case_id is not None:
        await act.close_case(case_id, "mended")


async def lock_stopped(act: Act) -> list[Row]:
    """The merchant's stopped roads, locked: to be called before their case is."""
    return await act.db.fetch(_LOCK_STOPPED, act.merchant_id)


async def ask_now(act: Act) -> int:
    """Staff have one message ask on each stopped road of the merchant; how many tasks wake up.

    Raises: Conflict ``case_moved_on`` when none is stopped any more; LimitReached
    ``asked_just_now`` (param ``seconds``).
    """
    stopped = await lock_stopped(act)
    if not stopped:
        raise Conflict("case_moved_on")
    for row in stopped:
        rules.check_ask(row["asked_at"], act.now)
    await act.db.execute(_ASK_NOW, act.merchant_id, act.now)
    woken = 0
    for row in stopped:
        road = (act.merchant_id, row["channel"], row["provider"])
        woken += int((await act.db.execute(_WAKE, *road, act.now)).rpartition(" ")[2])
    act.tasks_planned = True
    return woken


async def wait_s(act: Act, chunk_id: UUID) -> float | None:
    """How long until one may ask on the road of a chunk, None where it is not stopped.

    Nobody ends the stop before this act has ended. Units: seconds.
    """
    found = await _read(act, _KEEP, chunk_id)
    if found is None or found.hold.since is None:
        return None
    return rules.wait_s(found.hold, act.now)


async def stopped_roads(act: Act, channel: str) -> frozenset[str]:
    """Companies of the channel that refuse the merchant's sender now."""
    rows = await act.db.fetch(_STOPPED, act.merchant_id, channel)
    return frozenset(row["provider"] for row in rows)


async def _hear(act: Act, chunk_id: UUID, results: Sequence[SendResult]) -> Said:
    """What the company said; a refusal counts once, and of what it was really asked for.

    What was taken may have its receipt by now, and ends a stop however often it is said.
    """
    refusals = [one for one in results if one.is_about_sender]
    rows = await act.db.fetch(_REDEEMED, act.merchant_id, chunk_id) if refusals else []
    redeemed = {row["id"] for row in rows}
    taken = sum(one.outcome == "accepted" for one in results)
    heard = [(one.delivery_id, one.code) for one in refusals if one.delivery_id in redeemed]
    return Said(chunk_id, taken, heard)


async def _read(act: Act, statement: str, chunk_id: UUID) -> RoadHold | None:
    row = await act.db.fetchrow(statement, act.merchant_id, chunk_id)
    if row is None:
        return None
    hold = Hold(
        refusals=row["refusals"],
        code=row["code"],
        since=row["since"],
        probe_at=row["probe_at"],
        probe_chunk=row["probe_chunk"],
        pause_s=row["pause_s"],
        messages=frozenset(row["messages"]),
    )
    return RoadHold(row["channel"], row["provider"], row["created_at"], hold)


async def _store(act: Act, found: RoadHold, hold: Hold) -> None:
    await act.db.execute(
        _STORE,
        act.merchant_id,
        found.channel,
        found.provider,
        hold.refusals,
        hold.code,
        hold.since,
        hold.probe_at,
        hold.probe_chunk,
        hold.pause_s,
        sorted(hold.messages),
    )
