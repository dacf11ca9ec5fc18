"""The tasks of transfer files: see portal.application.payment.transfer and debit_line."""

from portal.application.payment import transfer
from portal.application.payment.debit_line import hand_over
from portal.contract.work import Leased
from portal.domain.ids import TransferFileId
from worker.lanes import FileMoved, LinesMoved, OneTransferFile
from worker.tasks.workbench import Workbench


async def advance(work: Workbench, leased: Leased) -> LinesMoved:
    """One file, whatever it needs; the last step ends the task."""
    params = OneTransferFile(TransferFileId(leased.subject_id))
    lines = await transfer.advance(work.vault, leased.authority, params.file_id, work.is_stopping)
    return LinesMoved(lines)


async def send(work: Workbench, leased: Leased) -> FileMoved:
    """One file to its bank, or a question about it; the vault ends the task."""
    params = OneTransferFile(TransferFileId(leased.subject_id))
    return FileMoved(await hand_over(work.pay, leased.authority, params.file_id))
