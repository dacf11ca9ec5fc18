"""Holding an import's messages, and how long they take: pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import Conflict
from portal.domain.sending import SENDING, SendingAct, SendingState, seconds_left, steer


@given(
    acts=st.lists(st.sampled_from(["pause", "resume", "cancel"]), max_size=12),
)
def test_what_was_ended_never_goes_again(acts: list[SendingAct]) -> None:
    state: SendingState = "going"
    for act in acts:
        if (state, act) in SENDING:
            state = steer(state, act)
        else:
            with pytest.raises(Conflict, match="sending_state"):
                steer(state, act)

    assert (state == "canceled") == ("cancel" in acts)


def test_the_slowest_road_says_how_long_it_takes() -> None:
    assert seconds_left([(3_000_000, 100.0)]) == 30_000
    assert seconds_left([(900, 100.0), (100, 1.0)]) == 100
    assert seconds_left([(1, 1000.0)]) == 1
    assert seconds_left([]) == 0
