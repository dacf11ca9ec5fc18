"""What the vault does without being called.

It seals the audit, learns what other instances revoked, keeps the business clock, notes when API
keys were used, begins merchants' business days (portal.vault.days), sees whose bills are due for
their next message (portal.vault.ladders) and whose file back is due (portal.vault.results), and
forgets what has had its time (portal.vault.retention).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from portal.domain.errors import PortalError
from portal.kit import limits, log
from portal.vault.audit import Audit
from portal.vault.clock import VaultClock
from portal.vault.database import LINK_FAULTS, PostgresError
from portal.vault.days import Days
from portal.vault.keeping import keeping
from portal.vault.ladders import Ladders
from portal.vault.link import Link
from portal.vault.results import Results
from portal.vault.retention import Retention
from portal.vault.settings import VaultSettings
from portal.vault.signals import CHANNEL, WORK, Signals
from portal.vault.transaction import Transactions

REFRESH_S: Final = 1.0
FLUSH_S: Final = 10.0
PRUNE_S: Final = 60.0
DAYS_S: Final = 5.0
"""Pause between two looks at whether a business day has begun somewhere."""

LADDERS_S: Final = 1.0
"""Pause between two looks at whether bills are to be looked at on their ladders."""

RESULTS_S: Final = 5.0
"""Pause between two looks at whether a result file is due, or missed by its merchant."""

RETENTION_S: Final = 3600.0
TELL_PAUSE_S: Final = 0.02

_log = log.get_logger()


class Upkeep:
    """The background work of one vault process."""

    def __init__(  # the parts of a vault, put together in one place
        self,
        settings: VaultSettings,
        clock: VaultClock,
        signals: Signals,
        audit: Audit,
        transactions: Transactions,
        link: Link,
    ) -> None:
        """Nothing runs before :meth:`start`."""
        self._settings = settings
        self._clock = clock
        self._signals = signals
        self._audit = audit
        self._transactions = transactions
        self._link = link
        self._ladders = Ladders(transactions, clock, signals)
        self._days = Days(transactions, clock, signals)
        self._results = Results(transactions, clock, signals)
        self._retention = Retention(transactions, clock, signals)
        self._used: dict[UUID, tuple[UUID, datetime]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Catch up, then keep at it. Raises: TryLater ``database_away``.

        What may take long begins one after the other: callers wait for a vault that starts, and
        housekeeping must not take their connections from them.
        """
        await self.refresh()
        at_once = (
            (limits.AUDIT_SEAL_S, self.seal),
            (REFRESH_S, self.refresh),
            (FLUSH_S, self.flush_used_keys),
            (TELL_PAUSE_S, self._tell),
        )
        in_turn = (
            (DAYS_S, self.begin_days),
            (LADDERS_S, self.begin_ladders),
            (RESULTS_S, self.begin_results),
            (PRUNE_S, self.prune),
            (RETENTION_S, self.forget),
        )
        for pause_s, step in at_once:
            self._begin(self._keep(pause_s, step))
        turn = asyncio.Event()
        turn.set()
        for pause_s, step in in_turn:
            before, turn = turn, asyncio.Event()
            self._begin(self._keep_after(before, turn, pause_s, step))

    async def stop(self) -> None:
        """Stop, with a last flush and seal if the database still answers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for step in (self.flush_used_keys, self.seal):
            await self._try(step)

    def key_used(self, key_id: UUID, merchant: UUID, now: datetime) -> None:
        """Note that an API key was used; written within FLUSH_S."""
        self._used[key_id] = (merchant, now)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    async def _keep_after(
        self,
        before: asyncio.Event,
        turn: asyncio.Event,
        pause_s: float,
        step: Callable[[], Awaitable[None]],
    ) -> None:
        """Keep at it once ``before`` has come; ``turn`` comes with the first end, well or not."""
        await before.wait()
        try:
            is_well = await self._try(step)
        finally:
            turn.set()
        await asyncio.sleep(pause_s if is_well else REFRESH_S)
        await self._keep(pause_s, step)

    async def _keep(self, pause_s: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            is_well = await self._try(step)
            await asyncio.sleep(pause_s if is_well else REFRESH_S)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Run a step; a database that is away is waited for, and said once a second."""
        try:
            await step()
        except (PortalError, PostgresError, *LINK_FAULTS):
            _log.exception("upkeep.failed", reason=getattr(step, "__name__", "?"))
            return False
        return True

    async def seal(self) -> None:
        """Chain and sign what was committed since the last time."""
        async with self._transactions.side() as db:
            await self._audit.seal(db)

    async def refresh(self) -> None:
        """Learn revocations and the business clock's offset from the database."""
        async with self._link.turn() as db:
            rows = await db.fetch("select jti, expires_at from revoked")
            revoked = {row["jti"]: int(row["expires_at"].timestamp()) for row in rows}
            self._signals.load_revoked(revoked, int(self._clock.wall().timestamp()))
            if not self._settings.production:
                offset_s: float = await db.fetchval("select offset_s from business_clock")
                self._clock.offset_s = offset_s

    async def flush_used_keys(self) -> None:
        """Write when API keys were last used."""
        used, self._used = self._used, {}
        for key_id, (merchant, at) in used.items():
            async with keeping(self._transactions, merchant, "flush_used_keys") as db:
                await db.execute(
                    "update api_key set last_used_at = greatest(last_used_at, $3)"
                    " where merchant_id = $1 and id = $2",
                    merchant,
                    key_id,
                    at,
                )

    async def prune(self) -> None:
        """Delete revocations and budget windows that have expired."""
        gone = self._clock.wall() - timedelta(minutes=1)
        async with self._transactions.side() as db:
            await db.execute("delete from revoked where expires_at < $1", gone)
            await db.execute("delete from budget where expires_at < $1", gone)

    async def begin_days(self) -> None:
        """Begin the business day of every merchant whose clock says so, with its task."""
        await self._days.begin()

    async def begin_ladders(self) -> None:
        """Plan a task for every merchant with bills that are due to be looked at."""
        await self._ladders.begin()

    async def begin_results(self) -> None:
        """Begin the result files that are due, and ask for answers about late ones."""
        await self._results.begin()

    async def forget(self) -> None:
        """Delete what portal.domain.retention says has had its time."""
        await self._retention.forget()

    async def _tell(self) -> None:
        """Tell the other instances that work was planned, many plans by one NOTIFY."""
        await self._signals.telling.wait()
        self._signals.telling.clear()
        async with self._link.turn() as db:
            await db.execute("select pg_notify($1, $2)", CHANNEL, WORK)
