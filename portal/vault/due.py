"""Data zone: how far each merchant's bills were followed along the calendar, and the next bit.

One row a merchant (``due_day``) holds the business day up to which bills are or are being moved,
and two places in the order of due dates: all bills up to a place were looked at. So a day is
worked once however often its task runs, days on which nothing ran are part of the next one, and
each bill is looked at once when it becomes late and once when it lapses, not every day.

Whoever issues bills asks here too: a bill that is issued after its due date is late at once, since
its place has been passed. Issuing shares a lock that the beginning of a day takes alone, so each
bill is seen by the walk along the due dates or by its own issuing, whatever happens at midnight.
Whoever moves a due date shares it too, and moves none to a day that the walk has passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain.bill import (
    Lifecycle,
    LifecycleEvent,
    advance,
    follows_calendar,
    is_past_due,
    lapses_before,
)
from portal.vault import slip_due
from portal.vault.act import Act
from portal.vault.db import Db, Row
from portal.vault.timeline import emit_all

STEP_BILLS: Final = 1_000
"""Bills that one transaction moves at most."""

LOOKED_AT: Final = 5_000
"""Bills that one transaction looks at: most of them were paid in time."""

_FIRST: Final = UUID(int=0)

_LOCK: Final = """
select day, overdue_to, overdue_id, lapsed_to, lapsed_id,
       (select lapse_after_days from merchant where id = $1) as lapse_after_days
from due_day where merchant_id = $1 for no key update
"""
_LOOK: Final = """
select due_on, id, lifecycle, settlement from bill
where merchant_id = $1 and (due_on, id) > ($2, $3) and due_on < $4
order by due_on, id limit $5
"""
_STILL: Final = """
select id from bill
where merchant_id = $1 and id = any($2::uuid[]) and lifecycle = $3 and settlement = 'unpaid'
      and due_on < $4
order by id for no key update
"""
_MOVE: Final = """
update bill set lifecycle = $3, version = version + 1
where merchant_id = $1 and id = any($2::uuid[])
"""
_OVERDUE_TO: Final = """
update due_day set overdue_to = $2, overdue_id = $3 where merchant_id = $1
"""
_LAPSED_TO: Final = "update due_day set lapsed_to = $2, lapsed_id = $3 where merchant_id = $1"
_DAY: Final = "select day from due_day where merchant_id = $1"
_SHARE: Final = "select pg_advisory_xact_lock_shared(hashtextextended($1, 8258))"
_ALONE: Final = "select pg_advisory_xact_lock(hashtextextended($1, 8258))"
_ZONE: Final = "select zone from merchant where id = $1"
_LAPSE_AGAIN: Final = """
update due_day set lapsed_to = $2, lapsed_id = $3 where merchant_id = $1 and lapsed_to >= $2
"""
_DUE_ON: Final = "select due_on from bill where merchant_id = $1 and id = $2"
_NEW_DAY: Final = """
insert into due_day (merchant_id, day) values ($1, $2)
on conflict (merchant_id) do update set day = excluded.day where due_day.day < excluded.day
returning overdue_to, overdue_id, lapsed_to, lapsed_id,
          (select lapse_after_days from merchant where id = $1) as lapse_after_days
"""
_HAS_BILLS: Final = """
select exists (select from bill
               where merchant_id = $1 and (due_on, id) > ($2, $3) and due_on < $4)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of due dates: every bill up to it was looked at."""

    due_on: date
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One way along the due dates: which edge bills take that are due before ``until``."""

    event: LifecycleEvent
    source: Lifecycle
    place: Place
    until: date
    keep: str

    @property
    def is_over(self) -> bool:
        """Whether every due date before ``until`` was looked at."""
        return self.place.due_on >= self.until


async def begin_day(db: Db, merchant_id: UUID, day: date) -> bool:
    """Note that a business day has begun; whether bills fell due, or lapse, or slips expire.

    False too when this day, or a later one, was begun before: each day begins once, and a business
    clock that is moved back begins none. To be called in a transaction of its own that plans the
    task with it.
    """
    await db.execute(_ALONE, str(merchant_id))
    row = await db.fetchrow(_NEW_DAY, merchant_id, day)
    if row is None:
        return False
    for walk in _walks(row, day):
        place = walk.place
        if await db.fetchval(_HAS_BILLS, merchant_id, place.due_on, place.id, walk.until):
            return True
    return await slip_due.has_expired(db, merchant_id, day)


