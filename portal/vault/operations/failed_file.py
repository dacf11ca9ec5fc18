"""Data zone: a merchant's own debits that failed, from a file of any length.

The lines come while the file is read elsewhere, and wait. Once it is said to be whole and sound a
worker tells them, a step at a time, each step one transaction; a file in doubt is forgotten, and
tells nothing.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.contract.envelope import Done
from portal.contract.failed_debit import FailedDebitTold
from portal.contract.failed_file import (
    DROP_FAILED_FILE,
    LIST_FAILED_FILES,
    LIST_FAILED_LINES,
    STORE_FAILED_LINES,
    TAKE_FAILED_FILE,
    TELL_FAILED_FILE,
    DropFailedFile,
    FailedFileMoved,
    FailedFilePage,
    FailedFileTaken,
    FailedLinePage,
    FailedLinesStored,
    ListFailedFiles,
    ListFailedLines,
    StoreFailedLines,
    TakeFailedFile,
    TellFailedFile,
)
from portal.domain.errors import InvalidInput
from portal.domain.failed_debit import OF_CUSTOMERS, STORED_MAX, FailedLine
from portal.domain.ids import FailedFileId
from portal.domain.zengin.record import AMOUNT_MAX, LINES_MAX
from portal.vault import failed_file
from portal.vault.act import Act
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.operations.failed_debit import REVEALS, check_hash
from portal.vault.operations.intake_view import check_page_size
from portal.vault.registry import operation

PAGE_MAX: Final = 100
NUMBER_MAX: Final = 20
"""Letters of a customer's number in the record."""

_WEB: Final = frozenset({"web"})
_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_SCOPE: Final = "bills:write"
_ONCE: Final = "failed_file"


@operation(
    STORE_FAILED_LINES, callers=_WEB, kinds=_MERCHANT, scope=_SCOPE, audit="none", is_heavy=True
)
async def store_failed_lines(act: Act, request: StoreFailedLines) -> FailedLinesStored:
    """Begin a file, or keep the next failed lines of one; no customer's number is stored.

    Raises: InvalidInput ``file_malformed`` also for lines out of order or stored before,
    ``too_many_lines`` (param ``most``); NotFound ``not_found`` for a file that is not coming;
    LimitReached ``uploads_at_once`` (param ``max``) while too many are.
    """
    if len(request.lines) > STORED_MAX:
        raise InvalidInput("too_many_lines", params={"most": STORED_MAX})
    if request.file_id is None:
        file_id, stored_to = await failed_file.begin(act), 0
    else:
        row = await failed_file.lock_receiving(act, request.file_id)
        file_id, stored_to = row["id"], row["stored_to"]
    if request.lines:
        _check_lines(request.lines, stored_to)
        await failed_file.store(act, file_id, request.lines)
    return FailedLinesStored(file_id=FailedFileId(file_id))


def _check_lines(lines: Sequence[FailedLine], stored_to: int) -> None:
    for line in lines:
        is_good = (
            stored_to < line.record_no <= LINES_MAX + 1  # a header is the first record
            and 0 <= line.amount_minor <= AMOUNT_MAX
            and len(line.code) == 1
            and len(line.customer_no) <= NUMBER_MAX
        )
        if not is_good:
            raise InvalidInput("file_malformed")
        stored_to = line.record_no


@operation(TAKE_FAILED_FILE, callers=_WEB, kinds=_MERCHANT, scope=_SCOPE, audit="effect")
async def take_failed_file(act: Act, request: TakeFailedFile) -> FailedFileTaken:
    """Have a file told that came whole and sound; bytes that were taken before are not told again.

    Raises: InvalidInput ``file_malformed`` where the counts are not those of what was stored;
    NotFound ``not_found`` for a file that is not coming.
    """
    check_hash(request.sha256)
    row = await failed_file.lock_receiving(act, request.file_id)
    if request.failed != row["lines"] or not 0 <= request.succeeded <= LINES_MAX - row["lines"]:
        raise InvalidInput("file_malformed")
    known = await act.once(_ONCE, request.sha256, b"")
    if known is not None:
        await failed_file.drop(act, row["id"])
        return FailedFileTaken(file_id=FailedFileId(UUID(bytes=known)), seen_before=True)
    await failed_file.take(act, row["id"], bytes.fromhex(request.sha256), request.succeeded)
    await act.answer_once(_ONCE, request.sha256, row["id"].bytes)
    return FailedFileTaken(file_id=FailedFileId(row["id"]), seen_before=False)


