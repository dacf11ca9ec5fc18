"""The vault is killed around the commit of every step of a payment: it happened once or not at all.

After the kill the same call is repeated, as the application does when it hears "unknown" (keys and
findings may be repeated at will), and then everything must be as if nothing had been killed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from portal.contract.payment import (
    RECORD_NOTICE,
    AttemptStarted,
    Finding,
    NoticeClaim,
    RecordNotice,
)
from portal.domain.errors import PortalError
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

OTHER = 3_100
POINTS = ("vault.before_commit", "vault.after_commit")


@dataclass(frozen=True)
class Scene:
    """A payer whose attempt stands just before a step."""

    world: World
    payer: Payer
    started: AttemptStarted | None
    other: Payer | None = None

    @property
    def amount(self) -> int:
        return AMOUNT if self.other is None else AMOUNT + OTHER


async def ready(world: World) -> Scene:
    return Scene(world, await world.payer(), None)


async def in_submission(world: World) -> Scene:
    payer = await world.payer()
    return Scene(world, payer, await world.start(payer))


async def on_the_page(world: World) -> Scene:
    scene = await in_submission(world)
    assert scene.started is not None
    await world.submitted(scene.payer, scene.started)
    await world.know(scene.started.attempt_id, keep=True)
    return scene


async def two_ready(world: World) -> Scene:
    contract = uuid4()
    payer = await world.payer(contract=contract)
    other = await world.payer(contract=contract, amount=OTHER)
    return Scene(world, payer, None, other)


async def two_on_the_page(world: World) -> Scene:
    scene = await two_ready(world)
    started = await pressed(scene)
    await world.submitted(scene.payer, started)
    await world.know(started.attempt_id, keep=True)
    return replace(scene, started=started)


async def pressed(scene: Scene) -> AttemptStarted:
    also = () if scene.other is None else (scene.other.page_ref,)
    return await scene.world.start(scene.payer, amount=scene.amount, also=also)


async def start(scene: Scene) -> object:
    return await pressed(scene)


async def submit(scene: Scene) -> object:
    assert scene.started is not None
    return await scene.world.submitted(scene.payer, scene.started)


async def book(scene: Scene) -> object:
    assert scene.started is not None
    return await scene.world.told(
        scene.payer, scene.started.attempt_id, finding("succeeded", scene.amount, approval_no="A1")
    )


async def long_submitting(world: World) -> Scene:
    scene = await in_submission(world)
    assert scene.started is not None
    await world.age(scene.started.attempt_id, 5)
    await world.know(scene.started.attempt_id, keep=True)
    return scene


async def ask(scene: Scene) -> object:
    """The company was asked, and nobody heard it."""
    assert scene.started is not None
    return await scene.world.told(scene.payer, scene.started.attempt_id, finding("unclear"))


async def notify(scene: Scene) -> object:
    assert scene.started is not None
    claim = NoticeClaim(
        notice_id="ev_1",
        subject="attempt",
        reference=scene.started.reference,
        claim="succeeded",
        at=None,
    )
    request = RecordNotice(
        merchant_code=scene.world.code, provider="sandbox_card", raw=b"{}", claims=(claim,)
    )
    return await scene.world.web.call(RECORD_NOTICE, request)


@dataclass(frozen=True)
class Step:
    """One operation of a payment, and how many rows of its making there are once it happened."""

    operation: str
    before: Callable[[World], Awaitable[Scene]]
    act: Callable[[Scene], Awaitable[object]]
    made: str


STEPS = (
    Step("start_payment", ready, start, "select count(*) from attempt"),
    Step(
        "record_submission",
        in_submission,
        submit,
        "select count(*) from bill_event where code = 'payment.redirected'",
    ),
    Step(
        "deposit_payment_answer",
        on_the_page,
        book,
        "select count(*) from ledger_transaction where cause = 'attempt_succeeded'",
    ),
    Step("start_payment", two_ready, start, "select count(*) / 2 from attempt_share"),
    Step(
        "deposit_payment_answer",
        two_on_the_page,
        book,
        "select count(*) from ledger_transaction where cause = 'attempt_succeeded'",
    ),
    Step(
        "record_inquiry",
        long_submitting,
        ask,
        "select count(*) from attempt where state = 'unknown'",
    ),
    Step("record_notice", on_the_page, notify, "select count(*) from notice_body"),
)


async def killed(ground: Ground, scene: Scene, step: Step, point: str) -> None:
    """Run the step in a vault that dies at ``point``."""
    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": step.operation}
    async with vault_process(ground, **crash) as process:
        web, relay = await ground.client("web"), await ground.client("egress")
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await step.act(replace(scene, world=replace(scene.world, web=web, relay=relay)))
        assert await process.wait() == 137
        await web.close()
        await relay.close()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.operation}-{step.before.__name__}")
async def test_a_step_killed_at_its_commit_happens_once(
    ground: Ground, step: Step, point: str
) -> None:
    async with ground.vault() as server:
        scene = await step.before(await new_world(server, ground.client))
        await ground.close()

    await killed(ground, scene, step, point)

    async with ground.vault() as server:
        web, work, relay = [await ground.client(zone) for zone in ("web", "work", "egress")]
        world = replace(scene.world, server=server, web=web, work=work, relay=relay)
        scene = replace(scene, world=world)
        happened = await world.value(step.made)
        await step.act(scene)

        assert happened == (1 if point == "vault.after_commit" else 0)
        assert await world.value(step.made) == 1
        await finish(world, scene)


async def finish(world: World, scene: Scene) -> None:
    """The worker's inquiry ends it, whatever was killed: paid once, nothing left to do."""
    attempt_id: UUID = await world.value("select id from attempt")

    async def truth(_: UUID) -> Finding:
        return finding("succeeded", scene.amount)

    await world.age(attempt_id, 5)
    await world.worked(truth)

    for payer, amount in ((scene.payer, AMOUNT), (scene.other, OTHER)):
        if payer is None:
            continue
        assert await world.books(payer.bill_id) == {"billed": -amount, "in_transit": amount}
        assert await world.settlement(payer.bill_id) == "settled"
        assert (await world.events(payer.bill_id)).count("bill.paid") == 1
    assert await world.value("select count(*) from task") == 0
    assert await world.cases() == []
