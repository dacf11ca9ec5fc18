"""kill -9 of everything during imports, sending, payments by card and wallet, and refunds.

A stopped worker and a lost queue besides.

One stack for the module, faults on faults, and one comparison at its end: nothing lost, nothing
twice, whatever died.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from portal.contract.intake import PART_BYTES_MAX
from portal.stack.drill.asleep import sleep_through_lease
from portal.stack.drill.crash import PHASES, PROCESSES, kill_all
from portal.stack.drill.ground import Ground, ground
from portal.stack.drill.messages import lose_queue
from portal.stack.drill.traffic import File
from portal.stack.drill_file import drill_file

SEED = 20261122
ROWS = 200

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Ground]:
    async with ground(seed=SEED, rows=ROWS) as it:
        yield it


async def test_every_process_may_be_killed_while_files_go_in_messages_out_and_people_pay(
    place: Ground,
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a sequence to repeat
    killed = [await kill_all(place, phase, chance) for phase in PHASES]

    assert [set(order) for order in killed] == [set(PROCESSES)] * 3
    assert place.arms.kills == 3 * (len(PROCESSES) - 1)
    assert place.worker_deaths().count(-signal.SIGKILL) >= 1
    assert "paid" in place.traffic.payers.values()
    assert place.traffic.staff.taken >= 1


async def test_valkey_may_lose_all_it_has_while_messages_go_out(place: Ground) -> None:
    before = (await place.phone.journal()).messages.taken

    async with place.traffic.flowing(sends=2):
        await until_taken(place, before + 1)
        await lose_queue(place)
        assert not list((place.stack.layout.state / "valkey" / "data").glob("*.rdb"))
        await until_taken(place, before + ROWS)


async def test_a_worker_that_slept_through_its_lease_changes_nothing_when_it_wakes(
    place: Ground,
) -> None:
    async with place.traffic.flowing(sends=1):
        assert await sleep_through_lease(place)


async def test_a_cut_upload_goes_on_from_where_head_says_even_in_another_web_process(
    place: Ground,
) -> None:
    file = File(900, 9_000, drill_file(900, 9_000), "cut-upload")
    assert len(file.body) > PART_BYTES_MAX
    file.import_id, address = await place.merchant.open_import(
        "drill-900.csv", len(file.body), file.key
    )

    async def broken_off() -> AsyncIterator[bytes]:
        yield file.body[: PART_BYTES_MAX + 1000]
        await until_offset(address, PART_BYTES_MAX)
        raise ConnectionAbortedError

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        with pytest.raises(ConnectionAbortedError):
            await client.put(address, content=broken_off())
    await place.stack.kill("web")
    place.traffic.files.append(file)
    await until_offset(address, PART_BYTES_MAX)
    await place.desk.hand_in(file)

    assert await place.desk.state(file) == ("CHECKED", 9_000)


async def test_the_same_file_sent_twice_at_once_creates_nothing_twice(place: Ground) -> None:
    body = drill_file(901, 1_000)
    twins = [File(901, 1_000, body, f"twin-{number}") for number in (1, 2)]

    await asyncio.gather(*(place.desk.hand_in(twin) for twin in twins))
    for twin in twins:
        _, twin.rows = await place.desk.state(twin)
    place.traffic.files += twins

    assert twins[0].import_id != twins[1].import_id
    assert sum(twin.rows for twin in twins) == 1_000


async def test_after_all_of_it_nothing_is_lost_doubled_or_left(place: Ground) -> None:
    found = await place.settle()

    assert found.faults == []
    assert (found.lost, found.doubled, found.differences) == (0, 0, [])
    assert (found.ledger_sum, found.audit_ok, found.cases) == (0, True, 0)
    assert found.bills == sum(file.rows for file in place.traffic.files)
    sent = sum(file.rows for file in place.traffic.files if file.is_sent)
    assert found.messages + found.ambiguous == sent
    paid = sum(seen == "paid" for seen in place.traffic.payers.values())
    assert found.payments >= paid
    given_back = [ask for ask in place.traffic.staff.notebook if ask.answer == "taken"]
    assert found.refunds <= len(given_back)
    journal = await place.phone.journal()
    assert {payment.provider for payment in journal.payments} == {"sandbox_card", "sandbox_wallet"}
    assert place.arms.strays == []


async def until_taken(place: Ground, messages: int) -> None:
    """Wait until the carriers have so many messages."""
    async with asyncio.timeout(120):
        while (await place.phone.journal()).messages.taken < messages:  # noqa: ASYNC110 - outside
            await asyncio.sleep(0.1)


async def until_offset(address: str, offset: int) -> None:
    """Wait until HEAD says that so many bytes are safe."""
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            head = await client.head(address)
            if head.headers.get("upload-offset") == str(offset):
                return
            await asyncio.sleep(0.1)
