"""Data zone, stage "intake": rows passed over because of an import that nobody has decided on yet.

Such a row is in the earlier import for now: it is billed if that one is sent. If that one is thrown
away instead, the later file is judged once more from its own bytes, so that its rows are in neither
import at no time; and because those bytes are forgotten with the decision, an import that waits
can't be sent before the other one is decided. Which import's rows waited for which is counted by
chunk, in the transaction that judged the chunk.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from portal.contract.intake import ImportWait
from portal.domain.ids import ImportId
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.outbox import NewTask
from portal.vault.sealed import IMPORT_TABLE, ImportFacts

UNDECIDED: Final = frozenset({"receiving", "checking", "checked"})
"""States in which an import can still be thrown away by a person."""

FAULTS_DROPPED: Final = 5_000
"""Faults forgotten with each step of a second look."""

_HOLD: Final = """
select id, state from import where merchant_id = $1 and id = any($2::uuid[])
order by id for key share
"""
_WAITS: Final = """
select c.import_id, i.id, i.facts, i.sealed_version, i.created_at,
       sum(w.value::bigint)::bigint as rows
from import_chunk c
cross join jsonb_each_text(c.waits_for) w
join import i on i.merchant_id = $1 and i.id = w.key::uuid
     and i.state not in ('issuing', 'issued')
where c.merchant_id = $1 and c.import_id = any($2::uuid[]) and c.waits_for <> '{}'
group by c.import_id, i.id, i.facts, i.sealed_version, i.created_at order by i.id
"""
_AWAITED: Final = """
select w.key::uuid as id, sum(w.value::bigint)::bigint as rows
from import_chunk c
cross join jsonb_each_text(c.waits_for) w
join import i on i.merchant_id = $1 and i.id = c.import_id
     and i.state in ('receiving', 'checking', 'checked')
where c.merchant_id = $1 and c.waits_for <> '{}' and c.waits_for ?| $2::text[]
      and w.key = any($2::text[])
group by 1
"""
_WAITING: Final = """
select id from import where merchant_id = $1 and state in ('receiving', 'checking', 'checked')
and id in (select import_id from import_chunk where merchant_id = $1 and waits_for <> '{}'
           and waits_for ? $2)
order by id for update
"""
_AGAIN: Final = """
update import set is_judged_again = true, step_after = null, chunks_done = 0, rows_good = 0,
    rows_faulty = 0, rows_known = 0, amount_good_minor = 0, checked_at = null,
    state = case state when 'checked' then 'checking' else state end
where merchant_id = $1 and id = any($2::uuid[])
"""
_CHUNKS_AGAIN: Final = """
update import_chunk set done_at = null, faults = '{}', waits_for = '{}', claims = '{}'
where merchant_id = $1 and import_id = any($2::uuid[])
"""
_FORGET_FAULTS: Final = """
delete from row_fault where merchant_id = $1 and import_id = $2 and (line, id) in (
    select line, id from row_fault where merchant_id = $1 and import_id = $2
    order by line, id limit $3)
returning line
"""
_READY: Final = """
update import set is_judged_again = false, step_after = null where merchant_id = $1 and id = $2
"""
_CHUNKS: Final = """
select chunk_no from import_chunk where merchant_id = $1 and import_id = $2 order by chunk_no
"""


async def hold_undecided(act: Act, import_ids: Collection[UUID]) -> bool:
    """Keep these imports from being decided until the act commits; False when one is already.

    Whoever decides afterwards sees what this act notes down about them.
    """
    if not import_ids:
        return True
    rows = await act.db.fetch(_HOLD, act.merchant_id, sorted(import_ids))
    return len(rows) == len(import_ids) and all(row["state"] in UNDECIDED for row in rows)


async def read_waits(act: Act, import_ids: Sequence[UUID]) -> Mapping[UUID, tuple[ImportWait, ...]]:
    """For each import the earlier ones that it waits for, oldest first, with how many rows."""
    found: defaultdict[UUID, tuple[ImportWait, ...]] = defaultdict(tuple)
    if not import_ids:
        return found
    fields = await act.fields()
    for row in await act.db.fetch(_WAITS, act.merchant_id, list(import_ids)):
        facts = fields.open(
            IMPORT_TABLE, "document", row["id"], row["sealed_version"], row["facts"], ImportFacts
        )
        found[row["import_id"]] += (
            ImportWait(
                import_id=ImportId(row["id"]),
                filename=facts.filename,
                created_at=row["created_at"],
                rows=row["rows"],
            ),
        )
    return found


async def count_awaited(act: Act, import_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """For each import how many rows of undecided ones were passed over because of it."""
    if not import_ids:
        return {}
    keys = [str(import_id) for import_id in import_ids]
    rows = await act.db.fetch(_AWAITED, act.merchant_id, keys)
    return {row["id"]: row["rows"] for row in rows}


async def judge_waiting_again(act: Act, gone: UUID) -> None:
    """Let the imports that waited for ``gone`` be judged once more; its bills are deleted now."""
    rows = await act.db.fetch(_WAITING, act.merchant_id, str(gone))
    if not rows:
        return
    again = [row["id"] for row in rows]
    await act.db.execute(_AGAIN, act.merchant_id, again)
    await act.db.execute(_CHUNKS_AGAIN, act.merchant_id, again)
    await act.plan_tasks(
        [NewTask(act.new_id(), "intake.discard_bills", import_id) for import_id in again]
    )


async def forget_faults(act: Act, import_id: UUID) -> bool:
    """Forget some faults of the first look; whether there may be more."""
    rows = await act.db.fetch(_FORGET_FAULTS, act.merchant_id, import_id, FAULTS_DROPPED)
    return len(rows) == FAULTS_DROPPED


async def begin_second_look(act: Act, row: Row) -> None:
    """Nothing of the first look is left: plan every chunk that is known by now."""
    await act.db.execute(_READY, act.merchant_id, row["id"])
    chunks = await act.db.fetch(_CHUNKS, act.merchant_id, row["id"])
    await act.plan_tasks(
        [
            NewTask(act.new_id(), "intake.accept_chunk", row["id"], chunk["chunk_no"])
            for chunk in chunks
        ]
    )
