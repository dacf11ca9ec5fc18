"""Vault and worker are killed around every step of a refund: it happened once or not at all.

After a kill of the vault the same call is repeated, as its caller does. A worker that died with a
refund in hand is followed by one that sends nothing: only an inquiry says what became of it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from portal.application.payment.submit import Intent, submit_payment
from portal.contract.refund import RefundView
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, member, new_counter, paid
from tests.make.vault import Ground
from tests.make.vault_process import vault_process
from tests.make.workshop import Workshop, a_workshop

POINTS = ("vault.before_commit", "vault.after_commit")
PART = 3000
APPROVE = "4242424242424242"
ANSWER_LOST = next(sum_ for sum_, fault in magic.REFUNDS.items() if fault == "answer_lost")


@dataclass(frozen=True)
class Scene:
    """A paid bill whose refund stands just before a step."""

    counter: Counter
    bill: UUID
    attempt: UUID
    refund: RefundView | None = None
    lease: Leased | None = None

    @property
    def asked(self) -> RefundView:
        assert self.refund is not None
        return self.refund

    @property
    def leased(self) -> Leased:
        assert self.lease is not None
        return self.lease


async def a_paid_bill(world: World) -> Scene:
    counter = await new_counter(world)
    return Scene(counter, *(await paid(world)))


async def to_approve(world: World) -> Scene:
    scene = await a_paid_bill(world)
    await scene.counter.limit(0)
    refund = await scene.counter.ask(scene.bill, scene.attempt, PART)
    scene.counter.owner = await member(world, "second")
    return replace(scene, refund=refund)


async def to_transfer(world: World) -> Scene:
    scene = await a_paid_bill(world)
    refund = await scene.counter.ask(scene.bill, scene.attempt, PART, way="bank_transfer")
    return replace(scene, refund=refund)


async def to_send(world: World) -> Scene:
    scene = await a_paid_bill(world)
    refund = await scene.counter.ask(scene.bill, scene.attempt, PART)
    return replace(scene, refund=refund, lease=await scene.counter.lease("payment.refund"))


async def in_submission(world: World) -> Scene:
    scene = await to_send(world)
    await scene.counter.begin(scene.leased)
    return scene


async def on_its_way(world: World) -> Scene:
    scene = await in_submission(world)
    assert await scene.counter.left(scene.leased) is None
    return scene


async def in_doubt(world: World) -> Scene:
    scene = await in_submission(world)
    await scene.counter.answered(scene.leased, "unknown", ref="")
    await scene.counter.age(scene.asked, 5)
    leases = [one for one in await world.leases() if one.kind == "payment.refund_inquire"]
    return replace(scene, lease=leases[0])


async def ask(scene: Scene) -> object:
    return await scene.counter.ask(scene.bill, scene.attempt, PART, idempotency_key="k")


async def approve(scene: Scene) -> object:
    return await scene.counter.decide(scene.asked)


async def transfer(scene: Scene) -> object:
    return await scene.counter.transferred(scene.asked, scene.asked.asked_at.date())


async def begin(scene: Scene) -> object:
    return await scene.counter.begin(scene.leased)


async def answer(scene: Scene) -> object:
    return await scene.counter.claimed(scene.leased, "unknown")


async def ask_in_vain(scene: Scene) -> object:
    return await scene.counter.claimed_found(scene.leased, "unclear")


async def hear(scene: Scene) -> object:
    told = {"status": "succeeded"}
    return await scene.counter.deposited(scene.leased, 201, told, is_answer=True)


def booked(cause: str) -> str:
    return f"select count(*) from ledger_transaction where cause = '{cause}'"  # noqa: S608 - our own words


@dataclass(frozen=True)
class Step:
    """One operation of a refund, and how many rows of its making there are once it happened."""

    operation: str
    before: Callable[[World], Awaitable[Scene]]
    act: Callable[[Scene], Awaitable[object]]
    made: str
    ends_task: bool = False


ASKED = "select asked from refund"
STEPS = (
    Step("request_refund", a_paid_bill, ask, booked("refund_reserved")),
    Step("decide_refund", to_approve, approve, booked("refund_reserved")),
    Step("record_transfer", to_transfer, transfer, booked("refund_transferred")),
    Step(
        "begin_refund",
        to_send,
        begin,
        "select count(*) from bill_event where code = 'refund.submitted'",
    ),
    Step(
        "record_refund_submission",
        in_submission,
        answer,
        "select count(*) from bill_event where code = 'refund.unclear'",
        ends_task=True,
    ),
    Step("record_refund_finding", in_doubt, ask_in_vain, ASKED, ends_task=True),
    Step("deposit_refund_answer", on_its_way, hear, booked("refund_succeeded")),
)


async def on(scene: Scene, world: World) -> Scene:
    """The same scene seen through another vault."""
    owner = replace(scene.counter.owner, world=world)
    return replace(scene, counter=replace(scene.counter, world=world, owner=owner))


async def killed(ground: Ground, scene: Scene, step: Step, point: str) -> None:
    """Run the step in a vault that dies at ``point``."""
    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": step.operation}
    async with vault_process(ground, **crash) as process:
        web, work, relay = [await ground.client(zone) for zone in ("web", "work", "egress")]
        world = replace(scene.counter.world, web=web, work=work, relay=relay)
        scene = await on(scene, world)
        scene.counter.codes_are_fresh = False
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await step.act(scene)
        assert await process.wait() == 137
        for caller in (web, work, relay):
            await caller.close()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.operation)
async def test_a_step_killed_at_its_commit_happens_once(
    ground: Ground, step: Step, point: str
) -> None:
    async with ground.vault() as server:
        scene = await step.before(await new_world(server, ground.client))
        await ground.close()

    await killed(ground, scene, step, point)

    async with ground.vault() as server:
        web, work, relay = [await ground.client(zone) for zone in ("web", "work", "egress")]
        world = replace(scene.counter.world, server=server, web=web, work=work, relay=relay)
        scene = await on(scene, world)
        happened = await world.value(step.made)
        assert happened == (1 if point == "vault.after_commit" else 0)

        if step.ends_task and happened:
            with pytest.raises(PortalError, match="lease_lost"):
                await step.act(scene)
        else:
            await step.act(scene)

        assert await world.value(step.made) == 1
        assert await world.value("select count(*) from refund") == 1
        assert await world.value("select coalesce(sum(amount_minor), 0) from ledger_entry") == 0


# --- the worker ---------------------------------------------------------------------------------
@dataclass
class Till:
    """A real worker, relay and company, and a refund that waits to be sent."""

    shop: Workshop
    world: World
    counter: Counter
    bill: UUID
    refund: RefundView

    def there(self) -> list[str]:
        return [one["status"] for one in self.shop.journal.refunds()]


@pytest.fixture
async def till(ground: Ground, vault: VaultServer) -> AsyncGenerator[Till]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        payer = await world.payer()
        away = await submit_payment(
            replace(shop.bench.pay, vault=shop.web),
            payer.authority,
            Intent(method="card", expected_minor=AMOUNT, key="k1"),
            "http://localhost:8080",
        )
        await shop.outside.pay(away.redirect_url or "", APPROVE)
        await world.told(payer, away.attempt.id, finding("succeeded"))
        counter = await new_counter(world)
        refund = await counter.ask(payer.bill_id, away.attempt.id, PART)
        yield Till(shop, world, counter, payer.bill_id, refund)


async def die(till: Till, point: str, kind: str) -> None:
    """A worker of its own takes a task of a kind that is due, and dies at the point."""
    job = next(job for job in await till.shop.hints() if job.kind == kind)
    del till.shop.heard[job.id]
    assert await till.shop.crash_at(point, job) == 137


@pytest.mark.parametrize(
    ("point", "there"), [("worker.before_refund", []), ("worker.after_refund", ["succeeded"])]
)
async def test_a_worker_that_died_with_a_refund_is_followed_by_questions_only(
    till: Till, point: str, there: list[str]
) -> None:
    await die(till, point, "payment.refund")
    # What its company answered the relay has told the vault before the worker heard of it.
    assert await till.counter.state(till.refund) == ("succeeded" if there else "submitting")
    assert till.there() == there

    # The lease runs out; the next worker takes the task up and must not send.
    await till.shop.be_due()
    await till.shop.work_off({"payment.refund"})
    assert till.there() == there
    for minutes in (2, 16, 2):
        await till.counter.age(till.refund, minutes)
        await till.shop.work_off({"payment.refund_inquire"})

    assert till.there() == there
    ended = "succeeded" if there else "failed"
    assert await till.counter.state(till.refund) == ended
    left = AMOUNT - PART if there else AMOUNT
    assert await till.world.books(till.bill) == {"billed": -left, "in_transit": left}


async def test_a_finding_whose_worker_died_is_the_relays_word_and_booked_once(till: Till) -> None:
    await till.counter.decide(till.refund, "withdraw")
    lost = await till.counter.ask(till.bill, till.refund.attempt_id, ANSWER_LOST)
    await till.shop.work_off({"payment.refund"})
    assert await till.counter.state(lost) == "unknown"
    await till.counter.age(lost, 2)

    await die(till, "worker.after_refund_inquiry", "payment.refund_inquire")
    assert await till.counter.state(lost) == "succeeded"
    await till.shop.be_due()
    await till.shop.work_off({"payment.refund", "payment.refund_inquire"})

    assert await till.counter.state(lost) == "succeeded"
    assert till.there() == ["succeeded"]
    assert await till.world.value(booked("refund_succeeded")) == 1
