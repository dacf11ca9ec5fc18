import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    InvariantBroken,
    LimitReached,
    NotAllowed,
    NotFound,
)
from portal.kit.limits import FILE_PART_BYTES_MAX
from portal.vault import approval, case, file
from portal.vault.act import Act
from portal.vault.keys import SETTLE_S
from portal.vault.server import VaultServer
from tests.make.acts import MERCHANT, OTHER_MERCHANT, a_call, a_capability, acting, with_keys

MIB = 2**20
FILE = UUID(int=0xF)
ROW = UUID(int=0x10)
ASKER, APPROVER = UUID(int=1), UUID(int=2)


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """What a test seals."""

    name: str


@pytest.fixture
async def founded(vault: VaultServer) -> VaultServer:
    await with_keys(vault, MERCHANT, OTHER_MERCHANT)
    return vault


# --- sealed fields ------------------------------------------------------------------------------
async def test_a_record_opens_where_it_was_sealed_and_nowhere_else(founded: VaultServer) -> None:
    async with acting(founded) as act:
        fields = await act.fields()
        blob = fields.seal("bill", "contact", ROW, 3, Contact("山田"))
        assert fields.open("bill", "contact", ROW, 3, blob, Contact) == Contact("山田")
        places = [
            ("other", "contact", ROW, 3),
            ("bill", "billing", ROW, 3),
            ("bill", "contact", FILE, 3),
            ("bill", "contact", ROW, 4),
        ]
        for table, klass, row, version in places:
            with pytest.raises(InvariantBroken, match="seal_broken"):
                fields.open(table, klass, row, version, blob, Contact)
    async with acting(founded, OTHER_MERCHANT) as act:
        others = await act.fields()
        with pytest.raises(InvariantBroken, match="seal_broken"):
            others.open("bill", "contact", ROW, 3, blob, Contact)


async def test_one_changed_bit_anywhere_in_a_record_is_found(founded: VaultServer) -> None:
    async with acting(founded) as act:
        fields = await act.fields()
    blob = fields.seal("bill", "contact", ROW, 1, Contact("x"))
    assert fields.open("bill", "contact", ROW, 1, blob, Contact) == Contact("x")

    for place in range(len(blob)):
        for bit in (1, 128):
            broken = bytearray(blob)
            broken[place] ^= bit
            with pytest.raises(InvariantBroken, match="seal_broken"):
                fields.open("bill", "contact", ROW, 1, bytes(broken), Contact)
    for length in (0, 5, 17, len(blob) - 1):
        with pytest.raises(InvariantBroken, match="seal_broken"):
            fields.open("bill", "contact", ROW, 1, blob[:length], Contact)


async def test_blind_indexes_find_equal_values_of_one_merchant_and_field_only(
    founded: VaultServer,
) -> None:
    async with acting(founded) as act:
        ours = await act.fields()
    async with acting(founded, OTHER_MERCHANT) as act:
        theirs = await act.fields()

    blind = ours.blind("phone", "+819012345678")
    assert len(blind) == 16
    assert blind == ours.blind("phone", "+819012345678")
    others = {
        ours.blind("phone", "+819012345679"),
        ours.blind("email", "+819012345678"),
        theirs.blind("phone", "+819012345678"),
    }
    assert blind not in others
    assert len(others) == 3


async def test_a_new_key_version_writes_after_all_know_it_and_old_records_stay_readable(
    founded: VaultServer,
) -> None:
    async with acting(founded) as act:
        old = (await act.fields()).seal("bill", "contact", ROW, 1, Contact("old"))
        await founded.keys.add_version(act.db, MERCHANT, "contact", act.now)
    founded.keys.forget(MERCHANT)
    async with acting(founded) as act:
        soon = (await act.fields()).seal("bill", "contact", ROW, 1, Contact("soon"))
        founded.keys.forget(MERCHANT)
        later = await founded.keys.fields(
            act.db, MERCHANT, act.now + timedelta(seconds=SETTLE_S + 1)
        )
    new = later.seal("bill", "contact", ROW, 1, Contact("new"))

    assert [blob[5] for blob in (old, soon, new)] == [1, 1, 2]
    assert later.open("bill", "contact", ROW, 1, old, Contact) == Contact("old")
    assert later.open("bill", "contact", ROW, 1, new, Contact) == Contact("new")


async def test_a_merchant_without_keys_is_our_fault(vault: VaultServer) -> None:
    with pytest.raises(InvariantBroken, match="keys_missing"):
        async with acting(vault) as act:
            await act.fields()


# --- files --------------------------------------------------------------------------------------
async def test_a_part_is_sealed_read_back_and_acknowledged_again(founded: VaultServer) -> None:
    body = b"090-1234-5678," * 70_000
    async with acting(founded) as act:
        assert await file.store_part(act, FILE, 0, body[:FILE_PART_BYTES_MAX])
        assert not await file.store_part(act, FILE, 0, body[:FILE_PART_BYTES_MAX])
    async with acting(founded) as act:
        assert await file.read_part(act, FILE, 0) == body[:FILE_PART_BYTES_MAX]
        stored = await act.db.fetchval("select sealed from file_part")
    assert b"090-1234" not in stored


