"""The order of a refund as an answer brings it, when that was, and how all of it goes back today.

Application zone; pure. What an order is, is portal.domain.payment_word.gmopg_trade's to say.

Source: recordings of SearchTrade, AlterTran and ChangeTran, t-k/gmo-payment-ruby (MIT).
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from portal.application.providers.gmopg.body import read_pairs
from portal.domain.payment_word import gmopg_trade
from portal.domain.payment_word.gmopg_trade import JAPAN, Trade
from portal.kit.outbound.wire import OutboundAnswer


def read_trade(answer: OutboundAnswer, reference: str) -> Trade | None:
    """The order of exactly this reference, in yen; None for anything else, a cut body too."""
    pairs = read_pairs(answer)
    return None if pairs is None else gmopg_trade.read_trade(pairs, reference)


def fitting_return(
    answer: OutboundAnswer, trade: Trade
) -> Literal["VOID", "RETURN", "RETURNX"] | None:
    """How the whole amount goes back today: on the day itself, in its month, or later.

    Today is what the company's own answer was dated, in Japan's time; None without such a date,
    because the wrong one of the three is refused.
    """
    now = read_date(answer)
    if now is None or trade.processed_at is None:
        return None
    today, that_day = now.date(), trade.processed_at.date()
    if today == that_day:
        return "VOID"
    same_month = (today.year, today.month) == (that_day.year, that_day.month)
    return "RETURN" if same_month else "RETURNX"


def read_date(answer: OutboundAnswer) -> datetime | None:
    """When the company says it answered, in Japan's time."""
    for name, text in answer.headers.items():
        if name.lower() == "date":
            try:
                return parsedate_to_datetime(text).astimezone(JAPAN)
            except (ValueError, OverflowError):
                return None
    return None
