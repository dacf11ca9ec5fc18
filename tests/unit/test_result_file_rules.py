"""When result files are made, and how their rows are written."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.domain.result_file import (
    CHASE_AFTER,
    ResultEvent,
    ResultPlan,
    Total,
    is_chased,
    next_at,
    write_end,
    write_rows,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "now", "zone", "due"),
    [
        (ResultPlan(), NOW, TOKYO, None),
        (ResultPlan(every_minutes=5), NOW, TOKYO, "2026-11-28T09:05:00+00:00"),
        (ResultPlan(daily_hour=18), NOW, TOKYO, "2026-11-29T09:00:00+00:00"),
        (ResultPlan(daily_hour=19), NOW, TOKYO, "2026-11-28T10:00:00+00:00"),
        (ResultPlan(daily_hour=0), NOW, TOKYO, "2026-11-28T15:00:00+00:00"),
        # Clocks go forward from 2 to 3 on 14 March 2027: there is no 2 o'clock.
        (
            ResultPlan(daily_hour=2),
            datetime(2027, 3, 14, 5, 0, tzinfo=UTC),
            NEW_YORK,
            "2027-03-14T07:00:00+00:00",
        ),
    ],
)
def test_a_plan_says_when_the_next_file_is_due(
    plan: ResultPlan, now: datetime, zone: ZoneInfo, due: str | None
) -> None:
    found = next_at(plan, now, zone)

    assert (found and found.isoformat()) == due
    assert plan.wants_empty == (plan.daily_hour is not None)


def test_a_file_is_asked_for_once_its_time_is_over() -> None:
    assert is_chased(NOW - CHASE_AFTER, NOW)
    assert not is_chased(NOW - CHASE_AFTER + timedelta(seconds=1), NOW)


def test_rows_are_written_in_the_merchants_zone_and_charset() -> None:
    event = ResultEvent(
        kind="paid_confirmed",
        bill_number='請求"𠮷",1',
        bill_kind="monthly",
        period="2026-11",
        amount_minor=8420,
        method="card",
        at=NOW,
    )

    rows = write_rows(7, 3, [event], TOKYO, "cp932").decode("cp932")
    end = write_end(7, {"sent": Total(rows=2, amount_minor=0)}, NOW, TOKYO, "utf-8").decode()

    assert rows == (
        '7,event,3,paid_confirmed,"請求""〓"",1",monthly,2026-11,8420,card,'
        "2026-11-28T18:00:00+09:00\r\n"
    )
    assert end == "7,total,2,sent,,,,0,,\r\n7,end,2,,,,,,,2026-11-28T18:00:00+09:00\r\n"