async def test_other_bytes_under_a_stored_number_are_refused(founded: VaultServer) -> None:
    async with acting(founded) as act:
        await file.store_part(act, FILE, 0, b"one")
        with pytest.raises(Conflict, match="part_differs"):
            await file.store_part(act, FILE, 0, b"two")


@pytest.mark.parametrize(
    ("size", "fits"), [(0, False), (1, True), (2**20, True), (2**20 + 1, False)]
)
async def test_a_part_has_one_byte_to_one_mebibyte(
    founded: VaultServer,
    size: int,
    fits: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    async with acting(founded) as act:
        if fits:
            assert await file.store_part(act, FILE, 0, b"x" * size)
        else:
            with pytest.raises(InvalidInput, match="part_size"):
                await file.store_part(act, FILE, 0, b"x" * size)


async def test_a_part_of_another_file_or_number_can_stand_in_for_none(
    founded: VaultServer,
) -> None:
    async with acting(founded) as act:
        await file.store_part(act, FILE, 0, b"one")
        await file.store_part(act, FILE, 1, b"two")
        await act.db.execute(
            "insert into file_part select merchant_id, $1, part_no, size_bytes, fingerprint,"
            " sealed, stored_at from file_part where file_id = $2",
            ROW,
            FILE,
        )
        assert await file.read_part(act, FILE, 1) == b"two"
        with pytest.raises(InvariantBroken, match="seal_broken"):
            await file.read_part(act, ROW, 0)


async def test_a_dropped_file_is_gone_and_no_other(founded: VaultServer) -> None:
    async with acting(founded) as act:
        for part in range(3):
            await file.store_part(act, FILE, part, b"x")
        await file.store_part(act, ROW, 0, b"y")
        assert await file.drop_file(act, FILE) == 3
        with pytest.raises(NotFound):
            await file.read_part(act, FILE, 0)
        assert await file.read_part(act, ROW, 0) == b"y"


# --- single-use effects -------------------------------------------------------------------------
async def do_once(vault: VaultServer, key: str, arguments: bytes, effect: list[str]) -> bytes:
    async with acting(vault) as act:
        known = await act.once("pay", key, arguments)
        if known is not None:
            return known
        effect.append(key)
        await asyncio.sleep(0)
        await act.answer_once("pay", key, b"answer to " + arguments)
        return b"answer to " + arguments


async def test_a_key_used_at_once_by_many_has_one_effect_and_one_answer(
    vault: VaultServer,
) -> None:
    effects: list[str] = []

    answers = await asyncio.gather(*(do_once(vault, "k", b"100", effects) for _ in range(20)))

    assert effects == ["k"]
    assert set(answers) == {b"answer to 100"}


async def test_a_key_with_other_arguments_is_refused_and_an_incident(vault: VaultServer) -> None:
    await do_once(vault, "k", b"100", [])

    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await do_once(vault, "k", b"101", [])

    async with vault.data.transactions.side() as db:
        outcomes = [row["outcome"] for row in await db.fetch("select outcome from audit")]
    assert "incident:idempotency_mismatch" in outcomes
    assert await do_once(vault, "k", b"100", []) == b"answer to 100"


async def test_a_key_whose_act_failed_was_not_used(vault: VaultServer) -> None:
    async def failing() -> None:
        async with acting(vault) as act:
            assert await act.once("pay", "k", b"100") is None
            raise Conflict("stale_version")

    with pytest.raises(Conflict):
        await failing()

    assert await do_once(vault, "k", b"200", []) == b"answer to 200"


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (200, True), (201, False)])
async def test_a_key_has_one_to_two_hundred_characters(
    vault: VaultServer,
    length: int,
    fits: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    if fits:
        assert await do_once(vault, "k" * length, b"1", [])
        return
    with pytest.raises(InvalidInput, match="idempotency_key_invalid"):
        await do_once(vault, "k" * length, b"1", [])


# --- approvals ----------------------------------------------------------------------------------
async def ask(vault: VaultServer, content: bytes = b"export all", life_s: int = 60) -> UUID:
    async with acting(vault, subject=ASKER) as act:
        return await approval.ask(act, "export", content, life_s)


async def approve(vault: VaultServer, wanted: UUID, content: bytes, who: UUID = APPROVER) -> None:
    async with acting(vault, subject=who) as act:
        await approval.approve(act, wanted, content)


async def use(vault: VaultServer, wanted: UUID, content: bytes = b"export all") -> None:
    async with acting(vault, subject=ASKER) as act:
        await approval.use(act, wanted, "export", content)


async def test_what_a_second_person_approved_is_used_once(vault: VaultServer) -> None:
    wanted = await ask(vault)
    with pytest.raises(NotAllowed, match="approval_missing"):
        await use(vault, wanted)

    await approve(vault, wanted, b"export all")
    with pytest.raises(NotAllowed, match="approval_missing"):
        await use(vault, wanted, b"export more")
    await use(vault, wanted)

    with pytest.raises(NotAllowed, match="approval_missing"):
        await use(vault, wanted)


async def test_an_approval_is_refused_to_its_asker_to_other_content_and_twice(
    vault: VaultServer,
) -> None:
    wanted = await ask(vault)
    with pytest.raises(NotAllowed, match="approver_is_asker"):
        await approve(vault, wanted, b"export all", ASKER)
    with pytest.raises(Conflict, match="approval_differs"):
        await approve(vault, wanted, b"export more")
    with pytest.raises(NotFound):
        await approve(vault, ROW, b"export all")
    await approve(vault, wanted, b"export all")
    with pytest.raises(Conflict, match="approval_decided"):
        await approve(vault, wanted, b"export all")


async def test_an_approval_ends(vault: VaultServer) -> None:
    wanted = await ask(vault, life_s=0)

    with pytest.raises(Expired, match="approval_expired"):
        await approve(vault, wanted, b"export all")


# --- cases --------------------------------------------------------------------------------------
async def test_a_fault_that_repeats_is_one_open_case(vault: VaultServer) -> None:
    async with acting(vault) as act:
        first = await act.open_case("paid_twice", ROW, amount=100)
        assert await act.open_case("paid_twice", ROW, amount=100) == first
        other = await act.open_case("paid_twice", FILE)
        assert await case.count_open(act.db, act.merchant_id) == 2
        await act.close_case(first, "refunded")
        again = await act.open_case("paid_twice", ROW)
        row = await act.db.fetchrow("select seen, resolution from case_ where id = $1", first)

    assert row is not None
    assert (row["seen"], row["resolution"]) == (2, "refunded")
    assert len({first, other, again}) == 3


async def test_a_case_is_closed_by_its_own_merchant_only(vault: VaultServer) -> None:
    async with acting(vault) as act:
        opened = await act.open_case("paid_twice", ROW)
    with pytest.raises(NotFound):
        async with acting(vault, OTHER_MERCHANT) as act:
            await act.close_case(opened, "refunded")
    async with acting(vault) as act:
        assert await case.count_open(act.db, act.merchant_id) == 1


# --- budgets ------------------------------------------------------------------------------------
async def revealing(vault: VaultServer, rows: int, budget: tuple[int, int]) -> None:
    from portal.vault.capability import Budget  # noqa: PLC0415

    call = a_call(a_capability(budget=Budget(*budget), jti=ROW))
    async with vault.data.transactions.begin(call) as act:
        act.reveal(rows)


async def test_a_budget_is_spent_to_the_last_row_and_not_one_past_it(vault: VaultServer) -> None:
    for _ in range(30):
        await revealing(vault, 1, (30, 0))

    with pytest.raises(LimitReached, match="budget_spent"):
        await revealing(vault, 1, (30, 0))


async def test_many_at_once_spend_no_more_than_there_is(vault: VaultServer) -> None:
    got = await asyncio.gather(
        *(revealing(vault, 3, (100, 0)) for _ in range(60)), return_exceptions=True
    )

    assert {type(one) for one in got} == {type(None), LimitReached}
    spent = 3 * sum(one is None for one in got)
    assert 70 <= spent <= 100


async def test_a_restart_gives_no_budget_back(ground: object, vault: VaultServer) -> None:
    await revealing(vault, 25, (30, 0))
    await vault.stop()

    async with ground.vault() as again:  # type: ignore[attr-defined]
        await revealing(again, 5, (30, 0))
        with pytest.raises(LimitReached, match="budget_spent"):
            await revealing(again, 1, (30, 0))


async def test_an_act_over_budget_changes_nothing(vault: VaultServer) -> None:
    from portal.vault.capability import Budget  # noqa: PLC0415

    async def greedy() -> None:
        call = a_call(a_capability(budget=Budget(10), jti=FILE))
        async with vault.data.transactions.begin(call) as act:
            await act.open_case("paid_twice", ROW)
            act.reveal(11)

    with pytest.raises(LimitReached, match="budget_spent"):
        await greedy()

    async with acting(vault) as act:
        assert await act.db.fetchval("select count(*) from case_") == 0


async def test_an_operations_own_bound_on_rows_holds(vault: VaultServer) -> None:
    async with acting(vault) as act:
        act.reveal(10**6)
        with pytest.raises(LimitReached, match="rows_at_most"):
            act.reveal(1)
        act.rows_revealed = 0


# --- acts ---------------------------------------------------------------------------------------
async def test_an_act_of_one_merchant_enters_no_other(vault: VaultServer) -> None:
    async with acting(vault) as act:
        with pytest.raises(InvariantBroken, match="merchant_foreign"):
            await act.act_for(OTHER_MERCHANT)


async def test_a_part_of_an_act_is_undone_alone(vault: VaultServer) -> None:
    async def part(act: Act) -> None:
        async with act.savepoint():
            await act.open_case("b", ROW)
            raise Conflict("stale_version")

    async with acting(vault) as act:
        await act.open_case("a", ROW)
        with pytest.raises(Conflict):
            await part(act)
    async with acting(vault) as act:
        kinds = [row["kind"] for row in await act.db.fetch("select kind from case_")]
    assert kinds == ["a"]
