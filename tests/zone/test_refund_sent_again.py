"""A refund whose company was away or busy: nothing was sent, so it is sent again, once a try."""

from datetime import timedelta

import pytest

from portal.domain.errors import PortalError
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, new_world
from tests.make.refunds import Counter, new_counter, paid
from tests.make.vault import ClientFor


@pytest.fixture
async def counter(vault: VaultServer, client_for: ClientFor) -> Counter:
    return await new_counter(await new_world(vault, client_for))


async def come_due(counter: Counter) -> None:
    """Let the task that sends again be due: what waiting does, without waiting."""
    async with counter.world.act() as act:
        await act.db.execute("update task set next_at = now() where kind = 'payment.refund'")


@pytest.mark.parametrize("code", ["provider_away", "provider_busy"])
async def test_what_was_not_sent_is_sent_again_and_goes_back_once(
    counter: Counter, code: str
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)

    assert await counter.sent("refused", ref="", code=code) == "reserved"
    assert not [one for one in await counter.world.leases() if one.kind == "payment.refund"]
    assert await counter.world.cases() == []

    await come_due(counter)
    assert await counter.sent("succeeded") == "succeeded"
    assert (await counter.of_bill(bill)).refunds[0].id == refund.id
    assert await counter.world.books(bill) == {}


async def test_only_the_submission_that_was_not_sent_can_say_so(counter: Counter) -> None:
    """Its second word, once another worker has begun, would free a refund that is on its way."""
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    first = await counter.lease("payment.refund")
    await counter.begin(first)
    await counter.answered(first, "refused", code="provider_away")
    await come_due(counter)
    second = await counter.lease("payment.refund")
    assert (await counter.begin(second)).fresh

    with pytest.raises(PortalError, match="lease_lost"):
        await counter.answered(first, "refused", code="provider_away")

    assert await counter.state(refund) == "submitting"
    assert not (await counter.begin(second)).fresh


async def test_it_can_be_withdrawn_while_it_waits(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    await counter.sent("refused", ref="", code="provider_away")

    assert (await counter.decide(refund, "withdraw")).state == "withdrawn"

    await come_due(counter)
    lease = await counter.lease("payment.refund")
    assert not (await counter.begin(lease)).fresh
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_after_a_day_it_fails_and_a_person_looks(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt)
    async with counter.world.act() as act:
        await act.db.execute(
            "update refund set asked_at = asked_at - $2::interval where id = $1",
            refund.id,
            timedelta(days=1),
        )

    assert await counter.sent("refused", ref="", code="provider_away") == "failed"

    assert await counter.world.cases() == ["refund_failed"]
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}
