"""Data zone: files of a merchant's own failed debits, as operations read and move them.

Whoever changes a file or its lines locks the file's row first, then bills.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.contract.failed_file import FailedFileView
from portal.domain.errors import LimitReached, NotFound
from portal.domain.failed_debit import OF_CUSTOMERS, FailedLine, FailedResult
from portal.domain.ids import FailedFileId
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.failed_debit import Failed, Verdict, blinds_of, tell

TASK: Final = "debit.tell_failed"
STEP_LINES: Final = 500
"""Lines that are told in a step at most: each locks its customer's bills."""

DROP_LINES: Final = 20_000
"""Lines that are forgotten in a step."""

WATCH_S: Final = 6 * 3600.0
"""After that a file that did not come whole is forgotten: the address that takes it is good for an
hour, and nobody sends one for five."""

AT_ONCE_MAX: Final = 20
"""Files of one merchant that may be coming: what came of them is kept for WATCH_S if they break."""

_COMING: Final = "select count(*) from failed_file where merchant_id = $1 and state = 'receiving'"
_COLUMNS: Final = """
select id, state, sha256, lines, succeeded, stored_to, told_to, told, known, under_way, not_owed,
       unmatched, unclear, taken_at, told_at
from failed_file where merchant_id = $1"""
_ONE: Final = _COLUMNS + " and id = $2"
_LOCK: Final = _ONE + " for update"
_PAGE: Final = (
    _COLUMNS + " and state in ('telling', 'told') and ($2::uuid is null or id < $2)"
    " order by id desc limit $3"
)
_BEGIN: Final = """
insert into failed_file (merchant_id, id, state, lines, succeeded, stored_to, told_to, told, known,
                         under_way, not_owed, unmatched, unclear, sent_by, sent_at)
values ($1, $2, 'receiving', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $3, $4)
"""
# An array's arrays would have to be of one length: each line's blind indexes come as one value.
_STORE: Final = """
insert into failed_line (merchant_id, file_id, record_no, amount_minor, code, blinds)
select $1, $2, l.record_no, l.amount_minor, l.code,
       array(select substr(l.blinds, 1 + 16 * n, 16)
             from generate_series(0, length(l.blinds) / 16 - 1) n)
from unnest($3::int[], $4::bigint[], $5::text[], $6::bytea[])
     as l (record_no, amount_minor, code, blinds)
"""
_STORED: Final = """
update failed_file set lines = lines + $3, stored_to = $4 where merchant_id = $1 and id = $2
"""
_TAKE: Final = """
update failed_file set state = 'telling', sha256 = $3, succeeded = $4, taken_at = $5
where merchant_id = $1 and id = $2
"""
_CLOSE: Final = "update failed_file set state = 'dropped' where merchant_id = $1 and id = $2"
_NEXT: Final = """
select record_no, amount_minor, code, blinds from failed_line
where merchant_id = $1 and file_id = $2 and record_no > $3 order by record_no limit $4
"""
# Whose the number was is not needed any more.
TOLD: Final = """
update failed_line l set result = v.result, bill_id = v.bill_id, blinds = '{}'
from unnest($3::int[], $4::text[], $5::uuid[]) as v (record_no, result, bill_id)
where l.merchant_id = $1 and l.file_id = $2 and l.record_no = any($3::int[])
      and l.record_no = v.record_no
"""
_MOVE: Final = """
update failed_file set told_to = $3, told = told + $4, known = known + $5,
    under_way = under_way + $6, not_owed = not_owed + $7, unmatched = unmatched + $8,
    unclear = unclear + $9, state = $10, told_at = $11
where merchant_id = $1 and id = $2
"""
_RESULTS: Final[tuple[FailedResult, ...]] = (
    "told", "known", "under_way", "not_owed", "unmatched", "unclear",
)  # fmt: skip
_FORGET: Final = """
delete from failed_line where merchant_id = $1 and file_id = $2 and record_no in (
    select record_no from failed_line where merchant_id = $1 and file_id = $2
    order by record_no limit $3)
returning record_no
"""
_GONE: Final = "delete from failed_file where merchant_id = $1 and id = $2"
_LOOKED_AT: Final = """
select record_no, amount_minor, result from failed_line
where merchant_id = $1 and file_id = $2 and record_no > $3
      and result in ('not_owed', 'unmatched', 'unclear')
order by record_no limit $4
"""


async def begin(act: Act) -> UUID:
    """A new file; if it does not come whole it is forgotten by itself.

    Raises: LimitReached ``uploads_at_once`` (param ``max``).
    """
    if await act.db.fetchval(_COMING, act.merchant_id) >= AT_ONCE_MAX:
        raise LimitReached("uploads_at_once", params={"max": AT_ONCE_MAX})
    file_id = act.new_id()
    await act.db.execute(_BEGIN, act.merchant_id, file_id, act.actor, act.business)
    await act.plan_task(TASK, file_id, due_in_s=WATCH_S)
    return file_id


