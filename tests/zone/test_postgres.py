"""The embedded PostgreSQL and Valkey by themselves: who gets in, what survives, what is logged."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from portal.stack.postgres import BOOTSTRAP, MIGRATE, OWNER, VAULT, Postgres
from portal.stack.processes import is_alive, run_to_end
from portal.stack.users import usual_accounts
from portal.stack.valkey import Valkey


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A short folder that other uids may pass through (pytest's own are closed to them)."""
    made = Path(tempfile.mkdtemp(prefix="harai-t-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One cluster for all that leave it as it was, or only add to it."""
    with open_folder() as made:
        cluster = Postgres(made / "pg", account=usual_accounts()["postgres"])
        asyncio.run(cluster.start())
        yield cluster
        asyncio.run(cluster.stop())


async def test_vault_role_gets_in_by_its_password_and_is_nobody_special(
    postgres: Postgres,
) -> None:
    link = await postgres.connect(VAULT)
    try:
        role = await link.fetchval("select current_user")
        special = await link.fetchval(
            "select rolsuper or rolcreatedb or rolcreaterole or rolbypassrls or rolreplication"
            " from pg_roles where rolname = current_user"
        )
        extensions = await link.fetchval("select string_agg(extname, ',') from pg_extension")
    finally:
        await link.close()

    assert role == VAULT
    assert special is False
    assert extensions == "plpgsql"


async def test_migrations_act_as_the_owner_who_can_not_log_in(postgres: Postgres) -> None:
    link = await postgres.connect(MIGRATE)
    try:
        assert await link.fetchval("select current_user") == OWNER
        can = await link.fetchval("select rolcanlogin from pg_roles where rolname = $1", OWNER)
    finally:
        await link.close()

    assert can is False


@pytest.mark.parametrize(
    ("role", "password"),
    [
        (VAULT, "wrong"),
        (VAULT, ""),
        (BOOTSTRAP, "anything"),
        (OWNER, "anything"),
        ("postgres", ""),
        ("root", ""),
    ],
)
async def test_nobody_else_gets_in(postgres: Postgres, role: str, password: str) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(
            host=str(postgres.run_dir), user=role, password=password, database="harai"
        )

    await (await postgres.connect(VAULT)).close()  # the control: the right password works


async def test_vault_role_can_neither_make_objects_nor_reach_the_machine(
    postgres: Postgres,
) -> None:
    link = await postgres.connect(VAULT)
    try:
        for statement in (
            "create table mine (a int)",
            "create schema mine",
            "create extension dblink",
            "create role mine",
            "set role harai_owner",
            "copy (select 1) to program 'id'",
            "select pg_read_file('postgresql.conf')",
            "alter system set fsync = off",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await link.execute(statement)
    finally:
        await link.close()


async def test_settings_are_the_careful_ones(postgres: Postgres) -> None:
    link = await postgres.connect(VAULT)
    try:
        seen = {
            name: await link.fetchval("select current_setting($1)", name)
            for name in (
                "listen_addresses", "fsync", "full_page_writes", "synchronous_commit",
                "data_checksums", "log_statement", "log_parameter_max_length",
                "log_parameter_max_length_on_error", "password_encryption",
            )
        }  # fmt: skip
        timeouts = [
            await link.fetchval("select current_setting($1) <> '0'", name)
            for name in (
                "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
            )
        ]  # fmt: skip
    finally:
        await link.close()

    assert seen == {
        "listen_addresses": "",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "log_statement": "none",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "password_encryption": "scram-sha-256",
    }
    assert timeouts == [True, True, True]


async def test_no_value_of_a_failing_statement_reaches_the_log(postgres: Postgres) -> None:
    link = await postgres.connect(MIGRATE)
    try:
        await link.execute("create table seen (phone text unique)")
        await link.execute("insert into seen values ($1)", "09012345678")
        with pytest.raises(asyncpg.UniqueViolationError):
            await link.execute("insert into seen values ($1)", "09012345678")
        with pytest.raises(asyncpg.UniqueViolationError):
            await link.execute("insert into seen values ('09012345678')")
    finally:
        await link.close()

    log = postgres.log.read_text()
    assert "seen_phone_key" in log  # the control: the failure itself is there
    assert "09012345678" not in log


async def test_data_survives_a_kill_and_a_stale_pid_file_of_a_living_stranger(
    postgres: Postgres,
) -> None:
    link = await postgres.connect(MIGRATE)
    await link.execute("create table kept (a int)")
    await link.execute("insert into kept values (42)")
    await link.close()

    await postgres.running.kill()
    pid_file = postgres.folder / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    await postgres.running.start()

    link = await postgres.connect(MIGRATE)
    assert await link.fetchval("select a from kept") == 42
    await link.close()


async def test_orphan_of_a_killed_stack_is_stopped_before_the_next_start(folder: Path) -> None:
    account = usual_accounts()["postgres"]
    first = Postgres(folder / "pg", account=account)
    second = Postgres(folder / "pg", account=account)
    try:
        await first.start()
        orphan = first.running.pid
        await second.start()

        assert orphan is not None
        assert not is_alive(orphan)
        await (await second.connect(VAULT)).close()
    finally:
        await second.stop()
        await first.stop()


async def test_a_start_that_was_cut_off_leaves_nothing_half_made(folder: Path) -> None:
    (folder / "pg" / "making" / "base").mkdir(parents=True)
    (folder / "pg" / "making" / "PG_VERSION").write_text("18\n")

    async with Postgres(folder / "pg", account=usual_accounts()["postgres"]) as postgres:
        await (await postgres.connect(VAULT)).close()

    assert not (folder / "pg" / "making").exists()


async def test_folder_too_deep_for_a_socket_is_refused_with_words(folder: Path) -> None:
    with pytest.raises(ValueError, match="too deep"):
        Postgres(folder / "pg", account=usual_accounts()["postgres"], run_dir=folder / ("x" * 100))


async def test_secrets_and_data_are_closed_to_others(postgres: Postgres) -> None:
    for path in (postgres.folder / "data", postgres.folder / "secrets"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in ((postgres.folder / "secrets" / VAULT), postgres.log):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.root
async def test_a_stranger_uid_can_not_even_reach_the_socket(postgres: Postgres) -> None:
    accounts = usual_accounts()
    script = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        f"s.connect({str(postgres.run_dir / '.s.PGSQL.5432')!r})\n"
    )
    call = ["/usr/bin/env", "python3", "-c", script]

    run_to_end(call, account=accounts["vault"], env={}, cwd=Path("/"))  # the control
    for stranger in ("web", "work", "egress", "dmz", "sandbox", "valkey"):
        with pytest.raises(RuntimeError, match="PermissionError"):
            run_to_end(call, account=accounts[stranger], env={}, cwd=Path("/"))


async def test_stop_leaves_no_process(folder: Path) -> None:
    postgres = Postgres(folder / "pg", account=usual_accounts()["postgres"])
    await postgres.start()
    pid = postgres.running.pid
    assert pid is not None

    await postgres.stop()

    with pytest.raises(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    assert not postgres.run_dir.exists()


async def test_valkey_keeps_hints_over_a_kill_and_refuses_what_reads_or_empties_all(
    folder: Path,
) -> None:
    async with Valkey(folder / "vk", account=usual_accounts()["valkey"]) as valkey:
        client = Redis(unix_socket_path=str(valkey.socket))
        await client.set("hint", "1")
        for words in ("FLUSHALL", "CONFIG GET dir", "KEYS *", "MONITOR", "SHUTDOWN", "DEBUG JMAP"):
            with pytest.raises((NoPermissionError, ResponseError)):
                await client.execute_command(*words.split())
        await client.execute_command("WAITAOF", 1, 0, 3000)

        await valkey.running.kill()
        await valkey.running.start()

        assert await client.get("hint") == b"1"
        await client.aclose()
