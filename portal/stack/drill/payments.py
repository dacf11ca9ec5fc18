"""`portal drill crash --of payments`: people pay and staff give back while everything is killed.

Stack only. Card and wallet answer late, not at all, three times or with a no; some payers pay by a
store's number, take it back or let it run out; some try both at once, some pay two bills in one
payment or a part of one; households leave a card, which is charged for their other bills when a day
begins; payments are contested and won or lost; staff ask for refunds, some two of them for the same
money. Meanwhile kill -9 of every process in a seeded
order. Afterwards the companies' journal is held against attempts, refunds, disputes, postings and
bills, one by one. Prints one JSON object; exit code 0 only if nothing was lost, doubled or left
different.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec
import orjson

from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.due import MOVE_CLOCK, MoveClock
from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT
from portal.contract.share import SET_PART_PAYMENT, SetPartPayment
from portal.domain.errors import PortalError
from portal.stack.access import CODE
from portal.stack.by_number import NUMBER, NUMBER_BACK, NUMBER_LATE
from portal.stack.comparison import find_differences
from portal.stack.drill import houses
from portal.stack.drill.contest import Contest
from portal.stack.drill.crash import PROCESSES, kill
from portal.stack.drill.findings import (
    CHARGES_MIN,
    DISPUTES_MIN,
    KILLS_MIN,
    PAYMENTS_MIN,
    REFUNDS_MIN,
    Report,
    Sight,
    report_of,
)
from portal.stack.drill.ground import Ground, ground
from portal.stack.drill.patience import PAUSE_S, persist
from portal.stack.drill.tally import (
    AttemptShown,
    BillShown,
    Known,
    RefundShown,
    count_in,
    weigh,
)
from portal.stack.payers import (
    APPROVE,
    CHALLENGED,
    DECLINE,
    DECLINE_TIME_OUT,
    NOISY,
    PART,
    TIME_OUT,
    WALLET,
    WALLET_DECLINE,
    WALLET_DECLINE_TIME_OUT,
    WALLET_NOISY,
    WALLET_TIME_OUT,
)

DISPUTES_MAX: Final = 24
PAYERS: Final = 8
CLERKS: Final = 3
COLLEAGUES: Final = 4
"""Each has one code in half a minute; see portal.stack.drill.staff."""

STORM_S: Final = 480.0
"""A storm that does not come so far in this time is a finding itself."""

SETTLE_S: Final = 360.0
"""Inquiries come after 10 s, 30 s and 2 min, about a page that was left after 2 min; a refund
whose sender died is asked about after a minute."""

MEANS: Final = (
    *(APPROVE,) * 8, PART, PART, DECLINE, TIME_OUT, TIME_OUT, DECLINE_TIME_OUT, NOISY, CHALLENGED,
    *(WALLET,) * 4, WALLET_DECLINE, WALLET_TIME_OUT, WALLET_DECLINE_TIME_OUT, WALLET_NOISY,
    *(NUMBER,) * 3, NUMBER_BACK, NUMBER_LATE,
)  # fmt: skip
TWICE_SHARE: Final = 0.1

_DAYS_BEFORE: Final = 28
"""Bills of a drill are due in 20 days: whose card was left is charged on the next day."""

_PART_LEAST: Final = 1_000
_DAY_S: Final = 86_400.0
_DAY_LASTS_S: Final = 20.0
_MOVES_MAX: Final = 10
DAYS_MAX: Final = 8
"""Who left a card later than a day began is charged on the next; after these days nobody is."""
_PAUSE_MIN_S: Final = 1.0
_PAUSE_MAX_S: Final = 3.0


@dataclass(slots=True)
class _Storm:
    """How far the storm has come."""

    kills: Counter[str] = field(default_factory=Counter[str])
    payments: int = 0
    charges: int = 0
    days: int = 0
    day_began: float = 0.0

    def is_over(self, taken: int, contested: int) -> bool:
        enough = (
            self.kills.total() >= KILLS_MIN,
            self.payments >= PAYMENTS_MIN,
            taken >= REFUNDS_MIN,
            self.charges >= CHARGES_MIN,
            contested >= DISPUTES_MIN,
        )
        return all(enough)


def run_payments(*, seed: int, as_json: bool) -> int:
    """Drill in a fresh folder that is gone after; 0 only if all is right."""
    report = asyncio.run(drill(seed=seed, loud=not as_json))
    shape = orjson.OPT_INDENT_2 if not as_json else None
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(report), option=shape).decode() + "\n")
    return 1 if report.faults else 0


async def drill(*, seed: int, loud: bool = False) -> Report:
    """Send bills, let the storm rage over their payments, compare."""
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311 - a sequence to repeat, no secret
    async with (
        ground(seed=seed, rows=houses.ROWS, colleagues=COLLEAGUES) as place,
        httpx.AsyncClient(timeout=60.0, trust_env=False) as client,
    ):
        contest = _get_ready(place, client, chance)
        await _set_terms(place)
        await place.traffic.send_one()
        storm = await _rage(place, chance, contest, loud=loud)
        sight = await settle(place, contest, loud=loud)
        faults = place.arms.strays + place.traffic.staff.troubles + contest.troubles
    return report_of(seed, storm.kills, sight, len(contest.asked), faults, time.monotonic() - began)


def _get_ready(place: Ground, client: httpx.AsyncClient, chance: random.Random) -> Contest:
    """Tell everybody outside how they behave in this storm; gives who contests what."""
    traffic = place.traffic
    traffic.means, traffic.twice_share = MEANS, TWICE_SHARE
    traffic.amount_of, traffic.household_of = houses.amount_of, houses.household_of
    traffic.leaves, traffic.has_several = houses.leaves, houses.has_several
    traffic.staff.odd = True
    traffic.contest = Contest(
        phone=place.phone,
        client=client,
        origin=place.stack.layout.browser_origin,
        merchant=place.merchant,
        chance=chance,
        most=DISPUTES_MAX,
    )
    return traffic.contest


async def _set_terms(place: Ground) -> None:
    """The merchant keeps cards, and takes parts."""
    async with place.stack.operator() as vault:
        await vault.call(SET_CHARGES, SetCharges(merchant_code=CODE, days_before=_DAYS_BEFORE))
        await vault.call(
            SET_PART_PAYMENT, SetPartPayment(merchant_code=CODE, least_minor=_PART_LEAST)
        )


async def _let_days_begin(place: Ground, storm: _Storm) -> None:
    """Once cards were left, business days begin until enough was charged; the rest pays by hand."""
    if storm.charges >= CHARGES_MIN or storm.days >= DAYS_MAX:
        place.traffic.is_charged = True
        return
    is_half_way = storm.kills.total() >= KILLS_MIN // 2
    are_left = place.traffic.left >= (1 if is_half_way else houses.LEAVERS)
    if not are_left or time.monotonic() < storm.day_began + _DAY_LASTS_S:
        return
    for _ in range(_MOVES_MAX):
        try:
            async with place.stack.operator() as vault:
                await vault.call(MOVE_CLOCK, MoveClock(offset_s=_DAY_S * (storm.days + 1)))
            break
        except (PortalError, OSError):  # somebody was killed just now
            await asyncio.sleep(PAUSE_S)
    else:
        return
    storm.days, storm.day_began = storm.days + 1, time.monotonic()


async def _rage(place: Ground, chance: random.Random, contest: Contest, *, loud: bool) -> _Storm:
    """Kill one process after another until there was enough of everything, or time is up."""
    storm = _Storm()
    deadline = time.monotonic() + STORM_S
    staff = place.traffic.staff
    async with place.traffic.flowing(payers=PAYERS, clerks=CLERKS, contests=1):
        while not storm.is_over(staff.taken, len(contest.opened)) and time.monotonic() < deadline:
            for name in chance.sample(PROCESSES, len(PROCESSES)):
                await asyncio.sleep(chance.uniform(_PAUSE_MIN_S, _PAUSE_MAX_S))
                await kill(place, name, chance)
                storm.kills[name] += 1
                theirs = (await place.phone.journal()).payments
                storm.payments = sum(one.state == "succeeded" for one in theirs)
                storm.charges = sum(one.charged for one in theirs)
                await _let_days_begin(place, storm)
            if loud:
                sys.stderr.write(
                    f"  {storm.kills.total()} kills, {storm.payments} payments, {storm.charges}"
                    f" charges, {len(contest.opened)} disputes, {staff.taken} refunds asked for,"
                    f" {place.traffic.left} cards left, {storm.days} days\n"
                )
    return storm


async def settle(place: Ground, contest: Contest, *, loud: bool = False) -> Sight:
    """Look until both sides are at one; what they still differ in after SETTLE_S was found."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        sight = await _look(place, contest)
        is_at_rest = not (sight.tally.differences or sight.ours.tasks_due) and sight.ours.audit_ok
        if is_at_rest or time.monotonic() > deadline:
            return sight
        if loud:
            left = len(sight.tally.differences)
            sys.stderr.write(f"  {left} differences, {sight.ours.tasks_due} tasks due, waiting\n")
        await asyncio.sleep(3.0)


