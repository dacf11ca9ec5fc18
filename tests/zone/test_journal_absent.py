"""A provider's journal that lacks an attempt: when that is a difference, and of which kind."""

import pytest

from portal.contract.operator import JournalLine
from portal.domain.doubt import INQUIRED_WITHIN
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.vault import ClientFor

MINUTES = INQUIRED_WITHIN.total_seconds() / 60


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


async def in_doubt(world: World, outcome: str | None) -> tuple[str, object]:
    """An attempt that was submitted with that outcome, or whose submitter never came back."""
    payer = await world.payer()
    started = await world.start(payer)
    if outcome is not None:
        await world.submitted(payer, started, outcome=outcome, code="timed_out")
    return started.reference, started.attempt_id


@pytest.mark.parametrize("outcome", [None, "unknown"])
async def test_an_attempt_in_doubt_is_named_once_inquiries_should_have_told(
    world: World, outcome: str | None
) -> None:
    reference, attempt_id = await in_doubt(world, outcome)
    assert await world.compare() == set()

    await world.age(attempt_id, MINUTES - 1)  # type: ignore[arg-type]
    assert await world.compare() == set()

    await world.age(attempt_id, 2)  # type: ignore[arg-type]
    assert await world.compare() == {(reference, "inquiry_missing")}


async def test_an_attempt_in_doubt_that_the_journal_names_is_of_another_kind(world: World) -> None:
    reference, attempt_id = await in_doubt(world, "unknown")
    await world.age(attempt_id, MINUTES + 1)  # type: ignore[arg-type]
    line = JournalLine(reference=reference, state="succeeded", amount_minor=AMOUNT)

    assert await world.compare(line) == {(reference, "attempt_unresolved")}


async def test_what_the_provider_has_to_know_is_missing_at_once(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("succeeded"))

    assert await world.compare() == {(started.reference, "journal_missing")}


@pytest.mark.parametrize("decline", ["never_received", "card_declined"])
async def test_an_attempt_that_ended_without_money_may_be_absent(
    world: World, decline: str
) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("failed", decline_code=decline))
    await world.age(started.attempt_id, MINUTES + 1)

    assert await world.compare() == set()
