"""A result file written a part at a time.

Application zone. The worker learns how many rows there were; what stands in them is decided in the
vault, which also ends the task.
"""

from collections.abc import Callable
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.result_file import WRITE_RESULTS, WriteResults
from portal.domain.errors import TryLater

CALL_TIMEOUT_S: Final = 30.0
"""The last step hashes the whole file."""


async def write_results(
    vault: VaultClient, lease: Authority, is_stopping: Callable[[], bool]
) -> int:
    """Write the file of the lease's merchant to its end; how many rows this run wrote.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """
    rows = 0
    while True:
        step = await vault.call(WRITE_RESULTS, WriteResults(), lease, timeout_s=CALL_TIMEOUT_S)
        rows += step.rows
        if not step.remaining:
            return rows
        if is_stopping():
            raise TryLater("worker_stopping", retry_after_s=0.0)
