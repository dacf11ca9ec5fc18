from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.days import (
    BANK_HOLIDAYS,
    OVERRIDES_MAX,
    BankCalendar,
    DebitTerms,
    cut_off,
    debit_day,
    is_in_time,
    say_of_day,
)
from portal.domain.errors import InvalidInput
from portal.kit.holidays import SINCE, UNTIL, bank_calendar
from portal.stack.doctor import calendar_finding

CALENDAR = bank_calendar()
SEVENTH = DebitTerms(day_of_month=6, submit_days=7, submit_by=time(16))
DAYS = st.dates(SINCE + timedelta(days=60), UNTIL - timedelta(days=60))


@pytest.mark.parametrize(
    ("year", "month", "debit_on", "submitted_by"),
    [
        (2021, 2, date(2021, 2, 8), date(2021, 1, 28)),
        (2021, 5, date(2021, 5, 6), date(2021, 4, 21)),
        (2021, 6, date(2021, 6, 7), date(2021, 5, 27)),
        (2021, 8, date(2021, 8, 6), date(2021, 7, 28)),
        (2021, 11, date(2021, 11, 8), date(2021, 10, 27)),
        (2022, 1, date(2022, 1, 6), date(2021, 12, 24)),
        (2022, 2, date(2022, 2, 7), date(2022, 1, 27)),
    ],
)
def test_the_rule_gives_the_days_that_a_bank_really_published(
    year: int, month: int, debit_on: date, submitted_by: date
) -> None:
    # A bank's printed schedule for debits on the 6th with files seven business days before.
    assert debit_day(CALENDAR, SEVENTH, year, month) == debit_on
    assert cut_off(CALENDAR, SEVENTH, debit_on).date() == submitted_by


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 12, 31), date(2026, 1, 1), date(2026, 1, 2), date(2025, 1, 3),
        date(2026, 11, 28), date(2026, 11, 29),
        date(2026, 11, 23), date(2026, 5, 6), date(2026, 9, 22), date(2027, 3, 22),
    ],
)  # fmt: skip
def test_weekends_holidays_and_the_turn_of_the_year_are_no_business_days(day: date) -> None:
    assert not CALENDAR.is_business_day(day)


@pytest.mark.parametrize("day", [date(2026, 12, 30), date(2027, 1, 4), date(2026, 11, 27)])
def test_banks_work_until_the_30th_and_again_from_the_4th(day: date) -> None:
    assert CALENDAR.is_business_day(day)


@given(day=DAYS)
def test_a_debit_never_moves_forward_in_time_and_lands_on_the_first_open_day(day: date) -> None:
    moved = CALENDAR.roll(day)

    assert moved >= day
    assert CALENDAR.is_business_day(moved)
    between = [day + timedelta(days=step) for step in range((moved - day).days)]
    assert not any(map(CALENDAR.is_business_day, between))


@given(day=DAYS, count=st.integers(0, 15))
def test_business_days_before_a_day_are_counted_without_it(day: date, count: int) -> None:
    back = CALENDAR.before(day, count)

    days = [back + timedelta(days=step) for step in range((day - back).days)]
    assert sum(map(CALENDAR.is_business_day, days)) == count
    assert count == 0 or CALENDAR.is_business_day(back)


@given(year=st.integers(SINCE.year, UNTIL.year), month_day=st.sampled_from(sorted(BANK_HOLIDAYS)))
def test_bank_holidays_hold_every_year(year: int, month_day: tuple[int, int]) -> None:
    assert not CALENDAR.is_business_day(date(year, *month_day))


def test_an_operators_word_wins_over_the_data() -> None:
    calendar = bank_calendar(closed=[date(2026, 11, 27)], opened=[date(2026, 11, 23)])

    assert not calendar.is_business_day(date(2026, 11, 27))
    assert calendar.is_business_day(date(2026, 11, 23))
    assert calendar.roll(date(2026, 11, 27)) == date(2026, 11, 30)


def test_an_operators_word_and_its_contrary_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        bank_calendar(closed=[date(2026, 11, 27)], opened=[date(2026, 11, 27)])

    assert refused.value.params == {"day": "2026-11-27"}


@pytest.mark.parametrize("day", [SINCE - timedelta(days=1), UNTIL + timedelta(days=1)])
def test_a_day_that_the_data_does_not_reach_is_never_guessed(day: date) -> None:
    with pytest.raises(InvalidInput) as refused:
        CALENDAR.is_business_day(day)

    assert refused.value.code == "calendar_ends"


