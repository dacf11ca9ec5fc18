"""Giving money back at the wallet through the real relay: signed, sent once, then only asked."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import pytest

from portal.application.methods.registry import find_refunds
from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import finish_return
from portal.application.payment.refund import give_back
from portal.application.payment.submit import Intent, submit_payment
from portal.application.providers.exchange import RefundWanted
from portal.contract.operator import JournalLine, JournalRefund
from portal.domain.errors import Conflict
from portal.domain.money import Money
from portal.kit.outbound import Outbound
from portal.sandbox import magic
from portal.sandbox.wallet_journal import refund_told, state_of
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, new_world
from tests.make.refunds import Counter, new_counter
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop
from worker.tasks.run import run_job

ORIGIN = "http://localhost:8080"
WALLET = "sandbox_wallet"
AMOUNT_OF = {fault: amount for amount, fault in magic.REFUNDS.items()}


@dataclass
class Till:
    """A merchant's staff, a worker beside them, and a bill that was really paid by wallet."""

    shop: Workshop
    world: World
    counter: Counter
    desk: PayDesk
    bill: UUID
    attempt: UUID

    def there(self) -> list[tuple[int, str]]:
        """What the company has of refunds."""
        return [(one["amount"], one["status"]) for one in self.shop.journal.wallet.refunds()]

    async def ours(self) -> list[str]:
        """Our side."""
        rows = await self.world.rows("select state from refund order by id")
        return [row["state"] for row in rows]

    async def asked_again(self) -> None:
        """Let time pass, and the inquiries be made."""
        await self.shop.be_due()
        await self.shop.work_off({"payment.refund_inquire"})

    async def compare(self) -> set[tuple[str, str]]:
        """The company's journal against ours."""
        wallet = self.shop.journal.wallet
        lines = [
            JournalLine(reference=row["reference"], state=state_of(row), amount_minor=row["amount"])
            for row in wallet.codes()
        ]
        refunds = tuple(
            JournalRefund(
                reference=one["reference"], payment=one["payment"], state=one["state"],
                amount_minor=one["amount"],
            )
            for one in map(refund_told, wallet.refunds())
        )  # fmt: skip
        return await self.world.compare(*lines, provider=WALLET, refunds=refunds)


@pytest.fixture
async def till(ground: Ground, vault: VaultServer) -> AsyncGenerator[Till]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu", wallet=WALLET)
        desk = replace(shop.bench.pay, vault=shop.web)
        payer = await world.payer()
        intent = Intent(method="wallet", expected_minor=AMOUNT, key="k1")
        away = await submit_payment(desk, payer.authority, intent, ORIGIN)
        back = await shop.outside.press(away.redirect_url or "", "approve")
        code, token = back.removeprefix(f"{ORIGIN}/return/").split("/")
        await finish_return(desk, code, token)
        assert await world.settlement(payer.bill_id) == "settled"
        yield Till(
            shop, world, await new_counter(world), shop.bench.pay, payer.bill_id, away.attempt.id
        )


async def test_a_refund_reaches_the_wallet_and_the_books_once_the_wallet_says_so(
    till: Till,
) -> None:
    await till.counter.ask(till.bill, till.attempt, 3000, reason="goodwill")

    jobs = await till.shop.work_off({"payment.refund"})

    # The wallet takes a refund on and says later that it is done.
    assert (till.there(), await till.ours()) == ([(3000, "REFUNDED")], ["pending"])
    await till.asked_again()
    assert await till.ours() == ["succeeded"]
    assert await till.world.books(till.bill) == {
        "billed": -AMOUNT + 3000, "in_transit": AMOUNT - 3000
    }  # fmt: skip
    for job in jobs:
        await run_job(till.shop.bench, job)
    await till.asked_again()
    assert till.there() == [(3000, "REFUNDED")]
    assert await till.compare() == set()


@pytest.mark.parametrize(
    ("fault", "at_once", "later", "there"),
    [
        ("refused", "failed", "failed", []),
        ("answer_lost", "unknown", "succeeded", ["REFUNDED"]),
        ("slow", "pending", "succeeded", ["REFUNDED"]),
        ("slow_failed", "pending", "failed", ["FAILED"]),
    ],
)
async def test_each_way_to_go_wrong_ends_in_the_truth_and_is_sent_once(
    till: Till, fault: str, at_once: str, later: str, there: list[str]
) -> None:
    amount = AMOUNT_OF[fault]  # type: ignore[index]
    await till.counter.ask(till.bill, till.attempt, amount)

    await till.shop.work_off({"payment.refund"})
    assert await till.ours() == [at_once]
    await till.asked_again()

    assert await till.ours() == [later]
    assert till.there() == [(amount, state) for state in there]
    assert await till.world.value("select count(*) from task where kind = 'payment.refund'") == 0
    assert await till.compare() == set()


