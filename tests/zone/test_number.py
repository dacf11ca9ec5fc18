"""Numbers for convenience stores: one live number a bill, and nobody but the relay hears who pays.

All of it walks through one world a test: a merchant whose numbers GMO-PG makes.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from portal.contract.number import (
    REDEEM_PAYER,
    SET_NUMBER,
    NumberTerms,
    RedeemPayer,
    SetNumber,
    StoreNumber,
)
from portal.contract.page import PageView
from portal.contract.payment import (
    RECORD_NOTICE,
    AttemptStarted,
    Finding,
    NoticeClaim,
    RecordNotice,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound, PortalError
from portal.domain.ids import AttemptId
from portal.domain.number import WITHDRAW_AGAIN
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import Ground

HOST = "p01.mul-pay.test"
KANA = "ヤマダ\u3000ハナコ"


async def set_number(world: World, provider: str = "gmopg", code: str = "minato") -> str:
    request = SetNumber(merchant_code=code, provider=provider, hours="09:00-17:00")
    return (await world.operator.call(SET_NUMBER, request)).before


@pytest.fixture
async def world(ground: Ground, vault: VaultServer) -> World:
    world = await new_world(vault, ground.client)
    await set_number(world)
    return world


def number(world: World, days: float = 10) -> StoreNumber:
    return StoreNumber(
        store="lawson", receipt_no="20153671234", confirmation_no="580512",
        pay_by=world.server.clock.wall() + timedelta(days=days),
    )  # fmt: skip


async def chosen(
    world: World, payer: Payer, key: str = "k1", amount: int = AMOUNT
) -> AttemptStarted:
    return await world.start(payer, key, amount, method="number", store="lawson")


async def made(world: World, payer: Payer) -> UUID:
    started = await chosen(world, payer)
    told: Any = {"redirect_url": "", "number": number(world)}
    await world.submitted(payer, started, **told)
    return started.attempt_id


def asked(state: str, told: StoreNumber | None = None, **more: Any) -> Finding:  # noqa: ANN401
    return msgspec.structs.replace(finding(state, **more), number=told)


async def offered(world: World, payer: Payer) -> dict[str, str | None]:
    return {offer.method: offer.reason for offer in (await world.page(payer)).methods}


async def test_who_pays_is_told_to_the_relay_alone_once_and_for_its_company(
    world: World, ground: Ground
) -> None:
    payer = await world.payer(kana=KANA)
    relay = await ground.client("egress")
    started = await chosen(world, payer)
    assert started.number == NumberTerms(
        store="lawson", days=10, contact_name="みなと電力", contact_phone="0120-000-000",
        contact_hours="09:00-17:00",
    )  # fmt: skip
    honest = RedeemPayer(host=HOST, attempt_id=started.attempt_id)
    elsewhere = RedeemPayer(host="sms.sandbox.test", attempt_id=started.attempt_id)
    unknown = RedeemPayer(host=HOST, attempt_id=AttemptId(UUID(int=5)))

    refused = [(await relay.call(REDEEM_PAYER, one)).refused for one in (elsewhere, unknown)]
    for caller in (world.web, world.work):
        with pytest.raises(PortalError):
            await caller.call(REDEEM_PAYER, honest)
    given = await relay.call(REDEEM_PAYER, honest)
    refused.append((await relay.call(REDEEM_PAYER, honest)).refused)

    assert (given.name, given.kana, given.phone) == ("山田 花子", KANA, "09012345678")
    assert refused == ["host_wrong", "delivery_unknown", "delivery_redeemed"]
    seen = await world.rows(
        "select outcome, rows from audit where operation = 'redeem_payer' and rows > 0"
    )
    assert [row["rows"] for row in seen] == [1]


async def test_a_try_that_is_asked_about_or_a_bill_that_was_withdrawn_is_told_of_nobody(
    world: World, ground: Ground
) -> None:
    relay = await ground.client("egress")
    late, gone = await world.payer(kana=KANA), await world.payer(kana=KANA)
    first, second = await chosen(world, late), await chosen(world, gone)
    await world.rows("update attempt set state = 'unknown' where id = $1", first.attempt_id)
    await world.rows("update bill set lifecycle = 'canceling' where id = $1", gone.bill_id)

    for started in (first, second):
        reply = await relay.call(
            REDEEM_PAYER, RedeemPayer(host=HOST, attempt_id=started.attempt_id)
        )
        assert (reply.name, reply.refused) == ("", "not_due")


async def test_a_number_is_shown_until_it_is_paid_and_no_second_one_is_made(world: World) -> None:
    payer = await world.payer(kana=KANA)
    assert (await offered(world, payer))["number"] is None
    attempt_id = await made(world, payer)

    page = await world.page(payer)
    assert (page.state, page.attempt and page.attempt.number) == ("open", number_of(page))
    assert await offered(world, payer) == {"card": "attempt_elsewhere", "number": None}
    again = await chosen(world, payer, "k2")
    assert (again.fresh, again.attempt_id, again.number) == (False, attempt_id, None)
    with pytest.raises(Conflict, match="attempt_elsewhere"):
        await world.start(payer, "k3", method="card")

    # The company denies it, says nothing, and tells the number once more: it stays a number.
    for found in (asked("not_found"), asked("unclear"), asked("requires_action", number(world))):
        assert (await world.told(payer, attempt_id, found)).attempt.state == "requires_action"
    paid = await world.told(payer, attempt_id, asked("succeeded", provider_ref="p-1"))
    assert (paid.attempt.state, paid.attempt.number) == ("succeeded", None)
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.events(payer.bill_id) == [
        "payment.started", "payment.number_made", "payment.succeeded", "bill.paid",
    ]  # fmt: skip


def number_of(page: PageView) -> StoreNumber:
    shown = None if page.attempt is None else page.attempt.number
    assert shown is not None
    assert (shown.receipt_no, shown.confirmation_no) == ("20153671234", "580512")
    return shown


async def test_an_answer_that_was_lost_is_asked_for_and_brings_the_number(world: World) -> None:
    payer = await world.payer(kana=KANA)
    started = await chosen(world, payer)
    lost = await world.submitted(payer, started, outcome="unknown", code="timed_out")
    assert lost.attempt.state == "unknown"
    with pytest.raises(Conflict, match="attempt_running"):
        await chosen(world, payer, "k2")

    await world.told(payer, started.attempt_id, asked("requires_action", number(world)))

    assert number_of(await world.page(payer)).store == "lawson"


async def test_a_number_that_ran_out_frees_the_bill_and_money_after_that_is_a_persons_work(
    world: World,
) -> None:
    payer = await world.payer(kana=KANA)
    attempt_id = await made(world, payer)
    await world.age(attempt_id, 26 * 60)
    await world.told(payer, attempt_id, asked("requires_action"))
    assert await world.cases() == []  # a number is good for days, and nobody's work meanwhile

    await world.told(payer, attempt_id, asked("failed", decline_code="expired"))
    assert await offered(world, payer) == {"card": None, "number": None}
    await world.paid(payer, "by-card")
    await world.told(payer, attempt_id, asked("succeeded", provider_ref="p-1"))

    assert await world.cases() == ["late_success", "overpaid"]
    assert await world.books(payer.bill_id) == {
        "billed": -AMOUNT, "in_transit": 2 * AMOUNT, "overpayment": -AMOUNT,
    }  # fmt: skip


async def test_a_notice_has_the_company_asked_by_the_number_and_not_by_the_card(
    world: World,
) -> None:
    payer = await world.payer(kana=KANA)
    attempt_id = await made(world, payer)
    [row] = await world.rows("select reference from attempt where id = $1", attempt_id)
    claim = NoticeClaim(
        notice_id="n1", subject="attempt", reference=row["reference"], claim="succeeded", at=None
    )
    await set_number(world, "")  # the company that has the payment is heard all the same
    notice = RecordNotice(merchant_code="minato", provider="gmopg", raw=b"x", claims=(claim,))
    assert (await world.web.call(RECORD_NOTICE, notice)).fresh == 1

    async def truth(asked_id: UUID) -> Finding:
        assert asked_id == attempt_id
        return asked("succeeded", provider_ref="p-1")

    assert await world.worked(truth) == 1
    assert await world.settlement(payer.bill_id) == "settled"


async def test_a_number_that_no_company_withdraws_is_asked_about_every_ten_minutes_and_no_oftener(
    world: World,
) -> None:
    payer = await world.payer(kana=KANA)
    attempt_id = await made(world, payer)
    async with world.act() as act:
        await act.db.execute("update bill set lifecycle = 'canceling' where id = $1", payer.bill_id)

    old = 0.0

    async def stands(_asked_id: UUID) -> Finding:
        return asked("requires_action", number(world, 1 - old))

    # Days old, at each of which one that counts would be asked about after another pause.
    for days_more, goes_on in ((0, True), (0.04, True), (1, True), (8, True), (21, False)):
        old += days_more
        await world.age(attempt_id, days_more * 24 * 60)
        for _ in range(3 if goes_on else 1):
            await world.age(attempt_id, 10.1)
            assert await world.worked(stands) == 1
            waits = await world.rows(
                "select t.next_at, a.ask_at from task t join attempt a on a.id = t.subject_id"
                " where t.subject_id = $1", attempt_id,
            )  # fmt: skip
            assert len(waits) == goes_on, "no question is planned beside another"
            for wait in waits:
                in_s = (wait["next_at"] - world.server.clock.wall()).total_seconds()
                assert 0 < in_s <= WITHDRAW_AGAIN.total_seconds()
                assert wait["next_at"] == wait["ask_at"]
    assert set(await world.cases()) == {"attempt_unresolved"}  # a person has it by then

    # and money that its company tells of even later is owed back, and the cancel has ended
    [row] = await world.rows("select reference from attempt where id = $1", attempt_id)
    claim = NoticeClaim(
        notice_id="n1", subject="attempt", reference=row["reference"], claim="succeeded", at=None
    )
    notice = RecordNotice(merchant_code="minato", provider="gmopg", raw=b"x", claims=(claim,))
    assert (await world.web.call(RECORD_NOTICE, notice)).fresh == 1

    async def paid(_asked_id: UUID) -> Finding:
        return asked("succeeded", provider_ref="p-1")

    assert await world.worked(paid) == 1
    assert await world.books(payer.bill_id) == {"in_transit": AMOUNT, "overpayment": -AMOUNT}
    assert "overpaid" in await world.cases()


async def test_what_no_number_can_be_made_for_says_why_and_starts_nothing(world: World) -> None:
    unnamed, dear = await world.payer(), await world.payer(kana=KANA, amount=300_000)

    assert (await offered(world, unnamed))["number"] == "payer_unfit"
    assert (await offered(world, dear))["number"] == "amount_too_large"
    with pytest.raises(Conflict, match="payer_unfit"):
        await chosen(world, unnamed)
    with pytest.raises(Conflict, match="method_unavailable"):
        await chosen(world, dear, amount=300_000)
    fit = await world.payer(kana=KANA)
    with pytest.raises(InvalidInput, match="store_unknown"):
        await world.start(fit, method="number", store="corner_shop")
    assert await world.rows("select id from attempt") == []
    assert await world.rows("select id from store_order") == []

    started = await chosen(world, fit)
    card = StoreNumber(
        store="lawson", receipt_no="42424242424242", confirmation_no="",
        pay_by=world.server.clock.wall(),
    )  # fmt: skip
    told: Any = {"redirect_url": "", "number": card}
    with pytest.raises(InvalidInput, match="text_refused"):
        await world.submitted(fit, started, **told)


async def test_only_a_company_that_makes_numbers_can_be_a_merchants(world: World) -> None:
    for provider, code, refusal in (
        ("sandbox_card", "minato", "provider_unknown"), ("gmopg", "nobody", "merchant_unknown"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match=refusal):
            await set_number(world, provider, code)
    vague = SetNumber(merchant_code="minato", provider="gmopg", hours="always")
    with pytest.raises(InvalidInput, match="number_contact_unfit"):
        await world.operator.call(SET_NUMBER, vague)
    assert await set_number(world, "") == "gmopg"
    payer = await world.payer(kana=KANA)
    assert await offered(world, payer) == {"card": None}
    with pytest.raises(Conflict, match="method_unavailable"):
        await chosen(world, payer)
