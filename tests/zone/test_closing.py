"""What an act writes with its commit: letter for letter, for the right merchant, or not at all."""

from uuid import UUID

import msgspec
import pytest

from portal.contract.envelope import Authority
from portal.domain.errors import Conflict, InvalidInput, InvariantBroken, LimitReached
from portal.vault.act import Act
from portal.vault.capability import Capability
from portal.vault.closing import Closing
from portal.vault.server import VaultServer
from tests.make.acts import MERCHANT, OTHER_MERCHANT, a_call, a_capability, acting

BILL = UUID(int=0xB111)
HOSTILE = (
    "'); drop table bill_event; --",
    "\\'); select 1; --",
    "\\x41', 'UTF8')",
    "$1 $$ $a$ %s {0} :name",
    'quotes " and `ticks` and ; semicolons',
    "山田 \u2028 🙂 \u00a0",
    "line\nbreak\ttab\rreturn",
    "",
)


async def codes_of(vault: VaultServer, merchant: UUID = MERCHANT) -> list[str]:
    async with acting(vault, merchant) as act:
        rows = await act.db.fetch("select code from bill_event order by id")
    return [row["code"] for row in rows]


@pytest.mark.parametrize("text", HOSTILE)
async def test_texts_are_stored_letter_for_letter(vault: VaultServer, text: str) -> None:
    async with acting(vault) as act:
        await act.emit(BILL, text, said=text)
        await act.once("kind", "key", b"arguments")
        await act.answer_once("kind", "key", text.encode() + b"\0\xff")

    async with acting(vault) as act:
        row = await act.db.fetchrow("select code, params from bill_event")
        answer = await act.once("kind", "key", b"arguments")
    assert row is not None
    assert (row["code"], msgspec.json.decode(row["params"])) == (text, {"said": text})
    assert answer == text.encode() + b"\0\xff"


async def test_a_text_that_no_database_keeps_undoes_the_act(vault: VaultServer) -> None:
    async def nul() -> None:
        async with acting(vault) as act:
            await act.emit(BILL, "before")
            await act.emit(BILL, "\0")

    with pytest.raises(InvalidInput, match="text_refused"):
        await nul()
    assert await codes_of(vault) == []


def test_a_value_of_another_kind_is_never_written() -> None:
    for value in (True, 1.5, ["x"], object()):
        with pytest.raises(InvariantBroken, match="value_unwritable"):
            Closing().add("answer", value)  # type: ignore[arg-type]


async def test_what_was_written_for_one_merchant_is_not_judged_as_anothers(
    vault: VaultServer,
) -> None:
    async with acting(vault, None, kind="caller") as act:
        for merchant in (MERCHANT, OTHER_MERCHANT, MERCHANT):
            await act.act_for(merchant)
            await act.emit(BILL, "told")

    assert await codes_of(vault) == ["told", "told"]
    assert await codes_of(vault, OTHER_MERCHANT) == ["told"]


async def test_a_part_that_is_undone_leaves_nothing_to_write(vault: VaultServer) -> None:
    async def part(act: Act) -> None:
        async with act.savepoint():
            await act.emit(BILL, "undone")
            await act.plan_task("payment.inquire", BILL)
            raise Conflict("stale_version")

    async with acting(vault) as act:
        await act.emit(BILL, "kept")
        with pytest.raises(Conflict):
            await part(act)
        async with act.savepoint():
            await act.emit(BILL, "kept too")

    assert await codes_of(vault) == ["kept", "kept too"]
    async with acting(vault) as act:
        assert await act.db.fetchval("select count(*) from task") == 0


async def test_a_refused_last_statement_undoes_the_whole_act_and_no_more(
    vault: VaultServer,
) -> None:
    async def twice() -> None:
        async with acting(vault) as act:
            await act.open_case("paid_twice", BILL)
            for _ in range(2):
                act.closing.add("event", MERCHANT, BILL, BILL, act.now, "x", "system", "{}")

    for _ in range(50):  # more often than there are connections
        with pytest.raises(InvariantBroken, match="database_refused"):
            await twice()

    assert await codes_of(vault) == []
    async with acting(vault) as act:
        assert await act.db.fetchval("select count(*) from case_") == 0
        assert await act.db.fetchval("select count(*) from audit where operation = 'test'") == 1
    async with vault.data.transactions.side() as db:
        await vault.audit.seal(db)
        left = await db.fetchval("select count(*) from audit where number > $1", 0)
    assert left == 2


# --- the first chunk of a payer's budget ----------------------------------------------------------
async def opened(vault: VaultServer, rows: int) -> tuple[Capability, Authority]:
    async with acting(vault) as act:
        authority = await act.mint(
            kind="payer", subject=BILL, scope_id=BILL, ops=("view_page",), life_s=60,
            budget_rows=rows,
        )  # fmt: skip
        [capability] = act.minted
    return capability, authority


async def looked(vault: VaultServer, capability: Capability, rows: int = 1) -> None:
    async with vault.data.transactions.begin(a_call(capability)) as act:
        act.reveal(rows)


async def spent(vault: VaultServer, capability: Capability) -> int | None:
    async with vault.data.transactions.side() as db:
        used: int | None = await db.fetchval(
            "select used from budget where holder = $1", f"cap:{capability.jti}"
        )
    return used


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 25, 210])
async def test_an_opened_page_is_looked_at_to_the_last_view_and_not_once_more(
    vault: VaultServer, rows: int
) -> None:
    capability, _ = await opened(vault, rows)

    for _ in range(rows):
        await looked(vault, capability)
    with pytest.raises(LimitReached, match="budget_spent"):
        await looked(vault, capability)

    assert await spent(vault, capability) == rows


async def test_what_was_leased_at_the_opening_is_durable_before_the_first_look(
    vault: VaultServer,
) -> None:
    capability, _ = await opened(vault, 300)
    assert await spent(vault, capability) == 15

    for _ in range(15):
        await looked(vault, capability)
    assert await spent(vault, capability) == 15
    await looked(vault, capability)
    assert await spent(vault, capability) == 30


async def test_an_opening_that_is_undone_leases_nothing(vault: VaultServer) -> None:
    minted: list[Capability] = []

    async def undone() -> None:
        async with acting(vault) as act:
            await act.mint(
                kind="payer", subject=BILL, ops=("view_page",), life_s=60, budget_rows=30
            )
            minted.extend(act.minted)
            raise Conflict("stale_version")

    with pytest.raises(Conflict):
        await undone()
    assert await spent(vault, minted[0]) is None

    await looked(vault, minted[0])
    assert await spent(vault, minted[0]) == 10


async def test_an_authority_for_staff_leases_only_when_it_is_used(vault: VaultServer) -> None:
    async with acting(vault) as act:
        await act.mint(kind="staff", subject=BILL, ops=("*",), life_s=60, budget_rows=30)
        [capability] = act.minted

    assert await spent(vault, capability) is None
    assert capability.kind == a_capability().kind
