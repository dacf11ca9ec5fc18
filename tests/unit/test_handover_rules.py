"""A debit file on the line: what may be at the bank is never sent again."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.handover import (
    LINE_BYTES_MAX,
    TRIES_MAX,
    HandoverState,
    LineOutcome,
    after,
    ask_again_s,
    goes_by_line,
    next_act,
)

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
STATES = get_args(HandoverState)
OUTCOMES = get_args(LineOutcome)


def test_what_is_not_known_of_a_redeemed_file_never_leads_to_another_try() -> None:
    for outcome in ("unknown", "not_found"):
        state, event = after("redeemed", outcome, 1)

        assert (state, event) == ("unknown", "lose")
        for later in OUTCOMES:
            assert after(state, later, 1)[0] in {"unknown", "ended"}
        assert next_act(state, NOW, None, NOW) == "ask"


@pytest.mark.parametrize("state", ["handed", "redeemed"])
def test_what_reached_nobody_is_tried_again_and_then_left_to_a_person(
    state: HandoverState,
) -> None:
    assert after(state, "not_sent", 1) == ("planned", None)
    assert after(state, "not_sent", TRIES_MAX) == ("by_hand", None)


def test_a_file_that_is_over_or_given_up_moves_no_more() -> None:
    for state in ("ended", "by_hand", "planned"):
        for outcome in OUTCOMES:
            assert after(state, outcome, 1) == (state, None)
    for state in ("ended", "by_hand"):
        assert next_act(state, NOW, None, NOW) == "done"


def test_a_try_belongs_to_who_took_it_until_its_time_is_over() -> None:
    assert next_act("handed", NOW, None, NOW + SUBMIT_GRACE / 2) == "wait"
    assert next_act("handed", NOW, None, NOW + SUBMIT_GRACE) == "send"
    assert next_act("redeemed", NOW, None, NOW + timedelta(days=1)) == "ask"


def test_nobody_asks_before_the_next_question_is_due() -> None:
    assert next_act("unknown", NOW, NOW + timedelta(seconds=10), NOW) == "done"
    assert next_act("unknown", NOW, NOW + timedelta(seconds=1), NOW) == "ask", "clocks differ"
    assert next_act("unknown", NOW, NOW, NOW) == "ask"


def test_questions_become_rarer_and_end() -> None:
    waits = [ask_again_s(asked, 0.0) for asked in range(7)]

    assert waits == sorted(waits, key=lambda wait: wait or 0.0)
    assert None not in waits
    assert ask_again_s(3, timedelta(days=4).total_seconds()) is None


def test_a_long_file_or_a_contract_without_a_line_goes_by_hand() -> None:
    assert goes_by_line("sandbox_bank", LINE_BYTES_MAX)
    assert not goes_by_line("sandbox_bank", LINE_BYTES_MAX + 1)
    assert not goes_by_line("", 1)
