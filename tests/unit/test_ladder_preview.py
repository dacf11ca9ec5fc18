"""What a plan would do to one bill, foretold by the rules that will decide about it."""

from datetime import date, datetime, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.ladder import DEFAULT, Hours, Plan, Rung, is_quiet
from portal.domain.ladder_plan import PlanFault, faults_of
from portal.domain.ladder_preview import Foreseen, Supposed, foresee

TOKYO = ZoneInfo("Asia/Tokyo")
ISSUED = datetime(2026, 11, 2, 10, tzinfo=TOKYO)
DUE_ON = date(2026, 11, 30)


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=TOKYO)


def bill(**more: Any) -> Supposed:  # noqa: ANN401  # fields of the bill
    given_: dict[str, Any] = {
        "kind": "monthly", "issued_at": ISSUED, "due_on": DUE_ON, "unreached": {},
    }  # fmt: skip
    return Supposed(**(given_ | more))


FAILURE = Foreseen(rung=4, at=None)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {},
            [
                Foreseen(rung=0, at=ISSUED),
                Foreseen(rung=1, at=at(11, 5, 10)),
                Foreseen(rung=2, at=at(11, 27, 8), held="quiet_hours"),
                Foreseen(rung=3, at=at(12, 2, 8), held="quiet_hours"),
                FAILURE,
            ],
        ),
        (
            {"opens": True},
            [
                Foreseen(rung=0, at=ISSUED),
                Foreseen(rung=1, at=at(11, 5, 10), skipped="opened"),
                Foreseen(rung=2, at=at(11, 27, 8), held="quiet_hours"),
                Foreseen(rung=3, at=at(12, 2, 8), held="quiet_hours"),
                FAILURE,
            ],
        ),
        (
            {"unreached": {"sms": "channel_missing"}, "issued_at": at(11, 2, 23)},
            [
                Foreseen(rung=0, at=at(11, 3, 8), skipped="channel_missing"),
                Foreseen(rung=1, at=at(11, 3, 8), held="quiet_hours"),
                Foreseen(rung=2, at=at(11, 27, 0), skipped="channel_missing"),
                Foreseen(rung=3, at=at(12, 2, 0), skipped="channel_missing"),
                FAILURE,
            ],
        ),
        (
            {"due_on": date(2026, 11, 2)},
            [
                Foreseen(rung=2, at=ISSUED, skipped="overtaken"),
                Foreseen(rung=0, at=ISSUED),
                Foreseen(rung=3, at=at(11, 4, 8), held="quiet_hours"),
                Foreseen(rung=1, at=at(11, 5, 10)),
                FAILURE,
            ],
        ),
    ],
)
def test_a_bill_of_the_default_plan_is_foretold_day_by_day(
    more: dict[str, Any], expected: list[Foreseen]
) -> None:
    found = foresee(DEFAULT, bill(**more))

    assert list(found) == expected


RUNGS = some.builds(
    Rung,
    when=some.sampled_from(["after_issue", "before_due", "after_due", "after_failure"]),
    channel=some.sampled_from(["sms", "email", "push", "voice"]),
    days=some.integers(1, 40),
    unless=some.sampled_from(["", "opened", "delivered"]),
    kind=some.sampled_from(["transactional", "marketing"]),
)
HOURS = some.builds(
    Hours,
    quiet_from=some.sampled_from([time(18), time(21), time(9)]),
    quiet_until=some.sampled_from([time(8), time(9), time(12)]),
    rests=some.booleans(),
    per_day=some.integers(1, 3),
    per_week=some.integers(1, 3),
)


@given(
    some.lists(RUNGS, max_size=8, unique=True), HOURS, some.dates(DUE_ON, date(2027, 2, 1)),
    some.sampled_from([True, False]),
)  # fmt: skip
def test_every_rung_is_foretold_once_and_nobody_is_disturbed(
    rungs: list[Rung], hours: Hours, due_on: date, opens: object
) -> None:
    plan = Plan(ladders={"": (Rung(when="issue", channel="sms"), *rungs)}, hours=hours)

    found = foresee(plan, bill(due_on=due_on, opens=opens))

    sent = [one.at for one in found if one.at is not None and one.skipped is None]
    assert sorted(one.rung for one in found) == list(range(len(rungs) + 1))
    assert all(not is_quiet(moment, hours) for moment in sent)
    assert all(first.date() < second.date() for first, second in pairwise(sent))


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (Plan(ladders={}), PlanFault(code="classes", low=1, high=20)),
        (
            Plan(ladders={"": ()}, hours=Hours(per_week=101)),
            PlanFault(code="cap", field="per_week", low=1, high=100),
        ),
        (
            Plan(ladders={"once": (Rung(when="after_due", channel="sms", days=367),)}),
            PlanFault(code="days", bill_kind="once", rung=0, field="days", low=1, high=366),
        ),
        (
            Plan(ladders={"": DEFAULT.ladders[""][1:] + DEFAULT.ladders[""][:1]}),
            PlanFault(code="issue_alone", rung=4, field="when"),
        ),
        (
            Plan(ladders={"": DEFAULT.ladders[""][1:2] * 2}),
            PlanFault(code="twice", rung=1, field="when"),
        ),
    ],
)
def test_a_fault_says_at_which_field_of_which_rung_it_stands(plan: Plan, fault: PlanFault) -> None:
    assert list(faults_of(plan)) == [fault]
    assert list(faults_of(DEFAULT)) == []


def test_whom_no_message_reaches_is_foretold_paper_at_once_and_no_second_one() -> None:
    ways = (("issue", 0, "email"), ("after_issue", 10, "paper"), ("after_due", 2, "paper"))
    plan = Plan(
        ladders={"": tuple(Rung(when=when, days=days, channel=way) for when, days, way in ways)}  # type: ignore[arg-type]
    )

    reached = foresee(plan, bill())
    missed = foresee(plan, bill(unreached={"email": "channel_missing"}))

    assert reached == (
        Foreseen(rung=0, at=ISSUED),
        Foreseen(rung=1, at=at(11, 12, 10)),
        Foreseen(rung=2, at=at(12, 2, 0), skipped="on_paper"),
    )
    assert missed == (
        Foreseen(rung=0, at=ISSUED, skipped="channel_missing"),
        Foreseen(rung=1, at=ISSUED),
        Foreseen(rung=2, at=at(12, 2, 0), skipped="on_paper"),
    )
