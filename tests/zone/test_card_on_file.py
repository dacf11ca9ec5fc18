"""A card on file, through the real relay at the card company: left once, charged on its day."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from portal.application.providers import sandbox_card
from portal.application.providers.exchange import ChargeWanted
from portal.contract.bills import VIEW_BILL, ViewBill
from portal.contract.card_on_file import (
    BEGIN_CHARGE,
    CHOOSE_CHARGES,
    RECORD_CHARGE,
    REDEEM_INSTRUMENT,
    REMOVE_BILL_CARD,
    REMOVE_CARD,
    BeginCharge,
    ChargeBegun,
    ChooseCharges,
    RecordCharge,
    RedeemInstrument,
    RemoveBillCard,
)
from portal.contract.envelope import Nothing
from portal.contract.payment import START_PAYMENT, StartPayment
from portal.contract.work import TAKE_LEASE, Leased, TakeLease
from portal.domain.card_on_file import words
from portal.domain.errors import Conflict, InvalidInput, NotFound, PortalError
from portal.domain.ids import AttemptId, BillId, CardChargeId, TaskId
from portal.domain.money import Money
from portal.kit.outbound import Outbound
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.cards import CHARGES, CONTRACT, EMPTY, EXPIRED, GOOD, CardDesk, a_card_desk
from tests.make.money import AMOUNT, Payer, finding
from tests.make.vault import Ground, add_staff, signed_in
from worker.queue import Job
from worker.tasks.run import run_job

AMOUNT_OF = {fault: amount for amount, fault in magic.AMOUNTS.items()}
ONE = timedelta(days=1)


@pytest.fixture
async def desk(ground: Ground, vault: VaultServer) -> AsyncGenerator[CardDesk]:
    async with a_card_desk(ground, vault) as found:
        yield found


async def next_bill(desk: CardDesk, amount: int = AMOUNT, days: int = 20) -> Payer:
    return await desk.payer(due=desk.day(days), amount=amount)


async def leased(desk: CardDesk, job: Job) -> Leased:
    taking = TakeLease(task_id=TaskId(job.task_id), attempt=job.attempt, worker="test")
    return await desk.world.work.call(TAKE_LEASE, taking)


# --- leaving a card -----------------------------------------------------------------------------


async def test_a_card_that_its_payer_agreed_to_leave_pays_the_next_bill_on_its_day(
    desk: CardDesk,
) -> None:
    first = await desk.enrolled()
    second = await next_bill(desk)
    due = desk.day(20)

    await desk.live(due - ONE)
    assert await desk.charge(second) is None
    page = await desk.world.page(second)
    await desk.live(due)

    assert page.card is not None
    assert (page.card.brand, page.card.hint, page.card.charge_on) == ("Sandbox", "4242", due)
    assert [await desk.world.settlement(one.bill_id) for one in (first, second)] == ["settled"] * 2
    assert desk.at_company() == [(AMOUNT, "succeeded")] * 2
    assert (await desk.world.page(second)).state == "paid"
    assert "card.enrolled" in await desk.world.events(first.bill_id)


async def test_a_card_is_kept_only_of_the_payment_that_its_payer_agreed_with(
    desk: CardDesk,
) -> None:
    payer = await desk.payer()
    await desk.pays(payer, consent="")
    later = await next_bill(desk)

    await desk.live(desk.day(20))

    assert await desk.cards() == []
    assert await desk.world.settlement(later.bill_id) == "unpaid"


@pytest.mark.parametrize(
    ("days_before", "consent", "refusal"),
    [
        (None, words(0), Conflict),
        (0, "0.0", InvalidInput),
        (0, "2.0", InvalidInput),
        (5, words(0), InvalidInput),
    ],
)
async def test_leave_that_nobody_asked_for_is_refused(
    desk: CardDesk, days_before: int | None, consent: str, refusal: type[Exception]
) -> None:
    await desk.keep_cards(days_before)
    payer = await desk.payer()

    with pytest.raises(refusal):
        await desk.pays(payer, consent=consent)

    assert (await desk.cards(), desk.at_company()) == ([], [])


async def test_the_last_word_about_keeping_a_card_counts(desk: CardDesk) -> None:
    payer, other = await desk.payer(), await desk.payer()
    agreed = StartPayment(
        method="card", expected_minor=AMOUNT, idempotency_key="a", consent=words(0)
    )
    started = await desk.world.web.call(START_PAYMENT, agreed, payer.authority)
    again = await desk.world.web.call(START_PAYMENT, agreed, payer.authority)
    await desk.world.start(other, "b")

    told = finding("succeeded", saved_token="card_1", saved_customer="k")
    await desk.world.told(payer, started.attempt_id, told)

    assert (started.card_id is not None, again.fresh, again.card_id) == (True, False, None)
    assert await desk.cards() == ["void"]


async def test_a_success_that_is_told_again_enrols_nothing_more(desk: CardDesk) -> None:
    payer = await desk.enrolled()
    attempt = await desk.world.value("select attempt_id from card_on_file")
    before = await desk.world.rows("select * from card_on_file")

    told = finding("succeeded", saved_token="card_2", saved_customer="x")
    await desk.world.told(payer, attempt, told)

    assert await desk.world.rows("select * from card_on_file") == before
    assert (await desk.world.events(payer.bill_id)).count("card.enrolled") == 1


async def test_a_new_card_takes_the_place_of_the_contracts_old_one(desk: CardDesk) -> None:
    await desk.enrolled(EMPTY)
    await desk.enrolled(GOOD)
    await desk.enrolled(EMPTY, contract=b"o" * 32)
    later = await next_bill(desk)

    await desk.live(desk.day(20))

    assert await desk.cards() == ["replaced", "active", "active"]
    assert await desk.world.value("select instrument from card_on_file order by id limit 1") is None
    assert await desk.world.settlement(later.bill_id) == "settled"


async def test_what_its_company_calls_a_card_is_stored_sealed(desk: CardDesk) -> None:
    await desk.enrolled()

    kept = desk.shop.journal.cards.of_payment(desk.shop.journal.payments()[0]["id"])
    blob = await desk.world.value("select instrument from card_on_file")

    assert kept is not None
    assert kept["id"].encode() not in blob
    assert b"4242" not in blob


# --- which bills --------------------------------------------------------------------------------


async def test_only_bills_to_come_of_the_contract_are_charged_and_each_once(
    desk: CardDesk,
) -> None:
    old = await desk.payer(due=desk.day(-3))
    today = await desk.payer(due=desk.day(0))
    await desk.enrolled()
    bills = {
        "old": old,
        "today": today,
        "due": await desk.payer(due=desk.day(3)),
        "later": await desk.payer(due=desk.day(9)),
        "foreign": await desk.payer(b"f" * 32, due=desk.day(3)),
        "scheduled": await desk.payer(due=desk.day(3), lifecycle="scheduled"),
        "canceled": await desk.payer(due=desk.day(3), lifecycle="canceled"),
    }

    await desk.live(desk.day(3))
    await desk.live(desk.day(1))

    charged = {name for name, one in bills.items() if await desk.charge(one) is not None}
    assert charged == {"due"}
    assert len(desk.at_company()) == 2


async def test_a_bill_is_charged_so_many_days_before_it_is_due_as_its_payer_read(
    desk: CardDesk,
) -> None:
    await desk.keep_cards(5)
    await desk.enrolled()
    await desk.keep_cards(9)
    later = await desk.payer(due=desk.day(20))

    await desk.live(desk.day(14))
    before = await desk.charge(later)
    await desk.live(desk.day(1))

    assert before is None
    assert await desk.world.settlement(later.bill_id) == "settled"


async def test_what_was_paid_by_hand_between_choosing_and_charging_is_not_charged(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    paid, begun = await next_bill(desk), await next_bill(desk)
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})
    await desk.world.paid(paid)
    await desk.world.start(begun)

    await desk.shop.work_off({"charge.send"})

    assert await desk.charge(paid) == ("left_out", "not_payable")
    assert await desk.charge(begun) == ("left_out", "attempt_running")
    assert len(desk.at_company()) == 1


async def test_a_held_bill_waits_and_is_charged_when_the_hold_has_ended(desk: CardDesk) -> None:
    await desk.enrolled()
    later = await next_bill(desk)
    until = desk.day(22)
    await desk.world.rows(
        "insert into pause (merchant_id, id, bill_id, kind, until, placed_by, placed_at) values"
        " ($1, gen_random_uuid(), $2, 'hold', $3, 'system', now()) returning id",
        desk.world.merchant_id, later.bill_id, until,
    )  # fmt: skip
    shown = (await desk.world.page(later)).card

    await desk.live(desk.day(20))
    held = await desk.charge(later)
    await desk.live(until + ONE)

    assert shown is not None
    assert shown.charge_on == until + ONE
    assert held is None
    assert await desk.world.settlement(later.bill_id) == "settled"


# --- charging -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "card", "decline"),
    [(EMPTY, "active", "insufficient_funds"), (EXPIRED, "suspended", "card_expired")],
)
async def test_a_decline_takes_no_money_tells_the_payer_and_is_not_repeated(
    desk: CardDesk, number: str, card: str, decline: str
) -> None:
    await desk.enrolled(number)
    later = await next_bill(desk)
    await desk.world.rows("update bill set phone_blind = 'p' returning id")

    await desk.live(desk.day(20))
    await desk.live(desk.day(1))

    page = await desk.world.page(later)
    assert page.card is not None
    assert page.attempt is not None
    assert (page.card.state, page.card.is_declined, page.card.charge_on) == (card, True, None)
    assert page.attempt.decline_code == decline
    assert any(offer.available for offer in page.methods)
    assert desk.at_company() == [(AMOUNT, "succeeded"), (AMOUNT, "failed")]
    told = await desk.world.rows("select campaign from delivery")
    assert [row["campaign"] for row in told] == ["declined"]
    assert ("card.suspended" in await desk.world.events(later.bill_id)) == (card == "suspended")


@pytest.mark.parametrize(
    ("fault", "at_once", "later", "taken"),
    [
        ("answer_lost", ("unknown", "redeemed"), ("succeeded", "redeemed"), 2),
        ("error", ("unknown", "redeemed"), ("unknown", "redeemed"), 1),
        ("busy", ("unknown", "again"), ("unknown", "again"), 1),
    ],
)
async def test_each_way_to_go_wrong_is_asked_about_and_nothing_is_charged_twice(
    desk: CardDesk, fault: str, at_once: tuple[str, str], later: tuple[str, str], taken: int
) -> None:
    await desk.enrolled()
    bill = await next_bill(desk, AMOUNT_OF[fault])  # type: ignore[index]

    async def standing() -> tuple[str, str]:
        state = await desk.world.value(
            "select state from attempt where bill_id = $1 order by id desc limit 1", bill.bill_id
        )
        charge = await desk.charge(bill)
        assert charge is not None
        return state, charge[0]

    await desk.begin(desk.day(20))
    await desk.shop.work_off(CHARGES)
    first = await standing()
    await desk.ask()

    assert (first, await standing()) == (at_once, later)
    assert len(desk.at_company()) == taken


async def test_what_never_left_the_relay_is_tried_again_by_a_new_attempt_and_then_the_next_day(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    bill = await next_bill(desk)
    nowhere = Outbound(desk.shop.ground.folder / "nothing")
    pay = replace(desk.shop.bench.pay, outbound=nowhere)
    desk.shop.bench = replace(desk.shop.bench, pay=pay)
    await desk.begin(desk.day(20))

    for _ in range(6):
        await desk.shop.be_due()
        await desk.shop.work_off(CHARGES)
    tired = await desk.charge(bill)
    references = await desk.world.rows(
        "select distinct reference from attempt where bill_id = $1", bill.bill_id
    )
    await desk.begin(desk.day(1))
    await desk.shop.work_off({"charge.choose"})

    assert tired == ("left_out", "provider_away")
    assert len(desk.at_company()) == 1
    assert len(references) == 5
    assert await desk.charge(bill) == ("planned", None)


async def test_a_day_that_is_worked_twice_at_once_charges_each_bill_once(desk: CardDesk) -> None:
    for contract in (b"1" * 32, b"2" * 32):
        await desk.enrolled(contract=contract)
        await desk.payer(contract, due=desk.day(20))
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})
    await desk.world.rows(
        "insert into task (id, merchant_id, kind, lane, subject_id, number, planned_at, next_at)"
        " select gen_random_uuid(), merchant_id, kind, lane, subject_id, number, planned_at,"
        " planned_at from task where kind = 'charge.send' returning id"
    )

    jobs = [job for job in await desk.shop.hints() if job.kind == "charge.send"]
    await asyncio.gather(*(run_job(desk.shop.bench, job) for job in jobs))
    await desk.ask()

    assert len(jobs) == 4

    assert desk.at_company() == [(AMOUNT, "succeeded")] * 4


@pytest.mark.parametrize("point", ["worker.before_charge", "worker.after_charge"])
async def test_a_worker_that_dies_beside_a_charge_leaves_one_at_the_company_at_most(
    desk: CardDesk, point: str
) -> None:
    await desk.enrolled()
    bill = await next_bill(desk)
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})
    job = await desk.sending()

    assert await desk.shop.crash_at(point, job) == 137
    await desk.shop.be_due()
    await desk.shop.work_off(CHARGES)
    attempt = await desk.world.value("select attempt_id from card_charge")
    for _ in range(3):
        await desk.world.age(attempt, 20)
        await desk.ask()

    is_paid = point == "worker.after_charge"
    assert len(desk.at_company()) == 1 + is_paid
    settlement = await desk.world.settlement(bill.bill_id)
    assert settlement == ("settled" if is_paid else "unpaid")
    assert await desk.charge(bill) == (
        ("redeemed", None) if is_paid else ("left_out", "never_received")
    )


async def test_each_step_of_a_charge_that_is_done_again_changes_nothing(desk: CardDesk) -> None:
    await desk.enrolled()
    bill = await next_bill(desk)
    await desk.begin(desk.day(20))
    merchant = desk.world.merchant_id
    for _ in range(2):
        async with desk.world.act() as act:
            await act.plan_task("charge.choose", merchant)
    choosing = [await leased(desk, job) for job in await desk.shop.hints() if "choose" in job.kind]
    chosen = [
        (await desk.world.work.call(CHOOSE_CHARGES, ChooseCharges(), lease.authority)).charges
        for lease in choosing
    ]
    lease = await leased(desk, await desk.sending())
    begin = BeginCharge(charge_id=CardChargeId(lease.subject_id))
    begun = [await desk.world.work.call(BEGIN_CHARGE, begin, lease.authority) for _ in range(2)]
    said = RecordCharge(
        charge_id=begin.charge_id, attempt_id=begun[0].attempt_id, outcome="accepted",
        provider_ref="cs_1", code="",
    )  # fmt: skip
    first = await desk.world.work.call(RECORD_CHARGE, said, lease.authority)
    with pytest.raises(Conflict):
        await desk.world.work.call(RECORD_CHARGE, said, lease.authority)
    foreign = BeginCharge(charge_id=CardChargeId(merchant))
    lease = choosing[0]
    with pytest.raises(PortalError):
        await desk.world.work.call(BEGIN_CHARGE, foreign, lease.authority)

    assert sorted(chosen) == [0, 0, 1]
    assert [one.fresh for one in begun] == [True, False]
    assert first.state == "processing"
    assert await desk.charge(bill) == ("handed", None)
    attempts = await desk.world.rows("select id from attempt where bill_id = $1", bill.bill_id)
    assert len(attempts) == 1


# --- what the relay gives out -------------------------------------------------------------------


async def begun_charge(desk: CardDesk) -> ChargeBegun:
    """A charge that a worker has begun and not sent."""
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})
    lease = await leased(desk, await desk.sending())
    request = BeginCharge(charge_id=CardChargeId(lease.subject_id))
    return await desk.world.work.call(BEGIN_CHARGE, request, lease.authority)


def wanted(begun: ChargeBegun) -> ChargeWanted:
    return ChargeWanted(
        reference=begun.reference,
        amount=Money(begun.amount_minor),
        instrument_id=begun.attempt_id,
        original_reference=begun.original_reference,
        account=begun.account,
        description=begun.description,
    )


async def test_a_card_is_given_out_once_a_try_to_the_relay_for_its_company_alone(
    desk: CardDesk, ground: Ground
) -> None:
    await desk.enrolled()
    await next_bill(desk)
    begun = await begun_charge(desk)
    relay = await ground.client("egress")
    honest = RedeemInstrument(host="card.sandbox.test", attempt_id=begun.attempt_id)
    elsewhere = RedeemInstrument(host="sms.sandbox.test", attempt_id=begun.attempt_id)
    unknown = RedeemInstrument(host="card.sandbox.test", attempt_id=AttemptId(UUID(int=5)))

    refused = [(await relay.call(REDEEM_INSTRUMENT, one)).refused for one in (elsewhere, unknown)]
    given = await relay.call(REDEEM_INSTRUMENT, honest)
    refused.append((await relay.call(REDEEM_INSTRUMENT, honest)).refused)

    kept = desk.shop.journal.cards.of_payment(desk.shop.journal.payments()[0]["id"])
    assert kept is not None
    assert (given.token, given.customer) == (kept["id"], kept["customer"])
    assert (given.reference, given.amount_minor) == (begun.reference, AMOUNT)
    assert refused == ["host_wrong", "delivery_unknown", "delivery_redeemed"]
    for caller in (desk.world.work, desk.world.web):
        with pytest.raises(PortalError):
            await caller.call(REDEEM_INSTRUMENT, honest)


async def test_a_try_that_is_asked_about_already_never_leaves_any_more(
    desk: CardDesk, ground: Ground
) -> None:
    await desk.enrolled()
    await next_bill(desk)
    begun = await begun_charge(desk)
    await desk.world.rows("update attempt set state = 'unknown' where state = 'submitting'")
    relay = await ground.client("egress")

    honest = RedeemInstrument(host="card.sandbox.test", attempt_id=begun.attempt_id)

    assert (await relay.call(REDEEM_INSTRUMENT, honest)).refused == "not_due"


async def test_a_worker_that_was_taken_over_charges_neither_another_sum_nor_twice(
    desk: CardDesk,
) -> None:
    await desk.enrolled()
    await next_bill(desk)
    begun = await begun_charge(desk)
    exchange = sandbox_card.ADAPTER.charge(desk.pay.endpoint("sandbox_card"), wanted(begun))
    honest = exchange.request
    token = "%7B%7Binstrument%3Atoken%7D%7D"
    forged = [
        msgspec.structs.replace(honest, body=honest.body.replace(there, said))
        for there, said in (
            ("%7B%7Binstrument%3Aamount%7D%7D", "999999"),
            ("%7B%7Binstrument%3Areference%7D%7D", "ANOTHER"),
            (token, "card_of_somebody"),
            (f"card={token}", f"card={token}&note={token}"),
            ("description=", f"description={token}"),
        )
    ]
    asked = msgspec.structs.replace(
        honest, method="POST", path="/v1/sessions", body='{"description":"{{instrument:token}}"}',
        body_kind="json",
    )  # fmt: skip

    answers = await desk.shop.bench.pay.outbound.send([*forged, asked])
    assert [answer.code for answer in answers] == [
        "place_not_as_fixed", "place_not_as_fixed", "place_not_as_fixed", "field_not_allowed",
        "placeholder_misplaced", "placeholder_misplaced",
    ]  # fmt: skip
    assert len(desk.at_company()) == 1
    [answer] = await desk.shop.bench.pay.outbound.send([honest])
    [again] = await desk.shop.bench.pay.outbound.send([honest])

    kept = desk.shop.journal.cards.of_payment(desk.shop.journal.payments()[0]["id"])
    assert kept is not None
    assert exchange.read(answer).outcome == "accepted", "the control"
    assert kept["id"].encode() not in answer.body
    assert b"***" in answer.body, "the company said it, and the relay took it out"
    assert (again.fate, again.code) == ("not_sent", "delivery_refused")
    assert len(desk.at_company()) == 2


# --- taking it back -----------------------------------------------------------------------------


async def test_a_card_that_its_payer_took_back_is_not_charged_even_if_it_was_chosen(
    desk: CardDesk,
) -> None:
    first = await desk.enrolled()
    bill = await next_bill(desk)
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})

    removed = [
        (await desk.world.web.call(REMOVE_CARD, Nothing(), payer.authority)).removed
        for payer in (bill, bill, first)
    ]
    await desk.shop.work_off({"charge.send"})

    assert removed == [True, False, False]
    assert await desk.charge(bill) == ("left_out", "card_not_active")
    assert len(desk.at_company()) == 1
    assert await desk.world.value("select instrument from card_on_file") is None
    assert (await desk.world.page(bill)).card is None


async def test_a_payer_takes_back_only_the_card_of_their_own_contract(desk: CardDesk) -> None:
    await desk.enrolled()
    stranger = await desk.payer(b"s" * 32)

    said = await desk.world.web.call(REMOVE_CARD, Nothing(), stranger.authority)

    assert (said.removed, await desk.cards()) == (False, ["active"])
    assert CONTRACT != b"s" * 32


async def test_staff_take_a_card_back_once_for_a_key_and_of_their_own_merchant(
    desk: CardDesk,
) -> None:
    bill = await desk.enrolled()
    await add_staff(desk.world.operator, desk.world.code)
    signed = await signed_in(desk.world.operator, desk.world.web, desk.world.code)
    asked = RemoveBillCard(bill_id=BillId(bill.bill_id), idempotency_key="k1")

    with pytest.raises(NotFound):
        await desk.world.web.call(REMOVE_BILL_CARD, asked, desk.shop.staff)
    assert await desk.cards() == ["active"]
    said = [
        (await desk.world.web.call(REMOVE_BILL_CARD, asked, signed.authority)).removed
        for _ in range(2)
    ]
    shown = await desk.world.web.call(VIEW_BILL, ViewBill(bill_id=asked.bill_id), signed.authority)
    await desk.enrolled()
    again = await desk.world.web.call(REMOVE_BILL_CARD, asked, signed.authority)

    assert said == [True, True]
    assert (shown.card, again.removed) == (None, True)
    assert await desk.cards() == ["revoked", "active"], "a repeat of the key removes nothing more"
    assert "card.removed" in [event.code for event in shown.events]


async def test_a_merchant_that_keeps_no_cards_any_more_charges_none(desk: CardDesk) -> None:
    await desk.enrolled()
    chosen, later = await next_bill(desk), await next_bill(desk, days=21)
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})

    await desk.keep_cards(None)
    await desk.shop.work_off({"charge.send"})
    await desk.live(desk.day(1))

    assert await desk.charge(chosen) == ("left_out", "not_due")
    assert await desk.charge(later) is None
    assert (await desk.world.page(later)).card is None
