"""Data zone, stage "payment": a refund's way to its provider: one submission, then only questions.

The refund moves to ``submitting`` and commits, with the inquiry that will find out about it
whatever happens, before the provider hears of it. Whoever takes the task up later finds it so and
sends nothing. What its company says comes from the relay (portal.vault.operations.refund_relay): a
worker has it sent and asked about, and what it tells of that moves nothing that has left.
"""

from dataclasses import replace
from typing import Final

from portal.contract.refund import (
    BEGIN_REFUND,
    RECORD_REFUND_FINDING,
    RECORD_REFUND_SUBMISSION,
    VIEW_REFUND,
    BeginRefund,
    RecordRefundFinding,
    RecordRefundSubmission,
    RefundBegun,
    RefundDue,
    RefundNow,
    ViewRefund,
)
from portal.domain import refund as rules
from portal.domain.doubt import SUBMIT_GRACE, ask_again_s
from portal.domain.errors import TryLater
from portal.domain.refund import ASKED
from portal.domain.refund_word.word import RefundFinding
from portal.vault.act import Act
from portal.vault.attempt import LockedBill
from portal.vault.refund import (
    Refund,
    lock_payment,
    lock_refund,
    open_refund_case,
    plan_inquiry,
    read_refund,
    step,
    store_refund,
)
from portal.vault.refund_word import book_finding, must_not_go, read_paid, wait_for_others
from portal.vault.registry import operation
from portal.vault.texts import check_tokens

_WORK: Final = frozenset({"work"})
_LEASE: Final = frozenset({"lease"})


@operation(BEGIN_REFUND, callers=_WORK, kinds=_LEASE, audit="effect")
async def begin_refund(act: Act, request: BeginRefund) -> RefundBegun:
    """Say what to send, to the one caller who may: the refund is ``submitting`` from here on.

    One whose payment has become contested meanwhile fails here, and so does one of what a company
    has given back by a lost dispute since; nobody outside hears of either.

    Raises: NotFound for another refund than the lease's; TryLater ``refund_waits`` while nobody
    knows what became of another refund of the same payment.
    """
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    fresh = refund.state == "reserved"
    if fresh and await must_not_go(act, bill, refund):
        refund = await _give_up(act, bill, refund)
        fresh = False
    if fresh:
        await lock_payment(act, refund.attempt_id)
        await wait_for_others(act, refund)
        moved = await step(act, bill, refund, rules.advance(refund.state, "submit"))
        moved = replace(moved, doubt_at=act.now, left_at=None)
        # Whoever is to send it may die before or after it: this inquiry finds out either way.
        moved = await plan_inquiry(act, moved, SUBMIT_GRACE.total_seconds())
        refund = await store_refund(act, moved)
    paid = await read_paid(act, refund)
    return RefundBegun(
        fresh=fresh,
        provider=refund.provider,
        reference=paid.reference,
        provider_ref=paid.provider_ref,
        refund_reference=refund.reference,
        amount_minor=refund.amount_minor,
        remaining_minor=paid.remaining_minor,
        account=paid.account,
    )


async def _give_up(act: Act, bill: LockedBill, refund: Refund) -> Refund:
    """Fail a refund that must not be sent any more; what was set aside is free again."""
    moved = await step(act, bill, refund, rules.advance(refund.state, "submit"))
    refused = rules.advance(moved.state, "refused")
    failed = await store_refund(act, await step(act, bill, moved, refused, "payment_disputed"))
    await open_refund_case(act, failed, "refund_failed")
    return failed


