"""Data zone: slips that nobody will pay any more, found when a business day begins.

Here too is found what waits too long for its confirmation; portal.vault.slip_release lets it go.

Expired is a slip whose last day and its agency's grace are over; what a shop took in time may be
told that much later. Its bill stays as it is.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.domain.slip import UNCONFIRMED_DAYS
from portal.vault.act import Act
from portal.vault.db import Db, Row
from portal.vault.slip import read_slips, step

GRACE_DAYS: Final = 14
"""For slips of a merchant whose terms are gone."""

_ZONE: Final = "select zone from merchant where id = $1"
_DAY: Final = "select day from due_day where merchant_id = $1"
_OVER: Final = """
select s.bill_id from slip s
where s.merchant_id = $1 and s.state in ('issued', 'voided')
      and s.pay_until < $2::date
          - coalesce((select grace_days from slip_terms where merchant_id = $1), $3::int)
order by s.pay_until, s.id limit $4
"""
_LOCK_BILLS: Final = """
select id from bill where merchant_id = $1 and id = any($2::uuid[]) order by id for update
"""
_STILL: Final = """
select s.id from slip s
where s.merchant_id = $1 and s.bill_id = any($2::uuid[]) and s.state in ('issued', 'voided')
      and s.pay_until < $3::date
          - coalesce((select grace_days from slip_terms where merchant_id = $1), $4::int)
"""
_UNCONFIRMED: Final = """
select id, bill_id from slip_taking
where merchant_id = $1 and state = 'pending' and at < $2 order by at, id limit $3
"""


async def has_expired(db: Db, merchant_id: UUID, day: date) -> bool:
    """Whether slips expire, or announcements are let go, with the business day ``day``."""
    if await db.fetch(_OVER, merchant_id, day, GRACE_DAYS, 1):
        return True
    return bool(await unconfirmed(db, merchant_id, day, 1))


async def unconfirmed(db: Db, merchant_id: UUID, day: date, at_most: int) -> list[Row]:
    """Announcements that wait too long on the business day ``day``, the oldest first.

    Days are the merchant's, at whatever hour something was heard: a word of the day that lies
    ``UNCONFIRMED_DAYS`` back still stands, one of the day before doesn't.
    """
    zone = ZoneInfo(await db.fetchval(_ZONE, merchant_id))
    before = datetime.combine(day - timedelta(days=UNCONFIRMED_DAYS), time(), zone)
    return await db.fetch(_UNCONFIRMED, merchant_id, before, at_most)


async def planned_day(act: Act) -> date | None:
    """The business day that was begun last; None for a merchant that had none yet."""
    day: date | None = await act.db.fetchval(_DAY, act.merchant_id)
    return day


async def expire(act: Act, at_most: int) -> tuple[int, bool]:
    """Expire slips of the day that was planned, up to ``at_most`` bills' at once.

    Returns how many there were and whether none is left. Under their bills' locks, so that a
    notice that comes just now is judged before or after, never beside.
    """
    day = await planned_day(act)
    if day is None:
        return 0, True
    if at_most <= 0:
        return 0, False
    rows = await act.db.fetch(_OVER, act.merchant_id, day, GRACE_DAYS, at_most)
    bills = sorted({row["bill_id"] for row in rows})
    await act.db.fetch(_LOCK_BILLS, act.merchant_id, bills)
    still = await act.db.fetch(_STILL, act.merchant_id, bills, day, GRACE_DAYS)
    slips = await read_slips(act, [row["id"] for row in still])
    for slip in slips.values():
        await step(act, slip, "expire")
    return len(slips), len(rows) < at_most
