"""Payer schema, slip: the number that shops and wallets read, shown instead of a provider's page.

Zone: application. The bars are drawn by the page from the digits; nothing here names a bill.
"""

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    Info,
    Money,
    MoneyValue,
    by,
    plain,
)
from portal.contract.envelope import Nothing
from portal.contract.slip import SHOW_SLIP, SlipView


def _amount(slip: strawberry.Parent[SlipView]) -> MoneyValue:
    return MoneyValue(slip.amount_minor)


@strawberry.type(description="A payment slip, to be paid at a shop or by a wallet's camera.")
class Slip:
    """portal.contract.slip.SlipView."""

    digits: str = plain("All 44 digits, as the bars carry them.")
    lines: list[str] = plain("The two lines that stand below the bars.")
    amount: Money = by(_amount, "What is paid by it.")
    pay_until: Date = plain("The last day on which shops take it.")
    at_registers: bool = plain("Whether registers take it from a telephone's screen.")
    needs_stamp: bool = plain("Whether a shop's receipt needs a revenue stamp.")


def _slip(outcome: strawberry.Parent[Outcome[SlipView]]) -> SlipView | None:
    return outcome.entity


@strawberry.type(description="The slip, or why there is none.")
class SlipShowPayload:
    """Outcome of slipShow."""

    slip: Slip | None = by(_slip, "The slip.")
    errors: list[UserError] = plain("Why there is none; empty when there is.")


async def show_slip(info: Info) -> Outcome[SlipView]:
    """Make the slip out, or show the one that is there."""
    return await outcome_of(info, info.context.call(SHOW_SLIP, Nothing()))


@strawberry.type
class SlipMutation:
    """The slip: asking for it makes it out, so it is no query."""

    slip_show: SlipShowPayload = by(
        show_slip, "Make out the bill's slip, or show it again.", cost=VAULT_CALL
    )
