"""Attacks on the database, by whoever reaches its socket or holds the vault's own log-in."""

import asyncio
import base64
import subprocess
from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest

from portal.stack.postgres import BOOTSTRAP, MIGRATE, OWNER, VAULT, Link
from portal.vault import file
from portal.vault.server import VaultServer
from tests.make.acts import MERCHANT, OTHER_MERCHANT, acting, with_keys
from tests.make.vault import ClientFor, Ground, add_staff, found_merchant

CANARY_NAME, CANARY_PHONE = "金糸雀 太郎", "+818011112222"


@pytest.fixture
async def login(ground: Ground, vault: VaultServer) -> AsyncGenerator[Link]:
    """The vault's own log-in in an attacker's hands, two merchants with rows behind it."""
    for merchant in (MERCHANT, OTHER_MERCHANT):
        async with acting(vault, merchant) as act:
            await act.open_case("x", UUID(int=1))
    link = await ground.cluster.postgres.connect(VAULT, ground.database)
    yield link
    await link.close()


async def refusal(link: Link, statement: str) -> str:
    """The SQLSTATE that a statement is refused with, or ``done``."""
    try:
        await link.execute(statement)
    except asyncpg.PostgresError as fault:
        return str(fault.sqlstate)
    return "done"


DENIED = {"42501", "22023", "42704", "42P17", "0A000"}
"""Insufficient privilege; and statements that this server has no object or module for."""


async def test_control_the_log_in_works_for_what_it_is_for(login: Link) -> None:
    await login.execute(f"begin; select set_config('harai.merchant', '{MERCHANT}', true)")
    assert await login.fetchval("select count(*) from case_") == 1
    await login.execute("rollback")


FORBIDDEN = (
    f"set role {OWNER}",
    f"set role {MIGRATE}",
    f"set session authorization {BOOTSTRAP}",
    "alter role harai_vault superuser",
    "alter role harai_vault bypassrls",
    "create role evil login superuser",
    "grant harai_owner to harai_vault",
    "alter table case_ no force row level security",
    "alter table case_ disable row level security",
    "drop policy merchant_only on case_",
    "create policy evil on case_ using (true)",
    "create table evil (x text)",
    "create temp table evil (x text)",
    "create function evil() returns int language sql as 'select 1'",
    "create schema evil",
    "create extension dblink",
    "create extension file_fdw",
    "create extension postgres_fdw",
    "create extension plpython3u",
    "copy case_ to program 'cat > /tmp/stolen'",
    "copy case_ from program 'cat /etc/passwd'",
    "copy case_ to '/tmp/stolen'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('/')",
    "select pg_read_binary_file('postgresql.conf')",
    "select lo_import('/etc/passwd')",
    "select pg_reload_conf()",
    "alter system set log_statement = 'all'",
    "set session_replication_role = replica",
    "set log_statement = 'all'",
    "load 'auto_explain'",
    "select * from pg_authid",
    "select * from pg_hba_file_rules",
    "create server evil foreign data wrapper postgres_fdw",
    "update pg_class set relforcerowsecurity = false",
    "truncate case_",
    "drop table case_",
    "delete from audit",
    "update audit set rows = 0",
    "delete from ledger_entry",
    "update ledger_entry set amount_minor = 0",
    "update merchant_key set wrapped = ''",
    "delete from merchant_key",
    "create trigger evil before insert on case_ execute function pg_catalog.now()",
    "create event trigger evil on ddl_command_start execute function pg_catalog.now()",
    "create publication evil for all tables",
    "select pg_create_logical_replication_slot('evil', 'pgoutput')",
    "reindex table case_",
    "security label on table case_ is 'x'",
)


async def test_the_vaults_own_log_in_can_do_nothing_else(login: Link) -> None:
    outcomes = {statement: await refusal(login, statement) for statement in FORBIDDEN}

    unexpected = {what: state for what, state in outcomes.items() if state not in DENIED}
    assert unexpected == {}


async def test_every_merchants_rows_at_once_are_not_to_be_had_in_one_statement(
    login: Link,
) -> None:
    assert await refusal(login, "select * from case_") in {"42704", "22P02"}
    assert await refusal(login, "set row_security = off; select * from case_") == "42501"
    await login.execute("reset row_security")
    await login.execute(f"begin; select set_config('harai.merchant', '{MERCHANT}', true); commit")
    assert await refusal(login, "select * from case_") in {"42704", "22P02"}
    assert await refusal(login, "copy case_ to stdout") != "done"


