import asyncio
import contextlib
import dataclasses
import signal
from pathlib import Path
from uuid import UUID

import pytest

from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.login import CREATE_API_KEY, LIST_API_KEYS, CreateApiKey, SignedIn
from portal.contract.operator import FOUND_MERCHANT, OPEN_MERCHANT, FoundMerchant, OpenMerchant
from portal.domain.errors import InvariantBroken, NotFound, TryLater, Unknown
from portal.kit.crypto import client_context
from portal.vault.act import Act
from portal.vault.audit import Verdict, read_public_key, verify
from portal.vault.server import VaultServer
from portal.vault.transaction import SHARES, Call, Transactions
from tests.make.acts import MERCHANT, OTHER_MERCHANT, a_call, a_capability, acting
from tests.make.vault import Ground, add_staff, found_merchant, signed_in
from tests.make.vault_process import vault_process

ROW, OTHER_ROW = UUID(int=1), UUID(int=2)


async def cases(vault: VaultServer, merchant: UUID = MERCHANT) -> list[str]:
    async with acting(vault, merchant) as act:
        return [row["kind"] for row in await act.db.fetch("select kind from case_ order by kind")]


def minato() -> FoundMerchant:
    return FoundMerchant(
        code="minato", name="みなと電力", zone="Asia/Tokyo", sms_sender="0005",
        sms_provider="sandbox_sms", card_provider="sandbox_card", phone="", website="",
    )  # fmt: skip


# --- one transaction ----------------------------------------------------------------------------
async def test_rows_of_another_merchant_are_not_there(vault: VaultServer) -> None:
    async with acting(vault) as act:
        await act.open_case("ours", ROW)
    async with acting(vault, OTHER_MERCHANT) as act:
        await act.open_case("theirs", ROW)
        await act.db.execute("update case_ set kind = 'stolen'")

    assert await cases(vault) == ["ours"]
    assert await cases(vault, OTHER_MERCHANT) == ["stolen"]


async def test_without_a_merchant_protected_tables_fail_instead_of_looking_empty(
    vault: VaultServer,
) -> None:
    for _ in range(2):  # also on a connection that had a merchant in a transaction before
        async with acting(vault) as act:
            await act.db.fetch("select 1 from case_")

        async def look() -> None:
            async with acting(vault, None, kind="caller") as act:
                await act.db.fetch("select 1 from case_")

        with pytest.raises(InvariantBroken, match="database_refused"):
            await look()


async def test_a_row_cannot_be_written_for_another_merchant(vault: VaultServer) -> None:
    async def write() -> None:
        async with acting(vault) as act:
            await act.db.execute(
                "insert into case_ (merchant_id, id, kind, subject_id, params, opened_at)"
                " values ($1, $2, 'x', $2, '{}', now())",
                OTHER_MERCHANT,
                ROW,
            )

    with pytest.raises(InvariantBroken, match="database_refused"):
        await write()


async def test_nothing_stays_set_on_a_connection_after_its_act(vault: VaultServer) -> None:
    async with acting(vault) as act:
        await act.db.fetchval("select 1")

    for _ in range(8):
        async with acting(vault, None, kind="caller") as act:
            left = await act.db.fetchval("select current_setting('harai.merchant', true)")
            assert left in {None, ""}


async def test_a_payer_s_plans_are_kept_and_a_list_s_are_made_for_what_it_asks(
    vault: VaultServer,
) -> None:
    modes: dict[str, str] = {}
    for kind in ("staff", "payer", "staff"):
        async with acting(vault, kind=kind) as act:
            modes[kind] = await act.db.fetchval("select current_setting('plan_cache_mode')")

    assert modes == {"payer": "force_generic_plan", "staff": "auto"}


def running(call: Call, run: object) -> Call:
    """The call with an operation's function."""
    return dataclasses.replace(call, entry=dataclasses.replace(call.entry, run=run))  # type: ignore[arg-type]


async def test_acts_that_deadlock_all_happen_in_the_end(vault: VaultServer) -> None:
    async with acting(vault) as act:
        await act.open_case("a", ROW)
        await act.open_case("b", OTHER_ROW)
    met = asyncio.Barrier(2)
    tries = 0

    def crossing(first: UUID, second: UUID) -> object:
        async def run(act: Act, _request: object) -> Nothing:
            nonlocal tries
            tries += 1
            touch = "update case_ set seen = seen + 1 where subject_id = $1"
            await act.db.execute(touch, first)
            if tries <= 2:
                await met.wait()
            await act.db.execute(touch, second)
            return Nothing()

        return run

    transactions: Transactions = vault.data.transactions
    call = a_call(a_capability())
    await asyncio.gather(
        transactions.run(running(call, crossing(ROW, OTHER_ROW))),
        transactions.run(running(call, crossing(OTHER_ROW, ROW))),
    )

    async with acting(vault) as act:
        seen = [row["seen"] for row in await act.db.fetch("select seen from case_")]
    assert seen == [3, 3]
    assert tries >= 3


async def test_heavy_acts_take_turns_and_whoever_waits_for_one_is_in_nobodys_way(
    ground: Ground,
) -> None:
    inside, most, begun, may_end = 0, 0, asyncio.Semaphore(0), asyncio.Event()

    async def heavy(_act: Act, _request: object) -> Nothing:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        begun.release()
        await may_end.wait()
        inside -= 1
        return Nothing()

    async def light(_act: Act, _request: object) -> Nothing:
        return Nothing()

    async with ground.vault(heavy_acts=2) as vault:
        run = vault.data.transactions.run
        call = a_call(a_capability(), caller="work")
        entry = dataclasses.replace(call.entry, is_heavy=True)
        waiting = [
            asyncio.create_task(run(running(dataclasses.replace(call, entry=entry), heavy)))
            for _ in range(2 * SHARES["work"])
        ]
        for _ in range(2):
            await begun.acquire()
        await run(running(call, light))
        assert (inside, sum(task.done() for task in waiting)) == (2, 0)
        may_end.set()
        await asyncio.gather(*waiting)

    assert most == 2


