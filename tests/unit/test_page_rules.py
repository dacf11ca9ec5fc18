from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contract import page as contract
from portal.domain import page
from portal.domain.bill import Lifecycle, Settlement
from portal.domain.page import AttemptSide, BillSide, LatestAttempt
from portal.domain.payment import LIVE, AttemptState

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
LIFECYCLES = get_args(Lifecycle)
SETTLEMENTS = get_args(Settlement)
ATTEMPTS = (None, *get_args(AttemptState))


def said(
    lifecycle: Lifecycle,
    settlement: Settlement,
    attempt: AttemptState | None,
    *,
    days: int = 10,
    age: timedelta = timedelta(0),
) -> str:
    latest = None if attempt is None else LatestAttempt(state=attempt, state_at=NOW - age)
    return page.page_state(
        page.bill_side(lifecycle, settlement),
        page.attempt_side(latest, NOW),
        is_overdue=lifecycle == "overdue",
        days_left=days,
    )


def test_the_table_answers_for_every_pair() -> None:
    for bill in get_args(BillSide):
        assert set(page.SAYS[bill]) == set(get_args(AttemptSide))


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("settlement", SETTLEMENTS)
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_every_state_has_a_page(
    lifecycle: Lifecycle, settlement: Settlement, attempt: AttemptState | None
) -> None:
    assert said(lifecycle, settlement, attempt) in get_args(contract.PageState)


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_a_paid_bill_says_paid_whatever_else_happened(
    lifecycle: Lifecycle, attempt: AttemptState | None
) -> None:
    assert said(lifecycle, "settled", attempt) == "paid"
    if lifecycle not in {"canceled", "superseded"}:
        assert said(lifecycle, "over", attempt) == "paid"


@pytest.mark.parametrize("lifecycle", ["canceled", "superseded"])
def test_money_for_a_bill_that_is_no_more_paid_nothing_and_its_page_says_so(
    lifecycle: Lifecycle,
) -> None:
    assert said(lifecycle, "over", None) == lifecycle
    assert said(lifecycle, "over", "succeeded") == lifecycle
    assert said(lifecycle, "over", "unknown") == "unclear"


@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_nobody_is_told_it_is_over_while_the_outcome_is_unknown(lifecycle: Lifecycle) -> None:
    assert said(lifecycle, "unpaid", "unknown") == "unclear"
    assert said(lifecycle, "unpaid", "processing") == "processing"


@pytest.mark.parametrize(
    ("days", "expected"), [(4, "open"), (3, "due_soon"), (0, "due_soon"), (-1, "overdue")]
)
def test_the_calendar_decides_between_open_due_soon_and_overdue(days: int, expected: str) -> None:
    assert said("open", "unpaid", None, days=days) == expected


def test_a_bill_that_was_marked_overdue_is_overdue_even_before_its_date() -> None:
    assert said("overdue", "unpaid", None, days=5) == "overdue"


@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_nobody_is_told_to_pay_while_they_may_have_paid_on_the_providers_page(
    lifecycle: Lifecycle,
) -> None:
    just_left, longer = page.JUST_LEFT, page.JUST_LEFT + timedelta(seconds=1)

    assert said(lifecycle, "unpaid", "requires_action", age=longer) == "unclear"
    assert said(lifecycle, "unpaid", "requires_action", age=just_left) != "unclear"
    assert said(lifecycle, "settled", "requires_action", age=longer) == "paid"


@pytest.mark.parametrize(("heard", "side"), [(0, "acting"), (60, "acting"), (61, "asking")])
def test_not_paid_yet_is_believed_for_a_minute(heard: int, side: str) -> None:
    latest = LatestAttempt(
        state="requires_action",
        state_at=NOW - timedelta(hours=1),
        heard_at=NOW - timedelta(seconds=heard),
    )

    assert page.attempt_side(latest, NOW) == side


