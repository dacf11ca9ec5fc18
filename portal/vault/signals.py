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
REVOKED: Final = "revoked"


class Signals:
    """Waiters for planned work, the set of revoked authorities, and what to tell the others."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        self._waiting: set[asyncio.Future[None]] = set()
        self._revoked: dict[UUID, int] = {}
        self.to_tell: set[str] = set()
        self.telling = asyncio.Event()

    def work_planned(self, *, here: bool = True) -> None:
        """Wake everyone who waits for work; ``here``: planned by this process, so tell others."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        if here:
            self._tell(WORK)

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
        self._tell(REVOKED)

    def load_revoked(self, revoked: dict[UUID, int]) -> None:
        """Take over what the database says."""
        self._revoked = revoked

    def is_revoked(self, jti: UUID) -> bool:
        """Whether an authority was revoked (as known here: at most a second late)."""
        return jti in self._revoked

    def _tell(self, what: str) -> None:
        self.to_tell.add(what)
        self.telling.set()
