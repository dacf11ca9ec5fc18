"""Bills that go on along their ladders, a thousand at a time.

Application zone. The worker learns how many; which bills, rungs and people those are is decided in
the vault, which also ends the task.
"""

from collections.abc import Callable
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.ladder import ADVANCE_LADDERS, AdvanceLadders
from portal.domain.errors import TryLater

CALL_TIMEOUT_S: Final = 30.0
CALLS_MAX: Final = 500
"""Calls of one run; what is left is done by the task's next run, so that no run lasts for ever."""


async def advance_ladders(
    vault: VaultClient, lease: Authority, is_stopping: Callable[[], bool]
) -> int:
    """Look at every bill of the lease's merchant that is due; how many messages were planned.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """
    planned = 0
    for _ in range(CALLS_MAX):
        step = await vault.call(ADVANCE_LADDERS, AdvanceLadders(), lease, timeout_s=CALL_TIMEOUT_S)
        planned += step.planned
        if not step.remaining:
            return planned
        if is_stopping():
            break
    raise TryLater("worker_stopping", retry_after_s=0.0)
