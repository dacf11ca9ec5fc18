import asyncio
import contextlib
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from portal.contract.operator import COMPARE_JOURNAL, CompareJournal, JournalLine
from portal.domain.errors import InvalidInput, InvariantBroken, NotFound
from portal.domain.ledger import attempt_succeeded, bill_canceled, bill_issued
from portal.vault.act import Act
from portal.vault.ledger import post, sums_of
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.vault import ClientFor


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


BALANCED = (("receivable", 5), ("billed", -5))


@contextlib.asynccontextmanager
async def refused(world: World, why: str) -> AsyncGenerator[Act]:
    with pytest.raises(InvariantBroken) as broken:
        async with world.act() as act:
            yield act
    assert why in broken.value.context


async def header(act: Act, transaction_id: UUID, *, entries: int = 2, debit: int = 5) -> None:
    await act.db.execute(
        "insert into ledger_transaction (merchant_id, id, cause, cause_id, at, debit_minor,"
        " entries) values ($1, $2, 'test', $2, now(), $3, $4)",
        act.merchant_id, transaction_id, debit, entries,
    )  # fmt: skip


async def lines(
    act: Act, transaction_id: UUID, entries: tuple[tuple[str, int], ...], first: int = 0
) -> None:
    await act.db.execute(
        "insert into ledger_entry (merchant_id, transaction_id, line, account, amount_minor,"
        " bill_id) select $1, $2, $5 + n - 1, account, amount, $2 from unnest($3::text[],"
        " $4::bigint[]) with ordinality as t (account, amount, n)",
        act.merchant_id, transaction_id, [a for a, _ in entries], [m for _, m in entries], first,
    )  # fmt: skip


async def test_what_balances_is_taken(world: World) -> None:
    async with world.act() as act:
        transaction_id = act.new_id()
        await header(act, transaction_id)
        await lines(act, transaction_id, BALANCED)

    assert await world.value("select count(*) from ledger_entry") == 2


@pytest.mark.parametrize(
    "entries",
    [
        (("receivable", 5), ("billed", -4)),
        (("receivable", 5),),
        (("receivable", 6), ("billed", -6)),
        (("receivable", 5), ("billed", -3), ("billed", -2)),
    ],
    ids=["sum", "one line", "other amount", "too many lines"],
)
async def test_the_database_refuses_what_does_not_balance(
    world: World, entries: tuple[tuple[str, int], ...]
) -> None:
    async with refused(world, "ledger_balance") as act:
        transaction_id = act.new_id()
        await header(act, transaction_id)
        await lines(act, transaction_id, entries)

    assert await world.value("select count(*) from ledger_transaction") == 0


async def test_one_bad_transaction_among_many_spoils_the_statement(world: World) -> None:
    async with refused(world, "ledger_balance") as act:
        good, bad = act.new_id(), act.new_id()
        await header(act, good)
        await header(act, bad)
        await act.db.execute(
            "insert into ledger_entry (merchant_id, transaction_id, line, account, amount_minor,"
            " bill_id) values ($1, $2, 0, 'receivable', 5, $2), ($1, $2, 1, 'billed', -5, $2),"
            " ($1, $3, 0, 'receivable', 5, $3), ($1, $3, 1, 'billed', -4, $3)",
            act.merchant_id, good, bad,
        )  # fmt: skip


async def test_entries_without_a_transaction_are_refused(world: World) -> None:
    async with refused(world, "ledger_balance") as act:
        await lines(act, act.new_id(), BALANCED)


async def test_no_line_is_added_to_what_is_booked(world: World) -> None:
    async with world.act() as act:
        transaction_id = act.new_id()
        await header(act, transaction_id)
        await lines(act, transaction_id, BALANCED)

    async with refused(world, "ledger_balance") as act:
        await lines(act, transaction_id, BALANCED, first=2)


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction"])
@pytest.mark.parametrize(
    "statement", ["update {} set merchant_id = merchant_id", "delete from {}", "truncate {}"]
)
async def test_the_vaults_role_may_not_change_the_books(
    world: World, table: str, statement: str
) -> None:
    await world.bill()

    async with refused(world, "42501") as act:
        await act.db.execute(statement.format(table))


async def test_posting_twice_books_once(world: World) -> None:
    bill_id = UUID(int=5)
    async with world.act() as act:
        first = await post(act, [bill_issued(bill_id, AMOUNT)])
    async with world.act() as act:
        again = await post(act, [bill_issued(bill_id, AMOUNT), bill_issued(UUID(int=6), 1)])

    assert (first, again) == (1, 1)
    assert await world.books(bill_id) == {"receivable": AMOUNT, "billed": -AMOUNT}


async def test_posting_one_cause_twice_in_one_call_books_once(world: World) -> None:
    transaction = bill_issued(UUID(int=5), AMOUNT)

    async with world.act() as act:
        assert await post(act, [transaction, transaction]) == 1


async def test_a_cause_is_never_booked_with_another_amount(world: World) -> None:
    async with world.act() as act:
        await post(act, [bill_issued(UUID(int=5), AMOUNT)])

    with pytest.raises(InvariantBroken, match="ledger_cause_reused"):
        async with world.act() as act:
            await post(act, [bill_issued(UUID(int=5), AMOUNT + 1)])


async def test_posting_nothing_is_nothing(world: World) -> None:
    async with world.act() as act:
        assert await post(act, []) == 0


