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
from portal.vault.digital_file import agree_by_file
from portal.vault.ladder import Begun, begin, read_newest
from portal.vault.ladder_calls import rungs_to_end
from portal.vault.ladder_reach import pushed_of, read_roads, unreached
from portal.vault.messages import FIRST_MESSAGE, Telling, plan_messages

_SILENT: Final = frozenset({"voice", "email"})
"""Channels by which a payer may want no first notice either."""
_STOPPED: Final = """
select b.id from bill b cross join lateral (
    select is_wanted, source from contact_choice
    where merchant_id = $1 and channel = $3 and kind = 'transactional'
          and contact = case $3 when 'email' then b.email_blind else b.phone_blind end
    order by id desc limit 1) c
where b.merchant_id = $1 and b.id = any($2::uuid[]) and not c.is_wanted
      and ($3 = 'voice' or c.source = 'mail')
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
    silenced = await _silenced(act, newest.plan, bills, roads)
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
            stopped: list[Channel] = [rungs[0].medium] if bill["id"] in silenced else []
            said: dict[tuple[Channel, Class], bool] = dict.fromkeys(
                [(one, "transactional") for one in stopped], False
            )
            facts = Facts(
                now=now, issued_at=now, due_on=bill["due_on"],
                choices=said, unsubscribed=stopped,
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
    await agree_by_file(act, [bill["id"] for bill in bills])
    await digital.at_issue(act, [bill["id"] for bill in bills], _unsaid(newest.plan, bills))
    for channel, ids in told.items():
        await plan_messages(act, Telling(FIRST_MESSAGE, channel=channel, import_id=import_id), ids)
    return [bill_id for ids in told.values() for bill_id in ids]


def _unsaid(plan: Plan, bills: Sequence[Row]) -> frozenset[UUID]:
    """Bills of which the plan tells by no message."""
    kinds = {bill["kind"] for bill in bills}
    silent = {kind for kind in kinds if not rules.tells_by_message(plan.rungs_of(kind))}
    return frozenset(bill["id"] for bill in bills if bill["kind"] in silent)


async def _silenced(
    act: Act, plan: Plan, bills: Sequence[Row], roads: frozenset[str]
) -> frozenset[UUID]:
    """Bills whose first notice would come by a channel by which their payer wants not even that."""
    first = defaultdict[str, list[UUID]](list)
    for bill in bills:
        rungs = plan.rungs_of(bill["kind"])
        if rungs and rungs[0].channel in _SILENT & roads:
            first[rungs[0].channel].append(bill["id"])
    found: set[UUID] = set()
    for channel, ids in first.items():
        rows = await act.db.fetch(_STOPPED, act.merchant_id, ids, channel)
        found |= {row["id"] for row in rows}
    return frozenset(found)


def _first_look(rungs: Sequence[Rung], decision: Decision, business: datetime) -> Decision:
    """Only the rung on issue is decided with the issue itself; all else is a step's."""
    if decision.send is not None and rungs[decision.send].when == "issue":
        return decision
    if decision.held or decision.send is not None or decision.skips:
        return Decision(until=decision.until if decision.held else business)
    return decision
