"""Cards on file: which bills they are charged for, when, and what a company's word does to them."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.methods.registry import CHARGES
from portal.domain import card_on_file as rules
from portal.domain.card_on_file import (
    AGAIN_TODAY,
    DAYS_BEFORE_MAX,
    ENROLS,
    FOUND_WITHIN,
    STOPS,
    TRIES_MAX,
    CardEvent,
    CardState,
    ChargeFacts,
)
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.payment import DECLINE_CODES

DAY = date(2026, 11, 27)
ONE = timedelta(days=1)
PAYABLE = ChargeFacts(
    lifecycle="open", settlement="unpaid", amount_minor=8420, is_day=True, has_live=False,
    is_paused=False, card="active",
)  # fmt: skip


def test_companies_that_keep_cards_are_those_that_can_charge_them() -> None:
    assert set(CHARGES) == ENROLS


def test_every_edge_that_is_not_in_the_table_is_refused() -> None:
    for state, event in product(get_args(CardState), get_args(CardEvent)):
        if (state, event) in rules.TRANSITIONS:
            assert rules.advance(state, event).code.startswith("card.")
            continue
        with pytest.raises(Conflict):
            rules.advance(state, event)


def test_a_card_that_is_gone_comes_back_in_no_way() -> None:
    left = {state for state, _ in rules.TRANSITIONS}

    assert not left & {"replaced", "revoked", "void"}


@pytest.mark.parametrize("days", [None, 0, DAYS_BEFORE_MAX])
def test_days_before_are_taken_up_to_their_bound(days: int | None) -> None:
    rules.check_days_before(days)


@pytest.mark.parametrize("days", [-1, DAYS_BEFORE_MAX + 1])
def test_days_before_beyond_their_bounds_are_refused(days: int) -> None:
    with pytest.raises(InvalidInput):
        rules.check_days_before(days)


@given(st.integers(0, DAYS_BEFORE_MAX), st.integers(-40, 40), st.integers(-40, 40))
def test_the_day_that_is_shown_is_the_first_one_on_which_the_bill_is_charged(
    before: int, due_in: int, enrolled_in: int
) -> None:
    due_on, enrolled_on = DAY + due_in * ONE, DAY + enrolled_in * ONE
    shown = rules.charge_on(due_on, before, DAY)

    assert shown >= DAY
    is_charged = rules.is_day(enrolled_on, due_on, before, shown)
    assert is_charged == (due_on > enrolled_on)
    if shown > DAY:
        assert not rules.is_day(enrolled_on, due_on, before, shown - ONE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"lifecycle": "overdue"}, None),
        ({"lifecycle": "lapsed"}, "not_payable"),
        ({"lifecycle": "canceling"}, "not_payable"),
        ({"settlement": "settled"}, "not_payable"),
        ({"settlement": "provisional"}, "not_payable"),
        ({"is_day": False}, "not_due"),
        ({"is_paused": True}, "paused"),
        ({"has_live": True}, "attempt_running"),
        ({"amount_minor": 0}, "method_unavailable"),
        ({"amount_minor": 10_000_000}, "method_unavailable"),
        ({"card": "suspended"}, "card_not_active"),
        ({"card": "revoked"}, "card_not_active"),
    ],
)
def test_a_bill_is_charged_only_while_everything_speaks_for_it(
    changes: dict[str, object], code: str | None
) -> None:
    assert rules.why_not(replace(PAYABLE, **changes)) == code  # type: ignore[arg-type]


def test_only_what_nobody_looked_at_is_tried_again_and_not_for_ever() -> None:
    for code in DECLINE_CODES - AGAIN_TODAY:
        assert rules.goes_on("refused", code, 1) is None
    for code in AGAIN_TODAY:
        assert rules.goes_on("refused", code, TRIES_MAX - 1) == "planned"
        assert rules.goes_on("refused", code, TRIES_MAX) == "left_out"
        assert rules.goes_on("unknown", code, 1) is None
        assert rules.goes_on("accepted", code, 1) is None


def test_a_card_is_stopped_by_words_about_the_card_alone() -> None:
    assert DECLINE_CODES >= STOPS
    assert rules.is_stopped_by("failed", "card_expired")
    assert not rules.is_stopped_by("failed", "insufficient_funds")
    assert not rules.is_stopped_by("unknown", "card_expired")


@pytest.mark.parametrize(
    ("state", "age", "believed"),
    [
        ("redeemed", FOUND_WITHIN - timedelta(seconds=1), False),
        ("redeemed", FOUND_WITHIN, True),
        ("handed", timedelta(0), True),
    ],
)
def test_not_found_counts_for_a_sent_charge_only_when_the_search_must_have_caught_up(
    state: str, age: timedelta, *, believed: bool
) -> None:
    assert rules.is_believed_missing(state, age) is believed  # type: ignore[arg-type]
