"""Intake's background steps: chunks judged, bills issued or forgotten, a thousand at a time.

Application zone. The worker knows numbers of chunks and never sees a row; what becomes of one is
decided in the vault, which also ends each step's task.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.intake import (
    ACCEPT_CHUNK,
    DISCARD_BILLS,
    ISSUE_BILLS,
    AcceptChunk,
    ChunkAccepted,
    DiscardBills,
    IssueBills,
    StepProgress,
)
from portal.domain.errors import TryLater
from portal.domain.ids import ImportId

CALL_TIMEOUT_S: Final = 30.0
"""A thousand rows in one transaction take longer than an ordinary call may."""


async def accept_chunk(
    vault: VaultClient, lease: Authority, import_id: ImportId, chunk_no: int
) -> ChunkAccepted:
    """Have one chunk judged and stored; a chunk that was done before changes nothing."""
    request = AcceptChunk(import_id=import_id, chunk_no=chunk_no)
    return await vault.call(ACCEPT_CHUNK, request, lease, timeout_s=CALL_TIMEOUT_S)


async def issue_bills(
    vault: VaultClient, lease: Authority, import_id: ImportId, is_stopping: Callable[[], bool]
) -> int:
    """Issue all of an import's bills, 1,000 a call; returns how many this run issued.

    Raises TryLater ``worker_stopping`` between two calls.
    """

    async def step() -> StepProgress:
        request = IssueBills(import_id=import_id)
        return await vault.call(ISSUE_BILLS, request, lease, timeout_s=CALL_TIMEOUT_S)

    return await _repeat(step, is_stopping)


async def discard_bills(
    vault: VaultClient, lease: Authority, import_id: ImportId, is_stopping: Callable[[], bool]
) -> int:
    """Forget all of an import's bills, 1,000 a call; returns how many this run forgot.

    Raises TryLater ``worker_stopping`` between two calls.
    """

    async def step() -> StepProgress:
        request = DiscardBills(import_id=import_id)
        return await vault.call(DISCARD_BILLS, request, lease, timeout_s=CALL_TIMEOUT_S)

    return await _repeat(step, is_stopping)


async def _repeat(
    step: Callable[[], Awaitable[StepProgress]], is_stopping: Callable[[], bool]
) -> int:
    rows = 0
    while True:
        progress = await step()
        rows += progress.rows
        if not progress.remaining:
            return rows
        if is_stopping():
            raise TryLater("worker_stopping", retry_after_s=0.0)
