# ruff: noqa: INP001  # a package of this name would shadow alembic itself
"""How alembic reaches the database: through portal.vault.migrate, as harai_migrate acting as owner.

Data zone, migrations only. There is no alembic.ini: the command is ``portal migrate``. ``--sql``
mode (for squawk) writes to whatever buffer the caller gave.
"""

import asyncio

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from alembic import context
from portal.kit import limits
from portal.vault.migrate import OWNER
from portal.vault.tables import metadata


def run_offline() -> None:
    """Write the migrations' SQL instead of running it."""
    context.configure(dialect_name="postgresql", target_metadata=metadata())
    with context.begin_transaction():
        context.run_migrations()


def run_sync(connection: Connection) -> None:
    """Run the migrations, each in its own transaction, everything owned by the owner's role."""
    connection.exec_driver_sql(f"set role {OWNER}")
    connection.exec_driver_sql(f"set lock_timeout = {limits.LOCK_TIMEOUT_MS}")
    connection.commit()
    context.configure(
        connection=connection, target_metadata=metadata(), transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    """Connect by the function that the caller put into the attributes."""
    connect = context.config.attributes["connect"]
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_sync)
    await engine.dispose()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
