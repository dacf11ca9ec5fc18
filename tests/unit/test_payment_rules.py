from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contract.payment import FindingState
from portal.domain import payment
from portal.domain.errors import Conflict
from portal.domain.payment import (
    LIVE,
    TRANSITIONS,
    AttemptEvent,
    AttemptFacts,
    AttemptState,
    Found,
    Verdict,
)

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
STATES = get_args(AttemptState)
EVENTS = get_args(AttemptEvent)
FINDINGS = get_args(Found)
AMOUNT = 8420


def facts(state: AttemptState, asked: int = 0, missing_at: datetime | None = None) -> AttemptFacts:
    return AttemptFacts(
        state=state,
        amount_minor=AMOUNT,
        doubt_at=START,
        silent_since=START,
        asked=asked,
        missing_at=missing_at,
    )


def judge(
    state: AttemptState,
    found: Found,
    *,
    minutes: float = 1,
    amount: int = AMOUNT,
    decline: str = "",
    missing_at: datetime | None = None,
) -> Verdict:
    now = START + timedelta(minutes=minutes)
    return payment.judge(facts(state, missing_at=missing_at), found, amount, decline, now)


def test_domain_and_contract_speak_of_the_same_findings() -> None:
    assert set(FINDINGS) == set(get_args(FindingState))


@pytest.mark.parametrize(("state", "event"), list(TRANSITIONS))
def test_every_edge_carries_a_code_and_leads_to_a_state(
    state: AttemptState, event: AttemptEvent
) -> None:
    edge = payment.advance(state, event)

    assert edge.state in STATES
    assert edge.code.startswith("payment.")


def test_an_edge_that_is_not_in_the_table_is_a_conflict() -> None:
    others = [(s, e) for s in STATES for e in EVENTS if (s, e) not in TRANSITIONS]

    for state, event in others:
        with pytest.raises(Conflict) as refused:
            payment.advance(state, event)
        assert refused.value.code == "attempt_state"
    assert len(others) + len(TRANSITIONS) == len(STATES) * len(EVENTS)


def test_only_findings_of_an_inquiry_lead_out_of_unknown() -> None:
    events = {event for state, event in TRANSITIONS if state == "unknown"}

    assert events
    assert all(event.startswith("found_") for event in events)


def test_nothing_leads_back_to_submitting() -> None:
    into = {state for (state, _), edge in TRANSITIONS.items() if edge.state == "submitting"}

    assert into == {"created"}


def test_an_ended_attempt_can_only_turn_out_to_have_succeeded() -> None:
    for (state, event), edge in TRANSITIONS.items():
        if state not in LIVE:
            assert (event, edge.state) == ("found_succeeded", "succeeded")


@pytest.mark.parametrize("state", sorted(LIVE - {"created"}))
def test_a_found_success_ends_every_live_attempt_and_is_booked(state: AttemptState) -> None:
    verdict = judge(state, "succeeded")

    assert verdict.edge is not None
    assert verdict.edge.state == "succeeded"
    assert (verdict.booked, verdict.ask_in_s, verdict.case) == (True, None, None)


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_success_after_the_end_is_booked_and_a_case(state: AttemptState) -> None:
    verdict = judge(state, "succeeded")

    assert verdict.edge is not None
    assert verdict.edge.code == "payment.succeeded_late"
    assert (verdict.booked, verdict.case) == (True, "late_success")


def test_the_same_success_again_books_nothing() -> None:
    verdict = judge("succeeded", "succeeded")

    assert verdict == Verdict()


@pytest.mark.parametrize("found", ["failed", "not_found"])
def test_a_provider_that_takes_a_success_back_is_a_case(found: Found) -> None:
    verdict = judge("succeeded", found)

    assert (verdict.edge, verdict.case) == (None, "provider_contradicts")


