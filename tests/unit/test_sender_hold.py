"""A merchant's stop on a road: when it begins, how it asks whether it is over, and what ends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from portal.domain.errors import LimitReached
from portal.domain.sender_hold import (
    ASK_PAUSE,
    PAUSE_FIRST_S,
    PAUSE_MAX_S,
    PROBE_S,
    REFUSALS_MIN,
    Hold,
    Said,
    check_ask,
    learn,
    may_probe,
    probe,
    wait_s,
)

NOW = datetime(2026, 11, 28, 23, 55, tzinfo=UTC)
DAY = datetime(2026, 12, 31, tzinfo=UTC)
OURS, OTHER = UUID(int=1), UUID(int=2)


def said(refusals: int, taken: int = 0, chunk: UUID = OURS, first: int = 0) -> Said:
    """So many messages of a chunk were refused; they are counted from ``first``."""
    messages = [UUID(int=first + place) for place in range(refusals)]
    return Said(chunk, taken, [(one, "sender_refused") for one in messages])


def stopped() -> Hold:
    hold = learn(Hold(), said(REFUSALS_MIN), NOW, DAY)
    assert hold is not None
    return hold


@pytest.mark.parametrize(
    ("slices", "is_stopped", "refusals"),
    [
        ([said(1)], False, 1),
        ([said(REFUSALS_MIN - 1), said(0)], False, REFUSALS_MIN - 1),
        ([said(1, first=one) for one in range(REFUSALS_MIN)], True, REFUSALS_MIN),
        ([said(1)] * 10, False, 10),
        ([said(REFUSALS_MIN - 1)] * 10, False, 10 * (REFUSALS_MIN - 1)),
        ([said(1)] * 10 + [said(REFUSALS_MIN - 1, first=7)], True, 10 + REFUSALS_MIN - 1),
        ([said(100)], True, 100),
        ([said(1)] * (REFUSALS_MIN - 1) + [said(0, taken=1)], False, None),
        ([said(99, taken=1)], False, None),
        ([said(100), said(0, taken=1)], False, None),
    ],
)
def test_refusals_in_a_row_stop_a_road_and_one_that_is_taken_ends_all_of_it(
    slices: list[Said], refusals: int | None, *, is_stopped: bool
) -> None:
    hold: Hold | None = Hold()
    for one in slices:
        hold = learn(hold or Hold(), one, NOW, DAY)
        assert hold is None or len(hold.messages) <= REFUSALS_MIN

    assert (None if hold is None else hold.refusals) == refusals
    assert (hold is not None and hold.since is not None) == is_stopped


def test_one_asks_at_a_time_and_only_what_asked_makes_the_pause_longer() -> None:
    hold = stopped()
    assert (hold.since, hold.is_lasting, may_probe(hold, NOW)) == (DAY, False, False)
    assert wait_s(hold, NOW) == PAUSE_FIRST_S

    # what was under way when it was stopped comes back
    late = learn(hold, said(50, chunk=OTHER), NOW, DAY)
    assert late == replace(hold, refusals=hold.refusals + 50)

    later = NOW + timedelta(seconds=PAUSE_FIRST_S)
    assert may_probe(hold, later)
    asking = probe(hold, OURS, later)
    assert not may_probe(asking, later)
    assert may_probe(asking, later + timedelta(seconds=PROBE_S)), "its answer may be lost"
    assert learn(asking, said(0), later, DAY) == asking

    pauses: list[float] = []
    for _ in range(6):
        again = learn(probe(hold, OURS, later), said(1), later, DAY + timedelta(days=9))
        assert again is not None
        hold = again
        pauses.append(wait_s(hold, later))
        assert (hold.since, hold.is_lasting) == (DAY, True)
    assert pauses == [120.0, 240.0, 480.0, *(PAUSE_MAX_S,) * 3]


def test_a_stop_of_an_older_release_which_names_no_message_goes_on_as_one() -> None:
    hold = Hold(refusals=3, code="sender_refused", since=DAY, probe_chunk=OURS, pause_s=60.0)

    again = learn(hold, said(1), NOW, DAY)

    assert again is not None
    assert (again.since, again.pause_s, again.is_lasting) == (DAY, 120.0, True)


@pytest.mark.parametrize(
    ("asked_at", "may"),
    [(None, True), (NOW - ASK_PAUSE, True), (NOW - ASK_PAUSE / 2, False), (NOW, False)],
)
def test_staff_have_a_message_ask_once_a_minute(asked_at: datetime | None, *, may: bool) -> None:
    if may:
        check_ask(asked_at, NOW)
        return
    with pytest.raises(LimitReached) as refused:
        check_ask(asked_at, NOW)
    assert (refused.value.code, refused.value.params) == ("asked_just_now", {"seconds": 60})
