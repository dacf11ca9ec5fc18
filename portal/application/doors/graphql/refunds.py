"""Merchant schema, refunds: those of a bill, those that wait for somebody, and what is done.

Zone: application. Who may ask, approve or record is the vault's to say: what the viewer may do
comes with each refund, and an act that is none of it is refused there.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.refund_accounts import RefundAccount
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    Int64,
    Money,
    MoneyValue,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.application.doors.locales import TEXTS
from portal.contract.bills import BillRow
from portal.contract.refund import (
    DECIDE_REFUND,
    LIST_BILL_REFUNDS,
    LIST_REFUNDS,
    RECORD_TRANSFER,
    REQUEST_REFUND,
    BillRefunds,
    DecideRefund,
    ListBillRefunds,
    ListRefunds,
    RecordTransfer,
    RefundChanged,
    RefundPage,
    RefundView,
    RequestRefund,
)
from portal.contract.refund import Refundable as RefundablePart
from portal.domain.ids import AttemptId, BillId, RefundId, from_public, to_public

# A refund


def _id(refund: strawberry.Parent[RefundView]) -> strawberry.ID:
    return strawberry.ID(to_public("refund", refund.id))


def _bill_id(refund: strawberry.Parent[RefundView]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", refund.bill_id))


def _attempt_id(refund: strawberry.Parent[RefundView]) -> strawberry.ID:
    return strawberry.ID(to_public("attempt", refund.attempt_id))


def _amount(refund: strawberry.Parent[RefundView]) -> MoneyValue:
    return MoneyValue(refund.amount_minor)


def _failure(refund: strawberry.Parent[RefundView], info: Info) -> str | None:
    code = refund.code
    return TEXTS[info.context.language].short(code) if code is not None else None


@strawberry.type(description="Money on its way back to a payer, or back already.")
class Refund:
    """portal.contract.refund.RefundView."""

    id: strawberry.ID = by(_id, "`rfd_…`")
    bill_id: strawberry.ID = by(_bill_id, "`bill_…`")
    bill_number: str = plain("The merchant's number of the bill.")
    attempt_id: strawberry.ID = by(_attempt_id, "The payment it is of, `att_…`.")
    state: enums.RefundState = plain("How far it has come.")
    amount: Money = by(_amount, "What goes back.")
    way: enums.RefundWay = plain("Who gives it back.")
    reason: enums.RefundReason = plain("Why, for lists and sums.")
    note: str = plain("What was written about it, or empty.")
    provider: str = plain("Who took the payment.")
    reference: str = plain("Our reference of the refund at the provider.")
    code: str | None = plain("Why it failed, if it did.")
    failure: str | None = by(_failure, "That reason in the viewer's language.")
    asked_by: str = plain("Who asked for it.")
    asked_at: DateTime = plain("When that was.")
    approve_until: DateTime | None = plain("Until when a second person may approve, if one must.")
    decided_by: str | None = plain("Who approved, withdrew or recorded it.")
    decided_at: DateTime | None = plain("When that was.")
    finished_at: DateTime | None = plain("When it ended.")
    transferred_on: Date | None = plain("The day of the merchant's own transfer.")
    choices: list[enums.RefundChoice] = plain("What the viewer may do about it now.")
    account: RefundAccount | None = plain("Where it is transferred to, as far as anyone said.")
    takes_account: bool = plain("Whether the viewer may give or correct that now.")
    transfer_on: Date | None = plain("The day of the bank's file in which it stands.")


# What can go back


def _payment_id(part: strawberry.Parent[RefundablePart]) -> strawberry.ID:
    return strawberry.ID(to_public("attempt", part.attempt_id))


def _room(part: strawberry.Parent[RefundablePart]) -> MoneyValue:
    return MoneyValue(part.amount_minor)


@strawberry.type(description="A payment of which something can still go back.")
class RefundablePayment:
    """portal.contract.refund.Refundable."""

    attempt_id: strawberry.ID = by(_payment_id, "`att_…`")
    amount: Money = by(_room, "What nothing holds yet.")
    by_provider: bool = plain("Whether its provider can give it back; else it is transferred.")
    paid_at: DateTime = plain("When the money came.")


def _total(found: strawberry.Parent[BillRefunds]) -> MoneyValue:
    return MoneyValue(sum(part.amount_minor for part in found.refundable))


def _owed(found: strawberry.Parent[BillRefunds]) -> MoneyValue:
    return MoneyValue(found.owed_minor)


def _limit(found: strawberry.Parent[BillRefunds | RefundPage]) -> MoneyValue:
    return MoneyValue(found.limit_minor)


def _payments(found: strawberry.Parent[BillRefunds]) -> tuple[RefundablePart, ...]:
    return found.refundable


@strawberry.type(description="What of a bill's payments can still go back to the payer.")
class BillRefundable:
    """The sums of portal.contract.refund.BillRefunds."""

    total: Money = by(_total, "All that nothing holds yet.")
    owed: Money = by(_owed, "What is owed back to the payer and not set aside yet.")
    limit: Money = by(_limit, "What goes back of one payment without a second person.")
    payments: list[RefundablePayment] = by(_payments, "By payment, the newest first.", rows=20)


async def _of_bill(row: BillRow, info: Info) -> BillRefunds:
    return await info.context.look(LIST_BILL_REFUNDS, ListBillRefunds(bill_id=row.id))


async def refunds_of(row: strawberry.Parent[BillRow], info: Info) -> tuple[RefundView, ...]:
    """The refunds of a bill."""
    return (await _of_bill(row, info)).refunds


async def refundable_of(row: strawberry.Parent[BillRow], info: Info) -> BillRefunds:
    """What can still go back of a bill's payments."""
    return await _of_bill(row, info)


