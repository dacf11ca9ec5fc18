"""Data zone: transfer files as staff build them, approve them, and take them to the bank.

One file for a day and a contract; who built it can't approve it; what was taken out is never built
again unless the bank refused it as a whole.
"""

from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.transfer import (
    BUILD_TRANSFER_FILE,
    DECIDE_TRANSFER_FILE,
    LIST_TRANSFER_FILES,
    REPORT_TRANSFER_FILE,
    TAKE_OUT_TRANSFER_FILE,
    VIEW_TRANSFER_FILE,
    BuildTransferFile,
    DecideTransferFile,
    ListTransferFiles,
    ReportTransferFile,
    TakeOutTransferFile,
    TransferFileChanged,
    TransferFilePage,
    TransferFilePart,
    TransferFileSeen,
    ViewTransferFile,
)
from portal.domain import transfer as rules
from portal.domain.days import is_in_time
from portal.domain.errors import Conflict, NotAllowed
from portal.domain.handover import goes_by_line
from portal.domain.transfer import TransferEvent, TransferWord
from portal.domain.zengin.transfer import TransferWriter
from portal.vault import approval, file, staff
from portal.vault.act import Act
from portal.vault.by_code import by_code
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.handover import is_leaving, plan_handover, those_on_line
from portal.vault.operations.debit_file import records_in
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation, standing_operation
from portal.vault.standing import Standing
from portal.vault.transfer import (
    TRANSFER_FILES,
    TransferContract,
    TransferFile,
    moved_file,
    read_transfer_contract,
    read_transfer_contracts,
    step_file,
)
from portal.vault.transfer_lines import REFUNDS_MAX, contested_in, waiting_for_file
from portal.vault.transfer_view import view_contract, view_file, view_files, view_lines

APPROVAL: Final = "transfer_file"
"""The kind of these approvals."""

PAGE_MAX: Final = 50
LINES_SHOWN_MAX: Final = 500

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_OWNER: Final = frozenset({"owner"})
_WORDS: Final[dict[TransferWord, TransferEvent]] = {
    "accepted": "accept", "rejected": "reject", "unknown": "lose"
}  # fmt: skip
_PAGE: Final = (
    TRANSFER_FILES.select + " and ($2::date is null or (transfer_on, id) < ($2, $3::uuid))"
    " order by transfer_on desc, id desc limit $4"
)


@operation(BUILD_TRANSFER_FILE, callers=_WEB, kinds=_STAFF, audit="effect")
async def build_transfer_file(act: Act, request: BuildTransferFile) -> TransferFileChanged:
    """Begin a file: from now on no other is built for its day and contract; a worker fills it.

    Raises: InvalidInput ``transfer_day_wrong`` (params ``field``, ``day``), ``calendar_ends``;
    Conflict ``transfer_too_late``, ``transfer_file_exists``, ``idempotency_mismatch``; NotFound.
    """
    arguments = msgspec.msgpack.encode([request.contract_id, request.transfer_on])
    known = await act.once("build_transfer_file", request.idempotency_key, arguments)
    if known is not None:
        return TransferFileChanged(file=await view_file(act, UUID(bytes=known)))
    contract = await read_transfer_contract(act, request.contract_id)
    rules.check_day(contract.calendar, request.transfer_on, act.business)
    _check_time(act, contract, request.transfer_on)
    header = TransferWriter(contract.form).begin(contract.header(request.transfer_on))
    begun = _new(act, contract, request.transfer_on, len(header))
    if not await TRANSFER_FILES.insert(act, begun):
        raise Conflict("transfer_file_exists", params={"field": "transferOn"})
    await file.store_part(act, begun.id, 0, header)
    await act.plan_task("transfer.advance", begun.id)
    await act.answer_once("build_transfer_file", request.idempotency_key, begun.id.bytes)
    return TransferFileChanged(file=await view_file(act, begun.id))


def _check_time(act: Act, contract: TransferContract, transfer_on: date) -> None:
    if not is_in_time(contract.calendar, contract.terms, transfer_on, act.business):
        raise Conflict("transfer_too_late", params={"field": "transferOn"})


