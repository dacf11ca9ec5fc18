"""Data zone: debit files as staff build them, approve them, and take them to the bank.

One file for a day and a contract; who built it can't approve it; what was taken out is never built
again unless the bank refused it as a whole.
"""

from dataclasses import replace
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.debit import (
    BUILD_DEBIT_FILE,
    DECIDE_DEBIT_FILE,
    LIST_DEBIT_FILES,
    REPORT_DEBIT_FILE,
    TAKE_OUT_DEBIT_FILE,
    BuildDebitFile,
    DebitFileChanged,
    DebitFilePage,
    DebitFilePart,
    DecideDebitFile,
    ListDebitFiles,
    ReportDebitFile,
    TakeOutDebitFile,
)
from portal.domain import debit as rules
from portal.domain.days import is_in_time
from portal.domain.debit import BankWord, FileEvent
from portal.domain.errors import Conflict, NotAllowed
from portal.domain.handover import goes_by_line
from portal.domain.zengin.record import RECORD_BYTES
from portal.domain.zengin.write import DebitWriter
from portal.vault import approval, file, staff
from portal.vault.act import Act
from portal.vault.by_code import by_code
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.debit import (
    FILES,
    Contract,
    DebitFile,
    insert_file,
    lock_file,
    moved,
    read_contract,
    read_contracts,
    store_file,
    to_file,
)
from portal.vault.debit_view import view_contract, view_file, view_files
from portal.vault.fetch import plan_fetch
from portal.vault.handover import is_leaving, plan_handover, those_on_line
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation, standing_operation
from portal.vault.standing import Standing

APPROVAL: Final = "debit_file"
"""The kind of these approvals."""

PAGE_MAX: Final = 50
PART_LINES_MAX: Final = 5_000
"""Lines of one part at most: mandates of customers with several bills."""

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_OWNER: Final = frozenset({"owner"})
_WORDS: Final[dict[BankWord, FileEvent]] = {
    "accepted": "accept", "rejected": "reject", "unknown": "lose"
}  # fmt: skip
_PAGE: Final = (
    FILES + " and ($2::date is null or (debit_on, id) < ($2, $3::uuid))"
    " order by debit_on desc, id desc limit $4"
)


@operation(BUILD_DEBIT_FILE, callers=_WEB, kinds=_STAFF, audit="effect")
async def build_debit_file(act: Act, request: BuildDebitFile) -> DebitFileChanged:
    """Begin a file: from now on no other is built for its day and contract; a worker fills it.

    Raises: InvalidInput ``debit_day_wrong`` (params ``field``, ``day``), ``calendar_ends``;
    Conflict ``debit_too_late``, ``debit_file_exists``, ``idempotency_mismatch``; NotFound.
    """
    arguments = msgspec.msgpack.encode([request.contract_id, request.debit_on])
    known = await act.once("build_debit_file", request.idempotency_key, arguments)
    if known is not None:
        return DebitFileChanged(file=await view_file(act, UUID(bytes=known)))
    contract = await read_contract(act, request.contract_id)
    rules.check_day(contract.calendar, contract.terms, request.debit_on)
    _check_time(act, contract, request.debit_on)
    debit_file = _new(act, contract, request.debit_on)
    header = DebitWriter(contract.form).begin(contract.header(request.debit_on))
    debit_file = replace(debit_file, parts=1, size_bytes=len(header))
    if not await insert_file(act, debit_file):
        raise Conflict("debit_file_exists", params={"field": "debitOn"})
    await file.store_part(act, debit_file.id, 0, header)
    await act.plan_task("debit.fill", debit_file.id)
    await act.answer_once("build_debit_file", request.idempotency_key, debit_file.id.bytes)
    return DebitFileChanged(file=await view_file(act, debit_file.id))


def _check_time(act: Act, contract: Contract, debit_on: date) -> None:
    if not is_in_time(contract.calendar, contract.terms, debit_on, act.business):
        raise Conflict("debit_too_late", params={"field": "debitOn"})


def _new(act: Act, contract: Contract, debit_on: date) -> DebitFile:
    file_id = act.new_id()
    return DebitFile(
        id=file_id,
        contract_id=contract.id,
        debit_on=debit_on,
        state="building",
        version=1,
        number_ms=file_id.int >> 80,
        lines=0,
        total_minor=0,
        parts=0,
        size_bytes=0,
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
        refused_result="",
        refused_record=0,
    )


@standing_operation(DECIDE_DEBIT_FILE, callers=_WEB, kinds=_STAFF, audit="effect")
async def decide_debit_file(standing: Standing, request: DecideDebitFile) -> DebitFileChanged:
    """Approve by a fresh code a sealed file that someone else built, or discard one.

    No bank has what is discarded; its bills are free again once a worker has gone through them.
    The same key decides once and needs no new code; discarding needs none.

    Raises: NotAllowed ``not_allowed``, ``approver_is_asker``, ``totp_refused``; LimitReached
    ``login_locked``; Expired ``approval_expired``; Conflict ``debit_file_state``,
    ``debit_too_late``, ``idempotency_mismatch``; NotFound.
    """
    return await by_code(standing, lambda act: _decide(act, request))


async def _decide(act: Act, request: DecideDebitFile) -> DebitFileChanged:
    arguments = msgspec.msgpack.encode([request.file_id, request.decision])
    known = await act.once("decide_debit_file", request.idempotency_key, arguments)
    if known is not None:
        return DebitFileChanged(file=await view_file(act, request.file_id))
    debit_file = await lock_file(act, request.file_id)
    if request.decision == "approve":
        decided = await _approve(act, debit_file, request.totp)
    else:
        decided = await _discard(act, debit_file)
    await store_file(act, replace(decided, decided_by=act.actor, decided_at=act.business))
    await act.answer_once("decide_debit_file", request.idempotency_key, debit_file.id.bytes)
    return DebitFileChanged(file=await view_file(act, debit_file.id))


