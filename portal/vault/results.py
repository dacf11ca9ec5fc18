"""Data zone: makes merchants' result files when their plans say so, and asks for late answers.

Asked every few seconds and cheaply; several vaults share the work under the plan's lock. What was
missed while no vault ran is one file. Nobody is asked twice about one file: who does not answer has
one case, and the next late file counts there.
"""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.domain.errors import Conflict
from portal.domain.result_file import CHASE_AFTER, PILES_UP, ResultPlan, next_at
from portal.kit.clock import Clock, new_id
from portal.vault import case, outbox
from portal.vault.db import Db, Row
from portal.vault.keeping import for_each_merchant, keeping
from portal.vault.result_file import CASE, begin_file, lock_plan
from portal.vault.signals import Signals
from portal.vault.transaction import Transactions

_PILED: Final = """
exists (select from result_plan p cross join lateral (
            select e.at from result_event e
            where e.merchant_id = $1 and e.txn >= coalesce((
                select max(f.until_txn) from result_file f where f.merchant_id = $1), 0)
            order by e.txn, e.id limit 1) oldest
        where p.merchant_id = $1 and p.next_at is null and oldest.at <= $2)
"""
_HAS_PILED: Final = f"select {_PILED}"
_DUE: Final = f"""
select exists (select from result_plan where merchant_id = $1 and next_at <= $4)
    or {_PILED}
    or exists (select from result_file
               where merchant_id = $1 and state <> 'acknowledged' and state = 'ready'
                     and chased_at is null and made_at <= $3)
"""  # noqa: S608  # constant text
_MOVE_ON: Final = "update result_plan set next_at = $2 where merchant_id = $1"
_CHASE: Final = """
update result_file set chased_at = $2
where merchant_id = $1 and state <> 'acknowledged' and state = 'ready' and chased_at is null
      and made_at <= $3
returning number
"""
_ZONE: Final = "select zone from merchant where id = $1"


class Results:
    """Begins files and opens cases about late ones."""

    def __init__(self, transactions: Transactions, clock: Clock, signals: Signals) -> None:
        """Nothing is read yet."""
        self._transactions = transactions
        self._clock = clock
        self._signals = signals

    async def begin(self) -> None:
        """Do what is due for every merchant. Raises: TryLater."""
        await for_each_merchant(self._transactions, self._begin_one)

    async def _begin_one(self, merchant: UUID) -> None:
        now = self._clock.business_now()
        late = now - CHASE_AFTER
        async with self._transactions.upkeep(merchant) as db:
            if not await db.fetchval(_DUE, merchant, now - PILES_UP, late, now):
                return
        async with keeping(self._transactions, merchant, "begin_results") as db:
            row = await lock_plan(db, merchant)
            has_begun = row is not None and await self._make(db, merchant, row)
            await self._chase(db, merchant)
        if has_begun:
            self._signals.work_planned()

    async def _make(self, db: Db, merchant: UUID, row: Row) -> bool:
        """Begin the file that is due, if there is anything for it; whether one was begun.

        One that is still being written is waited for: the plan stays due.
        """
        now = self._clock.business_now()
        if row["next_at"] is None:
            if not await db.fetchval(_HAS_PILED, merchant, now - PILES_UP):
                return False
        elif row["next_at"] > now:
            return False
        plan = ResultPlan(
            every_minutes=row["every_minutes"],
            daily_hour=row["daily_hour"],
            charset=row["charset"],
        )
        number: int | None = None
        try:
            number = await begin_file(
                db, merchant, new_id(self._clock), plan.charset,
                by="system", at=now, wants_empty=plan.wants_empty,
            )  # fmt: skip
        except Conflict as refusal:
            if refusal.code == "result_unfinished":
                return False
        zone = ZoneInfo(await db.fetchval(_ZONE, merchant))
        await db.execute(_MOVE_ON, merchant, next_at(plan, now, zone))
        if number is None:
            return False
        task = outbox.NewTask(new_id(self._clock), "settlement.write_results", merchant, number)
        await outbox.plan(db, merchant, self._clock.wall(), [task])
        return True

    async def _chase(self, db: Db, merchant: UUID) -> None:
        """Have a person look why nobody says that a file arrived."""
        now = self._clock.business_now()
        rows = await db.fetch(_CHASE, merchant, now, now - CHASE_AFTER)
        if not rows:
            return
        happening = case.Happening(merchant, now, "system")
        params = {"number": min(row["number"] for row in rows), "files": len(rows)}
        await case.open_case(db, happening, new_id(self._clock), (CASE, merchant), params)