async def test_what_a_dead_worker_never_sent_is_asked_about_and_ends_without_money(
    till: Till,
) -> None:
    refund = await till.counter.ask(till.bill, till.attempt, 3000)
    assert (await till.counter.begin(await till.counter.lease("payment.refund"))).fresh

    for minutes in (16, 2):
        await till.counter.age(refund, minutes)
        await till.shop.work_off({"payment.refund_inquire"})

    assert (await till.ours(), till.there()) == (["failed"], [])
    assert await till.world.books(till.bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_a_second_refund_of_one_payment_is_refused_and_is_a_persons_work(till: Till) -> None:
    for amount in (3000, 1000):
        await till.counter.ask(till.bill, till.attempt, amount)
        await till.shop.work_off({"payment.refund"})
        await till.asked_again()

    assert await till.ours() == ["succeeded", "failed"]
    assert till.there() == [(3000, "REFUNDED")]
    assert await till.world.cases() == ["refund_failed"]
    assert await till.world.books(till.bill) == {
        "billed": -AMOUNT + 3000, "in_transit": AMOUNT - 3000
    }  # fmt: skip


async def test_a_payment_that_the_wallet_never_named_is_not_given_back_and_nothing_is_sent(
    till: Till,
) -> None:
    async with till.world.act() as act:
        await act.db.execute("update attempt set provider_ref = 'c-04-code'")
    await till.counter.ask(till.bill, till.attempt, 3000)

    await till.shop.work_off({"payment.refund"})

    assert (await till.ours(), till.there()) == (["failed"], [])
    assert await till.world.cases() == ["refund_failed"]


async def test_a_relay_that_is_away_lets_the_refund_wait_and_nothing_moves(till: Till) -> None:
    await till.counter.ask(till.bill, till.attempt, 3000)
    nowhere = replace(till.desk, outbound=Outbound(till.shop.ground.folder / "nothing"))
    lease = await till.counter.lease("payment.refund")

    now = await give_back(nowhere, lease.authority, lease.subject_id)  # type: ignore[arg-type]

    assert now is not None
    assert (now.state, till.there()) == ("reserved", [])


async def test_a_worker_that_was_taken_over_sends_no_other_refund_and_hides_none(
    till: Till,
) -> None:
    refund = await till.counter.ask(till.bill, till.attempt, 3000)
    lease = await till.counter.lease("payment.refund")
    begun = await till.counter.begin(lease)
    wanted = RefundWanted(
        refund_id=refund.id, reference=begun.reference, provider_ref=begun.provider_ref,
        refund_reference=begun.refund_reference, amount=Money(begun.amount_minor),
        remaining=Money(begun.remaining_minor), account=begun.account,
    )  # fmt: skip
    adapter, endpoint = find_refunds(WALLET), till.desk.endpoint(WALLET)
    honest = adapter.refund(endpoint, wanted).request
    forged = [
        adapter.refund(endpoint, replace(wanted, **other)).request  # type: ignore[arg-type]
        for other in (
            {"refund_reference": "01JD0000000000000000000002"},
            {"amount": Money(3001)},
            {"provider_ref": "p-03590000000000001234"},
            {"refund_id": UUID(int=5)},
        )
    ]
    forged.append(msgspec.structs.replace(honest, delivery_id=None))

    codes = [(await till.desk.outbound.send([one]))[0].code for one in forged]
    assert codes == [*4 * ["delivery_refused"], "delivery_missing"]
    assert till.there() == []
    [answer] = await till.desk.outbound.send([honest])
    [again] = await till.desk.outbound.send([honest])
    assert (answer.status, again.code) == (201, "delivery_refused")

    said = await till.counter.answered(lease, "refused", code="provider_busy")

    assert said.state == "pending"  # as the relay heard it
    with pytest.raises(Conflict, match="refund_state"):
        await till.counter.decide(refund, "withdraw")
    await till.asked_again()
    assert (await till.ours(), till.there()) == (["succeeded"], [(3000, "REFUNDED")])
    assert await till.compare() == set()
