"""Transactions of the data zone: the only place that begins, commits and rolls back.

One operation is one transaction. State changes, audit row and outbox rows commit together; the
budgets are charged before the commit, wake-ups go out after it. A deadlock or a serialisation
failure runs the operation again from its start, because nothing of it is left. When the link
breaks at the commit itself the caller hears ``Unknown``: it must ask, not repeat.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from portal.contract.envelope import Reply, Request
from portal.contract.page import OPEN_LINK
from portal.contract.payment import VIEW_RETURN
from portal.domain.errors import InvariantBroken, PortalError, TryLater, Unknown
from portal.kit import limits, log
from portal.kit.clock import Clock
from portal.kit.crashpoint import crash_point
from portal.vault import outbox
from portal.vault.act import Act, Incident
from portal.vault.audit import Audit, Entry
from portal.vault.budget import Budgets
from portal.vault.capability import Capability, Mint
from portal.vault.database import (
    LINK_FAULTS,
    REPEATABLE,
    Connection,
    PostgresError,
    is_link_fault,
    to_refusal,
)
from portal.vault.db import Db, Row
from portal.vault.keys import Keys
from portal.vault.pool import Pool
from portal.vault.registry import Registered
from portal.vault.settings import VaultSettings
from portal.vault.signals import Signals
from portal.vault.standing import Standing

__all__ = ["Db", "Row", "Transactions"]

SHARES: Final = {"web": 14, "work": 10, "egress": 6, "operator": 2}
"""Connections that one kind of caller may hold at once, so that none starves the others."""

_PLANS_KEPT: Final = "; set local plan_cache_mode = force_generic_plan"
"""A payer's act reads a handful of rows, each by its key, so there is one way to do it. Left to
itself PostgreSQL plans each statement five times on each connection before it keeps a plan: after a
start that was a third of what payments cost the database. Source: PostgreSQL 18 documentation,
PREPARE, Notes."""

_BY_ADDRESS: Final = frozenset({OPEN_LINK.name, VIEW_RETURN.name})
"""What a payer does before there is an authority of theirs: the same holds of it."""

_log = log.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A verified call: what is asked, on whose authority, through whom. ``digest``: SHA-256."""

    entry: Registered
    capability: Capability
    caller: str
    request: Request
    digest: bytes


