"""Cases: what needs a person, as staff, merchants' systems and the operator see and settle it."""

from datetime import datetime
from uuid import UUID

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.domain.case import CaseAction, CaseKind, CaseResolution
from portal.domain.ids import AttemptId, BillId, CaseId, ImportId, RefundId
from portal.domain.refund import RefundState
from portal.domain.task import TaskKind


class CaseChoice(Part, frozen=True, kw_only=True):
    """What the caller may do about a case; ``needs_note``: why has to be written down."""

    action: CaseAction
    needs_note: bool


class CaseBill(Part, frozen=True, kw_only=True):
    """The bill that a case is about. ``over_minor``: what is owed back to its payer now."""

    id: BillId
    number: str
    settlement: str
    over_minor: int


class CaseImport(Part, frozen=True, kw_only=True):
    """The import that a case is about."""

    id: ImportId
    filename: str
    state: str


class CaseAttempt(Part, frozen=True, kw_only=True):
    """The try to pay that a case is about."""

    id: AttemptId
    state: str
    provider: str
    reference: str
    amount_minor: int


class CaseRefund(Part, frozen=True, kw_only=True):
    """The refund that a case is about."""

    id: RefundId
    state: RefundState
    reference: str
    amount_minor: int


class CaseView(Part, frozen=True, kw_only=True):
    """One case with what it is about; ``bill`` is also that of an attempt, a refund or a message.

    ``seen`` counts how often it happened while it was open, ``last_seen_at`` is the latest.
    ``params`` are those of the latest and hold no personal data. ``waiting`` counts the parts of
    a file or the messages that stand still. ``moved_on``: the thing went on by itself, nothing is
    left to be done. ``choices`` are for the one who asks and empty once it is closed.
    """

    id: CaseId
    kind: CaseKind
    params: dict[str, str | int]
    seen: int
    opened_at: datetime
    last_seen_at: datetime
    bill: CaseBill | None
    import_: CaseImport | None
    attempt: CaseAttempt | None
    waiting: int
    moved_on: bool
    choices: tuple[CaseChoice, ...]
    closed_at: datetime | None
    closed_by: str | None
    resolution: CaseResolution | None
    note: str
    refund: CaseRefund | None = None


class ListCases(Request, frozen=True, kw_only=True):
    """Newest first. ``is_open`` None: open and closed ones; no ``kinds``: any.

    ``after`` is the ``end_cursor`` of the page before, opaque and sealed.
    """

    is_open: bool | None
    kinds: tuple[CaseKind, ...]
    first: int
    after: str | None


class CasePage(Reply, frozen=True, kw_only=True):
    """``count`` is exact up to 10,000 and ``count_exact`` says so."""

    cases: tuple[CaseView, ...]
    end_cursor: str | None
    has_next: bool
    count: int
    count_exact: bool


class ViewCase(Request, frozen=True, kw_only=True):
    """One case of the merchant."""

    case_id: CaseId


class CaseShown(Reply, frozen=True, kw_only=True):
    """The case as it is now."""

    case: CaseView


class SettleCase(Request, frozen=True, kw_only=True):
    """Do one of the case's choices and close it.

    Conflict ``case_closed`` when someone else did, ``case_moved_on`` when nothing is left to do,
    ``case_action`` for what this kind doesn't know; NotAllowed when it takes an owner; InvalidInput
    ``case_note_needed``, or what is wrong with the note.
    """

    case_id: CaseId
    action: CaseAction
    note: str
    idempotency_key: str


class CaseSettled(Reply, frozen=True, kw_only=True):
    """The case as it was left; ``tasks_planned`` were started again by it."""

    case: CaseView
    tasks_planned: int


class TaskCount(Part, frozen=True, kw_only=True):
    """Tasks of one kind over all merchants. Units: ``oldest_s`` since the oldest was planned."""

    kind: TaskKind
    waiting: int
    leased: int
    due: int
    oldest_s: int


class TaskGivenUp(Part, frozen=True, kw_only=True):
    """An open case of tasks that were given up; ``code`` is what they failed with last.

    ``subject_id`` is the import, the chunk of messages or the attempt that stands still.
    """

    case_id: CaseId
    merchant_code: str
    kind: TaskKind
    subject_id: UUID
    opened_at: datetime
    seen: int
    code: str


class TaskSurvey(Reply, frozen=True, kw_only=True):
    """All that waits, by kind, and what was given up, the oldest first (``more``: cut off)."""

    counts: tuple[TaskCount, ...]
    given_up: tuple[TaskGivenUp, ...]
    more: bool


class RestartCase(Request, frozen=True, kw_only=True):
    """Start the tasks of one case again, whosever it is; refusals as for :class:`SettleCase`."""

    case_id: CaseId


class CaseRestarted(Reply, frozen=True, kw_only=True):
    """``tasks_planned`` were started again."""

    merchant_code: str
    kind: CaseKind
    tasks_planned: int


LIST_CASES = Operation("list_cases", ListCases, CasePage)
VIEW_CASE = Operation("view_case", ViewCase, CaseShown)
SETTLE_CASE = Operation("settle_case", SettleCase, CaseSettled)
SURVEY_TASKS = Operation("survey_tasks", Nothing, TaskSurvey)
RESTART_CASE = Operation("restart_case", RestartCase, CaseRestarted)
