"""The tasks of debit files: see portal.application.payment.debit and debit_line."""

from portal.application.payment import debit, failed_files
from portal.application.payment.debit_fetch import fetch_result
from portal.application.payment.debit_line import hand_over
from portal.contract.work import Leased
from portal.domain.ids import DebitFileId, FailedFileId
from worker.lanes import FileMoved, LinesMoved, OneDebitFile, OneFailedFile
from worker.tasks.workbench import Workbench


async def fill(work: Workbench, leased: Leased) -> LinesMoved:
    """One file that is being built; the step that seals it ends the task."""
    params = OneDebitFile(DebitFileId(leased.subject_id))
    lines = await debit.fill(work.vault, leased.authority, params.file_id, work.is_stopping)
    return LinesMoved(lines)


async def book(work: Workbench, leased: Leased) -> LinesMoved:
    """One file whose bank has answered, or that is void; the last step ends the task."""
    params = OneDebitFile(DebitFileId(leased.subject_id))
    lines = await debit.book(work.vault, leased.authority, params.file_id, work.is_stopping)
    return LinesMoved(lines)


async def send(work: Workbench, leased: Leased) -> FileMoved:
    """One file to its bank, or a question about it; the vault ends the task."""
    params = OneDebitFile(DebitFileId(leased.subject_id))
    return FileMoved(await hand_over(work.pay, leased.authority, params.file_id))


async def fetch(work: Workbench, leased: Leased) -> FileMoved:
    """The bank's answer to one file into the vault; the vault ends the task."""
    params = OneDebitFile(DebitFileId(leased.subject_id))
    return FileMoved(await fetch_result(work.pay, leased.authority, params.file_id))


async def tell_failed(work: Workbench, leased: Leased) -> LinesMoved:
    """One file of the merchant's own failed debits; the last step ends the task."""
    params = OneFailedFile(FailedFileId(leased.subject_id))
    tell = failed_files.tell(work.vault, leased.authority, params.file_id, work.is_stopping)
    return LinesMoved(await tell)
