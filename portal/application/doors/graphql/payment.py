"""Payer schema, payment: start to pay, and see what became of it.

Zone: application. No field can hold a card number: card and wallet are chosen on the provider's
own page. Starting calls the stage portal.application.payment, nothing else.
"""

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.page import Attempt, view_page
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Info,
    Int64,
    by,
    optional,
    optional_list,
    plain,
)
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.page import AttemptView
from portal.contract.payment import AttemptNow


async def view_latest_attempt(info: Info) -> AttemptView | None:
    """The latest try at this bill, if any."""
    return (await view_page(info)).attempt


@strawberry.input(description="One intent to pay the bill.")
class PaymentStartInput:
    """portal.contract.payment.StartPayment."""

    method: str = plain("One of the bill's methods that is available.")
    expected_amount: Int64 = plain("The sum that the payer saw (`pay`), in minor units.")
    idempotency_key: str = plain("The bill's attemptKey; a second click is the same intent.")
    also: list[str] = optional_list("Names of the other bills to be paid with it (`ref`).")
    part: Int64 | None = optional("What is to be paid of the bill alone, if not all of it.")
    consent: str = optional(
        "The words by which the card may be kept, by their version; empty if it may not.",
        default="",
    )
    store: str = optional("At which store, for a number; empty for every other.", default="")
    kept: bool = optional("By the card on file of the contract; no card is typed.", default=False)


def _attempt(outcome: strawberry.Parent[Outcome[AttemptNow]]) -> AttemptView | None:
    return outcome.entity.attempt if outcome.entity else None


def _redirect_url(outcome: strawberry.Parent[Outcome[AttemptNow]]) -> str | None:
    return outcome.entity.redirect_url if outcome.entity else None


def _app_url(outcome: strawberry.Parent[Outcome[AttemptNow]]) -> str | None:
    return outcome.entity.app_url if outcome.entity else None


@strawberry.type(description="The attempt and where to go next, or why there is none.")
class PaymentStartPayload:
    """Outcome of paymentStart."""

    attempt: Attempt | None = by(_attempt, "The attempt.")
    redirect_url: str | None = by(
        _redirect_url, "The provider's page to visit by GET while the payer has to act."
    )
    app_url: str | None = by(
        _app_url, "The same in the provider's app, where it has one; offered by a link, not opened."
    )
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def start_payment(info: Info, input: PaymentStartInput) -> Outcome[AttemptNow]:  # noqa: A002 - the argument's name in the schema
    """Start the attempt and open it at the provider."""
    context = info.context
    intent = Intent(
        method=input.method,
        expected_minor=input.expected_amount,
        key=input.idempotency_key,
        also=tuple(input.also),
        part_minor=input.part,
        consent=input.consent,
        store=input.store,
        kept=input.kept,
    )
    act = submit_payment(
        context.doors.pay_desk,
        context.authority,
        intent,
        context.doors.settings.public_origin,
    )
    return await outcome_of(info, act)


@strawberry.type
class PaymentQuery:
    """Tries to pay."""

    attempt: Attempt | None = by(
        view_latest_attempt, "The latest try to pay this bill, if any.", cost=VAULT_CALL
    )


@strawberry.type
class PaymentMutation:
    """Paying."""

    payment_start: PaymentStartPayload = by(start_payment, "Start to pay.", cost=VAULT_CALL * 4)