async def _look(place: Ground, contest: Contest) -> Sight:
    """The journal before the bills: what it has, the portal may know; never the other way round."""
    theirs = await place.phone.journal()
    ids = await persist(place.merchant.bill_ids)
    bills = [await _shown(place, bill) for bill in ids]
    known = Known(frozenset(contest.asked), houses.chargeable())
    tally = weigh(bills, theirs, place.traffic.staff.notebook, known)
    for difference in await find_differences(place.stack, theirs):
        tally.differences.append(str(difference))
        count_in(tally, difference.reference, difference.code)
    async with place.stack.operator() as vault:
        ours = await vault.call(INSPECT, Nothing(), timeout_s=30.0)
    return Sight(ours, theirs, bills, tally, sum(ours.cases.values()))


async def _shown(place: Ground, bill_id: str) -> BillShown:
    """A bill as the public API shows it, in the words of the tally."""
    bill = await persist(lambda: place.merchant.bill(bill_id))
    return BillShown(
        id=bill["id"],
        number=bill["number"],
        amount=int(bill["amount"]["amount"]),
        settlement=bill["settlement"].lower(),
        attempts=tuple(
            msgspec.convert({**one, "amount": int(one["amount"]["amount"])}, AttemptShown)
            for one in bill["attempts"]
        ),
        refunds=tuple(
            RefundShown(
                attempt=one["attemptId"],
                provider=one["provider"],
                reference=one["reference"],
                state=one["state"].lower(),
                amount=int(one["amount"]["amount"]),
                way=one["way"].lower(),
                note=one["note"],
            )
            for one in bill["refunds"]
        ),
    )
