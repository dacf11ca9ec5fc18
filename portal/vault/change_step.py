"""Data zone: what a file that is sent does to bills that are there, a step at a time.

All of a step at once: bills are locked in the order of their ids, judged again, and moved by one
statement for each way. What was planned for them is sent no more: their ladders end here, and a
message that was handed out is left out when it is redeemed. A bill that somebody holds a number
of is withdrawn or replaced in two steps: its number goes first, by a worker (portal.vault.unwanted,
portal.vault.replacement).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from portal.domain.bill_change import ChangedBill, judge_change, path_of
from portal.domain.intake.row import Fault, shown
from portal.domain.ledger import bill_canceled
from portal.domain.pause import RELEASED
from portal.vault import ladder
from portal.vault.act import Act
from portal.vault.changes import facts_of
from portal.vault.db import Row
from portal.vault.ledger import post, sums_of_all
from portal.vault.row_faults import store_faults
from portal.vault.timeline import emit_all
from portal.vault.unwanted import ask_about_numbers

if TYPE_CHECKING:
    from portal.domain.bill import Lifecycle

    _Way = tuple[Lifecycle, tuple[str, ...], ladder.Ended]

STEP_CHANGES: Final = 1_000

NEXT_CHANGES: Final = """
select bill_id, line, action, new_bill_id from bill_change
where merchant_id = $1 and import_id = $2 and state = 'planned' order by bill_id limit $3
"""
BILLS: Final = """
select id, number, lifecycle, settlement, amount_minor from bill
where merchant_id = $1 and id = any($2::uuid[]) order by id for update
"""
_MOVED: Final = """
update bill set lifecycle = $3, canceled_at = $4, version = version + 1
where merchant_id = $1 and id = any($2::uuid[])
"""
_UNPAUSED: Final = """
update pause set ended_by = $4, ended_at = $5, end_code = 'released'
where merchant_id = $1 and bill_id = any($2::uuid[]) and kind = any($3::text[])
      and ended_at is null
"""
_ENDED: Final = """
update bill_change set state = $4
where merchant_id = $1 and import_id = $2 and bill_id = any($3::uuid[])
"""
_NOT_ISSUED: Final = """
delete from bill where merchant_id = $1 and id = any($2::uuid[]) and lifecycle = 'scheduled'
returning amount_minor
"""
_COUNTED: Final = """
update import set rows_issued = rows_issued + $3, rows_good = rows_good - $4,
    rows_faulty = rows_faulty + $4, amount_good_minor = amount_good_minor - $5
where merchant_id = $1 and id = $2
"""
_FAULTS_BY_CODE: Final = """
update import_chunk c set faults = c.faults || (
    select jsonb_object_agg(f.key, coalesce((c.faults ->> f.key)::bigint, 0) + f.value::bigint)
    from jsonb_each_text($3::jsonb) f)
where c.merchant_id = $1 and c.import_id = $2 and c.chunk_no = (
    select min(chunk_no) from import_chunk where merchant_id = $1 and import_id = $2)