async def test_a_row_security_setting_is_a_net_and_what_it_lets_through_is_sealed(
    login: Link, vault: VaultServer, client_for: ClientFor
) -> None:
    operator = await client_for("operator")
    await found_merchant(operator)
    await add_staff(operator)
    async with vault.data.transactions.side() as db:
        merchant = await db.fetchval("select merchant_id from merchant_code")

    # Known and written down: this log-in can name any merchant. What it finds is sealed.
    await login.execute(f"begin; select set_config('harai.merchant', '{merchant}', true)")
    profile = await login.fetchval("select profile from staff")
    await login.execute("rollback")

    assert isinstance(profile, bytes)
    assert "花子".encode() not in profile
    assert b"minato.example" not in profile


async def test_the_superuser_cannot_log_in_to_a_stack_and_nobody_without_a_password(
    ground: Ground,
) -> None:
    socket = str(ground.cluster.postgres.run_dir)
    for user in (VAULT, MIGRATE, OWNER, BOOTSTRAP, "postgres", "root", "nobody"):
        for password in (None, "", "postgres"):
            with pytest.raises((asyncpg.PostgresError, OSError)):
                await asyncpg.connect(
                    host=socket, user=user, password=password, database=ground.database
                )
    right = ground.cluster.postgres.password(VAULT)
    link = await asyncpg.connect(host=socket, user=VAULT, password=right, database=ground.database)
    assert await link.fetchval("select 1") == 1
    await link.close()


async def test_there_is_no_tcp_and_only_passwords_are_taken(ground: Ground) -> None:
    link = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    try:
        addresses = await link.fetchval("select current_setting('listen_addresses')")
        methods = await link.fetchval(
            "select array_agg(distinct auth_method) from pg_hba_file_rules"
        )
    finally:
        await link.close()

    assert addresses == ""
    assert methods == ["scram-sha-256"]


@pytest.mark.root
async def test_another_uid_reaches_neither_socket_nor_files(ground: Ground) -> None:
    postgres = ground.cluster.postgres
    socket = postgres.run_dir / ".s.PGSQL.5432"
    data = postgres.folder / "data" / "PG_VERSION"
    secret = ground.cluster.password_file(VAULT)
    script = (
        "import socket, sys, pathlib\n"
        "for place in sys.argv[2:]:\n"
        "    try: pathlib.Path(place).read_bytes(); print('read', place)\n"
        "    except PermissionError: pass\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "try: s.connect(sys.argv[1]); print('connected')\n"
        "except PermissionError: pass\n"
    )
    command = ["/usr/bin/python3", "-c", script, str(socket), str(data), str(secret)]

    def as_uid(uid: int | None) -> str:
        done = subprocess.run(  # noqa: S603  # a fixed script
            command, user=uid, group=uid, extra_groups=None if uid is None else [],
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        return done.stdout

    assert await asyncio.to_thread(as_uid, 61099) == ""
    control = await asyncio.to_thread(as_uid, None)
    assert "connected" in control
    assert control.count("read") == 2


async def test_no_name_and_no_number_stands_in_clear_on_disk(
    ground: Ground, vault: VaultServer
) -> None:
    await with_keys(vault, MERCHANT)
    control = "canary-in-clear-as-a-control"
    async with acting(vault) as act:
        await file.store_part(act, UUID(int=5), 0, f"{CANARY_NAME},{CANARY_PHONE}\n".encode() * 50)
        await act.open_case(control, UUID(int=9))
    link = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    await link.execute("checkpoint")
    await link.close()

    def holding(needles: list[bytes]) -> set[str]:
        data = ground.cluster.postgres.folder
        found: set[str] = set()
        for place in data.rglob("*"):
            if place.is_file():
                content = place.read_bytes()
                found |= {place.parent.name for needle in needles if needle in content}
        return found

    names = [CANARY_NAME.encode(), CANARY_PHONE.encode(), base64.b64encode(CANARY_PHONE.encode())]
    assert await asyncio.to_thread(holding, names) == set()
    assert "pg_wal" in await asyncio.to_thread(holding, [control.encode()])


async def test_an_error_of_the_database_tells_its_log_no_value(
    ground: Ground, vault: VaultServer, client_for: ClientFor
) -> None:
    del vault
    operator = await client_for("operator")
    await found_merchant(operator)
    link = await ground.cluster.postgres.connect(VAULT, ground.database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await link.fetchval(
            "insert into merchant_code values ($1, gen_random_uuid()) returning 1", "minato"
        )
    with pytest.raises(asyncpg.PostgresError):
        await link.fetchval("select $1::text::int", "canary-value-77")
    await link.close()

    read = ground.cluster.postgres.log.read_text
    said = await asyncio.to_thread(read, encoding="utf-8")
    assert "merchant_code_pkey" in said
    assert "(minato)" not in said
