from itertools import product
from typing import get_args

import pytest

from portal.domain.errors import Conflict
from portal.domain.message import (
    DELIVERY,
    MESSAGE,
    RECEIPTS,
    TRIES_MAX,
    DeliveryEvent,
    DeliveryState,
    advance,
    event_of_result,
)

STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
EVENTS: tuple[DeliveryEvent, ...] = get_args(DeliveryEvent)


def test_an_edge_not_in_the_table_cannot_be_taken() -> None:
    for state, event in product(STATES, EVENTS):
        if (state, event) in DELIVERY:
            assert advance(state, event) == DELIVERY[state, event]
        else:
            with pytest.raises(Conflict, match="delivery_state"):
                advance(state, event)


def test_nothing_is_handed_out_or_redeemed_again_once_it_may_have_been_sent() -> None:
    may_be_sent = {"accepted", "ambiguous", "delivered", "undelivered", "failed", "left_out"}

    for state, event in DELIVERY:
        if state in may_be_sent:
            assert event.startswith("receipt_")
    assert {state for state, event in DELIVERY if event == "redeem"} == {"handed"}


def test_only_receipts_lead_out_of_ambiguous_and_never_back() -> None:
    after = {edge.state for (state, _), edge in DELIVERY.items() if state == "ambiguous"}

    assert after == {"delivered", "undelivered", "failed"}
    assert not [event for state, event in DELIVERY if state == "delivered"]


def test_every_state_means_something_for_the_bill() -> None:
    assert set(MESSAGE) == set(STATES)
    assert set(RECEIPTS.values()) <= set(EVENTS)


@pytest.mark.parametrize(
    ("state", "outcome", "code", "tries", "event"),
    [
        ("redeemed", "accepted", "", 0, "accept"),
        ("redeemed", "rejected", "invalid_number", 0, "reject"),
        ("redeemed", "busy", "provider_busy", 0, "put_back"),
        ("redeemed", "busy", "delivery_refused", 0, "lose"),
        ("handed", "busy", "delivery_refused", 0, "put_back"),
        ("redeemed", "busy", "provider_busy", TRIES_MAX - 2, "put_back"),
        ("redeemed", "busy", "provider_busy", TRIES_MAX - 1, "give_up"),
        ("redeemed", "unknown", "relay_lost", 0, "lose"),
    ],
)
def test_results_mean_what_they_say(
    state: DeliveryState, outcome: str, code: str, tries: int, event: str
) -> None:
    assert event_of_result(state, outcome, code, tries) == event