async def test_a_statement_that_takes_too_long_is_worth_another_try(vault: VaultServer) -> None:
    async def sleep() -> None:
        async with acting(vault) as act:
            await act.db.execute("set local statement_timeout = 100")
            await act.db.execute("select pg_sleep(5)")

    with pytest.raises(TryLater, match="vault_busy"):
        await sleep()


async def test_a_canceled_act_leaves_nothing_and_its_connection_is_good_again(
    vault: VaultServer,
) -> None:
    async def slow() -> None:
        async with acting(vault) as act:
            await act.open_case("x", ROW)
            await act.db.execute("select pg_sleep(20)")

    for _ in range(25):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, TryLater):
            await task

    assert await cases(vault) == []


async def test_a_session_that_postgres_ends_is_worth_another_try_and_the_pool_heals(
    vault: VaultServer, ground: Ground
) -> None:
    async def slow() -> None:
        async with acting(vault) as act:
            await act.open_case("x", ROW)
            await act.db.execute("select pg_sleep(20)")

    task = asyncio.create_task(slow())
    await ground.cluster.until_asleep(ground.database)
    await ground.cluster.end_sessions(ground.database)

    with pytest.raises(TryLater, match="database_away"):
        await task
    for _ in range(50):
        with contextlib.suppress(TryLater):
            assert await cases(vault) == []
            return
        await asyncio.sleep(0.1)
    pytest.fail("the pool did not heal")


# --- killed processes ---------------------------------------------------------------------------
async def reach(ground: Ground) -> VaultClient:
    context = client_context(*ground.authority.zone("operator"), ground.authority.ca)
    return await VaultClient.connect(str(ground.folder / "vault.sock"), context, wait_s=30)


@pytest.mark.parametrize(
    ("point", "happened"), [("vault.before_commit", False), ("vault.after_commit", True)]
)
async def test_a_vault_killed_around_its_commit_did_it_wholly_or_not_at_all(
    ground: Ground,
    point: str,
    happened: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": "found_merchant"}
    async with vault_process(ground, **crash) as process:
        operator = await reach(ground)
        with pytest.raises(Unknown, match="vault_lost"):
            await operator.call(FOUND_MERCHANT, minato())
        assert await process.wait() == 137
        await operator.close()

    async with ground.vault() as vault:
        operator = await ground.client("operator")
        if happened:
            opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="minato"))
            assert opened.merchant.name == "みなと電力"
        else:
            with pytest.raises(NotFound):
                await operator.call(OPEN_MERCHANT, OpenMerchant(code="minato"))
        await vault.data.upkeep.seal()
        heads = vault.settings.audit_heads_dir
        async with vault.data.transactions.side() as db:
            found = await verify(db, heads, read_public_key(heads))
        assert found == Verdict(int(happened), 0, ())


async def test_an_effect_whose_answer_was_lost_is_not_doubled_by_its_repeat(
    ground: Ground,
) -> None:
    request = CreateApiKey(name="ERP", scopes=("bills:read",), idempotency_key="k")
    async with ground.vault():
        operator, web = await ground.client("operator"), await ground.client("web")
        await found_merchant(operator)
        await add_staff(operator)
        session: SignedIn = await signed_in(operator, web)
        await ground.close()

    crash = {
        "HARAI_CRASH_POINT": "vault.after_commit",
        "HARAI_CRASH_OPERATION": "create_api_key",
    }
    async with vault_process(ground, **crash) as process:
        await (await reach(ground)).close()
        web = await ground.client("web")
        with pytest.raises(Unknown):
            await web.call(CREATE_API_KEY, request, session.authority)
        await process.wait()
        with pytest.raises(TryLater, match="vault_away"):
            await web.call(CREATE_API_KEY, request, session.authority)

        async with ground.vault():
            await asyncio.sleep(2.1)
            await web.call(CREATE_API_KEY, request, session.authority)
            listed = await web.call(LIST_API_KEYS, Nothing(), session.authority)
    assert len(listed.keys) == 1


async def test_the_process_ends_well_on_sigterm_and_shows_its_memory_to_nobody(
    ground: Ground,
) -> None:
    async with vault_process(ground) as process:
        operator = await reach(ground)
        await operator.call(FOUND_MERCHANT, minato())
        limits, memory_owner = await asyncio.to_thread(_of_process, process.pid)
        process.send_signal(signal.SIGTERM)

        assert await process.wait() == 0
        await operator.close()
    assert "Max core file size        0                    0" in limits
    assert memory_owner == 0


def _of_process(pid: int) -> tuple[str, int]:
    """A process' limits, and who owns its files under /proc (root when it is not dumpable)."""
    place = Path(f"/proc/{pid}")
    return (place / "limits").read_text(encoding="ascii"), (place / "mem").stat().st_uid


async def test_a_vault_that_may_not_start_says_why_and_ends(ground: Ground) -> None:
    (ground.folder / "root.key").chmod(0o644)

    async with vault_process(ground) as process:
        assert process.stderr is not None
        said = await process.stderr.read()
        assert await process.wait() == 1
    assert b"root_key_exposed" in said
