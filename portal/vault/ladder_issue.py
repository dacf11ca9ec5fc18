"""Data zone: how bills that were just issued come onto their ladders, with their first notice."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from portal.domain import ladder as rules
from portal.domain.ladder import Decision, Facts, Rung
from portal.domain.message import Channel
from portal.vault import digital
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ladder import Begun, begin, read_newest
from portal.vault.ladder_calls import rungs_to_end
from portal.vault.ladder_reach import pushed_of, read_roads, unreached
from portal.vault.messages import FIRST_MESSAGE, Telling, plan_messages


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
    known: dict[tuple[str, date, bool, bool, bool], Decision] = {}
    begun: list[Begun] = []
    told = defaultdict[Channel, list[UUID]](list)
    for bill in bills:
        has_push = bill["id"] in pushed
        key = (bill["kind"], bill["due_on"], bill["has_phone"], bill["has_email"], has_push)
        rungs = newest.plan.rungs_of(bill["kind"])
        if key not in known:
            facts = Facts(
                now=now, issued_at=now, due_on=bill["due_on"], choices={},
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


def _first_look(rungs: Sequence[Rung], decision: Decision, business: datetime) -> Decision:
    """Only the rung on issue is decided with the issue itself; all else is a step's."""
    if decision.send is not None and rungs[decision.send].when == "issue":
        return decision
    if decision.held or decision.send is not None or decision.skips:
        return Decision(until=decision.until if decision.held else business)
    return decision
