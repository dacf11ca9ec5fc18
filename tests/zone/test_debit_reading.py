"""A long answer is checked in steps and told in steps: all of it, or none of it, whatever dies."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from portal.contract.debit import BOOK_DEBITS, BookDebits, DebitFileView
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from portal.domain.ids import DebitFileId
from tests.make.bank import Desk, new_desk
from tests.make.debits import answer
from tests.make.money import new_world
from tests.make.vault import Ground
from tests.make.vault_process import vault_process

STEP = 1
"""Lines that are told in a step; twice as many are checked, and an answer of more is long."""

CODES = "01023"
STATES = ["succeeded", "nsf", "succeeded", "failed", "failed"]
TOLD = "select count(*) from debit where cause is not null"


@pytest.fixture
async def desk(ground: Ground) -> AsyncGenerator[Desk]:
    async with ground.vault(debit_step_lines=STEP) as server:
        yield await new_desk(await new_world(server, ground.client), lines_max=999_999)


async def sent_file(desk: Desk) -> tuple[DebitFileView, bytes, bytes]:
    """A file at the bank; its bytes, and a right answer to them in another order."""
    for _ in CODES:
        await desk.debtor()
    one, sent = await desk.at_bank()
    records = answer(sent, lambda place: CODES[place]).split(b"\r\n")
    records[1:6] = [records[place] for place in (4, 1, 2, 5, 3)]
    return one, sent, b"\r\n".join(records)


async def leased(desk: Desk) -> Leased:
    [lease] = [lease for lease in await desk.world.leases() if lease.kind == "debit.book"]
    return lease


async def step(desk: Desk, lease: Leased) -> bool:
    """One step of a worker; whether more may be left."""
    request = BookDebits(file_id=DebitFileId(lease.subject_id))
    return (await desk.world.work.call(BOOK_DEBITS, request, lease.authority)).remaining


async def states(desk: Desk) -> list[str]:
    async with desk.world.act() as act:
        rows = await act.db.fetch("select state from debit order by line_no")
    return [row["state"] for row in rows]


async def test_a_doubt_in_the_last_record_books_nothing_and_the_right_answer_still_comes(
    desk: Desk,
) -> None:
    one, _, right = await sent_file(desk)
    doubtful = right[:-260] + right[-260:].replace(b"000002", b"000001", 1)

    for _ in range(2):  # the same bytes again say the same
        said = await desk.read(one, doubtful)
        assert (said.state, said.lines, said.known) == ("checking", 0, False)
        lease = await leased(desk)
        assert await step(desk, lease)
        assert (await desk.seen(one)).checked_lines == 1  # and a header
        while await step(desk, lease):
            assert await desk.world.value(TOLD) == 0
        seen = await desk.seen(one)
        assert (seen.refused_result, seen.record_no) == ("trailer_done", 8)
        assert (seen.state, seen.checked_lines) == ("sending", None)
        assert await states(desk) == ["in_file"] * 5
        assert await desk.world.value("select count(*) from debit_result") == 0

    assert (await desk.read(one, right, key="first")).state == "checking"
    lease = await leased(desk)
    await step(desk, lease)
    # The same once more is the same; another one has to wait, and changes nothing.
    assert (await desk.read(one, right)).known
    meanwhile = await desk.read(one, doubtful)
    assert (meanwhile.state, meanwhile.reason) == ("refused", "answer_checking")
    assert (await desk.seen(one)).refused_result == ""
    told: list[int] = []
    while await step(desk, lease):
        told.append(await desk.world.value(TOLD))
        if told[-1] == 0:  # nothing is told before the whole was found right
            assert (await desk.seen(one)).outcomes.waiting == 5

    assert sorted(told) == told
    assert set(told) == set(range(6))
    assert await states(desk) == STATES
    assert (await desk.seen(one)).state == "answered"
    again = await desk.read(one, right)
    assert (again.state, again.known, again.lines, again.unknown) == ("booked", True, 5, 0)
    assert await desk.world.value("select count(*) from file_part where file_id <> $1", one.id) == 1


async def test_a_given_up_reading_makes_room_for_the_next_answer(desk: Desk) -> None:
    one, _, right = await sent_file(desk)
    await desk.read(one, right.replace(b"19100", b"19101", 1))
    async with desk.world.act() as act:
        await act.db.execute("delete from task where kind = 'debit.book' and next_at < now()")

    assert (await desk.read(one, right)).state == "checking"
    await desk.worked()

    assert await states(desk) == STATES


async def test_a_reading_whose_vault_is_killed_goes_on_behind_the_last_step(
    ground: Ground,
) -> None:
    async with ground.vault(debit_step_lines=STEP) as server:
        desk = await new_desk(await new_world(server, ground.client), lines_max=999_999)
        one, _, right = await sent_file(desk)
        await desk.read(one, right)
        lease = await leased(desk)
        await ground.close()

    crash = {
        "HARAI_CRASH_POINT": "vault.after_commit", "HARAI_CRASH_OPERATION": "book_debits",
        "PORTAL_VAULT_DEBIT_STEP_LINES": str(STEP),
    }  # fmt: skip
    async with vault_process(ground, **crash) as process:
        work = await ground.client("work")
        with pytest.raises(PortalError, match=r"vault_lost|vault_away"):
            await step(replace(desk, world=replace(desk.world, work=work)), lease)
        assert await process.wait() == 137
        await work.close()

    async with ground.vault(debit_step_lines=STEP) as server:
        world = replace(
            desk.world, server=server, work=await ground.client("work"),
            web=await ground.client("web"),
        )  # fmt: skip
        desk = replace(desk, world=world)
        assert (await desk.seen(one)).checked_lines == 1
        while await step(desk, lease):
            pass

        assert await states(desk) == STATES
        money = "select count(*) from ledger_transaction where cause = 'attempt_succeeded'"
        assert await world.value(money) == 2
