"""Data zone, stage "intake": the rows of one chunk become bills that wait for a yes, or faults.

One transaction a chunk. Rows go in by one statement, in the order of their keys, so that the same
file sent twice at once can't deadlock: the second sending waits and then finds its rows known.
What was there before is looked at afterwards: the same request again is known, another content
under the same number is a fault, and within one file the earlier line wins whatever the order in
which workers come to its chunks. Rows passed over because of an import that nobody has decided on
are counted by that import: see portal.vault.waits.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.intake import ACCEPT_CHUNK, PART_BYTES_MAX, AcceptChunk, ChunkAccepted
from portal.domain.errors import TryLater
from portal.domain.intake.judge import Judge, Rules
from portal.vault import file
from portal.vault.act import Act
from portal.vault.changes import ChangeVerdicts, judge_changes, plan_changes, void_changes
from portal.vault.claims import claim_of, yield_claimed
from portal.vault.db import Row
from portal.vault.imports import read_import
from portal.vault.registry import operation
from portal.vault.row_faults import rename_faults, store_faults
from portal.vault.row_tally import RowTally, duplicate
from portal.vault.splitter import ChunkBytes, SealedBill, Verdicts, judge_chunk
from portal.vault.waits import UNDECIDED, hold_undecided

_OPEN: Final = frozenset({"receiving", "checking"})
_GOING: Final = frozenset({"discarding", "discarded", "refused"})

_CHUNK: Final = """
select chunk_no, start_offset, end_offset, first_line, is_oversize, done_at from import_chunk
where merchant_id = $1 and import_id = $2 and chunk_no = $3
"""
_INSERT: Final = """
insert into bill (merchant_id, import_id, created_at, lifecycle, settlement, message, currency, id,
                  line, number, kind, period, contract_blind, customer_blind, phone_blind,
                  email_blind, check_code, amount_minor, tax_minor, due_on, language, contact,
                  billing, has_address, consent_on, consent_source)
select $1, $2, $3, 'scheduled', 'unpaid', 'none', 'JPY', r.*
from unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[],
            $11::bytea[], $12::bytea[], $13::int[], $14::bigint[], $15::bigint[], $16::date[],
            $17::text[], $18::bytea[], $19::bytea[], $20::bool[], $21::date[], $22::text[]) as r
on conflict (merchant_id, number, contract_blind, period, kind) do nothing
returning id
"""
_THERE: Final = """
select r.place::int as place, b.id, b.import_id, b.line, b.amount_minor, b.due_on, b.lifecycle,
       coalesce((select min(p.was_due_on) from pause p
                 where p.merchant_id = b.merchant_id and p.bill_id = b.id), b.due_on)
           as first_due_on,
       i.state as import_state
from unnest($2::text[], $3::bytea[], $4::text[], $5::text[]) with ordinality
     as r (number, contract_blind, period, kind, place)
join bill b on b.merchant_id = $1 and b.number = r.number and b.contract_blind = r.contract_blind
     and b.period = r.period and b.kind = r.kind
join import i on i.merchant_id = $1 and i.id = b.import_id
"""
_DISPLACE: Final = """
delete from bill where merchant_id = $1 and id = any($2::uuid[]) and lifecycle = 'scheduled'
returning id, amount_minor, line, number, contract_blind, period, kind
"""
_CHUNK_DONE: Final = """
update import_chunk set done_at = $4, faults = $5, waits_for = $6, claims = $7
where merchant_id = $1 and import_id = $2 and chunk_no = $3
"""
_IMPORT_DONE: Final = """
update import set rows_good = rows_good + $3, rows_faulty = rows_faulty + $4,
    rows_known = rows_known + $5, amount_good_minor = amount_good_minor + $6,
    chunks_done = chunks_done + 1,
    state = case when is_received and chunks_done + 1 = chunks_planned then 'checked'
            else state end,
    checked_at = case when is_received and chunks_done + 1 = chunks_planned then $7::timestamptz
                 end
