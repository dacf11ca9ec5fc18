"""Data zone: how many bills stand where, answered from the tally at any number of bills.

A trigger appends deltas per statement (alembic/versions/0002_bills.py); their sum by state, due day
and day paid has a few thousand groups at most, so it is read in milliseconds at millions of bills
and is exact in the transaction's own view. Appending instead of counting up means that payments of
one merchant never wait for one another; whoever reads folds the deltas when they have become many.
"""

from datetime import date
from typing import Final

from portal.contract.bills import BillFilter
from portal.vault.act import Act
from portal.vault.db import Row

FOLD_ABOVE: Final = 2_000
"""Deltas of one merchant above which a reader folds them into one row per group."""

FOLDED_MAX: Final = 200_000
"""Deltas that one reader folds at most: those of a merchant whose figures nobody has looked at for
long, a step's or a payment's each, would take longer than a statement may."""

_COUNT: Final = """
select coalesce(sum(bills), 0)::bigint from bill_tally
where merchant_id = $1 and (cardinality($2::text[]) = 0 or lifecycle = any($2))
  and (cardinality($3::text[]) = 0 or settlement = any($3))
  and (cardinality($4::text[]) = 0 or message = any($4))
  and ($5::date is null or due_on >= $5) and ($6::date is null or due_on <= $6)
  and (not $7::bool or (not is_opened and lifecycle <> 'scheduled'))
"""
_SUMS: Final = """
select lifecycle, settlement, message, is_opened,
       sum(bills)::bigint as bills, sum(amount_minor)::bigint as amount_minor, count(*) as deltas
from bill_tally where merchant_id = $1 group by 1, 2, 3, 4
"""
_DAYS: Final = """
select paid_on as day, sum(bills)::bigint as bills, sum(amount_minor)::bigint as amount_minor
from bill_tally where merchant_id = $1 and paid_on >= $2
group by paid_on having sum(bills) > 0 order by paid_on
"""
_FOLDING: Final = "select pg_try_advisory_xact_lock(hashtextextended($1, 8257))"
_FOLD: Final = """
with gone as (
    delete from bill_tally where merchant_id = $1 and id = any(array(
        select id from bill_tally where merchant_id = $1 order by id limit $2))
    returning *
)
insert into bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on, paid_on,
                        bills, amount_minor)
select merchant_id, lifecycle, settlement, message, is_opened, due_on, paid_on, sum(bills),
       sum(amount_minor)
from gone group by 1, 2, 3, 4, 5, 6, 7 having sum(bills) <> 0 or sum(amount_minor) <> 0
"""
_SINGLE: Final = """
select count(*) from (
    select from bill_tally where merchant_id = $1
    group by lifecycle, settlement, message, is_opened, due_on, paid_on having count(*) = 1) single
"""


async def count_bills(act: Act, wanted: BillFilter) -> int:
    """How many bills a filter without ``import_id`` matches, exactly."""
    count: int = await act.db.fetchval(
        _COUNT,
        act.merchant_id,
        wanted.lifecycle,
        wanted.settlement,
        wanted.message,
        wanted.due_from,
        wanted.due_to,
        wanted.never_opened,
    )
    return count


async def sum_bills(act: Act) -> list[Row]:
    """Bills and yen by states, opened or not. Late is what the states say, as in every list.

    Folds the deltas when they have become many.
    """
    rows = await act.db.fetch(_SUMS, act.merchant_id)
    await _fold(act, sum(row["deltas"] for row in rows))
    return rows


async def _fold(act: Act, deltas: int) -> None:
    """One reader at a time, the oldest first; what it leaves the next one folds.

    What is folded already is not gone through once more.
    """
    if deltas <= FOLD_ABOVE or deltas <= 2 * await act.db.fetchval(_SINGLE, act.merchant_id):
        return
    if await act.db.fetchval(_FOLDING, str(act.merchant_id)):
        await act.db.execute(_FOLD, act.merchant_id, FOLDED_MAX)


async def sum_days(act: Act, since: date) -> list[Row]:
    """What was paid on each day of the merchant's zone from ``since`` on."""
    return await act.db.fetch(_DAYS, act.merchant_id, since)
