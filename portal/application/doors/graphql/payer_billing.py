"""Payer schema: no more paper, paper again, and that a bill is somebody else's.

Zone: application. Whether it may be said is decided in the vault; here a refusal becomes data.
"""

import strawberry

from portal.application.doors.graphql import digital_enums as words
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, plain
from portal.contract.digital import CHOOSE_BILLING, BillingSet, ChooseBilling
from portal.contract.envelope import Done, Nothing
from portal.contract.hygiene import DENY_BILL
from portal.contract.page import PageBilling as PageBillingPart


def _state(part: strawberry.Parent[PageBillingPart]) -> words.Billing:
    return words.Billing(part.billing)


@strawberry.type(description="How the bill's contract is billed, and what may be said of it here.")
class PageBilling:
    """portal.contract.page.PageBilling."""

    billing: words.Billing = by(_state, "How.")
    may_choose: bool = plain("Whether the payer may choose here.")
    may_deny: bool = plain("Whether who got this message may say that the bill is not theirs.")
    is_denied: bool = plain("Whether somebody has said so.")


@strawberry.input(description="No more paper, or paper again.")
class BillingChooseInput:
    """portal.contract.digital.ChooseBilling."""

    digital: bool = plain("True: no more paper, but messages.")
    words: str = plain("The version of the words that the page showed.")


def _now(outcome: strawberry.Parent[Outcome[BillingSet]]) -> words.Billing | None:
    return words.Billing(outcome.entity.billing) if outcome.entity else None


@strawberry.type(description="How the contract is billed now, or why it stays as it is.")
class BillingChoosePayload:
    """Outcome of billingChoose."""

    billing: words.Billing | None = by(_now, "How it is billed from now on.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def choose_billing(info: Info, input: BillingChooseInput) -> Outcome[BillingSet]:  # noqa: A002 - the argument's name in the schema
    """The payer's own press."""
    request = ChooseBilling(is_digital=input.digital, words=input.words)
    return await outcome_of(info, info.context.call(CHOOSE_BILLING, request))


def _was_done(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether it was noted, or why not.")
class BillDenyPayload:
    """Outcome of billDeny."""

    noted: bool = by(_was_done, "True when no messages of this contract go there any more.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def deny_bill(info: Info) -> Outcome[Done]:
    """Whoever got the message says so."""
    return await outcome_of(info, info.context.call(DENY_BILL, Nothing()))


@strawberry.type
class PayerBillingMutation:
    """What a payer says of paper, and whoever got a message of the bill."""

    billing_choose: BillingChoosePayload = by(
        choose_billing, "No more paper, or paper again.", cost=VAULT_CALL
    )
    bill_deny: BillDenyPayload = by(
        deny_bill, "Say that the bill of this page is somebody else's.", cost=VAULT_CALL
    )
