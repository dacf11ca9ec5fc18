"""Bills that nobody looked at, told by another channel, some thousands at a time.

Application zone. The worker learns how many; which bills those are is decided in the vault, which
also ends the task.
"""

from collections.abc import Callable
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.funnel import STEP_SWITCH, StepSwitch
from portal.domain.errors import TryLater

CALL_TIMEOUT_S: Final = 30.0


async def switch_unopened(
    vault: VaultClient, lease: Authority, is_stopping: Callable[[], bool]
) -> int:
    """Plan all messages of the lease's switch; how many this run planned.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """
    planned = 0
    while True:
        step = await vault.call(STEP_SWITCH, StepSwitch(), lease, timeout_s=CALL_TIMEOUT_S)
        planned += step.planned
        if not step.remaining:
            return planned
        if is_stopping():
            raise TryLater("worker_stopping", retry_after_s=0.0)
