"""The tasks of cards on file: see portal.application.payment.charge."""

from portal.application.payment.charge import charge_card, choose_charges
from portal.contract.work import FINISH_TASK, FinishTask, Leased
from portal.domain.ids import CardChargeId
from worker.lanes import ChargeMoved, ChargesPlanned, OneCharge
from worker.tasks.workbench import Workbench


async def choose(work: Workbench, leased: Leased) -> ChargesPlanned:
    """What one merchant's day brings to cards on file; the vault ends the task."""
    return ChargesPlanned(await choose_charges(work.vault, leased.authority, work.is_stopping))


async def send(work: Workbench, leased: Leased) -> ChargeMoved:
    """One charge to its company, unless it may be there; recording the answer ends the task."""
    params = OneCharge(CardChargeId(leased.subject_id))
    now = await charge_card(work.pay, leased.authority, params.charge_id)
    if now is None:
        await work.vault.call(FINISH_TASK, FinishTask(), leased.authority)
        return ChargeMoved("")
    return ChargeMoved(now.state)
