"""Data zone: a worker fills a debit file, and books what its bank said, a piece at a time.

State, attempts, lines and the sealed part of one piece commit together, so a step that is repeated
goes on behind the last one that was committed and writes no line twice.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from portal.contract.debit import (
    BOOK_DEBITS,
    FILL_DEBIT_FILE,
    BookDebits,
    DebitFileFilled,
    DebitsBooked,
    FillDebitFile,
)
from portal.domain import debit as rules
from portal.domain.days import approval_life_s
from portal.domain.zengin.write import DebitWriter
from portal.vault import approval, file
from portal.vault.act import Act
from portal.vault.debit import (
    Contract,
    DebitFile,
    lock_file,
    moved,
    read_contract,
    store_file,
)
from portal.vault.debit_answer import hash_parts
from portal.vault.debit_lines import book_next, choose, write_lines
from portal.vault.debit_reading import Reading, read_on
from portal.vault.operations.debit_file import APPROVAL, PART_LINES_MAX
from portal.vault.registry import operation

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})


@operation(FILL_DEBIT_FILE, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def fill_debit_file(act: Act, request: FillDebitFile) -> DebitFileFilled:
    """Write the next bills into a file that is being built, and seal it when there are no more.

    A file that found nothing is discarded. The task ends with the step that seals.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    debit_file = await lock_file(act, request.file_id)
    if debit_file.state != "building":
        await act.close_task()
        return DebitFileFilled(lines=0, remaining=False)
    contract = await read_contract(act, debit_file.contract_id)
    chosen, place = await choose(act, contract, debit_file)
    room = contract.lines_max - debit_file.lines
    # More than a part holds: the same mandates are looked at again, for the bills that are left.
    is_cut = len(chosen) > PART_LINES_MAX and room > PART_LINES_MAX
    is_full = len(chosen) > room and not is_cut
    lines = await write_lines(act, debit_file, chosen[: min(room, PART_LINES_MAX)])
    writer = DebitWriter(contract.form, debit_file.lines, debit_file.total_minor)
    body = writer.add(lines)
    filled = replace(
        debit_file, lines=writer.count, total_minor=writer.total_minor, is_full=is_full,
        place=debit_file.place if is_cut else place,
    )  # fmt: skip
    if body:
        filled = await _append(act, filled, body)
    remaining = is_cut or (place is not None and not is_full)
    if not remaining:
        filled = await _seal(act, contract, filled, writer)
        await act.close_task(rows=len(lines))
    await store_file(act, filled)
    return DebitFileFilled(lines=len(lines), remaining=remaining)


async def _append(act: Act, debit_file: DebitFile, body: bytes) -> DebitFile:
    await file.store_part(act, debit_file.id, debit_file.parts, body)
    return replace(
        debit_file, parts=debit_file.parts + 1, size_bytes=debit_file.size_bytes + len(body)
    )


async def _seal(
    act: Act, contract: Contract, debit_file: DebitFile, writer: DebitWriter
) -> DebitFile:
    """Finish the bytes and ask for a second person's yes to exactly these."""
    if not debit_file.lines:
        return moved(act, debit_file, rules.advance_file(debit_file.state, "discard"))
    whole = await _append(act, debit_file, writer.finish())
    digest, _ = await hash_parts(act, whole.id, whole.parts)
    edge = rules.advance_file(whole.state, "seal")
    sealed = replace(moved(act, whole, edge), sha256=digest)
    life_s = approval_life_s(contract.calendar, contract.terms, sealed.debit_on, act.business)
    approval_id = await approval.ask(act, APPROVAL, sealed.content, life_s, sealed.built_by)
    until = act.now + timedelta(seconds=life_s)
    # Nobody's yes by then: a worker gives the bills back, or their payers could never pay them.
    await act.plan_task("debit.book", sealed.id, due_in_s=life_s)
    return replace(sealed, approval_id=approval_id, approve_until=until)


@operation(BOOK_DEBITS, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def book_debits(act: Act, request: BookDebits) -> DebitsBooked:
    """Book the next lines of a file whose bank has answered, or free those of one that is void.

    A sealed file that nobody approved in time is void from here on. A long answer is read first, a
    step at a time: until it is checked and told, no line is booked.

    Each line is booked with its bill, attempt and ledger, once for each thing that the bank says.
    The task ends with the step that finds no more.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    debit_file = await _given_up(act, await lock_file(act, request.file_id))
    reading = Reading.of(debit_file)
    if reading is not None:
        await read_on(act, debit_file, reading)
        return DebitsBooked(lines=0, remaining=True)
    lines, remaining = await book_next(act, debit_file)
    if not remaining:
        await act.close_task(rows=lines)
    else:
        act.rows_done = lines
    return DebitsBooked(lines=lines, remaining=remaining)


async def _given_up(act: Act, debit_file: DebitFile) -> DebitFile:
    """The file, discarded if it can't be approved any more."""
    until = debit_file.approve_until
    if debit_file.state != "sealed" or until is None or act.now < until:
        return debit_file
    edge = rules.advance_file(debit_file.state, "discard")
    return await store_file(act, moved(act, debit_file, edge))
