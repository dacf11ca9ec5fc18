"""The schema as it is in a migrated database, against the tables' classes and the snapshot."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from portal.stack.postgres import MIGRATE, wheel_binaries
from portal.vault.database import connect
from portal.vault.migrate import SNAPSHOT, dump_schema, migrate, migrations_sql
from portal.vault.tables import metadata
from tests.make.vault import Ground

PROCESS_WIDE = {
    "alembic_version",
    "audit",
    "budget",
    "business_clock",
    "merchant_code",
    "mint_key",
    "revoked",
    "task",
}
"""Tables without row-level security: codes, ids, counters and wrapped keys, nothing of a payer."""


async def rows(ground: Ground, statement: str) -> list[tuple[object, ...]]:
    dsn = ground.cluster.postgres.dsn(MIGRATE, ground.database)
    link = await connect(dsn, ground.cluster.password_file(MIGRATE), "test")
    try:
        return [tuple(row.values()) for row in await link.fetch(statement)]
    finally:
        await link.close()


async def test_the_tables_classes_and_the_migrations_agree(ground: Ground) -> None:
    dsn = ground.cluster.postgres.dsn(MIGRATE, ground.database)
    secret = ground.cluster.password_file(MIGRATE)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(dsn, secret, "test"),
        poolclass=NullPool,
    )

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata())

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_the_snapshot_is_the_schema(ground: Ground) -> None:
    dsn = ground.cluster.postgres.dsn(MIGRATE, ground.database)

    dumped = await dump_schema(
        wheel_binaries() / "bin" / "pg_dump", dsn, ground.cluster.password_file(MIGRATE)
    )

    stored = await asyncio.to_thread(SNAPSHOT.read_text, encoding="utf-8")
    assert dumped == stored, "python -m tests.make.snapshot writes it anew"


async def test_every_table_is_protected_or_known_to_be_process_wide(ground: Ground) -> None:
    tables = await rows(
        ground,
        "select relname, relrowsecurity and relforcerowsecurity from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname",
    )

    assert {name for name, protected in tables if not protected} == PROCESS_WIDE


async def test_keys_of_protected_tables_begin_with_the_merchant(ground: Ground) -> None:
    keys = await rows(
        ground,
        "select c.relname, a.attname from pg_index i"
        " join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
        " where i.indisunique and c.relrowsecurity"
        " and c.relnamespace = 'public'::regnamespace",
    )

    assert {(table, column) for table, column in keys if column != "merchant_id"} == {
        ("merchant", "id"),
        ("merchant_app", "name"),  # an operator's word alone: no two merchants have one app
    }


async def test_every_policy_checks_reading_and_writing(ground: Ground) -> None:
    policies = await rows(
        ground,
        "select tablename, cmd, qual like '%harai.merchant%', with_check like '%harai.merchant%'"
        " from pg_policies where schemaname = 'public'",
    )

    others = {policy for policy in policies if policy[1:] != ("ALL", True, True)}
    tables = (
        "delivery", "message_trial", "debit_handover", "debit_fetch", "mandate_redirect",
        "card_charge", "card_on_file", "card_payment", "refund", "store_order",
    )  # fmt: skip
    whose = {(table, "SELECT", False, None) for table in tables}
    assert others == whose, "redeeming looks up whose an id is"


async def test_the_vaults_role_may_change_no_ledger_no_audit_and_no_table(ground: Ground) -> None:
    granted = await rows(
        ground,
        "select table_name, privilege_type from information_schema.role_table_grants"
        " where grantee = 'harai_vault'",
    )
    rights: dict[object, set[object]] = {}
    for table, privilege in granted:
        rights.setdefault(table, set()).add(privilege)

    everything = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert all(held <= everything for held in rights.values())
    for table in ("audit", "ledger_transaction", "ledger_entry"):
        assert rights[table] == {"SELECT", "INSERT"}, table


async def test_roles_are_no_more_than_they_need(ground: Ground) -> None:
    roles = await rows(
        ground,
        "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication,"
        " rolbypassrls from pg_roles where rolname like 'harai\\_%'"
        " and rolname <> 'harai_bootstrap' order by 1",
    )
    owners = await rows(
        ground,
        "select distinct tableowner from pg_tables where schemaname = 'public'",
    )

    assert roles == [
        ("harai_migrate", True, *[False] * 5),
        ("harai_owner", False, *[False] * 5),
        ("harai_vault", True, *[False] * 5),
    ]
    assert owners == [("harai_owner",)]


async def test_plpgsql_is_the_only_extension(ground: Ground) -> None:
    assert await rows(ground, "select extname from pg_extension") == [("plpgsql",)]


async def test_migrating_a_migrated_database_changes_nothing(ground: Ground) -> None:
    before = await rows(ground, "select version_num from alembic_version")

    dsn = ground.cluster.postgres.dsn(MIGRATE, ground.database)
    await asyncio.to_thread(migrate, dsn, ground.cluster.password_file(MIGRATE))

    assert await rows(ground, "select version_num from alembic_version") == before
    assert len(before) == 1


def test_all_migrations_can_be_written_as_sql() -> None:
    sql = migrations_sql()

    assert "create table merchant" in sql.lower()
    assert "force row level security" in sql.lower()


@pytest.mark.parametrize("table", ["merchant", "staff", "task", "audit"])
def test_the_core_tables_are_among_the_classes(table: str) -> None:
    assert table in metadata().tables
