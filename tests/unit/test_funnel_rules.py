"""The funnel's sums: messages by channel and company, and what they cost."""

from datetime import UTC, datetime

import pytest

from portal.domain.funnel import Count, bills_of, by_channel, cost_of, put_down, unit_price

COUNTS = [
    Count(channel="", provider="", stage="issued", number=9),
    Count(channel="", provider="", stage="told", number=8),
    Count(channel="", provider="", stage="reached", number=3),
    Count(channel="sms", provider="a", stage="waiting", number=1),
    Count(channel="sms", provider="a", stage="accepted", number=2),
    Count(channel="sms", provider="b", stage="delivered", number=3),
    Count(channel="sms", provider="b", stage="ambiguous", number=4),
    Count(channel="sms", provider="", stage="opened", number=5),
]


def test_messages_are_counted_by_channel_and_bills_apart() -> None:
    found = by_channel(COUNTS)

    sms = found["sms"]
    assert (sms.planned, sms.at("accepted", "delivered"), sms.at("opened")) == (10, 5, 5)
    assert (sms.sent_by, sms.doubtful_by) == ({"a": 2, "b": 3}, {"b": 4})
    assert (found[""].planned, found[""].at("issued")) == (0, 9)
    bills = bills_of(found)
    assert (bills.issued, bills.sent, bills.delivered, bills.opened) == (9, 8, 3, 5)


@pytest.mark.parametrize(
    ("prices", "parts", "price"),
    [([], 1, None), ([300], 1, 300), ([300], 3, 300), ([300, 600], 2, 600), ([300, 600], 5, 600)],
)
def test_a_message_costs_what_its_parts_cost(
    prices: list[int], parts: int, price: int | None
) -> None:
    assert unit_price(prices, parts) == price


def test_a_cost_is_known_only_when_each_companys_price_is() -> None:
    assert cost_of({"a": 2, "b": 3}, {"a": 100, "b": 10}) == 230
    assert cost_of({"a": 2, "b": 0}, {"a": 100}) == 200
    assert cost_of({"a": 2, "b": 3}, {"a": 100}) is None
    assert cost_of({}, {}) == 0


@pytest.mark.parametrize(
    ("channel", "at", "place"),
    [
        ("sms", 9, 1), ("sms", 4, 3), ("sms", 2, None), ("email", 9, 2), ("email", 4, None),
        ("push", 9, None), ("", 9, None), (None, 9, None), ("sms", None, None),
    ],
)  # fmt: skip
def test_what_happened_is_put_down_to_the_newest_message_before_it(
    channel: str | None, at: int | None, place: int | None
) -> None:
    def hour(number: int | None) -> datetime | None:
        return None if number is None else datetime(2026, 11, 2, number, tzinfo=UTC)

    sent = [("sms", None), ("sms", hour(8)), ("email", hour(5)), ("sms", hour(3))]

    assert put_down(sent, channel, hour(at)) == place