@pytest.mark.parametrize("state", [*sorted(LIVE - {"created"}), "failed", "expired", "succeeded"])
def test_a_success_over_another_amount_is_never_booked(state: AttemptState) -> None:
    verdict = judge(state, "succeeded", amount=AMOUNT - 1)

    assert (verdict.booked, verdict.case) == (False, "amount_mismatch")
    assert verdict.edge is None or verdict.edge.state == "unknown"


@pytest.mark.parametrize(
    ("code", "state", "kept"),
    [
        ("card_declined", "failed", "card_declined"),
        ("insufficient_funds", "failed", "insufficient_funds"),
        ("expired", "expired", "expired"),
        ("4711-odd", "failed", "declined"),
        ("", "failed", "declined"),
    ],
)
def test_a_decline_keeps_a_code_of_ours(code: str, state: str, kept: str) -> None:
    verdict = judge("requires_action", "failed", decline=code)

    assert verdict.edge is not None
    assert (verdict.edge.state, verdict.decline_code) == (state, kept)


@given(
    state=st.sampled_from(sorted(LIVE - {"created"})),
    found=st.sampled_from(FINDINGS),
    minutes=st.floats(0, 60 * 24 * 29),
    asked=st.integers(0, 50),
)
def test_a_live_attempt_either_ends_or_is_asked_about_again(
    state: AttemptState, found: Found, minutes: float, asked: int
) -> None:
    now = START + timedelta(minutes=minutes)
    verdict = payment.judge(facts(state, asked=asked), found, AMOUNT, "", now)
    after = state if verdict.edge is None else verdict.edge.state

    assert (after in LIVE) == (verdict.ask_in_s is not None)


def test_not_found_means_nothing_before_the_provider_must_know() -> None:
    verdict = judge("unknown", "not_found", minutes=14, missing_at=START)

    assert verdict.edge is None
    assert verdict.missing_at is None
    assert verdict.ask_in_s == 30


def test_one_late_not_found_is_not_enough() -> None:
    verdict = judge("unknown", "not_found", minutes=15)

    assert verdict.edge is None
    assert verdict.missing_at == START + timedelta(minutes=15)
    assert verdict.ask_in_s == 60


def test_a_second_late_not_found_means_never_received() -> None:
    first = START + timedelta(minutes=15)
    too_soon = judge("unknown", "not_found", minutes=15.9, missing_at=first)
    second = judge("unknown", "not_found", minutes=16, missing_at=first)

    assert too_soon.edge is None
    assert second.edge is not None
    assert (second.edge.state, second.decline_code) == ("failed", "never_received")


def test_a_page_that_the_provider_no_longer_knows_has_run_out_but_not_at_once() -> None:
    """Its payer may still be there; only what counts twice ends it, and not as never received."""
    known = replace(facts("requires_action"), is_known=True)

    def ask(minutes: float, missing_at: datetime | None = None) -> Verdict:
        now = START + timedelta(minutes=minutes)
        return payment.judge(replace(known, missing_at=missing_at), "not_found", 0, "", now)

    early, first = ask(3), ask(15)
    soon = ask(15.5, missing_at=first.missing_at)
    last = ask(16, missing_at=first.missing_at)

    assert [one.edge for one in (early, first, soon)] == [None, None, None]
    assert (early.missing_at, first.missing_at) == (None, START + timedelta(minutes=15))
    assert (last.edge, last.decline_code) == (
        TRANSITIONS["requires_action", "found_expired"],
        "expired",
    )
    assert (
        judge("requires_action", "not_found", minutes=16).edge
        == TRANSITIONS["requires_action", "found_unclear"]
    )


def test_an_inquiry_that_learned_nothing_is_repeated_after_as_long_a_silence() -> None:
    """A payer on the provider's page is given time; a relay that was away is not such a payer."""
    told = judge("requires_action", "requires_action", minutes=1)
    waits = [judge("requires_action", "unclear", minutes=m).ask_in_s for m in (0.05, 1, 5, 60)]

    assert told.ask_in_s == 600
    assert waits == [10, 60, 300, 600]


