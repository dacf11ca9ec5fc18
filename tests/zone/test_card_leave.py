"""How far the leave to charge a card goes: whose bills, which of them, and until when."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from portal.contract.card_on_file import REMOVE_CARD
from portal.contract.envelope import Nothing
from portal.contract.operator import SET_CARD_POLICY, SetCardPolicy
from portal.contract.payment import START_PAYMENT, DisputeFound, StartPayment
from portal.domain.card_on_file import words
from portal.vault.lost import ask_to_pay
from portal.vault.server import VaultServer
from tests.make.cards import CardDesk, a_card_desk
from tests.make.money import AMOUNT, finding
from tests.make.vault import Ground


@pytest.fixture
async def desk(ground: Ground, vault: VaultServer) -> AsyncGenerator[CardDesk]:
    async with a_card_desk(ground, vault) as found:
        yield found


async def test_who_takes_a_contract_over_neither_sees_nor_uses_the_card_of_who_had_it(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    # They have a card on file at the contract that they leave, and none at this one.
    before = await desk.payer(b"d" * 32, customer=b"y" * 16)
    await desk.pays(before)
    moved_in = await desk.payer(due=desk.day(20), customer=b"y" * 16)

    shown = (await desk.world.page(moved_in)).card
    said = await desk.world.web.call(REMOVE_CARD, Nothing(), moved_in.authority)
    await desk.live(desk.day(20))

    assert (shown, said.removed) == (None, False)
    assert await desk.cards() == ["active", "active"]
    assert await desk.charge(moved_in) is None
    assert await desk.world.settlement(moved_in.bill_id) == "unpaid"
    assert len(desk.at_company()) == 2


async def test_a_payment_under_way_enrols_no_card_that_its_payer_took_back_meanwhile(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    payer = await desk.payer()
    agreed = StartPayment(
        method="card", expected_minor=AMOUNT, idempotency_key="a", consent=words(0)
    )
    started = await desk.world.web.call(START_PAYMENT, agreed, payer.authority)

    said = await desk.world.web.call(REMOVE_CARD, Nothing(), payer.authority)
    told = finding("succeeded", saved_token="card_1", saved_customer="k")
    await desk.world.told(payer, started.attempt_id, told)

    assert (said.removed, await desk.cards()) == (True, ["revoked", "void"])


async def test_an_old_bill_that_is_given_more_time_is_still_no_bill_to_come(
    desk: CardDesk,
) -> None:
    old = await desk.payer(due=desk.day(-3), lifecycle="overdue")
    await desk.enrolled()
    await desk.world.rows(
        "insert into pause (merchant_id, id, bill_id, kind, until, was_due_on, placed_by,"
        " placed_at) values ($1, gen_random_uuid(), $2, 'extension', $3, $4, 'system', now())"
        " returning id",
        desk.world.merchant_id, old.bill_id, desk.day(8), desk.day(-3),
    )  # fmt: skip
    await desk.world.rows(
        "update bill set due_on = $2, lifecycle = 'open' where id = $1 returning id",
        old.bill_id, desk.day(8),
    )  # fmt: skip
    shown = (await desk.world.page(old)).card

    await desk.live(desk.day(8))

    assert shown is not None
    assert shown.charge_on is None
    assert await desk.charge(old) is None


async def test_what_was_contested_and_is_asked_for_again_is_not_charged_to_the_card(
    desk: CardDesk,
) -> None:
    payer = await desk.enrolled()
    attempt = await desk.world.value("select attempt_id from card_on_file")
    lost = DisputeFound(reference="d", state="lost", amount_minor=AMOUNT, taken_minor=AMOUNT)
    told = msgspec.structs.replace(finding("succeeded"), dispute=lost)
    await desk.world.told(payer, attempt, told)
    case_id = await desk.world.value("select id from case_ where kind = 'chargeback_lost'")
    async with desk.world.act() as act:
        await ask_to_pay(act, case_id, attempt)
    shown = (await desk.world.page(payer)).card

    await desk.live(await desk.world.value("select due_on from bill where id = $1", payer.bill_id))

    assert shown is not None
    assert shown.charge_on is None
    assert await desk.charge(payer) is None
    assert await desk.world.settlement(payer.bill_id) == "unpaid"
    assert len(desk.at_company()) == 1


async def test_a_payment_that_no_bank_stood_for_is_booked_and_a_persons_and_leaves_no_card(
    desk: CardDesk,
) -> None:
    world, short = desk.world, 0

    for place, (policy, result, is_accepted) in enumerate([
        ("attempted", "Y", True), ("attempted", "A", True), ("attempted", "", True),
        ("attempted", "U", False), ("attempted", "N", False), ("authenticated", "Y", True),
        ("authenticated", "A", False), ("authenticated", "", False), ("any", "N", True),
    ]):  # fmt: skip
        request = SetCardPolicy(merchant_code=world.code, policy=policy)  # type: ignore[arg-type]
        await world.operator.call(SET_CARD_POLICY, request)
        payer = await desk.payer(bytes([place]) * 32)
        wanted = StartPayment(
            method="card", expected_minor=AMOUNT, idempotency_key="a", consent=words(0)
        )
        started = await world.web.call(START_PAYMENT, wanted, payer.authority)
        told = finding("succeeded", saved_token="card_1", authentication=result)
        for _ in range(2):  # an answer that comes again opens nothing again
            await world.told(payer, started.attempt_id, told)

        short += not is_accepted
        assert await world.settlement(payer.bill_id) == "settled"
        assert await world.cases() == ["card_unauthenticated"] * short
        assert (await desk.cards())[-1] == ("active" if is_accepted else "awaited")


async def test_a_charge_needs_nobody_at_the_bank_under_the_strictest_policy(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    later = await desk.payer(due=desk.day(20))
    request = SetCardPolicy(merchant_code=desk.world.code, policy="authenticated")
    await desk.world.operator.call(SET_CARD_POLICY, request)

    await desk.live(desk.day(20))

    assert await desk.world.settlement(later.bill_id) == "settled"
    assert await desk.world.cases() == []