# The list


def _page_end(page: strawberry.Parent[RefundPage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


def _nodes(page: strawberry.Parent[RefundPage]) -> tuple[RefundView, ...]:
    return page.refunds


@strawberry.type(description="A page of refunds, newest first.")
class RefundConnection:
    """portal.contract.refund.RefundPage."""

    nodes: list[Refund] = by(_nodes, "The refunds.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")
    limit: Money = by(_limit, "What goes back of one payment without a second person.")


async def list_refunds(
    info: Info,
    first: int,
    after: str | None = None,
    states: list[enums.RefundState] | None = None,
    lacks_account: bool = False,  # noqa: FBT001, FBT002 - an argument of the schema
) -> RefundPage:
    """A page of refunds; the cursor is the vault's own, sealed there."""
    request = ListRefunds(
        states=tuple(state.value for state in states or ()),
        first=page_size(first),
        after=after,
        lacks_account=lacks_account,
    )
    return await info.context.call(LIST_REFUNDS, request)


@strawberry.type
class RefundsQuery:
    """Refunds."""

    refunds: RefundConnection = by(
        list_refunds, "Refunds of all bills, newest first; no `states`: any.", cost=VAULT_CALL
    )


# What is done


def _changed(outcome: strawberry.Parent[Outcome[RefundChanged]]) -> RefundView | None:
    return outcome.entity.refund if outcome.entity else None


@strawberry.input(description="Give back a part or all of what one payment brought.")
class RefundRequestInput:
    """portal.contract.refund.RequestRefund."""

    bill_id: strawberry.ID = plain("`bill_…`")
    attempt_id: strawberry.ID = plain("Of which payment, `att_…`.")
    amount: Int64 = plain("What goes back, in yen.")
    way: enums.RefundWay = optional(
        "By whom; a payment whose provider can't is always transferred.",
        default=enums.RefundWay.PROVIDER,
    )
    reason: enums.RefundReason = plain("Why, for lists and sums.")
    note: str = optional("Anything more, at most 500 characters; stored sealed.", default="")
    totp: str = plain("A code of the viewer's authenticator that was not used before.")
    idempotency_key: str = plain("Yours; the same key and arguments ask once.")


@strawberry.type(description="The refund that was asked for, or why it was not.")
class RefundRequestPayload:
    """Outcome of refundRequest."""

    refund: Refund | None = by(_changed, "The refund.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def request_refund(info: Info, input: RefundRequestInput) -> Outcome[RefundChanged]:  # noqa: A002 - the argument's name in the schema
    """Ask; whether that is possible, and whether someone must approve, is decided in the vault."""

    async def act() -> RefundChanged:
        request = RequestRefund(
            bill_id=BillId(from_public("bill", input.bill_id)),
            attempt_id=AttemptId(from_public("attempt", input.attempt_id)),
            amount_minor=input.amount,
            way=input.way.value,
            reason=input.reason.value,
            note=input.note,
            totp=input.totp,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(REQUEST_REFUND, request)

    return await outcome_of(info, act())


@strawberry.input(description="Approve a refund that someone else asked for, or withdraw one.")
class RefundDecideInput:
    """portal.contract.refund.DecideRefund."""

    id: strawberry.ID = plain("`rfd_…`")
    decision: enums.RefundDecision = plain("What to do with it.")
    totp: str = optional(
        "To approve: a code of the viewer's authenticator that was not used before.", default=""
    )
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


@strawberry.type(description="The refund as it was decided, or why it was not.")
class RefundDecidePayload:
    """Outcome of refundDecide."""

    refund: Refund | None = by(_changed, "The refund.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def decide_refund(info: Info, input: RefundDecideInput) -> Outcome[RefundChanged]:  # noqa: A002 - the argument's name in the schema
    """Decide; who may is the vault's to say."""

    async def act() -> RefundChanged:
        request = DecideRefund(
            refund_id=RefundId(from_public("refund", input.id)),
            decision=input.decision.value,
            totp=input.totp,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_REFUND, request)

    return await outcome_of(info, act())


@strawberry.input(description="Record that the merchant transferred a refund itself.")
class RefundTransferredInput:
    """portal.contract.refund.RecordTransfer."""

    id: strawberry.ID = plain("`rfd_…`")
    transferred_on: Date = plain("The day of the transfer, in the merchant's zone.")
    note: str = optional("Anything more, at most 500 characters; stored sealed.", default="")
    idempotency_key: str = plain("Yours; the same key and arguments record once.")


@strawberry.type(description="The refund with its transfer recorded, or why it was not.")
class RefundTransferredPayload:
    """Outcome of refundTransferred."""

    refund: Refund | None = by(_changed, "The refund.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def record_transfer(info: Info, input: RefundTransferredInput) -> Outcome[RefundChanged]:  # noqa: A002 - the argument's name in the schema
    """Record; an owner's act."""

    async def act() -> RefundChanged:
        request = RecordTransfer(
            refund_id=RefundId(from_public("refund", input.id)),
            transferred_on=input.transferred_on,
            note=input.note,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(RECORD_TRANSFER, request)

    return await outcome_of(info, act())


@strawberry.type
class RefundsMutation:
    """What is done about refunds."""

    refund_request: RefundRequestPayload = by(
        request_refund, "Ask for a refund; staff only.", cost=VAULT_CALL
    )
    refund_decide: RefundDecidePayload = by(
        decide_refund, "Approve or withdraw a refund; staff only.", cost=VAULT_CALL
    )
    refund_transferred: RefundTransferredPayload = by(
        record_transfer, "Record the merchant's own transfer; owners only.", cost=VAULT_CALL
    )