def test_the_silence_never_makes_an_inquiry_later_than_its_schedule() -> None:
    late = judge("unknown", "unclear", minutes=23 * 60)
    given_up = judge("requires_action", "unclear", minutes=31 * 24 * 60)

    assert late.ask_in_s == 30
    assert given_up.ask_in_s is None


@pytest.mark.parametrize("found", ["pending", "unclear", "requires_action"])
def test_any_other_answer_forgets_an_earlier_not_found(found: Found) -> None:
    assert judge("unknown", found, minutes=20, missing_at=START).missing_at is None


def test_a_payment_that_the_provider_forgot_is_doubted_not_failed() -> None:
    verdict = judge("processing", "not_found", minutes=20)

    assert verdict.edge is not None
    assert verdict.edge.state == "unknown"


def test_a_submission_is_left_in_peace_for_its_grace() -> None:
    assert judge("submitting", "not_found", minutes=0.5).edge is None
    assert judge("submitting", "unclear", minutes=0.5).edge is None
    doubted = judge("submitting", "unclear", minutes=1)
    assert doubted.edge is not None
    assert doubted.edge.state == "unknown"


def test_inquiries_come_at_10_s_30_s_2_min_10_min_and_then_hourly() -> None:
    waits = [payment.ask_again_s("unknown", asked, 0) for asked in range(6)]

    assert waits == [10, 30, 120, 600, 3600, 3600]


def test_after_a_day_it_is_a_case_and_asked_daily_until_a_month_is_over() -> None:
    at_24_h = judge("unknown", "unclear", minutes=24 * 60)
    past_24_h = judge("unknown", "unclear", minutes=24 * 60 + 1)
    past_30_d = judge("unknown", "unclear", minutes=30 * 24 * 60 + 1)

    assert at_24_h.case is None
    assert (past_24_h.case, past_24_h.ask_in_s) == ("attempt_unresolved", 86_400)
    assert past_30_d.ask_in_s is None


@pytest.mark.parametrize("found", ["pending", "requires_action"])
def test_an_attempt_given_up_too_early_is_asked_about_again(found: Found) -> None:
    verdict = judge("failed", found)

    assert verdict.edge is None
    assert verdict.ask_in_s is not None


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_question_about_an_ended_attempt_is_asked_until_it_is_answered(
    state: AttemptState,
) -> None:
    soon, later = judge(state, "unclear"), judge(state, "unclear", minutes=25 * 60)

    assert (soon.edge, soon.case, later.case) == (None, None, None)
    assert 0 < (soon.ask_in_s or 0) < (later.ask_in_s or 0) == 86_400
    assert judge(state, "unclear", minutes=31 * 24 * 60) == Verdict()


@pytest.mark.parametrize("state", ["failed", "expired"])
@pytest.mark.parametrize("found", ["failed", "not_found"])
def test_an_ended_attempt_that_the_provider_confirms_needs_nothing(
    state: AttemptState, found: Found
) -> None:
    assert judge(state, found) == Verdict()


def test_notices_without_end_cause_at_most_one_inquiry_in_five_seconds() -> None:
    ask_at: datetime | None = None
    planned: list[float] = []
    for tenth in range(600):
        now = START + timedelta(seconds=tenth / 10)
        wait_s = payment.ask_after_notice_s(ask_at, now)
        if wait_s is not None:
            ask_at = now + timedelta(seconds=wait_s)
            planned.append((ask_at - START).total_seconds())

    assert planned[0] == 0
    assert all(b - a >= 5 - 1e-6 for a, b in pairwise(planned))
    assert len(planned) <= 13


