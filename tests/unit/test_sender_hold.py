"""A merchant's stop on a road: when it begins, how it asks whether it is over, and what ends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from portal.domain.sender_hold import (
    PAUSE_FIRST_S,
    PAUSE_MAX_S,
    PROBE_S,
    REFUSALS_MIN,
    Hold,
    Said,
    learn,
    may_probe,
    probe,
    wait_s,
)

NOW = datetime(2026, 11, 28, 23, 55, tzinfo=UTC)
DAY = datetime(2026, 12, 31, tzinfo=UTC)
OURS, OTHER = UUID(int=1), UUID(int=2)


def said(refusals: int, taken: int = 0, chunk: UUID = OURS) -> Said:
    return Said(chunk, taken, ["sender_refused"] * refusals)


def stopped() -> Hold:
    hold = learn(Hold(), said(REFUSALS_MIN), NOW, DAY)
    assert hold is not None
    return hold


@pytest.mark.parametrize(
    ("slices", "is_stopped", "refusals"),
    [
        ([said(1)], False, 1),
        ([said(REFUSALS_MIN - 1), said(0)], False, REFUSALS_MIN - 1),
        ([said(1)] * REFUSALS_MIN, True, REFUSALS_MIN),
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
