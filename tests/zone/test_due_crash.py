"""The vault is killed while days begin and bills pass their due dates: nothing is lost or doubled.

A vault in a process of its own is armed, walked into the kill, and a new one goes on.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.application.payment.due import Passed, pass_due
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, TakeLease
from portal.domain.bill import LAPSE_AFTER_DAYS_DEFAULT
from portal.domain.errors import PortalError
from portal.vault.server import VaultServer
from tests.make.days import COPIES, Calendar, new_calendar
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

BILLS = 2_300
LONG_PAST = timedelta(days=LAPSE_AFTER_DAYS_DEFAULT + 30)


async def make_bills(ground: Ground) -> tuple[Calendar, date]:
    """Bills that are all long past due once the clock has moved; no day has begun since."""
    async with ground.vault() as server:
        calendar = await new_calendar(server, ground.client)
        due = calendar.today + timedelta(days=3)
        first, _ = await calendar.world.bill(due=due)
        await calendar.world.rows(COPIES, first, BILLS - 1)
        await server.data.upkeep.begin_days()
        await ground.close()
    return calendar, due


async def again(ground: Ground, server: VaultServer, calendar: Calendar) -> Calendar:
    """The same merchant on another vault."""
    work, operator = await ground.client("work"), await ground.client("operator")
    return Calendar(replace(calendar.world, server=server, work=work, operator=operator))


async def move_clock(ground: Ground, calendar: Calendar, day: date) -> None:
    """Move the clock and stop before any day begins by it."""
    async with ground.vault() as server:
        calendar = await again(ground, server, calendar)
        await calendar.move_to(day)
        await ground.close()


async def check(calendar: Calendar) -> None:
    """Every bill passed both edges once."""
    world = calendar.world
    codes = await world.rows(
        "select code, count(*) as n, count(distinct bill_id) as bills from bill_event"
        " group by code order by code"
    )
    assert [tuple(row.values()) for row in codes] == [
        ("bill.lapsed", BILLS, BILLS),
        ("bill.overdue", BILLS, BILLS),
    ]
    assert await calendar.lifecycles() == {"lapsed": BILLS}
    assert await world.value("select count(*) from task") == 0


@pytest.mark.parametrize("skip", ["0", "3"])
@pytest.mark.parametrize("point", ["vault.before_commit", "vault.after_commit"])
async def test_a_kill_in_pass_due_bills_moves_every_bill_once(
    ground: Ground, point: str, skip: str
) -> None:
    calendar, due = await make_bills(ground)
    async with ground.vault() as server:
        calendar = await again(ground, server, calendar)
        await calendar.move_to(due + LONG_PAST)
        assert len(await calendar.hints()) == 1
        await age_tasks(calendar)
        await ground.close()

    crash = {
        "HARAI_CRASH_POINT": point,
        "HARAI_CRASH_OPERATION": "pass_due_bills",
        "HARAI_CRASH_SKIP": skip,
    }
    async with vault_process(ground, **crash) as process:
        work = await ground.client("work")
        due_tasks = await work.call(AWAIT_WORK, AwaitWork(wait_s=5.0, at_most=10))
        [hint] = due_tasks.tasks
        request = TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
        leased = await work.call(TAKE_LEASE, request)
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await pass_due(work, leased.authority, lambda: False)
        assert await process.wait() == 137
        await work.close()

    async with ground.vault() as server:
        calendar = await again(ground, server, calendar)
        await age_tasks(calendar)
        rest = await calendar.follow()

        before_first = skip == "0" and point == "vault.before_commit"
        assert (rest == Passed(BILLS, BILLS)) is before_first
        await check(calendar)


@pytest.mark.parametrize("point", ["vault.before_upkeep", "vault.after_upkeep"])
async def test_a_kill_while_a_day_begins_begins_it_once(ground: Ground, point: str) -> None:
    calendar, due = await make_bills(ground)
    await move_clock(ground, calendar, due + LONG_PAST)

    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": "begin_day"}
    async with vault_process(ground, **crash) as process:
        assert await process.wait() == 137

    async with ground.vault() as server:
        calendar = await again(ground, server, calendar)
        hints = await calendar.hints()

        assert len(hints) == 1
        await age_tasks(calendar)
        assert await calendar.follow() == Passed(BILLS, BILLS)
        await check(calendar)


async def test_two_workers_with_one_task_move_each_bill_once(ground: Ground) -> None:
    """A worker whose lease ran out is fenced; the one after it goes on where it was."""
    calendar, due = await make_bills(ground)
    async with ground.vault() as server:
        calendar = await again(ground, server, calendar)
        await calendar.move_to(due + LONG_PAST)
        [hint] = await calendar.hints()
        late = await calendar.lease(hint)
        await age_tasks(calendar)

        assert await calendar.follow() == Passed(BILLS, BILLS)

        with pytest.raises(PortalError, match="lease_lost"):
            await pass_due(calendar.world.work, late.authority, lambda: False)
        await check(calendar)


async def age_tasks(calendar: Calendar) -> None:
    """What waiting for lost hints and dead workers' leases does, without waiting."""
    async with calendar.world.act() as act:
        await act.db.execute("update task set next_at = next_at - interval '1 hour'")