def _new(act: Act, contract: TransferContract, transfer_on: date, header: int) -> TransferFile:
    """A file of its header alone. Units: ``header`` bytes."""
    file_id = act.new_id()
    return TransferFile(
        id=file_id,
        contract_id=contract.id,
        transfer_on=transfer_on,
        state="building",
        version=1,
        number_ms=file_id.int >> 80,
        lines=0,
        total_minor=0,
        parts=1,
        size_bytes=header,
        is_full=False,
        place=None,
        sha256=None,
        built_by=act.actor,
        built_at=act.business,
        approval_id=None,
        approve_until=None,
        decided_by=None,
        decided_at=None,
        state_at=act.now,
    )


@standing_operation(DECIDE_TRANSFER_FILE, callers=_WEB, kinds=_STAFF, audit="effect")
async def decide_transfer_file(
    standing: Standing, request: DecideTransferFile
) -> TransferFileChanged:
    """Approve by a fresh code a sealed file that someone else built, or discard one.

    No bank has what is discarded; its refunds wait again once a worker has gone through them. The
    same key decides once and needs no new code; discarding needs none.

    Raises: NotAllowed ``not_allowed``, ``approver_is_asker``, ``totp_refused``; LimitReached
    ``login_locked``; Expired ``approval_expired``; Conflict ``transfer_file_state``,
    ``transfer_too_late``, ``transfer_disputed`` where a payment was contested since it was built,
    ``idempotency_mismatch``; NotFound.
    """
    return await by_code(standing, lambda act: _decide(act, request))


async def _decide(act: Act, request: DecideTransferFile) -> TransferFileChanged:
    arguments = msgspec.msgpack.encode([request.file_id, request.decision])
    known = await act.once("decide_transfer_file", request.idempotency_key, arguments)
    if known is not None:
        return TransferFileChanged(file=await view_file(act, request.file_id))
    found = await TRANSFER_FILES.lock(act, request.file_id)
    decided = replace(found, decided_by=act.actor, decided_at=act.business)
    if request.decision == "approve":
        await _approve(act, decided, request.totp)
    else:
        await _discard(act, decided)
    await act.answer_once("decide_transfer_file", request.idempotency_key, found.id.bytes)
    return TransferFileChanged(file=await view_file(act, found.id))


async def _approve(act: Act, found: TransferFile, code: str) -> None:
    if act.capability.role != "owner":
        raise NotAllowed("not_allowed")
    await staff.step_up(act, code)
    edge = rules.advance_file(found.state, "approve")
    if found.approval_id is None:
        params = {"state": found.state, "event": "approve"}
        raise Conflict("transfer_file_state", params=params)
    contract = await read_transfer_contract(act, found.contract_id)
    _check_time(act, contract, found.transfer_on)
    if await contested_in(act, found):
        raise Conflict("transfer_disputed")
    await approval.approve(act, found.approval_id, found.content)
    await approval.use(act, found.approval_id, APPROVAL, found.content)
    if goes_by_line(contract.line, found.size_bytes):
        await plan_handover(act, found.id, contract.line, "transfer")
    await step_file(act, found, edge)


async def _discard(act: Act, found: TransferFile) -> None:
    if act.capability.role != "owner" and found.built_by != act.actor:
        raise NotAllowed("not_allowed")
    await step_file(act, found, rules.advance_file(found.state, "discard"))


