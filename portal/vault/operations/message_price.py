"""Data zone, stage "message": what messages cost, as the merchant's own staff see and set it."""

from typing import Final

from portal.contract.envelope import Nothing
from portal.contract.message_price import (
    CHANGE_MESSAGE_PRICES,
    LIST_MESSAGE_PRICES,
    ChangeMessagePrices,
    MessagePriceList,
    MessagePrices,
)
from portal.domain.errors import NotFound
from portal.domain.funnel import USUAL_PRICES
from portal.vault.act import Act
from portal.vault.message_price import store_prices
from portal.vault.registry import operation

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})

LISTED: Final = """
select c.channel, c.provider, p.prices from (
    select channel, provider from merchant_channel where merchant_id = $1 and not is_off
    union select 'sms', m.sms_provider from merchant m where m.id = $1
    union select 'paper', 'paper'
    union select channel, provider from message_price where merchant_id = $1
) c
left join message_price p
    on p.merchant_id = $1 and p.channel = c.channel and p.provider = c.provider
order by 1, 2
"""


@operation(LIST_MESSAGE_PRICES, callers=_WEB, kinds=_STAFF, audit="none")
async def list_message_prices(act: Act, _request: Nothing) -> MessagePriceList:
    """What each company takes for the merchant's messages, by channel."""
    listed: list[MessagePrices] = []
    for row in await act.db.fetch(LISTED, act.merchant_id):
        usual = USUAL_PRICES.get(row["channel"], ())
        listed.append(
            MessagePrices(
                channel=row["channel"],
                provider=row["provider"],
                prices=usual if row["prices"] is None else tuple(row["prices"]),
                is_usual=row["prices"] is None and bool(usual),
            )
        )
    return MessagePriceList(prices=tuple(listed))


@operation(
    CHANGE_MESSAGE_PRICES, callers=_WEB, kinds=_STAFF, roles=frozenset({"owner"}), audit="effect"
)  # fmt: skip
async def change_message_prices(act: Act, request: ChangeMessagePrices) -> MessagePriceList:
    """Set what a listed company takes; the same again changes nothing.

    Raises: InvalidInput ``message_prices`` (params ``field``, ``max``); NotFound ``not_found``.
    """
    known = (await list_message_prices(act, Nothing())).prices
    if (request.channel, request.provider) not in {(one.channel, one.provider) for one in known}:
        raise NotFound("not_found", params={"kind": "company"})
    await store_prices(act, request.channel, request.provider, request.prices)
    return await list_message_prices(act, Nothing())
