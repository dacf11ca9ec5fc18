"""The vault is killed around the commit of every step from the file to the sent message.

The road is walked until the vault dies, then again to its end by a new vault with the same keys,
as callers do. Then every bill is there once, owed once and told once; a message whose values were
given out when the vault died is ambiguous, never sent a second time.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from portal.contract.intake import PART_BYTES_MAX
from portal.domain.errors import PortalError
from tests.make.intake import HEADER, Desk, csv, line, new_desk, result
from tests.make.money import World
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

ROWS = 1_500
NOTE = "備" * 300
"""A column that nobody knows makes the rows long, so that few of them fill two parts."""

POINTS = ("vault.before_commit", "vault.after_commit")
OPERATIONS = (
    "create_import",
    "store_part",
    "finish_upload",
    "accept_chunk",
    "decide_import",
    "issue_bills",
    "report_and_next",
    "redeem_deliveries",
)


@dataclass
class Road:
    """What was sent so far: addressee and text by delivery, as the relay was given them."""

    desk: Desk
    body: bytes
    given: Counter[object] = field(default_factory=Counter[object])

    async def walk(self) -> None:
        """From the file to the last message; may be walked again from anywhere."""
        desk = self.desk
        made = await desk.create(key="file")
        while made.received_bytes < len(self.body):
            start = made.received_bytes
            await desk.store(made.id, start, self.body[start : start + PART_BYTES_MAX])
            made = await desk.view(made.id)
        await desk.finish(made.id, len(self.body))
        await desk.work_off()
        await desk.decide(made.id, key="yes")
        await desk.work_off()
        await self.send()

    async def send(self) -> None:
        """Send all messages, in slices of 100."""
        for leased in await self.desk.leases("message.send_chunk"):
            part = await self.desk.report(leased)
            while not part.done:
                redeemed = await self.desk.redeem(*(route.delivery_id for route in part.deliveries))
                sent = [entry for entry in redeemed.deliveries if entry.refused is None]
                self.given.update(entry.delivery_id for entry in sent)
                part = await self.desk.report(
                    leased, [result(entry.delivery_id, "accepted") for entry in sent]
                )


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_kill_at_any_step_neither_loses_nor_doubles(
    ground: Ground, operation: str, point: str
) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        rows = (f"{line(f'E-{number}')},{NOTE}" for number in range(ROWS))
        road = Road(desk, csv(*rows, header=f"{HEADER},備考"))
        assert len(road.body) > PART_BYTES_MAX

    await walk_until_killed(ground, road, operation, point)

    async with ground.vault() as server:
        clients = {zone: await ground.client(zone) for zone in ("web", "work", "egress")}
        road.desk = replace(desk, server=server, hints=[], **clients)
        world = World(
            server, road.desk.web, road.desk.work, desk.operator, desk.code, desk.merchant_id
        )
        await expire_leases(world)
        await road.walk()
        await check(road, world, operation, point)


async def walk_until_killed(ground: Ground, road: Road, operation: str, point: str) -> None:
    """Walk in a vault that dies at the second time it comes to the point, if there is one."""
    skip = "1" if operation not in {"create_import", "finish_upload", "decide_import"} else "0"
    crash = {
        "HARAI_CRASH_POINT": point,
        "HARAI_CRASH_OPERATION": operation,
        "HARAI_CRASH_SKIP": skip,
    }
    async with vault_process(ground, **crash) as process:
        clients = {zone: await ground.client(zone) for zone in ("web", "work", "egress")}
        dying = Road(replace(road.desk, hints=[], **clients), road.body, road.given)
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await dying.walk()
        assert await process.wait() == 137
        for client in clients.values():
            await client.close()


async def expire_leases(world: World) -> None:
    """What waiting for dead workers' leases does, without waiting."""
    async with world.act() as act:
        await act.db.execute("update task set next_at = next_at - interval '1 hour'")


async def check(road: Road, world: World, operation: str, point: str) -> None:
    """The books, the bills and the messages agree, item by item."""
    assert await world.value("select count(*) from bill where lifecycle = 'open'") == ROWS
    assert await world.value("select count(*) from ledger_transaction") == ROWS
    assert await world.value("select sum(amount_minor) from ledger_entry") == 0
    assert await world.value("select count(distinct bill_id) from delivery") == ROWS
    assert await world.value("select count(*) from delivery") == ROWS
    assert await world.value("select count(*) from task") == 0
    rows = await world.rows("select id, state from delivery")
    states = Counter(row["state"] for row in rows)
    doubt = (operation, point) in {
        ("redeem_deliveries", "vault.after_commit"),
        ("report_and_next", "vault.before_commit"),
    }
    assert states == ({"accepted": ROWS - 100, "ambiguous": 100} if doubt else {"accepted": ROWS})
    assert set(road.given.values()) == {1}
    accepted = {row["id"] for row in rows if row["state"] == "accepted"}
    assert accepted <= set(road.given)
    assert (await world.value("select rows_issued from import")) == ROWS
