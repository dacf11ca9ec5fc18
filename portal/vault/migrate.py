"""Roles, migrations and the schema's snapshot: how the data zone's database comes to be.

Run by ``portal migrate`` and by the stack, before the vault starts and never by the vault: its own
role can change no table. Roles: ``harai_owner`` owns everything and cannot log in,
``harai_migrate`` may act as owner, ``harai_vault`` has what the migrations grant.
"""

import asyncio
import io
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from alembic.config import Config
from pydantic_settings import SettingsConfigDict

from alembic import command
from portal.kit import log
from portal.kit.settings import ZoneSettings
from portal.vault.database import Connection, connect

OWNER: Final = "harai_owner"
MIGRATE: Final = "harai_migrate"
VAULT: Final = "harai_vault"
LOGINS: Final = (MIGRATE, VAULT)

FOLDER: Final = Path(__file__).parents[2] / "alembic"
SNAPSHOT: Final = FOLDER / "schema.sql"


class MigrateSettings(ZoneSettings):
    """What ``portal migrate`` must be told: ``PORTAL_MIGRATE_*``, a DSN of harai_migrate."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_MIGRATE_")

    database_url: str
    database_password_file: Path


def run() -> None:
    """Bring the database of the settings up to the newest migration."""
    log.configure("migrate")
    settings = MigrateSettings.read()
    migrate(settings.database_url, settings.database_password_file)
    log.get_logger().info("database.migrated")


async def bootstrap_roles(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Make the three roles and hand the database of ``admin_dsn`` to the owner; safe to repeat.

    ``passwords``: one for each of LOGINS; they are sent as SCRAM verifiers' source over the local
    socket and appear in no log (the server logs no statements). Raises: KeyError for a missing
    one, TryLater ``database_away``.
    """
    db = await connect(admin_dsn, None, "harai bootstrap")
    try:
        await _make_roles(db, passwords)
        await _hand_over(db)
    finally:
        await db.close()


async def _make_roles(db: Connection, passwords: Mapping[str, str]) -> None:
    await db.execute("set log_statement = 'none'; set password_encryption = 'scram-sha-256'")
    for role in (OWNER, *LOGINS):
        if not await db.fetchval("select 1 from pg_roles where rolname = $1", role):
            await db.execute(f"create role {role}")
        await db.execute(
            f"alter role {role} nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
            f" {'nologin' if role == OWNER else 'login'}"
        )
    for role in LOGINS:
        statement: str = await db.fetchval(
            "select format('alter role %I password %L', $1::text, $2::text)", role, passwords[role]
        )
        await db.execute(statement)
    await db.execute(f"grant {OWNER} to {MIGRATE} with inherit false, set true")


async def _hand_over(db: Connection) -> None:
    name: str = await db.fetchval("select quote_ident(current_database())")
    await db.execute(f"alter database {name} owner to {OWNER}")
    await db.execute(f"revoke all on database {name} from public")
    for role in LOGINS:
        await db.execute(f"grant connect on database {name} to {role}")
    await db.execute(
        f"revoke all on schema public from public; grant usage on schema public to {VAULT};"
        f" grant usage on schema public to {MIGRATE}"
    )


def _config(output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("prepend_sys_path", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def migrate(dsn: str, password_file: Path, revision: str = "heads") -> None:
    """Run all migrations that the database lacks, one transaction each.

    Not from inside a running event loop (alembic is synchronous: use a thread).
    Raises: TryLater ``database_away``, and what a failing migration raises.
    """

    def opens() -> Awaitable[Connection]:
        return connect(dsn, password_file, "harai migrate")

    config = _config()
    opener: Callable[[], Awaitable[Connection]] = opens
    config.attributes["connect"] = opener
    command.upgrade(config, revision)


def migrations_sql() -> str:
    """All migrations as SQL text, for the linter."""
    output = io.StringIO()
    command.upgrade(_config(output), "heads", sql=True)
    return output.getvalue()


async def dump_schema(pg_dump: Path, dsn: str, password_file: Path) -> str:
    """The schema as pg_dump writes it, without what differs between two runs or two machines."""
    return await asyncio.to_thread(_dump, pg_dump, dsn, password_file)


def _dump(pg_dump: Path, dsn: str, password_file: Path) -> str:
    options = ("--schema-only", "--restrict-key=harai", f"--role={OWNER}", "--no-tablespaces")
    secret = password_file.read_text(encoding="utf-8").removesuffix("\n")
    done = subprocess.run(  # noqa: S603  # fixed options; the path is the embedded wheel's own
        (str(pg_dump), *options, dsn),
        env={**os.environ, "PGPASSWORD": secret},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    versions = ("-- Dumped from", "-- Dumped by")
    kept = [line for line in done.stdout.splitlines() if not line.startswith(versions)]
    return "\n".join(kept) + "\n"
