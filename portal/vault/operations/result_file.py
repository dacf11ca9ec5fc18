"""Data zone, stage "settlement": files back to the merchant's billing system.

Numbers go up by one a file and nothing is left out between two. What is in a file never changes.
Bills' own numbers leave here, no person's.
"""

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from portal.contract.result_file import (
    ACKNOWLEDGE_RESULT_FILE,
    LIST_RESULT_FILES,
    MAKE_RESULT_FILE,
    SET_RESULT_PLAN,
    TAKE_RESULT_PART,
    WRITE_RESULTS,
    AcknowledgeResultFile,
    ListResultFiles,
    MakeResultFile,
    ResultFileMade,
    ResultFilePage,
    ResultFileView,
    ResultPart,
    ResultPlanSet,
    ResultsWritten,
    SetResultPlan,
    TakeResultPart,
    WriteResults,
)
from portal.domain.errors import Conflict, NotFound
from portal.domain.result_file import (
    ResultPlan,
    check_acknowledged,
    check_plan,
    next_at,
    read_result_charset,
)
from portal.vault import file
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation
from portal.vault.result_file import (
    CASE,
    COLUMNS,
    WAITING,
    begin_file,
    last_file,
    lock_plan,
    to_plan,
    to_view,
    write_next,
)

if TYPE_CHECKING:
    from uuid import UUID

PAGE_MAX: Final = 50
_SCOPE: Final = b"result_files"
_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_MERCHANT: Final = frozenset({"staff", "api_key"})

_SET: Final = """
insert into result_plan (merchant_id, every_minutes, daily_hour, charset, next_at, set_by, set_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (merchant_id) do update
set every_minutes = excluded.every_minutes, daily_hour = excluded.daily_hour,
    charset = excluded.charset, next_at = excluded.next_at, set_by = excluded.set_by,
    set_at = excluded.set_at
returning every_minutes, daily_hour, charset, next_at, set_at
"""
_PLAN: Final = """
select every_minutes, daily_hour, charset, next_at, set_at from result_plan where merchant_id = $1
"""
_VIEW: Final = f"""
select {COLUMNS}, exists (select from file_part p where p.merchant_id = $1 and p.file_id = f.id)
       as is_there
from result_file f where f.merchant_id = $1
"""  # noqa: S608  constant columns
_ONE: Final = _VIEW + " and f.number = $2"
_PAGE: Final = _VIEW + " and ($2::int is null or f.number < $2) order by f.number desc limit $3"
_UNACKNOWLEDGED: Final = """
select count(*) from (select from result_file
                      where merchant_id = $1 and state <> 'acknowledged' limit 10000) as found
"""
_TAKEN: Final = """
update result_file set fetched_at = coalesce(fetched_at, $3) where merchant_id = $1 and number = $2
"""
_ARRIVED: Final = """
update result_file set state = 'acknowledged', acknowledged_by = $3, acknowledged_at = $4
where merchant_id = $1 and number = $2 and state = 'ready'
"""
_LOCK: Final = """
select id, state, sha256 from result_file where merchant_id = $1 and number = $2 for update
"""
_OPEN_CASE: Final = """
select c.id from case_ c
where c.merchant_id = $1 and c.kind = $2 and c.subject_id = $1 and c.closed_at is null
      and not exists (select from result_file f
                      where f.merchant_id = $1 and f.state <> 'acknowledged'
                            and f.chased_at is not null)
"""


@operation(
    SET_RESULT_PLAN,
    callers=_WEB,
    kinds=_STAFF,
    roles=frozenset({"owner"}),
    audit="effect",
)
async def set_result_plan(act: Act, request: SetResultPlan) -> ResultPlanSet:
    """Say when result files are made; from the first plan on everything that happens is kept.

    Raises: InvalidInput ``result_plan``, ``print_charset`` (param ``field``).
    """
    plan = ResultPlan(
        every_minutes=request.every_minutes,
        daily_hour=request.daily_hour,
        charset=read_result_charset(request.charset),
    )
    check_plan(plan)
    zone = await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    row = await act.db.fetchrow(
        _SET, act.merchant_id, plan.every_minutes, plan.daily_hour, plan.charset,
        next_at(plan, act.business, ZoneInfo(zone)), act.actor, act.business,
    )  # fmt: skip
    if row is None:
        raise NotFound("not_found")
    return ResultPlanSet(plan=to_plan(row))


