"""Whoever owns the worker or its queue: sees ids, writes nothing of their own, repeats nothing."""

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from portal.application.methods.registry import find_refunds
from portal.application.payment.submit import Intent, submit_payment
from portal.application.providers.exchange import RefundWanted
from portal.contract.bills import LIST_BILLS, BillFilter, ListBills
from portal.contract.client import VaultClient
from portal.contract.company_word import CompanyAsked
from portal.contract.intake import ACCEPT_CHUNK, AcceptChunk
from portal.contract.message import REDEEM_DELIVERIES, REPORT_AND_NEXT, ReportAndNext
from portal.contract.message import RedeemDeliveries as Redeem
from portal.contract.refund import (
    DEPOSIT_REFUND_ANSWER,
    DepositRefundAnswer,
    RefundView,
)
from portal.contract.work import EXTEND_LEASE, TAKE_LEASE, ExtendLease, Leased, TakeLease
from portal.domain.errors import Conflict, NotAllowed, PortalError
from portal.domain.ids import ChunkId, TaskId
from portal.domain.money import Money
from portal.kit.outbound import OutboundRequest
from portal.kit.outbound.wire import OutboundAnswer
from portal.sandbox import magic
from portal.vault.registry import REGISTRY
from portal.vault.server import VaultServer
from tests.make.money import finding, new_world
from tests.make.refunds import Counter, new_counter
from tests.make.vault import Ground
from tests.make.work_queue import a_queue, a_valkey, dump, serving, until
from tests.make.workshop import MERCHANT, Workshop, a_workshop, phones
from worker.queue import Job
from worker.tasks.run import run_job

SENDING = {"message.send_chunk"}
AMOUNT = 987_654
PAID = 8_420


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        yield made


async def lease(work: VaultClient, job: Job) -> Leased:
    request = TakeLease(task_id=TaskId(job.task_id), attempt=job.attempt, worker="owned")
    return await work.call(TAKE_LEASE, request)


def personal(shop: Workshop) -> list[bytes]:
    """What must be nowhere outside the vault, the relay and the phone."""
    rows = shop.texts()
    told = [str(row[name]) for row in rows for name in ("recipient", "body")]
    links = [row["body"].rpartition(f"/p/{MERCHANT}/")[2].split()[0] for row in rows]
    numbers = [f"0901{n:07}" for n in range(len(rows))]
    return [text.encode() for text in {*told, *links, *numbers, "山田", "987,654", "987654"}]


async def test_valkey_holds_no_name_number_amount_or_link(shop: Workshop, tmp_path: Path) -> None:
    await shop.issued(phones(40), amount=AMOUNT)
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        jobs = await shop.hints()
        await queue.offer(jobs)
        before = await dump(valkey)
        async with serving(queue, lambda job: run_job(shop.bench, job)):
            await until(lambda: len(shop.texts()) == 40)
            during = await dump(valkey)
            on_disk = [
                path.read_bytes() for path in (tmp_path / "valkey").rglob("*") if path.is_file()
            ]

    held = [*before, *before.values(), *during, *during.values(), *on_disk]
    task_id = str(jobs[0].task_id).encode()
    assert any(task_id in value for value in held), "the jobs were there"
    assert any(jobs[0].id.encode() in value for value in on_disk), "and on the disk"
    for secret in personal(shop):
        assert not any(secret in value for value in held), secret
    # Positive control: the same search finds them where they belong.
    phone = [str(row).encode() for row in shop.texts()]
    assert all(any(secret in text for text in phone) for secret in [b"987,654", b"+81901"])


async def test_job_forged_in_valkey_does_not_touch_its_task(shop: Workshop, tmp_path: Path) -> None:
    await shop.issued(phones(3))
    [job] = await shop.hints()
    plain = {"t": None, "f": job.kind, "a": (job.task_id, job.attempt), "k": {}, "et": 1}
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        async with serving(queue, lambda job: run_job(shop.bench, job)):
            async with Redis(unix_socket_path=str(valkey.socket)) as redis:
                body = bytes(32) + msgspec.msgpack.encode(plain)
                await redis.set(f"arq:job:{job.id}", body, px=60_000)
                await redis.zadd("harai:test:bulk", {job.id: int(time.time() * 1000)})
            await until(lambda: queue.refused() == 1)
            [task] = await shop.rows("select state, attempt from task")
            assert (task["state"], task["attempt"]) == ("open", job.attempt)
            assert shop.texts() == []

            # Positive control: the same job with its seal runs.
            await queue.offer([job])
            await until(lambda: len(shop.texts()) == 3)


