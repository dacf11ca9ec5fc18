"""A part of a bill, where the merchant takes parts: what is left is what everything goes by."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from portal.contract.bills import (
    LIST_BILLS,
    SUMMARISE_BILLS,
    VIEW_BILL,
    BillDetail,
    BillFilter,
    ListBills,
    ViewBill,
)
from portal.contract.envelope import Nothing
from portal.contract.operator import JournalLine
from portal.contract.payment import START_PAYMENT, StartPayment
from portal.domain.chargeback import Taken, chargeback_owed_again, chargeback_taken
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.vault.attempt import lock_bill
from portal.vault.ledger import post, settle, sums_of
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, new_counter
from tests.make.slip_desk import line, new_slip_desk
from tests.make.vault import ClientFor

PART = 3_000
LEFT = AMOUNT - PART


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    made = await new_world(vault, client_for)
    await made.allow_parts(1_000)
    return made


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def view(counter: Counter, bill_id: Any) -> BillDetail:  # noqa: ANN401
    authority = counter.owner.authority
    return await counter.world.web.call(VIEW_BILL, ViewBill(bill_id=bill_id), authority)


async def test_a_part_leaves_the_rest_to_be_paid_and_the_rest_settles(world: World) -> None:
    payer = await world.payer()

    await world.paid_alone(payer, PART, part_minor=PART)
    between = await world.page(payer)
    await world.paid_alone(payer, LEFT, "rest")

    assert (between.state, between.amount_minor, between.left_minor) == ("open", AMOUNT, LEFT)
    assert between.pay_minor == LEFT
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert [code for code in await world.events(payer.bill_id) if code.startswith("bill.")] == [
        "bill.part_paid",
        "bill.paid",
    ]
    assert (await world.page(payer)).state == "paid"


async def test_the_journal_agrees_with_a_part_and_its_bill_stays_unpaid(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer, amount=PART, part_minor=PART)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("succeeded", PART))

    told = JournalLine(reference=started.reference, state="succeeded", amount_minor=PART)
    assert await world.compare(told) == set()
    assert await world.settlement(payer.bill_id) == "unpaid"


@pytest.mark.parametrize("part", [-1, 0, 1, 999, AMOUNT - 999, AMOUNT, AMOUNT + 1])
async def test_a_part_out_of_bounds_starts_nothing(world: World, part: int) -> None:
    payer = await world.payer()

    with pytest.raises(InvalidInput) as refused:
        await world.start(payer, amount=part, part_minor=part)

    assert refused.value.code == "part_out_of_bounds"
    assert refused.value.params == {"least": 1_000, "most": AMOUNT - 1_000}
    assert await world.value("select count(*) from attempt") == 0


async def test_a_merchant_that_takes_no_parts_refuses_them(world: World) -> None:
    payer = await world.payer()
    await world.allow_parts(None)

    with pytest.raises(Conflict, match="part_not_taken"):
        await world.start(payer, amount=PART, part_minor=PART)
    assert (await world.page(payer)).part is None


async def test_what_the_payer_saw_must_be_the_part(world: World) -> None:
    payer = await world.payer()

    with pytest.raises(Conflict, match="amount_changed"):
        await world.start(payer, amount=PART + 1, part_minor=PART)


async def test_after_a_part_the_whole_amount_is_refused_with_what_is_left(world: World) -> None:
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)

    with pytest.raises(Conflict) as refused:
        await world.start(payer, "again")

    assert refused.value.params == {"amount_minor": LEFT}


async def test_the_rest_is_paid_together_with_another_bill(world: World) -> None:
    contract = uuid4()
    one = await world.payer(contract=contract)
    two = await world.payer(contract=contract, amount=500)
    await world.paid_alone(one, PART, part_minor=PART)

    assert [other.amount_minor for other in (await world.page(two)).others] == [LEFT]
    await world.paid_alone(two, LEFT + 500, "both", also=(one.page_ref,))

    assert [await world.settlement(bill.bill_id) for bill in (one, two)] == ["settled"] * 2


async def test_a_part_that_comes_when_all_is_paid_is_owed_back(world: World) -> None:
    payer = await world.payer()
    desk = await new_slip_desk(world)
    digits = (await desk.show(payer)).digits
    started = await world.start(payer, amount=PART, part_minor=PART)
    await world.submitted(payer, started)
    await desk.told(line("confirmed", digits))

    await world.told(payer, started.attempt_id, finding("succeeded", PART))

    assert await world.settlement(payer.bill_id) == "over"
    assert (await world.books(payer.bill_id))["overpayment"] == -PART
    assert await world.cases() == ["overpaid"]


async def test_a_slip_after_a_part_is_over_what_is_left(world: World) -> None:
    payer = await world.payer()
    desk = await new_slip_desk(world)
    before = await desk.show(payer)
    await world.paid_alone(payer, PART, part_minor=PART)

    after = await desk.show(payer)
    await desk.told(line("confirmed", after.digits))

    assert (before.amount_minor, after.amount_minor) == (AMOUNT, LEFT)
    assert await world.settlement(payer.bill_id) == "settled"


async def test_a_decline_of_the_rest_is_told_on_the_page_whose_part_was_paid(world: World) -> None:
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)

    started = await world.web.call(
        START_PAYMENT,
        StartPayment(method="card", expected_minor=LEFT, idempotency_key="rest"),
        payer.authority,
    )
    await world.told(payer, started.attempt_id, finding("failed", decline_code="card_declined"))
    page = await world.page(payer)

    assert page.attempt is not None
    assert (page.state, page.attempt.state, page.left_minor) == ("declined", "failed", LEFT)


async def test_a_slip_made_out_before_a_part_and_paid_after_it_is_over_by_the_part(
    world: World,
) -> None:
    payer = await world.payer()
    desk = await new_slip_desk(world)
    digits = (await desk.show(payer)).digits
    await world.paid_alone(payer, PART, part_minor=PART)

    await desk.told(line("confirmed", digits))

    assert await world.settlement(payer.bill_id) == "over"
    assert (await world.books(payer.bill_id))["overpayment"] == -PART


async def test_a_slip_is_not_offered_for_a_part_or_for_several(world: World) -> None:
    payer = await world.payer()
    await new_slip_desk(world)

    page = await world.page(payer, part_minor=PART)

    offers = {offer.method: offer.reason for offer in page.methods}
    assert (offers["slip"], offers["card"]) == ("whole_only", None)


async def test_a_bank_debits_what_is_left_and_nothing_that_a_shared_payment_holds(
    world: World,
) -> None:
    desk = await new_desk(world)
    payer = await desk.debtor()
    held = await desk.bill_of(desk.mandates[0], 700)
    with_it = await desk.bill_of(desk.mandates[0], 800)
    await world.value(
        "with one as (update bill set contract_blind = $1 where id = any($2) returning 1)"
        " select count(*) from one", b"k" * 16, [held.bill_id, with_it.bill_id],
    )  # fmt: skip
    await world.paid_alone(payer, PART, part_minor=PART)
    await world.start(held, amount=1_500, also=(with_it.page_ref,))

    await desk.build()
    await desk.worked()

    lines = await world.rows("select bill_id, amount_minor from debit")
    assert [(row["bill_id"], row["amount_minor"]) for row in lines] == [(payer.bill_id, LEFT)]


async def test_staff_see_what_is_paid_and_left_in_lists_and_sums(counter: Counter) -> None:
    world = counter.world
    payer = await world.payer()
    await world.payer(amount=500)
    attempt = await world.paid_alone(payer, PART, part_minor=PART)
    await counter.ask(payer.bill_id, attempt, 400, reason="goodwill")
    await counter.sent("succeeded")

    request = ListBills(filter=BillFilter(), search=None, order="amount_desc", first=5, after=None)
    listed = await world.web.call(LIST_BILLS, request, counter.owner.authority)
    seen = await world.web.call(SUMMARISE_BILLS, Nothing(), counter.owner.authority)

    assert [(row.part_paid_minor, row.left_minor) for row in listed.bills] == [
        (PART, LEFT),
        (0, 500),
    ]
    assert (seen.paid_bills, seen.paid_minor, seen.returned_minor) == (0, PART, 400)
    assert (seen.unpaid_bills, seen.unpaid_minor) == (2, LEFT + 500)
    assert seen.requested_minor == seen.paid_minor + seen.unpaid_minor


async def test_a_refund_of_a_part_asks_for_nothing_again(counter: Counter) -> None:
    payer = await counter.world.payer()
    attempt = await counter.world.paid_alone(payer, PART, part_minor=PART)

    with pytest.raises(Conflict, match="refund_exceeds"):
        await counter.ask(payer.bill_id, attempt, PART + 1)
    await counter.ask(payer.bill_id, attempt, PART)
    await counter.sent("succeeded")

    assert await counter.world.settlement(payer.bill_id) == "unpaid"
    assert (await counter.world.page(payer)).left_minor == LEFT


async def test_only_a_real_least_of_a_known_merchant_can_be_set(world: World) -> None:
    with pytest.raises(InvalidInput, match="part_least"):
        await world.allow_parts(0)

    with pytest.raises(NotFound, match="merchant_unknown"):
        await replace(world, code="nobody").allow_parts(1)


async def test_a_bill_that_is_owed_again_as_a_whole_is_asked_for_as_a_whole(world: World) -> None:
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)
    attempt = await world.paid_alone(payer, LEFT, "rest")
    whole = Taken(cause_id=uuid4(), bill_id=payer.bill_id, attempt_id=attempt, amount_minor=AMOUNT)

    for book in (chargeback_taken, chargeback_owed_again):
        async with world.act() as act:
            bill = await lock_bill(act, payer.bill_id)
            await post(act, [book(whole)])
            await settle(act, bill.id, bill.settlement, await sums_of(act, bill.id))
    page = await world.page(payer)

    assert await world.settlement(payer.bill_id) == "unpaid"
    assert (page.left_minor, page.pay_minor) == (AMOUNT, AMOUNT)