async def test_the_same_cause_from_many_sides_at_once_is_booked_once(world: World) -> None:
    async def book() -> int:
        async with world.act() as act:
            return await post(act, [bill_issued(UUID(int=n), AMOUNT) for n in range(1, 20)])

    # Opposite orders may deadlock; whoever loses repeats, as the vault does.
    booked = await asyncio.gather(*(book() for _ in range(2)))

    assert sum(booked) == 19
    assert await world.value("select count(*) from ledger_entry") == 38


async def test_five_thousand_transactions_go_in_by_two_statements(world: World) -> None:
    async with world.act() as act:
        booked = await post(act, [bill_issued(UUID(int=n + 1), n + 1) for n in range(5000)])

    assert booked == 5000
    assert await world.value("select sum(amount_minor) from ledger_entry") == 0
    assert await world.value("select count(*) from ledger_entry") == 10_000


_READ = """
select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_xact_user_tables
where relname in ('ledger_transaction', 'ledger_entry')
"""


async def rows_read_to_post(world: World, transactions: int) -> int:
    """Book so many bills; how many rows of the books were read on the way."""
    async with world.act() as act:
        before: int = await act.db.fetchval(_READ)
        await post(act, [bill_issued(act.new_id(), n + 1) for n in range(transactions)])
        after: int = await act.db.fetchval(_READ)
        return after - before


async def test_checking_the_balance_reads_what_is_booked_and_not_the_whole_ledger(
    world: World,
) -> None:
    # Connections keep plans: each has seen small statements on small tables first.
    for _ in range(20):
        await rows_read_to_post(world, 1)

    read = [await rows_read_to_post(world, size) for size in (1000, 3000, 1, 1000)]

    assert read == [1000, 3000, 1, 1000]


async def test_the_sums_of_a_bill_are_its_own(world: World) -> None:
    one, other = UUID(int=5), UUID(int=6)
    async with world.act() as act:
        await post(act, [bill_issued(one, 100), bill_issued(other, 7)])
        await post(act, [attempt_succeeded(one, UUID(int=50), 100, 100), bill_canceled(other, 7)])
        sums, rest = await sums_of(act, one), await sums_of(act, other)

    assert (sums.receivable, sums.in_transit, sums.overpayment) == (0, 100, 0)
    assert (rest.receivable, rest.in_transit, rest.overpayment) == (0, 0, 0)


# --- the provider's journal against ours ------------------------------------------------------


async def paid(world: World) -> JournalLine:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("succeeded"))
    return JournalLine(reference=started.reference, state="succeeded", amount_minor=AMOUNT)


async def test_journals_that_agree_have_no_difference(world: World) -> None:
    done = [await paid(world) for _ in range(3)]
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    away = JournalLine(reference=started.reference, state="open", amount_minor=AMOUNT)

    assert await world.compare(*done, away) == set()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "failed"}, "state_differs"),
        ({"state": "open"}, "state_differs"),
        ({"amount_minor": AMOUNT + 1}, "amount_differs"),
        ({"reference": "0" * 26}, "attempt_missing"),
    ],
)
async def test_every_disagreement_has_a_code(
    world: World, change: dict[str, str | int], code: str
) -> None:
    line = replace_line(await paid(world), change)

    assert (line.reference, code) in await world.compare(line)


def replace_line(line: JournalLine, change: dict[str, str | int]) -> JournalLine:
    values = {"reference": line.reference, "state": line.state, "amount_minor": line.amount_minor}
    return JournalLine(**(values | change))  # type: ignore[arg-type]


async def test_a_success_that_was_never_posted_is_found(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.value("update attempt set state = 'succeeded' where id = $1 returning 1",
                      started.attempt_id)  # fmt: skip
    line = JournalLine(reference=started.reference, state="succeeded", amount_minor=AMOUNT)

    assert await world.compare(line) == {(line.reference, "posting_missing")}


async def test_money_without_a_success_is_found(world: World) -> None:
    line = await paid(world)
    await world.value("update attempt set state = 'failed' where reference = $1 returning 1",
                      line.reference)  # fmt: skip

    told = replace_line(line, {"state": "failed"})
    assert await world.compare(told) == {(line.reference, "posting_unfounded")}


async def test_a_settlement_that_the_ledger_does_not_say_is_found(world: World) -> None:
    line = await paid(world)
    await world.value("update bill set settlement = 'unpaid' returning 1")

    assert await world.compare(line) == {(line.reference, "settlement_differs")}


async def test_an_attempt_that_nobody_could_explain_is_named(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started, outcome="unknown", code="timeout")
    line = JournalLine(reference=started.reference, state="succeeded", amount_minor=AMOUNT)

    assert await world.compare(line) == {(line.reference, "attempt_unresolved")}


async def test_an_attempt_that_the_journal_lacks_is_found_with_the_last_piece(
    world: World,
) -> None:
    one, other, lost = await paid(world), await paid(world), await paid(world)
    piece = CompareJournal(
        merchant_code=world.code, provider="sandbox_card", lines=(one,), last=False
    )

    first = await world.operator.call(COMPARE_JOURNAL, piece)

    assert first.differences == ()
    assert await world.compare(other) == {(lost.reference, "journal_missing")}
    assert await world.compare(one, other, lost) == set()


async def test_a_comparison_has_its_limits(world: World) -> None:
    line = JournalLine(reference="r", state="open", amount_minor=1)
    too_many = CompareJournal(
        merchant_code=world.code, provider="p", lines=(line,) * 5001, last=False
    )
    with pytest.raises(InvalidInput, match="too_many_lines"):
        await world.operator.call(COMPARE_JOURNAL, too_many)
    nobody = CompareJournal(merchant_code="nobody", provider="p", lines=(), last=True)
    with pytest.raises(NotFound, match="merchant_unknown"):
        await world.operator.call(COMPARE_JOURNAL, nobody)
