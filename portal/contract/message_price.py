"""What messages cost: a price table for each company by which a merchant's messages go."""

from typing import Literal

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.domain.message import Channel


class MessagePrices(Part, frozen=True, kw_only=True):
    """What a company takes for a message of 1, 2, 3 … parts. Units: hundredths of a yen.

    ``is_usual``: nobody has set them, they are what such companies usually take. Empty: not known.
    """

    channel: Channel | Literal["paper"]
    provider: str
    prices: tuple[int, ...]
    is_usual: bool


class MessagePriceList(Reply, frozen=True, kw_only=True):
    """One entry for each company that carries messages for the merchant, did, or has prices."""

    prices: tuple[MessagePrices, ...]


class ChangeMessagePrices(Request, frozen=True, kw_only=True):
    """Set what a listed company takes; none: not known any more, or the usual.

    Only an SMS has parts. Units: hundredths of a yen. Refused: ``message_prices`` (param ``max``),
    ``not_found`` for a company that the list does not have.
    """

    channel: Channel | Literal["paper"]
    provider: str
    prices: tuple[int, ...]


LIST_MESSAGE_PRICES = Operation("list_message_prices", Nothing, MessagePriceList)
CHANGE_MESSAGE_PRICES = Operation("change_message_prices", ChangeMessagePrices, MessagePriceList)
