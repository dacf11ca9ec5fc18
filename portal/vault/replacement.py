"""Data zone: bills that wait for their replacement, as somebody still holds a store's number.

A file's row that replaces such a bill is ``waiting``, the bill ``canceling`` and its successor not
issued. Whoever books what becomes of the number holds the bill's lock and says here which came
first: nobody can pay any more, and the row is ``ready``; or money came, the bill is kept, and the
row is ``planned`` once more, to be refused by what it is judged by (portal.vault.change_step).
Either way a task of the import does the rest, as steps lock the import before any bill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from portal.domain.bill import advance
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.attempt import LockedBill
from portal.vault.db import Row
from portal.vault.timeline import emit_all

STEP_READY: Final = 1_000

BUSY_S: Final = 60.0
"""An import that is being sent is looked at so much later: its own task may come by before."""

_FREE: Final = """
update bill_change c set state = 'ready'
where c.merchant_id = $1 and c.bill_id = $2 and c.state = 'waiting' and c.new_bill_id is not null
returning c.import_id,
          (select i.state from import i where i.merchant_id = $1 and i.id = c.import_id) as state
"""
_AGAIN: Final = """
update bill_change c set state = 'planned'
where c.merchant_id = $1 and c.bill_id = any($2::uuid[]) and c.state = 'waiting'
      and c.new_bill_id is not null
returning c.bill_id, c.import_id,
          (select i.state from import i where i.merchant_id = $1 and i.id = c.import_id) as state
"""
_KEEP: Final = """
update bill set lifecycle = $3, version = version + 1
where merchant_id = $1 and id = any($2::uuid[])
"""
NEXT_READY: Final = """
select bill_id, new_bill_id from bill_change
where merchant_id = $1 and import_id = $2 and state = 'ready' order by bill_id limit $3
"""
SUCCESSORS: Final = """
select id, lifecycle, amount_minor, due_on, kind, phone_blind is not null as has_phone,
       email_blind is not null as has_email
from bill where merchant_id = $1 and id = any($2::uuid[]) order by id for update
"""
DONE: Final = """
update bill_change set state = 'done'
where merchant_id = $1 and import_id = $2 and bill_id = any($3::uuid[]) and state = 'ready'
"""
HELD: Final = """
select new_bill_id from bill_change
where merchant_id = $1 and new_bill_id = any($2::uuid[]) and state in ('waiting', 'ready')
      and new_bill_id is not null
"""
_IS_PLANNED: Final = """
select exists (select from bill_change
               where merchant_id = $1 and import_id = $2 and state = 'planned')
"""


async def free_successor(act: Act, bill_id: UUID) -> bool:
    """Nobody can pay a locked bill any more: if one waits to take its place, have it issued."""
    row = await act.db.fetchrow(_FREE, act.merchant_id, bill_id)
    if row is None:
        return False
    await _plan(act, [row])
    return True


async def keep_paid(act: Act, bills: Mapping[UUID, LockedBill]) -> dict[UUID, LockedBill]:
    """Money comes for locked bills: those that wait for a replacement are kept, as they are now."""
    ids = [bill.id for bill in bills.values() if bill.lifecycle == "canceling"]
    rows = await act.db.fetch(_AGAIN, act.merchant_id, ids) if ids else []
    if not rows:
        return {}
    edge = advance("canceling", "keep")
    kept = sorted(row["bill_id"] for row in rows)
    await act.db.execute(_KEEP, act.merchant_id, kept, edge.state)
    await ladder.keep(act, kept)
    await emit_all(act, kept, edge.code)
    await _plan(act, rows)
    return {bill_id: replace(bills[bill_id], lifecycle=edge.state) for bill_id in kept}


async def next_ready(act: Act, import_id: UUID) -> tuple[int, list[Row]]:
    """The next rows whose old bill is gone: how many, and their new bills, locked.

    The rows are done with this act; a new bill that staff canceled meanwhile is not issued.
    """
    rows = await act.db.fetch(NEXT_READY, act.merchant_id, import_id, STEP_READY)
    if not rows:
        return 0, []
    new_ids = sorted(row["new_bill_id"] for row in rows)
    bills = await act.db.fetch(SUCCESSORS, act.merchant_id, new_ids)
    done = [row["bill_id"] for row in rows]
    await act.db.execute(DONE, act.merchant_id, import_id, done)
    return len(rows), [bill for bill in bills if bill["lifecycle"] == "scheduled"]


async def held_back(act: Act, import_id: UUID, bill_ids: Sequence[UUID]) -> frozenset[UUID] | None:
    """Those of an import's new bills whose old one can still be paid: they are not issued yet.

    None where money has come for one of them just now: who books it locks no import, so its row may
    be planned once more since the import's step looked for such, and none is to be issued before
    that is judged.
    """
    if not bill_ids:
        return frozenset()
    rows = await act.db.fetch(HELD, act.merchant_id, list(bill_ids))
    # Asked after that: a row that waits no more was seen waiting, or is seen here.
    if await act.db.fetchval(_IS_PLANNED, act.merchant_id, import_id):
        return None
    return frozenset(row["new_bill_id"] for row in rows)


async def _plan(act: Act, rows: Sequence[Row]) -> None:
    """Have the imports of these rows go on."""
    for import_id, state in {(row["import_id"], row["state"]) for row in rows}:
        wait_s = BUSY_S if state == "issuing" else 0
        await act.plan_task("intake.issue_bills", import_id, due_in_s=wait_s)
