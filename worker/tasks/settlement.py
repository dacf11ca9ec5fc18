"""The settlement stage's tasks: see portal.application.settlement.results."""

from portal.application.settlement.results import write_results as write
from portal.contract.work import Leased
from worker.lanes import ResultsMoved
from worker.tasks.workbench import Workbench


async def write_results(work: Workbench, leased: Leased) -> ResultsMoved:
    """The whole result file of one merchant; the vault ends the task."""
    return ResultsMoved(await write(work.vault, leased.authority, work.is_stopping))
