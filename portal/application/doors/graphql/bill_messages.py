"""Merchant schema, bills: the messages about one bill.

Zone: application. How far each came, when, and what it cost; nothing here names a payer.
"""

import strawberry

from portal.application.doors.graphql.schema import DateTime, Int64, plain
from portal.contract.bills import BillMessage as BillMessagePart

__all__ = ["BillMessage", "BillMessagePart"]


@strawberry.type(description="One message about a bill: how far it came, and when.")
class BillMessage:
    """portal.contract.bills.BillMessage."""

    channel: str = plain("`sms`, `email`, ….")
    provider: str = plain("The company that carries it.")
    state: str = plain("`planned`, `accepted`, `delivered`, …")
    planned_at: DateTime = plain("When it was planned.")
    sent_at: DateTime | None = plain("When the company had taken it.")
    delivered_at: DateTime | None = plain("When it was known to have arrived.")
    opened_at: DateTime | None = plain("When the bill was opened, put down to this message.")
    paid_at: DateTime | None = plain("When the bill was paid, put down to this message.")
    cost_hundredths: Int64 | None = plain(
        "What an ordinary message costs, in hundredths of a yen; 0 if it was not sent, null where"
        " no price is known."
    )
