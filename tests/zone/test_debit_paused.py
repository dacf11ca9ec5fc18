"""A bank is not asked for what the merchant has agreed not to ask for."""

from datetime import date, timedelta

import pytest

from portal.contract.pause import PLACE_PAUSE, RELEASE_PAUSE, PlacePause, ReleasePause
from portal.vault.server import VaultServer
from tests.make.bank import Desk, new_desk
from tests.make.money import Payer, new_world
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(await new_world(vault, client_for))


async def pause(desk: Desk, payer: Payer, kind: str, until: date | None) -> None:
    request = PlacePause(
        bill_id=payer.bill_id,
        kind=kind,  # type: ignore[arg-type]
        until=until,
        note="",
        idempotency_key=desk.key(),
    )
    await desk.world.web.call(PLACE_PAUSE, request, desk.owner.authority)


async def test_a_bill_that_is_held_or_promised_is_in_no_file(desk: Desk) -> None:
    day = desk.debit_on
    held, promised, released, plain = [await desk.debtor() for _ in range(4)]
    await pause(desk, held, "hold", None)
    await pause(desk, promised, "promise", day - timedelta(days=1))
    await pause(desk, released, "hold", day)
    release = ReleasePause(bill_id=released.bill_id, idempotency_key=desk.key())
    await desk.world.web.call(RELEASE_PAUSE, release, desk.owner.authority)

    one = await desk.build()
    await desk.worked()

    assert (await desk.seen(one)).count == 2
    lines = {row["bill_id"] for row in await desk.world.rows("select bill_id from debit")}
    assert lines == {payer.bill_id for payer in (released, plain)}
    assert (await desk.world.start(held)).fresh, "who wants to pay a held bill may"
