"""Data zone: what a file wants of bills that are there: found and judged when it is read.

What is done when it is sent: portal.vault.change_step.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from portal.contract.intake import ChangeCount
from portal.domain.bill_change import (
    ChangeAction,
    ChangedBill,
    judge_change,
    live_of,
)
from portal.domain.intake.row import Fault, shown
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ledger import sums_of_all
from portal.vault.row_faults import rename_faults

DROPPED_MAX: Final = 5_000

_LIVE: Final = "'created', 'submitting', 'requires_action', 'processing', 'unknown'"
# The state is compared as a text of no column: see portal.vault.debit_plain.
LIVE_BILLS: Final = f"""
select bill_id, method from attempt
where merchant_id = $1 and bill_id = any($2::uuid[]) and state || '' in ({_LIVE})
union
select s.bill_id, a.method from (
    select attempt_id, bill_id from attempt_share
    where merchant_id = $1 and bill_id = any($2::uuid[]) offset 0
) s
join lateral (
    select state, method from attempt where merchant_id = $1 and id = s.attempt_id offset 0
) a on a.state in ({_LIVE})
"""  # noqa: S608  constant text
_TARGETS: Final = """
select r.place::int as place, b.id, b.lifecycle, b.settlement
from unnest($2::text[], $3::bytea[], $4::text[], $5::text[]) with ordinality
     as r (number, contract_blind, period, kind, place)
join bill b on b.merchant_id = $1 and b.number = r.number and b.contract_blind = r.contract_blind
     and b.period = r.period and b.kind = r.kind
"""
_PLAN: Final = """
insert into bill_change (merchant_id, import_id, state, bill_id, line, action, new_bill_id)
select $1, $2, c.* from unnest($3::text[], $4::uuid[], $5::int[], $6::text[], $7::uuid[])
     as c (state, bill_id, line, action, new_bill_id)
on conflict do nothing returning bill_id
"""
_PLANNED_AT: Final = """
select bill_id, line, new_bill_id from bill_change
where merchant_id = $1 and import_id = $2 and bill_id = any($3::uuid[])
order by bill_id for update
"""
_TAKE_OVER: Final = """
update bill_change c set state = t.state, line = t.line, action = t.action,
    new_bill_id = t.new_bill_id
from unnest($3::text[], $4::uuid[], $5::int[], $6::text[], $7::uuid[])
     as t (state, bill_id, line, action, new_bill_id)
where c.merchant_id = $1 and c.import_id = $2 and c.bill_id = t.bill_id
      and c.bill_id = any($4::uuid[])
"""
_VOID: Final = """
update bill_change set state = 'refused'
where merchant_id = $1 and import_id = $2 and state = 'planned' and new_bill_id = any($3::uuid[])
"""
_DROP: Final = """
delete from bill_change where merchant_id = $1 and import_id = $2 and bill_id in (
    select bill_id from bill_change where merchant_id = $1 and import_id = $2 limit $3)
returning line
"""
_COUNTS: Final = """
select import_id, action, count(*) filter (where state = 'planned') as planned,
       count(*) filter (where state in ('done', 'waiting', 'ready')) as done,
       count(*) filter (where state = 'ready' or (state = 'waiting' and exists (
           select from bill b where b.merchant_id = $1 and b.id = bill_change.bill_id
                  and b.lifecycle = 'canceling'))) as waiting
from bill_change where merchant_id = $1 and import_id = any($2::uuid[]) group by 1, 2 order by 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedChange:
    """A row's wish about a bill that is there, named as requests are.

    ``new_bill_id``: the bill of the same row, which replaces it. ``is_void``: an earlier line has
    that bill's number, so the row is refused; it has named the old bill all the same.
    """

    line: int
    action: ChangeAction
    number: str
    contract_blind: bytes
    period: str
    kind: str
    new_bill_id: UUID | None = None
    is_void: bool = False

    def fault(self, code: str, **params: str | int) -> Fault:
        """The row's fault about this bill."""
        column = "number" if self.new_bill_id is None else "replaces"
        return Fault(self.line, column, code, params, shown(self.number))


@dataclass(slots=True, kw_only=True)
class ChangeVerdicts:
    """What became of the wishes of one chunk: bills to change, rows that are known, faults."""

    planned: list[tuple[WantedChange, UUID]]
    known: list[WantedChange]
    faults: list[tuple[WantedChange, Fault]]


async def judge_changes(act: Act, wanted: Sequence[WantedChange]) -> ChangeVerdicts:
    """Find the bills and say what may be done to each; nothing is changed or kept."""
    verdicts = ChangeVerdicts(planned=[], known=[], faults=[])
    if not wanted:
        return verdicts
    found = await act.db.fetch(
        _TARGETS,
        act.merchant_id,
        [one.number for one in wanted],
        [one.contract_blind for one in wanted],
        [one.period for one in wanted],
        [one.kind for one in wanted],
    )
    there = {row["place"]: row for row in found}
    bills = await facts_of(act, found)
    for place, one in enumerate(wanted, 1):
        row = there.get(place)
        if row is None:
            verdicts.faults.append((one, one.fault("change_unknown")))
            continue
        verdict = judge_change(one.action, bills[row["id"]])
        if verdict == "do":
            verdicts.planned.append((one, row["id"]))
        elif verdict == "known":
            verdicts.known.append(one)
        else:
            verdicts.faults.append((one, one.fault(verdict)))
    return verdicts


