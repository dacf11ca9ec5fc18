"""Merchant schema: where a refund by bank transfer goes, and staff who take it down.

Zone: application. No field leaves the whole account: it is masked in the vault already.
"""

from enum import Enum

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    by,
    optional,
    plain,
)
from portal.contract.refund_account import (
    GIVE_REFUND_ACCOUNT,
    GivenAccount,
    GiveRefundAccount,
    RefundAccountGiven,
)
from portal.domain.ids import RefundId, from_public


@strawberry.enum(description="Whose word the account is.")
class RefundAccountSource(Enum):
    """portal.domain.refund_account.AccountSource."""

    PAYER = "payer"
    STAFF = "staff"
    MANDATE = "mandate"


def _source(account: strawberry.Parent[GivenAccount]) -> RefundAccountSource:
    return RefundAccountSource(account.source)


@strawberry.type(description="Where a refund is transferred to, as far as it is shown.")
class RefundAccount:
    """portal.contract.refund_account.GivenAccount."""

    bank_name: str = plain("The bank.")
    branch_name: str = plain("Its branch.")
    account_hint: str = plain("Last 3 of the account number.")
    holder_hint: str = plain("The holder by the first letter of each part of the name.")
    source: RefundAccountSource = by(_source, "Whose word it is.")
    given_at: DateTime | None = plain("When it was given; null for a debited one nobody gave.")
    given_by: str = plain("Who gave it.")
    changes: int = plain("How often it was given anew since.")


@strawberry.input(description="Take down where a refund goes, as its payer said.")
class RefundAccountGiveInput:
    """portal.contract.refund_account.GiveRefundAccount."""

    id: strawberry.ID = plain("`rfd_…`")
    debited: bool = optional(
        "To the account that was debited; the fields below are not read then.", default=False
    )
    bank_code: str = optional("4 digits.", default="")
    branch_code: str = optional(
        "3 digits; of Japan Post Bank a passbook's 5-digit symbol will do.", default=""
    )
    account_kind: str = optional("1 ordinary, 2 current, 4 savings.", default="1")
    account_number: str = optional("Up to 7 digits; stored sealed.", default="")
    holder_name: str = optional("The holder in kana, at most 30; stored sealed.", default="")
    idempotency_key: str = plain("Yours; the same key and arguments give it once.")


def _account(outcome: strawberry.Parent[Outcome[RefundAccountGiven]]) -> GivenAccount | None:
    return outcome.entity.account if outcome.entity else None


@strawberry.type(description="The account as it is kept, or why it is not.")
class RefundAccountGivePayload:
    """Outcome of refundAccountGive."""

    account: RefundAccount | None = by(_account, "The account.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def give_account(
    info: Info,
    input: RefundAccountGiveInput,  # noqa: A002 - the argument's name in the schema
) -> Outcome[RefundAccountGiven]:
    """Take it down; until when is the vault's to say."""

    async def act() -> RefundAccountGiven:
        request = GiveRefundAccount(
            refund_id=RefundId(from_public("refund", input.id)),
            is_debited=input.debited,
            bank_code=input.bank_code,
            branch_code=input.branch_code,
            account_kind=input.account_kind,
            account_number=input.account_number,
            holder_name=input.holder_name,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(GIVE_REFUND_ACCOUNT, request)

    return await outcome_of(info, act())


@strawberry.type
class RefundAccountsMutation:
    """Where refunds go."""

    refund_account_give: RefundAccountGivePayload = by(
        give_account, "Take down where a refund is transferred to; staff only.", cost=VAULT_CALL
    )
