"""The ladder's rules: which message comes next, when, and when none does."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.errors import InvalidInput
from portal.domain.ladder import (
    CAP_MAX,
    DEFAULT,
    Class,
    Decision,
    Facts,
    Hours,
    Plan,
    Rung,
    Skip,
    decide,
    due_at,
    is_near_quiet,
    is_quiet,
    opens_at,
    tells_by_message,
)
from portal.domain.ladder_plan import read_plan, write_plan

TOKYO = ZoneInfo("Asia/Tokyo")
ISSUED = datetime(2026, 11, 2, 10, tzinfo=TOKYO)
DUE_ON = date(2026, 11, 30)
RUNGS = DEFAULT.rungs_of("electricity")
HOURS = Hours()
REACHED: dict[Any, Any] = {"push": "no_contact", "voice": "channel_missing"}
ISSUE, MAIL, BEFORE, AFTER, FAILED = range(5)
MAIN = 0b1


def facts(now: datetime, **more: Any) -> Facts:  # noqa: ANN401  # fields of the facts
    given_: dict[str, Any] = {
        "now": now, "issued_at": ISSUED, "due_on": DUE_ON, "unreached": REACHED, "choices": {},
        "done": MAIN,
    }  # fmt: skip
    return Facts(**(given_ | more))


def at(day: int, hour: int = 12, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=TOKYO)


def sent(decision: Decision) -> int | None:
    return decision.send


# --- which rung ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "more", "send", "until"),
    [
        (ISSUED, {"done": 0}, ISSUE, at(5, 10)),
        (at(5, 9), {}, None, at(5, 10)),
        (at(5, 10), {}, MAIL, at(27, 0)),
        (at(5, 10), {"is_opened": True}, None, at(27, 0)),
        (at(27), {"done": 0b11}, BEFORE, at(2, 0, 12)),
        (at(2, 12, 12), {"done": 0b111}, AFTER, None),
        (at(20), {"done": 0b11, "failed_at": at(20)}, FAILED, at(27, 0)),
        (at(2, 12, 12), {"done": 0b11111}, None, None),
    ],
)
def test_the_default_ladder_says_its_rungs_in_turn(
    now: datetime, more: dict[str, Any], send: int | None, until: datetime | None
) -> None:
    found = decide(RUNGS, HOURS, facts(now, **more))

    assert (found.send, found.until, found.held) == (send, until, "")


def test_a_payer_whom_the_first_rung_does_not_reach_gets_the_next_one_at_once() -> None:
    unreached = REACHED | {"sms": "no_contact"}

    found = decide(RUNGS, HOURS, facts(ISSUED, done=0, unreached=unreached))

    assert found.send == MAIL
    assert found.skips == (Skip(rung=ISSUE, reason="no_contact"),)
    assert found.done(0) == 0b11


def test_what_is_counted_from_the_due_date_keeps_its_day_whoever_is_not_reached() -> None:
    unreached = REACHED | {"email": "no_contact"}

    found = decide(RUNGS, HOURS, facts(at(5, 10), unreached=unreached))

    assert (found.send, found.skips) == (None, (Skip(rung=MAIL, reason="no_contact"),))
    assert found.until == at(27, 0)


def test_a_message_that_came_back_brings_the_next_way_forward() -> None:
    unreached = REACHED | {"sms": "undelivered"}

    found = decide(RUNGS, HOURS, facts(at(2), is_lost=True, unreached=unreached))

    assert (found.send, found.skips) == (MAIL, ())


def test_of_rungs_that_were_missed_only_the_newest_is_said() -> None:
    found = decide(RUNGS, HOURS, facts(at(5, 12, 12)))

    assert found.send == AFTER
    assert found.skips == (
        Skip(rung=BEFORE, reason="past"),
        Skip(rung=MAIL, reason="overtaken"),
    )
    assert found.done(MAIN) == 0b1111


def test_a_bill_issued_late_is_not_reminded_of_days_gone_by() -> None:
    late = at(9, 10, 12)

    found = decide(RUNGS, HOURS, facts(late, done=0, issued_at=late))

    assert found.send == ISSUE
    assert {skip.rung for skip in found.skips} == {BEFORE, AFTER}


@pytest.mark.parametrize(
    ("choice", "kind", "send", "reason"),
    [
        ({}, "transactional", 0, None),
        ({("email", "transactional"): False}, "transactional", None, "opted_out"),
        ({("email", "marketing"): False}, "transactional", 0, None),
        ({}, "marketing", None, "no_consent"),
        ({("email", "marketing"): True}, "marketing", 0, None),
        ({("email", "transactional"): True}, "marketing", None, "no_consent"),
    ],
)
def test_consent_is_kept_by_channel_and_class(
    choice: dict[Any, bool],
    kind: Class,
    send: int | None,
    reason: str | None,
) -> None:
    rungs = (Rung(when="after_issue", days=1, channel="email", kind=kind),)

    found = decide(rungs, HOURS, facts(at(4), done=0, choices=choice))

    assert found.send == send
    assert [skip.reason for skip in found.skips] == ([reason] if reason else [])


def test_the_first_notice_is_not_opted_out_of_but_unsubscribed_from() -> None:
    choices: dict[Any, bool] = {("sms", "transactional"): False}

    assert decide(RUNGS, HOURS, facts(ISSUED, done=0, choices=choices)).send == ISSUE
    rungs = (Rung(when="issue", channel="email"), Rung(when="after_issue", days=3, channel="sms"))
    choices = {("email", "transactional"): False}
    no_mail = facts(ISSUED, done=0, choices=choices, unsubscribed=("email",), unreached={})
    assert decide(rungs, HOURS, no_mail).send == 1  # the next rung, at once
    alone = decide(rungs[:1], HOURS, no_mail)
    assert (alone.send, alone.paper) == (None, "opted_out")


# --- when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "more", "held", "until"),
    [
        (at(5, 22), {}, "quiet_hours", at(6, 8)),
        (at(27, 0), {"done": 0b11}, "quiet_hours", at(27, 8)),
        (at(5), {"last_told": date(2026, 11, 5)}, "told_today", at(6, 8)),
        (at(5), {"told_days": [date(2026, 11, 5)] * 2}, "cap", at(6, 8)),
        (at(5), {"told_days": [date(2026, 11, day) for day in range(1, 6)]}, "cap", at(6, 8)),
        (at(5), {"told_days": [date(2026, 10, 29 - day) for day in range(5)]}, "", at(27, 0)),
    ],
)
def test_a_rung_that_is_due_waits_for_an_hour_at_which_it_may_be_said(
    now: datetime, more: dict[str, Any], held: str, until: datetime
) -> None:
    found = decide(RUNGS, HOURS, facts(now, **more))

    assert (found.held, found.until) == (held, until)
    assert (found.send is None, found.skips) == (bool(held), ())


def test_sundays_and_holidays_are_kept_where_the_plan_says_so() -> None:
    hours = Hours(rests=True)
    tuesday = date(2026, 11, 3)

    sunday = decide(RUNGS, hours, facts(at(8)))
    holiday = decide(RUNGS, hours, facts(at(3), is_lost=True, holidays=frozenset({tuesday})))

    assert (sunday.held, sunday.until) == ("holiday", at(9, 8))
    assert (holiday.held, holiday.until) == ("holiday", at(4, 8))


@pytest.mark.parametrize(
    ("hours", "hour", "quiet"),
    [
        (Hours(), 21, True), (Hours(), 7, True), (Hours(), 8, False), (Hours(), 20, False),
        (Hours(quiet_from=time(0), quiet_until=time(9)), 8, True),
        (Hours(quiet_from=time(0), quiet_until=time(9)), 23, False),
        (Hours(quiet_from=time(8), quiet_until=time(8)), 3, False),
    ],
)  # fmt: skip
def test_quiet_hours_may_cross_midnight_or_not_or_be_none(
    hours: Hours, hour: int, *, quiet: bool
) -> None:
    assert is_quiet(at(5, hour), hours) is quiet


def test_nothing_begins_so_late_that_it_might_arrive_in_quiet_hours() -> None:
    assert is_near_quiet(at(5, 20) + timedelta(minutes=56), HOURS, frozenset())
    assert not is_near_quiet(at(5, 20) + timedelta(minutes=54), HOURS, frozenset())


# --- what always holds --------------------------------------------------------------------------

rungs_of_chance = some.lists(
    some.builds(
        Rung,
        when=some.sampled_from(("after_issue", "before_due", "after_due", "after_failure")),
        channel=some.sampled_from(("sms", "email")),
        days=some.integers(1, 20),
        unless=some.sampled_from(("", "opened")),
    ),
    max_size=8,
    unique=True,
)
hours_of_chance = some.builds(
    Hours,
    quiet_from=some.times(),
    quiet_until=some.times(),
    rests=some.booleans(),
    per_day=some.integers(1, 3),
    per_week=some.integers(1, 5),
)


@given(rungs=rungs_of_chance, hours=hours_of_chance, gaps=some.lists(some.integers(1, 99)))
def test_however_often_one_looks_nobody_is_told_twice_a_day_or_in_quiet_hours(
    rungs: list[Rung], hours: Hours, gaps: list[int]
) -> None:
    done, told, now = 0, list[datetime](), ISSUED
    for gap in gaps:
        days = [moment.date() for moment in told]
        seen = facts(now, done=done, last_told=max(days, default=None), told_days=days)
        found = decide(rungs, hours, seen)
        assert found.until is None or found.until > now
        assert (found.done(done) & done) == done
        if found.send is not None:
            assert not done >> found.send & 1
            assert not is_quiet(now, hours)
            told.append(now)
        done = found.done(done)
        now += timedelta(hours=gap)

    assert all(one.date() < other.date() for one, other in pairwise(told))
    assert len(told) <= len(rungs)


@given(moment=some.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), hours=hours_of_chance)  # noqa: DTZ001
def test_every_night_ends(moment: datetime, hours: Hours) -> None:
    local = moment.replace(tzinfo=TOKYO)
    opens = opens_at(local, hours, frozenset())
    assert opens >= local
    assert is_quiet(opens, hours) is False


# --- plans --------------------------------------------------------------------------------------


def test_a_plan_is_read_as_it_was_written() -> None:
    assert read_plan(write_plan(DEFAULT)) == DEFAULT
    plan = Plan(ladders={"": RUNGS, "water": ()}, hours=Hours(rests=True))
    assert read_plan(write_plan(plan)) == plan
    assert (plan.rungs_of("water"), plan.rungs_of("gas")) == ((), RUNGS)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("{", "truncated"),
        ("{}", "ladders"),
        ('{"ladders": {}}', "1 to"),
        ('{"ladders": {"": [{"when": "sometimes", "channel": "sms"}]}}', "sometimes"),
        ('{"ladders": {"": [{"when": "issue", "channel": "fax"}]}}', "fax"),
        ('{"ladders": {"": [{"when": "issue", "channel": "sms", "day": 3}]}}', "day"),
        ('{"ladders": {"": [{"when": "after_due", "channel": "sms"}]}}', "[0]: days 1 to"),
        ('{"ladders": {"": [{"when": "issue", "channel": "sms", "days": 1}]}}', "on issue"),
        ('{"ladders": {"": []}, "hours": {"per_day": 0}}', f"per_day: 1 to {CAP_MAX}"),
        ('{"ladders": {"": []}, "hours": {"quiet_from": "21:00:00Z"}}', "own zone"),
        (
            '{"ladders": {"": [{"when": "issue", "channel": "sms", "kind": "marketing"}]}}',
            "transactional",
        ),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_the_place(raw: str, says: str) -> None:
    with pytest.raises(InvalidInput, match="ladder_plan") as refused:
        read_plan(raw.encode())

    assert says in str(refused.value.params["field"])


def test_what_is_counted_from_the_due_date_begins_with_its_day() -> None:
    rung = Rung(when="before_due", days=3, channel="sms")
    assert due_at(rung, facts(ISSUED)) == at(27, 0)


# --- calls --------------------------------------------------------------------------------------

CALLS = (
    Rung(when="issue", channel="voice"),
    Rung(when="after_issue", days=3, channel="email"),
)
CALLED: dict[Any, Any] = {"sms": "no_contact", "push": "no_contact"}


def test_a_rung_that_is_called_again_keeps_its_moment_and_lets_none_overtake_it() -> None:
    again = {"done": 0, "again": {0: at(3, 13)}, "is_lost": False, "unreached": CALLED}

    waits = decide(CALLS, HOURS, facts(at(2, 19), **again))
    comes = decide(CALLS, HOURS, facts(at(3, 13), **again))

    assert (waits.send, waits.until, waits.skips) == (None, at(3, 13), ())
    assert (comes.send, comes.until) == (0, at(5, 10))


@pytest.mark.parametrize(("channel", "send"), [("voice", 1), ("sms", 0)])
def test_a_no_to_calls_holds_for_a_first_notice_by_telephone_too(channel: Any, send: int) -> None:  # noqa: ANN401  # a channel
    rungs = (Rung(when="issue", channel=channel), CALLS[1])
    said = {(channel, "transactional"): False}

    assert decide(rungs, HOURS, facts(ISSUED, done=0, choices=said, unreached={})).send == send


@pytest.mark.parametrize(
    ("rungs", "tells"),
    [
        ((), False),
        ((Rung(when="issue", channel="paper"),), False),
        ((Rung(when="after_failure", channel="sms"),), False),
        ((Rung(when="issue", channel="sms", kind="marketing"),), False),
        ((Rung(when="after_due", days=2, channel="voice"),), True),
    ],
)
def test_a_plan_tells_of_a_bill_by_the_messages_that_come_by_themselves(
    rungs: tuple[Rung, ...],
    tells: bool,  # noqa: FBT001  # a case
) -> None:
    assert tells_by_message(rungs) is tells


def test_whom_neither_message_nor_paper_reaches_is_said_to_be_untold() -> None:
    ways: dict[Any, Any] = {"sms": "no_contact", "email": "undelivered", "paper": "no_address"}

    assert decide(RUNGS, HOURS, facts(ISSUED, done=0, unreached=ways)).untold == "undelivered"
    del ways["sms"]
    assert decide(RUNGS, HOURS, facts(ISSUED, done=0, unreached=ways)).untold is None
