"""Data zone: an act that its own person proves by a fresh code of the second factor."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from portal.contract.envelope import Reply
from portal.domain.errors import NotAllowed
from portal.vault import staff
from portal.vault.act import Act
from portal.vault.standing import Standing

_R = TypeVar("_R", bound=Reply)


async def by_code(standing: Standing, run: Callable[[Act], Awaitable[_R]]) -> _R:
    """Run an act that may ask for a code (``staff.step_up``), in one transaction.

    A wrong code undoes the act and counts as a failed log-in.

    Raises: NotAllowed ``totp_refused`` (param ``field``); whatever ``run`` raises.
    """
    async with standing.begin() as act:
        # One code after the other: a wrong one is counted before the next is looked at, so that
        # many at once are no way round the lock. A rollback to a savepoint keeps earlier locks.
        await staff.lock(act, act.capability.subject)
        try:
            async with act.savepoint():
                return await run(act)
        except staff.StepUpRefusedError:
            await staff.count_failure(act, act.capability.subject)
            act.outcome = "refused"
    raise NotAllowed("totp_refused", params={"field": "totp"})
