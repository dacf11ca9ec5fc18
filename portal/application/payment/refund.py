"""Giving money back: one submission under a lease, and the questions afterwards.

Application zone. The vault has moved the refund to ``submitting`` before the provider hears of it;
who finds it so sends nothing. A time-out or an unreadable answer is *unknown* and only an inquiry
leaves it.
"""

import asyncio
from typing import Final

from portal.application.methods.registry import find_refunds
from portal.application.payment.desk import PayDesk
from portal.application.providers.exchange import RefundWanted
from portal.contract.envelope import Authority
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
from portal.domain.errors import InvariantBroken, TryLater, Unknown
from portal.domain.ids import RefundId
from portal.domain.money import Money
from portal.domain.refund_word.word import RefundAnswer
from portal.kit.crashpoint import crash_point

RECORD_TRIES_MAX: Final = 4
RECORD_PAUSE_S: Final = 0.2


async def give_back(desk: PayDesk, lease: Authority, refund_id: RefundId) -> RefundNow | None:
    """Send a refund to its provider, once; None when somebody may have done so before.

    Raises: Unknown ``refund_unclear`` when the answer could not be recorded (an inquiry finds it).
    """
    begun = await desk.vault.call(BEGIN_REFUND, BeginRefund(refund_id=refund_id), lease)
    if not begun.fresh:
        return None
    crash_point("worker.before_refund")
    try:
        adapter, endpoint = find_refunds(begun.provider), desk.endpoint(begun.provider)
        exchange = adapter.refund(endpoint, _wanted(refund_id, begun))
    except InvariantBroken as fault:
        return await _record(desk, lease, refund_id, RefundAnswer("refused", code=fault.code))
    answer = await desk.converse(exchange)
    crash_point("worker.after_refund")
    return await _record(desk, lease, refund_id, answer)


async def inquire_refund(desk: PayDesk, lease: Authority, refund_id: RefundId) -> RefundNow | None:
    """Ask what became of a refund and book it; None when it is over already.

    Raises: TryLater ``refund_waits`` while another refund of the payment is in doubt, or when one
    has moved meanwhile: by the amount that its company keeps nobody could tell which it was.
    """
    due = await desk.vault.call(VIEW_REFUND, ViewRefund(refund_id=refund_id), lease)
    if due.settled:
        return None
    adapter = find_refunds(due.provider)
    wanted = _wanted(refund_id, due)
    finding = await desk.converse(adapter.inquire_refund(desk.endpoint(due.provider), wanted))
    crash_point("worker.after_refund_inquiry")
    booking = RecordRefundFinding(
        refund_id=refund_id,
        state=finding.state,
        amount_minor=finding.amount_minor,
        provider_ref=finding.provider_ref,
        code=finding.code,
        remaining_minor=due.remaining_minor,
    )
    return await desk.vault.call(RECORD_REFUND_FINDING, booking, lease)


def _wanted(refund_id: RefundId, refund: RefundBegun | RefundDue) -> RefundWanted:
    return RefundWanted(
        refund_id=refund_id,
        reference=refund.reference,
        provider_ref=refund.provider_ref,
        refund_reference=refund.refund_reference,
        amount=Money(refund.amount_minor),
        remaining=Money(refund.remaining_minor),
        account=refund.account,
    )


async def _record(
    desk: PayDesk, lease: Authority, refund_id: RefundId, answer: RefundAnswer
) -> RefundNow:
    """Book the provider's answer; it was said once, so a busy vault is asked again."""
    booked = RecordRefundSubmission(
        refund_id=refund_id,
        outcome=answer.outcome,
        provider_ref=answer.provider_ref,
        code=answer.code,
    )
    for attempt in range(RECORD_TRIES_MAX):
        try:
            return await desk.vault.call(RECORD_REFUND_SUBMISSION, booked, lease)
        except (TryLater, Unknown):
            await asyncio.sleep(RECORD_PAUSE_S * 2**attempt)
    raise Unknown("refund_unclear", context=f"refund {refund_id}")
