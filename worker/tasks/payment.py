"""The payment stage's task: see portal.application.payment.inquire."""

from portal.application.payment.inquire import inquire as ask
from portal.contract.work import FINISH_TASK, FinishTask, Leased
from portal.domain.ids import AttemptId
from worker.lanes import AttemptAsked, OneAttempt
from worker.tasks.workbench import Workbench


async def inquire(work: Workbench, leased: Leased) -> AttemptAsked:
    """One attempt whose outcome is open; booking the finding ends the task."""
    params = OneAttempt(AttemptId(leased.subject_id))
    now = await ask(work.pay, leased.authority, params.attempt_id)
    if now is None:
        await work.vault.call(FINISH_TASK, FinishTask(), leased.authority)
        return AttemptAsked("")
    return AttemptAsked(now.attempt.state)
