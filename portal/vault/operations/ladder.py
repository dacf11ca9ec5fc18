"""Data zone, stage "message": bills go on along their ladders, and the operator sets the plan."""

from typing import Final

from portal.contract.ladder import (
    ADVANCE_LADDERS,
    SET_LADDER,
    AdvanceLadders,
    LaddersAdvanced,
    LadderSet,
    SetLadder,
)
from portal.domain.errors import NotFound
from portal.domain.ladder import read_plan, write_plan
from portal.vault.act import Act
from portal.vault.ladder import read_newest
from portal.vault.ladder_step import advance
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

_LOCK: Final = "select from merchant where id = $1 for update"
_SET: Final = """
insert into ladder_plan (merchant_id, version, plan, set_at) values ($1, $2, $3::jsonb, $4)
"""


@operation(
    ADVANCE_LADDERS, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect"
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
    await act.db.execute(_LOCK, act.merchant_id)
    newest = await read_newest(act)
    if newest.version and newest.plan == plan:
        return LadderSet(version=newest.version)
    version = newest.version + 1
    written = write_plan(plan).decode()
    await act.db.execute(_SET, act.merchant_id, version, written, act.business)
    return LadderSet(version=version)