@operation(REPORT_TRANSFER_FILE, callers=_WEB, kinds=_STAFF, roles=_OWNER, audit="effect")
async def report_transfer_file(act: Act, request: ReportTransferFile) -> TransferFileChanged:
    """Record what the bank said to a file as a whole; the refunds of one it refused wait again.

    Raises: Conflict ``transfer_file_state``, ``idempotency_mismatch``, ``debit_on_line`` for the
    refusal of a file that is on its way this minute; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.file_id, request.word])
    known = await act.once("report_transfer_file", request.idempotency_key, arguments)
    if known is not None:
        return TransferFileChanged(file=await view_file(act, request.file_id))
    found = await TRANSFER_FILES.lock(act, request.file_id)
    if request.word == "rejected" and await is_leaving(act, found.id):
        raise Conflict("debit_on_line")
    await step_file(act, found, rules.advance_file(found.state, _WORDS[request.word]))
    await act.answer_once("report_transfer_file", request.idempotency_key, found.id.bytes)
    return TransferFileChanged(file=await view_file(act, found.id))


@operation(
    TAKE_OUT_TRANSFER_FILE,
    callers=_WEB,
    kinds=_STAFF,
    roles=_OWNER,
    reveals=("account", "payer_name (kana)"),
    rows_max=REFUNDS_MAX + 2,
    audit="reveal",
)
async def take_out_transfer_file(act: Act, request: TakeOutTransferFile) -> TransferFilePart:
    """A part of an approved file for its bank; every line counts as revealed.

    With the first part the file is on its way: it may be at the bank from here on. The same bytes
    may be taken out again while nobody has said what the bank made of them.

    Raises: Conflict ``transfer_file_state``, ``debit_on_line`` for one that a worker brings;
    NotFound ``not_found``; LimitReached ``budget_spent``.
    """
    found = await TRANSFER_FILES.lock(act, request.file_id)
    if await those_on_line(act, [found.id]):
        raise Conflict("debit_on_line")
    if found.state == "approved":
        edge = rules.advance_file(found.state, "take_out")
        found = await TRANSFER_FILES.store(act, moved_file(act, found, edge))
    elif found.state not in {"sending", "unknown"}:
        params = {"state": found.state, "event": "take_out"}
        raise Conflict("transfer_file_state", params=params)
    body = await file.read_part(act, found.id, request.part_no)
    act.reveal(records_in(body))
    return TransferFilePart(body=body, is_last=request.part_no == found.parts - 1)


@operation(LIST_TRANSFER_FILES, callers=_WEB, kinds=_STAFF, audit="none")
async def list_transfer_files(act: Act, request: ListTransferFiles) -> TransferFilePage:
    """One page of the merchant's transfer files, all its contracts, and what waits for a file.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"transfer_files"
    after = None if request.after is None else read_cursor(fields, scope, request.after)
    day = None if after is None else after.value
    last = None if after is None else after.id
    rows = await act.db.fetch(_PAGE, act.merchant_id, day, last, request.first + 1)
    shown = [TRANSFER_FILES.read(row) for row in rows[: request.first]]
    contracts = {one.id: one for one in await read_transfer_contracts(act)}
    end = None
    if shown:
        end = write_cursor(fields, scope, Place(id=shown[-1].id, value=shown[-1].transfer_on))
    waiting = await waiting_for_file(act)
    return TransferFilePage(
        files=await view_files(act, shown, contracts),
        contracts=tuple(view_contract(one, act.business) for one in contracts.values()),
        end_cursor=end,
        has_next=len(rows) > len(shown),
        waiting=waiting.count,
        waiting_minor=waiting.total_minor,
        accountless=waiting.accountless,
    )


@operation(
    VIEW_TRANSFER_FILE,
    callers=_WEB,
    kinds=_STAFF,
    reveals=("account (last 3)", "payer_name (kana)"),
    rows_max=LINES_SHOWN_MAX,
    audit="reveal",
)
async def view_transfer_file(act: Act, request: ViewTransferFile) -> TransferFileSeen:
    """A file with its lines as the sealed bytes have them: what a second person looks at.

    Raises: NotFound ``not_found``; InvalidInput ``page_size`` (param ``max``); LimitReached
    ``budget_spent``.
    """
    check_page_size(request.first, LINES_SHOWN_MAX)
    found = await TRANSFER_FILES.find(act, request.file_id)
    lines = await view_lines(act, found, request.first, request.after_line)
    end = lines[-1].line_no if lines else found.lines
    return TransferFileSeen(
        file=await view_file(act, found.id),
        lines=lines,
        end_line=end if end < found.lines else None,
    )
