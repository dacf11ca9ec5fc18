"""Intake's tasks: see portal.application.intake.steps. The vault ends these tasks itself."""

from portal.application.intake import steps
from portal.contract.work import Leased
from portal.domain.ids import ImportId
from worker.lanes import BillsMoved, ImportChunk, RowsJudged, WholeImport
from worker.tasks.workbench import Workbench


async def accept_chunk(work: Workbench, leased: Leased) -> RowsJudged:
    """One chunk of an import."""
    params = ImportChunk(ImportId(leased.subject_id), leased.number)
    done = await steps.accept_chunk(work.vault, leased.authority, params.import_id, params.chunk_no)
    return RowsJudged(done.rows_good, done.rows_faulty, done.rows_known)


async def issue_bills(work: Workbench, leased: Leased) -> BillsMoved:
    """All bills of an import that was approved."""
    params = WholeImport(ImportId(leased.subject_id))
    bills = await steps.issue_bills(
        work.vault, leased.authority, params.import_id, work.is_stopping
    )
    return BillsMoved(bills)


async def discard_bills(work: Workbench, leased: Leased) -> BillsMoved:
    """All bills of an import that was thrown away."""
    params = WholeImport(ImportId(leased.subject_id))
    bills = await steps.discard_bills(
        work.vault, leased.authority, params.import_id, work.is_stopping
    )
    return BillsMoved(bills)
