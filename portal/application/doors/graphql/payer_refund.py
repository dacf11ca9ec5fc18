"""Payer schema: refunds of the bill that are transferred, and the account that they go to.

Zone: application. Whether the account is taken is decided in the vault, which asks first for what
the page does not show; no field leaves an account whole.
"""

from enum import Enum

import strawberry

from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.refund_accounts import RefundAccountSource
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    Info,
    Money,
    MoneyValue,
    by,
    optional,
    plain,
)
from portal.contract.envelope import Done
from portal.contract.refund_account import GIVE_PAYER_ACCOUNT, GivenAccount, GivePayerAccount
from portal.contract.refund_account import PageRefund as PageRefundPart
from portal.contract.refund_account import PageRefunds as PageRefundsPart


@strawberry.enum(description="What is asked before an account is taken.")
class RefundProof(Enum):
    """portal.contract.refund_account.Proof."""

    PHONE = "phone"
    CUSTOMER_NO = "customer_no"
    STAFF = "staff"


def _source(account: strawberry.Parent[GivenAccount]) -> RefundAccountSource:
    return RefundAccountSource(account.source)


@strawberry.type(description="Where a refund is transferred to, as far as it is shown.")
class PageRefundAccount:
    """portal.contract.refund_account.GivenAccount, without who gave it."""

    bank_name: str = plain("The bank.")
    branch_name: str = plain("Its branch.")
    account_hint: str = plain("Last 3 of the account number.")
    holder_hint: str = plain("The holder by the first letter of each part of the name.")
    source: RefundAccountSource = by(_source, "Whose word it is.")
    changes: int = plain("How often it was given anew since.")


def _amount(refund: strawberry.Parent[PageRefundPart]) -> MoneyValue:
    return MoneyValue(refund.amount_minor)


@strawberry.type(description="Money that is transferred back to the payer.")
class PageRefund:
    """portal.contract.refund_account.PageRefund."""

    amount: Money = by(_amount, "What goes back.")
    is_open: bool = plain("Whether its account can still be given or corrected.")
    account: PageRefundAccount | None = plain("Where to; null while nobody has said it.")
    transfer_on: Date | None = plain("The day on which a file that holds it goes to the bank.")


def _refunds(page: strawberry.Parent[PageRefundsPart]) -> tuple[PageRefundPart, ...]:
    return page.refunds


def _proof(page: strawberry.Parent[PageRefundsPart]) -> RefundProof:
    return RefundProof(page.proof)


@strawberry.type(description="Refunds by bank transfer that are not over.")
class PageRefunds:
    """portal.contract.refund_account.PageRefunds."""

    nodes: list[PageRefund] = by(_refunds, "The oldest first.", rows=50)
    may_give: bool = plain("Whether an account is taken here and now.")
    proof: RefundProof = by(_proof, "What is asked first.")
    tries_left: int = plain("How many wrong answers are left.")


@strawberry.input(description="The account for all refunds that wait for their transfer.")
class RefundAccountGiveInput:
    """portal.contract.refund_account.GivePayerAccount."""

    bank_code: str = plain("4 digits.")
    branch_code: str = plain("3 digits; of Japan Post Bank a passbook's 5-digit symbol will do.")
    account_kind: str = optional("1 ordinary, 2 current, 4 savings.", default="1")
    account_number: str = plain("Up to 7 digits; stored sealed.")
    holder_name: str = plain("The holder in kana, at most 30; stored sealed.")
    proof: str = plain("Last 4 of the payer's telephone number, or the customer number.")


def _was_done(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether the account was taken, or why not.")
class RefundAccountGivePayload:
    """Outcome of refundAccountGive."""

    given: bool = by(_was_done, "True when it was taken.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def give_account(
    info: Info,
    input: RefundAccountGiveInput,  # noqa: A002 - the argument's name in the schema
) -> Outcome[Done]:
    """The payer's own word."""
    request = GivePayerAccount(
        bank_code=input.bank_code,
        branch_code=input.branch_code,
        account_kind=input.account_kind,
        account_number=input.account_number,
        holder_name=input.holder_name,
        proof=input.proof,
    )
    return await outcome_of(info, info.context.call(GIVE_PAYER_ACCOUNT, request))


@strawberry.type
class PayerRefundMutation:
    """Where the payer's money goes back to."""

    refund_account_give: RefundAccountGivePayload = by(
        give_account, "Give the account that refunds go to.", cost=VAULT_CALL
    )