@pytest.mark.parametrize(
    ("today", "warned"),
    [
        (date(2027, 10, 31), False),
        (date(2027, 11, 1), True),
        (date(2026, 11, 27), False),
        (date(2029, 1, 1), True),
    ],
)
def test_a_calendar_asks_to_be_renewed_14_months_before_it_ends(
    today: date, *, warned: bool
) -> None:
    assert CALENDAR.ends_soon(today) is warned


def test_a_month_end_that_the_next_month_has_to_take() -> None:
    terms = DebitTerms(day_of_month=31, submit_days=4, submit_by=time(15))

    assert debit_day(CALENDAR, terms, 2027, 2) == date(2027, 3, 1)
    assert debit_day(CALENDAR, terms, 2026, 10) == date(2026, 11, 2)
    assert debit_day(CALENDAR, terms, 2026, 12) == date(2027, 1, 4)


def test_a_contract_may_move_debits_the_other_way() -> None:
    terms = DebitTerms(day_of_month=6, submit_days=7, submit_by=time(16), moves="previous")

    assert debit_day(CALENDAR, terms, 2021, 2) == date(2021, 2, 5)


def test_the_cut_off_is_a_moment_in_japan_and_itself_in_time() -> None:
    debit_on = date(2026, 12, 28)
    until = cut_off(CALENDAR, SEVENTH, debit_on)

    assert until == datetime(2026, 12, 17, 7, tzinfo=UTC)
    assert is_in_time(CALENDAR, SEVENTH, debit_on, until)
    assert not is_in_time(CALENDAR, SEVENTH, debit_on, until + timedelta(microseconds=1))


@pytest.mark.parametrize("day_of_month", [1, 31])
def test_the_first_and_the_last_day_and_one_day_before_are_terms(day_of_month: int) -> None:
    terms = DebitTerms(day_of_month=day_of_month, submit_days=1, submit_by=time(15))

    assert cut_off(CALENDAR, terms, date(2026, 12, 1)).date() == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("day_of_month", "submit_days", "field"),
    [(0, 7, "day_of_month"), (32, 7, "day_of_month"), (6, 0, "submit_days")],
)
def test_terms_that_no_bank_could_mean_are_refused(
    day_of_month: int, submit_days: int, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        DebitTerms(day_of_month=day_of_month, submit_days=submit_days, submit_by=time(15))

    assert refused.value.params == {"field": field}


def test_a_holiday_that_is_made_later_moves_the_debits_after_it() -> None:
    added = date(2026, 12, 28)
    calendar = BankCalendar(
        holidays=CALENDAR.holidays | {added}, since=CALENDAR.since, until=CALENDAR.until
    )

    assert calendar.roll(added) == date(2026, 12, 29)
    assert calendar.before(date(2026, 12, 29), 1) == date(2026, 12, 25)


def test_what_an_operator_says_of_a_day_last_is_what_counts_and_can_be_taken_back() -> None:
    tuesday = date(2026, 12, 1)

    closed, opened = say_of_day(CALENDAR, tuesday, "closed")
    reopened = say_of_day(replace(CALENDAR, closed=closed, opened=opened), tuesday, "open")
    back = say_of_day(replace(CALENDAR, opened=reopened[1]), tuesday, "calendar")

    assert (closed, opened) == ({tuesday}, frozenset())
    assert reopened == (frozenset(), {tuesday})
    assert back == (frozenset(), frozenset())


def test_a_word_on_more_days_than_a_year_has_is_another_calendar() -> None:
    days = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(OVERRIDES_MAX))

    with pytest.raises(InvalidInput, match="bank_days_too_many"):
        say_of_day(replace(CALENDAR, closed=days), max(days) + timedelta(days=1), "closed")
    with pytest.raises(InvalidInput, match="calendar_ends"):
        say_of_day(CALENDAR, CALENDAR.until + timedelta(days=1), "closed")


def test_the_doctor_asks_for_a_newer_calendar_before_debits_are_refused() -> None:
    today = (UNTIL - timedelta(days=500), UNTIL - timedelta(days=30), UNTIL + timedelta(days=1))

    found = [calendar_finding(day) for day in today]

    assert [one.verdict for one in found] == ["good", "note", "bad"]
    assert [bool(one.fix) for one in found] == [False, True, True]