@operation(DROP_FAILED_FILE, callers=_WEB, kinds=_MERCHANT, scope=_SCOPE, audit="effect")
async def drop_failed_file(act: Act, request: DropFailedFile) -> Done:
    """Forget a file that is in doubt or broke off; one that was taken, or is gone, stays so."""
    row = await failed_file.lock(act, request.file_id)
    if row is not None and row["state"] == "receiving":
        await failed_file.drop(act, row["id"])
    return Done()


@operation(TELL_FAILED_FILE, callers=_WORK, kinds=_LEASE, audit="effect", is_heavy=True)
async def tell_failed_file(act: Act, request: TellFailedFile) -> FailedFileMoved:
    """Tell the next lines of a file, or forget those of one that was never taken.

    The task ends with the step that finds no more.

    Raises: NotFound for another file than the lease's.
    """
    act.require_scope(request.file_id)
    row = await failed_file.lock(act, request.file_id)
    lines, remaining = 0, False
    if row is not None and row["state"] == "telling":
        lines, remaining = await failed_file.tell_next(act, row)
    elif row is not None and row["state"] in {"receiving", "dropped"}:
        await failed_file.close(act, row["id"])
        lines, remaining = await failed_file.forget_next(act, row["id"])
    if remaining:
        act.rows_done = lines
    else:
        await act.close_task(rows=lines)
    return FailedFileMoved(lines=lines, remaining=remaining)


@operation(
    LIST_FAILED_FILES,
    callers=_WEB,
    kinds=_MERCHANT,
    scope=_SCOPE,
    reveals=REVEALS,
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_failed_files(act: Act, request: ListFailedFiles) -> FailedFilePage:
    """Files that were taken, the newest first; each that met a customer counts as a row seen.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    scope = b"failed_files"
    after = None if request.after is None else read_cursor(fields, scope, request.after).id
    found = await failed_file.page(act, after, request.first + 1)
    shown = found[: request.first]
    # A file of one line is a question about one number.
    act.reveal(sum(failed_file.is_somebodys(one) for one in shown))
    return FailedFilePage(
        files=tuple(shown),
        end_cursor=write_cursor(fields, scope, Place(id=shown[-1].id)) if shown else None,
        has_next=len(found) > len(shown),
    )


@operation(
    LIST_FAILED_LINES,
    callers=_WEB,
    kinds=_MERCHANT,
    scope=_SCOPE,
    reveals=REVEALS,
    rows_max=PAGE_MAX + 1,
    audit="reveal",
)
async def list_failed_lines(act: Act, request: ListFailedLines) -> FailedLinePage:
    """Lines of which nobody was told, in the file's order; a customer's counts as a row seen.

    Raises: NotFound ``not_found``; InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    shown = await failed_file.view(act, request.file_id)
    fields = await act.fields()
    scope = b"failed_lines|" + shown.id.bytes
    after = None if request.after is None else read_cursor(fields, scope, request.after).value
    behind = after if isinstance(after, int) else 0
    rows = await failed_file.looked_at(act, shown.id, behind, request.first + 1)
    lines = tuple(
        FailedDebitTold(
            record_no=row["record_no"], result=row["result"], amount_minor=row["amount_minor"]
        )
        for row in rows[: request.first]
    )
    act.reveal(failed_file.is_somebodys(shown) + sum(line.result in OF_CUSTOMERS for line in lines))
    end = Place(id=shown.id, value=lines[-1].record_no) if lines else None
    return FailedLinePage(
        file=shown,
        lines=lines,
        end_cursor=write_cursor(fields, scope, end) if end else None,
        has_next=len(rows) > len(lines),
    )