where merchant_id = $1 and id = $2 and state in ('receiving', 'checking') and not is_judged_again
returning state
"""


@operation(
    ACCEPT_CHUNK, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect",
    is_heavy=True,
)  # fmt: skip
async def accept_chunk(act: Act, request: AcceptChunk) -> ChunkAccepted:
    """Judge, seal and store the rows of one chunk, and finish its task.

    Raises: TryLater ``import_moved`` when the file was refused or thrown away while its rows were
    being stored: nothing is kept then.
    """
    act.require_scope(request.import_id)
    row = await read_import(act, request.import_id)
    chunk = await act.db.fetchrow(_CHUNK, act.merchant_id, row["id"], request.chunk_no)
    is_open = row["state"] in _OPEN and not row["is_judged_again"]
    if chunk is None or chunk["done_at"] is not None or not is_open:
        await act.close_task()
        return ChunkAccepted(rows_good=0, rows_faulty=0, rows_known=0)
    verdicts = await _judge(act, row, chunk)
    tally = RowTally(verdicts)
    changes = await judge_changes(act, verdicts.changes)
    bills = await _replaceable(act, row["id"], verdicts.bills, changes, tally)
    await _store(act, row["id"], bills, tally, has_changes="replaces" in row["columns"])
    await _store_changes(act, row["id"], changes, tally)
    await store_faults(act, row["id"], tally.faults)
    await _finish(act, row["id"], request.chunk_no, tally)
    await act.close_task(rows=tally.good)
    return ChunkAccepted(
        rows_good=tally.good, rows_faulty=tally.faulty - tally.displaced, rows_known=tally.known
    )


async def _judge(act: Act, row: Row, chunk: Row) -> Verdicts:
    """Read the chunk's bytes and judge them beside the event loop."""
    body = b"" if chunk["is_oversize"] else await _read_bytes(act, row["file_id"], chunk)
    zone: str = await act.db.fetchval("select zone from merchant where id = $1", act.merchant_id)
    judge = Judge(row["columns"], Rules(today=act.clock.business_today(zone)))
    fields = await act.fields()
    lines = body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n") + 1
    ids = sorted((act.new_id() for _ in range(lines)), key=attrgetter("int"))
    piece = ChunkBytes(
        body=body,
        first_line=chunk["first_line"],
        encoding=row["encoding"] or "utf-8",
        is_oversize=chunk["is_oversize"],
    )
    return await asyncio.to_thread(judge_chunk, piece, judge, fields, iter(ids))


async def _read_bytes(act: Act, file_id: UUID, chunk: Row) -> bytes:
    """The chunk's bytes out of the one or two parts that hold them."""
    first, start = divmod(chunk["start_offset"], PART_BYTES_MAX)
    last = (chunk["end_offset"] - 1) // PART_BYTES_MAX
    parts = [await file.read_part(act, file_id, part) for part in range(first, last + 1)]
    size = chunk["end_offset"] - chunk["start_offset"]
    return b"".join(parts)[start : start + size]


async def _store(
    act: Act, import_id: UUID, bills: Sequence[SealedBill], tally: RowTally, *, has_changes: bool
) -> None:
    """Insert what is new; say of all else why it is not. ``bills``: in the order of their lines."""
    firsts = tally.keep_first(bills)
    refused = await _insert(act, import_id, firsts, tally)
    await _judge_there(act, import_id, refused, tally)
    if has_changes:
        gone = await yield_claimed(act, import_id, firsts, tally)
        await act.db.fetch(_DISPLACE, act.merchant_id, sorted(gone))
    await _judge_there(act, import_id, tally.lose_doubles(firsts), tally)
    await rename_faults(act, import_id, "duplicate_in_file", tally.renamed)


async def _judge_there(
    act: Act, import_id: UUID, refused: Sequence[SealedBill], tally: RowTally
) -> None:
    """Say of bills whose keys are taken what that means for their rows."""
    earlier: list[SealedBill] = []
    displaced: list[UUID] = []
    for bill, there in await _look_up(act, import_id, refused) if refused else ():
        if there["import_id"] != import_id:
            tally.compare(bill.request, there)
        elif there["lifecycle"] != "scheduled":
            tally.take_canceled(bill.request, there)
        elif there["line"] <= bill.request.line:
            tally.lose(bill, there["line"])
        else:
            earlier.append(bill)
            displaced.append(there["id"])
            tally.amount_minor -= there["amount_minor"]
            tally.good -= 1
            tally.displaced += 1
            tally.renamed[there["line"]] = bill.request.line
            later = msgspec.structs.replace(bill.request, line=there["line"])
            tally.refuse(duplicate(later, bill.request.line))
    if earlier:
        await _displace(act, import_id, earlier, displaced, tally)


async def _insert(
    act: Act, import_id: UUID, bills: Sequence[SealedBill], tally: RowTally
) -> list[SealedBill]:
    """Insert bills; those whose key is taken come back."""
    if not bills:
        return []
    rows = [bill.request for bill in bills]
    found = await act.db.fetch(
        _INSERT,
        act.merchant_id,
        import_id,
        act.business,
        [bill.id for bill in bills],
        [row.line for row in rows],
        [row.number for row in rows],
        [row.kind for row in rows],
        [row.period for row in rows],
        [bill.contract_blind for bill in bills],
        [bill.customer_blind for bill in bills],
        [bill.phone_blind for bill in bills],
        [bill.email_blind for bill in bills],
        [bill.check_code for bill in bills],
        [row.amount_minor for row in rows],
        [row.tax_minor for row in rows],
        [row.due_on for row in rows],
        [row.language for row in rows],
        [bill.contact for bill in bills],
        [bill.billing for bill in bills],
        [bool(row.address) for row in rows],
        [row.consent_on for row in rows],
        [row.consent_source or None for row in rows],
    )
    stored = {row["id"] for row in found}
    tally.good += len(stored)
    tally.stored |= stored
    tally.amount_minor += sum(bill.request.amount_minor for bill in bills if bill.id in stored)
    return [bill for bill in bills if bill.id not in stored]


