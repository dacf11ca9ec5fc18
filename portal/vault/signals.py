"""Wake-ups inside one vault process, and between several by NOTIFY. Never the truth.

Whoever waits here also polls the database: a lost wake-up costs a second, nothing else. NOTIFY is
sent outside the transactions that cause it, many at once, because a notifying commit takes a lock
that would make all of them wait for one another.
"""

import asyncio
from typing import Final
from uuid import UUID

CHANNEL: Final = "harai"
WORK: Final = "work"


class Signals:
    """Waiters for planned work, the revoked authorities, and whether to tell the others."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        self._waiting: set[asyncio.Future[None]] = set()
        self._revoked: dict[UUID, int] = {}
        self.telling = asyncio.Event()

    def work_planned(self, *, here: bool = True) -> None:
        """Wake everyone who waits for work; ``here``: planned by this process, so tell others."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        if here:
            self.telling.set()

    async def work(self, timeout_s: float) -> None:
        """Return when work was planned or the time is up, whichever comes first."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait((waiter,), timeout=timeout_s)
        finally:
            self._waiting.discard(waiter)

    def revoke(self, jti: UUID, until_s: int) -> None:
        """Refuse an authority from now on; the database says so already."""
        self._revoked[jti] = until_s

    def load_revoked(self, revoked: dict[UUID, int], now_s: int) -> None:
        """Add what the database says; forget what has expired, so none is lost in between."""
        still = {jti: until for jti, until in self._revoked.items() if until > now_s}
        self._revoked = still | revoked

    def is_revoked(self, jti: UUID) -> bool:
        """Whether an authority was revoked (as known here: at most a second late)."""
        return jti in self._revoked
