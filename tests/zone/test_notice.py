import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from portal.contract.payment import (
    RECORD_INQUIRY,
    RECORD_NOTICE,
    VIEW_INQUIRY,
    Finding,
    InquiryDue,
    NoticeClaim,
    RecordInquiry,
    RecordNotice,
    ViewInquiry,
)
from portal.contract.work import Leased
from portal.domain.errors import InvalidInput, NotFound
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import ClientFor


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


AT = datetime(2026, 11, 22, 1, tzinfo=UTC)
RAW = b'{"events":[{"id":"ev_1"}]}'


def claim(reference: str, said: str = "succeeded", notice_id: str = "ev_1") -> NoticeClaim:
    return NoticeClaim(
        notice_id=notice_id, subject="attempt", reference=reference, claim=said, at=AT
    )


async def notify(world: World, *claims: NoticeClaim, raw: bytes = RAW) -> int:
    request = RecordNotice(
        merchant_code=world.code, provider="sandbox_card", raw=raw, claims=claims
    )
    return (await world.web.call(RECORD_NOTICE, request)).fresh


async def away(world: World) -> tuple[Payer, UUID, str]:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    return payer, started.attempt_id, started.reference


async def planned_now(world: World, attempt_id: UUID) -> int:
    return await world.value(
        "select count(*) from task where subject_id = $1 and kind = 'payment.inquire'"
        " and lane = 'urgent' and next_at <= now()", attempt_id,
    )  # fmt: skip


async def test_a_notice_is_not_believed_but_followed_up_at_once(world: World) -> None:
    payer, attempt_id, reference = await away(world)

    fresh = await notify(world, claim(reference))

    assert fresh == 1
    assert await world.settlement(payer.bill_id) == "unpaid"
    assert await planned_now(world, attempt_id) == 1


async def test_a_second_identical_notice_changes_nothing(world: World) -> None:
    _, attempt_id, reference = await away(world)
    await notify(world, claim(reference))
    before = await world.value("select count(*) from task where subject_id = $1", attempt_id)

    assert [await notify(world, claim(reference)) for _ in range(5)] == [0] * 5

    assert await world.value("select count(*) from notice") == 1
    assert await world.value("select count(*) from notice_body") == 1
    assert await world.value("select count(*) from task where subject_id = $1",
                             attempt_id) == before  # fmt: skip


async def test_the_same_notice_twice_in_one_request_counts_once(world: World) -> None:
    _, _, reference = await away(world)

    assert await notify(world, claim(reference), claim(reference)) == 1


async def test_what_came_is_kept_sealed(world: World) -> None:
    _, _, reference = await away(world)
    raw = b'{"secret-looking":"\xe5\xb1\xb1\xe7\x94\xb0"}'

    await notify(world, claim(reference), raw=raw)

    [body] = await world.rows("select id, body from notice_body")
    assert raw not in body["body"]
    async with world.act() as act:
        fields = await act.fields()
        assert fields.open_bytes("notice_body", "document", body["id"], 1, body["body"]) == raw


async def test_a_forged_success_is_found_out_by_asking(world: World) -> None:
    payer, _, reference = await away(world)
    await notify(world, claim(reference, "succeeded"))

    async def truth(_: UUID) -> Finding:
        return finding("requires_action")

    assert await world.worked(truth) == 1
    assert await world.settlement(payer.bill_id) == "unpaid"
    assert (await world.page(payer)).state == "open"


async def test_a_forged_reference_is_kept_and_leads_nowhere(world: World) -> None:
    await away(world)
    before = await world.value("select count(*) from task")

    assert await notify(world, claim("0" * 26, notice_id="ev_forged")) == 1

    assert await world.value("select count(*) from task") == before


