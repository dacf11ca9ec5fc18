"""`portal drill crash --of payments`: people pay and staff give back while everything is killed.

Stack only. Card and wallet answer late, not at all, three times or with a no; some payers try both
at once; staff ask for refunds, some two of them for the same money. Meanwhile kill -9 of every
process in a seeded order. Afterwards the companies' journal is held against attempts, refunds,
postings and bills, one by one. Prints one JSON object; exit code 0 only if nothing was lost,
doubled or left different.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import orjson

from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT, Inspection
from portal.stack.comparison import find_differences
from portal.stack.drill.crash import PROCESSES, kill
from portal.stack.drill.ground import Ground, ground
from portal.stack.drill.patience import persist
from portal.stack.drill.tally import (
    AttemptShown,
    BillShown,
    RefundShown,
    Tally,
    count_in,
    weigh,
)
from portal.stack.payers import (
    APPROVE,
    CHALLENGED,
    DECLINE,
    DECLINE_TIME_OUT,
    NOISY,
    TIME_OUT,
    WALLET,
    WALLET_DECLINE,
    WALLET_DECLINE_TIME_OUT,
    WALLET_NOISY,
    WALLET_TIME_OUT,
    Journal,
)

PAYMENTS_MIN: Final = 100
KILLS_MIN: Final = 24
REFUNDS_MIN: Final = 20
"""The storm goes on until there were so many of each."""

ROWS: Final = 260
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
    *(APPROVE,) * 8, DECLINE, TIME_OUT, TIME_OUT, DECLINE_TIME_OUT, NOISY, CHALLENGED,
    *(WALLET,) * 4, WALLET_DECLINE, WALLET_TIME_OUT, WALLET_DECLINE_TIME_OUT, WALLET_NOISY,
)  # fmt: skip
TWICE_SHARE: Final = 0.1

_ANSWER_LOST: Final = 40_405
_FAULTY: Final = {60: 40_404, 120: 40_500, 180: 40_429}
_EACH_LOST: Final = 40
_EACH_LARGE: Final = 7
_PAUSE_MIN_S: Final = 1.0
_PAUSE_MAX_S: Final = 3.0


class Report(msgspec.Struct, kw_only=True):
    """What is printed.

    ``payments`` and ``refunds`` are those that the companies carried out; ``transferred`` went back
    by the merchant's own hand. ``unresolved`` attempts and refunds are still being asked about:
    nobody can know yet whether their company ever heard of them, and money of none has moved.
    """

    seed: int
    payments: int
    refunds: int
    transferred: int
    kills: int
    killed: dict[str, int]
    lost: int
    doubled: int
    unresolved: int
    differences: list[str]
    ledger_sum: int
    audit_ok: bool
    cases: int
    seconds: float
    faults: list[str]


@dataclass(slots=True)
class Sight:
    """Both sides at one moment, and what comparing them found."""

    ours: Inspection
    theirs: Journal
    bills: Sequence[BillShown]
    tally: Tally
    cases: int

    @property
    def paid(self) -> int:
        """Payments that the companies carried out."""
        return sum(one.state == "succeeded" for one in self.theirs.payments)

    @property
    def given_back(self) -> int:
        """Refunds that the companies carried out."""
        return sum(one.state == "succeeded" for one in self.theirs.refunds)

    def refunds_in(self, *states: str) -> int:
        """Refunds of ours in one of the states."""
        return sum(refund.state in states for bill in self.bills for refund in bill.refunds)


@dataclass(slots=True)
class _Storm:
    """How far the storm has come."""

    kills: Counter[str] = field(default_factory=Counter[str])
    payments: int = 0

    def is_over(self, taken: int) -> bool:
        enough = (
            self.kills.total() >= KILLS_MIN,
            self.payments >= PAYMENTS_MIN,
            taken >= REFUNDS_MIN,
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
    async with ground(seed=seed, rows=ROWS, colleagues=COLLEAGUES) as place:
        traffic = place.traffic
        traffic.means, traffic.twice_share, traffic.amount_of = MEANS, TWICE_SHARE, amount_of
        traffic.staff.odd = True
        await traffic.send_one()
        storm = await _rage(place, chance, loud=loud)
        sight = await settle(place, loud=loud)
        faults = place.arms.strays + traffic.staff.troubles
    return _report(seed, storm, sight, faults, time.monotonic() - began)


def amount_of(number: int) -> int:
    """Amounts so that openings fail in every way, and some refunds need a second person."""
    if number in _FAULTY:
        return _FAULTY[number]
    if number % _EACH_LOST == 1:
        return _ANSWER_LOST
    return (12_000 if number % _EACH_LARGE == 0 else 5_000) + number


async def _rage(place: Ground, chance: random.Random, *, loud: bool) -> _Storm:
    """Kill one process after another until there was enough of everything, or time is up."""
    storm = _Storm()
    deadline = time.monotonic() + STORM_S
    staff = place.traffic.staff
    async with place.traffic.flowing(payers=PAYERS, clerks=CLERKS):
        while not storm.is_over(staff.taken) and time.monotonic() < deadline:
            for name in chance.sample(PROCESSES, len(PROCESSES)):
                await asyncio.sleep(chance.uniform(_PAUSE_MIN_S, _PAUSE_MAX_S))
                await kill(place, name, chance)
                storm.kills[name] += 1
            theirs = await place.phone.journal()
            storm.payments = sum(one.state == "succeeded" for one in theirs.payments)
            if loud:
                sys.stderr.write(
                    f"  {storm.kills.total()} kills, {storm.payments} payments,"
                    f" {staff.taken} refunds asked for\n"
                )
    return storm


async def settle(place: Ground, *, loud: bool = False) -> Sight:
    """Look until both sides are at one; what they still differ in after SETTLE_S was found."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        sight = await _look(place)
        is_at_rest = not (sight.tally.differences or sight.ours.tasks_due) and sight.ours.audit_ok
        if is_at_rest or time.monotonic() > deadline:
            return sight
        if loud:
            left = len(sight.tally.differences)
            sys.stderr.write(f"  {left} differences, {sight.ours.tasks_due} tasks due, waiting\n")
        await asyncio.sleep(3.0)


