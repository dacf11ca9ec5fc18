"""Merchant schema: what messages cost by channel and company.

Zone: application. Staff only; owners set them. Which companies there are is the vault's to say.
"""

import strawberry

from portal.application.doors.graphql import template_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, plain
from portal.contract.envelope import Nothing
from portal.contract.message_price import (
    CHANGE_MESSAGE_PRICES,
    LIST_MESSAGE_PRICES,
    ChangeMessagePrices,
    MessagePriceList,
    MessagePrices,
)


@strawberry.type(description="What a company takes for a message of 1, 2, 3 … parts.")
class MessagePrice:
    """portal.contract.message_price.MessagePrices."""

    channel: enums.PricedChannel = plain("By what it goes.")
    provider: str = plain("The company that carries it; `paper`: the print shop.")
    prices: list[int] = plain("In hundredths of a yen, the first for one part; empty: not known.")
    is_usual: bool = plain("Nobody has set them: what such companies usually take.")


async def list_prices(info: Info) -> tuple[MessagePrices, ...]:
    """What messages cost now."""
    return (await info.context.call(LIST_MESSAGE_PRICES, Nothing())).prices


@strawberry.type
class MessagePricesQuery:
    """What messages cost."""

    message_prices: list[MessagePrice] = by(
        list_prices,
        "What messages cost, by channel and company; staff only.",
        cost=VAULT_CALL,
        rows=50,
    )


@strawberry.input(description="Set what a company takes for a message.")
class MessagePricesSetInput:
    """portal.contract.message_price.ChangeMessagePrices."""

    channel: enums.PricedChannel = plain("By what it goes.")
    provider: str = plain("A company of `messagePrices`.")
    prices: list[int] = plain(
        "In hundredths of a yen; an SMS has one for each number of parts, 10 at most; none: not "
        "known any more, or the usual."
    )


def _prices(
    outcome: strawberry.Parent[Outcome[MessagePriceList]],
) -> tuple[MessagePrices, ...]:
    return outcome.entity.prices if outcome.entity else ()


@strawberry.type(description="What messages cost from now on, or why nothing was set.")
class MessagePricesSetPayload:
    """Outcome of messagePricesSet."""

    prices: list[MessagePrice] = by(_prices, "All of them.", rows=50)
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def set_prices(info: Info, input: MessagePricesSetInput) -> Outcome[MessagePriceList]:  # noqa: A002 - the argument's name in the schema
    """Set; the same again changes nothing."""

    async def act() -> MessagePriceList:
        request = ChangeMessagePrices(
            channel=input.channel.value, provider=input.provider, prices=tuple(input.prices)
        )
        return await info.context.call(CHANGE_MESSAGE_PRICES, request)

    return await outcome_of(info, act())


@strawberry.type
class MessagePricesMutation:
    """What is done about prices."""

    message_prices_set: MessagePricesSetPayload = by(
        set_prices, "Set what a company takes for a message; owners only.", cost=VAULT_CALL
    )
