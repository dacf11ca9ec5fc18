"""Budgets: how many rows an authority, and a calling process, may be shown; counted durably.

Counters are rows in PostgreSQL, leased to an instance in chunks, so that most calls cost no write
and a crash loses at most a chunk (which counts as spent). A chunk is taken in a transaction of its
own before the answer leaves: rolling an act back gives nothing back.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from portal.domain.errors import LimitReached
from portal.vault.capability import Capability
from portal.vault.closing import Closing
from portal.vault.db import Db
from portal.vault.settings import VaultSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

CHUNK_PARTS: Final = 20
CHUNK_ROWS_MIN: Final = 10
"""A lease is a 20th of the budget, at least 10 rows, or what is asked for if that is more."""

LEASES_MAX: Final = 50_000
MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """``rows`` for ``holder`` in each window of ``window_s`` seconds (0: once and for all)."""

    holder: str
    rows: int
    window_s: int
    ends_s: int

    def window_no(self, now_s: float) -> int:
        """The number of the window that a moment falls into."""
        return int(now_s // self.window_s) if self.window_s else 0

    def expires(self, window: int, now: datetime) -> datetime:
        """When the counter of a window may be forgotten; never before ``now``."""
        if self.window_s:
            end = datetime.fromtimestamp((window + 2) * self.window_s, UTC)
        else:
            end = datetime.fromtimestamp(self.ends_s, UTC) + timedelta(hours=1)
        return max(end, now)


def _own_allowance(capability: Capability) -> Allowance:
    budget = capability.budget
    return Allowance(f"cap:{capability.jti}", budget.rows, budget.window_s, capability.expires_at)


class Budgets:
    """Spends allowances for one instance. ``side`` gives a connection outside any act."""

    def __init__(
        self, side: "Callable[[], AbstractAsyncContextManager[Db]]", settings: VaultSettings
    ) -> None:
        """Start without leases: what a former process had leased is spent."""
        self._side = side
        self._settings = settings
        self._left: dict[tuple[str, int], int] = {}

    async def charge(self, capability: Capability, caller: str, rows: int, now: datetime) -> None:
        """Charge rows to the capability and to its caller.

        Raises: LimitReached ``budget_spent`` with param ``of`` (authority or caller); then the
        answer must not leave.
        """
        await self._spend(_own_allowance(capability), rows, now, "authority")
        minute = self._minute_limit(capability.kind, caller)
        if minute is not None:
            holder = f"caller:{caller}:{capability.kind}"
            await self._spend(Allowance(holder, minute, MINUTE_S, 0), rows, now, "caller")

    async def charge_file(self, caller: str, lines: int, now: datetime) -> None:
        """Charge the lines of a file that leaves as a whole to its caller.

        Raises: LimitReached ``budget_spent`` as with :meth:`charge`.
        """
        holder = f"caller:{caller}:file"
        minute = Allowance(holder, self._settings.budget_file_lines_per_minute, MINUTE_S, 0)
        await self._spend(minute, lines, now, "caller")

    def open_with(
        self, closing: Closing, capability: Capability, now: datetime
    ) -> tuple[tuple[str, int], int]:
        """Lease the first chunk of an authority that an act mints, with that act's own commit.

        Whoever opens a page looks at it next, so this saves a transaction. Returns what to give
        :meth:`keep` once the commit is known to have succeeded; if it never is, the chunk counts
        as spent.
        """
        own = _own_allowance(capability)
        window = own.window_no(now.timestamp())
        chunk = min(own.rows, max(CHUNK_ROWS_MIN, own.rows // CHUNK_PARTS))
        closing.add("lease", own.holder, window, chunk, own.expires(window, now))
        return (own.holder, window), chunk

    def keep(self, leased: tuple[tuple[str, int], int]) -> None:
        """Spend from now on what :meth:`open_with` leased."""
        place, rows = leased
        self._left[place] = self._left.get(place, 0) + rows
        self._forget_oldest()

    def _minute_limit(self, kind: str, caller: str) -> int | None:
        limits = {
            "staff": self._settings.budget_staff_rows_per_minute,
            "api_key": self._settings.budget_api_key_rows_per_minute,
            "payer": self._settings.budget_payer_rows_per_minute,
            "caller": self._settings.budget_call_rows_per_minute,
        }
        if caller == "egress":
            return self._settings.budget_egress_rows_per_minute
        return limits.get(kind)

    async def _spend(self, allowance: Allowance, rows: int, now: datetime, of: str) -> None:
        window = allowance.window_no(now.timestamp())
        place = (allowance.holder, window)
        left = self._left.get(place, 0)
        if left < rows:
            self._left[place] = 0  # whoever comes meanwhile leases for itself
            left += await self._lease(allowance, window, rows - left, now, of)
            left += self._left.pop(place, 0)
        self._left[place] = left - rows
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        if len(self._left) > LEASES_MAX:
            del self._left[next(iter(self._left))]

    async def _lease(
        self, allowance: Allowance, window: int, rows: int, now: datetime, of: str
    ) -> int:
        """Take a chunk, or just what is needed when a chunk no longer fits; returns its size."""
        chunk = max(rows, CHUNK_ROWS_MIN, allowance.rows // CHUNK_PARTS)
        async with self._side() as db:
            for wanted in dict.fromkeys((chunk, rows)):
                if wanted <= allowance.rows and await self._take(
                    db, allowance, window, wanted, now
                ):
                    return wanted
        raise LimitReached("budget_spent", params={"of": of, "rows": allowance.rows})

    async def _take(
        self, db: Db, allowance: Allowance, window: int, rows: int, now: datetime
    ) -> bool:
        taken = await db.fetchval(
            "insert into budget (holder, window_no, used, expires_at) values ($1, $2, $3, $4)"
            " on conflict (holder, window_no) do update set used = budget.used + excluded.used"
            " where budget.used + excluded.used <= $5 returning used",
            allowance.holder,
            window,
            rows,
            allowance.expires(window, now),
            allowance.rows,
        )
        return taken is not None
