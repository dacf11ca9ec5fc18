"""Data zone, stage "intake": the yes or no to an import, and what follows from it.

Issuing takes 1,000 bills a step: lifecycle, ledger, deliveries and the tasks that send them commit
together. Steps go through the import's bills in order and remember how far they came, so a step
that is repeated after a crash begins where the last committed one ended.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.intake import (
    DECIDE_IMPORT,
    DISCARD_BILLS,
    ISSUE_BILLS,
    DecideImport,
    DiscardBills,
    ImportView,
    IssueBills,
    StepProgress,
)
from portal.domain.bill import advance
from portal.domain.errors import Conflict
from portal.domain.ids import to_public
from portal.domain.ledger import bill_issued
from portal.vault import ladder_issue
from portal.vault.act import Act
from portal.vault.change_step import apply_changes
from portal.vault.changes import forget_changes
from portal.vault.db import Row
from portal.vault.due import pass_late
from portal.vault.imports import lock_import, view
from portal.vault.ledger import post
from portal.vault.registry import operation
from portal.vault.replacement import held_back, next_ready
from portal.vault.waits import (
    UNDECIDED,
    begin_second_look,
    forget_faults,
    judge_waiting_again,
    read_waits,
)

STEP_ROWS: Final = 1_000
PARTS_DROPPED: Final = 8
"""Sealed parts of the file forgotten with each step: its rows are judged, nobody reads it again."""

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})

_DECIDE: Final = """
update import set state = $3, decided_at = $4, step_after = null, is_judged_again = false
where merchant_id = $1 and id = $2
"""
_NEXT: Final = """
select id, lifecycle, amount_minor, due_on, kind, phone_blind is not null as has_phone,
       email_blind is not null as has_email
from bill
where merchant_id = $1 and import_id = $2 and id > $3 order by id limit $4
for update
"""
_ISSUE: Final = """
update bill set lifecycle = $3, issued_at = $4, version = version + 1,
    message = case when id = any($5::uuid[]) then 'planned' else 'none' end
where merchant_id = $1 and id = any($2::uuid[])
"""
_DELETE: Final = "delete from bill where merchant_id = $1 and id = any($2::uuid[])"
_STEP: Final = """
update import set step_after = $3, rows_issued = rows_issued + $4
where merchant_id = $1 and id = $2
"""
_END: Final = """
update import set state = case state when 'issuing' then 'issued' when 'discarding'
    then 'discarded' else state end
where merchant_id = $1 and id = $2
"""
_DROP_PARTS: Final = """
delete from file_part where merchant_id = $1 and file_id = $2 and part_no in (
    select part_no from file_part where merchant_id = $1 and file_id = $2
    order by part_no limit $3)
