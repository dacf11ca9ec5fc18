"""The vault is killed around every step of a transfer file: each happened once or not at all.

The same call is repeated afterwards, as its caller does: build_transfer_file, advance_transfer_file
(which fills, books and gives back), decide_transfer_file, take_out_transfer_file,
report_transfer_file and record_return.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from portal.contract.refund import RefundView
from portal.contract.transfer import TransferFileView
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from tests.make.money import new_world
from tests.make.transfers import PART, TransferDesk, new_transfer_desk
from tests.make.vault import Ground
from tests.make.vault_process import vault_process


@dataclass
class Scene:
    """A refund that stands just before a step of its transfer."""

    desk: TransferDesk
    refund: RefundView
    file: TransferFileView | None = None
    lease: Leased | None = None
    totp: str = ""

    @property
    def one(self) -> TransferFileView:
        assert self.file is not None
        return self.file


async def leased(scene: Scene) -> Scene:
    [lease] = [one for one in await scene.desk.world.leases() if one.kind == "transfer.advance"]
    return replace(scene, lease=lease)


async def to_build(desk: TransferDesk) -> Scene:
    return Scene(desk, await desk.refund())


async def to_fill(desk: TransferDesk) -> Scene:
    scene = await to_build(desk)
    return await leased(replace(scene, file=await desk.build()))


async def to_approve(desk: TransferDesk) -> Scene:
    scene = await to_build(desk)
    scene = replace(scene, file=await desk.sealed())
    await desk.owner.let_codes_be_fresh()
    return scene


async def to_take_out(desk: TransferDesk) -> Scene:
    scene = await to_approve(desk)
    await desk.rule(scene.one)
    return scene


async def to_report(desk: TransferDesk) -> Scene:
    scene = await to_take_out(desk)
    await desk.taken_out(scene.one)
    return scene


async def to_book(desk: TransferDesk) -> Scene:
    scene = await to_report(desk)
    await desk.report(scene.one, "accepted")
    await desk.worked()
    await desk.day_comes(scene.one)
    return await leased(scene)


async def to_release(desk: TransferDesk) -> Scene:
    scene = await to_report(desk)
    await desk.report(scene.one, "rejected")
    return await leased(scene)


async def to_return(desk: TransferDesk) -> Scene:
    scene = await to_build(desk)
    return replace(scene, file=await desk.gone())


async def build(scene: Scene) -> object:
    return await scene.desk.build(idempotency_key="k")


async def advance(scene: Scene) -> object:
    assert scene.lease is not None
    return await scene.desk.step(scene.lease)


async def approve(scene: Scene) -> object:
    return await scene.desk.rule_as_is(scene.one, key="k")


async def take_out(scene: Scene) -> object:
    return await scene.desk.taken_out(scene.one)


async def report(scene: Scene) -> object:
    return await scene.desk.report(scene.one, "accepted", key="k")


async def send_back(scene: Scene) -> object:
    return await scene.desk.come_back(scene.refund, key="k")


FILE = "select state from transfer_file"
REFUND = "select state from refund"
STEPS = {
    "build_transfer_file": (to_build, build, "select count(*)::text from transfer_file", "1"),
    "advance_transfer_file": (to_fill, advance, FILE, "sealed"),
    "decide_transfer_file": (to_approve, approve, FILE, "approved"),
    "take_out_transfer_file": (to_take_out, take_out, FILE, "sending"),
    "report_transfer_file": (to_report, report, FILE, "accepted"),
    "record_return": (to_return, send_back, REFUND, "by_bank_transfer"),
    "advance_transfer_file, booking": (to_book, advance, REFUND, "transferred"),
    "advance_transfer_file, giving back": (to_release, advance, REFUND, "by_bank_transfer"),
}
Step = tuple[
    Callable[[TransferDesk], Awaitable[Scene]], Callable[[Scene], Awaitable[object]], str, str
]


@pytest.mark.parametrize("point", ["vault.before_commit", "vault.after_commit"])
@pytest.mark.parametrize("name", STEPS)
async def test_a_step_killed_at_its_commit_happens_once(
    ground: Ground, name: str, point: str
) -> None:
    step: Step = STEPS[name]
    before, act, look, after = step
    operation = name.partition(",")[0]
    async with ground.vault() as server:
        desk = await new_transfer_desk(await new_world(server, ground.client))
        scene = await before(desk)
        await ground.close()

    async def from_now_on() -> Scene:
        web, work = await ground.client("web"), await ground.client("work")
        world = replace(desk.world, web=web, work=work)
        member = replace(desk.owner, world=world)
        counter = replace(desk.counter, world=world, owner=member)
        return replace(scene, desk=replace(desk, world=world, counter=counter))

    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": operation}
    async with vault_process(ground, **crash) as process:
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await act(await from_now_on())
        assert await process.wait() == 137
        await ground.close()

    async with ground.vault() as server:
        again = await from_now_on()
        again.desk.world.server = server
        world = again.desk.world
        happened = await world.value(look) == after
        assert happened == (point == "vault.after_commit")
        if happened and again.lease is not None:  # its task ended with it
            with pytest.raises(PortalError, match="lease_lost"):
                await act(again)
        else:
            await again.desk.owner.let_codes_be_fresh()
            await act(again)

        assert await world.value(look) == after
        lines = await world.value("select count(*) from transfer_line")
        assert lines == (0 if name == "build_transfer_file" else 1)
        gone = await world.value(
            "select coalesce(-sum(amount_minor), 0)::bigint from ledger_entry"
            " where account = 'advanced'"
        )
        assert gone == (PART if name == "advance_transfer_file, booking" else 0)
