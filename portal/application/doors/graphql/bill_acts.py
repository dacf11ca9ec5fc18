"""Merchant schema, bills: what staff and systems do to a bill.

Zone: application. Whether it may be done is decided in the vault; here a refusal becomes data.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.bills import Bill
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, by, optional, plain
from portal.contract.bills import (
    CANCEL_BILL,
    RESEND_MESSAGE,
    BillChanged,
    BillRow,
    CancelBill,
    ResendMessage,
)
from portal.domain.ids import BillId, from_public


def _changed(outcome: strawberry.Parent[Outcome[BillChanged]]) -> BillRow | None:
    return outcome.entity.row if outcome.entity else None


@strawberry.input(description="Stop asking for a bill.")
class BillCancelInput:
    """portal.contract.bills.CancelBill."""

    id: strawberry.ID = plain("`bill_…`")
    version: int = plain("The bill's version as last seen.")
    reason: str = plain("Why, for the timeline; at most 200 characters.")
    idempotency_key: str = plain("Yours; the same key and arguments cancel once.")


@strawberry.type(description="The bill after it was canceled, or why it was not.")
class BillCancelPayload:
    """Outcome of billCancel."""

    bill: Bill | None = by(_changed, "The bill.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def cancel_bill(info: Info, input: BillCancelInput) -> Outcome[BillChanged]:  # noqa: A002 - the argument's name in the schema
    """Cancel; the vault decides whether that is still possible."""

    async def act() -> BillChanged:
        request = CancelBill(
            bill_id=BillId(from_public("bill", input.id)),
            version=input.version,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(CANCEL_BILL, request)

    return await outcome_of(info, act())


@strawberry.input(description="Send the payer the link once more.")
class BillResendInput:
    """portal.contract.bills.ResendMessage."""

    id: strawberry.ID = plain("`bill_…`")
    idempotency_key: str = plain("Yours; the same key sends once.")
    channel: enums.MessageChannel = optional(
        "One of the bill's `resendChannels`.", default=enums.MessageChannel.SMS
    )


@strawberry.type(description="The bill whose message was planned again, or why it was not.")
class BillResendPayload:
    """Outcome of billResend."""

    bill: Bill | None = by(_changed, "The bill.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def resend_message(info: Info, input: BillResendInput) -> Outcome[BillChanged]:  # noqa: A002 - the argument's name in the schema
    """Plan the message again, ahead of bulk sending."""

    async def act() -> BillChanged:
        request = ResendMessage(
            bill_id=BillId(from_public("bill", input.id)),
            idempotency_key=input.idempotency_key,
            channel=input.channel.value,
        )
        return await info.context.call(RESEND_MESSAGE, request)

    return await outcome_of(info, act())


@strawberry.type
class BillsMutation:
    """What is done to a bill."""

    bill_cancel: BillCancelPayload = by(cancel_bill, "Stop asking for a bill.", cost=VAULT_CALL)
    bill_resend: BillResendPayload = by(
        resend_message, "Send the payer the link once more.", cost=VAULT_CALL
    )
