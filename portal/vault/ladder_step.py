"""Data zone: one step along the ladders of a merchant's bills, up to a thousand at a time.

Bills that are due to be looked at are locked, then their ladders; what was moved meanwhile is not
looked at. Deliveries, the places where bills stand now and what is told of skipped rungs commit
together, so a step that is repeated finds nothing that was done.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.domain import ladder as rules
from portal.domain.bill import PAYABLE, is_payable
from portal.domain.ladder import (
    CAMPAIGN,
    MARKETING,
    Class,
    Decision,
    Facts,
    HeldReason,
    Plan,
    Rung,
    SkipReason,
    Way,
)
from portal.domain.message import Channel, has_told, is_lost
from portal.domain.paper import PaperReason
from portal.vault import digital
from portal.vault.act import Act
from portal.vault.contact_faults import BLIND, read_faulty
from portal.vault.db import Row
from portal.vault.ladder import (
    Ended,
    MerchantPlan,
    Skipped,
    ended_of,
    read_newest,
    read_plans,
)
from portal.vault.ladder_calls import Calls, calls_of, earliest, is_in_vain
from portal.vault.ladder_reach import (
    BY_CUSTOMER,
    BY_EMAIL,
    BY_PHONE,
    CHANNELS,
    pushed_of,
    read_roads,
    unreached,
)
from portal.vault.ladder_waits import read_waits
from portal.vault.messages import FIRST_MESSAGE, Telling, plan_messages
from portal.vault.paper import read_standing
from portal.vault.pause import OpenPauses, read_open

STEP_BILLS: Final = 1_000

DUE: Final = """
select bill_id from ladder where merchant_id = $1 and next_at <= $2
order by next_at, bill_id limit $3
"""
BILLS: Final = """
select id, kind, lifecycle, settlement, opened_at, issued_at, due_on, phone_blind, email_blind,
       customer_blind, import_id, has_address, contract_blind
from bill where merchant_id = $1 and id = any($2::uuid[]) order by id for no key update
"""
STANDING: Final = """
select bill_id, plan_version, done, failed_at from ladder
where merchant_id = $1 and bill_id = any($2::uuid[]) and next_at <= $3 order by bill_id for update
"""
# What came back from a contact before staff cleared it says nothing any more, nor that it was left
# out for that; what arrived did arrive.
TOLD: Final = f"""
select d.bill_id, d.channel, d.campaign, d.step, d.created_at, d.changed_at,
       case when c.is_cleared then '' else d.code end as code,
       case when c.is_cleared and d.state in ('undelivered', 'failed') then 'accepted'
            else d.state end as state
from delivery d cross join lateral (
    select exists (
        select from bill b join contact_fault f on f.merchant_id = $1 and f.channel = d.channel
            and f.blind in (b.phone_blind, b.email_blind) and f.cleared_at > d.created_at
        where b.merchant_id = $1 and b.id = d.bill_id)
    or exists (
        select from bill b join contact_doubt w on w.merchant_id = $1 and w.why = 'denied'
            and w.contract_blind = b.contract_blind and w.cleared_at > d.created_at
            and w.contact = {BLIND.format(channel="d.channel")}
        where b.merchant_id = $1 and b.id = d.bill_id) as is_cleared) c
where d.merchant_id = $1 and d.bill_id = any($2::uuid[]) order by d.id
"""  # noqa: S608  # constant texts
CHOICES: Final = """
select distinct on (contact, channel, kind) contact, channel, kind, is_wanted,
       channel = 'email' and kind = 'transactional' and not is_wanted and source = 'mail'
       as is_unsubscribed
