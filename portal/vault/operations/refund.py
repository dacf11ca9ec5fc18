"""Data zone: refunds as staff ask for them, approve them, and record what they transferred.

Money is set aside before anyone outside hears of it, under the bill's lock: what two people ask for
at once comes one after the other, and the database refuses what exceeds the payment in any case.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.refund import (
    DECIDE_REFUND,
    RECORD_TRANSFER,
    REQUEST_REFUND,
    SET_REFUND_LIMIT,
    DecideRefund,
    RecordTransfer,
    RefundChanged,
    RefundLimitSet,
    RequestRefund,
    SetRefundLimit,
)
from portal.domain import refund as rules
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.domain.methods import METHODS
from portal.domain.money import AMOUNT_MINOR_MAX
from portal.domain.reference import form_of, reference_for
from portal.domain.refund import NOTE_CHARACTERS_MAX, RefundEvent
from portal.vault import approval, staff
from portal.vault.act import Act
from portal.vault.attempt import Attempt, LockedBill, lock_bill
from portal.vault.by_code import by_code
from portal.vault.dispute import refuse_disputed
from portal.vault.payer import enter_merchant
from portal.vault.refund import (
    Refund,
    RefundWords,
    insert_refund,
    lock_payment,
    lock_refund,
    merchant_today,
    room_of,
    step,
    store_refund,
    unapproved_of,
)
from portal.vault.refund_account import keep_debited_account
from portal.vault.refund_view import limit_of, view_refund
from portal.vault.registry import operation, standing_operation
from portal.vault.standing import Standing
from portal.vault.texts import read_note

APPROVAL: Final = "refund"
"""The kind of these approvals."""

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_REVEALS: Final = ("note of staff", "account (last 3)", "account holder (masked)")
_SET_LIMIT: Final = "update merchant set refund_limit_minor = $2 where id = $1"


@standing_operation(REQUEST_REFUND, callers=_WEB, kinds=_STAFF, audit="effect")
async def request_refund(standing: Standing, request: RequestRefund) -> RefundChanged:
    """Ask for a refund, proving by a fresh code who asks; small ones are set aside at once.

    Of a payment for several bills it is for one of them, and never more than that one's share.

    Above the merchant's limit, all that went back of the payment without a second person counted
    in, an owner who did not ask has to approve it. The same key asks once and needs no new code.

    Raises: NotAllowed ``totp_refused``; LimitReached ``login_locked``; Conflict
    ``not_refundable``, ``payment_disputed``, ``refund_exceeds``, ``idempotency_mismatch``;
    InvalidInput ``refund_amount``, or what is wrong with the note; NotFound ``not_found``.
    """
    return await by_code(standing, lambda act: _request(act, request))


async def _request(act: Act, request: RequestRefund) -> RefundChanged:
    arguments = msgspec.msgpack.encode(
        [
            request.bill_id, request.attempt_id, request.amount_minor, request.way,
            request.reason, request.note,
        ]
    )  # fmt: skip
    known = await act.once("request_refund", request.idempotency_key, arguments)
    if known is not None:
        return RefundChanged(refund=await view_refund(act, UUID(bytes=known)))
    await staff.step_up(act, request.totp)
    note = read_note(request.note, field="note", characters_max=NOTE_CHARACTERS_MAX)
    bill = await lock_bill(act, request.bill_id)
    attempt = await lock_payment(act, request.attempt_id)
    if bill.id not in attempt.parts:
        raise NotFound("not_found", params={"kind": "attempt"})
    if attempt.state != "succeeded":
        raise Conflict("not_refundable")
    refund = _new(act, attempt, request, note)
    await refuse_disputed(act, bill.id, attempt.id, _by_hand(refund))
    rules.check_amount(request.amount_minor, await room_of(act, attempt, bill.id))
    unapproved = await unapproved_of(act, attempt.id)
    if rules.needs_approval(request.amount_minor, unapproved, await limit_of(act)):
        refund = await _ask_approval(act, refund)
    else:
        refund = await _set_aside(act, bill, refund, "reserve")
    await insert_refund(act, refund)
    await act.answer_once("request_refund", request.idempotency_key, refund.id.bytes)
    return RefundChanged(refund=await view_refund(act, refund.id))


def _new(act: Act, attempt: Attempt, request: RequestRefund, note: str) -> Refund:
    """A refund as it is asked for; its way is what its method can do."""
    refund_id = act.new_id()
    return Refund(
        id=refund_id,
        bill_id=request.bill_id,
        attempt_id=attempt.id,
        provider=attempt.provider,
        reference=reference_for(form_of(attempt.provider), refund_id),
        state="requested",
        version=1,
        amount_minor=request.amount_minor,
        owed_minor=0,
        way=request.way if METHODS[attempt.method].can_refund else "bank_transfer",
        reason=request.reason,
        words=RefundWords(note=note),
        asked_by=act.actor,
        asked_at=act.business,
        approval_id=None,
        approve_until=None,
        decided_by=None,
        decided_at=None,
        finished_at=None,
        transferred_on=None,
        state_at=act.now,
        doubt_at=None,
        asked=0,
        ask_at=None,
        missing_at=None,
        code=None,
        provider_ref="",
        left_at=None,
        payment_ref="",
    )


def _by_hand(refund: Refund) -> int:
    """What the merchant transfers itself. Units: minor units."""
    return refund.amount_minor if refund.way == "bank_transfer" else 0


async def _ask_approval(act: Act, refund: Refund) -> Refund:
    approval_id = await approval.ask(act, APPROVAL, refund.content, rules.APPROVAL_LIFE_S)
    until = act.now + timedelta(seconds=rules.APPROVAL_LIFE_S)
    await act.emit(refund.bill_id, "refund.requested", amount_minor=refund.amount_minor)
    return replace(refund, approval_id=approval_id, approve_until=until)


async def _set_aside(act: Act, bill: LockedBill, refund: Refund, event: RefundEvent) -> Refund:
    """Set the money aside; then it is the worker's to send, or the merchant's to transfer."""
    held = await step(act, bill, refund, rules.advance(refund.state, event))
    if held.way == "bank_transfer":
        handed = await step(act, bill, held, rules.advance(held.state, "hand_over"))
        await keep_debited_account(act, handed)
        return handed
    await act.plan_task("payment.refund", held.id)
    return held


@standing_operation(DECIDE_REFUND, callers=_WEB, kinds=_STAFF, audit="effect")
async def decide_refund(standing: Standing, request: DecideRefund) -> RefundChanged:
    """Approve a refund that someone else asked for, by a fresh code, or withdraw one not sent.

    The same key decides once and needs no new code; withdrawing needs none.

    Raises: NotAllowed ``not_allowed``, ``approver_is_asker``, ``totp_refused``; LimitReached
    ``login_locked``; Expired ``approval_expired``; Conflict ``refund_state``,
    ``payment_disputed``, ``refund_exceeds``, ``idempotency_mismatch``; NotFound.
    """
    return await by_code(standing, lambda act: _decide(act, request))


async def _decide(act: Act, request: DecideRefund) -> RefundChanged:
    arguments = msgspec.msgpack.encode([request.refund_id, request.decision])
    known = await act.once("decide_refund", request.idempotency_key, arguments)
    if known is not None:
        return RefundChanged(refund=await view_refund(act, request.refund_id))
    bill, refund = await lock_refund(act, request.refund_id)
    if request.decision == "approve":
        decided = await _approve(act, bill, refund, request.totp)
    else:
        decided = await _withdraw(act, bill, refund)
    decided = replace(decided, decided_by=act.actor, decided_at=act.business)
    await store_refund(act, decided)
    await act.answer_once("decide_refund", request.idempotency_key, refund.id.bytes)
    return RefundChanged(refund=await view_refund(act, refund.id))


async def _approve(act: Act, bill: LockedBill, refund: Refund, code: str) -> Refund:
    if act.capability.role != "owner":
        raise NotAllowed("not_allowed")
    await staff.step_up(act, code)
    rules.advance(refund.state, "approve")
    await refuse_disputed(act, bill.id, refund.attempt_id, _by_hand(refund))
    if refund.approval_id is None:
        raise Conflict("refund_state", params={"state": refund.state, "event": "approve"})
    await approval.approve(act, refund.approval_id, refund.content)
    await approval.use(act, refund.approval_id, APPROVAL, refund.content)
    attempt = await lock_payment(act, refund.attempt_id)
    rules.check_amount(refund.amount_minor, await room_of(act, attempt, bill.id))
    return await _set_aside(act, bill, refund, "approve")


async def _withdraw(act: Act, bill: LockedBill, refund: Refund) -> Refund:
    if act.capability.role != "owner" and refund.asked_by != act.actor:
        raise NotAllowed("not_allowed")
    return await step(act, bill, refund, rules.advance(refund.state, "withdraw"))


@operation(
    RECORD_TRANSFER,
    callers=_WEB,
    kinds=_STAFF,
    roles=frozenset({"owner"}),
    reveals=_REVEALS,
    audit="effect",
)
async def record_transfer(act: Act, request: RecordTransfer) -> RefundChanged:
    """Record that the merchant transferred a refund from its own account.

    Raises: InvalidInput ``transfer_day``, or what is wrong with the note; Conflict
    ``refund_state``, ``idempotency_mismatch``; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.refund_id, request.transferred_on, request.note])
    known = await act.once("record_transfer", request.idempotency_key, arguments)
    if known is not None:
        return RefundChanged(refund=await view_refund(act, request.refund_id))
    note = read_note(request.note, field="note", characters_max=NOTE_CHARACTERS_MAX)
    rules.check_transfer_day(request.transferred_on, await merchant_today(act))
    bill, refund = await lock_refund(act, request.refund_id)
    if refund.returned_at is not None:
        # The refund's own id may name the transfer that came back.
        refund = replace(refund, transfer_id=act.new_id())
    gone = await step(act, bill, refund, rules.advance(refund.state, "record_transfer"))
    gone = replace(
        gone,
        transferred_on=request.transferred_on,
        decided_by=act.actor,
        decided_at=act.business,
        words=msgspec.structs.replace(gone.words, transfer=note),
    )
    await store_refund(act, gone)
    await act.answer_once("record_transfer", request.idempotency_key, refund.id.bytes)
    return RefundChanged(refund=await view_refund(act, refund.id))


@operation(
    SET_REFUND_LIMIT,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def set_refund_limit(act: Act, request: SetRefundLimit) -> RefundLimitSet:
    """Set what goes back of one payment without a second person, from now on.

    Raises: InvalidInput ``refund_limit_out_of_bounds`` (param ``max``); NotFound
    ``merchant_unknown``.
    """
    if not 0 <= request.limit_minor <= AMOUNT_MINOR_MAX:
        raise InvalidInput("refund_limit_out_of_bounds", params={"max": AMOUNT_MINOR_MAX})
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    await act.db.execute(_SET_LIMIT, act.merchant_id, request.limit_minor)
    return RefundLimitSet(limit_minor=request.limit_minor)
