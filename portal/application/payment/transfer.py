"""Transfer files in the background: filled, booked, or their refunds given back, a piece at a time.

Application zone. The worker learns how many lines; whose they are stays in the vault, which also
decides what a file needs and ends the task.
"""

from collections.abc import Callable

from portal.application.payment.debit import CALL_TIMEOUT_S, run_steps
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.transfer import (
    ADVANCE_TRANSFER_FILE,
    AdvanceTransferFile,
    TransferFileAdvanced,
)
from portal.domain.ids import TransferFileId


async def advance(
    vault: VaultClient, lease: Authority, file_id: TransferFileId, is_stopping: Callable[[], bool]
) -> int:
    """Do what a file asks for until nothing is left; lines moved by this run.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """

    async def step() -> TransferFileAdvanced:
        request = AdvanceTransferFile(file_id=file_id)
        return await vault.call(ADVANCE_TRANSFER_FILE, request, lease, timeout_s=CALL_TIMEOUT_S)

    return await run_steps(step, is_stopping)
