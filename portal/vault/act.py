"""One act: what an operation may use while it runs. One call is one act is one transaction.

Operations get everything through this object: the database inside the open transaction with
row-level security set, the verified capability, the time, keys, tasks, single-use effects, events
and budgets. They never commit, never read a clock and never see the channel.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from portal.contract.envelope import Authority
from portal.contract.login import Role
from portal.domain.errors import InvariantBroken, LimitReached, NotFound
from portal.domain.task import Lane, TaskKind
from portal.kit.clock import Clock, Ids, new_id, new_ids
from portal.vault import case, once, outbox
from portal.vault.capability import VERSION, Budget, Capability, Kind, Mint, as_scopes
from portal.vault.closing import Closing
from portal.vault.db import Db
from portal.vault.fields import Fields
from portal.vault.settings import VaultSettings

if TYPE_CHECKING:
    from portal.vault.keys import Keys


_NOBODY: Final = UUID(int=0)
_ENTER: Final = """
select c.merchant_id,
       set_config('harai.merchant', coalesce(c.merchant_id, $2::uuid)::text, true)
from (select $1::text as code) asked left join merchant_code c on c.code = asked.code
"""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that only an attack or a bug of ours explains; recorded even on rollback."""

    code: str
    subject: UUID | None


class Act:
    """The transaction of one call. Made and ended by portal.vault.transaction only."""

    def __init__(  # noqa: PLR0913  # made in one place; every argument is a part of the act
        self,
        *,
        db: Db,
        capability: Capability,
        caller: str,
        clock: Clock,
        settings: VaultSettings,
        keys: "Keys",
        mint: Mint,
        rows_max: int,
        incidents: "list[Incident]",
    ) -> None:
        """Take the parts; nothing is opened or asked here."""
        self.db = db
        self.closing = Closing()
        self.capability = capability
        self.caller = caller
        self.clock = clock
        self.settings = settings
        self.now = clock.wall()
        self.business = clock.business_now()
        self.rows_revealed = 0
        self.lines_released = 0
        self.rows_done = 0
        self.outcome = "ok"
        self.tasks_planned = False
        self.revoked: list[tuple[UUID, int]] = []
        self.minted: list[Capability] = []
        self.incidents = incidents
        self._keys = keys
        self._mint = mint
        self._rows_max = rows_max
        self._merchant = capability.merchant

    # --- whose data --------------------------------------------------------------------------
    @property
    def merchant_id(self) -> UUID:
        """The merchant this act is about.

        Raises: InvariantBroken ``merchant_unset`` when neither the capability nor
        :meth:`act_for` named one.
        """
        if self._merchant is None:
            raise InvariantBroken("merchant_unset")
        return self._merchant

    @property
    def merchant_or_none(self) -> UUID | None:
        """The merchant this act is about, if it has one (yet)."""
        return self._merchant

    async def act_for(self, merchant_id: UUID) -> None:
        """Enter a merchant that the request named by its public code.

        For authorities of no merchant (callers). Raises: InvariantBroken ``merchant_foreign``
        when the capability is bound to another merchant.
        """
        if self.capability.merchant is not None and self.capability.merchant != merchant_id:
            raise InvariantBroken("merchant_foreign")
        await self.write_now()  # written for the merchant before, so it must be so judged
        await self.db.execute("select set_config('harai.merchant', $1, true)", str(merchant_id))
        self._merchant = merchant_id

    async def act_for_code(self, code: str) -> bool:
        """Enter the merchant of a public code; for an unknown one enter nobody and say False.

        One statement either way: nobody's rows are as quickly looked up as somebody's, so an
        answer's time does not tell which merchants there are. For authorities of no merchant.
        Raises: InvariantBroken ``merchant_foreign`` for one that is bound to a merchant.
        """
        if self.capability.merchant is not None:
            raise InvariantBroken("merchant_foreign")
        await self.write_now()  # as above
        found: UUID | None = await self.db.fetchval(_ENTER, code, _NOBODY)
        self._merchant = found or _NOBODY
        return found is not None

    async def fields(self) -> Fields:
        """The sealer of the current merchant; keys are unwrapped once and cached."""
        return await self._keys.fields(self.db, self.merchant_id, self.now)

    async def found_keys(self) -> None:
        """Make the keys of the current merchant, which has none yet."""
        await self._keys.found(self.db, self.merchant_id, self.now)

    async def write_now(self) -> None:
        """Write what waits for the act's end: who reads it in the same act reads it as it is."""
        if self.closing:
            await self.db.execute(self.closing.take())

    def require_scope(self, thing_id: UUID) -> None:
        """Refuse another thing than the one the capability is narrowed to.

        Raises: NotFound ``not_found``.
        """
        if self.capability.scope_id != thing_id:
            raise NotFound("not_found")

    # --- ids, time, parts of the transaction -------------------------------------------------
    def new_id(self) -> UUID:
        """A fresh UUIDv7."""
        return new_id(self.clock)

    def new_ids(self, count: int) -> Ids:
        """Fresh UUIDv7s for many rows at once, in order."""
        return new_ids(self.clock, count)

    @property
    def actor(self) -> str:
        """Who acts, for timelines: ``staff:<id>``, ``api_key:<id>``, ``payer`` or ``system``."""
        kind = self.capability.kind
        if kind in ("staff", "api_key"):
            return f"{kind}:{self.capability.subject}"
        return "payer" if kind == "payer" else "system"

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Undo only what happens inside when it raises; the error goes on to the caller."""
        mark = len(self.closing)
        await self.db.execute("savepoint harai_part")
        try:
            yield
        except BaseException:
            self.closing.cut(mark)
            await self.db.execute("rollback to savepoint harai_part")
            raise
        await self.db.execute("release savepoint harai_part")

    # --- tasks -------------------------------------------------------------------------------
    async def plan_task(
        self,
        kind: TaskKind,
        subject_id: UUID,
        number: int = 0,
        *,
        lane: Lane | None = None,
        due_in_s: float = 0,
    ) -> UUID:
        """Leave a task in the outbox, at the act's end; it exists if and only if this act commits.

        Each call makes one more task: an operation that repeats itself plans through
        :meth:`once` or a state change that happens once.
        """
        task = outbox.NewTask(self.new_id(), kind, subject_id, number, lane, due_in_s)
        outbox.plan_at_the_end(self.closing, self.merchant_id, self.now, task)
        self.tasks_planned = self.tasks_planned or due_in_s <= 0
        return task.id

    async def plan_tasks(self, tasks: Sequence[outbox.NewTask]) -> None:
        """Many tasks by one statement."""
        await outbox.plan(self.db, self.merchant_id, self.now, tasks)
        self.tasks_planned = self.tasks_planned or any(task.due_in_s <= 0 for task in tasks)

    async def close_task(self, *, rows: int = 0) -> None:
        """Finish the task whose lease this act runs under; ``rows`` is for the audit row.

        Raises: InvariantBroken ``lease_missing`` when the act runs under no lease.
        """
        if self.capability.kind != "lease":
            raise InvariantBroken("lease_missing")
        self.rows_done = rows
        await outbox.close(self.db, self.capability.subject)

    # --- single-use effects ------------------------------------------------------------------
    async def once(self, kind: str, key: str, arguments: bytes) -> bytes | None:
        """Claim an idempotency key: None the first time, the stored answer on a repeat.

        The first time, go on to the effect and then :meth:`answer_once`, in this same act.

        Raises: Conflict ``idempotency_mismatch`` when the key came with other arguments.
        """
        try:
            return await once.claim(self.db, self.merchant_id, self.now, (kind, key), arguments)
        except once.ArgumentsDifferError as fault:
            self.note_incident("idempotency_mismatch")
            raise fault.refusal from fault

    async def answer_once(self, kind: str, key: str, answer: bytes) -> None:
        """Store what a repeat of the key will be answered."""
        self.closing.add("answer", self.merchant_id, kind, key, answer)

    # --- what others must know ---------------------------------------------------------------
    async def emit(self, bill_id: UUID, code: str, **params: str | int) -> None:
        """Add an event to a bill's timeline, at the act's end. No personal data in ``params``."""
        self.closing.add(
            "event",
            self.merchant_id,
            bill_id,
            self.new_id(),
            self.business,
            code,
            self.actor,
            msgspec.json.encode(params).decode(),
        )

    async def open_case(self, kind: str, subject_id: UUID, **params: str | int) -> UUID:
        """Put something that needs a human into the one queue; one open case per subject."""
        return await case.open_case(
            self.db, self._happening(), self.new_id(), (kind, subject_id), params
        )

    async def close_case(self, case_id: UUID, resolution: str) -> None:
        """Close a case with a code that says how. Raises: NotFound."""
        await case.close_case(self.db, self._happening(), case_id, resolution)

    def _happening(self) -> case.Happening:
        return case.Happening(self.merchant_id, self.now, self.actor)

    def note_incident(self, code: str, subject: UUID | None = None) -> None:
        """Record what only an attack or a bug explains, whatever becomes of this act."""
        self.incidents.append(Incident(code, subject))

    # --- revealing ---------------------------------------------------------------------------
    def reveal(self, rows: int) -> None:
        """Count rows whose personal fields this act gives out.

        Charged to the capability's and the caller's budget before the answer leaves; the act
        fails with LimitReached ``budget_spent`` then if either is used up.

        Raises: LimitReached ``rows_at_most`` past the registry's ``rows_max``.
        """
        self.rows_revealed += rows
        if self.rows_revealed > self._rows_max:
            raise LimitReached("rows_at_most", params={"rows": self._rows_max})

    def release(self, lines: int) -> None:
        """Count the lines of a file that two people let go to one host, and that goes there once.

        Such a file is bounded by what they approved, not by how many single rows a relay carries in
        a minute: it has a budget of its own, so that a day of debits and a day of messages do not
        take it from each other.

        Raises: LimitReached ``rows_at_most`` past the registry's ``rows_max``.
        """
        self.lines_released += lines
        if self.lines_released > self._rows_max:
            raise LimitReached("rows_at_most", params={"rows": self._rows_max})

    # --- authorities -------------------------------------------------------------------------
    async def mint(  # noqa: PLR0913  # a capability has these parts
        self,
        *,
        kind: Kind,
        subject: UUID,
        ops: Sequence[str],
        life_s: int,
        budget_rows: int,
        budget_window_s: int = 0,
        scope_id: UUID | None = None,
        role: Role | None = None,
        scopes: Sequence[str] = (),
        number: int = 0,
        fence: int = 0,
        jti: UUID | None = None,
    ) -> Authority:
        """A new authority of the current merchant; nothing is stored."""
        now_s = int(self.now.timestamp())
        capability = Capability(
            v=VERSION,
            kid=self._mint.kid,
            kind=kind,
            merchant=self.merchant_id,
            subject=subject,
            ops=tuple(ops),
            scope_id=scope_id,
            role=role,
            scopes=as_scopes(scopes),
            budget=Budget(budget_rows, budget_window_s),
            not_before=now_s - 5,
            expires_at=now_s + life_s,
            jti=jti or self.new_id(),
            number=number,
            fence=fence,
        )
        self.minted.append(capability)
        return self._mint.authority(capability)

    async def revoke(self, jti: UUID, expires_at: datetime) -> None:
        """Make an authority void from this act's commit on."""
        await self.db.execute(
            "insert into revoked (jti, merchant_id, expires_at) values ($1, $2, $3)"
            " on conflict do nothing",
            jti,
            self.merchant_id,
            expires_at + timedelta(minutes=1),
        )
        self.revoked.append((jti, int(expires_at.timestamp()) + 60))
