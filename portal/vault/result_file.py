"""Data zone: result files: where one begins and ends, how it is written, how it is seen.

A file ends at the horizon: the oldest transaction that still runs. What that one or a later one
writes is in the next file, so a transaction that began early and ends late is never passed over,
and none is told twice. Callers hold the merchant's plan locked.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.contract.result_file import ResultFileView, ResultPlanView, ResultTotal
from portal.domain.errors import Conflict, InvariantBroken
from portal.domain.result_file import (
    KINDS,
    PART_ROWS,
    ResultEvent,
    Total,
    add_totals,
    is_chased,
    write_end,
    write_head,
    write_rows,
)
from portal.vault import file
from portal.vault.act import Act
from portal.vault.db import Db, Row

CASE: Final = "results_unacknowledged"

_LOCK_PLAN: Final = """
select every_minutes, daily_hour, charset, next_at, set_at from result_plan
where merchant_id = $1 for update
"""
_LAST: Final = """
select number, state, until_txn from result_file
where merchant_id = $1 order by number desc limit 1
"""
_HORIZON: Final = """
select h.until_txn, exists (select from result_event
                            where merchant_id = $1 and txn >= $2 and txn < h.until_txn) as has_some
from (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as until_txn) h
"""
_BEGIN: Final = """
insert into result_file (merchant_id, number, id, state, charset, from_txn, until_txn, after_txn,
                         after_id, parts, rows, bytes, sha256, made_by, made_at)
values ($1, $2, $3, 'writing', $4, $5, $6, 0, 0, 0, 0, 0, '', $7, $8)
"""
COLUMNS: Final = """
f.number, f.id, f.state, f.charset, f.rows, f.bytes, f.sha256, f.totals, f.parts, f.made_by,
f.made_at, f.fetched_at, f.acknowledged_by, f.acknowledged_at
"""
_WRITING: Final = """
select number, id, charset, from_txn, until_txn, after_txn, after_id, parts, rows, bytes, totals,
       made_at
from result_file
where merchant_id = $1 and state <> 'acknowledged' and state = 'writing' for update
"""
NEXT_EVENTS: Final = """
select txn, id, bill_id, kind, amount_minor, method, at from result_event
where merchant_id = $1 and txn >= $2 and (txn, id) > ($3, $4) and txn < $5
order by txn, id limit $6
"""
# A planner that knows nothing of the table would collect and sort all that is left, at each step.
PLANNING: Final = """
select set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)
"""
BILLS_OF: Final = """
select id, number, kind, period from bill where merchant_id = $1 and id = any($2::uuid[])
"""
_WROTE: Final = """
update result_file set after_txn = $3, after_id = $4, parts = $5, rows = $6, bytes = $7,
    totals = $8::jsonb
where merchant_id = $1 and number = $2
"""
_READY: Final = """
update result_file set state = 'ready', sha256 = $3 where merchant_id = $1 and number = $2
"""
COUNT_MAX: Final = 10_000
WAITING: Final = """
select count(*) from (select from result_event
                      where merchant_id = $1 and txn >= $2 limit 10000) as found
"""


async def lock_plan(db: Db, merchant_id: UUID) -> Row | None:
    """The merchant's plan, locked: whoever holds it makes the next file."""
    return await db.fetchrow(_LOCK_PLAN, merchant_id)


async def last_file(db: Db, merchant_id: UUID) -> Row | None:
    """Number, state and end of the newest file."""
    return await db.fetchrow(_LAST, merchant_id)


async def begin_file(  # noqa: PLR0913  # a file has these parts
    db: Db,
    merchant_id: UUID,
    file_id: UUID,
    charset: str,
    *,
    by: str,
    at: datetime,
    wants_empty: bool,
) -> int:
    """Begin the next file; its number. The caller plans the task that writes it.

    Raises: Conflict ``result_unfinished``, ``result_nothing``; InvariantBroken ``result_horizon``
    when the database counts transactions from a lower number than before (a dump was restored).
    """
    last = await last_file(db, merchant_id)
    if last is not None and last["state"] == "writing":
        raise Conflict("result_unfinished")
    number, since = (1, 0) if last is None else (last["number"] + 1, last["until_txn"])
    horizon = await db.fetchrow(_HORIZON, merchant_id, since)
    if horizon is None or horizon["until_txn"] < since:
        raise InvariantBroken("result_horizon", context=str(merchant_id))
    if not horizon["has_some"] and not wants_empty:
        raise Conflict("result_nothing")
    await db.execute(
        _BEGIN, merchant_id, number, file_id, charset, since, horizon["until_txn"], by, at
    )
    return number


