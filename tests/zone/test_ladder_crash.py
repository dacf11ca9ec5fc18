"""The vault is killed while bills go up their ladders: nobody is told twice and none is forgotten.

A vault in a process of its own is armed, walked into the kill, and a new one goes on.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.application.message.ladder import advance_ladders
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, Leased, TakeLease
from portal.domain.errors import PortalError
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, Desk, new_desk
from tests.make.ladder import Steps
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

BILLS = 1_300


async def issue(ground: Ground) -> Desk:
    """Bills that were told of; the clock stands where their reminders are due."""
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        made = await desk.sample(BILLS)
        await desk.decide(made.id)
        await desk.work_off()
        steps = Steps(desk)
        await steps.set("update bill set due_on = $1", DUE_ON)
        await steps.set("update ladder set done = 3, next_at = $1", steps.desk.server.clock.wall())
        await steps.calendar.move_to(DUE_ON - timedelta(days=3))
        await desk.server.data.upkeep.begin_ladders()
        await ground.close()
    return desk


async def again(ground: Ground, server: VaultServer, desk: Desk) -> Steps:
    """The same merchant on another vault."""
    work, operator = await ground.client("work"), await ground.client("operator")
    return Steps(replace(desk, server=server, work=work, operator=operator, hints=[]))


async def age_tasks(steps: Steps) -> None:
    """What waiting for lost hints and dead workers' leases does, without waiting."""
    await steps.set("update task set next_at = next_at - interval '1 hour'")


@pytest.mark.parametrize(
    ("point", "skip"), [("vault.before_commit", "1"), ("vault.after_commit", "0")]
)
async def test_a_kill_while_ladders_move_tells_everybody_once(
    ground: Ground, point: str, skip: str
) -> None:
    desk = await issue(ground)
    crash = {
        "HARAI_CRASH_POINT": point,
        "HARAI_CRASH_OPERATION": "advance_ladders",
        "HARAI_CRASH_SKIP": skip,
    }
    async with vault_process(ground, **crash) as process:
        work = await ground.client("work")
        tasks = (await work.call(AWAIT_WORK, AwaitWork(wait_s=5.0, at_most=100))).tasks
        [hint] = [task for task in tasks if task.kind == "message.advance_ladders"]
        request = TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
        leased: Leased = await work.call(TAKE_LEASE, request)
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await advance_ladders(work, leased.authority, lambda: False)
        assert await process.wait() == 137
        await work.close()

    async with ground.vault() as server:
        steps = await again(ground, server, desk)
        await age_tasks(steps)
        await steps.look()

        told = await steps.world.rows(
            "select count(*) as n, count(distinct bill_id) as bills from delivery"
            " where campaign = 'ladder'"
        )
        reachable = await steps.world.value(
            "select count(*) from bill where phone_blind is not null and lifecycle = 'open'"
        )
        assert tuple(told[0].values()) == (reachable, reachable)
        assert await steps.world.value("select count(*) from ladder where next_at < now()") == 0
