"""Data zone: by which channels a bill's payer is not reached, and why."""

from collections.abc import Collection
from typing import Final

from portal.domain.ladder import SkipReason, Way
from portal.domain.message import Channel

BY_PHONE: Final = frozenset({"sms", "voice"})
BY_EMAIL: Final = frozenset({"email"})
BY_CUSTOMER: Final = frozenset({"push"})
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email", "push", "voice")
"""What a channel goes by: the bill's telephone, its mail address, or what its customer said."""


def unreached(
    roads: frozenset[str],
    lost: Collection[str],
    *,
    has_phone: bool,
    has_email: bool,
    has_push: bool,
) -> dict[Way, SkipReason]:
    """Channel → why it does not reach a payer with these contacts; others do."""
    found: dict[Way, SkipReason] = {}
    for channel in CHANNELS:
        has = has_push if channel in BY_CUSTOMER else has_email
        has = has_phone if channel in BY_PHONE else has
        if channel not in roads:
            found[channel] = "channel_missing"
        elif not has:
            found[channel] = "no_contact"
        elif channel in lost:
            found[channel] = "undelivered"
    return found
