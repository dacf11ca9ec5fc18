"""Data zone: by which companies a merchant's messages go, set by the operator."""

from typing import Final

from portal.contract.message import SET_CHANNEL, ChannelRoad, ChannelSet, SetChannel
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput, NotFound
from portal.vault import sender_hold
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

SHARE_MAX: Final = 100
SENDER_CHARACTERS_MAX: Final = 120

_SET: Final = """
insert into merchant_channel (merchant_id, channel, provider, sender, share, unclear, says_amount)
values ($1, $2, $3, $4, $5, coalesce($6, 'same_key'), coalesce($7, false))
on conflict (merchant_id, channel, provider)
do update set sender = excluded.sender, share = excluded.share,
    unclear = coalesce($6, merchant_channel.unclear), is_off = false,
    says_amount = coalesce($7, merchant_channel.says_amount)
"""
_TAKE_AWAY: Final = """
update merchant_channel set is_off = true
where merchant_id = $1 and channel = $2 and provider = $3
"""


@operation(
    SET_CHANNEL,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_channel(act: Act, request: SetChannel) -> ChannelSet:
    """Set one road for messages planned from now on; what is planned already goes as planned.

    What waits because the company refused the merchant's sender goes at once.
    A merchant's first own road for SMS takes the place of the company it was founded with, unless
    it only stands by (share 0).

    Raises: InvalidInput ``channel_share`` (param ``max``), ``text_too_long`` (param ``max``),
    ``card_number``; NotFound ``merchant_unknown``, ``provider_unknown``.
    """
    _check(act, request)
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    key = (act.merchant_id, request.channel, request.provider)
    if request.share is None:
        await act.db.execute(_TAKE_AWAY, *key)
    else:
        await act.db.execute(
            _SET, *key, request.sender, request.share, request.unclear, request.says_amount
        )
    await sender_hold.end(act, request.channel, request.provider)
    return ChannelSet(
        roads=tuple(
            ChannelRoad(
                channel=request.channel, provider=road.provider, sender=road.sender,
                share=road.share,
            )
            for road in await roads(act, request.channel)
        )
    )  # fmt: skip


def _check(act: Act, request: SetChannel) -> None:
    if request.share is not None and not 0 <= request.share <= SHARE_MAX:
        raise InvalidInput("channel_share", params={"max": SHARE_MAX})
    if len(request.sender) > SENDER_CHARACTERS_MAX:
        raise InvalidInput("text_too_long", params={"max": SENDER_CHARACTERS_MAX})
    refuse_card_number(request.sender)
    if request.share is not None and act.settings.provider_host(request.provider) is None:
        raise NotFound("provider_unknown")
