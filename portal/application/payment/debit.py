"""Debit files in the background: filled a piece at a time, and booked once their bank has spoken.

Application zone. The worker learns how many lines; whose they are stays in the vault, which also
ends the task.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from portal.contract.client import VaultClient
from portal.contract.debit import (
    BOOK_DEBITS,
    FILL_DEBIT_FILE,
    BookDebits,
    DebitFileFilled,
    DebitsBooked,
    FillDebitFile,
)
from portal.contract.envelope import Authority
from portal.domain.errors import TryLater
from portal.domain.ids import DebitFileId

CALL_TIMEOUT_S: Final = 30.0
"""A thousand lines in one transaction take longer than an ordinary call may."""

CALLS_MAX: Final = 200
"""Calls of one run, some minutes; what is left is done by the task's next run."""


async def fill(
    vault: VaultClient, lease: Authority, file_id: DebitFileId, is_stopping: Callable[[], bool]
) -> int:
    """Fill a file until it is sealed; lines written by this run.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """

    async def step() -> DebitFileFilled:
        request = FillDebitFile(file_id=file_id)
        return await vault.call(FILL_DEBIT_FILE, request, lease, timeout_s=CALL_TIMEOUT_S)

    return await run_steps(step, is_stopping)


async def book(
    vault: VaultClient, lease: Authority, file_id: DebitFileId, is_stopping: Callable[[], bool]
) -> int:
    """Book a file's lines until none is left; lines booked by this run.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """

    async def step() -> DebitsBooked:
        request = BookDebits(file_id=file_id)
        return await vault.call(BOOK_DEBITS, request, lease, timeout_s=CALL_TIMEOUT_S)

    return await run_steps(step, is_stopping)


class Stepped(Protocol):
    """What a step says: how many lines it moved, and whether there are more."""

    @property
    def lines(self) -> int:
        """Lines."""
        ...

    @property
    def remaining(self) -> bool:
        """Whether it must be called again."""
        ...


async def run_steps(step: Callable[[], Awaitable[Stepped]], is_stopping: Callable[[], bool]) -> int:
    """Step until nothing remains; lines moved by this run.

    Raises TryLater ``worker_stopping`` between two calls, or after CALLS_MAX of them.
    """
    lines = 0
    for _ in range(CALLS_MAX):
        done = await step()
        lines += done.lines
        if not done.remaining:
            return lines
        if is_stopping():
            break
    raise TryLater("worker_stopping", retry_after_s=0.0)
