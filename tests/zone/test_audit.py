import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT
from portal.domain.errors import Conflict, InvariantBroken
from portal.stack.postgres import BOOTSTRAP, VAULT
from portal.vault import audit
from portal.vault.audit import (
    Audit,
    Entry,
    Head,
    Verdict,
    read_heads,
    read_public_key,
    verify,
)
from portal.vault.db import Db, Row
from portal.vault.keys import Keys, create_root_key_file, read_root_key_file
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.vault import ClientFor, Ground

ENTRY = Entry(
    at=datetime(2026, 11, 28, tzinfo=UTC), merchant_id=None, caller="web", kind="staff",
    subject=UUID(int=1), jti=UUID(int=2), operation="test", outcome="ok", rows=1, digest=b"",
)  # fmt: skip
SLIPPED_IN = """
alter table audit drop constraint audit_number_check;
insert into audit select instance, 0, at, merchant_id, caller, kind, subject, jti, operation,
    outcome, rows, digest from audit where number = 3
"""
SWAPPED = """
update audit set number = 100 - number where number in (3, 4);
update audit set number = number - 93 where number = 97;
update audit set number = 3 where number = 96;
"""


async def rows(vault: VaultServer, count: int) -> None:
    for _ in range(count):
        async with acting(vault) as act:
            act.outcome = "ok"


async def sealed(vault: VaultServer) -> None:
    await vault.data.upkeep.seal()


async def verdict(vault: VaultServer) -> Verdict:
    heads = vault.settings.audit_heads_dir
    async with vault.data.transactions.side() as db:
        return await verify(db, heads, read_public_key(heads))


async def as_superuser(ground: Ground, statement: str) -> None:
    """What someone who owns the database can do and the vault's own role can't."""
    link = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    try:
        await link.execute(statement)
    finally:
        await link.close()


async def test_what_was_committed_is_chained_and_signed_unasked(
    vault: VaultServer,
) -> None:
    await rows(vault, 5)

    async with asyncio.timeout(20):
        while (found := await verdict(vault)).unsealed:  # noqa: ASYNC110 - the sealer tells nobody
            await asyncio.sleep(0.05)
    (head, *_) = reversed(read_heads(vault.settings.audit_heads_dir))
    assert (found.rows, found.unsealed, found.faults) == (5, 0, ())
    assert (head.number, head.rows) == (5, 5)


async def test_an_act_that_failed_leaves_no_row_and_no_gap_that_matters(
    vault: VaultServer,
) -> None:
    async def failing() -> None:
        async with acting(vault):
            raise Conflict("stale_version")

    await rows(vault, 1)
    with pytest.raises(Conflict):
        await failing()
    await rows(vault, 1)
    await sealed(vault)

    assert await verdict(vault) == Verdict(2, 0, ())


@pytest.mark.parametrize(
    ("tampering", "word"),
    [
        ("select 1", None),
        ("update audit set rows = rows + 1 where number = 3", "differ"),
        ("update audit set at = at + interval '1 microsecond' where number = 3", "differ"),
        ("update audit set merchant_id = null where number = 3", "differ"),
        ("delete from audit where number = 3", "differ"),
        ("delete from audit where number > 7", "gone"),
        ("delete from audit", "gone"),
        (SLIPPED_IN, "differ"),
        (SWAPPED, "differ"),
    ],
)
async def test_whoever_changes_sealed_rows_is_found(
    ground: Ground, vault: VaultServer, tampering: str, word: str | None
) -> None:
    for _ in range(2):
        await rows(vault, 5)
        await sealed(vault)

    await as_superuser(ground, tampering)

    faults = (await verdict(vault)).faults
    assert (faults == ()) if word is None else any(word in fault for fault in faults)


async def test_a_head_signed_by_anyone_else_is_found(vault: VaultServer, tmp_path: Path) -> None:
    await rows(vault, 3)
    await sealed(vault)
    (place,) = vault.settings.audit_heads_dir.glob("*.heads")
    create_root_key_file(tmp_path / "other.key")
    other = Keys(read_root_key_file(tmp_path / "other.key"))
    *_, true = read_heads(vault.settings.audit_heads_dir)  # it may have sealed unasked before
    forged = msgspec.structs.replace(true, rows=2, number=2)
    import base64  # noqa: PLC0415

    signature = base64.b64encode(other.audit.sign(forged.signed())).decode()
    forged = msgspec.structs.replace(forged, signature=signature)
    with place.open("ab") as file:
        file.write(b"\n" + msgspec.json.encode(forged))

    assert any("not signed" in fault for fault in (await verdict(vault)).faults)


async def test_a_line_that_a_crash_cut_off_hides_no_later_head(vault: VaultServer) -> None:
    await rows(vault, 1)
    await sealed(vault)
    (place,) = vault.settings.audit_heads_dir.glob("*.heads")
    with place.open("ab") as file:
        file.write(b'\n{"instance":"vault-test","num')
    await rows(vault, 1)
    await sealed(vault)

    heads: list[Head] = read_heads(vault.settings.audit_heads_dir)
    assert [head.rows for head in heads] == [1, 2]
    assert (await verdict(vault)).faults == ()


