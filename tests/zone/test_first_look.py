"""What a first reader broke by hand, against a real vault."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from portal.contract.intake import CREATE_IMPORT, PART_BYTES_MAX, CreateImport
from portal.contract.page import VIEW_PAGE
from portal.contract.payment import (
    RECORD_NOTICE,
    START_PAYMENT,
    VIEW_RETURN,
    NoticeClaim,
    RecordNotice,
    StartPayment,
    ViewReturn,
)
from portal.contract.share import ViewPage
from portal.contract.work import FAIL_TASK, FailTask
from portal.domain.errors import InvalidInput, NotAllowed
from portal.kit import limits
from portal.vault.operations.page import LINK_NEEDED
from portal.vault.server import VaultServer
from tests.make.intake import HEADER, Desk, csv, line, new_desk
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


def inside(desk: Desk) -> World:
    """The desk's merchant with a look into the tables."""
    return World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )


async def parts_of(desk: Desk, import_id: UUID) -> int:
    return await inside(desk).value(
        "select count(*) from file_part p join import i on i.file_id = p.file_id where i.id = $1",
        import_id,
    )


async def test_a_text_with_a_nul_is_the_senders_mistake(desk: Desk) -> None:
    request = CreateImport(filename="a.csv", size_bytes=None, idempotency_key="a\x00b")

    with pytest.raises(InvalidInput, match="text_refused"):
        await desk.web.call(CREATE_IMPORT, request, desk.staff)
    assert (await desk.create(key="ab")).state == "receiving"


async def test_nothing_is_kept_of_a_file_that_was_refused_as_a_whole(desk: Desk) -> None:
    made = await desk.upload(csv(line("E-1"), header=HEADER.replace("due_on", "x")))
    assert made.refused_code == "column_missing"
    assert await parts_of(desk, made.id) == 1

    await desk.work_off()

    assert await parts_of(desk, made.id) == 0
    assert (await desk.view(made.id)).state == "refused"


async def test_a_part_sent_again_after_its_import_ended_is_not_kept_anew(desk: Desk) -> None:
    body = csv(line("E-1"))
    made = await desk.upload(body)
    await desk.work_off()
    await desk.decide(made.id)
    await desk.work_off()
    assert await parts_of(desk, made.id) == 0

    assert len(body) < PART_BYTES_MAX
    assert await desk.store(made.id, 0, body) == len(body)

    assert await parts_of(desk, made.id) == 0


async def test_a_chunk_that_only_waits_for_its_provider_is_never_given_up(desk: Desk) -> None:
    await desk.issued(line("E-1"))
    (task,) = await inside(desk).rows(
        "select id, attempt from task where kind = 'message.send_chunk'"
    )
    for tried in range(limits.TASK_TRIES_MAX + 1):
        leased = await desk.lease(task["id"], task["attempt"] + tried)
        why = FailTask(code="provider_paused", retry_in_s=0.0)
        assert (await desk.work.call(FAIL_TASK, why, leased.authority)).gave_up is False

    assert await inside(desk).value("select tries from task where id = $1", task["id"]) == 0
    assert await inside(desk).cases() == []


async def test_who_returned_in_another_browser_is_told_to_open_the_link(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    request = ViewReturn(merchant_code=world.code, return_token=started.return_token)
    back = await world.web.call(VIEW_RETURN, request)
    await world.told(payer, started.attempt_id, finding("failed", decline_code="card_declined"))

    there = await world.web.call(VIEW_PAGE, ViewPage(), back.authority)
    here = await world.page(payer)

    assert [(offer.available, offer.reason) for offer in there.methods] == [(False, LINK_NEEDED)]
    assert [(offer.available, offer.reason) for offer in here.methods] == [(True, None)]
    again = StartPayment(method="card", expected_minor=AMOUNT, idempotency_key="key-2")
    with pytest.raises(NotAllowed):
        await world.web.call(START_PAYMENT, again, back.authority)


async def test_a_notice_behind_a_finding_that_is_being_booked_is_followed_up(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    claim = NoticeClaim(
        notice_id="ev_1", subject="attempt", reference=started.reference, claim="succeeded",
        at=datetime(2026, 11, 22, 1, tzinfo=UTC),
    )  # fmt: skip
    notice = RecordNotice(
        merchant_code=world.code, provider="sandbox_card", raw=b"{}", claims=(claim,)
    )
    due = "select count(*) from task where subject_id = $1 and next_at <= now()"
    before = await world.value(due, started.attempt_id)
    async with world.act() as act:  # a finding that asked too early ends the attempt just now
        await act.db.execute(
            "update attempt set state = 'failed', ask_at = null, version = version + 1"
            " where id = $1", started.attempt_id,
        )  # fmt: skip
        recording = asyncio.create_task(world.web.call(RECORD_NOTICE, notice))
        await asyncio.sleep(0.3)
        assert not recording.done()

    assert (await recording).fresh == 1
    assert await world.value(due, started.attempt_id) == before + 1
