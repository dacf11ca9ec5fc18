"""Data zone: bills that the calendar passes by, and what the operator sets about days.

A step moves up to 1,000 bills: state, timeline and the place where the next step goes on commit
together, so a step that is repeated begins where the last committed one ended.
"""

from collections import Counter
from typing import Final

from portal.contract.due import (
    MOVE_CLOCK,
    PASS_DUE_BILLS,
    SET_LAPSE,
    ClockMoved,
    DuePassed,
    LapseSet,
    MoveClock,
    PassDueBills,
    SetLapse,
)
from portal.domain.bill import LAPSE_AFTER_DAYS_MAX, LifecycleEvent
from portal.domain.errors import InvalidInput, NotAllowed, NotFound
from portal.vault import slip_due, slip_release
from portal.vault.act import Act
from portal.vault.due import STEP_BILLS, go_on, lock_walks
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

CLOCK_DAYS_MAX: Final = 3_650
"""Ten years: further than anything here looks ahead."""

STEP_SLIPS: Final = 200
"""Slips that one transaction looks after at most: each takes statements of its own."""

_DAY_S: Final = 86_400
_OPERATOR: Final = frozenset({"operator"})
_CALLER: Final = frozenset({"caller"})

_SET_LAPSE: Final = "update merchant set lapse_after_days = $2 where id = $1"
_CLOCK: Final = "select offset_s from business_clock where id = 1 for update"
_MOVE_CLOCK: Final = """
update business_clock set offset_s = $1 where id = 1
"""


@operation(
    PASS_DUE_BILLS, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect",
    is_heavy=True,
)  # fmt: skip
async def pass_due_bills(act: Act, request: PassDueBills) -> DuePassed:
    """Move up to 1,000 bills whose due date has passed to overdue, or from overdue to lapsed.

    Afterwards tills' words that nobody confirmed are let go, and slips that nobody will pay any
    more expire, together 200 a step. Only what is still owed moves. The task ends with the step
    that comes to the planned day.
    """
    del request
    act.require_scope(act.merchant_id)
    moved: Counter[LifecycleEvent] = Counter()
    is_end = True
    for walk in await lock_walks(act):
        moved[walk.event], is_end = await go_on(act, walk, STEP_BILLS - moved.total())
        if not is_end:
            break
    slips = 0
    room = min(STEP_SLIPS, STEP_BILLS - moved.total())
    for settle_slips in (slip_release.release, slip_due.expire):
        if is_end:
            done, is_end = await settle_slips(act, room - slips)
            slips += done
    rows = moved.total() + slips
    if is_end:
        await act.close_task(rows=rows)
    else:
        act.rows_done = rows
    return DuePassed(
        overdue=moved["pass_due"], lapsed=moved["lapse"], slips=slips, remaining=not is_end
    )


@operation(SET_LAPSE, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def set_lapse(act: Act, request: SetLapse) -> LapseSet:
    """Set after how many days past due a merchant's bills lapse; from the next day on.

    What has lapsed stays so. Raises: InvalidInput ``lapse_days_out_of_bounds`` (param ``max``);
    NotFound ``merchant_unknown``.
    """
    days = request.lapse_after_days
    if days is not None and not 0 <= days <= LAPSE_AFTER_DAYS_MAX:
        raise InvalidInput("lapse_days_out_of_bounds", params={"max": LAPSE_AFTER_DAYS_MAX})
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(_SET_LAPSE, act.merchant_id, days)
    return LapseSet(lapse_after_days=days)


@operation(MOVE_CLOCK, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def move_clock(act: Act, request: MoveClock) -> ClockMoved:
    """Move the business clock of a demo or a drill; every vault follows within a second.

    Raises: NotAllowed ``clock_fixed`` in production; InvalidInput ``clock_out_of_bounds``.
    """
    if act.settings.production:
        raise NotAllowed("clock_fixed")
    before: float = await act.db.fetchval(_CLOCK)
    offset_s = request.offset_s + (before if request.is_jump else 0.0)
    if not abs(offset_s) <= CLOCK_DAYS_MAX * _DAY_S:  # "not a number" is refused too
        raise InvalidInput("clock_out_of_bounds", params={"max_days": CLOCK_DAYS_MAX})
    await act.db.execute(_MOVE_CLOCK, offset_s)
    return ClockMoved(before_s=before, offset_s=offset_s)