async def test_a_flood_of_forged_notices_causes_one_inquiry(world: World) -> None:
    _, attempt_id, reference = await away(world)
    before = await world.value("select count(*) from task where subject_id = $1", attempt_id)

    for number in range(30):
        await notify(world, claim(reference, notice_id=f"ev_{number}"))

    after = await world.value("select count(*) from task where subject_id = $1", attempt_id)
    assert after - before <= 2


CLAIMS = ("succeeded", "failed", "processing", "requires_action", "nonsense")


def storm(reference: str, number: int, chance: random.Random) -> list[NoticeClaim]:
    """Fifty claims in any order: new ones, those of two rounds before again, some about nothing
    of ours, all dated by a clock that is years off.
    """
    claims = [
        NoticeClaim(
            notice_id=f"ev_{said}_{number - copy % 3}",
            subject="attempt",
            reference=reference if copy else "0" * 26,
            claim=said,
            at=AT + timedelta(days=chance.randint(-9_000, 9_000)),
        )
        for said in CLAIMS
        for copy in range(10)
    ]
    return chance.sample(claims, len(claims))


async def test_a_thousand_notices_of_every_kind_cause_few_inquiries_and_one_booking(
    world: World,
) -> None:
    payer, attempt_id, reference = await away(world)
    chance = random.Random(7)  # noqa: S311 - the same storm every time
    asked = fresh = 0

    for number in range(20):

        async def truth(_: UUID, state: str = "succeeded" if number > 17 else "pending") -> Finding:
            return finding(state)

        claims = storm(reference, number, chance)
        for start in range(0, 50, 10):
            fresh += await notify(world, *claims[start : start + 10])
            asked += await world.worked(truth)
        await world.age(attempt_id, 0.1)  # six seconds: the next round may cause another inquiry

    assert fresh == await world.value("select count(*) from notice") == 5 * 22
    assert 10 <= asked <= 30, "one a round, and those of the attempt's own schedule"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == []
    off = await world.value("select paid_at - now() from bill where id = $1", payer.bill_id)
    assert abs(off) < timedelta(hours=1), "a provider's clock dates nothing of ours"


async def under_way(world: World) -> tuple[UUID, str, Leased]:
    """An inquiry has been begun: the provider is being asked."""
    _, attempt_id, reference = await away(world)
    await notify(world, claim(reference, "failed", "ev_1"))
    [lease] = await world.leases()
    assert not (await viewed(world, lease)).settled
    return attempt_id, reference, lease


async def viewed(world: World, lease: Leased) -> InquiryDue:
    request = ViewInquiry(attempt_id=lease.subject_id)  # type: ignore[arg-type]
    return await world.work.call(VIEW_INQUIRY, request, lease.authority)


async def booked(world: World, lease: Leased, found: str) -> None:
    await world.heard(lease.subject_id, finding(found))
    request = RecordInquiry(attempt_id=lease.subject_id, finding=finding(found))  # type: ignore[arg-type]
    await world.work.call(RECORD_INQUIRY, request, lease.authority)


async def test_a_notice_of_success_outlives_an_older_answer_that_ends_the_attempt(
    world: World,
) -> None:
    attempt_id, reference, lease = await under_way(world)
    await notify(world, claim(reference, "succeeded", "ev_2"))

    await booked(world, lease, "failed")
    await world.age(attempt_id, 0.1)
    [again] = await world.leases()
    assert not (await viewed(world, again)).settled
    await booked(world, again, "succeeded")

    state = await world.value("select state from attempt where id = $1", attempt_id)
    assert (state, await world.cases()) == ("succeeded", ["late_success"])


async def test_a_notice_about_an_ended_attempt_is_followed_up_until_there_is_an_answer(
    world: World,
) -> None:
    attempt_id, reference, lease = await under_way(world)
    await booked(world, lease, "failed")
    await world.age(attempt_id, 0.1)
    assert await world.leases() == [], "an attempt that ended by itself is not asked about"
    await notify(world, claim(reference, "succeeded", "ev_2"))
    await world.age(attempt_id, 0.1)

    [lease] = await world.leases()
    await booked(world, lease, "unclear")
    await world.age(attempt_id, 0.6)
    [again] = await world.leases()
    await booked(world, again, "succeeded")

    assert await world.value("select state from attempt where id = $1", attempt_id) == "succeeded"