"""


async def apply_changes(act: Act, whole: Row) -> int | None:
    """Do the next changes of an import that is sent; how many rows, None when none is left."""
    import_id: UUID = whole["id"]
    rows = await act.db.fetch(NEXT_CHANGES, act.merchant_id, import_id, STEP_CHANGES)
    if not rows:
        return None
    wanted = [row["bill_id"] for row in rows]
    replacing = [row["new_bill_id"] for row in rows if row["new_bill_id"] is not None]
    locked = await act.db.fetch(BILLS, act.merchant_id, sorted({*wanted, *replacing}))
    there = {row["id"]: row for row in locked}
    facts = await facts_of(act, [row for row in locked if row["id"] in set(wanted)])
    by_verdict: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_verdict[_verdict(row, there, facts)].append(row)
    doing, known = by_verdict.pop("do", []), by_verdict.pop("known", [])
    await _move(act, doing, facts)
    by_end: defaultdict[str, list[Row]] = defaultdict(list)
    for row in doing:
        by_end[_end_of(row, whole, facts[row["bill_id"]])].append(row)
    for state, ended in by_end.items():
        await _end(act, import_id, state, ended)
    await _end(act, import_id, "known", known)
    # A replacement is counted when its new bill is issued, which may wait (next_ready).
    done = sum(row["new_bill_id"] is None for row in (*doing, *known))
    await _count(act, import_id, done, by_verdict, there)
    return len(rows)


def _verdict(row: Row, there: Mapping[UUID, Row], facts: Mapping[UUID, ChangedBill]) -> str:
    """What becomes of a planned change now.

    One whose bill is gone, or whose replacement was thrown out by an earlier line of the file, has
    nothing to do.
    """
    new_id, bill_id = row["new_bill_id"], row["bill_id"]
    if bill_id not in facts:
        return "known"
    if new_id is not None and (new_id not in there or there[new_id]["lifecycle"] != "scheduled"):
        return "known"
    return judge_change(row["action"], facts[bill_id])


def _end_of(row: Row, whole: Row, bill: ChangedBill) -> str:
    """What a change that is done leaves behind.

    The import's steps come to new bills in the order of their ids. One that they have passed, as
    money came for its old bill and went again, is issued with those that waited (next_ready).
    """
    if bill.live == "number":
        return "waiting"
    new_id, after = row["new_bill_id"], whole["step_after"]
    is_passed = whole["state"] == "issued" or (after is not None and (new_id or after) <= after)
    return "ready" if new_id is not None and is_passed else "done"


async def _move(act: Act, doing: Sequence[Row], facts: Mapping[UUID, ChangedBill]) -> None:
    """Withdraw bills: state, books, pauses, ladder and timeline together.

    Those that somebody holds a number of are ``canceling``: what is owed stays in the books until
    that is withdrawn, as when staff cancel (portal.vault.cancel).
    """
    if not doing:
        return
    groups: defaultdict[_Way, list[UUID]] = defaultdict(list)
    for row in doing:
        bill = facts[row["bill_id"]]
        path = path_of(row["action"], bill.lifecycle, bill.live)
        ended: ladder.Ended = "superseded" if row["action"] == "replace" else "canceled"
        groups[*path, ended].append(row["bill_id"])
    ids = [row["bill_id"] for row in doing]
    await act.db.execute(_UNPAUSED, act.merchant_id, ids, sorted(RELEASED), act.actor, act.business)
    for (lifecycle, codes, ended), moved in groups.items():
        is_over = lifecycle != "canceling"
        if is_over:
            await _forgive(act, moved)
        at = act.business if is_over else None
        await act.db.execute(_MOVED, act.merchant_id, moved, lifecycle, at)
        await ladder.end(act, moved, ended)
        for code in codes:
            await emit_all(act, moved, code)
        if not is_over:
            await ask_about_numbers(act, moved)


async def _forgive(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Nothing is owed of these bills any more."""
    sums = await sums_of_all(act, list(bill_ids))
    owed = [
        bill_canceled(bill_id, sums[bill_id].receivable)
        for bill_id in bill_ids
        if bill_id in sums and sums[bill_id].receivable
    ]
    await post(act, owed)


async def _end(act: Act, import_id: UUID, state: str, rows: Sequence[Row]) -> None:
    if rows:
        ids = [row["bill_id"] for row in rows]
        await act.db.execute(_ENDED, act.merchant_id, import_id, ids, state)


async def _count(
    act: Act,
    import_id: UUID,
    done: int,
    refused: Mapping[str, Sequence[Row]],
    there: Mapping[UUID, Row],
) -> None:
    """Count what was done, and list what was refused after all: its new bill is not issued."""
    faults = [
        Fault(
            row["line"],
            "number" if row["new_bill_id"] is None else "replaces",
            code,
            {},
            shown(there[row["bill_id"]]["number"]),
        )
        for code, rows in refused.items()
        for row in rows
    ]
    late = [row for rows in refused.values() for row in rows]
    new_ids = [row["new_bill_id"] for row in late if row["new_bill_id"] is not None]
    gone = await act.db.fetch(_NOT_ISSUED, act.merchant_id, new_ids) if new_ids else []
    await _end(act, import_id, "refused", late)
    await store_faults(act, import_id, faults)
    if faults:
        by_code = Counter(fault.code for fault in faults)
        encoded = msgspec.json.encode(by_code).decode()
        await act.db.execute(_FAULTS_BY_CODE, act.merchant_id, import_id, encoded)
    await act.db.execute(
        _COUNTED, act.merchant_id, import_id, done, len(faults),
        sum(row["amount_minor"] for row in gone),
    )  # fmt: skip
