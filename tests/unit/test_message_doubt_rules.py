"""What becomes of a message in doubt, and by which road the next ones go: pure decisions."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.message import (
    DELIVERY,
    KEY_MARGIN,
    REPEAT_AFTER_S,
    TRIES_MAX,
    DeliveryEvent,
    DeliveryState,
    may_repeat,
    next_edge,
    road_of_one,
    split_by_share,
)

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
DAY_S = 86_400.0


def test_one_in_doubt_goes_again_only_by_a_company_that_knows_its_key() -> None:
    assert may_repeat("same_key", 0, NOW, NOW, remembers_s=DAY_S)
    assert not may_repeat("same_key", 0, NOW, NOW, remembers_s=0.0)
    assert not may_repeat("leave", 0, NOW, NOW, remembers_s=DAY_S)
    assert not may_repeat("same_key", TRIES_MAX - 1, NOW, NOW, remembers_s=DAY_S)


def test_a_key_is_used_no_more_well_before_it_is_forgotten() -> None:
    last = NOW + timedelta(seconds=DAY_S - REPEAT_AFTER_S) - KEY_MARGIN

    assert may_repeat("same_key", 0, NOW, last - timedelta(seconds=1), remembers_s=DAY_S)
    assert not may_repeat("same_key", 0, NOW, last, remembers_s=DAY_S)


@pytest.mark.parametrize("state", ["planned", "handed"])
def test_one_in_doubt_believes_receipts_and_never_ends_as_unsent(state: DeliveryState) -> None:
    ends: tuple[tuple[DeliveryEvent, DeliveryState], ...] = (
        ("receipt_delivered", "delivered"),
        ("receipt_undelivered", "undelivered"),
        ("receipt_failed", "failed"),
        ("leave_out", "ambiguous"),
        ("give_up", "ambiguous"),
    )
    for event, end in ends:
        edge = next_edge(state, event, is_unclear=True)
        assert edge is not None
        assert edge.state == end


def test_without_doubt_the_table_alone_decides() -> None:
    states: tuple[DeliveryState, ...] = get_args(DeliveryState)
    events: tuple[DeliveryEvent, ...] = get_args(DeliveryEvent)
    for state in states:
        for event in events:
            assert next_edge(state, event, is_unclear=False) == DELIVERY.get((state, event))


SHARES = st.dictionaries(
    st.sampled_from(["one", "two", "three", "four"]), st.integers(0, 100), min_size=1
)


@given(roads=SHARES, count=st.integers(0, 2_000))
def test_many_at_once_keep_to_the_shares_within_one_message(
    roads: dict[str, int], count: int
) -> None:
    parts = split_by_share(roads, count)

    assert sum(parts.values()) == count
    weight = sum(roads.values())
    if not weight:
        assert parts == {next(iter(roads)): count}
    else:
        assert all(abs(parts[name] - count * roads[name] / weight) < 1 for name in roads)


@given(roads=SHARES)
def test_single_ones_come_to_the_shares_over_all_numbers(roads: dict[str, int]) -> None:
    weight = sum(roads.values()) or 1

    drawn = Counter(road_of_one(roads, number) for number in range(weight))

    wanted = roads if sum(roads.values()) else {next(iter(roads)): 1}
    assert drawn == {name: share for name, share in wanted.items() if share}