class Transactions:
    """Runs verified calls for one vault process."""

    def __init__(  # noqa: PLR0913  # the parts of a vault, put together in one place
        self,
        *,
        pool: Pool,
        side: Pool,
        keys: Keys,
        mint: Mint,
        settings: VaultSettings,
        clock: Clock,
        audit: Audit,
        signals: Signals,
    ) -> None:
        """``side`` is a small pool for what must not wait for an act's own connection."""
        self._pool = pool
        self._side = side
        self._keys = keys
        self._mint = mint
        self._settings = settings
        self._clock = clock
        self._audit = audit
        self._signals = signals
        self._budgets = Budgets(self.side, settings)
        self._shares = {caller: asyncio.Semaphore(share) for caller, share in SHARES.items()}
        self._heavy = asyncio.Semaphore(settings.heavy_acts)

    async def run(self, call: Call) -> Reply:
        """Run one call to its committed end.

        Raises: what the operation raises; TryLater ``vault_busy`` or ``database_away`` when
        nothing happened; Unknown ``commit_unclear``; InvariantBroken.
        """
        entry = call.entry
        try:
            async with asyncio.timeout(limits.OPERATION_TIMEOUT_S):
                if entry.stand is not None:
                    return await self._stand(call)
                # A heavy act waits for its turn before it takes a connection from anybody.
                turn = self._heavy if entry.is_heavy else nullcontext()
                async with turn, self._shares[call.caller]:
                    return await self._run_with_tries(call)
        except TimeoutError as fault:
            raise TryLater("vault_busy", context=entry.op.name) from fault

    async def _run_with_tries(self, call: Call) -> Reply:
        run = call.entry.run
        if run is None:
            raise InvariantBroken("operation_unregistered", context=call.entry.op.name)
        tried = 0
        while True:
            tried += 1
            try:
                async with self.begin(call) as act:
                    return await run(act, call.request)
            except TryLater as fault:
                if fault.context not in REPEATABLE or tried >= limits.TRANSACTION_TRIES_MAX:
                    raise

    async def _stand(self, call: Call) -> Reply:
        stand = call.entry.stand
        if stand is None:
            raise InvariantBroken("operation_unregistered", context=call.entry.op.name)
        begin = partial(self.begin, call)
        return await stand(Standing(begin, self._signals), call.request)

    @asynccontextmanager
    async def begin(self, call: Call, *, is_audited: bool = True) -> AsyncGenerator[Act]:
        """One transaction: commits when the block ends well, rolls back when it raises.

        Without ``is_audited`` no audit row is written, whatever the registry says: for the parts
        of a standing operation that only look something up. Raises: as :meth:`run`.
        """
        incidents: list[Incident] = []
        try:
            async with self._connection(self._pool) as db:
                act = self._make_act(db, call, incidents)
                try:
                    async with self._open(db, act, call, is_audited=is_audited):
                        yield act
                except (PostgresError, *LINK_FAULTS) as fault:
                    raise to_refusal(fault) from fault
            self._tell(act)
        finally:
            if incidents:
                await self.record_incidents(call, incidents)

    def _make_act(self, db: Db, call: Call, incidents: list[Incident]) -> Act:
        return Act(
            db=db,
            capability=call.capability,
            caller=call.caller,
            clock=self._clock,
            settings=self._settings,
            keys=self._keys,
            mint=self._mint,
            rows_max=call.entry.rows_max,
            incidents=incidents,
        )

    @asynccontextmanager
    async def _open(
        self, db: Connection, act: Act, call: Call, *, is_audited: bool
    ) -> AsyncGenerator[None]:
        """Begin, let the act happen, charge, write the audit row, commit; or roll back."""
        number: int | None = None
        try:
            await db.execute(_begin_of(call))
            if call.capability.kind == "lease":
                fence = call.capability.fence
                await outbox.renew(db, call.capability.subject, fence, act.now)
            yield
            rows = act.rows_revealed + call.entry.cost
            if rows:
                await self._budgets.charge(call.capability, call.caller, rows, act.now)
            if act.lines_released:
                await self._budgets.charge_file(call.caller, act.lines_released, act.now)
            leased = [
                self._budgets.open_with(act.closing, minted, act.now)
                for minted in act.minted
                if minted.kind == "payer"
            ]
            if is_audited and call.entry.audit != "none":
                number = self._audit.next_number()
                self._audit.close_with(act.closing, number, _entry(act, call))
            crash_point("vault.before_commit", call.entry.op.name)
        except BaseException:
            await _roll_back(db)
            self._settle(number)
            raise
        await self._commit(db, act.closing.take("commit"), number)
        for one in leased:
            self._budgets.keep(one)
        crash_point("vault.after_commit", call.entry.op.name)

    async def _commit(self, db: Connection, statements: str, number: int | None) -> None:
        """Write what closes the act and commit, in one message.

        Raises: Unknown ``commit_unclear`` when a break here leaves it open. Cancellation counts
        as such a break: whoever cancels must not believe in a rollback.
        """
        try:
            await db.execute(statements)
        except (asyncio.CancelledError, PostgresError, *LINK_FAULTS) as fault:
            if isinstance(fault, PostgresError) and not is_link_fault(fault):
                await _roll_back(db)  # the server said no: nothing is kept
                self._settle(number)
                raise
            db.terminate()
            if number is not None:
                self._audit.doubt(number)
            raise Unknown("commit_unclear", context=type(fault).__name__) from fault
        self._settle(number)

    def _settle(self, number: int | None) -> None:
        if number is not None:
            self._audit.settle(number)

    def _tell(self, act: Act) -> None:
        if act.tasks_planned:
            self._signals.work_planned()
        for jti, until_s in act.revoked:
            self._signals.revoke(jti, until_s)

    async def record_incidents(self, call: Call, incidents: list[Incident]) -> None:
        """Write incidents in a transaction of their own: they stay when the act is rolled back."""
        for incident in incidents:
            _log.warning(
                "incident.recorded",
                code=incident.code,
                operation=call.entry.op.name,
                caller=call.caller,
                jti=call.capability.jti,
                subject_id=incident.subject,
            )
            entry = Entry(
                at=self._clock.wall(),
                merchant_id=call.capability.merchant,
                caller=call.caller,
                kind=call.capability.kind,
                subject=incident.subject or call.capability.subject,
                jti=call.capability.jti,
                operation=call.entry.op.name,
                outcome=f"incident:{incident.code}",
                rows=0,
                digest=call.digest,
            )
            await self.record(entry)

    async def record(self, entry: Entry) -> None:
        """Write one audit row in a transaction of its own. Failing is logged, never raised."""
        number = self._audit.next_number()
        try:
            async with self.side() as db:
                await self._audit.insert(db, number, entry)
        except (PortalError, PostgresError, *LINK_FAULTS):
            self._audit.doubt(number)
            _log.exception("audit.lost", code=entry.outcome, operation=entry.operation)
        except BaseException:
            self._audit.doubt(number)
            raise
        else:
            self._audit.settle(number)

    @asynccontextmanager
    async def side(self) -> AsyncGenerator[Db]:
        """A connection outside any act; each statement is its own transaction."""
        async with self._connection(self._side) as db:
            try:
                yield db
            except (PostgresError, *LINK_FAULTS) as fault:
                raise to_refusal(fault) from fault

    @asynccontextmanager
    async def upkeep(self, merchant: UUID) -> AsyncGenerator[Db]:
        """A transaction of the vault's own housekeeping in one merchant's rows; reveals nothing."""
        async with self.side() as db:
            await db.execute(f"begin; set local harai.merchant = '{merchant}'")
            try:
                yield db
                await db.execute("commit")
            except BaseException:
                await db.execute("rollback")
                raise

    @asynccontextmanager
    async def _connection(self, pool: Pool) -> AsyncGenerator[Connection]:
        try:
            connection = await pool.acquire()
        except (PostgresError, *LINK_FAULTS) as fault:
            raise to_refusal(fault) from fault
        try:
            yield connection
        finally:
            pool.release(connection)


def _begin_of(call: Call) -> str:
    """How a transaction of this call begins, in one message."""
    capability, begin = call.capability, "begin"
    if capability.merchant is not None:
        # A UUID's text can't hold anything but hex digits and dashes.
        begin += f"; set local harai.merchant = '{capability.merchant}'"
    if capability.kind == "payer" or call.entry.op.name in _BY_ADDRESS:
        begin += _PLANS_KEPT
    return begin


def _entry(act: Act, call: Call) -> Entry:
    return Entry(
        at=act.now,
        merchant_id=act.merchant_or_none,
        caller=call.caller,
        kind=call.capability.kind,
        subject=call.capability.subject,
        jti=call.capability.jti,
        operation=call.entry.op.name,
        outcome=act.outcome,
        rows=act.rows_revealed + act.lines_released or act.rows_done,
        digest=call.digest,
    )


async def _roll_back(db: Connection) -> None:
    """Undo; a connection that can't even do that is dropped, which undoes as well."""
    try:
        async with asyncio.timeout(limits.CONNECTION_WAIT_S):
            await db.execute("rollback")
    except (PostgresError, *LINK_FAULTS):
        db.terminate()
    except BaseException:
        db.terminate()
        raise