async def test_the_chain_goes_on_after_a_restart(ground: Ground) -> None:
    async with ground.vault() as first:
        await rows(first, 3)
    async with ground.vault() as second:
        await rows(second, 2)
        await sealed(second)

        assert await verdict(second) == Verdict(5, 0, ())
        # A seal that comes of itself between two rows adds a head of its own.
        heads = [head.rows for head in read_heads(second.settings.audit_heads_dir)]
        assert heads == sorted(set(heads))
        assert heads[-1] == 5


@dataclass
class Broken:
    """A link that breaks after the first batch of rows."""

    db: Db
    batches: int = 1

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        if not self.batches:
            raise ConnectionResetError
        self.batches -= 1
        return await self.db.fetch(query, *args)


async def test_a_seal_that_is_broken_off_counts_what_it_chained(
    vault: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = vault.settings.audit_heads_dir
    other = Audit("another", heads, vault.keys.audit, vault.clock)
    monkeypatch.setattr(audit, "BATCH", 2)

    async with vault.data.transactions.side() as db:
        for _ in range(5):
            number = other.next_number()
            await other.insert(db, number, ENTRY)
            other.settle(number)
        with pytest.raises(ConnectionResetError):
            await other.seal(Broken(db))  # type: ignore[arg-type]  # all that sealing needs of it
        assert await other.seal(db) == 5

    assert [head.rows for head in read_heads(heads)][-1] == 5
    assert (await verdict(vault)).faults == ()


async def test_a_database_that_lost_sealed_rows_is_not_served(ground: Ground) -> None:
    async with ground.vault() as first:
        await rows(first, 3)
    await as_superuser(ground, "delete from audit where number = 3")

    with pytest.raises(InvariantBroken, match="audit_behind_head"):
        async with ground.vault():
            pytest.fail("started")


async def test_two_processes_never_run_as_one_instance(
    ground: Ground, vault: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.vault import link  # noqa: PLC0415

    monkeypatch.setattr(link, "TAKE_OVER_S", 0.5)

    with pytest.raises(InvariantBroken, match="instance_taken"):
        async with ground.vault(socket=ground.folder / "two.sock"):
            pytest.fail("started")
    await rows(vault, 1)


async def test_two_instances_have_chains_of_their_own(ground: Ground, vault: VaultServer) -> None:
    async with ground.vault(instance="two", socket=ground.folder / "two.sock") as two:
        await asyncio.gather(rows(vault, 20), rows(two, 20))
        await sealed(vault)
        await sealed(two)

        assert await verdict(vault) == Verdict(40, 0, ())


async def test_rows_of_many_acts_at_once_are_all_chained(vault: VaultServer) -> None:
    async def keep_sealing() -> None:
        while True:
            await sealed(vault)
            await asyncio.sleep(0.005)

    sealing = asyncio.create_task(keep_sealing())
    await asyncio.gather(*(rows(vault, 10) for _ in range(20)))
    sealing.cancel()
    await asyncio.gather(sealing, return_exceptions=True)
    await sealed(vault)

    assert await verdict(vault) == Verdict(200, 0, ())


async def test_the_vaults_own_role_can_change_no_row(vault: VaultServer, ground: Ground) -> None:
    await rows(vault, 1)
    link = await ground.cluster.postgres.connect(VAULT, ground.database)
    for statement in (
        "update audit set rows = 9",
        "delete from audit",
        "truncate audit",
        "alter table audit disable trigger all",
        "drop table audit",
    ):
        with pytest.raises(Exception, match=r"denied|owner"):
            await link.execute(statement)
    await link.close()


async def test_the_operator_hears_the_verdict(
    ground: Ground, vault: VaultServer, client_for: ClientFor
) -> None:
    operator = await client_for("operator")
    await rows(vault, 3)
    await sealed(vault)
    good = await operator.call(INSPECT, Nothing())

    await as_superuser(ground, "delete from audit where number = 1")
    bad = await operator.call(INSPECT, Nothing())

    assert (good.audit_ok, good.audit_rows) == (True, 3)
    assert not bad.audit_ok
    assert bad.audit_rows in {1, 2}  # up to the first head that differs, wherever one was sealed


async def test_incidents_stay_when_their_act_is_rolled_back(vault: VaultServer) -> None:
    async def attacked() -> None:
        async with acting(vault) as act:
            act.note_incident("canary_touched", UUID(int=4))
            raise Conflict("stale_version")

    with pytest.raises(Conflict):
        await attacked()

    async with vault.data.transactions.side() as db:
        row = await db.fetchrow("select outcome, subject from audit")
    assert row is not None
    assert (row["outcome"], row["subject"]) == ("incident:canary_touched", UUID(int=4))