async def _replaceable(
    act: Act,
    import_id: UUID,
    bills: Sequence[SealedBill],
    changes: ChangeVerdicts,
    tally: RowTally,
) -> list[SealedBill]:
    """The bills that may be stored: those that replace none, and those that may replace theirs.

    One that is there already from another file has replaced the other before: it is judged like any
    row that is sent again.
    """
    refused = {one.new_bill_id: fault for one, fault in changes.faults if one.new_bill_id}
    asked = [bill for bill in bills if bill.id in refused]
    found = await _find(act, asked) if asked else ()
    there = {row["place"] for row in found if row["import_id"] != import_id}
    again = {bill.id for place, bill in enumerate(asked, 1) if place in there}
    for bill_id in refused.keys() - again:
        tally.refuse(refused[bill_id])
    return [bill for bill in bills if bill.id not in refused or bill.id in again]


async def _store_changes(
    act: Act, import_id: UUID, changes: ChangeVerdicts, tally: RowTally
) -> None:
    """Keep what is to be done to bills that are there. A replacement counts as its new bill."""
    for one, fault in changes.faults:
        if one.new_bill_id is None:
            tally.refuse(fault)
    tally.known += sum(one.new_bill_id is None for one in changes.known)
    void = tally.lost.keys()
    named = tally.stored | void
    planned = [
        (replace(one, is_void=one.new_bill_id in void), bill_id)
        for one, bill_id in changes.planned
        if one.new_bill_id is None or one.new_bill_id in named
    ]
    made = await plan_changes(act, import_id, planned)
    spare = [one.new_bill_id for one, _ in (*made.twice, *made.displaced) if one.new_bill_id]
    rows = await act.db.fetch(_DISPLACE, act.merchant_id, sorted(spare)) if spare else []
    tally.amount_minor -= sum(row["amount_minor"] for row in rows)
    tally.good -= len(rows)
    tally.claims.update(claim_of(row) for row in rows)
    gone = {row["id"] for row in rows}
    for one, fault in made.twice:
        if not one.is_void:  # its number is what it is refused for
            tally.refuse(fault)
    for one, fault in made.displaced:
        if one.new_bill_id is None:
            tally.good -= 1
        elif one.new_bill_id not in gone:
            continue  # an earlier line has the new bill's number: it is faulty already
        tally.displaced += 1
        tally.refuse(fault)
    late = {one.line for one, _ in made.twice}
    tally.good += sum(one.new_bill_id is None and one.line not in late for one, _ in planned)


async def _find(act: Act, bills: Sequence[SealedBill]) -> list[Row]:
    """The stored bills with the keys of these, by place."""
    return await act.db.fetch(
        _THERE,
        act.merchant_id,
        [bill.request.number for bill in bills],
        [bill.contract_blind for bill in bills],
        [bill.request.period for bill in bills],
        [bill.request.kind for bill in bills],
    )


async def _look_up(
    act: Act, import_id: UUID, bills: Sequence[SealedBill]
) -> list[tuple[SealedBill, Row]]:
    """Each bill with the stored one that has its key; undecided imports of those stay undecided.

    Raises: TryLater ``import_moved`` when one was forgotten between the two statements, or is
    about to be: its import was thrown away, so it must not make this row a known one.
    """
    rows = await _find(act, bills)
    going = [row for row in rows if row["import_state"] in _GOING]
    undecided = {row["import_id"] for row in rows if row["import_state"] in UNDECIDED}
    if (
        len(rows) != len(bills)
        or any(row["lifecycle"] == "scheduled" for row in going)
        or not await hold_undecided(act, undecided - {import_id})
    ):
        raise TryLater("import_moved", retry_after_s=2.0)
    return [(bills[row["place"] - 1], row) for row in rows]


async def _displace(
    act: Act,
    import_id: UUID,
    earlier: Sequence[SealedBill],
    displaced: Sequence[UUID],
    tally: RowTally,
) -> None:
    """Put earlier lines of this file in the place of later ones that another worker stored first.

    Raises: TryLater ``import_moved`` when another chunk does the same just now.
    """
    gone = await act.db.fetch(_DISPLACE, act.merchant_id, sorted(displaced))
    await void_changes(act, import_id, displaced)
    if len(gone) != len(displaced) or await _insert(act, import_id, earlier, tally):
        raise TryLater("import_moved")


async def _finish(act: Act, import_id: UUID, chunk_no: int, tally: RowTally) -> None:
    """Count the chunk as done; the last one of a whole file makes the import ``checked``."""
    by_code = {code: rows for code, rows in tally.faults_by_code().items() if rows}
    await act.db.execute(
        _CHUNK_DONE, act.merchant_id, import_id, chunk_no, act.now,
        msgspec.json.encode(by_code).decode(),
        msgspec.json.encode(tally.waits_for).decode(),
        msgspec.json.encode(tally.claims).decode(),
    )  # fmt: skip
    state = await act.db.fetchval(
        _IMPORT_DONE, act.merchant_id, import_id, tally.good, tally.faulty, tally.known,
        tally.amount_minor, act.business,
    )  # fmt: skip
    if state is None:
        raise TryLater("import_moved")
