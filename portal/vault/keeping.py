"""Data zone: the vault's own housekeeping: through all merchants, a named transaction at a time.

What the vault does without being called writes here and nowhere else, so that a drill can kill it
on both sides of every such commit.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from portal.domain.errors import TryLater
from portal.kit.crashpoint import crash_point
from portal.vault.db import Db
from portal.vault.transaction import Transactions

_MERCHANTS: Final = "select merchant_id from merchant_code order by code"
_AWAY: Final = "database_away"


async def for_each_merchant(
    transactions: Transactions, step: Callable[[UUID], Awaitable[None]]
) -> None:
    """Do a step for every merchant. One whose rows are busy keeps no other waiting.

    Raises: TryLater, at the end, what the first busy merchant met; at once when the database is
    away.
    """
    async with transactions.side() as db:
        merchants: list[UUID] = [row["merchant_id"] for row in await db.fetch(_MERCHANTS)]
    busy: TryLater | None = None
    for merchant in merchants:
        try:
            await step(merchant)
        except TryLater as fault:
            if fault.code == _AWAY:
                raise
            busy = busy or fault
    if busy is not None:
        raise busy


@asynccontextmanager
async def keeping(transactions: Transactions, merchant: UUID, step: str) -> AsyncGenerator[Db]:
    """One transaction of the step ``step``: commits when the block ends well, reveals nothing.

    Raises: TryLater when the database is away or busy; nothing happened then.
    """
    async with transactions.upkeep(merchant) as db:
        yield db
        crash_point("vault.before_upkeep", step)
    crash_point("vault.after_upkeep", step)
