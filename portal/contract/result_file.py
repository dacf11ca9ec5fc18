"""The file back to a billing system: its plan, making one, taking it, saying that it arrived."""

from datetime import datetime

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.result_file import ResultCharset, ResultState


class SetResultPlan(Request, frozen=True, kw_only=True):
    """When files are made by themselves; the first time also begins to keep what happens.

    At most one of ``every_minutes`` and ``daily_hour`` (of the merchant's zone); neither: on demand
    only. Refused: ``result_plan`` (param ``field``), ``print_charset``.
    """

    every_minutes: int | None
    daily_hour: int | None
    charset: str


class ResultPlanView(Part, frozen=True, kw_only=True):
    """The plan as it is; ``next_at`` None for one without a clock."""

    every_minutes: int | None
    daily_hour: int | None
    charset: ResultCharset
    next_at: datetime | None
    set_at: datetime


class ResultPlanSet(Reply, frozen=True, kw_only=True):
    """The plan that holds from now on."""

    plan: ResultPlanView


class ResultTotal(Part, frozen=True, kw_only=True):
    """Events of one kind in a file, and what they move. Units: yen."""

    kind: str
    rows: int
    amount_minor: int


class ResultFileView(Part, frozen=True, kw_only=True):
    """One file; ``sha256`` is there once it is written.

    ``is_there``: it can be taken; ``is_late``: nobody has said for a day that it arrived.
    """

    number: int
    state: ResultState
    charset: ResultCharset
    rows: int
    bytes: int
    sha256: str
    totals: tuple[ResultTotal, ...]
    made_by: str
    made_at: datetime
    fetched_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    is_late: bool
    is_there: bool


class MakeResultFile(Request, frozen=True, kw_only=True):
    """Make a file of all that happened since the last one, now.

    Refused: ``result_no_plan``, ``result_unfinished`` while the last one is being written,
    ``result_nothing`` when nothing happened.
    """

    idempotency_key: str


class ResultFileMade(Reply, frozen=True, kw_only=True):
    """The file; the same key again gives the same."""

    file: ResultFileView


class ListResultFiles(Request, frozen=True, kw_only=True):
    """A page of files, the newest first."""

    first: int
    after: str | None = None


class ResultFilePage(Reply, frozen=True, kw_only=True):
    """A page. ``plan`` None: the merchant has none yet.

    ``waiting``: events since the last file, counted up to 10,000; ``unacknowledged``: files that
    nobody said have arrived, likewise.
    """

    plan: ResultPlanView | None
    files: tuple[ResultFileView, ...]
    waiting: int
    unacknowledged: int
    end_cursor: str | None
    has_next: bool


class TakeResultPart(Request, frozen=True, kw_only=True):
    """The next part of a file. Refused: ``result_unfinished``, ``not_found``."""

    number: int
    part_no: int


class ResultPart(Reply, frozen=True, kw_only=True):
    """Bytes as they lie in the file; ``is_last`` with the last."""

    body: bytes
    is_last: bool
    charset: ResultCharset
    bytes: int
    sha256: str


class AcknowledgeResultFile(Request, frozen=True, kw_only=True):
    """The merchant has this file, with these bytes; saying so again changes nothing.

    Refused: ``result_hash_differs`` (param ``field``), ``result_unfinished``, ``not_found``.
    """

    number: int
    sha256: str


class WriteResults(Request, frozen=True, kw_only=True):
    """Write the next rows of the file that the lease's merchant is having written."""


class ResultsWritten(Reply, frozen=True, kw_only=True):
    """Rows written by this step; ``remaining``: call again."""

    rows: int
    remaining: bool


SET_RESULT_PLAN = Operation("set_result_plan", SetResultPlan, ResultPlanSet)
MAKE_RESULT_FILE = Operation("make_result_file", MakeResultFile, ResultFileMade)
LIST_RESULT_FILES = Operation("list_result_files", ListResultFiles, ResultFilePage)
TAKE_RESULT_PART = Operation("take_result_part", TakeResultPart, ResultPart)
ACKNOWLEDGE_RESULT_FILE = Operation(
    "acknowledge_result_file", AcknowledgeResultFile, ResultFileMade
)
WRITE_RESULTS = Operation("write_results", WriteResults, ResultsWritten)