async def _approve(act: Act, debit_file: DebitFile, code: str) -> DebitFile:
    if act.capability.role != "owner":
        raise NotAllowed("not_allowed")
    await staff.step_up(act, code)
    edge = rules.advance_file(debit_file.state, "approve")
    if debit_file.approval_id is None:
        raise Conflict("debit_file_state", params={"state": debit_file.state, "event": "approve"})
    contract = await read_contract(act, debit_file.contract_id)
    _check_time(act, contract, debit_file.debit_on)
    await approval.approve(act, debit_file.approval_id, debit_file.content)
    await approval.use(act, debit_file.approval_id, APPROVAL, debit_file.content)
    if goes_by_line(contract.line, debit_file.size_bytes):
        await plan_handover(act, debit_file.id, contract.line)
    return moved(act, debit_file, edge)


async def _discard(act: Act, debit_file: DebitFile) -> DebitFile:
    if act.capability.role != "owner" and debit_file.built_by != act.actor:
        raise NotAllowed("not_allowed")
    # One that is being built as well: the worker, who waits for this lock, then finds it ended. Or
    # one whose filling was given up would keep its bills and its day for ever.
    edge = rules.advance_file(debit_file.state, "discard")
    await act.plan_task("debit.book", debit_file.id)
    return moved(act, debit_file, edge)


@operation(REPORT_DEBIT_FILE, callers=_WEB, kinds=_STAFF, roles=_OWNER, audit="effect")
async def report_debit_file(act: Act, request: ReportDebitFile) -> DebitFileChanged:
    """Record what the bank said to a file as a whole; one that it refused frees its bills.

    Raises: Conflict ``debit_file_state``, ``idempotency_mismatch``, ``debit_on_line`` for the
    refusal of a file that is on its way this minute; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.file_id, request.word])
    known = await act.once("report_debit_file", request.idempotency_key, arguments)
    if known is not None:
        return DebitFileChanged(file=await view_file(act, request.file_id))
    debit_file = await lock_file(act, request.file_id)
    if request.word == "rejected" and await is_leaving(act, debit_file.id):
        raise Conflict("debit_on_line")
    edge = rules.advance_file(debit_file.state, _WORDS[request.word])
    await store_file(act, moved(act, debit_file, edge))
    if edge.state == "rejected":
        await act.plan_task("debit.book", debit_file.id)
    elif edge.state == "accepted":
        await plan_fetch(act, debit_file)
    await act.answer_once("report_debit_file", request.idempotency_key, debit_file.id.bytes)
    return DebitFileChanged(file=await view_file(act, debit_file.id))


@operation(
    TAKE_OUT_DEBIT_FILE,
    callers=_WEB,
    kinds=_STAFF,
    roles=_OWNER,
    reveals=("account", "payer_name (kana)"),
    rows_max=PART_LINES_MAX,
    audit="reveal",
)
async def take_out_debit_file(act: Act, request: TakeOutDebitFile) -> DebitFilePart:
    """A part of an approved file for its bank; every line counts as revealed.

    With the first part the file is on its way: it may be at the bank from here on. The same bytes
    may be taken out again while nobody has said what the bank made of them.

    Raises: Conflict ``debit_file_state``, ``debit_on_line`` for one that a worker brings;
    NotFound ``not_found``; LimitReached ``budget_spent``.
    """
    debit_file = await lock_file(act, request.file_id)
    if await those_on_line(act, [debit_file.id]):
        raise Conflict("debit_on_line")
    if debit_file.state == "approved":
        edge = rules.advance_file(debit_file.state, "take_out")
        debit_file = await store_file(act, moved(act, debit_file, edge))
    elif debit_file.state not in {"sending", "unknown"}:
        raise Conflict("debit_file_state", params={"state": debit_file.state, "event": "take_out"})
    body = await file.read_part(act, debit_file.id, request.part_no)
    act.reveal(records_in(body))
    return DebitFilePart(body=body, is_last=request.part_no == debit_file.parts - 1)


def records_in(body: bytes) -> int:
    """Records of a part, whatever their kind and their line ends: at most two too many."""
    return len(body.replace(b"\r\n", b"")) // RECORD_BYTES


@operation(
    LIST_DEBIT_FILES, callers=_WEB, kinds=_STAFF, audit="none"
)  # fmt: skip
async def list_debit_files(act: Act, request: ListDebitFiles) -> DebitFilePage:
    """One page of the merchant's debit files with counts and sums, and all its contracts.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"debit_files"
    after = None if request.after is None else read_cursor(fields, scope, request.after)
    day = None if after is None else after.value
    last = None if after is None else after.id
    rows = await act.db.fetch(_PAGE, act.merchant_id, day, last, request.first + 1)
    shown = [to_file(row) for row in rows[: request.first]]
    contracts = {one.id: one for one in await read_contracts(act)}
    end = None
    if shown:
        end = write_cursor(fields, scope, Place(id=shown[-1].id, value=shown[-1].debit_on))
    return DebitFilePage(
        files=await view_files(act, shown, contracts),
        contracts=tuple(view_contract(one, act.business) for one in contracts.values()),
        end_cursor=end,
        has_next=len(rows) > len(shown),
    )
