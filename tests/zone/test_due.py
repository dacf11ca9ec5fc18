"""Days pass: bills become overdue and lapse, once, in the merchant's own zone, whatever happens."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from portal.application.payment.due import Passed
from portal.contract.bills import SUMMARISE_BILLS, VIEW_BILL, Summary, ViewBill
from portal.contract.due import (
    MOVE_CLOCK,
    PASS_DUE_BILLS,
    SET_LAPSE,
    MoveClock,
    PassDueBills,
    SetLapse,
)
from portal.contract.envelope import Nothing
from portal.domain.bill import LAPSE_AFTER_DAYS_DEFAULT, LAPSE_AFTER_DAYS_MAX
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.stack.postgres import BOOTSTRAP
from portal.vault.server import VaultServer
from tests.make.days import COPIES, Calendar, new_calendar
from tests.make.intake import Desk, line, new_desk
from tests.make.money import World, finding
from tests.make.vault import ClientFor, Ground

NIGHT = time(23, 59, 30)
MORNING = time(0, 0, 30)
ONE = timedelta(days=1)
ZONES = ("Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata", "Etc/GMT+12")


@pytest.fixture
async def calendar(vault: VaultServer, client_for: ClientFor) -> Calendar:
    return await new_calendar(vault, client_for)


async def set_lapse(calendar: Calendar, days: int | None) -> None:
    request = SetLapse(merchant_code=calendar.world.code, lapse_after_days=days)
    assert (await calendar.world.operator.call(SET_LAPSE, request)).lapse_after_days == days


def calendar_of(desk: Desk) -> Calendar:
    world = World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )  # fmt: skip
    return Calendar(world)


# --- late ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
async def test_a_bill_is_late_when_its_day_has_ended_in_the_merchants_zone(
    vault: VaultServer, client_for: ClientFor, zone: str
) -> None:
    calendar = await new_calendar(vault, client_for, zone=zone)
    due = calendar.today + timedelta(days=10)
    bill_id, _ = await calendar.world.bill(due=due)

    assert await calendar.until(due, NIGHT) == Passed()
    assert await calendar.lifecycle(bill_id) == "open"

    assert await calendar.until(due + ONE, MORNING) == Passed(overdue=1)
    assert await calendar.lifecycle(bill_id) == "overdue"


async def test_becoming_late_is_on_the_timeline_once(calendar: Calendar) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    bill_id, _ = await world.bill(due=due)

    for days in (1, 1, 2, 5):
        await calendar.until(due + timedelta(days=days))

    rows = await world.rows("select code, actor, at from bill_event where bill_id = $1", bill_id)
    assert [(row["code"], row["actor"]) for row in rows] == [("bill.overdue", "system")]
    assert rows[0]["at"].date() == due + ONE
    assert await world.value("select version from bill where id = $1", bill_id) == 2


async def test_what_is_paid_or_withdrawn_does_not_become_late(calendar: Calendar) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    paid = await world.payer(due=due)
    await world.paid(paid)
    states = ("scheduled", "canceling", "canceled", "superseded", "lapsed")
    others = {state: (await world.bill(due=due, lifecycle=state))[0] for state in states}

    assert await calendar.until(due + ONE) == Passed()

    assert await calendar.lifecycle(paid.bill_id) == "open"
    for state, bill_id in others.items():
        assert await calendar.lifecycle(bill_id) == state


async def test_a_late_bill_is_paid_as_any_other(calendar: Calendar) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    payer = await world.payer(due=due)
    await calendar.until(due + ONE)
    page = await world.page(payer)
    assert (page.state, page.methods[0].available) == ("overdue", True)

    await world.paid(payer)

    assert await world.settlement(payer.bill_id) == "settled"
    assert (await world.page(payer)).state == "paid"
    assert await calendar.until(due + timedelta(days=LAPSE_AFTER_DAYS_DEFAULT + 9)) == Passed()
    assert await calendar.lifecycle(payer.bill_id) == "overdue"


# --- lapsed -------------------------------------------------------------------------------------


async def test_a_bill_lapses_when_its_last_day_to_pay_has_ended(calendar: Calendar) -> None:
    due = calendar.today + timedelta(days=3)
    last = due + timedelta(days=LAPSE_AFTER_DAYS_DEFAULT)
    bill_id, _ = await calendar.world.bill(due=due)

    assert await calendar.until(due + ONE) == Passed(overdue=1)
    assert await calendar.until(last, NIGHT) == Passed()
    assert await calendar.until(last + ONE, MORNING) == Passed(lapsed=1)

    assert await calendar.lifecycle(bill_id) == "lapsed"
    assert await calendar.world.events(bill_id) == ["bill.overdue", "bill.lapsed"]


async def test_a_lapsed_bill_is_not_payable_but_money_under_way_pays_it(
    calendar: Calendar,
) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    payer, late = await world.payer(due=due), await world.payer(due=due)
    started = await world.start(payer)
    await world.submitted(payer, started)

    passed = await calendar.until(due + timedelta(days=LAPSE_AFTER_DAYS_DEFAULT + 1))

    assert passed == Passed(overdue=2, lapsed=2)
    assert (await world.page(late)).state == "lapsed"
    with pytest.raises(Conflict, match="not_payable"):
        await world.start(late)
    await world.told(payer, started.attempt_id, finding("succeeded", approval_no="A1"))
    assert await world.settlement(payer.bill_id) == "settled"
    assert (await world.page(payer)).state == "paid"
    assert await world.cases() == []


async def test_a_merchant_may_let_bills_lapse_never_or_sooner(calendar: Calendar) -> None:
    due = calendar.today + timedelta(days=3)
    bill_id, _ = await calendar.world.bill(due=due)
    await set_lapse(calendar, None)
    assert await calendar.until(due + timedelta(days=400)) == Passed(overdue=1)

    await set_lapse(calendar, 0)

    assert await calendar.until(due + timedelta(days=400)) == Passed()
    assert await calendar.until(due + timedelta(days=401)) == Passed(lapsed=1)
    assert await calendar.lifecycle(bill_id) == "lapsed"


async def test_days_to_lapse_have_bounds_and_an_owner(calendar: Calendar) -> None:
    await set_lapse(calendar, LAPSE_AFTER_DAYS_MAX)
    for days in (-1, LAPSE_AFTER_DAYS_MAX + 1):
        with pytest.raises(InvalidInput, match="lapse_days_out_of_bounds"):
            await set_lapse(calendar, days)
    with pytest.raises(NotFound, match="merchant_unknown"):
        await calendar.world.operator.call(
            SET_LAPSE, SetLapse(merchant_code="nobody", lapse_after_days=1)
        )
    with pytest.raises(NotAllowed):
        await calendar.world.web.call(
            SET_LAPSE, SetLapse(merchant_code=calendar.world.code, lapse_after_days=1)
        )


# --- days that nobody saw -----------------------------------------------------------------------


async def test_days_on_which_nothing_ran_are_caught_up_by_one_task(calendar: Calendar) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=1)
    bills = [(await world.bill(due=due + timedelta(days=days)))[0] for days in range(8)]
    await calendar.move_to(due + timedelta(days=7))

    hints = await calendar.hints()
    assert len(hints) == 1
    for hint in hints:
        leased = await calendar.lease(hint)
        passed = await world.work.call(PASS_DUE_BILLS, PassDueBills(), leased.authority)
        assert (passed.overdue, passed.remaining) == (7, False)

    assert [await calendar.lifecycle(bill_id) for bill_id in bills] == ["overdue"] * 7 + ["open"]
    assert await world.value("select count(*) from task") == 0


async def test_housekeeping_that_meets_on_its_one_connection_takes_turns(
    ground: Ground,
) -> None:
    async with ground.vault() as server:
        refreshed = [server.data.upkeep.refresh() for _ in range(8)]

        assert await asyncio.gather(*refreshed) == [None] * 8


async def test_a_day_begins_once_however_often_and_by_whomever_it_is_asked_for(
    ground: Ground,
) -> None:
    second = ground.settings(socket=ground.folder / "two.sock", instance="vault-two")
    async with ground.vault() as server, VaultServer(second) as other:
        calendar = await new_calendar(server, ground.client)
        due = calendar.today + timedelta(days=3)
        await calendar.world.bill(due=due)
        await calendar.move_to(due + ONE)
        await other.data.upkeep.refresh()

        await asyncio.gather(
            *(vault.data.upkeep.begin_days() for vault in (server, other, server, other))
        )

        assert len(await calendar.hints()) == 1
        assert await calendar.world.value("select count(*) from task") == 1


async def test_a_day_on_which_nothing_falls_due_plans_nothing(calendar: Calendar) -> None:
    await calendar.world.bill(due=calendar.today + timedelta(days=9))
    await calendar.move_to(calendar.today + timedelta(days=5))

    assert await calendar.hints() == []
    assert await calendar.world.value("select day from due_day") == calendar.today


async def test_a_clock_that_is_moved_back_begins_no_day_again(calendar: Calendar) -> None:
    due = calendar.today + timedelta(days=3)
    bill_id, _ = await calendar.world.bill(due=due)
    await calendar.until(due + timedelta(days=5))

    assert await calendar.until(due) == Passed()
    assert await calendar.until(due + timedelta(days=6)) == Passed()

    assert await calendar.lifecycle(bill_id) == "overdue"
    assert await calendar.world.events(bill_id) == ["bill.overdue"]


async def test_a_zone_that_the_machine_does_not_know_keeps_nobody_waiting(ground: Ground) -> None:
    async with ground.vault() as server:
        lost = await new_calendar(server, ground.client, code="aaa")
        calendar = await new_calendar(server, ground.client, code="zzz")
        due = calendar.today + timedelta(days=3)
        bill_id, _ = await calendar.world.bill(due=due)
    link = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    await link.execute("update merchant set zone = 'Atlantis/Capital' where code = 'aaa'")
    await link.close()

    async with ground.vault() as server:
        operator, work = await ground.client("operator"), await ground.client("work")
        world = replace(calendar.world, server=server, operator=operator, work=work)
        calendar = Calendar(world)
        assert await calendar.until(due + ONE) == Passed(overdue=1)

        assert await calendar.lifecycle(bill_id) == "overdue"
        lost.world = replace(lost.world, server=server)
        assert await lost.world.value("select count(*) from due_day where day > $1", due) == 0


# --- many ---------------------------------------------------------------------------------------


async def test_a_step_moves_at_most_a_thousand_and_the_next_goes_on_there(
    calendar: Calendar,
) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    first, _ = await world.bill(due=due)
    await world.rows(COPIES, first, 2_399)
    await world.rows("update bill set settlement = 'settled' where id = $1", first)
    await calendar.move_to(due + timedelta(days=3))
    [hint] = await calendar.hints()
    leased = await calendar.lease(hint)

    moved: list[int] = []
    while True:
        step = await world.work.call(PASS_DUE_BILLS, PassDueBills(), leased.authority)
        moved.append(step.overdue)
        if not step.remaining:
            break

    assert moved == [1000, 1000, 399]
    assert await calendar.lifecycles() == {"overdue": 2399, "open": 1}
    assert await world.value("select count(distinct bill_id) from bill_event") == 2399
    assert await world.value("select count(*) from bill_event") == 2399


async def test_a_bill_that_is_just_being_paid_is_waited_for_and_left_alone(
    calendar: Calendar,
) -> None:
    world = calendar.world
    due = calendar.today + timedelta(days=3)
    bill_id, _ = await world.bill(due=due)
    await calendar.move_to(due + ONE)
    [hint] = await calendar.hints()
    leased = await calendar.lease(hint)

    async with world.act() as act:
        await act.db.execute("update bill set settlement = 'settled' where id = $1", bill_id)
        step = asyncio.create_task(
            world.work.call(PASS_DUE_BILLS, PassDueBills(), leased.authority)
        )
        await asyncio.sleep(0.3)
        assert not step.done()

    assert (await step).overdue == 0
    assert await calendar.lifecycle(bill_id) == "open"


# --- bills that come late -----------------------------------------------------------------------


async def test_a_bill_decided_on_after_its_due_date_is_late_at_once_and_lapses_a_day_later(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    calendar = calendar_of(desk)
    await set_lapse(calendar, 5)
    due = desk.today + timedelta(days=3)
    made = await desk.take_in(line("E-1", due_on=due.isoformat()), line("E-2"))
    await calendar.until(due + timedelta(days=12))

    await desk.decide(made.id)
    await desk.work_off()

    states = {row.number: row.lifecycle for row in (await desk.bills()).bills}
    assert states == {"E-1": "overdue", "E-2": "open"}
    assert await desk.send_all() == 2
    assert await calendar.follow() == Passed()
    assert await calendar.until(due + timedelta(days=13)) == Passed(lapsed=1)


# --- what screens say ---------------------------------------------------------------------------


async def summary(desk: Desk) -> Summary:
    return await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)


async def test_counts_lists_pages_and_timelines_say_the_same(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    calendar = calendar_of(desk)
    due = desk.today + timedelta(days=3)
    rows = [line(f"E-{number}", amount="1000", due_on=due.isoformat()) for number in range(4)]
    await desk.issued(*rows, line("E-9"))
    payer = await calendar.world.payer(due=due, amount=8420)

    await calendar.until(due + ONE)
    await calendar.world.paid(payer)

    listed = await desk.bills(lifecycle=("overdue",), settlement=("unpaid",))
    seen = await summary(desk)
    assert (seen.overdue_bills, seen.overdue_minor) == (4, 4000)
    assert (listed.count, len(listed.bills)) == (4, 4)
    assert (await desk.bills(lifecycle=("overdue",))).count == 5
    detail = await desk.web.call(VIEW_BILL, ViewBill(bill_id=listed.bills[0].id), desk.staff)
    assert detail.events[0].code == "bill.overdue"
    assert detail.events[0].at.date() == due + ONE

    await calendar.until(due + timedelta(days=LAPSE_AFTER_DAYS_DEFAULT + 1))

    assert (await summary(desk)).overdue_bills == (
        await desk.bills(lifecycle=("overdue",))
    ).count - 1
    assert (await desk.bills(lifecycle=("lapsed",))).count == 4


# --- the clock ----------------------------------------------------------------------------------


async def test_the_business_clock_can_not_be_moved_in_production(ground: Ground) -> None:
    async with ground.vault(production=True):
        operator = await ground.client("operator")
        with pytest.raises(NotAllowed, match="clock_fixed"):
            await operator.call(MOVE_CLOCK, MoveClock(offset_s=60))


@pytest.mark.parametrize("offset_s", [3_651 * 86_400.0, -3_651 * 86_400.0, float("nan")])
async def test_the_business_clock_has_bounds(calendar: Calendar, offset_s: float) -> None:
    moved = await calendar.world.operator.call(MOVE_CLOCK, MoveClock(offset_s=3_650 * 86_400.0))
    assert moved.before_s == 0

    with pytest.raises(InvalidInput, match="clock_out_of_bounds"):
        await calendar.world.operator.call(MOVE_CLOCK, MoveClock(offset_s=offset_s))
