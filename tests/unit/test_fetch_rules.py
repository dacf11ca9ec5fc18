"""A bank's answer by the line: on which day it is looked for, how often, and until when."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.domain import fetch
from portal.kit.holidays import bank_calendar

NOW = datetime(2026, 12, 28, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("debit_on", "days", "day"),
    [
        (date(2026, 11, 27), 0, date(2026, 11, 27)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 12, 30), 1, date(2027, 1, 4)),  # over the days on which no bank works
        (date(2026, 11, 20), 2, date(2026, 11, 25)),  # over a weekend and a holiday
    ],
)
def test_an_answer_is_looked_for_from_nine_on_its_business_day(
    debit_on: date, days: int, day: date
) -> None:
    due = fetch.result_due(bank_calendar(), debit_on, days)

    assert due == datetime(day.year, day.month, day.day, 0, 0, tzinfo=UTC), "9:00 in Japan"


def test_a_try_belongs_to_its_taker_for_a_while_and_then_to_nobody() -> None:
    for state in ("handed", "storing"):
        assert fetch.next_act(state, NOW, NOW) == "wait"
        assert fetch.next_act(state, NOW - fetch.GRACE, NOW) == "fetch"
    assert fetch.next_act("planned", NOW, NOW) == "fetch"
    assert fetch.next_act("by_hand", NOW, NOW) == "fetch", "only a person starts it again"
    assert fetch.next_act("read", NOW - fetch.ENDS_AFTER, NOW) == "done"


def test_a_bank_is_asked_ever_more_rarely_and_not_for_ever() -> None:
    waits = [fetch.ask_again_s(tries, NOW, NOW) for tries in range(1, 9)]
    known = [wait for wait in waits if wait is not None]

    assert known == sorted(known)
    assert len(known) == len(waits)
    assert known[0] < known[-1] == known[-2]
    late = NOW + fetch.ENDS_AFTER + timedelta(seconds=1)
    assert fetch.ask_again_s(1, NOW, late) is None
