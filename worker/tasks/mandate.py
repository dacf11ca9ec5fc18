"""The task of mandates by redirect: see portal.application.payment.mandate."""

from portal.application.payment.mandate import ask_bank
from portal.contract.work import Leased
from portal.domain.ids import MandateId
from worker.lanes import MandateAsked, OneMandate
from worker.tasks.workbench import Workbench


async def ask(work: Workbench, leased: Leased) -> MandateAsked:
    """One question to a bank about one mandate; the vault ends the task."""
    params = OneMandate(MandateId(leased.subject_id))
    return MandateAsked(await ask_bank(work.pay, leased.authority, params.mandate_id))
