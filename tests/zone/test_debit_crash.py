"""The vault is killed around the steps of a debit file: each happened once or not at all.

The same call is repeated afterwards, as a worker does it: fill_debit_file and book_debits.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from portal.contract.debit import BOOK_DEBITS, FILL_DEBIT_FILE, BookDebits, FillDebitFile
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from tests.make.bank import Desk, new_desk
from tests.make.debits import answer
from tests.make.money import AMOUNT, World, new_world
from tests.make.vault import Ground
from tests.make.vault_process import vault_process


async def to_fill(desk: Desk) -> None:
    await desk.debtor()
    await desk.build()


async def to_book(desk: Desk) -> None:
    await desk.debtor()
    one, sent = await desk.at_bank()
    await desk.read(one, answer(sent, lambda _place: "0"))


async def step(world: World, lease: Leased) -> None:
    file_id: Any = lease.subject_id
    if lease.kind == "debit.fill":
        await world.work.call(FILL_DEBIT_FILE, FillDebitFile(file_id=file_id), lease.authority)
    else:
        await world.work.call(BOOK_DEBITS, BookDebits(file_id=file_id), lease.authority)


@pytest.mark.parametrize("point", ["vault.before_commit", "vault.after_commit"])
@pytest.mark.parametrize(
    ("operation", "before", "made"),
    [
        ("fill_debit_file", to_fill, "select lines from debit_file"),
        ("book_debits", to_book, "select count(*) from debit where state = 'succeeded'"),
    ],
)
async def test_a_step_of_a_file_killed_at_its_commit_happens_once(
    ground: Ground,
    operation: str,
    before: Callable[[Desk], Awaitable[None]],
    made: str,
    point: str,
) -> None:
    async with ground.vault() as server:
        desk = await new_desk(await new_world(server, ground.client))
        await before(desk)
        [lease] = await desk.world.leases()
        await ground.close()

    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": operation}
    async with vault_process(ground, **crash) as process:
        work = await ground.client("work")
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await step(replace(desk.world, work=work), lease)
        assert await process.wait() == 137
        await work.close()

    async with ground.vault() as server:
        world = replace(desk.world, server=server, work=await ground.client("work"))
        happened = await world.value(made)
        assert happened == (1 if point == "vault.after_commit" else 0)
        if happened and operation == "book_debits":  # its task ended with it
            with pytest.raises(PortalError, match="lease_lost"):
                await step(world, lease)
        else:
            await step(world, lease)

        assert await world.value(made) == 1
        assert await world.value("select count(*) from debit") == 1
        assert await world.value("select total_minor from debit_file") == AMOUNT
        money = await world.value(
            "select count(*) from ledger_transaction where cause = 'attempt_succeeded'"
        )
        assert money == (1 if operation == "book_debits" else 0)
