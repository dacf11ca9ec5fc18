"""An outage of a provider costs time and no message, however long it lasts."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from portal.contract.message import DeliveryRoute, SendResult
from portal.contract.work import Leased
from portal.domain.message import TRIES_MAX
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor, Ground
from tests.make.workshop import Workshop, a_workshop, phones
from worker.tasks.run import run_job
from worker.tasks.workbench import open_workbench

SENDING = {"message.send_chunk"}
BUSY_ONCE = next(number for number, fault in magic.SMS.items() if fault == "busy_once")


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        yield made


async def chunk(desk: Desk, rows: int) -> Leased:
    """An issued import of so many bills, its one chunk leased."""
    await desk.issued(*(line(f"E-{number}") for number in range(rows)))
    (leased,) = await desk.leases("message.send_chunk")
    return leased


async def rows(desk: Desk) -> list[tuple[str, int]]:
    """State and tries of every delivery."""
    world = World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)
    found = await world.rows("select state, tries from delivery order by id")
    return [(row["state"], row["tries"]) for row in found]


def busy(route: DeliveryRoute, *, is_about_message: bool) -> list[SendResult]:
    """The provider takes nothing now, or takes just this message not."""
    return [
        SendResult(
            delivery_id=route.delivery_id,
            outcome="busy",
            provider_ref="",
            code="provider_busy",
            is_about_message=is_about_message,
        )
    ]


async def test_a_thousand_probes_later_the_message_still_goes_out_once(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)
    for _ in range(1_000):
        (route,) = part.deliveries
        await desk.redeem(route.delivery_id)
        part = await desk.report(leased, busy(route, is_about_message=False))
    assert await rows(desk) == [("handed", 0)]

    (route,) = part.deliveries
    (given,) = (await desk.redeem(route.delivery_id)).deliveries
    end = await desk.report(leased, [result(route.delivery_id, "accepted")])

    assert (given.refused, given.to) == (None, "+819012345678")
    assert end.done
    assert await rows(desk) == [("accepted", 0)]


async def test_answers_about_the_message_itself_end_it_after_so_many_tries(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)
    for turn in range(TRIES_MAX):
        assert not part.done, turn
        (route,) = part.deliveries
        await desk.redeem(route.delivery_id)
        part = await desk.report(leased, busy(route, is_about_message=True))

    assert part.done
    assert await rows(desk) == [("failed", TRIES_MAX - 1)]


async def test_each_probe_takes_the_message_that_waited_longest(desk: Desk) -> None:
    leased = await chunk(desk, rows=3)
    taken: list[DeliveryRoute] = []
    part = await desk.report(leased, take=1)
    for _ in range(6):
        (route,) = part.deliveries
        taken.append(route)
        await desk.redeem(route.delivery_id)
        part = await desk.report(leased, busy(route, is_about_message=False), take=1)

    assert taken[:3] == taken[3:]
    assert len({route.delivery_id for route in taken}) == 3


async def test_an_outage_longer_than_all_tries_loses_and_doubles_nothing(shop: Workshop) -> None:
    await shop.issued(phones(3))
    nobody_there = shop.settings.model_copy(
        update={"provider_endpoints": "sandbox_sms=sms.sandbox.test:1"}
    )
    for turn in range(TRIES_MAX + 1):
        await shop.be_due()
        [job] = await shop.hints()
        shop.heard.clear()
        async with open_workbench(nobody_there, f"turn-{turn}", asyncio.Event()) as bench:
            await run_job(bench, job)
    tried = await shop.rows("select distinct state, tries, code from delivery")
    assert tried == [{"state": "planned", "tries": 0, "code": "host_not_listed"}]

    await shop.be_due()
    await shop.work_off(SENDING)

    assert sorted(row["recipient"] for row in shop.texts()) == sorted(
        f"+81{number[1:]}" for number in phones(3)
    )


async def test_a_companys_busy_answer_uses_up_no_try(shop: Workshop) -> None:
    await shop.issued([BUSY_ONCE.replace("+81", "0")])

    async with asyncio.timeout(30):
        while await shop.rows("select 1 from task"):
            await shop.be_due()
            await shop.work_off(SENDING)

    assert len(shop.texts()) == 1
    assert [row["tries"] for row in await shop.rows("select tries from delivery")] == [0]
    assert shop.journal.message_counts()["effects"] == 1
