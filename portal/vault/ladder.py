"""Data zone: each bill's place on its ladder: begun with its issue, moved on, ended with payment.

One row a bill holds the moment at which it is to be looked at next, under an index of its own: what
is due is found without looking at any other bill. What a look decides is portal.domain.ladder's.

Order of locks: bills by id, then their ladders. So a payment and a step wait for one another, and
neither plans beside the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from portal.contract.bills import BillEvent
from portal.domain import ladder as rules
from portal.domain.ladder import Decision, Plan
from portal.domain.pause import ASKED_MESSAGE
from portal.domain.refund_message import CAMPAIGN as ACCOUNT_MESSAGE
from portal.kit.holidays import national_holidays
from portal.vault.act import Act
from portal.vault.db import Db, Row

Ended = Literal["paid", "canceled", "superseded", "lapsed", "done"]

_AT_ONCE: Final = frozenset({ASKED_MESSAGE, ACCOUNT_MESSAGE})
"""Campaigns that no hour holds: somebody waits for the message, or has to hear at once."""

_PLANS: Final = """
select version, plan from ladder_plan where merchant_id = $1 and version = any($2::int[])
"""
_NEWEST: Final = """
select m.zone, p.version, p.plan from merchant m
left join lateral (select version, plan from ladder_plan where merchant_id = $1
                   order by version desc limit 1) p on true
where m.id = $1
"""
_BEGIN: Final = """
insert into ladder (merchant_id, plan_version, bill_id, done, next_at, ended)
select $1, $2, t.* from unnest($3::uuid[], $4::int[], $5::timestamptz[], $6::text[]) as t
on conflict (merchant_id, bill_id) do nothing
"""
END: Final = """
update ladder set next_at = null, held = '', ended = $3
where merchant_id = $1 and bill_id = any($2::uuid[]) and ended = ''
"""
LOOK: Final = """
update ladder set next_at = least(next_at, $3)
where merchant_id = $1 and bill_id = any($2::uuid[]) and ended = ''
"""
FAILED: Final = """
update ladder set next_at = least(next_at, $3), failed_at = coalesce(failed_at, $3)
where merchant_id = $1 and bill_id = any($2::uuid[]) and ended = ''
"""
_CAMPAIGN: Final = """
select campaign, channel from delivery where merchant_id = $1 and chunk_id = $2 limit 1
"""
_REVIVE: Final = """
update ladder set ended = '' where merchant_id = $1 and bill_id = $2 and ended = 'lapsed'
"""
_GO_ON: Final = """
update ladder set ended = '', next_at = $3
where merchant_id = $1 and bill_id = any($2::uuid[]) and ended = 'superseded'
"""
_SHOWN: Final = "select held, skips from ladder where merchant_id = $1 and bill_id = $2"
_IS_DUE: Final = """
select exists (select from ladder where merchant_id = $1 and next_at <= $2)
"""


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A rung that was skipped, as a ladder keeps it; ``rung`` counts from 0."""

    rung: int
    channel: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MerchantPlan:
    """The newest version of a merchant's plan, and the merchant's zone. Version 0: the default."""

    version: int
    plan: Plan
    zone: ZoneInfo
    holidays: frozenset[date]

    def local(self, moment: datetime) -> datetime:
        """The moment as the merchant's clocks say it."""
        return moment.astimezone(self.zone)

    def is_near_quiet(self, moment: datetime) -> bool:
        """Whether what is handed out now might disturb somebody."""
        return rules.is_near_quiet(self.local(moment), self.plan.hours, self.holidays)

    def quiet_s(self, moment: datetime) -> float:
        """How long it is from then until people may be disturbed. Units: seconds."""
        now = self.local(moment)
        # Shortly before quiet hours nothing goes either: it is their end that counts.
        opens = rules.opens_at(now + rules.MARGIN, self.plan.hours, self.holidays)
        return (opens - now).total_seconds()


async def read_newest(act: Act) -> MerchantPlan:
    """The plan by which bills of the act's merchant are issued now, and its hours."""
    row = await act.db.fetchrow(_NEWEST, act.merchant_id)
    zone = ZoneInfo(row["zone"] if row else "UTC")
    if row is None or row["version"] is None:
        return MerchantPlan(0, rules.DEFAULT, zone, national_holidays())
    return MerchantPlan(row["version"], _plan_of(row), zone, national_holidays())


async def read_plans(act: Act, newest: MerchantPlan, versions: set[int]) -> dict[int, Plan]:
    """The plans of these versions."""
    plans = {0: rules.DEFAULT, newest.version: newest.plan}
    missing = versions - plans.keys()
    if missing:
        rows = await act.db.fetch(_PLANS, act.merchant_id, sorted(missing))
        plans |= {row["version"]: _plan_of(row) for row in rows}
    return plans


def _plan_of(row: Row) -> Plan:
    # A stored plan was checked when it was set; a later release's stricter check is no reason to
    # fall silent.
    return msgspec.json.decode(row["plan"], type=Plan)


