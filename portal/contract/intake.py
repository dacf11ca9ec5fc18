"""Billing requests in: a file arrives in sealed parts, rows get verdicts, bills wait for a yes.

The application streams the file in and never parses it; the worker orders chunks by number and
never sees a row. Only the vault reads rows.
"""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.bill_change import ChangeAction
from portal.domain.ids import ImportId
from portal.kit.limits import FILE_PART_BYTES_MAX

ImportState = Literal[
    "receiving", "checking", "checked", "issuing", "issued", "discarding", "discarded", "refused"
]
Decision = Literal["send", "discard"]

PART_BYTES_MAX = FILE_PART_BYTES_MAX
"""Size of every part but the last."""


class FaultCount(Part, frozen=True, kw_only=True):
    """How many rows failed for one reason."""

    code: str
    rows: int


class ChangeCount(Part, frozen=True, kw_only=True):
    """Rows of one action on bills that were there before: to be done when it is sent, and done.

    ``waiting`` of those done: bills that end when a number that somebody holds is withdrawn.
    """

    action: ChangeAction
    planned: int
    done: int
    waiting: int = 0


class ImportWait(Part, frozen=True, kw_only=True):
    """An earlier import that nobody has decided on, and how many rows were passed over for it."""

    import_id: ImportId
    filename: str
    created_at: datetime
    rows: int


class ImportView(Reply, frozen=True, kw_only=True):
    """An import as screens show it. Counts are rows; a header line is not a row.

    ``rows_known`` were accepted by an earlier import or earlier in this file and create nothing.
    ``refused_code`` says why a whole file was refused (wrong columns, empty, too large).
    ``size_bytes`` is None until the sender has said it.
    """

    id: ImportId
    state: ImportState
    filename: str
    created_at: datetime
    created_by: str
    received_bytes: int
    size_bytes: int | None
    rows_seen: int
    rows_good: int
    rows_faulty: int
    rows_known: int
    rows_issued: int
    amount_good_minor: int
    faults: tuple[FaultCount, ...]
    refused_code: str | None
    refused_params: dict[str, str | int]
    checked_at: datetime | None
    decided_at: datetime | None
    unknown_columns: tuple[str, ...] = ()
    """Columns of the header that we don't know and left out: a warning, not a fault."""
    waits_for: tuple[ImportWait, ...] = ()
    """Imports to be decided before this one can be sent. When one of them is thrown away, this
    file is judged once more by itself and its rows count here."""
    rows_awaited: int = 0
    """Rows of other undecided imports that were passed over because this one has them."""
    changes: tuple[ChangeCount, ...] = ()
    """What its rows do to bills that were there before; they count as good rows, too."""


class CreateImport(Request, frozen=True, kw_only=True):
    """Open an import; nothing is read yet. ``filename`` is for people and is stored sealed."""

    filename: str
    size_bytes: int | None
    idempotency_key: str


class StorePart(Request, frozen=True, kw_only=True):
    """The bytes from ``offset``; every part but the last is PART_BYTES_MAX long.

    Conflict ``offset_mismatch`` (param ``expected``) when bytes are missing before it; a part
    that is already stored with the same content is acknowledged again.
    """

    import_id: ImportId
    offset: int
    body: bytes


class Stored(Reply, frozen=True, kw_only=True):
    """How much of the file is safe now."""

    received_bytes: int


class FinishUpload(Request, frozen=True, kw_only=True):
    """No more bytes follow; ``size_bytes`` must equal what was received."""

    import_id: ImportId
    size_bytes: int


class ViewImport(Request, frozen=True, kw_only=True):
    """One import of the merchant."""

    import_id: ImportId


class ListImports(Request, frozen=True, kw_only=True):
    """Newest first; ``after`` is the last id of the page before."""

    first: int
    after: ImportId | None


class ImportPage(Reply, frozen=True, kw_only=True):
    """One page of imports."""

    imports: tuple[ImportView, ...]
    has_next: bool


class RowFault(Part, frozen=True, kw_only=True):
    """One reason why one row was not taken; the doors translate ``code`` into reason and remedy.

    ``line`` counts physical lines of the file from 1, as editors do. ``value`` is what stood
    there, shortened; staff of the merchant may see it, nothing else may.
    """

    line: int
    column: str
    code: str
    params: dict[str, str | int]
    value: str


class ListRowFaults(Request, frozen=True, kw_only=True):
    """In order of lines; ``after_line`` is the last line of the page before, 0 for the first."""

    import_id: ImportId
    first: int
    after_line: int
    code: str | None


class RowFaultPage(Reply, frozen=True, kw_only=True):
    """One page of faults: all faults of a line are on one page."""

    faults: tuple[RowFault, ...]
    has_next: bool


class DecideImport(Request, frozen=True, kw_only=True):
    """Send the good rows of a checked import, or forget them all, also before they are checked."""

    import_id: ImportId
    decision: Decision
    idempotency_key: str


class AcceptChunk(Request, frozen=True, kw_only=True):
    """Judge and store the rows of one chunk (about 1,000). Authority: the chunk's lease."""

    import_id: ImportId
    chunk_no: int


class ChunkAccepted(Reply, frozen=True, kw_only=True):
    """What became of the rows; the chunk's task is finished in the same transaction."""

    rows_good: int
    rows_faulty: int
    rows_known: int


class IssueBills(Request, frozen=True, kw_only=True):
    """Open up to 1,000 of the import's bills: ledger, messages and their tasks with them."""

    import_id: ImportId


class DiscardBills(Request, frozen=True, kw_only=True):
    """Delete up to 1,000 of the import's bills that were never sent.

    They are thrown away, or judged once more because an earlier import was thrown away that had
    rows of this one.
    """

    import_id: ImportId


class StepProgress(Reply, frozen=True, kw_only=True):
    """``remaining`` is True while the same step must be called again."""

    rows: int
    remaining: bool


CREATE_IMPORT = Operation("create_import", CreateImport, ImportView)
STORE_PART = Operation("store_part", StorePart, Stored)
FINISH_UPLOAD = Operation("finish_upload", FinishUpload, ImportView)
VIEW_IMPORT = Operation("view_import", ViewImport, ImportView)
LIST_IMPORTS = Operation("list_imports", ListImports, ImportPage)
LIST_ROW_FAULTS = Operation("list_row_faults", ListRowFaults, RowFaultPage)
DECIDE_IMPORT = Operation("decide_import", DecideImport, ImportView)
ACCEPT_CHUNK = Operation("accept_chunk", AcceptChunk, ChunkAccepted)
ISSUE_BILLS = Operation("issue_bills", IssueBills, StepProgress)
DISCARD_BILLS = Operation("discard_bills", DiscardBills, StepProgress)
