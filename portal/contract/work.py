"""Tasks: the outbox rows that stages leave behind, leased to workers one step at a time."""

from uuid import UUID

from portal.contract.envelope import Authority, Done, Operation, Part, Reply, Request
from portal.domain.ids import TaskId
from portal.domain.task import Lane, TaskKind


class TaskHint(Part, frozen=True, kw_only=True):
    """A task that is due: enough to queue it, nothing of what it is about.

    ``is_ahead``: its merchant has nothing else under way in the lane, so it is the next one's turn.
    """

    id: TaskId
    kind: TaskKind
    lane: Lane
    attempt: int
    is_ahead: bool = False


class AwaitWork(Request, frozen=True, kw_only=True):
    """Wait up to ``wait_s`` seconds (25 at most) for tasks that are due; caller: work.

    A hint not followed by a lease within seconds is given again, so hints may be lost freely.
    Only tasks of ``lanes`` are given: a relay whose bulk slots are full still hears what is urgent.
    """

    wait_s: float
    at_most: int
    lanes: tuple[Lane, ...] = ("urgent", "bulk")


class Work(Reply, frozen=True, kw_only=True):
    """Empty when the time ran out."""

    tasks: tuple[TaskHint, ...]


class TakeLease(Request, frozen=True, kw_only=True):
    """Take a task; Conflict ``lease_taken`` when another worker has it or it is finished.

    ``attempt`` fences: the lease of an older attempt can write nothing any more.
    """

    task_id: TaskId
    attempt: int
    worker: str


class Leased(Reply, frozen=True, kw_only=True):
    """``authority`` covers just this task's operations on ``subject_id`` until it expires."""

    authority: Authority
    kind: TaskKind
    subject_id: UUID
    number: int
    """Second part of the subject where it has one (chunk number), else 0."""


class ExtendLease(Request, frozen=True, kw_only=True):
    """Keep the lease for another period. Authority: the lease."""


class FinishTask(Request, frozen=True, kw_only=True):
    """The step is done (for steps whose last operation does not finish the task itself)."""


class FailTask(Request, frozen=True, kw_only=True):
    """The step failed; it comes back after ``retry_in_s``, or becomes a case when tries are up."""

    code: str
    retry_in_s: float


class TaskClosed(Reply, frozen=True, kw_only=True):
    """``gave_up`` is True when a case was opened."""

    gave_up: bool


AWAIT_WORK = Operation("await_work", AwaitWork, Work)
TAKE_LEASE = Operation("take_lease", TakeLease, Leased)
EXTEND_LEASE = Operation("extend_lease", ExtendLease, Done)
FINISH_TASK = Operation("finish_task", FinishTask, TaskClosed)
FAIL_TASK = Operation("fail_task", FailTask, TaskClosed)