def test_a_decline_is_news_for_an_hour_only() -> None:
    assert said("open", "unpaid", "failed", age=timedelta(hours=1)) == "declined"
    assert said("open", "unpaid", "failed", age=timedelta(hours=1, seconds=1)) == "open"


def test_coming_back_from_the_providers_page_unpaid_is_the_open_page() -> None:
    assert said("open", "unpaid", "requires_action") == "open"


def test_withdrawn_bills_say_so() -> None:
    assert said("canceling", "unpaid", None) == "canceled"
    assert said("canceled", "unpaid", "failed") == "canceled"
    assert said("superseded", "unpaid", None) == "superseded"
    assert said("lapsed", "unpaid", None) == "lapsed"


def test_days_left_is_zero_on_the_due_date() -> None:
    assert page.days_left(date(2026, 12, 10), date(2026, 12, 10)) == 0
    assert page.days_left(date(2027, 1, 1), date(2026, 12, 31)) == 1


def reasons(
    attempt: AttemptState | None = None,
    amount: int = 8420,
    lifecycle: Lifecycle = "open",
    offered: frozenset[str] = frozenset({"card"}),
    method: str = "card",
    held_by: str | None = None,
) -> str | None:
    found = page.offers(
        lifecycle, "unpaid", attempt, amount_minor=amount, offered=offered, held_by=held_by
    )
    assert [offer.method for offer in found] == ["card", "wallet", "number", "slip"]
    return {offer.method: offer.reason for offer in found}[method]


def test_a_payable_bill_offers_the_card() -> None:
    assert reasons() is None
    assert reasons("requires_action") is None
    assert reasons("failed") is None


@pytest.mark.parametrize("attempt", sorted(LIVE - {"requires_action"}))
def test_no_second_payment_is_offered_while_one_runs(attempt: AttemptState) -> None:
    assert reasons(attempt) == "attempt_running"


def test_each_method_that_can_not_be_used_says_why() -> None:
    assert reasons(lifecycle="canceled") == "not_payable"
    assert reasons(offered=frozenset()) == "not_offered"
    assert reasons(amount=9_999_999) is None
    assert reasons(amount=0) == "amount_too_small"
    assert reasons(amount=10_000_000) == "amount_too_large"


BOTH = frozenset({"card", "wallet"})


def test_each_method_has_bounds_of_its_own() -> None:
    assert reasons(amount=500_000, offered=BOTH, method="wallet") is None
    assert reasons(amount=500_001, offered=BOTH, method="wallet") == "amount_too_large"
    assert reasons(amount=500_001, offered=BOTH) is None
    assert reasons(amount=0, offered=BOTH, method="wallet") == "amount_too_small"


def test_a_payer_on_one_methods_page_is_not_offered_another() -> None:
    held = {"attempt": "requires_action", "offered": BOTH, "held_by": "wallet"}

    assert reasons(method="wallet", **held) is None  # type: ignore[arg-type] - as above
    assert reasons(method="card", **held) == "attempt_elsewhere"  # type: ignore[arg-type]


def test_a_page_that_nobody_can_be_on_holds_up_no_method() -> None:
    for method in BOTH:
        assert reasons("requires_action", offered=BOTH, method=method) is None


def test_what_the_merchant_does_not_take_is_not_called_busy() -> None:
    assert reasons("requires_action", method="wallet", held_by="card") == "not_offered"


@pytest.mark.parametrize(
    ("name", "masked"),
    [("山田 花子", "山● ●子"), ("林", "●"), ("李 明", "李 ●"), ("ヤマダ", "ヤ●ダ"), ("", "")],
)
def test_a_name_shows_its_ends_only(name: str, masked: str) -> None:
    assert page.mask_name(name) == masked


@given(st.text(max_size=30))
def test_a_masked_name_never_shows_more_than_two_letters(name: str) -> None:
    shown = [letter for letter in page.mask_name(name) if not letter.isspace() and letter != "●"]

    assert len(shown) <= 2
    assert len(page.mask_name(name)) == len(name)
