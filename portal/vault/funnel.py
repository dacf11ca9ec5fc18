"""Data zone: the funnel from its tally, and the prices of ordinary messages.

Triggers append deltas per statement (migration 0034b_funnel); their sum by import, channel, company
and stage has a few rows an import, so it is read in milliseconds at millions of bills. A reader
folds the deltas when they have become many.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.domain.funnel import Count, unit_price
from portal.domain.sms import BUILT_IN
from portal.domain.template_lint import Draft, check
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.template_view import read_sender

FOLD_ABOVE: Final = 2_000
"""Deltas of one merchant above which a reader folds them into one row per group."""

SUMS: Final = """
select channel, provider, stage, sum(number)::bigint as number, count(*) as deltas
from funnel_tally where merchant_id = $1 group by 1, 2, 3 order by 1, 2, 3
"""
SUMS_OF_IMPORT: Final = """
select channel, provider, stage, sum(number)::bigint as number, 0 as deltas
from funnel_tally where merchant_id = $1 and import_id = $2 group by 1, 2, 3 order by 1, 2, 3
"""
FOLDED_MAX: Final = 200_000
"""Deltas that one reader folds at most: all of a merchant whose figures nobody has looked at for
long would take longer than a statement may."""

_FOLDING: Final = "select pg_try_advisory_xact_lock(hashtextextended($1, 8262))"
_FOLD: Final = """
with gone as (
    delete from funnel_tally where merchant_id = $1 and id = any(array(
        select id from funnel_tally where merchant_id = $1 order by id limit $2))
    returning *
)
insert into funnel_tally (merchant_id, import_id, channel, provider, stage, number)
select merchant_id, import_id, channel, provider, stage, sum(number)
from gone group by 1, 2, 3, 4, 5 having sum(number) <> 0
"""
_GROUPS: Final = """
select count(*) from (
    select from funnel_tally where merchant_id = $1 group by import_id, channel, provider, stage
    having count(*) = 1) single
"""
_PRICES: Final = "select channel, provider, prices from message_price where merchant_id = $1"


async def read_counts(act: Act, import_id: UUID | None) -> list[Count]:
    """What stands at each stage, of one import or of all; folds when the deltas are many."""
    if import_id is not None:
        rows = await act.db.fetch(SUMS_OF_IMPORT, act.merchant_id, import_id)
    else:
        rows = await act.db.fetch(SUMS, act.merchant_id)
        await _fold(act, rows)
    return [
        Count(
            channel=row["channel"],
            provider=row["provider"],
            stage=row["stage"],
            number=row["number"],
        )
        for row in rows
        if row["number"]
    ]


async def _fold(act: Act, rows: Sequence[Row]) -> None:
    """One reader at a time; what is folded already is not gone through once more."""
    deltas = sum(row["deltas"] for row in rows)
    if deltas <= FOLD_ABOVE or deltas <= 2 * await act.db.fetchval(_GROUPS, act.merchant_id):
        return
    if await act.db.fetchval(_FOLDING, str(act.merchant_id)):
        await act.db.execute(_FOLD, act.merchant_id, FOLDED_MAX)


async def read_unit_prices(act: Act) -> dict[tuple[str, str], int | None]:
    """What an ordinary message costs, by channel and company. Units: hundredths of a yen.

    What is charged by parts is charged by those of the built-in text of an ordinary bill.
    """
    rows = await act.db.fetch(_PRICES, act.merchant_id)
    if not rows:
        return {}
    sender = await read_sender(act, rows[0]["channel"])
    text = check(
        Draft(
            language="ja",
            occasion="first",
            body=BUILT_IN["ja"][0],
            merchant_name=sender.merchant_name,
            link=sender.sample_link,
        )
    )
    return {
        (row["channel"], row["provider"]): unit_price(row["prices"], text.size.segments)
        for row in rows
    }
