"""Data zone: how bills that were just issued come onto their ladders, with their first notice."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from portal.domain import ladder as rules
from portal.domain.ladder import Class, Decision, Facts, Plan, Rung
from portal.domain.message import Channel
from portal.vault import digital
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ladder import Begun, begin, read_newest
from portal.vault.ladder_calls import rungs_to_end
from portal.vault.ladder_reach import pushed_of, read_roads, unreached
from portal.vault.messages import FIRST_MESSAGE, Telling, plan_messages

_NO_CALLS: Final[dict[tuple[Channel, Class], bool]] = {("voice", "transactional"): False}
_CALLS_STOPPED: Final = """
select b.id from bill b cross join lateral (
    select is_wanted from contact_choice
    where merchant_id = $1 and contact = b.phone_blind and channel = 'voice'
          and kind = 'transactional' order by id desc limit 1) c
where b.merchant_id = $1 and b.id = any($2::uuid[]) and not c.is_wanted
"""


async def issue(act: Act, import_id: UUID, bills: Sequence[Row]) -> list[UUID]:
    """Begin the ladders of bills that were just issued; which ones' first notice is planned.

    ``bills`` are rows with ``id``, ``kind``, ``due_on``, ``has_phone`` and ``has_email``. Who has
    set no plan sends first notices at the hour at which staff do; by a plan they wait for the
    morning like all others. A bill that its first rung does not reach is looked at at once.
    """
    newest = await read_newest(act)
    roads = await read_roads(act)
    now = newest.local(act.business)
    hours = newest.plan.hours
    if not newest.version:
        hours = msgspec.structs.replace(hours, quiet_until=hours.quiet_from, rests=False)
    pushed = await pushed_of(act, roads, [bill["id"] for bill in bills])
    silenced = await _silenced(act, newest.plan, bills) if "voice" in roads else frozenset[UUID]()
    known: dict[tuple[str, date, bool, bool, bool, bool], Decision] = {}
    begun: list[Begun] = []
    told = defaultdict[Channel, list[UUID]](list)
    for bill in bills:
        has_push = bill["id"] in pushed
        key = (
            bill["kind"], bill["due_on"], bill["has_phone"], bill["has_email"], has_push,
            bill["id"] in silenced,
        )  # fmt: skip
        rungs = newest.plan.rungs_of(bill["kind"])
        if key not in known:
            facts = Facts(
                now=now, issued_at=now, due_on=bill["due_on"],
                choices=_NO_CALLS if bill["id"] in silenced else {},
                unreached=unreached(
                    roads,
                    (),
                    has_phone=bill["has_phone"],
                    has_email=bill["has_email"],
                    has_push=has_push,
                ),
                holidays=newest.holidays,
            )  # fmt: skip
            known[key] = _first_look(rungs, rules.decide(rungs, hours, facts), act.business)
        begun.append(Begun(bill["id"], known[key], rungs_to_end(rungs, known[key].send)))
        if known[key].send is not None:
            told[rungs[0].medium].append(bill["id"])
    await begin(act, newest.version, begun)
    await digital.at_issue(act, [bill["id"] for bill in bills])
    for channel, ids in told.items():
        await plan_messages(act, Telling(FIRST_MESSAGE, channel=channel, import_id=import_id), ids)
    return [bill_id for ids in told.values() for bill_id in ids]


async def _silenced(act: Act, plan: Plan, bills: Sequence[Row]) -> frozenset[UUID]:
    """Bills whose first notice would be a call, and whose payer wants none."""
    called = [
        bill["id"]
        for bill in bills
        if (rungs := plan.rungs_of(bill["kind"])) and rungs[0].channel == "voice"
    ]
    rows = await act.db.fetch(_CALLS_STOPPED, act.merchant_id, called) if called else ()
    return frozenset(row["id"] for row in rows)


def _first_look(rungs: Sequence[Rung], decision: Decision, business: datetime) -> Decision:
    """Only the rung on issue is decided with the issue itself; all else is a step's."""
    if decision.send is not None and rungs[decision.send].when == "issue":
        return decision
    if decision.held or decision.send is not None or decision.skips:
        return Decision(until=decision.until if decision.held else business)
    return decision
