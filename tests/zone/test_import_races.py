import asyncio

import pytest

from portal.contract.bills import SUMMARISE_BILLS
from portal.contract.envelope import Nothing
from portal.contract.work import Leased
from portal.domain.errors import Conflict, PortalError
from portal.domain.sample import SampleFile, sample_file
from portal.vault.server import VaultServer
from tests.make.intake import Desk, csv, line, new_desk
from tests.make.money import World
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


async def step_again(desk: Desk, leased: Leased) -> None:
    """A step as workers do it: what says "try later" is tried later."""
    while True:
        try:
            await desk.step(leased)
        except PortalError as fault:
            if fault.kind != "try_later":
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def test_the_same_file_twice_at_once_makes_every_bill_once(desk: Desk) -> None:
    wanted = SampleFile(rows=6_000, seed=4, today=desk.today)
    body = b"".join(sample_file(wanted))
    first, second = await asyncio.gather(desk.upload(body), desk.upload(body))

    leases = await desk.leases("intake.accept_chunk")
    await asyncio.gather(*(step_again(desk, leased) for leased in leases))

    one, two = await desk.view(first.id), await desk.view(second.id)
    assert (one.state, two.state) == ("checked", "checked")
    assert one.rows_good + two.rows_good == 6_000
    assert one.rows_known + two.rows_known == 6_000
    assert one.rows_faulty == two.rows_faulty == 0
    assert (await desk.bills()).count == 6_000


async def test_rows_in_opposite_order_at_once_do_not_deadlock(desk: Desk) -> None:
    rows = [line(f"E-{number:04d}") for number in range(900)]
    await asyncio.gather(desk.upload(csv(*rows)), desk.upload(csv(*reversed(rows))))

    leases = await desk.leases("intake.accept_chunk")
    await asyncio.gather(*(desk.step(leased) for leased in leases))

    assert (await desk.bills()).count == 900


async def test_the_first_line_wins_when_all_chunks_are_judged_at_once(desk: Desk) -> None:
    rows = [line(f"E-{number}") for number in range(3_000)]
    for later in (1_300, 1_301, 2_400, 2_401):
        rows[later] = line("E-7", amount=str(later))
    made = await desk.upload(csv(*rows))

    leases = await desk.leases("intake.accept_chunk")
    await asyncio.gather(*(step_again(desk, leased) for leased in reversed(leases)))

    seen = await desk.view(made.id)
    assert (seen.state, seen.rows_good, seen.rows_faulty) == ("checked", 2_996, 4)
    assert seen.amount_good_minor == 2_996 * 8420
    kept = await World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id
    ).rows("select line, amount_minor from bill where number = 'E-7'")
    assert kept == [{"line": 9, "amount_minor": 8420}]


async def test_a_chunk_that_was_judged_can_not_be_judged_again(desk: Desk) -> None:
    made = await desk.upload(csv(line("E-1")))
    (leased,) = await desk.leases("intake.accept_chunk")
    await desk.step(leased)

    with pytest.raises(Conflict, match="lease_lost"):
        await desk.step(leased)
    assert (await desk.view(made.id)).rows_good == 1


async def test_a_file_refused_late_forgets_what_was_stored_of_it(desk: Desk) -> None:
    made = await desk.create()
    world = World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )
    body = csv(*(line(f"E-{number}") for number in range(12_000)))
    await desk.store(made.id, 0, body[: 1024 * 1024])
    (first, *others) = await desk.leases("intake.accept_chunk")
    await desk.step(first)
    assert (await desk.view(made.id)).rows_good == 1_000
    await world.value(
        "update import set state = 'refused', refused_code = 'too_many_rows' returning 1"
    )
    async with world.act() as act:
        await act.plan_task("intake.discard_bills", made.id)

    for leased in (*others, *await desk.leases("intake.discard_bills")):
        await desk.step(leased)

    assert (await desk.view(made.id)).state == "refused"
    assert (await desk.bills()).count == 0
    assert await world.value("select count(*) from file_part") == 0
    assert await world.value("select count(*) from task") == 0


async def test_the_tally_agrees_with_the_bills_whatever_happened(desk: Desk) -> None:
    world = World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )
    await desk.issued(*(line(f"E-{number}") for number in range(40)))
    await desk.send_all()
    await world.paid(await world.payer())
    await world.value("update bill set opened_at = now() where number = 'E-3' returning 1")
    made = await desk.take_in(line("F-1"), line("F-2"))
    await desk.decide(made.id, "discard")
    await desk.work_off()

    counted = await world.rows(
        "select lifecycle, settlement, message, opened_at is not null as is_opened, due_on,"
        " count(*) as bills, sum(amount_minor)::bigint as yen from bill group by 1, 2, 3, 4, 5"
    )
    tallied = await world.rows(
        "select lifecycle, settlement, message, is_opened, due_on, sum(bills)::bigint as bills,"
        " sum(amount_minor)::bigint as yen from bill_tally group by 1, 2, 3, 4, 5"
        " having sum(bills) <> 0"
    )
    assert sorted(map(str, tallied)) == sorted(map(str, counted))
    assert len(counted) >= 3


async def test_folding_the_tally_changes_no_count(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )
    await desk.issued(*(line(f"E-{number}") for number in range(30)))
    await desk.send_all()
    before = await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)
    deltas = await world.value("select count(*) from bill_tally")
    monkeypatch.setattr("portal.vault.tallies.FOLD_ABOVE", 1)

    await asyncio.gather(*(desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff) for _ in range(4)))
    after = await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)

    assert (after.unpaid_bills, after.unpaid_minor) == (before.unpaid_bills, before.unpaid_minor)
    assert after.funnel == before.funnel
    assert await world.value("select count(*) from bill_tally") == 1 < deltas


async def test_one_reader_folds_so_many_deltas_and_leaves_the_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )
    await world.value(
        "with added as (insert into bill_tally (merchant_id, lifecycle, settlement, message,"
        " is_opened, due_on, bills, amount_minor)"
        " select $1, 'open', 'unpaid', 'none', false, date '2030-01-01' + n % 3, 1, 100"
        " from generate_series(1, 60) n returning 1) select count(*) from added",
        desk.merchant_id,
    )
    monkeypatch.setattr("portal.vault.tallies.FOLD_ABOVE", 5)
    monkeypatch.setattr("portal.vault.tallies.FOLDED_MAX", 40)

    left, unpaid = [], []
    for _ in range(4):
        unpaid.append((await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)).unpaid_minor)
        left.append(await world.value("select count(*) from bill_tally"))

    # The forty oldest become three rows; then the other twenty and those; then nothing is left.
    assert left == [23, 3, 3, 3]
    assert unpaid == [6_000] * 4
