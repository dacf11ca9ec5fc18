"""Paying through the real relay at the real card company: one submission, then only questions."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import finish_return, inquire
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.payment import VIEW_ATTEMPT, AttemptNow, ViewAttempt
from portal.domain.errors import Conflict, NotFound
from portal.kit.outbound import Outbound
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop
from worker.tasks.run import run_job

ORIGIN = "http://localhost:8080"
APPROVE, DECLINE = "4242424242424242", "4000000000000002"
AMOUNT_OF = {fault: amount for amount, fault in magic.AMOUNTS.items()}


@dataclass
class Till:
    """A payer's world with a worker beside it."""

    shop: Workshop
    world: World
    desk: PayDesk

    async def press(self, payer: Payer, key: str = "k1", amount: int = AMOUNT) -> AttemptNow:
        intent = Intent(method="card", expected_minor=amount, key=key)
        return await submit_payment(self.desk, payer.authority, intent, ORIGIN)

    def sessions(self) -> list[dict[str, object]]:
        return self.shop.journal.payments()


@pytest.fixture
async def till(ground: Ground, vault: VaultServer) -> AsyncGenerator[Till]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        yield Till(shop, world, replace(shop.bench.pay, vault=shop.web))


async def come_back(till: Till, url: str) -> AttemptNow:
    code, token = url.removeprefix(f"{ORIGIN}/return/").split("/")
    back = await finish_return(till.desk, code, token)
    return await till.desk.vault.call(
        VIEW_ATTEMPT, ViewAttempt(attempt_id=back.attempt_id), back.authority
    )


async def test_a_payer_pays_and_comes_back_to_a_receipt(till: Till) -> None:
    payer = await till.world.payer()

    away = await till.press(payer)
    assert away.attempt.state == "requires_action"
    assert away.redirect_url is not None
    [session] = till.sessions()
    assert (session["amount"], session["account"]) == (AMOUNT, "mizu")
    assert session["reference"] == away.reference

    back = await come_back(till, await till.shop.outside.pay(away.redirect_url, APPROVE))
    assert (back.attempt.state, back.redirect_url) == ("succeeded", None)
    assert back.attempt.instrument_hint == "4242"
    assert await till.world.settlement(payer.bill_id) == "settled"


async def test_a_declined_card_may_be_tried_again_under_a_new_reference(till: Till) -> None:
    payer = await till.world.payer()
    first = await till.press(payer)
    back = await come_back(till, await till.shop.outside.pay(first.redirect_url or "", DECLINE))
    assert (back.attempt.state, back.attempt.decline_code) == ("failed", "card_declined")

    second = await till.press(payer, key="k2")

    assert second.reference != first.reference
    assert len(till.sessions()) == 2


async def test_twenty_clicks_open_one_session_at_the_company(till: Till) -> None:
    payer = await till.world.payer()

    pressed = await asyncio.gather(*(till.press(payer) for _ in range(20)), return_exceptions=True)

    assert len(till.sessions()) == 1
    told = [one for one in pressed if isinstance(one, AttemptNow)]
    assert len({one.attempt.id for one in told}) == 1
    assert len(told) == len(pressed)
    assert sum(one.redirect_url is not None for one in told) >= 1


@pytest.mark.parametrize(
    ("fault", "state", "code", "sessions"),
    [
        ("busy", "failed", "provider_busy", 0),
        ("error", "unknown", None, 0),
        ("answer_lost", "unknown", None, 1),
        ("never_received", "unknown", None, 0),
    ],
)
async def test_an_unclear_opening_is_unknown_and_never_submitted_again(
    till: Till, fault: str, state: str, code: str | None, sessions: int
) -> None:
    amount = AMOUNT_OF[fault]  # type: ignore[index]
    payer = await till.world.payer(amount=amount)

    now = await till.press(payer, amount=amount)
    again = await till.press(payer, amount=amount)

    assert (now.attempt.state, now.attempt.decline_code) == (state, code)
    assert again.attempt.id == now.attempt.id
    assert len(till.sessions()) == sessions
    if state == "unknown":
        with pytest.raises(Conflict) as refused:
            await till.press(payer, key="k2", amount=amount)
        assert refused.value.code == "attempt_running"


async def test_a_lost_answer_is_found_by_the_workers_inquiry(till: Till) -> None:
    amount = AMOUNT_OF["answer_lost"]
    payer = await till.world.payer(amount=amount)
    now = await till.press(payer, amount=amount)
    assert now.attempt.state == "unknown"

    await till.shop.be_due()
    await till.shop.work_off({"payment.inquire"})

    states = await till.world.rows("select state from attempt")
    assert [row["state"] for row in states] == ["requires_action"]


async def test_who_pays_and_never_comes_back_is_found_by_the_worker(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    await till.shop.outside.pay(away.redirect_url or "", APPROVE)

    await till.shop.be_due()
    jobs = await till.shop.work_off({"payment.inquire"})

    assert jobs
    assert await till.world.settlement(payer.bill_id) == "settled"
    for job in jobs:
        await run_job(till.shop.bench, job)
    assert await till.world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_a_relay_that_is_away_refuses_the_try_and_nothing_is_pending(till: Till) -> None:
    payer = await till.world.payer()
    nowhere = Outbound(till.shop.ground.folder / "nothing")
    cut_off = Till(till.shop, till.world, replace(till.desk, outbound=nowhere))

    now = await cut_off.press(payer)
    assert (now.attempt.state, now.attempt.decline_code) == ("failed", "provider_away")
    assert (await till.press(payer, key="k2")).attempt.state == "requires_action"


async def test_a_return_address_that_leads_nowhere_asks_nobody(till: Till) -> None:
    with pytest.raises(NotFound):
        await finish_return(till.desk, "mizu", "x" * 22)
    with pytest.raises(NotFound):
        await finish_return(till.desk, "nobody", "x" * 22)


async def test_an_attempt_that_is_over_needs_no_question(till: Till) -> None:
    payer = await till.world.payer()
    attempt = await till.world.paid(payer)
    await till.shop.be_due()
    leases = await till.world.leases()

    asked = [
        await inquire(till.shop.bench.pay, lease.authority, attempt)  # type: ignore[arg-type]
        for lease in leases
        if lease.subject_id == UUID(str(attempt))
    ]

    assert asked == [None]
    assert till.sessions() == []
