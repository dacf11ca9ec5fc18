"""Data zone: what a merchant's messages cost, by channel and company.

Who pays the company knows the price: the merchant's own staff, or the operator for it.
"""

from typing import TYPE_CHECKING, Final, cast

from portal.domain.errors import InvalidInput
from portal.domain.template_form import FORMS
from portal.vault.act import Act

if TYPE_CHECKING:
    from portal.domain.template import TemplateChannel

PRICE_MAX: Final = 1_000_000
"""Units: hundredths of a yen."""

_SET: Final = """
insert into message_price (merchant_id, channel, provider, prices) values ($1, $2, $3, $4)
on conflict (merchant_id, channel, provider) do update set prices = excluded.prices
"""
_FORGET: Final = """
delete from message_price where merchant_id = $1 and channel = $2 and provider = $3
"""


async def store_prices(act: Act, channel: str, provider: str, prices: tuple[int, ...]) -> None:
    """Set what a company takes for a message by its parts; no prices: nothing is known.

    Raises: InvalidInput ``message_prices`` (params ``field``, ``max``).
    """
    form = FORMS.get(cast("TemplateChannel", channel))
    steps = 1 if form is None else form.price_steps
    if len(prices) > steps or not all(0 <= price <= PRICE_MAX for price in prices):
        raise InvalidInput("message_prices", params={"field": "prices", "max": steps})
    if prices:
        await act.db.execute(_SET, act.merchant_id, channel, provider, list(prices))
    else:
        await act.db.execute(_FORGET, act.merchant_id, channel, provider)
