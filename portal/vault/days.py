"""Data zone: begins every merchant's business day, once, with tasks for what fell due.

The business clock says which day it is in the merchant's own time zone; a day begins when the one
before it has ended there. Days on which no vault ran are part of the next one that begins.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from portal.domain.task import TaskKind
from portal.kit import log
from portal.kit.clock import Clock, new_id
from portal.vault import card_charge, due, outbox
from portal.vault.db import Db
from portal.vault.fetch import due_fetches
from portal.vault.keeping import for_each_merchant, keeping
from portal.vault.signals import Signals
from portal.vault.transaction import Transactions
from portal.vault.transfer_lines import due_files

_BEGINS: Final[tuple[tuple[TaskKind, Callable[[Db, UUID, date], Awaitable[bool]]], ...]] = (
    ("payment.pass_due", due.begin_day),
    ("charge.choose", card_charge.begin_day),
)
"""What a day may bring, in this order: the first one makes the day, others look at it."""

_ZONE = "select zone from merchant where id = $1"

_log = log.get_logger()


class Days:
    """Begins days. What it remembers only spares it asking; the database decides."""

    def __init__(self, transactions: Transactions, clock: Clock, signals: Signals) -> None:
        """Remember nothing."""
        self._transactions = transactions
        self._clock = clock
        self._signals = signals
        self._zones: dict[UUID, str] = {}
        self._begun: dict[UUID, date] = {}

    async def begin(self) -> None:
        """Begin the day of every merchant where it has not begun yet.

        A merchant's zone is read once a process. A zone that this machine does not know is said
        and keeps nobody else waiting. Raises: TryLater.
        """
        await for_each_merchant(self._transactions, self._begin_one)

    async def _begin_one(self, merchant: UUID) -> None:
        try:
            today = self._clock.business_today(await self._zone_of(merchant))
        except (ZoneInfoNotFoundError, ValueError):
            _log.exception("day.not_begun", merchant_id=merchant, reason="zone_unknown")
            return
        if self._begun.get(merchant) != today:
            await self._begin(merchant, today)
            self._begun[merchant] = today

    async def _zone_of(self, merchant: UUID) -> str:
        zone = self._zones.get(merchant)
        if zone is None:
            async with self._transactions.upkeep(merchant) as db:
                zone = str(await db.fetchval(_ZONE, merchant))
            self._zones[merchant] = zone
        return zone

    async def _begin(self, merchant: UUID, today: date) -> None:
        async with keeping(self._transactions, merchant, "begin_day") as db:
            tasks = [
                outbox.NewTask(new_id(self._clock), kind, merchant, today.toordinal())
                for kind, begin in _BEGINS
                if await begin(db, merchant, today)
            ]
            tasks += [
                outbox.NewTask(new_id(self._clock), "transfer.advance", file_id)
                for file_id in await due_files(db, merchant, today)
            ]
            asked = await due_fetches(db, merchant, today, self._clock.business_now())
            tasks += [outbox.NewTask(new_id(self._clock), "debit.fetch", one) for one in asked]
            if tasks:
                await outbox.plan(db, merchant, self._clock.wall(), tasks)
        if tasks:
            self._signals.work_planned()
            _log.info("day.begun", merchant_id=merchant, number=today.toordinal())
