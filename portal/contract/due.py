"""The passing of days over bills: past due, lapsed, and the merchant's own number of days.

Callers: ``work`` under the lease of ``payment.pass_due``; the operator for the setting and for the
business clock of a demo.
"""

from portal.contract.envelope import Operation, Reply, Request


class PassDueBills(Request, frozen=True, kw_only=True):
    """Move the next bills of the lease's merchant that the calendar has passed by."""


class DuePassed(Reply, frozen=True, kw_only=True):
    """Bills that this call moved; ``slips`` that expired and tills' words that were let go.

    ``remaining``: call again.
    """

    overdue: int
    lapsed: int
    remaining: bool
    slips: int = 0


class SetLapse(Request, frozen=True, kw_only=True):
    """Days after its due date on which a bill can still be paid; None: bills never lapse.

    Refused: ``lapse_days_out_of_bounds`` (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    lapse_after_days: int | None


class LapseSet(Reply, frozen=True, kw_only=True):
    """What holds from the next business day on."""

    lapse_after_days: int | None


class MoveClock(Request, frozen=True, kw_only=True):
    """Set the business clock this far ahead of the wall clock (0: back to it).

    ``is_jump``: this far ahead of where it is.

    Refused: ``clock_fixed`` in production, ``clock_out_of_bounds`` (param ``max_days``).
    """

    offset_s: float
    is_jump: bool = False


class ClockMoved(Reply, frozen=True, kw_only=True):
    """The offset before and now; every vault takes it over within a second."""

    before_s: float
    offset_s: float


PASS_DUE_BILLS = Operation("pass_due_bills", PassDueBills, DuePassed)
SET_LAPSE = Operation("set_lapse", SetLapse, LapseSet)
MOVE_CLOCK = Operation("move_clock", MoveClock, ClockMoved)