async def lock_receiving(act: Act, file_id: UUID) -> Row:
    """Lock a file whose lines are still coming. Raises: NotFound ``not_found``."""
    row = await lock(act, file_id)
    if row is None or row["state"] != "receiving":
        raise NotFound("not_found", params={"kind": "failed_file"})
    return row


async def lock(act: Act, file_id: UUID) -> Row | None:
    """Lock a file; None where there is none."""
    return await act.db.fetchrow(_LOCK, act.merchant_id, file_id)


async def store(act: Act, file_id: UUID, lines: Sequence[FailedLine]) -> None:
    """Add lines to a locked file, without their customers' numbers."""
    fields = await act.fields()
    # Up to twenty hashes a line: beside the loop, on which others wait.
    blinds = await asyncio.to_thread(
        lambda: [b"".join(blinds_of(fields, line.customer_no)) for line in lines]
    )
    await act.db.execute(
        _STORE, act.merchant_id, file_id, [line.record_no for line in lines],
        [line.amount_minor for line in lines], [line.code for line in lines], blinds,
    )  # fmt: skip
    last = lines[-1].record_no
    await act.db.execute(_STORED, act.merchant_id, file_id, len(lines), last)


async def take(act: Act, file_id: UUID, sha256: bytes, succeeded: int) -> None:
    """Have the lines of a locked file told."""
    await act.db.execute(_TAKE, act.merchant_id, file_id, sha256, succeeded, act.business)
    await act.plan_task(TASK, file_id)


async def drop(act: Act, file_id: UUID) -> None:
    """Have a locked file forgotten that was not taken."""
    await close(act, file_id)
    await act.plan_task(TASK, file_id)


async def close(act: Act, file_id: UUID) -> None:
    """Nothing more of a locked file is taken, and it never is."""
    await act.db.execute(_CLOSE, act.merchant_id, file_id)


async def tell_next(act: Act, row: Row) -> tuple[int, bool]:
    """Tell the next lines of a locked file; how many, and whether any may be left."""
    at_most = min(STEP_LINES, act.settings.debit_step_lines)
    found = await act.db.fetch(_NEXT, act.merchant_id, row["id"], row["told_to"], at_most)
    lines = [
        Failed(
            record_no=one["record_no"],
            amount_minor=one["amount_minor"],
            code=one["code"],
            blinds=one["blinds"],
        )
        for one in found
    ]
    verdicts = await tell(act, lines, file_id=row["id"]) if lines else []
    has_more = len(lines) == at_most
    await _note(act, row, verdicts, has_more=has_more)
    return len(lines), has_more


async def _note(act: Act, row: Row, verdicts: Sequence[Verdict], *, has_more: bool) -> None:
    if verdicts:
        await act.db.execute(
            TOLD, act.merchant_id, row["id"], [one.record_no for one in verdicts],
            [one.result for one in verdicts], [one.bill_id for one in verdicts],
        )  # fmt: skip
    counts = Counter(one.result for one in verdicts)
    await act.db.execute(
        _MOVE, act.merchant_id, row["id"],
        verdicts[-1].record_no if verdicts else row["told_to"],
        *(counts[result] for result in _RESULTS),
        "telling" if has_more else "told", None if has_more else act.business,
    )  # fmt: skip


async def forget_next(act: Act, file_id: UUID) -> tuple[int, bool]:
    """Forget lines of a locked file that is never told, and with the last of them the file."""
    rows = await act.db.fetch(_FORGET, act.merchant_id, file_id, DROP_LINES)
    if len(rows) == DROP_LINES:
        return len(rows), True
    await act.db.execute(_GONE, act.merchant_id, file_id)
    return len(rows), False


async def view(act: Act, file_id: UUID) -> FailedFileView:
    """A file that was taken. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_ONE, act.merchant_id, file_id)
    if row is None or row["taken_at"] is None:
        raise NotFound("not_found", params={"kind": "failed_file"})
    return to_view(row)


async def page(act: Act, after: UUID | None, at_most: int) -> list[FailedFileView]:
    """Files that were taken, the newest first."""
    return [to_view(row) for row in await act.db.fetch(_PAGE, act.merchant_id, after, at_most)]


async def looked_at(act: Act, file_id: UUID, after: int, at_most: int) -> Sequence[Row]:
    """Lines behind a record that a person may want to look at."""
    return await act.db.fetch(_LOOKED_AT, act.merchant_id, file_id, after, at_most)


def to_view(row: Row) -> FailedFileView:
    """A row as staff and the merchant's system see it."""
    return FailedFileView(
        id=FailedFileId(row["id"]),
        state=row["state"],
        sha256=row["sha256"].hex(),
        taken_at=row["taken_at"],
        told_at=row["told_at"],
        lines=row["lines"],
        succeeded=row["succeeded"],
        **{result: row[result] for result in _RESULTS},
    )


def is_somebodys(shown: FailedFileView) -> bool:
    """Whether a file's counts say of any number that it is a customer's."""
    return any(getattr(shown, result) for result in OF_CUSTOMERS)
