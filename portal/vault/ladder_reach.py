"""Data zone: by which channels a bill's payer is not reached, and why."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from portal.domain.ladder import SkipReason, Way
from portal.domain.message import Channel
from portal.vault.act import Act
from portal.vault.push import CHANNEL as PUSH
from portal.vault.push import providers_by_bill

BY_PHONE: Final = frozenset({"sms", "voice"})
BY_EMAIL: Final = frozenset({"email"})
BY_CUSTOMER: Final = frozenset({"push"})
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email", "push", "voice")
"""What a channel goes by: the bill's telephone, its mail address, or what its customer said."""


_CHANNELS: Final = """
select channel from merchant_channel where merchant_id = $1 and not is_off union select 'sms'
"""


async def read_roads(act: Act) -> frozenset[str]:
    """By which channels the merchant can send at all."""
    rows = await act.db.fetch(_CHANNELS, act.merchant_id)
    return frozenset(row["channel"] for row in rows)


async def pushed_of(act: Act, channels: Collection[str], ids: Sequence[UUID]) -> Collection[UUID]:
    """Bills whose payer has a browser or device that the merchant reaches; mostly nobody asks."""
    return await providers_by_bill(act, ids) if PUSH in channels else ()


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
