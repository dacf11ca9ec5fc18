"""What stops dunning: which message, until when, who may, and what became of a promise."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import pause as rules
from portal.domain.bill import LIFECYCLE, Lifecycle, Settlement
from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.pause import (
    PAUSABLE,
    PLACED_ON,
    RELEASED,
    REPLACES,
    Pause,
    PausedBill,
    PauseKind,
    PauseLimits,
)
from portal.vault.messages import FIRST_MESSAGE, RESENT_MESSAGE

KINDS: tuple[PauseKind, ...] = get_args(PauseKind)
TODAY = date(2026, 11, 28)
ONE = timedelta(days=1)
NOON = datetime(2026, 11, 28, 3, tzinfo=UTC)
BILL = PausedBill(
    lifecycle="open",
    settlement="unpaid",
    due_on=TODAY + timedelta(days=10),
    first_due_on=TODAY + timedelta(days=10),
)
LIMITS = PauseLimits(promise_days=31, extension_days=120, lapse_after_days=90)


def pause(kind: PauseKind, until: date | None = TODAY, placed_at: datetime = NOON) -> Pause:
    return Pause(kind=kind, placed_at=placed_at, until=until)


def test_the_campaigns_have_the_names_that_messages_are_planned_under() -> None:
    assert (rules.FIRST_MESSAGE, rules.ASKED_MESSAGE) == (FIRST_MESSAGE, RESENT_MESSAGE)


@pytest.mark.parametrize(
    ("kind", "campaign", "is_later", "stopped"),
    [
        ("hold", "first", False, True),
        ("hold", "resent", True, True),
        ("hold", "reminder", True, True),
        ("promise", "first", False, True),
        ("promise", "reminder", True, True),
        ("promise", "resent", False, True),
        ("promise", "resent", True, False),
        ("extension", "first", False, False),
        ("extension", "resent", False, True),
        ("extension", "reminder", False, True),
        ("extension", "reminder", True, False),
    ],
)
def test_what_stops_which_message(
    kind: PauseKind, campaign: str, *, is_later: bool, stopped: bool
) -> None:
    planned = NOON + timedelta(seconds=1 if is_later else -1)

    assert rules.is_stopped([pause(kind)], campaign, planned, TODAY) is stopped


def test_the_last_day_belongs_to_a_pause_and_then_dunning_goes_on() -> None:
    earlier = NOON - timedelta(hours=1)

    for kind in KINDS:
        stopped = [
            rules.is_stopped([pause(kind)], "reminder", earlier, day)
            for day in (TODAY - ONE, TODAY, TODAY + ONE)
        ]
        assert stopped == [True, True, False]
    assert rules.is_stopped([pause("hold", None)], "first", earlier, TODAY + 9_999 * ONE)


def test_one_of_several_pauses_is_enough() -> None:
    later = NOON + timedelta(hours=1)

    assert rules.is_stopped([pause("extension"), pause("hold")], "reminder", later, TODAY)
    assert not rules.is_stopped([], "reminder", later, TODAY)


def test_a_hold_outlives_an_extension_and_a_promise_does_not() -> None:
    assert "hold" not in REPLACES["extension"]
    assert "promise" in REPLACES["extension"]
    assert all(kind in REPLACES[kind] for kind in KINDS)


def test_an_extension_has_an_edge_from_wherever_it_can_be_placed_and_is_never_released() -> None:
    assert {state for state, event in LIFECYCLE if event == "extend"} == PLACED_ON["extension"]
    assert {LIFECYCLE[state, "extend"].state for state in PLACED_ON["extension"]} == {"open"}
    assert "extension" not in RELEASED
    assert frozenset().union(*PLACED_ON.values()) == PAUSABLE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lifecycle", get_args(Lifecycle))
@pytest.mark.parametrize("settlement", get_args(Settlement))
def test_only_what_is_still_owed_is_paused(
    kind: PauseKind, lifecycle: Lifecycle, settlement: Settlement
) -> None:
    bill = replace(BILL, lifecycle=lifecycle, settlement=settlement)

    if settlement == "unpaid" and lifecycle in PLACED_ON[kind]:
        rules.check_kind(kind, bill)
    else:
        with pytest.raises(Conflict, match="not_pausable"):
            rules.check_kind(kind, bill)


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_day_is_taken_and_the_day_after_it_is_not(kind: PauseKind) -> None:
    last = rules.latest(kind, BILL, LIMITS, TODAY)

    rules.check_until(kind, last, BILL, LIMITS, TODAY)
    with pytest.raises(InvalidInput, match="pause_too_long") as refused:
        rules.check_until(kind, last + ONE, BILL, LIMITS, TODAY)
    assert refused.value.params == {"field": "until", "last": last.isoformat()}
    with pytest.raises(InvalidInput, match="pause_day_past"):
        rules.check_until(kind, TODAY - ONE, BILL, LIMITS, TODAY)


def test_a_promise_reaches_no_further_than_the_bill_can_be_paid() -> None:
    late = replace(BILL, lifecycle="overdue", due_on=TODAY - timedelta(days=85))

    assert rules.latest("promise", late, LIMITS, TODAY) == TODAY + timedelta(days=5)
    for_ever = replace(LIMITS, lapse_after_days=None)
    assert rules.latest("promise", late, for_ever, TODAY) == TODAY + timedelta(days=31)


def test_only_a_hold_may_have_no_end_and_only_an_owner_may_place_that() -> None:
    rules.check_until("hold", None, BILL, LIMITS, TODAY)
    for kind in ("promise", "extension"):
        with pytest.raises(InvalidInput, match="pause_day_needed"):
            rules.check_until(kind, None, BILL, LIMITS, TODAY)
    rules.check_role("hold", None, "owner")
    rules.check_role("hold", TODAY, "clerk")
    for role in ("clerk", None):
        with pytest.raises(NotAllowed, match="hold_without_end"):
            rules.check_role("hold", None, role)


@given(st.integers(-200, 200), st.integers(-200, 400), st.integers(0, 300))
def test_an_extension_never_shortens_and_never_exceeds_the_limit_however_often(
    due_in: int, until_in: int, extended: int
) -> None:
    first = TODAY + timedelta(days=due_in)
    bill = replace(BILL, first_due_on=first, due_on=first + timedelta(days=extended))
    until = TODAY + timedelta(days=until_in)

    try:
        rules.check_until("extension", until, bill, LIMITS, TODAY)
    except InvalidInput:
        return
    assert bill.due_on < until <= first + timedelta(days=LIMITS.extension_days)
    assert until >= TODAY


@pytest.mark.parametrize(
    ("until", "paid_on", "end", "ended_on", "state"),
    [
        (TODAY, None, None, None, "in_force"),
        (TODAY - ONE, None, None, None, "missed"),
        (TODAY, TODAY, None, None, "kept"),
        (TODAY - ONE, TODAY - ONE, None, None, "kept"),
        (TODAY - ONE, TODAY, None, None, "missed"),
        (TODAY + ONE, None, "released", TODAY, "released"),
        (TODAY - ONE, None, "replaced", TODAY, "missed"),
        (TODAY - ONE, None, "replaced", TODAY - ONE, "replaced"),
        (TODAY, TODAY, "paid", TODAY, "kept"),
        (TODAY - ONE, TODAY - ONE, "paid", TODAY, "kept"),
        (TODAY - ONE, TODAY, "paid", TODAY, "missed"),
    ],
)
def test_a_promise_is_kept_by_its_day_or_missed_whatever_follows(
    until: date,
    paid_on: date | None,
    end: rules.PauseEnd | None,
    ended_on: date | None,
    state: str,
) -> None:
    promise = pause("promise", until)

    assert rules.state_of(promise, TODAY, paid_on=paid_on, end=end, ended_on=ended_on) == state


@pytest.mark.parametrize(
    ("kind", "until", "shown"),
    [
        ("hold", None, "hold"),
        ("hold", TODAY - ONE, None),
        ("promise", TODAY, "promise"),
        ("promise", TODAY - ONE, "missed"),
        ("extension", TODAY, "extended"),
        ("extension", TODAY - ONE, None),
        (None, None, None),
    ],
)
def test_lists_tell_of_what_is_in_force_and_of_a_missed_promise(
    kind: PauseKind | None, until: date | None, shown: str | None
) -> None:
    assert rules.shown_of(kind, until, "overdue", "unpaid", TODAY) == shown
    assert rules.shown_of(kind, until, "overdue", "settled", TODAY) is None
    assert rules.shown_of(kind, until, "canceled", "unpaid", TODAY) is None


@pytest.mark.parametrize("role", ["clerk", None])
def test_a_hold_without_an_end_is_an_owners_alone(role: rules.Role | None) -> None:
    endless, dated = pause("hold", None), pause("hold")

    for taken in (
        lambda who: rules.check_released([endless], who),
        lambda who: rules.check_replaced("hold", [endless], who),
        lambda who: rules.check_replaced("promise", [endless], who),
    ):
        with pytest.raises(NotAllowed, match="endless_hold"):
            taken(role)
        taken("owner")
    rules.check_replaced("extension", [endless], role)
    rules.check_released([dated], role)
    rules.check_replaced("promise", [dated], role)
    assert rules.choices_of(BILL, [endless], LIMITS, TODAY, role) == ("extension",)
    assert rules.choices_of(BILL, [dated], LIMITS, TODAY, role)[0] == "release"


def test_staff_are_offered_what_would_be_taken() -> None:
    assert rules.choices_of(BILL, [], LIMITS, TODAY, "owner") == ("hold", "promise", "extension")
    assert rules.choices_of(BILL, [pause("hold", None)], LIMITS, TODAY, "owner")[0] == "release"
    spent = replace(BILL, first_due_on=BILL.due_on - timedelta(days=120))
    assert rules.choices_of(spent, [], LIMITS, TODAY, "clerk") == ("hold", "promise")
    assert rules.choices_of(replace(BILL, settlement="settled"), [], LIMITS, TODAY, "owner") == ()
    with pytest.raises(Conflict, match="not_paused"):
        rules.check_released([pause("extension")], "owner")
    rules.check_released([pause("promise")], "clerk")
    with pytest.raises(Conflict, match="bill_held"):
        rules.check_resend([pause("hold")], TODAY)
    rules.check_resend([pause("promise"), pause("hold", TODAY - ONE)], TODAY)
