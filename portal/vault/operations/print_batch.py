"""Data zone: slips for a print shop: a batch is made, looked at, taken out.

One batch is one transaction: bills chosen under their locks, slips made out, the file in sealed
parts. A bill is in one batch at most, unless it is asked for by name.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.print_batch import (
    HAND_OVER_PRINT_BATCH,
    LIST_PRINT_BATCHES,
    MAKE_PRINT_BATCH,
    TAKE_OUT_PRINT_BATCH,
    HandOverPrintBatch,
    ListPrintBatches,
    MakePrintBatch,
    PrintBatchMade,
    PrintBatchPage,
    PrintBatchPart,
    PrintBatchView,
    PrintRemark,
    TakeOutPrintBatch,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ids import to_public
from portal.domain.print_batch import (
    BILLS_AGAIN_MAX,
    BILLS_MAX,
    PART_BILLS,
    Charset,
    PrintedBill,
    RemarkReason,
    lacking,
    lines_in,
    read_charset,
    write_parts,
)
from portal.kit.crypto import sha256
from portal.vault import file
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.db import Row
from portal.vault.operations.intake_view import check_page_size
from portal.vault.paper import drop_settled, note_printed
from portal.vault.print_batch import (
    REPORT_TABLE,
    Report,
    Shop,
    count_waiting,
    lock_named,
    lock_waiting,
    number_of,
    read_shop,
    to_view,
    write_bills,
)
from portal.vault.print_ended import leave_out_ended, list_to_pull
from portal.vault.registry import operation

PAGE_MAX: Final = 50
COUNT_MAX: Final = 10_000
_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff", "api_key"})
_SCOPE: Final = "paper:print"
_REVEALS: Final = ("letters of names",)
_VIEW: Final = """
select b.id, b.charset, b.bills, b.with_bars, b.total_minor, b.report, b.made_by, b.made_at,
       b.taken_at, b.sha256, b.handed_at, b.handed_by, exists (select from file_part f
                           where f.merchant_id = $1 and f.file_id = b.id) as is_there
from print_batch b where b.merchant_id = $1"""
_ONE: Final = _VIEW + " and b.id = $2"
_PAGE: Final = _VIEW + " and ($2::uuid is null or b.id < $2) order by b.id desc limit $3"
_INSERT: Final = """
insert into print_batch (merchant_id, id, charset, bills, with_bars, total_minor, parts, report,
                         reported, made_by, made_at, sha256)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_BILLS: Final = """
insert into print_bill (merchant_id, batch_id, bill_id, is_again, place)
select $1, $2, b.id, $4, b.place - 1 from unnest($3::uuid[]) with ordinality as b (id, place)
"""
_LOCK: Final = """
select id, parts, charset, report, taken_at, handed_at, sha256 from print_batch
where merchant_id = $1 and id = $2 for no key update
"""
_HAND_OVER: Final = """
update print_batch set handed_at = $3, handed_by = $4 where merchant_id = $1 and id = $2
"""
_TAKEN: Final = """
update print_batch set taken_at = coalesce(taken_at, $3) where merchant_id = $1 and id = $2
"""


@operation(
    MAKE_PRINT_BATCH,
    callers=_WEB,
    kinds=_STAFF,
    scope=_SCOPE,
    reveals=_REVEALS,
    audit="effect",
)
async def make_print_batch(act: Act, request: MakePrintBatch) -> PrintBatchMade:
    """Make the file of up to BILLS_MAX bills that want paper, or of those that are named.

    The same key makes one batch and is answered with it again.

    Raises: InvalidInput ``print_charset``, ``too_many_bills`` (param ``max``); Conflict
    ``nothing_to_print``, ``idempotency_mismatch``.
    """
    charset = read_charset(request.charset)
    if len(request.bill_ids) > BILLS_AGAIN_MAX:
        raise InvalidInput("too_many_bills", params={"max": BILLS_AGAIN_MAX})
    arguments = msgspec.msgpack.encode([charset, request.bill_ids])
    known = await act.once("make_print_batch", request.idempotency_key, arguments)
    if known is not None:
        return PrintBatchMade(batch=await _view(act, UUID(bytes=known)))
    shop = await read_shop(act)
    named = sorted(set(request.bill_ids))
    if named:
        printed, remarks = await _named(act, shop, named)
    else:
        await drop_settled(act)
        printed, remarks = await write_bills(act, shop, await lock_waiting(act, shop, BILLS_MAX))
    if not printed:
        raise Conflict("nothing_to_print")
    batch_id = await _store(act, charset, printed, remarks, is_again=bool(named))
    await act.answer_once("make_print_batch", request.idempotency_key, batch_id.bytes)
    return PrintBatchMade(batch=await _view(act, batch_id))


async def _named(
    act: Act, shop: Shop, named: Sequence[UUID]
) -> tuple[Mapping[UUID, PrintedBill], list[PrintRemark]]:
    """The bills asked for by name, and a word about each that can't be printed."""
    locked = await lock_named(act, shop, named)
    printed, remarks = await write_bills(act, shop, locked)
    others = [bill_id for bill_id in named if bill_id not in set(locked)]
    for number in await number_of(act, others):
        remarks.append(PrintRemark(bill_number=number, reason="not_printable"))
    return printed, remarks


