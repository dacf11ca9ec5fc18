"""A bank's answer by the line: from the bank through the relay into the vault, and to nobody else.

begin_debit_fetch, open_debit_result, keep_debit_result and record_debit_fetch are each repeated
here, asked by the wrong one, and cut off in between.
"""

import hashlib
from collections.abc import AsyncGenerator
from datetime import timedelta

import msgspec
import pytest

from portal.application.providers.exchange import Endpoint
from portal.application.providers.sandbox_bank.line import LINE
from portal.contract.debit_fetch import (
    BEGIN_DEBIT_FETCH,
    KEEP_DEBIT_RESULT,
    OPEN_DEBIT_RESULT,
    RECORD_DEBIT_FETCH,
    BeginDebitFetch,
    DebitFetchBegun,
    KeepDebitResult,
    OpenDebitResult,
    RecordDebitFetch,
)
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from portal.domain.ids import DebitFileId, DeliveryId
from portal.kit.limits import FILE_PART_BYTES_MAX, RESULT_PARTS_MAX
from portal.sandbox.bank import answer
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.counter import Counter
from tests.make.days import Calendar
from tests.make.money import AMOUNT, new_world
from tests.make.vault import Ground
from tests.make.workshop import a_workshop

HOST = "bank.sandbox.test"
FETCH = {"debit.fetch"}
PARTS = "select count(*) from file_part p join debit_fetch f on f.id = p.file_id"


@pytest.fixture
async def counter(ground: Ground, vault: VaultServer) -> AsyncGenerator[Counter]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        yield Counter(shop, await new_desk(world, line="sandbox_bank"))


async def accepted(counter: Counter) -> DebitFileId:
    """A file that its bank took, on the day of the answer."""
    one = await counter.approved()
    await counter.shop.work_off({"debit.send"})
    assert (await counter.desk.seen(one)).state == "accepted"
    await counter.fetch_now()
    return one.id


async def state(counter: Counter) -> str:
    return await counter.desk.world.value("select state from debit_fetch")


async def begun(counter: Counter) -> tuple[Leased, DebitFetchBegun]:
    leases = await counter.desk.world.leases()
    lease = next(one for one in leases if one.kind == "debit.fetch")
    request = BeginDebitFetch(file_id=DebitFileId(lease.subject_id))
    world = counter.desk.world
    return lease, await world.work.call(BEGIN_DEBIT_FETCH, request, lease.authority)


