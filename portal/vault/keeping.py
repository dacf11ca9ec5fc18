"""Data zone: a transaction of the vault's own housekeeping, in one merchant's rows, by name.

What the vault does without being called writes here and nowhere else, so that a drill can kill it
on both sides of every such commit.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from portal.kit.crashpoint import crash_point
from portal.vault.db import Db
from portal.vault.transaction import Transactions


@asynccontextmanager
async def keeping(transactions: Transactions, merchant: UUID, step: str) -> AsyncGenerator[Db]:
    """One transaction of the step ``step``: commits when the block ends well, reveals nothing.

    Raises: TryLater when the database is away or busy; nothing happened then.
    """
    async with transactions.upkeep(merchant) as db:
        yield db
        crash_point("vault.before_upkeep", step)
    crash_point("vault.after_upkeep", step)