returning part_no
"""
_FIRST: Final = UUID(int=0)


@operation(
    DECIDE_IMPORT,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="imports:write",
    audit="effect",
)
async def decide_import(act: Act, request: DecideImport) -> ImportView:
    """Send the good rows of a checked import, or forget them all, at any time before that.

    Raises: Conflict ``import_state`` (param ``state``) when it is decided already or, to be sent,
        not ``checked`` yet; ``import_waits`` (params ``import``, ``rows``) when rows were passed
        over because an earlier import has them on which nobody has decided; ``nothing_to_send``
        when it has no good row; ``idempotency_mismatch``.
    """
    arguments = msgspec.msgpack.encode([request.import_id, request.decision])
    if await act.once("decide_import", request.idempotency_key, arguments) is not None:
        return await view(act, request.import_id)
    row = await lock_import(act, request.import_id)
    if row["state"] not in ({"checked"} if request.decision == "send" else UNDECIDED):
        raise Conflict("import_state", params={"state": row["state"]})
    if request.decision == "send":
        await _check_sendable(act, row)
        await act.db.execute(_DECIDE, act.merchant_id, row["id"], "issuing", act.business)
        await act.plan_task("intake.issue_bills", row["id"])
    else:
        await act.db.execute(_DECIDE, act.merchant_id, row["id"], "discarding", act.business)
        await act.plan_task("intake.discard_bills", row["id"])
    return await view(act, row["id"])


async def _check_sendable(act: Act, row: Row) -> None:
    waits = (await read_waits(act, [row["id"]])).get(row["id"], ())
    if waits:
        first = to_public("import", waits[0].import_id)
        rows = sum(wait.rows for wait in waits)
        raise Conflict("import_waits", params={"import": first, "rows": rows})
    if not row["rows_good"]:
        raise Conflict("nothing_to_send")


@operation(ISSUE_BILLS, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def issue_bills(act: Act, request: IssueBills) -> StepProgress:
    """Open the next 1,000 bills of an import: what is owed is booked, their ladders begin.

    What the file does to bills that are there comes first, 1,000 rows a step, so that nobody is
    asked for the old bill and the new one.

    Bills that staff canceled before are passed over; those decided on after their due date are
    overdue at once. One that replaces a bill which can still be paid waits for that: a task comes
    back to the import, also after its end, when money or a company has said which came first.
    """
    act.require_scope(request.import_id)
    row = await lock_import(act, request.import_id)
    if row["state"] not in {"issuing", "issued"}:
        await act.close_task()
        return StepProgress(rows=0, remaining=False)
    changed = await apply_changes(act, row)
    if changed is not None:
        return StepProgress(rows=changed, remaining=True)
    replaced, successors = await next_ready(act, row["id"])
    if replaced:
        await _issue(act, row["id"], successors)
        issued = len(successors)
        await act.db.execute(_STEP, act.merchant_id, row["id"], row["step_after"], issued)
        return StepProgress(rows=replaced, remaining=True)
    if row["state"] == "issued":
        await act.close_task()
        return StepProgress(rows=0, remaining=False)
    bills = await _take_next(act, row)
    new = [bill for bill in bills if bill["lifecycle"] == "scheduled"]
    held = await held_back(act, row["id"], [bill["id"] for bill in new])
    if held is None:
        return StepProgress(rows=0, remaining=True)
    due = [bill for bill in new if bill["id"] not in held]
    await _issue(act, row["id"], due)
    return await _end_step(act, row, bills, issued=len(due))


async def _issue(act: Act, import_id: UUID, due: Sequence[Row]) -> None:
    """Open these locked bills: ladder, books and calendar begin with them."""
    if not due:
        return
    edge = advance("scheduled", "issue")
    ids = [bill["id"] for bill in due]
    told = await ladder_issue.issue(act, import_id, due)
    await act.db.execute(_ISSUE, act.merchant_id, ids, edge.state, act.business, told)
    await post(act, [bill_issued(bill["id"], bill["amount_minor"]) for bill in due])
    await pass_late(act, {bill["id"]: bill["due_on"] for bill in due})


@operation(DISCARD_BILLS, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def discard_bills(act: Act, request: DiscardBills) -> StepProgress:
    """Delete the next 1,000 bills of an import that was thrown away or refused as a whole.

    Also of one that is judged once more: its verdicts go with them, its file stays.
    """
    act.require_scope(request.import_id)
    row = await lock_import(act, request.import_id)
    is_going = row["state"] in {"discarding", "refused"}
    if not is_going and not row["is_judged_again"]:
        await act.close_task()
        return StepProgress(rows=0, remaining=False)
    if await forget_changes(act, row["id"]):
        return StepProgress(rows=0, remaining=True)
    bills = await _take_next(act, row)
    gone = [bill["id"] for bill in bills if bill["lifecycle"] == "scheduled"]
    await act.db.execute(_DELETE, act.merchant_id, gone)
    if not is_going:
        return await _end_clearing(act, row, bills)
    progress = await _end_step(act, row, bills, issued=0)
    if not progress.remaining:
        await judge_waiting_again(act, row["id"])
    return progress


async def _end_clearing(act: Act, row: Row, bills: Sequence[Row]) -> StepProgress:
    """Forget verdicts beside the bills; when none are left the second look begins."""
    has_more = await forget_faults(act, row["id"]) or len(bills) == STEP_ROWS
    if has_more:
        last = bills[-1]["id"] if bills else row["step_after"]
        await act.db.execute(_STEP, act.merchant_id, row["id"], last, 0)
    else:
        await begin_second_look(act, row)
        await act.close_task(rows=len(bills))
    return StepProgress(rows=len(bills), remaining=has_more)


async def _take_next(act: Act, row: Row) -> list[Row]:
    """The import's next bills, locked in the order of their ids."""
    after = row["step_after"] or _FIRST
    return await act.db.fetch(_NEXT, act.merchant_id, row["id"], after, STEP_ROWS)


async def _end_step(act: Act, row: Row, bills: Sequence[Row], *, issued: int) -> StepProgress:
    """Remember how far the step came; the last one ends the import and its task."""
    dropped = await act.db.fetch(_DROP_PARTS, act.merchant_id, row["file_id"], PARTS_DROPPED)
    last = bills[-1]["id"] if bills else row["step_after"]
    await act.db.execute(_STEP, act.merchant_id, row["id"], last, issued)
    if len(bills) == STEP_ROWS or len(dropped) == PARTS_DROPPED:
        return StepProgress(rows=len(bills), remaining=True)
    await act.db.execute(_END, act.merchant_id, row["id"])
    await act.close_task(rows=len(bills))
    return StepProgress(rows=len(bills), remaining=False)
