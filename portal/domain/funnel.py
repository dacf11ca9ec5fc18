"""The funnel: how far bills and their messages have come by channel, and what they cost. Pure.

A message that a company certainly took counts as sent. Of one in doubt nobody knows: it is counted
apart, and so is what it may have cost. An opening or a payment is put down to the newest message
that may have arrived before it, on a bill's own page as in the sums. A bill was sent, or delivered,
once any message about it was: so bills are counted apart from messages, and a bill that was told of
twice counts once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

SENT: Final = frozenset({"accepted", "delivered", "undelivered"})
"""Stages of messages that a company took."""

BILL_STAGES: Final = frozenset({"issued", "unopened", "told", "reached", "opened", "paid"})
"""Stages of bills; all others are of messages."""

USUAL_PRICES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType({"push": (0,)})
"""What companies take where nobody has set a price: browsers' and telephones' own carry for
nothing. Units: hundredths of a yen. Source: terms of FCM and APNs; Web Push has no accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many stand at a stage; ``provider`` is '' for bills. Units: bills or messages."""

    channel: str
    provider: str
    stage: str
    number: int


@dataclass(slots=True, kw_only=True)
class ChannelSums:
    """One channel's part of the funnel; ``sent_by`` and ``doubtful_by`` company."""

    stages: dict[str, int] = field(default_factory=dict[str, int])
    sent_by: dict[str, int] = field(default_factory=dict[str, int])
    doubtful_by: dict[str, int] = field(default_factory=dict[str, int])

    def at(self, *stages: str) -> int:
        """How many stand at any of these stages."""
        return sum(self.stages.get(stage, 0) for stage in stages)

    @property
    def planned(self) -> int:
        """All messages that were ever planned."""
        return sum(count for stage, count in self.stages.items() if stage not in BILL_STAGES)


def by_channel(counts: Iterable[Count]) -> dict[str, ChannelSums]:
    """The counts by channel, '' for bills that no channel's message reached."""
    found: dict[str, ChannelSums] = {}
    for count in counts:
        sums = found.setdefault(count.channel, ChannelSums())
        sums.stages[count.stage] = sums.stages.get(count.stage, 0) + count.number
        if count.stage in SENT:
            sums.sent_by[count.provider] = sums.sent_by.get(count.provider, 0) + count.number
        if count.stage == "ambiguous":
            doubtful = sums.doubtful_by.get(count.provider, 0)
            sums.doubtful_by[count.provider] = doubtful + count.number
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSums:
    """How far bills have come. Units: bills that were issued and not withdrawn.

    ``sent``: a company took a message about it, any; ``delivered``: one arrived.
    """

    issued: int
    unopened: int
    sent: int
    delivered: int
    opened: int
    paid: int


def bills_of(found: Mapping[str, ChannelSums]) -> BillSums:
    """The bills of all channels together: what every screen says of them."""

    def bills(stage: str) -> int:
        return sum(sums.at(stage) for sums in found.values())

    return BillSums(
        issued=bills("issued"),
        unopened=bills("unopened"),
        sent=bills("told"),
        delivered=bills("reached"),
        opened=bills("opened"),
        paid=bills("paid"),
    )


def unit_price(prices: Sequence[int], parts: int) -> int | None:
    """What one ordinary message costs; a table of one price is of messages, not of parts.

    Units: hundredths of a yen. None without a table.
    """
    return prices[min(max(parts, 1), len(prices)) - 1] if prices else None


def prices_of(
    channel: str, providers: Iterable[str], known: Mapping[tuple[str, str], int | None]
) -> dict[str, int | None]:
    """What an ordinary message of a channel costs by company: what is set, or else the usual.

    ``known``: by channel and company. Units: hundredths of a yen.
    """
    usual = unit_price(USUAL_PRICES.get(channel, ()), 1)
    return {provider: known.get((channel, provider), usual) for provider in providers}


def cost_of(numbers: Mapping[str, int], unit_prices: Mapping[str, int | None]) -> int | None:
    """What messages cost by company; None when a company's price is not known.

    Units: hundredths of a yen.
    """
    total = 0
    for provider, number in numbers.items():
        price = unit_prices.get(provider)
        if number and price is None:
            return None
        total += number * (price or 0)
    return total


def put_down(
    messages: Sequence[tuple[str, datetime | None]], channel: str | None, at: datetime | None
) -> int | None:
    """Which of a bill's messages, the newest first, it is put down to that something happened then.

    ``messages``: channel and when it was sent, None if it was not. ``channel``: of the tally.
    """
    if at is None or not channel:
        return None
    return next(
        (
            place
            for place, (by, sent_at) in enumerate(messages)
            if by == channel and sent_at is not None and sent_at <= at
        ),
        None,
    )
