"""Data zone: bills that want paper: written down when they do, taken by the next print batch.

A ladder's step says which bills do (portal.domain.ladder, portal.domain.paper). One row a bill:
what was printed once is not wanted again, what was paid or withdrawn before is dropped when the
next batch is made. Order of locks: bills by id, then these.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from portal.contract.bills import BillEvent
from portal.domain.bill import PAYABLE
from portal.domain.ids import to_public
from portal.domain.ladder import SkipReason
from portal.domain.paper import PaperReason
from portal.vault.act import Act
from portal.vault.db import Row

ON_PAPER: Final = """
select bill_id from paper_due
where merchant_id = $1 and bill_id = any($2::uuid[]) and state <> 'dropped'
union
select bill_id from print_bill where merchant_id = $1 and bill_id = any($2::uuid[])
"""
# OFFSET 0 makes it a look-up by key for each contract, whatever the table may hold.
IS_DIGITAL: Final = """
select c.contract_blind from unnest($2::bytea[]) as k (contract) cross join lateral (
    select contract_blind, state from digital_contract
    where merchant_id = $1 and contract_blind = k.contract offset 0) c
where c.state = 'digital'
"""
WANT: Final = """
insert into paper_due as p (merchant_id, at, bill_id, reason)
select $1, $2, w.* from unnest($3::uuid[], $4::text[]) as w (bill_id, reason) order by 3
on conflict (merchant_id, bill_id)
do update set state = 'waiting', reason = excluded.reason, at = excluded.at
where p.state = 'dropped'
returning bill_id
"""
PRINTED: Final = """
update paper_due set state = 'printed'
where merchant_id = $1 and bill_id = any($2::uuid[]) and state = 'waiting'
"""
# A slice at a time: what is left is passed over by the batch itself.
DROP: Final = """
update paper_due p set state = 'dropped'
where p.merchant_id = $1 and p.state = 'waiting' and p.bill_id = any(array(
    select w.bill_id from paper_due w
    join bill b on b.merchant_id = $1 and b.id = w.bill_id
    where w.merchant_id = $1 and w.state = 'waiting'
      and (b.settlement in ('settled', 'over') or not b.lifecycle = any($2::text[]))
    limit 1000))
"""
_SHOWN: Final = """
select reason, at from paper_due where merchant_id = $1 and bill_id = $2
"""
_HANDED: Final = """
select b.id, b.handed_at, b.handed_by from print_bill o
join print_batch b on b.merchant_id = $1 and b.id = o.batch_id
where o.merchant_id = $1 and o.bill_id = $2 and b.handed_at is not null
"""


async def read_standing(act: Act, bills: Sequence[Row]) -> dict[UUID, SkipReason]:
    """Which of these bills can't be told of by paper, or need not be, and why.

    ``bills`` are rows with ``id``, ``has_address`` and ``contract_blind``.
    """
    ids = [bill["id"] for bill in bills]
    printed = {row["bill_id"] for row in await act.db.fetch(ON_PAPER, act.merchant_id, ids)}
    contracts = sorted({bill["contract_blind"] for bill in bills})
    rows = await act.db.fetch(IS_DIGITAL, act.merchant_id, contracts)
    digital = {row["contract_blind"] for row in rows}
    found: dict[UUID, SkipReason] = {}
    for bill in bills:
        if not bill["has_address"]:
            found[bill["id"]] = "no_address"
        elif bill["id"] in printed:
            found[bill["id"]] = "on_paper"
        elif bill["contract_blind"] in digital:
            found[bill["id"]] = "digital"
    return found


async def want_paper(act: Act, wanted: Mapping[UUID, PaperReason]) -> list[UUID]:
    """Put these bills, whose locks are held, into the next batch; which ones are new to it."""
    if not wanted:
        return []
    rows = await act.db.fetch(
        WANT, act.merchant_id, act.business, list(wanted), list(wanted.values())
    )
    return [row["bill_id"] for row in rows]


async def note_printed(act: Act, bill_ids: Sequence[UUID]) -> None:
    """These bills are in a batch now; none of them is put into another by itself."""
    await act.db.execute(PRINTED, act.merchant_id, list(bill_ids))


async def drop_settled(act: Act) -> None:
    """Forget the wish for paper of bills that were paid or withdrawn meanwhile."""
    await act.db.execute(DROP, act.merchant_id, sorted(PAYABLE))


async def events_of(act: Act, bill_id: UUID) -> list[BillEvent]:
    """What paper adds to a bill's timeline: why it goes to the shop, and that the shop has it."""
    events: list[BillEvent] = []
    row = await act.db.fetchrow(_SHOWN, act.merchant_id, bill_id)
    if row is not None:
        events.append(
            BillEvent(at=row["at"], code=f"paper.due_{row['reason']}", actor="system", params={})
        )
    events += [
        BillEvent(
            at=one["handed_at"],
            code="paper.handed_over",
            actor=one["handed_by"],
            params={"batch": to_public("print_batch", one["id"])},
        )
        for one in await act.db.fetch(_HANDED, act.merchant_id, bill_id)
    ]
    return events