async def _store(
    act: Act,
    charset: Charset,
    printed: Mapping[UUID, PrintedBill],
    remarks: Sequence[PrintRemark],
    *,
    is_again: bool,
) -> UUID:
    """Keep the batch, its bills and its file, and tell each bill of it."""
    batch_id = act.new_id()
    bills = list(printed.values())
    told = [
        PrintRemark(bill_number=bill.number, reason="letters", letters=letters)
        for bill in bills
        if (letters := lacking(bill, charset))
    ]
    lines: list[tuple[str, RemarkReason, str]] = [
        (one.bill_number, one.reason, one.letters) for one in (*told, *remarks)
    ]
    fields = await act.fields()
    parts = write_parts(bills, charset)
    await act.db.execute(
        _INSERT, act.merchant_id, batch_id, charset, len(bills),
        sum(bool(bill.digits) for bill in bills), sum(bill.amount_minor for bill in bills),
        len(parts), fields.seal(REPORT_TABLE, "document", batch_id, 1, Report(tuple(lines))),
        len(lines), act.actor, act.business, sha256(b"".join(parts)),
    )  # fmt: skip
    await act.db.execute(_BILLS, act.merchant_id, batch_id, list(printed), is_again)
    await note_printed(act, list(printed))
    for part_no, body in enumerate(parts):
        await file.store_part(act, batch_id, part_no, body)
    for bill_id in printed:
        await act.emit(bill_id, "slip.handed_to_print", batch=to_public("print_batch", batch_id))
    return batch_id


@operation(
    LIST_PRINT_BATCHES,
    callers=_WEB,
    kinds=_STAFF,
    scope=_SCOPE,
    reveals=_REVEALS,
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_print_batches(act: Act, request: ListPrintBatches) -> PrintBatchPage:
    """One page of batches, newest first, and how many bills the next one would take.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"print_batches"
    after = None if request.after is None else read_cursor(fields, scope, request.after).id
    rows = await act.db.fetch(_PAGE, act.merchant_id, after, request.first + 1)
    shown = rows[: request.first]
    return PrintBatchPage(
        batches=tuple([await _shown(act, row) for row in shown]),
        waiting=await count_waiting(act, await read_shop(act), COUNT_MAX),
        end_cursor=write_cursor(fields, scope, Place(id=shown[-1]["id"])) if shown else None,
        has_next=len(rows) > len(shown),
    )


@operation(
    TAKE_OUT_PRINT_BATCH,
    callers=_WEB,
    kinds=_STAFF,
    roles=frozenset({"owner"}),
    scope=_SCOPE,
    reveals=("payer name", "customer number", "postal address"),
    rows_max=PART_BILLS + 1,
    audit="reveal",
)
async def take_out_print_batch(act: Act, request: TakeOutPrintBatch) -> PrintBatchPart:
    """A part of a batch's file for the print shop; every line counts as revealed.

    Until the shop has it, its first part brings a file without what is not owed any more.

    Raises: NotFound ``not_found``, also for a file that was forgotten; Conflict ``print_changed``
    when somebody else's taking it out has made it anew since; LimitReached ``budget_spent``.
    """
    row = await _lock(act, request.batch_id)
    if request.part_no == 0 and row["handed_at"] is None and await leave_out_ended(act, row):
        row = await _lock(act, request.batch_id)
    digest = "" if row["sha256"] is None else row["sha256"].hex()
    if request.part_no and request.sha256 not in {"", digest}:
        raise Conflict("print_changed")
    body = await file.read_part(act, request.batch_id, request.part_no)
    await act.db.execute(_TAKEN, act.merchant_id, request.batch_id, act.business)
    act.reveal(lines_in(body))
    return PrintBatchPart(
        body=body,
        is_last=request.part_no == row["parts"] - 1,
        charset=row["charset"],
        sha256=digest,
    )


@operation(
    HAND_OVER_PRINT_BATCH,
    callers=_WEB,
    kinds=_STAFF,
    scope=_SCOPE,
    reveals=_REVEALS,
    audit="effect",
)
async def hand_over_print_batch(act: Act, request: HandOverPrintBatch) -> PrintBatchMade:
    """Note that the print shop has the batch's file; said again, the first word stays.

    What ended since the file was taken out stands in it for good, and is listed to be pulled.

    Raises: NotFound ``not_found``; Conflict ``print_not_taken`` for a file that nobody took out.
    """
    row = await _lock(act, request.batch_id)
    if row["taken_at"] is None:
        raise Conflict("print_not_taken")
    if row["handed_at"] is None:
        await list_to_pull(act, row)
        await act.db.execute(_HAND_OVER, act.merchant_id, request.batch_id, act.business, act.actor)
    return PrintBatchMade(batch=await _view(act, request.batch_id))


async def _lock(act: Act, batch_id: UUID) -> Row:
    row = await act.db.fetchrow(_LOCK, act.merchant_id, batch_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "print_batch"})
    return row


async def _view(act: Act, batch_id: UUID) -> PrintBatchView:
    row = await act.db.fetchrow(_ONE, act.merchant_id, batch_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "print_batch"})
    return await _shown(act, row)


async def _shown(act: Act, row: Row) -> PrintBatchView:
    fields = await act.fields()
    report = fields.open(REPORT_TABLE, "document", row["id"], 1, row["report"], Report)
    if report.remarks:
        act.reveal(1)
    return to_view(row, report)