from contact_choice
where merchant_id = $1 and contact = any($2::bytea[]) order by contact, channel, kind, id desc
"""
# OFFSET 0 makes it a look-up by key for each bill of these people, whatever the tables may hold.
PEOPLE: Final = """
select b.phone_blind as person, (d.created_at at time zone $4)::date as day, count(*)::int as told
from bill b cross join lateral (
    select created_at from delivery
    where merchant_id = $1 and bill_id = b.id and created_at >= $3 and state <> 'left_out'
          and campaign not in ('first', 'resent', 'account') offset 0
) d
where b.merchant_id = $1 and b.phone_blind = any($2::bytea[])
group by 1, 2
"""
MOVE: Final = """
update ladder l set done = m.done, next_at = m.next_at, held = m.held, ended = m.ended,
    skips = l.skips || m.skips::jsonb
from unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
     as m (bill_id, done, next_at, held, ended, skips)
where l.merchant_id = $1 and l.bill_id = m.bill_id and l.bill_id = any($2::uuid[])
"""
PLANNED: Final = """
update bill set message = 'planned'
where merchant_id = $1 and id = any($2::uuid[]) and message <> 'planned'
"""


@dataclass(slots=True)
class Moved:
    """What one step did, in bills; ``skipped`` in rungs."""

    looked: int = 0
    planned: int = 0
    skipped: int = 0
    held: int = 0
    ended: int = 0
    remaining: bool = False


@dataclass(frozen=True, slots=True)
class _Move:
    """Where one bill stands after the step."""

    bill_id: UUID
    done: int
    until: datetime | None
    held: str
    ended: str
    skips: str = "[]"


@dataclass(slots=True)
class _Slice:
    """What was read of the bills of a step, and what is decided about them."""

    newest: MerchantPlan
    now: datetime
    roads: frozenset[str]
    pauses: OpenPauses
    waits: Mapping[UUID, HeldReason]
    told: Mapping[UUID, Sequence[Row]]
    choices: Mapping[bytes, Mapping[tuple[Channel, Class], bool]]
    unsubscribed: Collection[bytes]
    faults: frozenset[tuple[str, UUID]]
    pushed: Collection[UUID]
    people: dict[bytes, list[date]]
    plans: Mapping[int, Plan]
    paper: Mapping[UUID, SkipReason]
    sends: dict[Telling, list[UUID]] = field(default_factory=dict[Telling, list[UUID]])
    moves: list[_Move] = field(default_factory=list[_Move])
    prints: dict[UUID, PaperReason] = field(default_factory=dict[UUID, PaperReason])
    untold: dict[UUID, PaperReason] = field(default_factory=dict[UUID, PaperReason])
    reached: set[UUID] = field(default_factory=set[UUID])

    def by_paper(self, bill_id: UUID) -> dict[Way, SkipReason]:
        """Why paper does not tell of the bill, as facts have it; empty when it can."""
        return {"paper": self.paper[bill_id]} if bill_id in self.paper else {}


async def advance(act: Act) -> Moved:
    """Look at the next bills that are due to be looked at, and do what their plans say."""
    rows = await act.db.fetch(DUE, act.merchant_id, act.business, STEP_BILLS)
    ids = sorted(row["bill_id"] for row in rows)
    moved = Moved(remaining=len(rows) == STEP_BILLS)
    if not ids:
        return moved
    bills = {row["id"]: row for row in await act.db.fetch(BILLS, act.merchant_id, ids)}
    standing = await act.db.fetch(STANDING, act.merchant_id, ids, act.business)
    part = await _read(act, [bills[row["bill_id"]] for row in standing], standing)
    for row in standing:
        _look(part, bills[row["bill_id"]], row, moved)
    await _write(act, part)
    moved.looked = len(standing)
    return moved


async def _read(act: Act, bills: Sequence[Row], standing: Sequence[Row]) -> _Slice:
    newest = await read_newest(act)
    ids = [bill["id"] for bill in bills]
    told: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in await act.db.fetch(TOLD, act.merchant_id, ids):
        told[row["bill_id"]].append(row)
    contacts = {
        contact
        for bill in bills
        for contact in (bill["phone_blind"], bill["email_blind"], bill["customer_blind"])
        if contact
    }
    choices: defaultdict[bytes, dict[tuple[Channel, Class], bool]] = defaultdict(dict)
    said = await act.db.fetch(CHOICES, act.merchant_id, sorted(contacts))
    for row in said:
        choices[row["contact"]][row["channel"], row["kind"]] = row["is_wanted"]
    people: defaultdict[bytes, list[date]] = defaultdict(list)
    phones = sorted({bill["phone_blind"] for bill in bills if bill["phone_blind"]})
    since = act.business - timedelta(days=rules.WEEK + 1)
    for row in await act.db.fetch(PEOPLE, act.merchant_id, phones, since, newest.zone.key):
        people[row["person"]] += [row["day"]] * row["told"]
    channels = await read_roads(act)
    return _Slice(
        newest=newest,
        now=newest.local(act.business),
        roads=channels,
        pushed=await pushed_of(act, channels, ids),
        pauses=await read_open(act, ids),
        waits=await read_waits(act, ids),
        told=told,
        choices=choices,
        unsubscribed={row["contact"] for row in said if row["is_unsubscribed"]},
        faults=await read_faulty(act, ids),
        people=people,
        plans=await read_plans(act, newest, {row["plan_version"] for row in standing}),
        paper=await read_standing(act, bills),
    )


def _look(part: _Slice, bill: Row, row: Row, moved: Moved) -> None:
    """Decide about one bill and note what is to be written."""
    why = ended_of(bill)
    if why is not None:
        part.moves.append(_Move(bill["id"], row["done"], None, "", why))
        moved.ended += 1
        return
    rungs = part.plans[row["plan_version"]].rungs_of(bill["kind"])
    calls = calls_of(part.told.get(bill["id"], ()), part.now)
    decision = _decide(part, bill, row, rungs, calls)
    done = decision.done(row["done"])
    until = earliest(decision.until, calls.look_at(rungs, decision.send, part.now))
    is_over = not decision.held and until is None and done + 1 == 1 << len(rungs)
    ended: Ended | str = "done" if is_over else ""
    skips = [
        Skipped(rung=skip.rung, channel=rungs[skip.rung].channel, reason=skip.reason, at=part.now)
        for skip in decision.skips
    ]
    told = msgspec.json.encode(skips).decode() if skips else "[]"
    part.moves.append(_Move(bill["id"], done, until, decision.held, ended, told))
    if decision.send is not None:
        rung = rungs[decision.send]
        _send(part, bill, rung, calls.step_of(decision.send, rung.medium))
    if decision.paper is not None:
        part.prints[bill["id"]] = decision.paper
    if decision.untold is not None:
        part.untold[bill["id"]] = decision.untold
    if "opted_out" in {decision.paper, decision.untold} and _was_told(part, bill):
        part.reached.add(bill["id"])
    moved.planned += decision.send is not None
    moved.skipped += len(decision.skips)
    moved.held += bool(decision.held)
    moved.ended += is_over


def _decide(part: _Slice, bill: Row, row: Row, rungs: Sequence[Rung], calls: Calls) -> Decision:
    midnight = datetime.combine(part.now.date() + timedelta(days=1), time(), tzinfo=part.now.tzinfo)
    if bill["lifecycle"] not in PAYABLE or not is_payable(bill["lifecycle"], bill["settlement"]):
        return Decision(until=midnight, held="waits")
    if part.pauses.stop(bill["id"], CAMPAIGN, part.now):
        return Decision(until=_until(part, bill["id"], midnight), held="paused")
    if bill["id"] in part.waits:
        return Decision(until=midnight, held=part.waits[bill["id"]])
    facts = _facts(part, bill, row, calls)
    return rules.decide(rungs, part.newest.plan.hours, facts)


def _until(part: _Slice, bill_id: UUID, midnight: datetime) -> datetime | None:
    """The morning after the pause; a hold without an end is looked at when it is released."""
    days = [pause.until for pause in part.pauses.of[bill_id]]
    if None in days:
        return None
    last = max(day for day in days if day is not None)
    return max(midnight, datetime.combine(last + timedelta(days=1), time(), tzinfo=part.now.tzinfo))


def _facts(part: _Slice, bill: Row, row: Row, calls: Calls) -> Facts:
    told = part.told.get(bill["id"], ())
    # By channel the newest that went out, or could not: one that came back says nothing any more
    # once another has arrived there.
    newest = {
        one["channel"]: one
        for one in told
        if (one["state"] != "left_out" or _is_lost(one)) and not is_in_vain(one)
    }
    said = [one for one in told if one["state"] != "left_out" and not _is_lost(one)]
    lost = {channel for channel, one in newest.items() if _is_lost(one)} - calls.not_lost
    failed_at = row["failed_at"]
    choices: dict[tuple[Channel, Class], bool] = {}
    for contact, uses in (
        (bill["phone_blind"], BY_PHONE),
        (bill["email_blind"], BY_EMAIL),
        (bill["customer_blind"], BY_CUSTOMER),
    ):
        if contact in part.choices:
            mine = part.choices[contact]
            choices |= {key: wanted for key, wanted in mine.items() if key[0] in uses}
    return Facts(
        now=part.now,
        issued_at=part.newest.local(bill["issued_at"]),
        due_on=bill["due_on"],
        failed_at=part.newest.local(failed_at) if failed_at else None,
        done=calls.open_rungs(row["done"]),
        is_opened=bill["opened_at"] is not None,
        is_delivered=any(one["state"] == "delivered" for one in told),
        is_lost=bool(told) and _is_lost(told[-1]) and told[-1]["channel"] in lost,
        unreached=unreached(
            part.roads,
            lost | _faulty(part, bill),
            has_phone=bill["phone_blind"] is not None,
            has_email=bill["email_blind"] is not None,
            has_push=bill["id"] in part.pushed,
        )
        | part.by_paper(bill["id"]),
        choices=choices,
        unsubscribed=("email",) if bill["email_blind"] in part.unsubscribed else (),
        last_told=max((part.newest.local(one["created_at"]).date() for one in said), default=None),
        told_days=part.people.get(bill["phone_blind"] or b"", ()),
        holidays=part.newest.holidays,
        again=calls.again,
    )


def _faulty(part: _Slice, bill: Row) -> set[str]:
    """Channels whose contact takes no messages any more, as another bill's message has shown."""
    return {channel for channel in CHANNELS if (channel, bill["id"]) in part.faults}


