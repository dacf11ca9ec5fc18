import itertools
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from portal.kit.clock import SystemClock, new_id, new_ids


class FixedClock(SystemClock):
    def wall(self) -> datetime:
        return datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def test_wall_time_is_aware_and_in_utc() -> None:
    now = SystemClock().wall()

    assert now.tzinfo is UTC
    assert abs(now.timestamp() - time.time()) < 5


def test_only_business_time_moves() -> None:
    moved = FixedClock(offset_s=86_400)

    assert moved.business_now() - moved.wall() == timedelta(days=1)
    assert moved.wall() == FixedClock().wall()


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("UTC", date(2026, 11, 22)),
        ("Asia/Tokyo", date(2026, 11, 23)),
        ("America/New_York", date(2026, 11, 22)),
    ],
)
def test_the_business_date_is_the_zones_own(zone: str, today: date) -> None:
    assert FixedClock().business_today(zone) == today


def test_a_zone_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        FixedClock().business_today("Asia/Edo")


def test_ids_are_uuid7_of_the_moment_and_never_the_same() -> None:
    clock = FixedClock()
    made = {new_id(clock) for _ in range(1000)}

    assert len(made) == 1000
    assert {one.version for one in made} == {7}
    assert {one.int >> 80 for one in made} == {int(clock.wall().timestamp() * 1000)}


class TickingClock:
    """A microsecond passes with every look."""

    def __init__(self) -> None:
        self.ticks = itertools.count(1)

    def wall(self) -> datetime:
        return FixedClock().wall() + timedelta(microseconds=next(self.ticks))

    business_now = wall

    def business_today(self, zone: str) -> date:
        return FixedClock().business_today(zone)


def test_ids_of_one_millisecond_stand_in_the_order_of_their_making() -> None:
    clock = TickingClock()
    made = [new_id(clock) for _ in range(990)]

    assert made == sorted(made)
    assert len({one.int >> 80 for one in made}) == 1


def test_many_ids_at_once_are_of_the_moment_in_order_and_leave_room_behind_each() -> None:
    clock = TickingClock()
    first, ids, last = new_id(clock), new_ids(clock, 1_000), new_id(clock)

    whole = ids.whole()

    assert whole == sorted(set(whole))
    assert len(whole) == 1_000
    assert first < whole[0]
    assert whole[-1] < last
    assert {(one.version, one.variant) for one in whole} == {(7, first.variant)}
    assert {one.int & 15 for one in whole} == {0}
    # As PostgreSQL puts them together: to_hex() writes a number below 0 as its two's complement.
    hexed = [f"{ids.head}{tail & (1 << 64) - 1:x}" for tail in ids.tails]
    assert [one.hex for one in whole] == hexed