async def write_next(act: Act) -> tuple[int, bool]:
    """Write the next part of the file that is being written; rows, and whether more are left.

    The last part ends with the totals; then the file gets its hash and is ready.
    """
    row = await act.db.fetchrow(_WRITING, act.merchant_id)
    if row is None:
        return 0, False
    await act.db.execute(PLANNING)
    found = await act.db.fetch(
        NEXT_EVENTS, act.merchant_id, row["from_txn"], row["after_txn"], row["after_id"],
        row["until_txn"], PART_ROWS,
    )  # fmt: skip
    zone = ZoneInfo(
        await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    )
    bills = {
        bill["id"]: bill
        for bill in await act.db.fetch(
            BILLS_OF, act.merchant_id, sorted({one["bill_id"] for one in found})
        )
    }
    events = [_event(one, bills.get(one["bill_id"])) for one in found]
    totals = add_totals(_totals(row["totals"]), events)
    charset = row["charset"]
    body = b"" if row["parts"] else write_head(charset)
    body += write_rows(row["number"], row["rows"] + 1, events, zone, charset)
    is_last = len(found) < PART_ROWS
    if is_last:
        body += write_end(row["number"], totals, row["made_at"], zone, charset)
    await file.store_part(act, row["id"], row["parts"], body)
    last = (found[-1]["txn"], found[-1]["id"]) if found else (row["after_txn"], row["after_id"])
    await act.db.execute(
        _WROTE, act.merchant_id, row["number"], *last, row["parts"] + 1,
        row["rows"] + len(found), row["bytes"] + len(body), _written(totals),
    )  # fmt: skip
    if is_last:
        digest = await _digest(act, row["id"], row["parts"] + 1)
        await act.db.execute(_READY, act.merchant_id, row["number"], digest)
    return len(found), not is_last


async def _digest(act: Act, file_id: UUID, parts: int) -> str:
    """SHA-256 over the whole file, a part at a time."""
    hashed = hashlib.sha256()
    for part_no in range(parts):
        hashed.update(await file.read_part(act, file_id, part_no))
    return hashed.hexdigest()


def _event(row: Row, bill: Row | None) -> ResultEvent:
    """A row of the file; of a bill that was thrown away with its import nothing is known."""
    return ResultEvent(
        kind=row["kind"],
        bill_number="" if bill is None else bill["number"],
        bill_kind="" if bill is None else bill["kind"],
        period="" if bill is None else bill["period"],
        amount_minor=row["amount_minor"],
        method=row["method"],
        at=row["at"],
    )


def _totals(stored: str) -> dict[str, Total]:
    read = msgspec.json.decode(stored, type=dict[str, tuple[int, int]])
    return {kind: Total(rows=rows, amount_minor=amount) for kind, (rows, amount) in read.items()}


def _written(totals: dict[str, Total]) -> str:
    pairs = {kind: (total.rows, total.amount_minor) for kind, total in totals.items()}
    return msgspec.json.encode(pairs).decode()


def to_view(row: Row, now: datetime) -> ResultFileView:
    """A file as staff and systems see it."""
    totals = _totals(row["totals"])
    return ResultFileView(
        number=row["number"],
        state=row["state"],
        charset=row["charset"],
        rows=row["rows"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        totals=tuple(
            ResultTotal(kind=kind, rows=totals[kind].rows, amount_minor=totals[kind].amount_minor)
            for kind in KINDS
            if kind in totals
        ),
        made_by=row["made_by"],
        made_at=row["made_at"],
        fetched_at=row["fetched_at"],
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=row["acknowledged_at"],
        is_late=row["state"] == "ready" and is_chased(row["made_at"], now),
        is_there=row["is_there"],
    )


def to_plan(row: Row) -> ResultPlanView:
    """A plan as staff see it."""
    return ResultPlanView(
        every_minutes=row["every_minutes"],
        daily_hour=row["daily_hour"],
        charset=row["charset"],
        next_at=row["next_at"],
        set_at=row["set_at"],
    )