def _is_lost(told: Row) -> bool:
    return is_lost(told["state"], told["code"])


def _was_told(part: _Slice, bill: Row) -> bool:
    """Whether the payer, who wants no more messages, knows of the bill already.

    A message to a contact which is somebody else's told nobody.
    """
    return bill["opened_at"] is not None or any(
        has_told(one["state"]) and (one["channel"], bill["id"]) not in part.faults
        for one in part.told.get(bill["id"], ())
    )


def _send(part: _Slice, bill: Row, rung: Rung, step: int) -> None:
    campaign = MARKETING if rung.kind == "marketing" else CAMPAIGN
    import_id: UUID | None = None
    if rung.when == "issue":
        # Staff hold and end first notices with their import, whenever they go.
        campaign, import_id = FIRST_MESSAGE, bill["import_id"]
    elif bill["phone_blind"]:
        part.people.setdefault(bill["phone_blind"], []).append(part.now.date())
    telling = Telling(campaign, step, rung.medium, import_id)
    part.sends.setdefault(telling, []).append(bill["id"])


async def _write(act: Act, part: _Slice) -> None:
    """Places with skipped rungs, deliveries, and what bills say of their messages."""
    await act.db.execute(
        MOVE,
        act.merchant_id,
        [move.bill_id for move in part.moves],
        [move.done for move in part.moves],
        [move.until for move in part.moves],
        [move.held for move in part.moves],
        [move.ended for move in part.moves],
        [move.skips for move in part.moves],
    )
    for telling, ids in part.sends.items():
        await plan_messages(act, telling, ids)
        await act.db.execute(PLANNED, act.merchant_id, ids)
    await digital.print_bills(act, part.prints, part.reached)
    await digital.note_untold(act, part.untold, part.reached)
