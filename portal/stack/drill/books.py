"""After a drill: what the companies wrote down against what the portal says, item by item.

Stack only. The sandbox's journal and telephones are the outside witness; they are never killed.
Nothing is judged before everything came to rest, and what never rests is a finding itself.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec

from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT, Inspection
from portal.stack.comparison import compare_journals
from portal.stack.drill.patience import persist
from portal.stack.drill.traffic import Traffic
from portal.stack.merchant import MerchantSystem
from portal.stack.payers import Journal
from portal.stack.up import Stack

SETTLE_S: Final = 180.0
"""A lost lease comes back after 30 s, a slice that lost the relay after 60 to 80 s."""

_IN_THE_DARK: Final = ("created", "submitting", "unknown")


class Found(msgspec.Struct, kw_only=True):
    """What the comparison found.

    ``messages`` were taken by the carriers; ``ambiguous`` were redeemed, and nobody knows whether
    they were sent: staff see them listed. ``payments`` and ``refunds`` succeeded at their company;
    ``unresolved`` attempts are still being asked about. ``refunds_failed`` were not sent, as their
    company or the relay was away, or were refused: each is a case for a person, as it should be,
    and ``cases`` counts those beside them. ``lost`` and ``doubled`` count bills,
    messages and payments; ``differences`` are CompareJournal's; ``tasks_due`` never came to an end.
    What is planned for later (an inquiry about an attempt, the last one included) is not due.
    """

    bills: int
    messages: int
    payments: int
    refunds: int
    refunds_failed: int
    unresolved: int
    lost: int
    doubled: int
    ambiguous: int
    differences: list[str]
    imports_stuck: int
    tasks_due: int
    cases: int
    ledger_sum: int
    audit_ok: bool
    faults: list[str]


@dataclass(frozen=True, slots=True)
class _Sight:
    """Both sides at one moment."""

    ours: Inspection
    theirs: Journal
    told: Counter[str]

    @property
    def succeeded(self) -> int:
        return sum(payment.state == "succeeded" for payment in self.theirs.payments)


async def settle(stack: Stack, merchant: MerchantSystem, traffic: Traffic) -> Found:
    """Wait until everything rests, then compare.

    Raises TimeoutError never: what does not come to rest in SETTLE_S is counted.
    """
    sent = [file for file in traffic.files if file.is_sent]
    due = sum(file.rows for file in sent)
    deadline = time.monotonic() + SETTLE_S
    while True:
        sight = await _look(stack, traffic)
        is_late = time.monotonic() > deadline
        is_over = is_late or _rests(sight, due)
        differences = await compare_journals(stack, sight.theirs) if is_over else []
        if is_late or (is_over and not differences):
            break
        await asyncio.sleep(1.0)
    states = [await traffic.desk.state(file) for file in traffic.files]
    stuck = sum(
        state != ("ISSUED" if file.is_sent else "CHECKED") or good != file.rows
        for file, (state, good) in zip(traffic.files, states, strict=True)
    )
    totals = await persist(merchant.totals)
    failed = await persist(merchant.failed_refunds)
    found = Found(
        bills=sight.ours.bills,
        messages=sight.theirs.messages.taken,
        payments=sight.succeeded,
        refunds=sum(refund.state == "succeeded" for refund in sight.theirs.refunds),
        refunds_failed=failed,
        unresolved=sum(sight.ours.attempts.get(state, 0) for state in _IN_THE_DARK),
        lost=0,
        doubled=0,
        ambiguous=sight.ours.messages_ambiguous,
        differences=differences,
        imports_stuck=stuck,
        tasks_due=sight.ours.tasks_due,
        cases=int(totals["openCases"]) - failed,
        ledger_sum=sight.ours.ledger_sum,
        audit_ok=sight.ours.audit_ok,
        faults=[],
    )
    _count(found, sight, bills=sum(file.rows for file in traffic.files), due=due)
    found.faults += traffic.staff.troubles + _faults(found, sight)
    return found


async def _look(stack: Stack, traffic: Traffic) -> _Sight:
    async with stack.operator() as vault:
        ours = await vault.call(INSPECT, Nothing(), timeout_s=30.0)
    journal = await traffic.phone.journal()
    return _Sight(ours, journal, Counter(await traffic.phone.told()))


def _rests(sight: _Sight, due: int) -> bool:
    """Whether nothing moves any more that should."""
    ours, theirs = sight.ours, sight.theirs
    return (
        ours.messages_accepted + ours.messages_ambiguous >= due
        and ours.messages_accepted == theirs.messages.taken
        and not theirs.messages.by_status.get("queued", 0)
        and ours.bills_paid == sight.succeeded
        and not sight.ours.tasks_due
        and ours.audit_ok
    )


def _count(found: Found, sight: _Sight, *, bills: int, due: int) -> None:
    """Set ``lost`` and ``doubled``: bills, messages by telephone, payments by bill."""
    told = len(sight.told)
    missing = sum(": posting_missing " in one for one in found.differences)
    paid_twice = sight.succeeded - missing - sight.ours.bills_paid
    found.lost = max(0, bills - found.bills) + max(0, due - told - found.ambiguous) + missing
    found.doubled = (
        max(0, found.bills - bills)
        + sum(times - 1 for times in sight.told.values())
        + max(0, sight.theirs.messages.effects - sight.theirs.messages.taken)
        + max(0, paid_twice)
    )


def _faults(found: Found, sight: _Sight) -> list[str]:
    """Everything that is not as it must be, in words."""
    wanted = {
        "lost": (found.lost, 0),
        "doubled": (found.doubled, 0),
        "imports_stuck": (found.imports_stuck, 0),
        "tasks_due": (found.tasks_due, 0),
        "cases": (found.cases, 0),
        "ledger_sum": (found.ledger_sum, 0),
        "audit_ok": (found.audit_ok, True),
        "messages accepted": (sight.ours.messages_accepted, found.messages),
        "bills paid": (sight.ours.bills_paid, found.payments),
    }
    faults = [
        f"{name} is {is_}, must be {must}" for name, (is_, must) in wanted.items() if is_ != must
    ]
    if found.cases:
        faults += [f"an open case {kind}, {many} times" for kind, many in sight.ours.cases.items()]
    return faults + found.differences
