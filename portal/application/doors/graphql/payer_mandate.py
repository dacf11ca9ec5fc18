"""Payer schema, mandates: pay from a bank account from now on, and see how that stands.

Zone: application. No field can hold an account number: it is typed at the bank's own page.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, plain
from portal.application.doors.locales import TEXTS
from portal.application.payment.mandate import MandateIntent, begin_mandate
from portal.contract.mandate import MandateNow, PageMandate
from portal.domain.ids import to_public


def _id(mandate: strawberry.Parent[PageMandate]) -> strawberry.ID:
    return strawberry.ID(to_public("mandate", mandate.id))


def _reason(mandate: strawberry.Parent[PageMandate], info: Info) -> str | None:
    return TEXTS[info.context.language].code(mandate.code) if mandate.code else None


@strawberry.type(description="The payer's latest word that their bank account may be debited.")
class PayerMandate:
    """portal.contract.mandate.PageMandate."""

    id: strawberry.ID = by(_id, "`mdt_…`")
    state: enums.MandateState = plain("Whether it is used.")
    code: str | None = plain("Why it is so, where the bank or staff said it.")
    reason: str | None = by(_reason, "That reason in the viewer's language.")
    bank_name: str = plain("The payer's bank.")
    account_hint: str = plain("Last 3 of the account number; empty until the bank named it.")


@strawberry.input(description="An intent to pay from a bank account from now on.")
class MandateStartInput:
    """portal.contract.mandate.StartMandate."""

    bank_code: str = plain("4 digits.")
    branch_code: str = plain("3 digits.")
    idempotency_key: str = plain("The bill's attemptKey; a second click is the same intent.")


def _now_id(outcome: strawberry.Parent[Outcome[MandateNow]]) -> strawberry.ID | None:
    entity = outcome.entity
    return strawberry.ID(to_public("mandate", entity.mandate_id)) if entity else None


def _page_url(outcome: strawberry.Parent[Outcome[MandateNow]]) -> str | None:
    return outcome.entity.page_url if outcome.entity else None


@strawberry.type(description="The mandate and where to go next, or why there is none.")
class MandateStartPayload:
    """Outcome of mandateStart."""

    mandate_id: strawberry.ID | None = by(_now_id, "`mdt_…`")
    page_url: str | None = by(_page_url, "The bank's page to visit by GET while the payer acts.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def start_mandate(info: Info, input: MandateStartInput) -> Outcome[MandateNow]:  # noqa: A002 - the argument's name in the schema
    """Begin the mandate and open the bank's page."""
    context = info.context
    intent = MandateIntent(
        bank_code=input.bank_code, branch_code=input.branch_code, key=input.idempotency_key
    )
    origin = context.doors.settings.public_origin
    act = begin_mandate(context.doors.pay_desk, context.authority, intent, origin)
    return await outcome_of(info, act)


@strawberry.type
class PayerMandateMutation:
    """Mandates."""

    mandate_start: MandateStartPayload = by(
        start_mandate, "Begin to pay from a bank account from now on.", cost=VAULT_CALL * 4
    )
