"""Files of a merchant's own debits, of any length: their failed lines in, told by workers, seen."""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Done, Operation, Part, Reply, Request
from portal.contract.failed_debit import FailedDebitTold
from portal.domain.failed_debit import FailedLine
from portal.domain.ids import FailedFileId

FailedFileState = Literal["telling", "told"]


class StoreFailedLines(Request, frozen=True, kw_only=True):
    """Failed lines of a file that is being read, at most 2,000, in its order.

    ``file_id`` None begins a file; it may come without lines. Nothing is told before the file is
    taken. InvalidInput ``file_malformed``, ``too_many_lines`` (param ``most``); NotFound
    ``not_found`` once the file was taken or dropped; LimitReached ``uploads_at_once``.
    """

    file_id: FailedFileId | None
    lines: tuple[FailedLine, ...]


class FailedLinesStored(Reply, frozen=True, kw_only=True):
    """The file that they belong to."""

    file_id: FailedFileId


class TakeFailedFile(Request, frozen=True, kw_only=True):
    """The file came whole, and nothing of it is in doubt: have it told.

    ``sha256`` (hexadecimal) is of its bytes: those that were taken before are not told again.
    ``failed`` and ``succeeded`` are its lines; the failed ones have to be those that were stored.
    InvalidInput ``file_malformed``; NotFound ``not_found``.
    """

    file_id: FailedFileId
    sha256: str
    failed: int
    succeeded: int


class FailedFileView(Part, frozen=True, kw_only=True):
    """A file that was taken, with its failed lines by what became of them, so far.

    ``lines``: how many failed.
    """

    id: FailedFileId
    state: FailedFileState
    sha256: str
    taken_at: datetime
    told_at: datetime | None
    lines: int
    succeeded: int
    told: int
    known: int
    under_way: int
    not_owed: int
    unmatched: int
    unclear: int


class FailedFileTaken(Reply, frozen=True, kw_only=True):
    """The file's id, or of the one with the same bytes that was taken before (``seen_before``)."""

    file_id: FailedFileId
    seen_before: bool


class DropFailedFile(Request, frozen=True, kw_only=True):
    """The file is in doubt, or broke off: forget it. Nothing happens to one that was taken."""

    file_id: FailedFileId


class TellFailedFile(Request, frozen=True, kw_only=True):
    """The next lines of a file. Authority: its task's lease."""

    file_id: FailedFileId


class FailedFileMoved(Reply, frozen=True, kw_only=True):
    """``remaining`` is True while it must be called again."""

    lines: int
    remaining: bool


class ListFailedFiles(Request, frozen=True, kw_only=True):
    """Files that were taken, the newest first. ``after`` as in other lists."""

    first: int
    after: str | None


class FailedFilePage(Reply, frozen=True, kw_only=True):
    """One page of files."""

    files: tuple[FailedFileView, ...]
    end_cursor: str | None
    has_next: bool


class ListFailedLines(Request, frozen=True, kw_only=True):
    """Lines of a file that a person may want to look at, in its order. NotFound ``not_found``."""

    file_id: FailedFileId
    first: int
    after: str | None


class FailedLinePage(Reply, frozen=True, kw_only=True):
    """The file, and one page of its lines of which nobody was told."""

    file: FailedFileView
    lines: tuple[FailedDebitTold, ...]
    end_cursor: str | None
    has_next: bool


STORE_FAILED_LINES = Operation("store_failed_lines", StoreFailedLines, FailedLinesStored)
TAKE_FAILED_FILE = Operation("take_failed_file", TakeFailedFile, FailedFileTaken)
DROP_FAILED_FILE = Operation("drop_failed_file", DropFailedFile, Done)
TELL_FAILED_FILE = Operation("tell_failed_file", TellFailedFile, FailedFileMoved)
LIST_FAILED_FILES = Operation("list_failed_files", ListFailedFiles, FailedFilePage)
LIST_FAILED_LINES = Operation("list_failed_lines", ListFailedLines, FailedLinePage)
