"""The passing of days over bills: overdue and lapsed, a thousand at a time.

Application zone. The worker learns how many; which bills those are is decided in the vault, which
also ends the task.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.due import PASS_DUE_BILLS, PassDueBills
from portal.contract.envelope import Authority
from portal.domain.errors import TryLater

CALL_TIMEOUT_S: Final = 30.0
"""A thousand bills in one transaction take longer than an ordinary call may."""


CALLS_MAX: Final = 500
"""Calls of one run; what is left is done by the task's next run, so that no run lasts for ever."""


@dataclass(slots=True)
class Passed:
    """Bills that one run moved."""

    overdue: int = 0
    lapsed: int = 0


async def pass_due(vault: VaultClient, lease: Authority, is_stopping: Callable[[], bool]) -> Passed:
    """Move all bills of the lease's merchant that the calendar has passed by.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """
    passed = Passed()
    for _ in range(CALLS_MAX):
        step = await vault.call(PASS_DUE_BILLS, PassDueBills(), lease, timeout_s=CALL_TIMEOUT_S)
        passed.overdue += step.overdue
        passed.lapsed += step.lapsed
        if not step.remaining:
            return passed
        if is_stopping():
            break
    raise TryLater("worker_stopping", retry_after_s=0.0)
