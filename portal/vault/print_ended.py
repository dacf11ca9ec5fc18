"""Data zone: bills in a print batch that ended before the shop had its file.

As long as nobody has said that the shop has it, taking the file out leaves out what is not owed any
more. What ends between that and the shop's having it is in the file for good: it is listed, so that
the shop can pull it. Order of locks: the batch, then its bills' rows in it, then their paper.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.domain.bill import PAYABLE
from portal.domain.ids import to_public
from portal.domain.print_batch import RemarkReason, shorten
from portal.kit.crypto import sha256
from portal.vault import file
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.print_batch import REPORT_TABLE, Report

_ENDED: Final = """
select o.bill_id, o.place, b.number from print_bill o
join bill b on b.merchant_id = $1 and b.id = o.bill_id
where o.merchant_id = $1 and o.batch_id = $2
  and not (b.lifecycle = any($3::text[]) and b.settlement = 'unpaid')
order by o.place, b.number
"""
_LEAVE: Final = """
delete from print_bill where merchant_id = $1 and batch_id = $2 and bill_id = any($3::uuid[])
"""
# Written here and not by a trigger, as a row that goes has no business moment of its own.
_NOT_PRINTED: Final = """
insert into result_event (merchant_id, bill_id, kind, method, at)
select p.merchant_id, b.bill_id, 'not_printed', '', $3
from result_plan p cross join unnest($2::uuid[]) as b (bill_id) where p.merchant_id = $1
"""
_MOVE_UP: Final = """
update print_bill o set place = m.place
from (select bill_id, row_number() over (order by place) - 1 as place from print_bill
      where merchant_id = $1 and batch_id = $2) m
where o.merchant_id = $1 and o.batch_id = $2 and o.bill_id = m.bill_id
"""
# Should it be owed again, the next batch takes it; while it is not, the wish for paper is dropped.
_WAITS: Final = """
update paper_due set state = 'waiting'
where merchant_id = $1 and bill_id = any($2::uuid[]) and state = 'printed'
"""
_REMAKE: Final = """
update print_batch set parts = $3, bills = $4, with_bars = $5, total_minor = $6, sha256 = $7
where merchant_id = $1 and id = $2
"""
_REPORT: Final = """
update print_batch set report = $3, reported = $4 where merchant_id = $1 and id = $2
"""


async def leave_out_ended(act: Act, batch: Row) -> bool:
    """Make a locked batch's file anew without the lines of bills that ended; False if none did.

    ``batch`` has ``id``, ``parts``, ``charset`` and ``report``. Raises: NotFound for a file that
    was forgotten.
    """
    ended = [row for row in await _ended(act, batch["id"]) if row["place"] is not None]
    if not ended:
        return False
    parts = [await file.read_part(act, batch["id"], number) for number in range(batch["parts"])]
    left = shorten(parts, {row["place"] for row in ended}, batch["charset"])
    ids = [row["bill_id"] for row in ended]
    await act.db.execute(_LEAVE, act.merchant_id, batch["id"], ids)
    await act.db.execute(_NOT_PRINTED, act.merchant_id, ids, act.business)
    await act.db.execute(_MOVE_UP, act.merchant_id, batch["id"])
    await act.db.execute(_WAITS, act.merchant_id, ids)
    await file.drop_file(act, batch["id"])
    for part_no, body in enumerate(left.parts):
        await file.store_part(act, batch["id"], part_no, body)
    await act.db.execute(
        _REMAKE, act.merchant_id, batch["id"], len(left.parts), left.bills, left.with_bars,
        left.total_minor, sha256(b"".join(left.parts)),
    )  # fmt: skip
    await _remark(act, batch, ended, "ended")
    for bill_id in ids:
        params = {"batch": to_public("print_batch", batch["id"])}
        await act.emit(bill_id, "slip.left_out_of_print", **params)
    return True


async def list_to_pull(act: Act, batch: Row) -> None:
    """Note which bills of a locked batch, whose file the shop has now, ended before that."""
    ended = await _ended(act, batch["id"])
    if ended:
        await _remark(act, batch, ended, "to_pull")


async def _ended(act: Act, batch_id: UUID) -> list[Row]:
    return await act.db.fetch(_ENDED, act.merchant_id, batch_id, sorted(PAYABLE))


async def _remark(act: Act, batch: Row, bills: Sequence[Row], reason: RemarkReason) -> None:
    """Add a line about each to the batch's report, before all others."""
    fields = await act.fields()
    report = fields.open(REPORT_TABLE, "document", batch["id"], 1, batch["report"], Report)
    fresh: list[tuple[str, RemarkReason, str]] = [(row["number"], reason, "") for row in bills]
    told = Report((*fresh, *report.remarks))
    sealed = fields.seal(REPORT_TABLE, "document", batch["id"], 1, told)
    await act.db.execute(_REPORT, act.merchant_id, batch["id"], sealed, len(told.remarks))
