"""Data zone: a worker fills a transfer file, and moves its refunds, a piece at a time.

State, refunds, lines and the sealed part of one piece commit together, so a step that is repeated
goes on behind the last one that was committed and moves no refund twice.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from portal.contract.transfer import (
    ADVANCE_TRANSFER_FILE,
    AdvanceTransferFile,
    TransferFileAdvanced,
)
from portal.domain import transfer as rules
from portal.domain.days import approval_life_s
from portal.domain.zengin.transfer import TransferWriter
from portal.vault import approval, file
from portal.vault.act import Act
from portal.vault.debit_answer import hash_parts
from portal.vault.operations.transfer_file import APPROVAL
from portal.vault.registry import operation
from portal.vault.transfer import (
    TRANSFER_FILES,
    TransferContract,
    TransferFile,
    moved_file,
    read_transfer_contract,
)
from portal.vault.transfer_lines import fill_on, move_on

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_OVER: Final = TransferFileAdvanced(lines=0, remaining=False)


@operation(ADVANCE_TRANSFER_FILE, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def advance_transfer_file(act: Act, request: AdvanceTransferFile) -> TransferFileAdvanced:
    """Do what a file's state asks for: fill it and seal it; book its lines; or give them back.

    A sealed file that nobody approved in time is void from here on, and one that found nothing is
    discarded. A file that its bank took is booked from its day on; one of which nobody has said by
    then what became is a case. The task ends with the step that leaves nothing to do now.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    found = await _given_up(act, await TRANSFER_FILES.lock(act, request.file_id))
    if found.state == "building":
        return await _fill(act, found)
    is_gone = rules.is_gone(found.transfer_on, act.business)
    if is_gone and found.state in rules.AWAITED:
        await act.open_case("task.transfer.send", found.id, code="transfer_unreported")
    if not ((is_gone and found.state == "accepted") or found.state in rules.ENDED_FILE):
        await act.close_task()  # of a file that its bank took its own day plans the next
        return _OVER
    lines, remaining = await move_on(act, found)
    if remaining:
        act.rows_done = lines
    else:
        await act.close_task(rows=lines)
    return TransferFileAdvanced(lines=lines, remaining=remaining)


async def _given_up(act: Act, found: TransferFile) -> TransferFile:
    """The file, discarded if it can't be approved any more."""
    until = found.approve_until
    if found.state != "sealed" or until is None or act.now < until:
        return found
    edge = rules.advance_file(found.state, "discard")
    return await TRANSFER_FILES.store(act, moved_file(act, found, edge))


async def _fill(act: Act, found: TransferFile) -> TransferFileAdvanced:
    contract = await read_transfer_contract(act, found.contract_id)
    step = await fill_on(act, found, contract.lines_max)
    writer = TransferWriter(contract.form, found.lines, found.total_minor)
    body = writer.add(step.lines)
    filled = replace(
        found, lines=writer.count, total_minor=writer.total_minor, is_full=step.is_full,
        place=step.place,
    )  # fmt: skip
    if body:
        filled = await _append(act, filled, body)
    remaining = step.place is not None
    if not remaining:
        filled = await _seal(act, contract, filled, writer)
        await act.close_task(rows=len(step.lines))
    await TRANSFER_FILES.store(act, filled)
    return TransferFileAdvanced(lines=len(step.lines), remaining=remaining)


async def _append(act: Act, found: TransferFile, body: bytes) -> TransferFile:
    await file.store_part(act, found.id, found.parts, body)
    return replace(found, parts=found.parts + 1, size_bytes=found.size_bytes + len(body))


async def _seal(
    act: Act, contract: TransferContract, found: TransferFile, writer: TransferWriter
) -> TransferFile:
    """Finish the bytes and ask for a second person's yes to exactly these."""
    if not found.lines:
        return moved_file(act, found, rules.advance_file(found.state, "discard"))
    whole = await _append(act, found, writer.finish())
    digest, _ = await hash_parts(act, whole.id, whole.parts)
    edge = rules.advance_file(whole.state, "seal")
    sealed = replace(moved_file(act, whole, edge), sha256=digest)
    life_s = approval_life_s(contract.calendar, contract.terms, sealed.transfer_on, act.business)
    approval_id = await approval.ask(act, APPROVAL, sealed.content, life_s, sealed.built_by)
    until = act.now + timedelta(seconds=life_s)
    # Nobody's yes by then: a worker lets the refunds wait for the next file.
    await act.plan_task("transfer.advance", sealed.id, due_in_s=life_s)
    return replace(sealed, approval_id=approval_id, approve_until=until)
