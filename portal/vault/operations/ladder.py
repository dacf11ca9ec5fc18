"""Data zone, stage "message": bills go on along their ladders; operator and owners set the plan."""

from datetime import date, timedelta
from typing import Final, get_args

from portal.contract.envelope import Nothing
from portal.contract.ladder import (
    ADVANCE_LADDERS,
    CHANGE_LADDER,
    PREVIEW_LADDER,
    SET_LADDER,
    VIEW_LADDER_PLAN,
    AdvanceLadders,
    ChangeLadder,
    LadderPlanShown,
    LadderPreviewed,
    LaddersAdvanced,
    LadderSet,
    LadderVersion,
    PreviewLadder,
    RungForeseen,
    SetLadder,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ladder import DAYS_MAX, Plan
from portal.domain.ladder_plan import faults_of, read_form, read_plan, write_plan
from portal.domain.ladder_preview import Supposed, foresee
from portal.domain.message import Channel
from portal.vault.act import Act
from portal.vault.ladder import MerchantPlan, read_newest
from portal.vault.ladder_reach import read_roads
from portal.vault.ladder_step import advance
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

VERSIONS_MAX: Final = 20
OPERATOR: Final = "operator"
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_LOCK: Final = "select from merchant where id = $1 for update"
_SET: Final = """
insert into ladder_plan (merchant_id, version, plan, set_at, set_by)
values ($1, $2, $3::jsonb, $4, $5)
"""
_VERSIONS: Final = """
select version, plan::text as plan, set_by, set_at from ladder_plan where merchant_id = $1
order by version desc limit $2
"""


@operation(
    ADVANCE_LADDERS, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect",
    is_heavy=True,
)  # fmt: skip
async def advance_ladders(act: Act, request: AdvanceLadders) -> LaddersAdvanced:
    """Look at up to 1,000 bills that are due: plan the next message, hold it, or skip a rung.

    The task ends with the step after which nothing is due.
    """
    del request
    act.require_scope(act.merchant_id)
    moved = await advance(act)
    if moved.remaining:
        act.rows_done = moved.looked
    else:
        await act.close_task(rows=moved.looked)
    return LaddersAdvanced(
        looked=moved.looked, planned=moved.planned, skipped=moved.skipped, held=moved.held,
        ended=moved.ended, remaining=moved.remaining,
    )  # fmt: skip


@operation(
    SET_LADDER,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_ladder(act: Act, request: SetLadder) -> LadderSet:
    """Set a merchant's plan; bills that were issued keep theirs, hours and caps hold for all.

    The same plan again changes nothing. Raises: InvalidInput ``ladder_plan`` (param ``field``);
    NotFound ``merchant_unknown``.
    """
    plan = read_plan(request.plan)
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    newest = await _lock_newest(act)
    return await _set(act, newest, plan, OPERATOR)


@operation(VIEW_LADDER_PLAN, callers=_WEB, kinds=_STAFF, audit="none")
async def view_ladder_plan(act: Act, _request: Nothing) -> LadderPlanShown:
    """The merchant's plan of messages and the versions before it."""
    newest = await read_newest(act)
    rows = await act.db.fetch(_VERSIONS, act.merchant_id, VERSIONS_MAX)
    roads = await read_roads(act)
    return LadderPlanShown(
        version=newest.version,
        plan=write_plan(newest.plan),
        versions=tuple(
            LadderVersion(
                version=row["version"], plan=row["plan"].encode(), set_by=row["set_by"],
                set_at=row["set_at"],
            )
            for row in rows
        ),
        roads=tuple(channel for channel in CHANNELS if channel in roads),
        today=newest.local(act.business).date(),
    )  # fmt: skip


@operation(PREVIEW_LADDER, callers=_WEB, kinds=_STAFF, audit="none")
async def preview_ladder(act: Act, request: PreviewLadder) -> LadderPreviewed:
    """Judge a plan, and say what it would do to a bill that is issued now.

    Raises: InvalidInput ``ladder_plan`` (param ``field``), ``due_on_wrong`` (params ``field``,
    ``max``).
    """
    plan = read_form(request.plan)
    faults = tuple(faults_of(plan))
    if faults:
        return LadderPreviewed(faults=faults, foreseen=())
    newest = await read_newest(act)
    now = newest.local(act.business)
    _check_due(now.date(), request.due_on)
    roads = await read_roads(act)
    bill = Supposed(
        kind=request.kind,
        issued_at=now,
        due_on=request.due_on,
        opens=request.opens,
        unreached={name: "channel_missing" for name in CHANNELS if name not in roads},
        holidays=newest.holidays,
    )
    foreseen = tuple(
        RungForeseen(rung=one.rung, at=one.at, skipped=one.skipped, held=one.held)
        for one in foresee(plan, bill)
    )
    return LadderPreviewed(faults=(), foreseen=foreseen)


def _check_due(today: date, due_on: date) -> None:
    if not today <= due_on <= today + timedelta(days=DAYS_MAX):
        raise InvalidInput("due_on_wrong", params={"field": "dueOn", "max": DAYS_MAX})


@operation(
    CHANGE_LADDER, callers=_WEB, kinds=_STAFF, roles=frozenset({"owner"}), audit="effect"
)  # fmt: skip
async def change_ladder(act: Act, request: ChangeLadder) -> LadderSet:
    """Set the plan from the dashboard, over the version that its owner looked at.

    Raises: InvalidInput ``ladder_plan`` (param ``field``); Conflict ``ladder_changed``.
    """
    plan = read_plan(request.plan)
    newest = await _lock_newest(act)
    if newest.version != request.seen and newest.plan != plan:
        raise Conflict("ladder_changed")
    return await _set(act, newest, plan, act.actor)


async def _lock_newest(act: Act) -> MerchantPlan:
    await act.db.execute(_LOCK, act.merchant_id)
    return await read_newest(act)


async def _set(act: Act, newest: MerchantPlan, plan: Plan, by: str) -> LadderSet:
    """The plan as a version of its own, unless it is the one that holds."""
    if newest.version and newest.plan == plan:
        return LadderSet(version=newest.version)
    version = newest.version + 1
    written = write_plan(plan).decode()
    await act.db.execute(_SET, act.merchant_id, version, written, act.business, by)
    return LadderSet(version=version)
