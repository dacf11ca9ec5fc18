"""Who carries the disk away, and who writes to the database behind the vault's back.

The database of the running stack is stopped for a moment, as a power cut between two writes, and
its folder copied; everything here is done to copies, by the superuser that the stack never lets in.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from portal.stack.bench.report import fresh_folder
from portal.stack.postgres import (
    BOOTSTRAP,
    DATABASE,
    MIGRATE,
    VAULT,
    Postgres,
    _give,
    _passwd_account,
)
from portal.vault.audit import read_public_key, verify
from tests.make.intruder import BILLS, CANARIES, UID_BASE, Town
from tests.make.memory import held_by
from tests.make.onlooker import look_on

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

PASSWORD = "of-the-thief-0"


@dataclass(frozen=True, slots=True)
class Loot:
    """A state folder as it lay on the disk, and what is known to be in it."""

    town: Town
    state: Path
    bill_id: str
    amount: int

    @property
    def data(self) -> Path:
        return self.state / "postgres" / "data"

    @property
    def heads(self) -> Path:
        return self.state / "heads"

    def copy(self, to: Path) -> "Loot":
        """One that may be spoiled."""
        carry_away(self.state, to)
        return Loot(self.town, to, self.bill_id, self.amount)

    def server(self) -> Postgres:
        """The thief's own server over the folder, where the superuser has a password of his."""
        account = self.town.stack.layout.accounts["postgres"]
        postgres = Postgres(self.state / "postgres", account=account, bootstrap_login=True)
        secret = postgres.folder / "secrets" / BOOTSTRAP
        if not secret.exists():
            maker = _passwd_account()
            _give(self.data, maker)
            sql = f"ALTER ROLE {BOOTSTRAP} PASSWORD '{PASSWORD}';\n\n"
            postgres._single(self.data, "postgres", sql, {MIGRATE: "", VAULT: ""}, maker)
            _give(self.data, account)
            secret.write_text(PASSWORD)
        return postgres


def carry_away(state: Path, to: Path) -> None:
    """Everything but what says which processes run and where."""
    subprocess.run(["/bin/cp", "-a", str(state), str(to)], check=True, timeout=60)  # noqa: S603 - our own folders
    for name in ("processes.json", "lock", "run"):
        (to / name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def loot(town: Town) -> Iterator[Loot]:
    bill = look_on(town).bills[0]
    with fresh_folder() as to:
        with town.stopped("postgres"):
            carry_away(town.stack.layout.state, to)
        yield Loot(town, to, str(bill.id), bill.amount_minor)


@pytest.fixture
def spoiled(loot: Loot) -> Iterator[Loot]:
    with fresh_folder() as to:
        yield loot.copy(to)


# --- what the disk says --------------------------------------------------------------------------


def test_no_file_of_the_database_names_anybody(loot: Loot) -> None:
    """Tables, indexes, TOAST, write-ahead log, temporary files, the log."""
    files = [path for path in (loot.state / "postgres").rglob("*") if path.is_file()]
    assert len(files) > 500

    held = {str(path): found for path in files if (found := held_by(path.read_bytes(), CANARIES))}
    assert held == {}

    seen = b"".join(path.read_bytes() for path in (loot.data / "base").rglob("*") if path.is_file())
    known = {"number": f"aozora-{BILLS - 1:04d}", "merchant": "あおぞら電力"}
    assert held_by(seen, known) == {"number", "merchant"}, "the control: what is clear is found"
    assert bytes.fromhex(loot.bill_id.replace("-", "")) in seen


def test_a_dump_by_the_superuser_names_nobody(spoiled: Loot) -> None:
    """Compression can hide a text in a file; in a dump it can't."""
    secrets = [link.rpartition("/")[2] for link in spoiled.town.links()]
    assert len(secrets) == BILLS

    async def dump() -> bytes:
        async with spoiled.server() as postgres:
            command = [
                str(postgres._bin("pg_dump")), "-h", str(postgres.run_dir), "-U", BOOTSTRAP,
                "--inserts", DATABASE,
            ]  # fmt: skip
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, env={"PGPASSWORD": PASSWORD}
            )
            printed, _ = await process.communicate()
            assert process.returncode == 0
            return printed

    text = asyncio.run(dump())

    assert held_by(text, CANARIES) == set()
    assert not [secret for secret in secrets if secret.encode() in text]
    for value in (*CANARIES.values(), *secrets[:3]):
        assert value.encode().hex().encode() not in text, "nor as the hex of a bytea"

    assert spoiled.bill_id.encode() in text, "the control: ids and amounts are there"
    assert str(spoiled.amount).encode() in text
    assert text.count(b"INSERT INTO public.bill ") >= BILLS


# --- what is changed behind the vault's back -----------------------------------------------------