async def test_an_answer_comes_by_the_line_and_is_booked(counter: Counter) -> None:
    desk = counter.desk
    rich, poor = await desk.debtor(), await desk.debtor(account_number="9990001")
    file_id = await accepted(counter)

    await counter.shop.work_off(FETCH)

    assert await state(counter) == "read"
    assert await desk.world.value(PARTS) == 1
    await counter.shop.work_off({"debit.book"})
    assert [await desk.debit_state(payer) for payer in (rich, poor)] == ["succeeded", "nsf"]
    assert await desk.world.books(rich.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    [file] = (await desk.listed()).files
    assert (file.id, file.state) == (file_id, "answered")
    # The same answer once more, by hand this time, is known.
    bank = counter.shop.journal.bank
    [kept] = [bank.file(row["reference"]) for row in bank.files()]
    assert kept is not None
    again = answer(kept["body"], [row["outcome"] for row in bank.lines()])
    assert (await desk.read(file, again)).known
    await counter.fetch_now()
    await counter.shop.work_off(FETCH)
    assert await desk.world.value("select tries from debit_fetch") == 1, "nobody asks any more"


async def test_an_answer_is_looked_for_on_its_day_and_not_sooner(counter: Counter) -> None:
    await counter.desk.debtor()
    one = await counter.approved()
    await counter.shop.work_off({"debit.send"})

    await counter.shop.work_off(FETCH)

    assert await state(counter) == "planned"
    [row] = await counter.shop.rows(
        "select t.next_at = f.since as is_then, f.since > now() as is_later"
        " from task t join debit_fetch f on f.file_id = t.subject_id where t.kind = 'debit.fetch'"
    )
    assert (row["is_then"], row["is_later"]) == (True, True)
    assert (await counter.desk.seen(one)).state == "accepted"


@pytest.mark.parametrize(("later", "found"), [(0, "planned"), (7, "read")])
async def test_a_clock_that_is_moved_past_the_answers_day_brings_it(
    counter: Counter, later: int, found: str
) -> None:
    desk = counter.desk
    await desk.debtor()
    one = await counter.approved()
    await counter.shop.work_off({"debit.send"})
    calendar, server = Calendar(desk.world), desk.world.server

    await calendar.move_to(one.debit_on + timedelta(days=later))
    await server.data.upkeep.begin_days()
    await counter.shop.work_off(FETCH)

    assert await state(counter) == found


async def test_the_worker_learns_how_long_an_answer_is_and_nothing_else(counter: Counter) -> None:
    await counter.desk.debtor()
    other = DeliveryId(await accepted(counter))
    _, first = await begun(counter)
    endpoint = Endpoint(host=HOST, port=counter.shop.outside.api_port)
    send = counter.shop.bench.pay.outbound.send
    wrong = LINE.fetch(endpoint, "0" * 32, first.fetch_id).request

    [elsewhere] = await send([wrong])
    [unknown] = await send([LINE.fetch(endpoint, first.reference, other).request])
    assert (elsewhere.fate, elsewhere.code) == ("not_sent", "place_not_as_fixed")
    assert (unknown.fate, unknown.code) == ("not_sent", "delivery_refused")
    await counter.fetch_now()
    _, asked = await begun(counter)
    right = LINE.fetch(endpoint, asked.reference, asked.fetch_id).request
    path = f"{wrong.path}?end=/{asked.reference}"
    [beside] = await send([msgspec.structs.replace(right, path=path)])
    assert (beside.fate, beside.code) == ("not_sent", "path_not_allowed"), "another's, by a query"
    await counter.fetch_now()
    _, second = await begun(counter)
    exchange = LINE.fetch(endpoint, second.reference, second.fetch_id)
    [told] = await send([exchange.request])
    [again] = await send([exchange.request])

    assert (told.status, told.headers) == (200, {})
    fetched = exchange.read(told)
    bank = counter.shop.journal.bank
    [kept] = [bank.file(row["reference"]) for row in bank.files()]
    assert kept is not None
    body = answer(kept["body"], [row["outcome"] for row in bank.lines()])
    assert (fetched.parts, fetched.sha256) == (1, hashlib.sha256(body).digest())
    assert b"1234567" not in told.body
    assert (again.fate, again.code) == ("not_sent", "delivery_refused"), "a try is good for one"


async def test_a_try_is_opened_once_by_the_relay_for_its_bank(
    counter: Counter, ground: Ground
) -> None:
    await counter.desk.debtor()
    await accepted(counter)
    relay = await ground.client("egress")
    _, first = await begun(counter)
    to_open = OpenDebitResult(host=HOST, fetch_id=first.fetch_id)
    part = KeepDebitResult(host=HOST, fetch_id=first.fetch_id, part_no=0, body=b"1")

    async def opened(request: OpenDebitResult) -> str | None:
        return (await relay.call(OPEN_DEBIT_RESULT, request)).refused

    async def kept(request: KeepDebitResult) -> str | None:
        return (await relay.call(KEEP_DEBIT_RESULT, request)).refused

    assert await kept(part) == "delivery_not_handed"
    assert await opened(OpenDebitResult(host="sms.sandbox.test", fetch_id=first.fetch_id)) == (
        "host_wrong"
    )
    assert [await opened(to_open), await opened(to_open)] == [None, "delivery_redeemed"]
    assert [await kept(part), await kept(part)] == [None, None], "the same part again"
    far = KeepDebitResult(host=HOST, fetch_id=first.fetch_id, part_no=RESULT_PARTS_MAX, body=b"1")
    assert await kept(far) == "file_too_large"
    with pytest.raises(PortalError):
        await counter.desk.world.work.call(OPEN_DEBIT_RESULT, to_open)
    await counter.fetch_now()
    lease, second = await begun(counter)
    assert await kept(part) == "delivery_unknown", "that try is over"
    assert await counter.desk.world.value("select count(*) from file_part where part_no = 0") == 1
    stale = RecordDebitFetch(
        file_id=DebitFileId(lease.subject_id), fetch_id=first.fetch_id, outcome="stored", code="",
        parts=1, sha256=hashlib.sha256(b"1").digest(),
    )  # fmt: skip
    call = counter.desk.world.work.call
    assert (await call(RECORD_DEBIT_FETCH, stale, lease.authority)).state == "accepted"
    assert second.fetch_id != first.fetch_id
    assert await state(counter) == "handed"


async def test_a_worker_can_not_have_anything_read_but_what_the_relay_put_in(
    counter: Counter, ground: Ground
) -> None:
    await counter.desk.debtor()
    file_id = await accepted(counter)
    lease, first = await begun(counter)
    relay = await ground.client("egress")
    await relay.call(OPEN_DEBIT_RESULT, OpenDebitResult(host=HOST, fetch_id=first.fetch_id))
    part = KeepDebitResult(host=HOST, fetch_id=first.fetch_id, part_no=0, body=b"half of it")
    await relay.call(KEEP_DEBIT_RESULT, part)

    told = RecordDebitFetch(
        file_id=file_id, fetch_id=first.fetch_id, outcome="stored", code="", parts=1,
        sha256=hashlib.sha256(b"all of it").digest(),
    )  # fmt: skip
    now = await counter.desk.world.work.call(RECORD_DEBIT_FETCH, told, lease.authority)

    assert now.state == "accepted"
    assert await state(counter) == "planned", "the next try is planned"
    [file] = (await counter.desk.listed()).files
    assert file.refused_result == ""


@pytest.mark.parametrize("is_long", [False, True])
async def test_a_doubtful_answer_is_a_persons_and_asked_for_again(
    counter: Counter, ground: Ground, *, is_long: bool
) -> None:
    await counter.desk.debtor()
    file_id = await accepted(counter)
    lease, first = await begun(counter)
    relay = await ground.client("egress")
    await relay.call(OPEN_DEBIT_RESULT, OpenDebitResult(host=HOST, fetch_id=first.fetch_id))
    body = b"no answer of a bank" * (130_000 if is_long else 1)
    starts = range(0, len(body), FILE_PART_BYTES_MAX)
    for part_no, start in enumerate(starts):
        piece = body[start : start + FILE_PART_BYTES_MAX]
        part = KeepDebitResult(host=HOST, fetch_id=first.fetch_id, part_no=part_no, body=piece)
        await relay.call(KEEP_DEBIT_RESULT, part)
    told = RecordDebitFetch(
        file_id=file_id, fetch_id=first.fetch_id, outcome="stored", code="", parts=len(starts),
        sha256=hashlib.sha256(body).digest(),
    )  # fmt: skip

    await counter.desk.world.work.call(RECORD_DEBIT_FETCH, told, lease.authority)
    if is_long:
        assert (await state(counter), await counter.desk.world.cases()) == ("read", [])
        await counter.shop.work_off({"debit.book"})

    assert await state(counter) == "planned"
    assert await counter.desk.world.cases() == ["task.debit.fetch"]
    assert await counter.desk.world.value(PARTS) == 0
    await counter.fetch_now()
    await counter.shop.work_off(FETCH)
    assert await state(counter) == "read", "the bank has put it right"


async def test_another_files_answer_ends_no_asking(counter: Counter, ground: Ground) -> None:
    payer = await counter.desk.debtor()
    file_id = await accepted(counter)
    lease, first = await begun(counter)
    relay = await ground.client("egress")
    await relay.call(OPEN_DEBIT_RESULT, OpenDebitResult(host=HOST, fetch_id=first.fetch_id))
    body = b"the answer to last month's file, read and booked then"
    part = KeepDebitResult(host=HOST, fetch_id=first.fetch_id, part_no=0, body=body)
    await relay.call(KEEP_DEBIT_RESULT, part)
    digest = hashlib.sha256(body)
    await counter.shop.rows(
        "insert into debit_result (merchant_id, sha256, file_id, part_file_id, parts, lines,"  # noqa: S608  constant text
        " unknown, unexpected, read_by, read_at)"
        f" select merchant_id, '\\x{digest.hexdigest()}', uuidv7(), uuidv7(), 1, 1, 0, 0, 'stf',"
        " now() from debit_file returning file_id"
    )
    told = RecordDebitFetch(
        file_id=file_id, fetch_id=first.fetch_id, outcome="stored", code="", parts=1,
        sha256=digest.digest(),
    )  # fmt: skip

    now = await counter.desk.world.work.call(RECORD_DEBIT_FETCH, told, lease.authority)

    assert (now.state, await state(counter)) == ("accepted", "planned")
    assert await counter.desk.world.cases() == ["task.debit.fetch"]
    await counter.fetch_now()
    await counter.shop.work_off(FETCH)
    await counter.shop.work_off({"debit.book"})
    assert await counter.desk.debit_state(payer) == "succeeded"


async def test_who_waits_too_long_for_an_answer_becomes_a_case(counter: Counter) -> None:
    await counter.desk.debtor()
    file_id = await accepted(counter)
    await counter.shop.rows("update debit_fetch set since = now() - interval '4 days' returning id")
    lease, first = await begun(counter)
    told = RecordDebitFetch(
        file_id=file_id, fetch_id=first.fetch_id, outcome="not_yet", code="not_found"
    )

    await counter.desk.world.work.call(RECORD_DEBIT_FETCH, told, lease.authority)

    assert await state(counter) == "by_hand"
    assert await counter.desk.world.cases() == ["task.debit.fetch"]


@pytest.mark.parametrize("point", ["worker.before_fetch", "worker.after_fetch"])
async def test_a_worker_that_dies_beside_an_answer_leaves_it_to_the_next_try(
    counter: Counter, point: str
) -> None:
    payer = await counter.desk.debtor()
    await accepted(counter)

    assert await counter.shop.crash_at(point, await counter.fetching_job()) == 137
    await counter.fetch_now()
    await counter.shop.work_off(FETCH)
    await counter.shop.work_off({"debit.book"})

    assert await state(counter) == "read"
    assert await counter.desk.debit_state(payer) == "succeeded"
    kept = "select count(*) from file_part where file_id <> (select id from debit_file)"
    assert await counter.desk.world.value(kept) == 1