async def test_a_notice_before_the_providers_answer_finishes_the_payment(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)

    await notify(world, claim(started.reference))

    async def truth(_: UUID) -> Finding:
        return finding("succeeded")

    assert await world.worked(truth) == 1
    late = await world.submitted(payer, started)
    assert late.attempt.state == "succeeded"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}


@pytest.mark.parametrize("order", [("failed", "succeeded"), ("succeeded", "failed")])
async def test_notices_out_of_order_end_in_the_truth(world: World, order: tuple[str, str]) -> None:
    payer, attempt_id, reference = await away(world)

    async def truth(_: UUID) -> Finding:
        return finding("succeeded")

    for number, said in enumerate(order):
        await notify(world, claim(reference, said, f"ev_{number}"))
        await world.worked(truth)
        await world.age(attempt_id, 1)

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_a_late_notice_about_a_failed_attempt_is_asked_about(world: World) -> None:
    payer, attempt_id, reference = await away(world)
    await world.told(payer, attempt_id, finding("failed"))

    await notify(world, claim(reference, "succeeded"))

    async def truth(_: UUID) -> Finding:
        return finding("succeeded")

    assert await world.worked(truth) == 1
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == ["late_success"]


async def test_a_notice_about_what_is_known_asks_for_nothing(world: World) -> None:
    payer, attempt_id, reference = await away(world)
    await world.told(payer, attempt_id, finding("succeeded"))
    before = await world.value("select count(*) from task")

    assert await notify(world, claim(reference, "succeeded")) == 1

    assert await world.value("select count(*) from task") == before


async def test_notices_for_nobody_are_refused(world: World) -> None:
    for code, provider, refusal in (
        ("nobody", "sandbox_card", "merchant_unknown"),
        (world.code, "someone_else", "provider_unknown"),
    ):
        request = RecordNotice(merchant_code=code, provider=provider, raw=RAW, claims=())
        with pytest.raises(NotFound, match=refusal):
            await world.web.call(RECORD_NOTICE, request)


@pytest.mark.parametrize("size", [256 * 1024, 256 * 1024 + 1])
async def test_a_notice_has_a_size_limit(world: World, size: int) -> None:
    raw = b"x" * size
    if size <= 256 * 1024:
        assert await notify(world, claim("R"), raw=raw) == 1
        return
    with pytest.raises(InvalidInput, match="notice_too_large"):
        await notify(world, claim("R"), raw=raw)


async def test_a_receipt_about_an_unknown_delivery_is_kept_and_changes_nothing(
    world: World,
) -> None:
    receipt = NoticeClaim(
        notice_id="r1", subject="delivery", reference=str(uuid4()), claim="delivered", at=AT
    )
    request = RecordNotice(
        merchant_code=world.code, provider="sandbox_sms", raw=RAW, claims=(receipt,)
    )

    assert (await world.web.call(RECORD_NOTICE, request)).fresh == 1
    assert (await world.web.call(RECORD_NOTICE, request)).fresh == 0


async def test_the_receipt_of_a_sent_message_moves_its_delivery(world: World) -> None:
    payer = await world.payer()
    delivery_id = await world.delivery(payer.bill_id, state="accepted")

    for said in ("delivered", "undelivered"):
        request = RecordNotice(
            merchant_code=world.code,
            provider="sandbox_sms",
            raw=RAW,
            claims=(
                NoticeClaim(
                    notice_id=f"r-{said}",
                    subject="delivery",
                    reference=delivery_id,
                    claim=said,
                    at=AT,
                ),
            ),
        )
        await world.web.call(RECORD_NOTICE, request)

    assert await world.value("select state from delivery") == "delivered"
