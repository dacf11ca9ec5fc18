"""Merchant schema: files of the merchant's own failed debits, of any length, and their lines.

Zone: application. The file itself goes to an address of its own (doors.failed_files).
"""

import strawberry

from portal.application.doors.failed_files import seal_address
from portal.application.doors.graphql import debit_enums as enums
from portal.application.doors.graphql.failed_debits import FailedDebitLine
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    PageEnd,
    PageInfo,
    by,
    page_size,
    plain,
)
from portal.contract.failed_debit import FailedDebitTold
from portal.contract.failed_file import (
    LIST_FAILED_FILES,
    LIST_FAILED_LINES,
    FailedFilePage,
    FailedFileView,
    FailedLinePage,
    ListFailedFiles,
    ListFailedLines,
)
from portal.domain.ids import FailedFileId, from_public, to_public


def _id(file: strawberry.Parent[FailedFileView]) -> strawberry.ID:
    return strawberry.ID(to_public("failed_file", file.id))


@strawberry.type(description="A bank's answer to debits that were not made here.")
class FailedDebitFile:
    """portal.contract.failed_file.FailedFileView."""

    id: strawberry.ID = by(_id, "`fdf_…`")
    state: enums.FailedFileState = plain("Whether all of its lines are told.")
    sha256: str = plain("The file's SHA-256 in hexadecimal; the same bytes are taken once.")
    taken_at: DateTime = plain("When it was taken.")
    told_at: DateTime | None = plain("When its last line was told.")
    lines: int = plain("Debits that brought no money.")
    succeeded: int = plain("How many brought money; nothing is booked by that.")
    told: int = plain("So far: the bill's failure is noted and its messages for that are due.")
    known: int = plain("So far: it was noted before.")
    under_way: int = plain("So far: its payer is paying already.")
    not_owed: int = plain("So far: no unpaid bill of that customer is over that amount.")
    unmatched: int = plain("So far: nobody has that customer number.")
    unclear: int = plain("So far: the money may have moved.")


def _nodes(page: strawberry.Parent[FailedFilePage]) -> tuple[FailedFileView, ...]:
    return page.files


def _upload_url(_page: strawberry.Parent[FailedFilePage], info: Info) -> str:
    return seal_address(info.context)


def _files_end(page: strawberry.Parent[FailedFilePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of files, the newest first.")
class FailedDebitFileConnection:
    """portal.contract.failed_file.FailedFilePage."""

    nodes: list[FailedDebitFile] = by(_nodes, "The files.")
    upload_url: str = by(
        _upload_url, "PUT a bank's answer there as it is, within the hour; a secret."
    )
    page_info: PageInfo = by(_files_end, "Where this page ends.")


def _file(page: strawberry.Parent[FailedLinePage]) -> FailedFileView:
    return page.file


def _lines(page: strawberry.Parent[FailedLinePage]) -> tuple[FailedDebitTold, ...]:
    return page.lines


def _lines_end(page: strawberry.Parent[FailedLinePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A file, and a page of its lines of which nobody was told.")
class FailedDebitLineConnection:
    """portal.contract.failed_file.FailedLinePage."""

    file: FailedDebitFile = by(_file, "The file.")
    nodes: list[FailedDebitLine] = by(
        _lines, "`NOT_OWED`, `UNMATCHED` and `UNCLEAR` lines in the file's order, for 90 days."
    )
    page_info: PageInfo = by(_lines_end, "Where this page ends.")


async def list_files(info: Info, first: int, after: str | None = None) -> FailedFilePage:
    """A page of files; the cursor is the vault's own, sealed there."""
    request = ListFailedFiles(first=page_size(first), after=after)
    return await info.context.call(LIST_FAILED_FILES, request)


async def list_lines(
    info: Info,
    id: strawberry.ID,  # noqa: A002 - the argument's name in the schema
    first: int,
    after: str | None = None,
) -> FailedLinePage:
    """A page of one file's lines."""
    request = ListFailedLines(
        file_id=FailedFileId(from_public("failed_file", id)), first=page_size(first), after=after
    )
    return await info.context.call(LIST_FAILED_LINES, request)


@strawberry.type
class FailedFilesQuery:
    """Files of failed debits."""

    failed_debit_files: FailedDebitFileConnection = by(
        list_files,
        "Files of debits that were not made here; with the address for the next one.",
        cost=VAULT_CALL,
    )
    failed_debit_lines: FailedDebitLineConnection = by(
        list_lines, "Lines of one file that a person may want to look at.", cost=VAULT_CALL
    )
