"""Pace: a provider's rate is shared, its pauses are kept, its outages open the circuit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.application.message.pace import (
    BURST_S,
    CALLS_MIN,
    OPEN_FIRST_S,
    OPEN_MAX_S,
    WINDOW_S,
    Pace,
)
from portal.application.providers.exchange import Capabilities, MessageAnswer, Rate
from portal.domain.errors import InvariantBroken
from worker.tasks.workbench import share_of

GOOD = MessageAnswer("accepted")
BAD = MessageAnswer("unknown", is_provider_fault=True)
REJECTED = MessageAnswer("rejected", code="invalid_number")


class Stopwatch:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def pace_at(
    per_s: float, clock: Stopwatch, share: float = 1.0, units_per_message: float = 1.0
) -> Pace:
    can = Capabilities(
        provider="p",
        channels=("sms",),
        reference_max=10,
        repeat_is_safe=True,
        notices_signed=False,
        rate=Rate(unit="part", per_s=per_s, units_per_message=units_per_message),
    )
    return Pace({"p": can}, share=share, monotonic=clock)


def test_slice_shrinks_to_what_a_slow_provider_takes_in_a_second() -> None:
    assert pace_at(1000, Stopwatch()).slice_max("p", 100) == 100
    assert pace_at(50, Stopwatch()).slice_max("p", 100) == 50
    assert pace_at(50, Stopwatch(), share=0.5).slice_max("p", 100) == 25
    assert pace_at(50, Stopwatch(), units_per_message=5).slice_max("p", 100) == 10
    assert pace_at(0.01, Stopwatch()).slice_max("p", 100) == 1


def test_messages_leave_no_faster_than_the_share_of_the_rate() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock, share=0.5)

    # 500 a second are ours, and hardly any are saved up: each 50 cost 0.1 s.
    waits = [pace.reserve_s("p", 50) for _ in range(4)]

    assert waits == pytest.approx([0.0, 0.1 - BURST_S, 0.2 - BURST_S, 0.3 - BURST_S])
    clock.now += 10
    assert pace.reserve_s("p", 50) == 0.0


def test_retry_after_pauses_the_provider_for_that_long() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)

    pace.learn("p", [GOOD, MessageAnswer("busy", retry_after_s=7.0, is_provider_fault=True)])

    assert pace.pause_s("p") == 7.0
    clock.now += 7
    assert pace.pause_s("p") == 0.0


def test_circuit_opens_only_past_half_of_enough_calls() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)

    pace.learn("p", [BAD] * (CALLS_MIN - 1))
    assert pace.pause_s("p") == 0
    pace.learn("p", [GOOD] * (CALLS_MIN - 1))
    assert pace.pause_s("p") == 0
    pace.learn("p", [BAD])
    assert pace.pause_s("p") == OPEN_FIRST_S


def test_failures_outside_the_window_are_forgotten() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    pace.learn("p", [BAD] * (CALLS_MIN - 1))

    clock.now += WINDOW_S + 0.1
    pace.learn("p", [BAD])

    assert pace.pause_s("p") == 0


def test_bad_numbers_are_no_outage() -> None:
    pace = pace_at(1000, Stopwatch())

    pace.learn("p", [REJECTED] * 1000)

    assert pace.pause_s("p") == 0


async def test_after_an_outage_one_message_probes_and_one_success_closes() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    pace.learn("p", [BAD] * CALLS_MIN)
    clock.now += OPEN_FIRST_S

    assert pace.slice_max("p", 100) == 1
    await pace.admit("p", 1)
    assert pace.pause_s("p") > 0, "others wait while one probes"
    pace.learn("p", [GOOD])

    assert pace.pause_s("p") == 0
    assert pace.slice_max("p", 100) == 100


async def test_failed_probes_double_the_pause_up_to_its_bound() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    pace.learn("p", [BAD] * CALLS_MIN)
    pauses: list[float] = []
    for _ in range(8):
        clock.now += OPEN_MAX_S
        await pace.admit("p", 1)
        pace.learn("p", [BAD])
        pauses.append(pace.pause_s("p"))

    assert pauses[:3] == [2.0, 4.0, 8.0]
    assert pauses[-1] == OPEN_MAX_S


async def test_a_probe_that_never_came_back_lets_another_one_probe() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    pace.learn("p", [BAD] * CALLS_MIN)
    clock.now += OPEN_FIRST_S
    await pace.admit("p", 1)

    pace.forget_probe("p")

    assert pace.pause_s("p") == 0
    assert pace.slice_max("p", 100) == 1


def test_provider_without_capabilities_is_our_own_fault() -> None:
    with pytest.raises(InvariantBroken):
        pace_at(1, Stopwatch()).pause_s("other")


def test_a_provider_is_away_from_the_first_slice_that_failed_until_one_is_taken() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    seen = [pace.away_s("p")]
    for answers, passed in (([BAD], 7.0), ([BAD, BAD], 8.0), ([], 1.0), ([BAD, REJECTED], 9.0)):
        pace.learn("p", answers)
        clock.now += passed
        seen.append(pace.away_s("p"))

    assert seen == [0.0, 7.0, 15.0, 16.0, 0.0]


@pytest.mark.parametrize("code", ["budget_spent", "relay_away", "vault_away", "vault_lost"])
def test_an_outage_of_our_own_never_says_that_the_provider_is_away(code: str) -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)

    pace.learn("p", [MessageAnswer("busy", code=code, is_provider_fault=True)] * CALLS_MIN)
    paused_s = pace.pause_s("p")
    clock.now += 60

    assert (paused_s, pace.away_s("p")) == (OPEN_FIRST_S, 0.0)


async def test_what_the_vault_refused_says_nothing_of_the_provider() -> None:
    clock = Stopwatch()
    pace = pace_at(1000, clock)
    pace.learn("p", [BAD] * CALLS_MIN)
    clock.now += 25
    await pace.admit("p", 1)

    pace.learn("p", [MessageAnswer("busy", code="delivery_refused")])

    assert pace.away_s("p") == 25
    assert (pace.pause_s("p"), pace.slice_max("p", 100)) == (0.0, 1)


@given(
    rate=st.sampled_from([20.0, 100.0, 1_000.0, 10_000.0]),
    lives=st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.integers(1, 100), min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    ),
    pauses=st.lists(st.floats(0.0, 2.0), min_size=4, max_size=4),
)
@settings(max_examples=25, deadline=None)
def test_all_processes_together_keep_to_the_rate_however_many_there_are(
    rate: float, lives: list[tuple[int, list[int]]], pauses: list[float]
) -> None:
    """Each life of the worker has so many processes; the next begins when it has sent its last."""
    clock = Stopwatch()
    left: list[tuple[float, int]] = []
    many = 0
    for processes, slices in lives:
        parts = [share_of(processes, is_supervisor=number == 0) for number in range(processes + 1)]
        paces = [pace_at(rate, clock, share=part) for part in parts]
        many = max(many, len(paces))
        for messages, pause_s in zip(slices, pauses, strict=False):
            for pace in paces:
                step = pace.part_max("p")
                for start in range(0, messages, step):
                    count = min(step, messages - start)
                    left.append((clock.now + pace.reserve_s("p", count), count))
            clock.now += pause_s
        clock.now = max(clock.now, *(at for at, _ in left))

    left.sort()
    for window_s in (5.0, 60.0):
        first = fullest = held = 0
        for at, count in left:
            held += count
            while left[first][0] <= at - window_s:
                held -= left[first][1]
                first += 1
            fullest = max(fullest, held)
        assert fullest <= rate * window_s * 1.01 + many * len(lives)


def test_what_one_merchants_sender_is_refused_neither_opens_nor_pauses_a_road() -> None:
    """A real outage of the company still does, whatever came between."""
    pace = pace_at(1000, Stopwatch())
    refused = MessageAnswer("busy", code="sender_refused", is_sender_fault=True, retry_after_s=60.0)
    one_device = MessageAnswer("busy", code="provider_busy", retry_after_s=60.0)

    pace.learn("p", [refused] * 10 * CALLS_MIN + [one_device])
    of_one = (pace.pause_s("p"), pace.away_s("p"), pace.slice_max("p", 100))
    pace.learn("p", [BAD] * 20 * CALLS_MIN)

    assert of_one == (0.0, 0.0, 100)
    assert pace.pause_s("p") == OPEN_FIRST_S