async def test_job_kept_and_put_back_later_does_nothing(shop: Workshop, tmp_path: Path) -> None:
    await shop.issued(phones(3))
    [job] = await shop.hints()
    async with a_valkey(tmp_path) as valkey:
        queue = a_queue(valkey)
        await queue.offer([job])
        body = (await dump(valkey))[f"arq:job:{job.id}".encode()]
        ran: list[Job] = []

        async def run(job: Job) -> None:
            await run_job(shop.bench, job)
            ran.append(job)

        async with serving(queue, run):
            await until(lambda: len(ran) == 1)
            async with Redis(unix_socket_path=str(valkey.socket)) as redis:
                await redis.set(f"arq:job:{job.id}", body, px=60_000)
                await redis.zadd("harai:test:bulk", {job.id: int(time.time() * 1000)})
            await until(lambda: len(ran) == 2)

    assert queue.refused() == 0, "the seal is true, only its time has passed"
    assert shop.journal.message_counts()["effects"] == 3


def example(shape: type) -> Any:  # noqa: ANN401 - of whatever operation
    """Some request of an operation; authority is judged before its values are."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        for value in (0, "x", b"x", [], {}, None, "00000000-0000-7000-8000-000000000000"):
            try:
                values[field.name] = msgspec.convert(value, field.type, strict=False)
            except (msgspec.ValidationError, TypeError):
                continue
            break
    return shape(**values)


async def test_worker_can_call_none_of_the_others_operations(shop: Workshop) -> None:
    foreign = [entry for entry in REGISTRY.values() if "work" not in entry.callers]
    assert len(foreign) >= 20

    refused = 0
    for entry in foreign:
        try:
            request = example(entry.op.request)
        except TypeError:  # no example of its parts can be made up here
            continue
        for grant in (None, shop.staff):
            with pytest.raises(NotAllowed):
                await shop.bench.vault.call(entry.op, request, grant)
            refused += 1
    assert refused >= 2 * 20


async def test_stolen_session_of_staff_is_worth_nothing_in_the_worker(shop: Workshop) -> None:
    await shop.issued(phones(2))
    nothing = BillFilter()
    request = ListBills(filter=nothing, search=None, order="created_desc", first=10, after=None)

    with pytest.raises(NotAllowed):
        await shop.bench.vault.call(LIST_BILLS, request, shop.staff)

    assert len((await shop.web.call(LIST_BILLS, request, shop.staff)).bills) == 2


async def test_worker_cannot_redeem_what_it_sends(shop: Workshop) -> None:
    await shop.issued(phones(2))
    [job] = await shop.hints()
    leased = await lease(shop.bench.vault, job)
    take = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=2)
    part = await shop.bench.vault.call(REPORT_AND_NEXT, take, leased.authority)
    ids = tuple(route.delivery_id for route in part.deliveries)
    request = Redeem(host="sms.sandbox.test", delivery_ids=ids)

    for grant in (None, leased.authority):
        with pytest.raises(NotAllowed):
            await shop.bench.vault.call(REDEEM_DELIVERIES, request, grant)

    egress = await shop.ground.client("egress")
    redeemed = await egress.call(REDEEM_DELIVERIES, request)
    assert {one.to for one in redeemed.deliveries} == {"+819010000000", "+819010000001"}
    shown = msgspec.json.encode(part)
    assert not any(secret in shown for secret in (b"8190", "山田".encode(), b"8420", b"/p/"))


async def test_lease_covers_its_own_task_and_nothing_else(shop: Workshop) -> None:
    await shop.issued(phones(600))
    one, other = await shop.hints()
    first = await lease(shop.bench.vault, one)
    second = await lease(shop.bench.vault, other)

    foreign = ReportAndNext(chunk_id=ChunkId(second.subject_id), results=(), take=1)
    with pytest.raises(PortalError) as refused:
        await shop.bench.vault.call(REPORT_AND_NEXT, foreign, first.authority)
    assert refused.value.kind in {"not_found", "not_allowed"}
    chunk = AcceptChunk(import_id=first.subject_id, chunk_no=0)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        await shop.bench.vault.call(ACCEPT_CHUNK, chunk, first.authority)

    own = ReportAndNext(chunk_id=ChunkId(first.subject_id), results=(), take=1)
    assert len((await shop.bench.vault.call(REPORT_AND_NEXT, own, first.authority)).deliveries) == 1


async def test_worker_that_wakes_after_its_lease_writes_nothing_any_more(shop: Workshop) -> None:
    await shop.issued(phones(5))
    [job] = await shop.hints()
    asleep = await lease(shop.bench.vault, job)
    await shop.bench.vault.call(EXTEND_LEASE, ExtendLease(), asleep.authority)

    shop.heard.clear()
    await shop.be_due()
    [again] = await shop.hints()
    assert again.attempt == job.attempt + 1
    await lease(shop.bench.vault, again)

    for op, request in (
        (EXTEND_LEASE, ExtendLease()),
        (REPORT_AND_NEXT, ReportAndNext(chunk_id=ChunkId(asleep.subject_id), results=(), take=5)),
    ):
        with pytest.raises(Conflict) as lost:
            await shop.bench.vault.call(op, request, asleep.authority)  # type: ignore[arg-type]
        assert lost.value.code == "lease_lost"
    with pytest.raises(Conflict):
        await lease(shop.bench.vault, job)


async def test_worker_can_neither_word_a_message_nor_choose_who_gets_it(shop: Workshop) -> None:
    await shop.issued(phones(1))
    [job] = await shop.hints()
    leased = await lease(shop.bench.vault, job)
    take = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=1)
    [route] = (await shop.bench.vault.call(REPORT_AND_NEXT, take, leased.authority)).deliveries
    endpoint = shop.bench.send.endpoints["sandbox_sms"]
    good = {
        "to": "{{delivery:to}}",
        "from": "0005123456",
        "text": "{{delivery:body}}",
        "reference": route.key,
        "account": MERCHANT,
    }

    async def attempt(**changes: str) -> str:
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/messages",
            headers={
                "authorization": "Bearer {{credential:sandbox_sms}}",
                "content-type": "application/json",
            },
            body=msgspec.json.encode(good | changes).decode(),
            body_kind="json",
            delivery_id=route.delivery_id,
        )
        [answer] = await shop.bench.send.outbound.send([request])
        return f"{answer.status}" if answer.fate == "answered" else answer.code

    assert await attempt(text="振込先が変わりました https://evil.example") == "place_not_as_fixed"
    assert await attempt(to="+819099999999") == "place_not_as_fixed"
    assert await attempt(cc="+819099999999") == "field_not_allowed"
    assert shop.texts() == []

    assert await attempt() == "201"
    assert len(shop.texts()) == 1
    assert await attempt() == "delivery_refused"


async def test_log_of_a_worker_holds_nothing_personal(
    shop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    await shop.issued(phones(3))
    [job] = await shop.hints()
    assert await shop.crash_at("vault.after_commit", job) == 0, "a point that work never passes"

    logged = capfd.readouterr().err.encode()
    assert b"task.finished" in logged
    assert len(shop.texts()) == 3
    for secret in personal(shop):
        assert secret not in logged


async def test_call_without_any_authority_but_the_channels_own_reveals_no_row(
    shop: Workshop,
) -> None:
    small = [e for e in REGISTRY.values() if "work" in e.callers and "caller" in e.kinds]

    assert {entry.op.name for entry in small} == {"await_work", "take_lease"}
    assert all(entry.reveals == () for entry in small)
    with pytest.raises(NotAllowed):
        await shop.bench.vault.call(EXTEND_LEASE, ExtendLease())


# --- refunds ------------------------------------------------------------------------------------
async def a_refund(shop: Workshop, vault: VaultServer, sum_: int) -> tuple[Counter, RefundView]:
    """A bill that was really paid at the company, and a part of it to be given back."""
    world = await new_world(vault, shop.ground.client, "mizu")
    payer = await world.payer()
    desk = replace(shop.bench.pay, vault=shop.web)
    intent = Intent(method="card", expected_minor=PAID, key="k1")
    away = await submit_payment(desk, payer.authority, intent, "http://localhost:8080")
    await shop.outside.pay(away.redirect_url or "", "4242424242424242")
    await world.told(payer, away.attempt.id, finding("succeeded"))
    counter = await new_counter(world)
    return counter, await counter.ask(payer.bill_id, away.attempt.id, sum_)


async def test_worker_can_not_say_what_became_of_a_refund(
    shop: Workshop, vault: VaultServer
) -> None:
    """It has its real leases and its road to the company, whose answer to the refund is lost."""
    lost = next(sum_ for sum_, fault in magic.REFUNDS.items() if fault == "answer_lost")
    counter, refund = await a_refund(shop, vault, lost)
    adapter, endpoint = find_refunds("sandbox_card"), shop.bench.pay.endpoint("sandbox_card")
    send = shop.bench.pay.outbound.send

    async def asked(wanted: RefundWanted, **other: object) -> OutboundAnswer:
        """The relay asks the company, about this refund or, it is told, about this one."""
        request = adapter.inquire_refund(endpoint, replace(wanted, **other)).request  # type: ignore[arg-type]
        [answer] = await send([msgspec.structs.replace(request, about_refund=refund.id)])
        return answer

    async def next_question() -> Leased:
        await counter.age(refund, 20)
        return next(one for one in await counter.world.leases() if one.subject_id == refund.id)

    sending = await counter.lease("payment.refund")
    begun = await counter.begin(sending)
    wanted = RefundWanted(
        refund_id=refund.id, reference=begun.reference, provider_ref=begun.provider_ref,
        refund_reference=begun.refund_reference, amount=Money(begun.amount_minor),
        remaining=Money(begun.remaining_minor), account=begun.account,
    )  # fmt: skip
    # Asked before it left, while nothing can be known: not to be kept for later.
    assert (await asked(wanted)).status == 404
    assert await counter.state(refund) == "submitting"
    [answer] = await send([adapter.refund(endpoint, wanted).request])
    assert answer.fate == "unclear"

    lie = DepositRefundAnswer(
        host=endpoint.host, refund_id=refund.id, is_submission=True, status=422, age_ms=0,
        body=b'{"code":"refused"}',
        asked=CompanyAsked(method="POST", path="/v1/refunds", headers=(), body=""),
    )  # fmt: skip
    for grant in (None, sending.authority):
        with pytest.raises(NotAllowed):
            await counter.world.work.call(DEPOSIT_REFUND_ANSWER, lie, grant)
    said = await counter.claimed(sending, "refused", code="provider_refused")
    assert said.state == "unknown"
    for state in ("failed", "not_found", "not_found", "succeeded", "pending"):
        asking = await next_question()
        assert (await asked(wanted, refund_reference="another")).status == 404
        now = await counter.claimed_found(asking, state, refund.amount_minor)
        assert now.state == "unknown"
    # Nothing of it is free: what is given back once more is never more than what is left.
    with pytest.raises(Conflict, match="refund_exceeds"):
        await counter.ask(refund.bill_id, refund.attempt_id, PAID - lost + 1)
    assert await counter.world.cases() == []

    # Positive control: the company's own answer about this refund is believed, whoever asked.
    assert (await asked(wanted)).status == 200
    assert await counter.state(refund) == "succeeded"
    assert [one["status"] for one in shop.journal.refunds()] == ["succeeded"]
    assert await counter.world.books(refund.bill_id) == {
        "billed": lost - PAID, "in_transit": PAID - lost
    }  # fmt: skip
