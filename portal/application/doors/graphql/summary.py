"""Merchant schema, summary: what the dashboard's first screen shows.

Zone: application. Sums and counts only; nothing here names a payer.
"""

from typing import Final

import strawberry

from portal.application.doors.graphql.intake import Import
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    Money,
    MoneyValue,
    by,
    plain,
)
from portal.contract.bills import SUMMARISE_BILLS
from portal.contract.bills import DayPaid as DayPaidPart
from portal.contract.bills import Summary as SummaryReply
from portal.contract.envelope import Nothing

_ISSUED: Final = "Of the bills that were issued."


@strawberry.type(description="How far the issued bills have come, in bills.")
class Funnel:
    """portal.contract.bills.Funnel."""

    requested: int = plain("Issued.")
    accepted: int = plain("About which a company took a message, any.")
    delivered: int = plain("About which a message arrived, any.")
    opened: int = plain("Whose payer looked.")
    paid: int = plain("Paid.")


def _day_amount(day: strawberry.Parent[DayPaidPart]) -> MoneyValue:
    return MoneyValue(day.amount_minor)


@strawberry.type(description="What came in on one day.")
class DayPaid:
    """portal.contract.bills.DayPaid."""

    day: Date = plain("Day of the merchant's zone.")
    bills: int = plain("Bills paid.")
    amount: Money = by(_day_amount, "Money in.")


def _requested(summary: strawberry.Parent[SummaryReply]) -> MoneyValue:
    return MoneyValue(summary.requested_minor)


def _paid(summary: strawberry.Parent[SummaryReply]) -> MoneyValue:
    return MoneyValue(summary.paid_minor)


def _returned(summary: strawberry.Parent[SummaryReply]) -> MoneyValue:
    return MoneyValue(summary.returned_minor)


def _unpaid(summary: strawberry.Parent[SummaryReply]) -> MoneyValue:
    return MoneyValue(summary.unpaid_minor)


def _overdue(summary: strawberry.Parent[SummaryReply]) -> MoneyValue:
    return MoneyValue(summary.overdue_minor)


@strawberry.type(description="The whole at a glance. Only bills that were issued count.")
class Summary:
    """portal.contract.bills.Summary."""

    requested_bills: int = plain("Issued.")
    requested: Money = by(_requested, _ISSUED)
    paid_bills: int = plain("Paid.")
    paid: Money = by(_paid, "Paid so far.")
    returned: Money = by(_returned, "What of that has gone back to payers.")
    unpaid_bills: int = plain("Not paid yet.")
    unpaid: Money = by(_unpaid, "Not paid yet.")
    overdue_bills: int = plain("Overdue and not paid.")
    overdue: Money = by(_overdue, "Overdue and not paid.")
    never_opened_bills: int = plain("Whose payer never looked.")
    doubtful_bills: int = plain("Of whose message nobody knows whether it was sent.")
    undelivered_bills: int = plain("Whose message did not arrive.")
    missed_promises: int = plain("Still owed, and the promised day has passed.")
    bad_contacts: int = plain("Contacts that take no messages, or are somebody else's.")
    open_cases: int = plain("What waits for a person.")
    funnel: Funnel = plain("How far they have come.")
    days: list[DayPaid] = plain("What came in, day by day.")
    imports: list[Import] = plain("The latest imports.")
    as_of: DateTime = plain("When this was counted.")


async def summarise(info: Info) -> SummaryReply:
    """The sums, as the vault counted them."""
    return await info.context.look(SUMMARISE_BILLS, Nothing())


@strawberry.type
class SummaryQuery:
    """The first screen."""

    summary: Summary = by(summarise, "The whole at a glance.", cost=VAULT_CALL * 5)
