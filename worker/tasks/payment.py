"""The payment stage's tasks: see portal.application.payment.inquire, refund and due."""

from portal.application.payment import due
from portal.application.payment.inquire import inquire as ask
from portal.application.payment.refund import give_back, inquire_refund
from portal.contract.work import FINISH_TASK, FinishTask, Leased
from portal.domain.ids import AttemptId, RefundId
from worker.lanes import AttemptAsked, BillsPassed, OneAttempt, OneRefund, RefundMoved
from worker.tasks.workbench import Workbench


async def inquire(work: Workbench, leased: Leased) -> AttemptAsked:
    """One attempt whose outcome is open; booking the finding ends the task."""
    params = OneAttempt(AttemptId(leased.subject_id))
    now = await ask(work.pay, leased.authority, params.attempt_id)
    if now is None:
        await work.vault.call(FINISH_TASK, FinishTask(), leased.authority)
        return AttemptAsked("")
    return AttemptAsked(now.attempt.state)


async def pass_due(work: Workbench, leased: Leased) -> BillsPassed:
    """What the calendar has passed by of one merchant's bills; the vault ends the task."""
    passed = await due.pass_due(work.vault, leased.authority, work.is_stopping)
    return BillsPassed(passed.overdue, passed.lapsed)


async def refund(work: Workbench, leased: Leased) -> RefundMoved:
    """One refund to its provider, unless it may be there; recording the answer ends the task."""
    params = OneRefund(RefundId(leased.subject_id))
    now = await give_back(work.pay, leased.authority, params.refund_id)
    if now is None:
        await work.vault.call(FINISH_TASK, FinishTask(), leased.authority)
        return RefundMoved("")
    return RefundMoved(now.state)


async def refund_inquire(work: Workbench, leased: Leased) -> RefundMoved:
    """One refund whose outcome is open; booking the finding ends the task."""
    params = OneRefund(RefundId(leased.subject_id))
    now = await inquire_refund(work.pay, leased.authority, params.refund_id)
    if now is None:
        await work.vault.call(FINISH_TASK, FinishTask(), leased.authority)
        return RefundMoved("")
    return RefundMoved(now.state)
