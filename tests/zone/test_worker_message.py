"""Messages from the file to the phone: real vault, real relay, real companies at the other end."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop, phones
from worker.tasks.run import run_job
from worker.tasks.workbench import open_workbench

SENDING = {"message.send_chunk"}
LADDERS = {"message.advance_ladders"}  # a message that came back makes the next one due
NUMBER_OF = {fault: number for number, fault in magic.SMS.items()}


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        yield made


async def states(shop: Workshop) -> Counter[str]:
    rows = await shop.rows("select state, count(*) as n from delivery group by state")
    return Counter({row["state"]: row["n"] for row in rows})


async def until_states(shop: Workshop, **wanted: int) -> None:
    async with asyncio.timeout(60):
        while await states(shop) != Counter(wanted):  # noqa: ASYNC110 - the database knows
            await asyncio.sleep(0.1)


async def test_a_file_becomes_messages_at_the_carrier_once_each(shop: Workshop) -> None:
    import_id = await shop.issued(phones(230))
    await shop.work_off(SENDING)

    taken = shop.texts()
    assert len({row["reference"] for row in taken}) == len(taken) == 230
    assert {row["recipient"] for row in taken} == {f"+81901{n:07}" for n in range(230)}
    assert {row["sender"] for row in taken} == {"0005123456"}
    assert all("http://localhost:8080/p/minato/" in row["body"] for row in taken)
    assert (await shop.view(import_id)).rows_issued == 230
    assert await shop.hints() == []
    await until_states(shop, delivered=230)


async def test_each_way_in_which_a_carrier_fails_ends_where_it_should(shop: Workshop) -> None:
    faults = ["invalid", "undelivered", "busy_once", "down_once", "drop_after", "silent"]
    numbers = [NUMBER_OF[fault].replace("+81", "0") for fault in faults]  # type: ignore[index]
    await shop.issued([*numbers, *phones(3)])

    async with asyncio.timeout(30):
        while await shop.hints() or (await shop.rows("select 1 from task")):
            await shop.work_off(SENDING | LADDERS)
            await asyncio.sleep(0.2)
    # The dropped answer was unclear and only the carrier's own receipt settled it.
    await until_states(shop, failed=1, undelivered=1, accepted=1, delivered=6)

    taken = Counter(row["recipient"] for row in shop.texts())
    assert set(taken.values()) == {1}, "no one was told twice"
    assert NUMBER_OF["invalid"] not in taken
    codes = await shop.rows("select code from delivery where state = 'failed'")
    assert [row["code"] for row in codes] == ["invalid_number"]


async def test_same_job_again_does_nothing_twice(shop: Workshop) -> None:
    await shop.issued(phones(5))
    [job] = await shop.hints()

    await asyncio.gather(*(run_job(shop.bench, job) for _ in range(5)))
    await run_job(shop.bench, job)

    assert len(shop.texts()) == 5
    assert shop.journal.message_counts()["effects"] == 5


async def test_a_relay_that_is_away_costs_no_message_a_try(shop: Workshop) -> None:
    await shop.issued(phones(130))
    [job] = await shop.hints()
    nowhere = shop.settings.model_copy(update={"egress_socket": shop.ground.folder / "nothing"})

    async with open_workbench(nowhere, "cut-off", asyncio.Event()) as cut_off:
        await run_job(cut_off, job)
    assert shop.texts() == []
    assert (await shop.rows("select sum(tries) as n from delivery"))[0]["n"] == 0

    shop.heard.clear()
    await shop.be_due()
    await shop.work_off(SENDING)
    assert len(shop.texts()) == 130


async def test_a_worker_told_to_stop_reports_and_gives_the_rest_back(shop: Workshop) -> None:
    await shop.issued(phones(250))
    [job] = await shop.hints()
    shop.stop.set()

    await run_job(shop.bench, job)
    first = len(shop.texts())
    [task] = await shop.rows("select state, attempt, tries from task")
    assert first == 100, "the slice in hand was sent and reported, no more was taken"
    assert (task["state"], task["attempt"], task["tries"]) == ("open", 2, 0)

    shop.stop.clear()
    shop.heard.clear()
    await shop.be_due()
    await shop.work_off(SENDING)
    assert Counter(row["recipient"] for row in shop.texts()).most_common(1)[0][1] == 1
    assert len(shop.texts()) == 250


async def test_a_provider_nobody_configured_is_loud_and_loses_nothing(shop: Workshop) -> None:
    await shop.issued(phones(3))
    [job] = await shop.hints()
    unconfigured = shop.settings.model_copy(update={"provider_endpoints": ""})

    async with open_workbench(unconfigured, "unconfigured", asyncio.Event()) as bench:
        await run_job(bench, job)
    assert await states(shop) == Counter(handed=3)

    shop.heard.clear()
    await shop.be_due()
    await shop.work_off(SENDING)
    assert len(shop.texts()) == 3


@pytest.mark.parametrize(
    ("point", "sent", "ends"),
    [
        ("worker.after_lease", 0, {"delivered": 120}),
        ("worker.before_send", 0, {"delivered": 120}),
        ("worker.before_report", 100, {"delivered": 120}),
    ],
)
async def test_a_worker_that_dies_at_a_boundary_loses_and_doubles_nothing(
    shop: Workshop, point: str, sent: int, ends: dict[str, int]
) -> None:
    await shop.issued(phones(120))
    [job] = await shop.hints()

    assert await shop.crash_at(point, job) == 137
    assert len(shop.texts()) == sent

    shop.heard.clear()
    await shop.be_due()
    await shop.work_off(SENDING)
    await until_states(shop, **ends)
    taken = Counter(row["recipient"] for row in shop.texts())
    assert len(taken) == 120
    assert set(taken.values()) == {1}
