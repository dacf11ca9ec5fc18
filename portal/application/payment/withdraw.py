"""Taking a store's number back, so that its bill can be paid in another way.

Application zone. What the company answers to the withdrawal is not believed: it is asked how the
payment stands, and the vault hears that from the relay. A number that was paid meanwhile pays.
"""

from portal.application.methods.registry import find_number
from portal.application.payment.desk import About, PayDesk
from portal.application.payment.number import finding_of
from portal.contract.envelope import Authority
from portal.contract.payment import (
    RECORD_INQUIRY,
    VIEW_ATTEMPT,
    AttemptNow,
    RecordInquiry,
    ViewAttempt,
)
from portal.domain.ids import AttemptId
from portal.kit.crashpoint import crash_point


async def withdraw_number(desk: PayDesk, authority: Authority, attempt_id: AttemptId) -> AttemptNow:
    """Have the number of the payer's attempt withdrawn; how the attempt stands then.

    Where nobody can pay by a number any more nothing is asked for. Pressed twice it is withdrawn
    once: the second time its company finds nothing to withdraw.

    Raises: NotFound for another payer's attempt; InvariantBroken ``provider_unconfigured``.
    """
    now = await desk.vault.call(VIEW_ATTEMPT, ViewAttempt(attempt_id=attempt_id), authority)
    if now.attempt.number is None:
        return now
    adapter, endpoint = find_number(now.provider), desk.endpoint(now.provider)
    await desk.converse(adapter.withdraw(endpoint, now.reference))
    crash_point("web.after_withdrawal")
    asking = adapter.inquire(endpoint, now.reference)
    heard = await desk.ask(asking, About(now.merchant_code, attempt_id))
    if heard.is_deposited:
        return await desk.vault.call(VIEW_ATTEMPT, ViewAttempt(attempt_id=attempt_id), authority)
    booking = RecordInquiry(attempt_id=attempt_id, finding=finding_of(heard.said))
    return await desk.vault.call(RECORD_INQUIRY, booking, authority)
