"""Giving money back through the real relay at the real card company: sent once, then only asked."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.refund import give_back, inquire_refund
from portal.application.payment.submit import Intent, submit_payment
from portal.kit.outbound import Outbound
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, new_counter
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop
from worker.tasks.run import run_job

ORIGIN = "http://localhost:8080"
APPROVE = "4242424242424242"
AMOUNT_OF = {fault: amount for amount, fault in magic.REFUNDS.items()}


@dataclass
class Till:
    """A merchant's staff, a worker beside them, and a bill that was really paid at the company."""

    shop: Workshop
    world: World
    counter: Counter
    desk: PayDesk
    bill: UUID
    attempt: UUID
    reference: str

    def refunds(self) -> list[tuple[int, str]]:
        """What the company has of refunds."""
        return [(one["amount"], one["status"]) for one in self.shop.journal.refunds()]

    async def states(self) -> list[str]:
        """Our side."""
        rows = await self.world.rows("select state from refund order by id")
        return [row["state"] for row in rows]

    async def asked_again(self) -> None:
        """Let time pass, and the inquiries be made."""
        await self.shop.be_due()
        await self.shop.work_off({"payment.refund_inquire"})


@pytest.fixture
async def till(ground: Ground, vault: VaultServer) -> AsyncGenerator[Till]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        desk = replace(shop.bench.pay, vault=shop.web)
        payer = await world.payer()
        intent = Intent(method="card", expected_minor=AMOUNT, key="k1")
        away = await submit_payment(desk, payer.authority, intent, ORIGIN)
        await shop.outside.pay(away.redirect_url or "", APPROVE)
        await world.told(payer, away.attempt.id, finding("succeeded"))
        yield Till(
            shop, world, await new_counter(world), shop.bench.pay,
            payer.bill_id, away.attempt.id, away.reference,
        )  # fmt: skip


async def test_a_refund_reaches_the_payer_and_the_books(till: Till) -> None:
    await till.counter.ask(till.bill, till.attempt, 3000, reason="goodwill")

    jobs = await till.shop.work_off({"payment.refund"})

    assert till.refunds() == [(3000, "succeeded")]
    assert await till.states() == ["succeeded"]
    assert await till.world.books(till.bill) == {
        "billed": -AMOUNT + 3000, "in_transit": AMOUNT - 3000
    }  # fmt: skip
    for job in jobs:
        await run_job(till.shop.bench, job)
    await till.asked_again()
    assert till.refunds() == [(3000, "succeeded")]


async def test_two_refunds_of_one_payment_are_two_at_the_company(till: Till) -> None:
    for amount in (3000, AMOUNT - 3000):
        await till.counter.ask(till.bill, till.attempt, amount)
        await till.shop.work_off({"payment.refund"})

    assert till.refunds() == [(3000, "succeeded"), (AMOUNT - 3000, "succeeded")]
    assert await till.world.books(till.bill) == {}


@pytest.mark.parametrize(
    ("fault", "at_once", "later", "there"),
    [
        ("refused", "failed", "failed", []),
        ("answer_lost", "unknown", "succeeded", ["succeeded"]),
        ("never_received", "unknown", "unknown", []),
        ("slow", "pending", "succeeded", ["succeeded"]),
        ("slow_failed", "pending", "failed", ["failed"]),
    ],
)
async def test_each_way_to_go_wrong_ends_in_the_truth_and_is_sent_once(
    till: Till, fault: str, at_once: str, later: str, there: list[str]
) -> None:
    amount = AMOUNT_OF[fault]  # type: ignore[index]
    await till.counter.ask(till.bill, till.attempt, amount)

    await till.shop.work_off({"payment.refund"})
    assert await till.states() == [at_once]
    await till.asked_again()

    assert await till.states() == [later]
    assert till.refunds() == [(amount, state) for state in there]
    assert await till.world.value("select count(*) from task where kind = 'payment.refund'") == 0


async def test_what_the_company_never_received_ends_without_money(till: Till) -> None:
    amount = AMOUNT_OF["never_received"]
    refund = await till.counter.ask(till.bill, till.attempt, amount)
    await till.shop.work_off({"payment.refund"})

    for minutes in (16, 2):
        await till.counter.age(refund, minutes)
        await till.shop.work_off({"payment.refund_inquire"})

    assert await till.states() == ["failed"]
    assert till.refunds() == []
    assert await till.world.books(till.bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_a_relay_that_is_away_lets_the_refund_wait_and_nothing_moves(till: Till) -> None:
    await till.counter.ask(till.bill, till.attempt, 3000)
    nowhere = replace(till.desk, outbound=Outbound(till.shop.ground.folder / "nothing"))
    lease = await till.counter.lease("payment.refund")

    now = await give_back(nowhere, lease.authority, lease.subject_id)  # type: ignore[arg-type]

    assert now is not None
    assert now.state == "reserved"
    assert till.refunds() == []
    due = "select count(*) from task where kind = 'payment.refund' and next_at > now()"
    assert await till.world.value(due) == 1


async def test_a_refund_that_somebody_has_begun_is_not_sent_again(till: Till) -> None:
    refund = await till.counter.ask(till.bill, till.attempt, 3000)
    lease = await till.counter.lease("payment.refund")
    assert (await till.counter.begin(lease)).fresh

    again = await give_back(till.desk, lease.authority, refund.id)

    assert again is None
    assert till.refunds() == []
    assert await till.states() == ["submitting"]


async def test_a_refund_that_is_over_needs_no_question(till: Till) -> None:
    refund = await till.counter.ask(till.bill, till.attempt, 3000)
    await till.shop.work_off({"payment.refund"})
    async with till.world.act() as act:
        await act.db.execute("update refund set ask_at = null")
    await till.counter.age(refund, 5)
    [lease] = [one for one in await till.world.leases() if one.subject_id == refund.id]

    assert await inquire_refund(till.desk, lease.authority, refund.id) is None
