"""What a plan would do to one bill: which message on which day, were it issued now. Pure.

The same rules decide as for real bills; what is assumed is said: nobody pays, no message comes
back, no debit fails, and the payer has every contact that the plan's channels need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from portal.domain.ladder import (
    RUNGS_MAX,
    Decision,
    Facts,
    HeldReason,
    Plan,
    Rung,
    SkipReason,
    Way,
    decide,
)

_LOOKS_MAX: Final = 4 * RUNGS_MAX
"""A rung is held for its day, its hour and its week at most before it is over."""

_ON_PAPER: Final[Mapping[Way, SkipReason]] = {"paper": "on_paper"}
"""What was printed once is not printed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What happens to one rung: sent at a local moment, or skipped then and why.

    ``held``: what it would wait for before. ``at`` is None for a rung that only a failed debit
    begins.
    """

    rung: int
    at: datetime | None
    skipped: SkipReason | None = None
    held: HeldReason = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """The bill that is supposed. Moments are the merchant's local ones, aware.

    ``opens``: whether the payer looks at the bill as soon as a message comes. ``unreached``: the
    channels that reach nobody, such as one that the merchant has no company for.
    """

    kind: str
    issued_at: datetime
    due_on: date
    opens: bool = False
    unreached: Mapping[Way, SkipReason]
    holidays: frozenset[date] = frozenset()


def foresee(plan: Plan, bill: Supposed) -> tuple[Foreseen, ...]:
    """What becomes of each rung of the plan for that bill, in the order in which it happens."""
    rungs = plan.rungs_of(bill.kind)
    found: list[Foreseen] = []
    told: list[date] = []
    reminded: list[date] = []
    now = bill.issued_at
    done = 0
    held: HeldReason = ""
    for _ in range(_LOOKS_MAX):
        decision = decide(rungs, plan.hours, _facts_at(bill, now, done, told, reminded))
        found += [Foreseen(rung=skip.rung, at=now, skipped=skip.reason) for skip in decision.skips]
        printed = _printed(rungs, decision, done)
        found += [Foreseen(rung=place, at=now) for place in printed]
        bill = replace(bill, unreached={**bill.unreached, **_ON_PAPER}) if printed else bill
        if decision.send is not None:
            found.append(Foreseen(rung=decision.send, at=now, held=held))
            told.append(now.date())
            if rungs[decision.send].when != "issue":  # first notices count for no cap
                reminded.append(now.date())
        held = decision.held
        done = decision.done(done) | sum(1 << place for place in {*printed} - {*decision.printed})
        if decision.until is None:
            break
        now = max(now, decision.until)
    seen = {one.rung for one in found}
    found += [Foreseen(rung=place, at=None) for place in range(len(rungs)) if place not in seen]
    return tuple(found)


def _printed(rungs: Sequence[Rung], decision: Decision, done: int) -> tuple[int, ...]:
    """Rungs by paper that are over now: what nothing else reaches is printed before their day."""
    if decision.paper is None or decision.printed:
        return decision.printed
    early = (
        place
        for place, rung in enumerate(rungs)
        if rung.channel == "paper" and not done >> place & 1
    )
    return tuple(early)[:1]


def _facts_at(
    bill: Supposed, now: datetime, done: int, told: list[date], reminded: list[date]
) -> Facts:
    return Facts(
        now=now, issued_at=bill.issued_at, due_on=bill.due_on, done=done,
        is_opened=bill.opens and bool(told), is_delivered=bool(told), unreached=bill.unreached,
        choices={},  # nobody has said yes to advertising
        last_told=told[-1] if told else None, told_days=reminded, holidays=bill.holidays,
    )  # fmt: skip
