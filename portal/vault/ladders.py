"""Data zone: sees which merchants have bills that are due to be looked at on their ladders.

Asked often and cheaply: one look into the index of next moments. The task goes on until nothing is
due; while there is one, no second is planned.
"""

from typing import Final
from uuid import UUID

from portal.domain.task import LANES, TaskKind
from portal.kit.clock import Clock, new_id
from portal.vault import outbox
from portal.vault.keeping import for_each_merchant, keeping
from portal.vault.ladder import is_due
from portal.vault.signals import Signals
from portal.vault.transaction import Transactions

KIND: Final[TaskKind] = "message.advance_ladders"

_ALONE: Final = "select pg_advisory_xact_lock(hashtextextended($1, 8259))"
_HAS_TASK: Final = """
select exists (select from task where lane = $1 and merchant_id = $2 and kind = $3)
"""


class Ladders:
    """Plans the tasks that move bills along their ladders."""

    def __init__(self, transactions: Transactions, clock: Clock, signals: Signals) -> None:
        """Nothing is read yet."""
        self._transactions = transactions
        self._clock = clock
        self._signals = signals

    async def begin(self) -> None:
        """Plan a task for every merchant with bills that are due. Raises: TryLater."""
        await for_each_merchant(self._transactions, self._begin_one)

    async def _begin_one(self, merchant: UUID) -> None:
        async with self._transactions.upkeep(merchant) as db:
            if not await is_due(db, merchant, self._clock.business_now()):
                return
        async with keeping(self._transactions, merchant, "begin_ladders") as db:
            await db.execute(_ALONE, str(merchant))
            if await db.fetchval(_HAS_TASK, LANES[KIND], merchant, KIND):
                return
            task = outbox.NewTask(new_id(self._clock), KIND, merchant)
            await outbox.plan(db, merchant, self._clock.wall(), [task])
        self._signals.work_planned()