async def _look(place: Ground) -> Sight:
    """The journal before the bills: what it has, the portal may know; never the other way round."""
    theirs = await place.phone.journal()
    ids = await persist(place.merchant.bill_ids)
    bills = [await _shown(place, bill) for bill in ids]
    tally = weigh(bills, theirs, place.traffic.staff.notebook)
    for difference in await find_differences(place.stack, theirs):
        tally.differences.append(str(difference))
        count_in(tally, difference.reference, difference.code)
    async with place.stack.operator() as vault:
        ours = await vault.call(INSPECT, Nothing(), timeout_s=30.0)
    totals = await persist(place.merchant.totals)
    return Sight(ours, theirs, bills, tally, int(totals["openCases"]))


async def _shown(place: Ground, bill_id: str) -> BillShown:
    """A bill as the public API shows it, in the words of the tally."""
    bill = await persist(lambda: place.merchant.bill(bill_id))
    return BillShown(
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


_IN_THE_DARK: Final = ("created", "submitting", "unknown")


def _report(seed: int, storm: _Storm, sight: Sight, faults: list[str], seconds: float) -> Report:
    attempts = sum(sight.ours.attempts.get(state, 0) for state in _IN_THE_DARK)
    found = Report(
        seed=seed,
        payments=sight.paid,
        refunds=sight.given_back,
        transferred=sight.refunds_in("transferred"),
        kills=storm.kills.total(),
        killed=dict(sorted(storm.kills.items())),
        lost=len(sight.tally.lost),
        doubled=sight.tally.doubled.total(),
        unresolved=attempts + sight.refunds_in("submitting", "pending", "unknown"),
        differences=sight.tally.differences,
        ledger_sum=sight.ours.ledger_sum,
        audit_ok=sight.ours.audit_ok,
        cases=sight.cases,
        seconds=round(seconds, 1),
        faults=[*faults],
    )
    found.faults += _faults(found, sight)
    return found


def _faults(found: Report, sight: Sight) -> list[str]:
    """Everything that is not as it must be, in words. Refunds that failed are people's work."""
    wanted = {
        "lost": (found.lost, 0),
        "doubled": (found.doubled, 0),
        "ledger_sum": (found.ledger_sum, 0),
        "audit_ok": (found.audit_ok, True),
        "tasks_due": (sight.ours.tasks_due, 0),
        "cases": (found.cases, sight.refunds_in("failed")),
    }
    faults = [
        f"{name} is {is_}, must be {must}" for name, (is_, must) in wanted.items() if is_ != must
    ]
    least = {
        "payments": (found.payments, PAYMENTS_MIN),
        "kills": (found.kills, KILLS_MIN),
        "refunds": (found.refunds, 1),
    }
    faults += [
        f"{name} are {are}, must be {must} at least"
        for name, (are, must) in least.items()
        if are < must
    ]
    return faults + found.differences