@operation(
    MAKE_RESULT_FILE, callers=_WEB, kinds=_MERCHANT, scope="bills:write", audit="effect"
)  # fmt: skip
async def make_result_file(act: Act, request: MakeResultFile) -> ResultFileMade:
    """Begin a file of all that happened since the last one; a task writes it.

    Raises: Conflict ``result_no_plan``, ``result_unfinished``, ``result_nothing``,
    ``idempotency_mismatch``.
    """
    known = await act.once("make_result_file", request.idempotency_key, b"")
    if known is not None:
        return ResultFileMade(file=await _view(act, int.from_bytes(known, "big")))
    plan = await lock_plan(act.db, act.merchant_id)
    if plan is None:
        raise Conflict("result_no_plan")
    number = await begin_file(
        act.db, act.merchant_id, act.new_id(), plan["charset"],
        by=act.actor, at=act.business, wants_empty=False,
    )  # fmt: skip
    await act.plan_task("settlement.write_results", act.merchant_id, number)
    await act.answer_once("make_result_file", request.idempotency_key, number.to_bytes(4, "big"))
    return ResultFileMade(file=await _view(act, number))


@operation(
    LIST_RESULT_FILES, callers=_WEB, kinds=_MERCHANT, scope="bills:read", audit="none"
)  # fmt: skip
async def list_result_files(act: Act, request: ListResultFiles) -> ResultFilePage:
    """One page of result files, newest first, with the plan and what waits for the next file.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    plan = await act.db.fetchrow(_PLAN, act.merchant_id)
    fields = await act.fields()
    after = None if request.after is None else read_cursor(fields, _SCOPE, request.after).value
    rows = await act.db.fetch(_PAGE, act.merchant_id, after, request.first + 1)
    shown = rows[: request.first]
    last = await last_file(act.db, act.merchant_id)
    since = 0 if last is None else last["until_txn"]
    return ResultFilePage(
        plan=None if plan is None else to_plan(plan),
        files=tuple(to_view(row, act.business) for row in shown),
        waiting=await act.db.fetchval(WAITING, act.merchant_id, since),
        unacknowledged=await act.db.fetchval(_UNACKNOWLEDGED, act.merchant_id),
        end_cursor=write_cursor(fields, _SCOPE, Place(shown[-1]["id"], shown[-1]["number"]))
        if shown
        else None,
        has_next=len(rows) > len(shown),
    )


@operation(
    TAKE_RESULT_PART, callers=_WEB, kinds=_MERCHANT, scope="bills:read", audit="effect"
)  # fmt: skip
async def take_result_part(act: Act, request: TakeResultPart) -> ResultPart:
    """A part of a file as it was written, as often as it is asked for.

    Raises: Conflict ``result_unfinished``; NotFound ``not_found``, also once it was forgotten.
    """
    view = await _view(act, request.number)
    if view.state == "writing":
        raise Conflict("result_unfinished")
    row = await act.db.fetchrow(
        "select id, parts from result_file where merchant_id = $1 and number = $2",
        act.merchant_id,
        request.number,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "result_file"})
    body = await file.read_part(act, row["id"], request.part_no)
    is_last = request.part_no == row["parts"] - 1
    if is_last:
        await act.db.execute(_TAKEN, act.merchant_id, request.number, act.business)
    return ResultPart(
        body=body, is_last=is_last, charset=view.charset, bytes=view.bytes, sha256=view.sha256
    )


@operation(
    ACKNOWLEDGE_RESULT_FILE, callers=_WEB, kinds=_MERCHANT, scope="bills:write", audit="effect"
)  # fmt: skip
async def acknowledge_result_file(act: Act, request: AcknowledgeResultFile) -> ResultFileMade:
    """Note that the merchant has a file with just these bytes; again changes nothing.

    Raises: InvalidInput ``result_hash_differs`` (param ``field``); Conflict ``result_unfinished``;
    NotFound ``not_found``.
    """
    row = await act.db.fetchrow(_LOCK, act.merchant_id, request.number)
    if row is None:
        raise NotFound("not_found", params={"kind": "result_file"})
    check_acknowledged(row["state"], row["sha256"], request.sha256)
    await act.db.execute(_ARRIVED, act.merchant_id, request.number, act.actor, act.business)
    case_id: UUID | None = await act.db.fetchval(_OPEN_CASE, act.merchant_id, CASE)
    if case_id is not None:
        await act.close_case(case_id, "acknowledged")
    return ResultFileMade(file=await _view(act, request.number))


@operation(
    WRITE_RESULTS, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect",
    is_heavy=True,
)  # fmt: skip
async def write_results(act: Act, request: WriteResults) -> ResultsWritten:
    """Write the next part of the merchant's file; the step after the last row ends the task."""
    del request
    act.require_scope(act.merchant_id)
    rows, remaining = await write_next(act)
    if remaining:
        act.rows_done = rows
    else:
        await act.close_task(rows=rows)
    return ResultsWritten(rows=rows, remaining=remaining)


async def _view(act: Act, number: int) -> ResultFileView:
    row = await act.db.fetchrow(_ONE, act.merchant_id, number)
    if row is None:
        raise NotFound("not_found", params={"kind": "result_file"})
    return to_view(row, act.business)