@given(
    gaps=st.lists(st.floats(0.01, 12), min_size=2, max_size=40),
    lags=st.lists(st.floats(0, 1), min_size=40, max_size=40),
    clear=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_an_inquiry_that_is_made_at_once_makes_room_for_no_other(
    gaps: list[float], lags: list[float], clear: list[bool]
) -> None:
    now, made = START, list[datetime]()
    ask_at = told_at = heard_at = due_at = None
    for gap, lag, is_clear in zip(gaps, lags, clear, strict=False):
        now += timedelta(seconds=gap)
        if due_at is not None and due_at + timedelta(seconds=lag) <= now:
            made.append(due_at + timedelta(seconds=lag))
            heard_at = made[-1] if is_clear else heard_at
            ask_at, due_at = made[-1] + timedelta(minutes=10), None  # what its finding plans
        wait_s = payment.ask_after_notice_s(ask_at, now, told_at=told_at, heard_at=heard_at)
        told_at = now
        if wait_s is not None:
            assert 0 <= wait_s <= payment.NOTICE_PAUSE_S
            ask_at = due_at = now + timedelta(seconds=wait_s)

    # An inquiry that is a second late may be followed by one that is not.
    assert all((b - a).total_seconds() > payment.NOTICE_PAUSE_S - 1.01 for a, b in pairwise(made))


@given(ahead_s=st.floats(-10_000, 10_000))
def test_there_is_always_an_inquiry_after_a_notice(ahead_s: float) -> None:
    ask_at = START + timedelta(seconds=ahead_s)
    wait_s = payment.ask_after_notice_s(ask_at, START)

    asked_at = ask_at if wait_s is None else START + timedelta(seconds=wait_s)
    assert timedelta(0) <= asked_at - START <= timedelta(seconds=payment.NOTICE_PAUSE_S)


def test_a_notice_that_says_what_we_know_asks_for_nothing() -> None:
    assert not payment.notice_says_news("succeeded", "succeeded")
    assert payment.notice_says_news("failed", "succeeded")


def run_out(truth: Found, at_s: float, *, amount: int = AMOUNT) -> tuple[str, float, int]:
    """Inquire as planned until the attempt ends; the provider knows its truth from ``at_s`` on."""
    state: AttemptState = "unknown"
    now_s, asked, total = 10.0, 0, 0
    missing_at: datetime | None = None
    while now_s < 3 * 86_400:
        now = START + timedelta(seconds=now_s)
        found: Found = truth if now_s >= at_s else "not_found"
        known = facts(state, asked=asked, missing_at=missing_at)
        verdict = payment.judge(known, found, amount, "", now)
        total += 1
        asked = 0 if verdict.edge else asked + 1
        state = verdict.edge.state if verdict.edge else state
        missing_at = verdict.missing_at
        if verdict.ask_in_s is None:
            return state, now_s, total
        now_s += verdict.ask_in_s
    return state, now_s, total


def test_a_time_out_whose_truth_is_success_ends_in_success() -> None:
    assert run_out("succeeded", at_s=0)[0] == "succeeded"
    assert run_out("succeeded", at_s=100)[0] == "succeeded"


def test_a_time_out_whose_truth_is_failure_ends_in_failure() -> None:
    assert run_out("failed", at_s=0)[0] == "failed"


def test_a_time_out_never_received_is_over_in_17_minutes_and_few_inquiries() -> None:
    state, after_s, inquiries = run_out("succeeded", at_s=10**9)

    assert state == "failed"
    assert 15 * 60 <= after_s <= 17 * 60
    assert inquiries <= 8


@pytest.mark.parametrize(
    ("found", "hours", "case"),
    [
        ("requires_action", 48, None),
        ("unclear", 48, None),
        ("requires_action", 97, "attempt_unresolved"),
        ("pending", 48, "attempt_unresolved"),  # its company says that it is no number any more
    ],
)
def test_what_somebody_may_still_pay_by_is_nobodys_work_before_that_time_is_over(
    found: Found, hours: float, case: str | None
) -> None:
    held = replace(facts("requires_action"), patient_until=START + timedelta(hours=96))

    verdict = payment.judge(held, found, AMOUNT, "", START + timedelta(hours=hours))

    assert (verdict.case, verdict.ask_in_s) == (case, 86_400)