@operation(RECORD_REFUND_SUBMISSION, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_refund_submission(act: Act, request: RecordRefundSubmission) -> RefundNow:
    """Record that the one call was made; finishes the lease's task.

    What its company answered the relay has put here. A refund that left and of which nothing was
    heard is in doubt and asked about, whatever is said of it. One that surely never left, as its
    provider was away or busy, waits to be sent again by a task of its own, or fails; only this
    submission's lease can say so.

    Raises: NotFound for another refund than the lease's; InvalidInput for a text that may not be
    stored.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    told = refund
    again_s = _send_again_in_s(act, refund, request)
    if again_s is not None:
        edge = rules.advance(refund.state, "not_sent")
        told = replace(await step(act, bill, refund, edge), doubt_at=None, ask_at=None)
        told = await store_refund(act, told)
        await act.plan_task("payment.refund", refund.id, told.version, due_in_s=again_s)
    elif refund.state == "submitting":
        event = rules.outcome_of(request.outcome, has_left=refund.left_at is not None)
        edge = rules.advance(refund.state, event)
        code = request.code or None if edge.state == "failed" else None
        told = await step(act, bill, refund, edge, code)
        wait_s = ask_again_s(0, 0.0) if told.state in ASKED else None
        told = await store_refund(act, await plan_inquiry(act, told, wait_s))
        if told.state == "failed":
            await open_refund_case(act, told, "refund_failed")
    elif request.outcome in {"succeeded", "accepted"} and refund.state in {"unknown", "failed"}:
        # An inquiry was quicker, or spoke of another moment: it is asked about at once.
        told = await store_refund(act, await plan_inquiry(act, refund, 0.0))
    await act.close_task()
    return RefundNow(state=told.state)


def _send_again_in_s(act: Act, refund: Refund, said: RecordRefundSubmission) -> float | None:
    if refund.state != "submitting" or said.outcome != "refused" or refund.left_at is not None:
        return None
    decided_at = refund.decided_at or refund.asked_at
    return rules.send_again_in_s(said.code, decided_at, act.business)


@operation(VIEW_REFUND, callers=_WORK, kinds=_LEASE, audit="none")
async def view_refund(act: Act, request: ViewRefund) -> RefundDue:
    """Say what to ask the provider about, or that nothing needs asking any more.

    Raises: NotFound for another refund than the lease's; TryLater ``refund_waits`` for one that is
    over while nobody knows what became of another of the same payment.
    """
    act.require_scope(request.refund_id)
    refund = await read_refund(act, request.refund_id)
    settled = refund.state not in ASKED and refund.ask_at is None
    if refund.state not in ASKED and not settled:
        await wait_for_others(act, refund)
    paid = await read_paid(act, refund)
    return RefundDue(
        settled=settled,
        provider=refund.provider,
        reference=paid.reference,
        provider_ref=paid.provider_ref,
        refund_reference=refund.reference,
        amount_minor=refund.amount_minor,
        remaining_minor=paid.remaining_minor,
        account=paid.account,
    )


@operation(RECORD_REFUND_FINDING, callers=_WORK, kinds=_LEASE, audit="effect")
async def record_refund_finding(act: Act, request: RecordRefundFinding) -> RefundNow:
    """Take note that its company was asked; finishes the lease's task.

    What the company said the relay has put here, and the next question is planned by it. Where it
    has not, nothing was learned, whatever is said of it, and it is asked again.

    Raises: NotFound for another refund than the lease's; InvalidInput for a text that may not be
    stored; TryLater ``refund_waits`` for a question that another refund has overtaken.
    """
    check_tokens(provider_ref=request.provider_ref, code=request.code)
    act.require_scope(request.refund_id)
    bill, refund = await lock_refund(act, request.refund_id)
    if refund.ask_at is not None and refund.ask_at <= act.now:
        await lock_payment(act, refund.attempt_id)
        await _require_current(act, refund, request.remaining_minor)
        refund = await book_finding(act, bill, refund, RefundFinding("unclear"), act.now)
    await act.close_task()
    return RefundNow(state=refund.state)


async def _require_current(act: Act, refund: Refund, remaining_minor: int | None) -> None:
    """Have a question asked anew, soon, beside which another refund of the payment moved."""
    if refund.state not in ASKED:
        await wait_for_others(act, refund)
    paid = await read_paid(act, refund)
    if remaining_minor is not None and remaining_minor != paid.remaining_minor:
        raise TryLater("refund_waits", retry_after_s=rules.WAIT_S)
