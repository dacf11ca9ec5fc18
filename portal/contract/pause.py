"""What stops dunning for a bill: placing a hold, a promise or an extension, and releasing it."""

from datetime import date, datetime

from portal.contract.bills import BillChanged
from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import BillId
from portal.domain.pause import PauseChoice, PauseKind, PauseState


class PauseView(Part, frozen=True, kw_only=True):
    """One pause of a bill, in force or over. Times are business times.

    ``until`` is its last day, None for a hold without an end. ``was_due_on`` is the due date that
    an extension replaced. ``note`` is what staff wrote, '' for nothing.
    """

    kind: PauseKind
    state: PauseState
    until: date | None
    was_due_on: date | None
    note: str
    placed_by: str
    placed_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class PlacePause(Request, frozen=True, kw_only=True):
    """Stop dunning for a bill. ``until`` is the last day; only a hold may have none.

    Conflict ``not_pausable``; NotAllowed ``hold_without_end``, ``endless_hold``; InvalidInput
    ``pause_day_needed``, ``pause_day_past``, ``extension_shortens``, ``pause_too_long`` (param
    ``last``), or what is wrong with the note.
    """

    bill_id: BillId
    kind: PauseKind
    until: date | None
    note: str
    idempotency_key: str


class ReleasePause(Request, frozen=True, kw_only=True):
    """End a bill's hold or promise: dunning goes on.

    Conflict ``not_paused``; NotAllowed ``endless_hold``.
    """

    bill_id: BillId
    idempotency_key: str


class ListBillPauses(Request, frozen=True, kw_only=True):
    """All that ever stopped dunning for one bill."""

    bill_id: BillId


class BillPauses(Reply, frozen=True, kw_only=True):
    """``pauses`` newest first (50 at most); ``choices`` is what can be done now.

    ``first_due_on`` is the due date before any extension; the latest days are what the merchant
    lets be agreed today.
    """

    pauses: tuple[PauseView, ...]
    choices: tuple[PauseChoice, ...]
    first_due_on: date
    latest_hold: date
    latest_promise: date
    latest_extension: date


class SetPauseLimits(Request, frozen=True, kw_only=True):
    """How long payers' promises and extensions may be. Units: days; None leaves a limit as it is.

    Refused: ``pause_limit_out_of_bounds`` (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    promise_days: int | None
    extension_days: int | None


class PauseLimitsSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    promise_days: int
    extension_days: int


PLACE_PAUSE = Operation("place_pause", PlacePause, BillChanged)
RELEASE_PAUSE = Operation("release_pause", ReleasePause, BillChanged)
LIST_BILL_PAUSES = Operation("list_bill_pauses", ListBillPauses, BillPauses)
SET_PAUSE_LIMITS = Operation("set_pause_limits", SetPauseLimits, PauseLimitsSet)
