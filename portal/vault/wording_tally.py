"""Data zone: how many messages of a wording went out in the built-in words, because it did not fit.

Counted where they are worded, by chunk: a chunk is in one worker's hands, so no two who word
messages wait for each other. A message that is given out once more counts once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.domain.wording_tally import SHOWN_DAYS, is_over_share, is_too_often
from portal.vault.act import Act
from portal.vault.template import keep_wordings

CASE: Final = "wording_unfit"

ADD: Final = """
insert into wording_tally as w (merchant_id, chunk_id, template_id, on_date, told, unfit)
select $1, t.chunk_id, t.template_id, ($2::timestamptz at time zone m.zone)::date, t.told, t.unfit
from unnest($3::uuid[], $4::uuid[], $5::int[], $6::int[])
     as t (chunk_id, template_id, told, unfit)
join merchant m on m.id = $1
order by t.chunk_id, t.template_id
on conflict (merchant_id, chunk_id, template_id, on_date)
do update set told = w.told + excluded.told, unfit = w.unfit + excluded.unfit
returning template_id, on_date, told, unfit
"""
DAY: Final = """
select sum(told)::int as told, sum(unfit)::int as unfit from wording_tally
where merchant_id = $1 and template_id = $2 and on_date = $3
"""
_HAS_HEARD: Final = """
select exists (select from case_ where merchant_id = $1 and kind = $2 and subject_id = $1
               and params ->> 'day' = $3)
"""
_WHICH: Final = """
select channel, number from message_template where merchant_id = $1 and id = $2
"""
LATELY: Final = """
select template_id, sum(told)::int as told, sum(unfit)::int as unfit from wording_tally
where merchant_id = $1 and template_id = any($2::uuid[])
      and on_date > ($3::timestamptz at time zone (select zone from merchant where id = $1))::date
group by template_id
"""


@dataclass(slots=True)
class Tally:
    """Messages of a slice that had a wording of the merchant's, by chunk and version.

    ``worded``: deliveries whose text it is, each with the version.
    """

    worded: list[tuple[UUID, UUID]] = field(default_factory=list[tuple[UUID, UUID]])
    told: dict[tuple[UUID, UUID], int] = field(default_factory=dict[tuple[UUID, UUID], int])
    unfit: dict[tuple[UUID, UUID], int] = field(default_factory=dict[tuple[UUID, UUID], int])

    def add(self, delivery_id: UUID, chunk_id: UUID, template_id: UUID, *, is_own: bool) -> None:
        """One message; ``is_own``: the wording fitted."""
        if is_own:
            self.worded.append((delivery_id, template_id))
        key = (chunk_id, template_id)
        self.told[key] = self.told.get(key, 0) + 1
        self.unfit[key] = self.unfit.get(key, 0) + (not is_own)


async def keep(act: Act, tally: Tally) -> None:
    """Note by what a slice was worded; where it did not fit too many, staff have a case.

    Once a day at most.

    A day is looked at as a whole only when one of its chunks is too bad by itself: else no day is.
    """
    if not tally.told:
        return
    await keep_wordings(act, tally.worded)
    rows = await act.db.fetch(
        ADD,
        act.merchant_id,
        act.business,
        [chunk_id for chunk_id, _ in tally.told],
        [template_id for _, template_id in tally.told],
        list(tally.told.values()),
        list(tally.unfit.values()),
    )
    unfit = {template for (_, template), count in tally.unfit.items() if count}
    suspects = {
        (row["template_id"], row["on_date"])
        for row in rows
        if row["template_id"] in unfit and is_over_share(row["told"], row["unfit"])
    }
    for template_id, day in sorted(suspects):
        if await act.db.fetchval(_HAS_HEARD, act.merchant_id, CASE, day.isoformat()):
            return
        sums = await act.db.fetchrow(DAY, act.merchant_id, template_id, day)
        if sums is None or not is_too_often(sums["told"], sums["unfit"]):
            continue
        which = await act.db.fetchrow(_WHICH, act.merchant_id, template_id)
        await act.open_case(
            CASE,
            act.merchant_id,
            day=day.isoformat(),
            channel=which["channel"] if which else "",
            number=which["number"] if which else 0,
            told=sums["told"],
            unfit=sums["unfit"],
        )


async def read_lately(act: Act, template_ids: Sequence[UUID]) -> Mapping[UUID, tuple[int, int]]:
    """Of each version: messages of the last SHOWN_DAYS, and those that it did not fit."""
    since = act.business - timedelta(days=SHOWN_DAYS)
    rows = await act.db.fetch(LATELY, act.merchant_id, list(template_ids), since)
    return {row["template_id"]: (row["told"], row["unfit"]) for row in rows}