async def lock_walks(act: Act) -> tuple[Walk, ...]:
    """The ways still to go for the act's merchant, the first one first; locks the merchant's row.

    Empty when nothing is left to do for the day that was planned.
    """
    row = await act.db.fetchrow(_LOCK, act.merchant_id)
    if row is None:
        return ()
    return tuple(walk for walk in _walks(row, row["day"]) if not walk.is_over)


def _walks(row: Row, day: date) -> list[Walk]:
    """Past due first, so that what is long past lapses on the same day."""
    walks = [
        Walk(
            event="pass_due",
            source="open",
            place=Place(row["overdue_to"], row["overdue_id"]),
            until=day,
            keep=_OVERDUE_TO,
        )
    ]
    lapse_until = lapses_before(day, row["lapse_after_days"])
    if lapse_until is not None:
        place = Place(row["lapsed_to"], row["lapsed_id"])
        walks.append(
            Walk(event="lapse", source="overdue", place=place, until=lapse_until, keep=_LAPSED_TO)
        )
    return walks


async def go_on(act: Act, walk: Walk, at_most: int) -> tuple[int, bool]:
    """Go a bit further: how many bills moved, and whether the way's end was reached.

    What was paid, canceled, moved or extended since it was looked at stays as it is: a bill is
    moved under its lock only if it is still owed, still that late and in the edge's first state.
    """
    if not at_most:
        return 0, False
    start = walk.place
    rows = await act.db.fetch(_LOOK, act.merchant_id, start.due_on, start.id, walk.until, LOOKED_AT)
    late = [
        row
        for row in rows
        if row["lifecycle"] == walk.source and follows_calendar(row["lifecycle"], row["settlement"])
    ]
    taken = late[:at_most]
    is_end = len(rows) < LOOKED_AT and len(taken) == len(late)
    moved = await _move(act, [row["id"] for row in taken], walk)
    if is_end:
        place = Place(walk.until, _FIRST)
    else:
        last = taken[-1] if len(taken) < len(late) else rows[-1]
        place = Place(last["due_on"], last["id"])
    await act.db.execute(walk.keep, act.merchant_id, place.due_on, place.id)
    return moved, is_end


async def _move(act: Act, ids: Sequence[UUID], walk: Walk) -> int:
    edge = advance(walk.source, walk.event)
    still = await act.db.fetch(_STILL, act.merchant_id, list(ids), walk.source, walk.until)
    moving = [row["id"] for row in still]
    if moving:
        await act.db.execute(_MOVE, act.merchant_id, moving, edge.state)
        await emit_all(act, moving, edge.code)
    return len(moving)


async def owed_again(act: Act, bill_id: UUID, lifecycle: Lifecycle) -> None:
    """A locked bill is owed again that days passed by while a till said it had the money.

    It is late at once if it is, and may lapse with the next business day.
    """
    due_on: date = await act.db.fetchval(_DUE_ON, act.merchant_id, bill_id)
    if lifecycle == "open":
        await pass_late(act, {bill_id: due_on})
    elif lifecycle == "overdue":
        await act.db.execute(_LAPSE_AGAIN, act.merchant_id, due_on, _FIRST)


async def share_day(act: Act) -> date:
    """The day that the merchant's calendar has come to; no later one begins before the act ends.

    To be asked before a bill that the walk may move is locked: the walk locks the merchant's row
    and then bills, and the beginning of a day waits for that row with the lock taken alone.
    """
    await act.db.execute(_SHARE, str(act.merchant_id))
    day: date | None = await act.db.fetchval(_DAY, act.merchant_id)
    if day is None:  # a merchant so new that no day was planned yet
        day = act.clock.business_today(await act.db.fetchval(_ZONE, act.merchant_id))
    return day


async def pass_late(act: Act, issued: Mapping[UUID, date]) -> int:
    """Make bills that were issued after their due date overdue at once; how many there were.

    ``issued`` are bills that this act has just opened, with their due dates. They lapse, if they
    are that late, with the next business day and not before the payer was told.
    """
    if not issued:
        return 0
    day = await share_day(act)
    late = {bill_id: due_on for bill_id, due_on in issued.items() if is_past_due(due_on, day)}
    if not late:
        return 0
    edge = advance("open", "pass_due")
    await act.db.execute(_MOVE, act.merchant_id, list(late), edge.state)
    await emit_all(act, list(late), edge.code)
    await act.db.execute(_LAPSE_AGAIN, act.merchant_id, min(late.values()), _FIRST)
    return len(late)
