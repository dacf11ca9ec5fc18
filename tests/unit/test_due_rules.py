"""Which bills the passing of days changes, and how long things are kept."""

from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.bill import (
    LAPSE_AFTER_DAYS_MAX,
    LIFECYCLE,
    Lifecycle,
    Settlement,
    follows_calendar,
    is_past_due,
    lapses_before,
)
from portal.domain.retention import KEPT, PERIODS, Forgotten

DOCS = Path(__file__).parents[2] / "docs"
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(DAYS, st.integers(-400, 400))
def test_a_bill_is_late_from_the_day_after_its_due_date(due_on: date, days: int) -> None:
    assert is_past_due(due_on, due_on + timedelta(days=days)) is (days >= 1)


@given(DAYS, st.integers(0, LAPSE_AFTER_DAYS_MAX), st.integers(-400, 4_000))
def test_a_bill_lapses_the_day_after_its_last_day_to_pay(
    due_on: date, lapse_after: int, days: int
) -> None:
    before = lapses_before(due_on + timedelta(days=days), lapse_after)

    assert before is not None
    assert (due_on < before) is (days > lapse_after)


@given(DAYS)
def test_without_a_number_of_days_nothing_lapses(today: date) -> None:
    assert lapses_before(today, None) is None


@given(DAYS, DAYS, st.integers(0, LAPSE_AFTER_DAYS_MAX))
def test_what_lapses_is_late_too(due_on: date, today: date, lapse_after: int) -> None:
    before = lapses_before(today, lapse_after)

    assert before is not None
    assert is_past_due(due_on, today) or not due_on < before


@pytest.mark.parametrize("lifecycle", get_args(Lifecycle))
@pytest.mark.parametrize("settlement", get_args(Settlement))
def test_only_what_is_owed_follows_the_calendar(
    lifecycle: Lifecycle, settlement: Settlement
) -> None:
    moves = follows_calendar(lifecycle, settlement)

    assert moves is (settlement == "unpaid" and lifecycle in {"open", "overdue"})
    if moves:
        event = "pass_due" if lifecycle == "open" else "lapse"
        assert (lifecycle, event) in LIFECYCLE


@pytest.mark.parametrize("what", get_args(Forgotten))
def test_every_period_stands_in_the_security_promise_with_its_reason(what: Forgotten) -> None:
    period = PERIODS[what]
    unit = "day" if period.days == 1 else "days"

    page = (DOCS / "security-promise.md").read_text(encoding="utf-8")

    row = f"(`{what}`) | {period.days} {unit} after {period.since} | {period.why} |"
    assert row in page


@pytest.mark.parametrize("table", sorted(KEPT))
def test_what_is_kept_stands_there_too(table: str) -> None:
    page = (DOCS / "security-promise.md").read_text(encoding="utf-8")

    assert f"`{table}`" in page
    assert KEPT[table] in page


def test_idempotency_keys_live_as_long_as_the_api_promises() -> None:
    days = PERIODS["idempotency_key"].days

    assert f"remembered for {days} days" in (DOCS / "graphql.md").read_text(encoding="utf-8")