@dataclass(frozen=True, slots=True)
class Begun:
    """A bill that was just issued, what was decided about it at once, and how many rungs it has."""

    bill_id: UUID
    decision: Decision
    rungs: int


async def begin(act: Act, version: int, begun: Sequence[Begun]) -> None:
    """Give bills that were just issued their ladders; one that has one keeps it."""
    if not begun:
        return
    await act.db.execute(
        _BEGIN,
        act.merchant_id,
        version,
        [one.bill_id for one in begun],
        [one.decision.done(0) for one in begun],
        [one.decision.until for one in begun],
        ["done" if one.decision.done(0) + 1 == 1 << one.rungs else "" for one in begun],
    )


async def end(act: Act, bill_ids: Sequence[UUID], why: Ended) -> None:
    """Nothing more is said of these bills, whose locks are held: paid, withdrawn or over."""
    if bill_ids:
        await act.db.execute(END, act.merchant_id, list(bill_ids), why)


async def look_again(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Something happened that may bring the next rung of these bills forward: look now."""
    if bill_ids:
        await act.db.execute(LOOK, act.merchant_id, list(bill_ids), act.business)


async def revive(act: Act, bill_id: UUID) -> None:
    """A lapsed bill, whose lock is held, was extended: what is left of its ladder goes on."""
    await act.db.execute(_REVIVE, act.merchant_id, bill_id)


async def keep(act: Act, bill_ids: Sequence[UUID]) -> None:
    """Bills that were to be replaced, whose locks are held, stay: what is left goes on."""
    await act.db.execute(_GO_ON, act.merchant_id, list(bill_ids), act.business)


async def failed(act: Act, bill_ids: Sequence[UUID]) -> None:
    """A debit of these bills, whose locks are held, brought no money: rungs for that are due."""
    if bill_ids:
        await act.db.execute(FAILED, act.merchant_id, list(bill_ids), act.business)


async def held_campaigns(act: Act, campaigns: Collection[str]) -> frozenset[str]:
    """Which of these campaigns' messages nobody may be disturbed by now.

    What someone asked for is none of them, nor what guards a refund, nor is anything but reminders
    of a merchant who has set no plan: such a merchant's first notices go when staff send them.
    """
    if not set(campaigns) - _AT_ONCE:
        return frozenset()
    newest = await read_newest(act)
    if not newest.is_near_quiet(act.business):
        return frozenset()
    reminders = {rules.CAMPAIGN, rules.MARKETING, rules.SWITCH}
    return frozenset(
        campaign
        for campaign in campaigns
        if campaign in reminders or (newest.version and campaign not in _AT_ONCE)
    )


async def is_chunk_held(act: Act, chunk_id: UUID) -> bool:
    """Whether a chunk waits for the morning; all of a chunk is one campaign's, by one channel."""
    row = await act.db.fetchrow(_CAMPAIGN, act.merchant_id, chunk_id)
    if row is None:
        return False
    if row["channel"] == "voice" and await is_night(act):
        return True
    return bool(await held_campaigns(act, {row["campaign"]}))


async def is_night(act: Act) -> bool:
    """Whether nobody's telephone may ring now, whoever asked for it."""
    return (await read_newest(act)).is_near_quiet(act.business)


async def quiet_s(act: Act) -> float:
    """For how long a chunk that is held for the hour sleeps; 0: nobody knows. Units: seconds.

    A business clock that may be moved says nothing of it.
    """
    if not act.settings.production:
        return 0.0
    return (await read_newest(act)).quiet_s(act.business)


async def events_of(act: Act, bill_id: UUID) -> list[BillEvent]:
    """What a bill's ladder adds to its timeline: rungs that were skipped, and what waits now."""
    row = await act.db.fetchrow(_SHOWN, act.merchant_id, bill_id)
    if row is None:
        return []
    events = [
        BillEvent(
            at=skip.at,
            code=f"ladder.{skip.reason}",
            actor="system",
            params={"channel": skip.channel, "rung": skip.rung + 1},
        )
        for skip in msgspec.json.decode(row["skips"], type=list[Skipped])
    ]
    if row["held"]:
        code = f"ladder.held_{row['held']}"
        events.append(BillEvent(at=act.business, code=code, actor="system", params={}))
    return events


async def is_due(db: Db, merchant_id: UUID, business: datetime) -> bool:
    """Whether a bill of the merchant is to be looked at by now."""
    return bool(await db.fetchval(_IS_DUE, merchant_id, business))


def ended_of(bill: Row) -> Ended | None:
    """Why nothing is said of the bill any more; None while it may be."""
    if bill["settlement"] in {"settled", "over"}:
        return "paid"
    match bill["lifecycle"]:
        case "canceling" | "canceled":
            return "canceled"
        case "superseded":
            return "superseded"
        case "lapsed":
            return "lapsed"
        case _:
            return None
