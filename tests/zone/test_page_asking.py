"""Back from the provider's page without our knowing: the page says that we ask, and we do ask."""

import asyncio

import pytest

from portal.contract.payment import AttemptStarted
from portal.domain.page import HEARD_FOR, JUST_LEFT
from portal.vault.server import VaultServer
from tests.make.money import Payer, World, finding, new_world
from tests.make.vault import ClientFor

LEFT_MINUTES = (JUST_LEFT.total_seconds() + 1) / 60
HEARD_MINUTES = (HEARD_FOR.total_seconds() + 1) / 60


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


async def gone(world: World, minutes: float = LEFT_MINUTES) -> tuple[Payer, AttemptStarted]:
    """A payer who went to the provider's page so long ago and never came back by its address."""
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.age(started.attempt_id, minutes)
    return payer, started


async def due(world: World) -> int:
    """Inquiries that a worker would do now."""
    return await world.value("select count(*) from task where next_at <= now()")


async def state(world: World, payer: Payer) -> str:
    return (await world.page(payer)).state


async def test_who_has_just_left_may_turn_round_and_pay(world: World) -> None:
    payer, _ = await gone(world, minutes=0)

    assert await state(world, payer) == "open"
    assert await due(world) == 0


async def test_looking_later_says_that_we_ask_and_makes_us_ask_once(world: World) -> None:
    payer, _ = await gone(world)
    assert await due(world) == 0

    assert await state(world, payer) == "unclear"

    assert await due(world) == 1
    for _ in range(3):
        assert await state(world, payer) == "unclear"
    assert await due(world) == 1


async def test_many_looks_at_once_make_us_ask_once(world: World) -> None:
    payer, _ = await gone(world)

    pages = await asyncio.gather(*(state(world, payer) for _ in range(8)))

    assert set(pages) == {"unclear"}
    assert await due(world) == 1


async def test_not_paid_yet_is_shown_for_a_while_and_then_asked_again(world: World) -> None:
    payer, started = await gone(world)
    assert await state(world, payer) == "unclear"

    await world.told(payer, started.attempt_id, finding("requires_action"))

    page = await world.page(payer)
    assert page.state == "open"
    assert page.attempt is not None
    assert page.attempt.state == "requires_action"
    await world.age(started.attempt_id, HEARD_MINUTES)
    assert await state(world, payer) == "unclear"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("unclear", "unclear"),
        ("pending", "processing"),
        ("succeeded", "paid"),
        ("failed", "declined"),
    ],
)
async def test_the_page_says_what_the_inquiry_found(world: World, found: str, shown: str) -> None:
    payer, started = await gone(world)
    assert await state(world, payer) == "unclear"

    await world.told(payer, started.attempt_id, finding(found))

    assert await state(world, payer) == shown


async def test_a_second_click_still_leads_back_to_the_same_page(world: World) -> None:
    payer, started = await gone(world)
    assert await state(world, payer) == "unclear"

    again = await world.start(payer, "another")

    assert (again.attempt_id, again.fresh) == (started.attempt_id, False)