EDITS = {
    "a row is edited": "update audit set operation = 'view_viewer' where number = $1",
    "its rows are counted down": "update audit set rows = rows + 1 where number = $1",
    "its time is moved": "update audit set at = at - interval '1 second' where number = $1",
    "somebody else did it": "update audit set subject = gen_random_uuid() where number = $1",
    "a row is deleted": "delete from audit where number = $1",
    "all after it are deleted": "delete from audit where number >= $1",
    "all are deleted": "delete from audit where number >= $1 or true",
    "two change places": (
        "update audit a set operation = b.operation, subject = b.subject, jti = b.jti,"
        " digest = b.digest from audit b where a.number in ($1::bigint, $1::bigint + 1)"
        " and b.number = 2 * $1::bigint + 1 - a.number"
    ),
}


_PAIR = (
    "select a.number from audit a join audit b on b.number = a.number + 1"
    " where a.digest <> b.digest order by a.number offset 10 limit 1"
)


@pytest.fixture(scope="module")
def books(loot: Loot) -> Iterator[Loot]:
    """One copy for all edits, each of which is rolled back."""
    with fresh_folder() as to:
        yield loot.copy(to)


def test_the_superuser_s_edits_of_the_audit_are_found(books: Loot) -> None:
    """With every trigger off, as only a superuser can."""

    async def attack() -> None:
        key = read_public_key(books.heads)
        async with books.server() as postgres:
            link = cast("Any", await postgres.connect(BOOTSTRAP))
            await link.execute("set session_replication_role = replica")
            whole = await verify(link, books.heads, key)
            assert whole.faults == (), "the control: untouched, all of it is as it was sealed"
            assert whole.rows > 40
            middle = await link.fetchval(_PAIR)
            for name, sql in EDITS.items():
                edit = link.transaction()
                await edit.start()
                assert not (await link.execute(sql, middle)).endswith(" 0"), name
                assert (await verify(link, books.heads, key)).faults, name
                await edit.rollback()
            assert (await verify(link, books.heads, key)).faults == ()
            await link.close()

    asyncio.run(attack())


def test_the_command_says_so_on_a_stopped_stack(spoiled: Loot) -> None:
    assert verdict(spoiled) == (0, True, 0), "the control: before"

    async def cut_off() -> None:
        async with spoiled.server() as postgres:
            link = cast("Any", await postgres.connect(BOOTSTRAP))
            await link.execute("set session_replication_role = replica")
            newest = await link.fetchval("select max(number) from audit")
            await link.execute("delete from audit where number > $1", newest - 20)
            await link.close()

    asyncio.run(cut_off())
    code, ok, faults = verdict(spoiled)
    assert (code, ok) == (1, False)
    assert faults >= 1


def test_forged_heads_are_found(spoiled: Loot) -> None:
    """Rows and heads that agree, but that nobody with the vault's key has signed."""
    [place, *_] = sorted(spoiled.heads.glob("*.heads"))
    lines = [line for line in place.read_bytes().split(b"\n") if line.strip()]
    assert len(lines) > 3
    forged = json.loads(lines[-1])
    forged["hash"] = "0" * 64
    place.write_bytes(b"\n".join([*lines[:-1], json.dumps(forged).encode()]))

    code, ok, faults = verdict(spoiled)

    assert (code, ok) == (1, False)
    assert faults == 1
    place.write_bytes(b"\n".join(lines))
    assert verdict(spoiled) == (0, True, 0), "the control: put back, all is well"


def verdict(loot: Loot) -> tuple[int, bool, int]:
    """What ``portal audit verify`` says: exit code, ok, number of faults."""
    shutil.rmtree(loot.state / "run", ignore_errors=True)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "portal.cli", "audit", "verify", "--state", str(loot.state),
         "--json"],
        capture_output=True, text=True, timeout=90, check=False,
        env={**os.environ, "HARAI_UID_BASE": str(UID_BASE)},
    )  # fmt: skip
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    return done.returncode, said["ok"], len(said["faults"])


async def _refused(act: Callable[[], Awaitable[object]]) -> str:
    try:
        await act()
    except asyncpg.PostgresError as error:
        return type(error).__name__
    return "done"


def test_books_that_do_not_balance_are_refused_by_the_database_itself(books: Loot) -> None:
    """By the vault's own role: an owner of the vault's log-in can't bend or forget the ledger."""

    async def attack() -> None:
        async with books.server() as postgres:
            link = cast("Any", await postgres.connect(VAULT))
            merchant = await link.fetchval(
                "select merchant_id from merchant_code where code = 'aozora'"
            )
            await link.execute("select set_config('harai.merchant', $1, false)", str(merchant))
            entries = await link.fetchval("select count(*) from ledger_entry")
            assert entries >= 2 * BILLS, "the control: it reads what it may"
            for sql in (
                "delete from ledger_entry",
                "update ledger_entry set amount_minor = amount_minor + 1",
                "delete from audit",
                "update audit set operation = 'x'",
                "truncate ledger_entry",
                "alter table ledger_entry disable trigger all",
            ):
                assert await _refused(lambda sql=sql: link.execute(sql)) == (
                    "InsufficientPrivilegeError"
                ), sql
            assert await link.fetchval("select count(*) from ledger_entry") == entries
            await link.close()

    asyncio.run(attack())