@dataclass(slots=True, kw_only=True)
class ChangesPlanned:
    """Which wishes another line of the file has before them, and whose place was taken.

    ``displaced``: later lines that another worker had planned before, each with its fault.
    """

    twice: list[tuple[WantedChange, Fault]]
    displaced: list[tuple[WantedChange, Fault]]


async def plan_changes(
    act: Act, import_id: UUID, planned: Sequence[tuple[WantedChange, UUID]]
) -> ChangesPlanned:
    """Keep what is to be done when the import is sent; a bill that is named twice is a fault.

    The earliest line that names it has it, in whatever order workers come to the chunks; also one
    that is void, or a later line would get the bill where the void one is read after it alone.
    """
    made = ChangesPlanned(twice=[], displaced=[])
    first: dict[UUID, WantedChange] = {}
    later: list[tuple[WantedChange, UUID]] = []
    for one, bill_id in sorted(planned, key=lambda pair: (pair[1], pair[0].line)):
        if first.setdefault(bill_id, one) is not one:
            later.append((one, bill_id))
    named = {bill_id: one.line for bill_id, one in first.items()}
    await _compare(act, import_id, first, named, made)
    made.twice += [(one, one.fault("change_twice", line=named[bill_id])) for one, bill_id in later]
    return made


async def _compare(
    act: Act,
    import_id: UUID,
    first: Mapping[UUID, WantedChange],
    named: dict[UUID, int],
    made: ChangesPlanned,
) -> None:
    """Plan a chunk's first wishes of each bill, or find what other chunks have planned for it.

    ``named`` says afterwards which line has each bill.
    """
    kept = {row["bill_id"] for row in await _plan(act, _PLAN, import_id, first)}
    others = [bill_id for bill_id in first if bill_id not in kept]
    if not others:
        return
    taken: dict[UUID, WantedChange] = {}
    renamed: dict[int, int] = {}
    for row in await act.db.fetch(_PLANNED_AT, act.merchant_id, import_id, others):
        one = first[row["bill_id"]]
        if row["line"] == one.line:  # a second look at the same row
            continue
        if row["line"] < one.line:
            named[row["bill_id"]] = row["line"]
            made.twice.append((one, one.fault("change_twice", line=row["line"])))
            continue
        taken[row["bill_id"]] = one
        renamed[row["line"]] = one.line
        later = replace(one, line=row["line"], new_bill_id=row["new_bill_id"])
        made.displaced.append((later, later.fault("change_twice", line=one.line)))
    await _plan(act, _TAKE_OVER, import_id, taken)
    await rename_faults(act, import_id, "change_twice", renamed)


async def void_changes(act: Act, import_id: UUID, new_bill_ids: Sequence[UUID]) -> None:
    """Earlier lines have the numbers of these new bills: they replace nothing any more."""
    await act.db.execute(_VOID, act.merchant_id, import_id, list(new_bill_ids))


async def _plan(
    act: Act, statement: str, import_id: UUID, wanted: Mapping[UUID, WantedChange]
) -> list[Row]:
    """Write these changes of bills, in the order in which they stand here."""
    if not wanted:
        return []
    return await act.db.fetch(
        statement,
        act.merchant_id,
        import_id,
        ["refused" if one.is_void else "planned" for one in wanted.values()],
        list(wanted),
        [one.line for one in wanted.values()],
        [one.action for one in wanted.values()],
        [one.new_bill_id for one in wanted.values()],
    )


async def facts_of(act: Act, bills: Sequence[Row]) -> dict[UUID, ChangedBill]:
    """What decides about each of these bills."""
    ids = [row["id"] for row in bills]
    live: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in await act.db.fetch(LIVE_BILLS, act.merchant_id, ids):
        live[row["bill_id"]].append(row["method"])
    sums = await sums_of_all(act, ids)
    return {
        row["id"]: ChangedBill(
            lifecycle=row["lifecycle"],
            settlement=row["settlement"],
            live=live_of(live[row["id"]]),
            is_part_paid=row["id"] in sums and sums[row["id"]].paid > 0,
        )
        for row in bills
    }


async def forget_changes(act: Act, import_id: UUID) -> bool:
    """Forget changes of an import that is thrown away or judged once more; whether more is left."""
    rows = await act.db.fetch(_DROP, act.merchant_id, import_id, DROPPED_MAX)
    return len(rows) == DROPPED_MAX


async def count_changes(
    act: Act, import_ids: Sequence[UUID]
) -> Mapping[UUID, tuple[ChangeCount, ...]]:
    """For each import what it does to bills that are there, by action."""
    found: defaultdict[UUID, tuple[ChangeCount, ...]] = defaultdict(tuple)
    if not import_ids:
        return found
    for row in await act.db.fetch(_COUNTS, act.merchant_id, list(import_ids)):
        found[row["import_id"]] += (
            ChangeCount(
                action=row["action"],
                planned=row["planned"],
                done=row["done"],
                waiting=row["waiting"],
            ),
        )
    return found
