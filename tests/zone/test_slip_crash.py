"""The vault is killed around each write about slips: it happened once or not at all.

The same call is repeated afterwards, as its caller does: show_slip by the payer who looks again,
take_slip_notices by staff who send the file again, record_slip_notice by the agency.
"""

from dataclasses import dataclass, replace

import pytest

from portal.domain.errors import PortalError
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.slip_desk import SlipDesk, line, new_slip_desk
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

OWED = {"receivable": AMOUNT, "billed": -AMOUNT}
ANNOUNCED = OWED | {"announced": AMOUNT, "unconfirmed": -AMOUNT}
PAID = {"in_transit": AMOUNT, "billed": -AMOUNT}


@dataclass(frozen=True)
class Scene:
    """Three payers: one who has not looked yet, and two whose slips are paid at a till."""

    desk: SlipDesk
    looking: Payer
    by_file: Payer
    at_once: Payer
    told: dict[str, str]

    async def show_slip(self) -> None:
        await self.desk.show(self.looking)

    async def take_slip_notices(self) -> None:
        await self.desk.file(self.told["take_slip_notices"].encode("cp932"))

    async def record_slip_notice(self) -> None:
        await self.desk.beep(self.told["record_slip_notice"])

    async def act(self, operation: str) -> None:
        await getattr(self, operation)()

    def on(self, world: World) -> "Scene":
        return replace(self, desk=replace(self.desk, world=world))

    async def done(self) -> dict[str, object]:
        """What each operation has left behind."""
        world = self.desk.world
        slips = "select count(*) from slip where bill_id = $1"
        return {
            "show_slip": await world.value(slips, self.looking.bill_id),
            "take_slip_notices": await world.books(self.by_file.bill_id),
            "record_slip_notice": await world.books(self.at_once.bill_id),
        }


BEFORE = {"show_slip": 0, "take_slip_notices": OWED, "record_slip_notice": OWED}
AFTER = {"show_slip": 1, "take_slip_notices": PAID, "record_slip_notice": ANNOUNCED}


async def a_scene(world: World) -> Scene:
    desk = await new_slip_desk(world)
    by_file, filed = await desk.payer()
    at_once, beeped = await desk.payer()
    told = {
        "take_slip_notices": f"{line('provisional', filed)}\r\n{line('confirmed', filed)}\r\n",
        "record_slip_notice": line("provisional", beeped),
    }
    return Scene(desk, await world.payer(), by_file, at_once, told)


async def killed(ground: Ground, scene: Scene, operation: str, point: str) -> None:
    """Run the operation in a vault that dies at ``point``."""
    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": operation}
    async with vault_process(ground, **crash) as process:
        web = await ground.client("web")
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await scene.on(replace(scene.desk.world, web=web)).act(operation)
        assert await process.wait() == 137
        await web.close()


@pytest.mark.parametrize(
    ("point", "left"), [("vault.before_commit", BEFORE), ("vault.after_commit", AFTER)]
)
async def test_what_is_written_about_a_slip_and_killed_at_its_commit_happens_once(
    ground: Ground, point: str, left: dict[str, object]
) -> None:
    async with ground.vault() as server:
        scene = await a_scene(await new_world(server, ground.client))
        await ground.close()

    for operation in BEFORE:
        await killed(ground, scene, operation, point)

    async with ground.vault() as server:
        world = replace(scene.desk.world, server=server, web=await ground.client("web"))
        scene = scene.on(world)
        assert await scene.done() == left

        for operation in BEFORE:
            await scene.act(operation)

        assert await scene.done() == AFTER
        assert await world.value("select count(*) from slip") == 3
        assert await world.value("select count(*) from attempt") == 1
        assert await world.value("select count(*) from slip_notice") == 3
        assert await world.value("select count(*) from notice_body") == 1
        assert await world.value("select coalesce(sum(amount_minor), 0) from ledger_entry") == 0
