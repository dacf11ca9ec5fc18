"""A payer who contests a payment, from the finding to the books, the case and the payer's page."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.operator import JournalLine
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.domain.card_on_file import words
from portal.domain.errors import Conflict
from portal.vault.server import VaultServer
from tests.make.disputes import BY, Desk, disputed
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, member
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    world = await new_world(vault, client_for)
    payer = await world.payer()
    return Desk(Counter(world, await member(world, "owner")), payer, await world.paid(payer))


async def test_a_dispute_takes_the_money_back_and_asks_a_person(desk: Desk) -> None:
    await desk.hear(disputed("opened"))

    assert await desk.settlement() == "reversed"
    assert await desk.books() == {
        "billed": -AMOUNT, "in_transit": AMOUNT, "disputed": AMOUNT, "chargeback": -AMOUNT,
    }  # fmt: skip
    assert await desk.world.cases() == ["charged_back"]
    params = await desk.world.value("select params::text from case_")
    assert msgspec.json.decode(params) | {"reference": ""} == {
        "reference": "", "amount_minor": AMOUNT, "taken_minor": AMOUNT, "dispute": "dp_1",
        "reason": "fraudulent", "respond_by": BY.isoformat(),
    }  # fmt: skip
    assert (await desk.world.events(desk.payer.bill_id))[-2:] == [
        "payment.disputed", "bill.reversed"
    ]  # fmt: skip
    page = await desk.world.page(desk.payer)
    assert page.state == "contested"
    assert {method.reason for method in page.methods} <= {"not_payable", "not_offered"}
    assert await desk.differences(AMOUNT) == set()
    assert await desk.differences(0) == {"chargeback_differs"}


async def test_a_won_dispute_pays_the_bill_again_and_ends_its_case_by_itself(desk: Desk) -> None:
    await desk.hear(disputed("opened"))

    await desk.hear(disputed("won", 0), "dispute_won")

    assert await desk.settlement() == "settled"
    assert await desk.books() == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert await desk.world.cases() == []
    assert await desk.world.value("select resolution from case_") == "won"
    assert (await desk.world.page(desk.payer)).state == "paid"
    assert await desk.differences(0) == set()
    [row] = await desk.world.rows("select reference from attempt")
    for dispute in ("won", "lost", ""):
        line = JournalLine(
            reference=row["reference"], state="succeeded", amount_minor=AMOUNT,
            taken_back_minor=0, dispute=dispute,
        )  # fmt: skip
        found = {code for _, code in await desk.world.compare(line)}
        assert found == (set() if dispute == "won" else {"dispute_differs"})


async def test_the_same_answer_again_changes_nothing(desk: Desk) -> None:
    for _ in range(3):
        await desk.hear(disputed("opened"))
    events = await desk.world.events(desk.payer.bill_id)
    await desk.hear(disputed("lost"))
    await desk.hear(disputed("lost"))

    assert events.count("payment.disputed") == 1
    assert await desk.world.value("select count(*) from dispute") == 1
    assert (await desk.books())["disputed"] == AMOUNT
    assert await desk.world.cases() == ["chargeback_lost"]


async def test_a_lost_dispute_is_paid_again_when_a_person_asks_for_it(desk: Desk) -> None:
    await desk.hear(disputed("opened", 0))
    assert await desk.settlement() == "settled"
    await desk.hear(disputed("lost"), "dispute_lost")
    assert await desk.settlement() == "reversed"

    await desk.settle("chargeback_lost", "ask_to_pay")

    assert await desk.settlement() == "unpaid"
    assert (await desk.books())["receivable"] == AMOUNT
    assert (await desk.world.page(desk.payer)).state == "open"
    await desk.world.paid(desk.payer, "again")
    assert await desk.settlement() == "settled"
    assert await desk.books() == {
        "billed": -AMOUNT, "in_transit": 2 * AMOUNT, "chargeback": -AMOUNT
    }  # fmt: skip
    assert await desk.differences(AMOUNT) == set()
    assert await desk.world.cases() == []


async def test_a_bill_asked_for_again_long_after_its_day_can_still_be_paid(desk: Desk) -> None:
    await desk.hear(disputed("lost"))
    await desk.world.value(
        "update bill set due_on = due_on - 400, lifecycle = 'lapsed' where id = $1 returning id",
        desk.payer.bill_id,
    )

    await desk.settle("chargeback_lost", "ask_to_pay")

    row = (await desk.world.rows("select lifecycle, due_on, paid_at from bill"))[0]
    today = desk.world.server.clock.business_today("Asia/Tokyo")
    assert (row["lifecycle"], row["paid_at"]) == ("open", None)
    assert row["due_on"] == today + timedelta(days=14)


async def test_a_loss_that_is_accepted_leaves_the_bill_reversed(desk: Desk) -> None:
    await desk.hear(disputed("lost"))

    await desk.settle("chargeback_lost", "let_be", "small sum")

    assert await desk.settlement() == "reversed"
    assert await desk.world.cases() == []


async def test_only_the_part_that_was_taken_back_is_asked_for_again(desk: Desk) -> None:
    await desk.hear(disputed("lost", 1000, amount_minor=1000))
    assert await desk.settlement() == "reversed"

    await desk.settle("chargeback_lost", "ask_to_pay")

    page = await desk.world.page(desk.payer)
    assert (page.state, page.left_minor, page.pay_minor) == ("open", 1000, 1000)
    assert (await desk.books())["receivable"] == 1000
    assert await desk.differences(1000) == set()
    started = await desk.world.start(desk.payer, "rest", amount=1000)
    await desk.world.told(desk.payer, started.attempt_id, finding("succeeded", 1000))
    assert await desk.settlement() == "settled"
    assert await desk.books() == {
        "billed": -AMOUNT, "in_transit": AMOUNT + 1000, "chargeback": -1000
    }  # fmt: skip
    assert await desk.world.cases() == []


async def test_what_was_given_back_before_a_loss_is_not_asked_for_again(desk: Desk) -> None:
    await desk.counter.ask(desk.payer.bill_id, desk.attempt_id, 1000, reason="goodwill")
    await desk.counter.sent("succeeded")
    await desk.hear(disputed("lost", AMOUNT - 1000, amount_minor=AMOUNT - 1000))

    await desk.settle("chargeback_lost", "ask_to_pay")

    assert (await desk.world.page(desk.payer)).pay_minor == AMOUNT - 1000
    started = await desk.world.start(desk.payer, "rest", amount=AMOUNT - 1000)
    await desk.world.told(desk.payer, started.attempt_id, finding("succeeded", AMOUNT - 1000))
    assert await desk.settlement() == "settled"
    assert (await desk.books())["billed"] == 1000 - AMOUNT


async def test_a_part_that_was_asked_for_again_may_be_lost_and_asked_for_once_more(
    desk: Desk,
) -> None:
    await desk.hear(disputed("lost", 1000, amount_minor=1000))
    await desk.settle("chargeback_lost", "ask_to_pay")
    started = await desk.world.start(desk.payer, "rest", amount=1000)
    await desk.world.told(desk.payer, started.attempt_id, finding("succeeded", 1000))
    again = Desk(desk.counter, desk.payer, started.attempt_id, 1000, notices=10)

    await again.hear(disputed("lost", 1000, paid=1000))
    await again.settle("chargeback_lost", "ask_to_pay")

    assert (await desk.world.page(desk.payer)).pay_minor == 1000
    assert (await desk.books())["receivable"] == 1000


async def test_what_was_lost_in_two_parts_is_asked_for_as_one(desk: Desk) -> None:
    await desk.hear(disputed("lost", 1000, amount_minor=1000))
    await desk.hear(disputed("lost", 2000, amount_minor=2000, reference="dp_2"))
    assert (await desk.books())["disputed"] == 3000

    await desk.settle("chargeback_lost", "ask_to_pay")

    page = await desk.world.page(desk.payer)
    assert (page.state, page.pay_minor) == ("open", 3000)
    assert await desk.settlement() == "unpaid"
    assert "disputed" not in await desk.books()
    assert await desk.world.cases() == []


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_bill_that_gave_back_more_than_its_company_left_can_be_canceled(
    desk: Desk, *, is_there: bool
) -> None:
    bill: Any = desk.payer.bill_id
    refund = await desk.counter.ask(
        bill, desk.attempt_id, 1000, reason="goodwill", way="bank_transfer"
    )
    today = desk.world.server.clock.business_today("Asia/Tokyo")
    if is_there:
        await desk.counter.transferred(refund, today)
    await desk.hear(disputed("lost", AMOUNT - 500, amount_minor=AMOUNT - 500))
    await desk.settle("chargeback_lost", "ask_to_pay")
    version = await desk.world.value("select version from bill where id = $1", bill)
    cancel = CancelBill(bill_id=bill, version=version, reason="", idempotency_key="c")

    await desk.world.web.call(CANCEL_BILL, cancel, desk.counter.owner.authority)
    if not is_there:
        await desk.counter.transferred(refund, today)

    assert await desk.settlement() == "unpaid"
    assert await desk.world.cases() == []
    assert await desk.books() == {
        "billed": 500, "in_transit": AMOUNT, "advanced": -1000, "chargeback": 500 - AMOUNT,
    }  # fmt: skip


async def test_what_a_company_left_of_a_canceled_bill_is_transferred_by_hand_and_no_more(
    desk: Desk,
) -> None:
    await desk.hear(disputed("lost", 1000, amount_minor=1000))
    await desk.settle("chargeback_lost", "ask_to_pay")
    bill: Any = desk.payer.bill_id
    version = await desk.world.value("select version from bill where id = $1", bill)
    cancel = CancelBill(bill_id=bill, version=version, reason="", idempotency_key="c")
    await desk.world.web.call(CANCEL_BILL, cancel, desk.counter.owner.authority)
    left = AMOUNT - 1000
    assert await desk.settlement() == "over"

    for way, amount in (("provider", left), ("bank_transfer", left + 1)):
        with pytest.raises(Conflict, match="payment_disputed"):
            await desk.counter.ask(bill, desk.attempt_id, amount, way=way)
    refund = await desk.counter.ask(bill, desk.attempt_id, left, way="bank_transfer")
    today = desk.world.server.clock.business_today("Asia/Tokyo")
    await desk.counter.transferred(refund, today)

    assert await desk.settlement() == "unpaid"
    assert await desk.world.cases() == []
    assert await desk.books() == {"in_transit": AMOUNT, "advanced": -left, "chargeback": -1000}


async def test_nothing_is_given_back_of_a_payment_that_is_contested_or_lost(desk: Desk) -> None:
    for state in ("opened", "lost"):
        await desk.hear(disputed(state))

        with pytest.raises(Conflict, match="payment_disputed"):
            await desk.counter.ask(desk.payer.bill_id, desk.attempt_id, 1000)


async def test_a_refund_that_waits_while_its_payment_is_contested_is_never_sent(desk: Desk) -> None:
    refund = await desk.counter.ask(desk.payer.bill_id, desk.attempt_id, 1000)
    await desk.world.value(
        "insert into dispute select merchant_id, uuidv7(), bill_id, id, 'dp_9', 'opened', 1000, 0,"
        " '', null, now(), null from attempt returning id"
    )

    begun = await desk.counter.begin(await desk.counter.lease("payment.refund"))

    assert not begun.fresh
    row = (await desk.world.rows("select state, code from refund where id = $1", refund.id))[0]
    assert (row["state"], row["code"]) == ("failed", "payment_disputed")
    assert await desk.books() == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert await desk.world.cases() == ["refund_failed"]


async def test_a_question_about_booked_money_that_is_not_answered_is_asked_again(
    desk: Desk,
) -> None:
    await desk.hear(finding("unclear", 0))

    await desk.ask(disputed("opened"))

    assert await desk.settlement() == "reversed"


async def test_an_open_dispute_is_asked_about_even_if_its_end_is_never_told(desk: Desk) -> None:
    await desk.hear(disputed("opened"))

    await desk.ask(disputed("won", 0))

    assert await desk.settlement() == "settled"
    assert await desk.world.value("select ask_at from attempt") is None


async def test_contesting_the_second_of_two_payments_ends_as_paid_once(desk: Desk) -> None:
    late = await desk.world.value(
        "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
        " amount_minor, created_at, state_at, doubt_at) select merchant_id, uuidv7(), bill_id,"
        " method, provider, 'second', 'processing', amount_minor, created_at, state_at, doubt_at"
        " from attempt returning id"
    )
    await desk.world.told(desk.payer, late, finding("succeeded"))
    assert await desk.settlement() == "over"
    desk.attempt_id = late

    await desk.hear(disputed("opened"))
    assert await desk.settlement() == "over"
    await desk.hear(disputed("lost"), "dispute_lost")

    assert await desk.settlement() == "settled"
    assert await desk.books() == {
        "billed": -AMOUNT, "in_transit": 2 * AMOUNT, "chargeback": -AMOUNT
    }  # fmt: skip
    assert "overpaid" not in await desk.world.cases()


async def test_a_notice_that_has_only_the_companys_name_of_the_payment_asks_about_it(
    desk: Desk,
) -> None:
    await desk.world.value("update attempt set provider_ref = 'pi_77' returning id")
    claims = tuple(
        NoticeClaim(
            notice_id=f"e-{name}", subject="attempt", reference="", claim="dispute", at=None,
            provider_ref=name,
        )
        for name in ("pi_77", "pi_of_nobody")
    )  # fmt: skip
    await desk.world.web.call(
        RECORD_NOTICE,
        RecordNotice(
            merchant_code=desk.world.code, provider="sandbox_card", raw=b"{}", claims=claims
        ),
    )

    await desk.ask(disputed("opened"))

    assert await desk.settlement() == "reversed"


async def test_lost_parts_of_a_bill_are_asked_for_again_and_the_sums_know_it(
    vault: VaultServer, client_for: ClientFor
) -> None:
    world = await new_world(vault, client_for)
    await world.allow_parts(1_000)
    payer = await world.payer()
    first = await world.paid_alone(payer, 3_000, "first", part_minor=3_000)
    second = await world.paid_alone(payer, AMOUNT - 3_000, "second")
    counter = Counter(world, await member(world, "owner"))
    known = [(first, 3_000, AMOUNT - 3_000), (second, AMOUNT - 3_000, 0)]

    for nth, (attempt_id, amount, stands) in enumerate(known):
        desk = Desk(counter, payer, attempt_id, amount, notices=10 * nth)
        await desk.hear(disputed("lost", amount, paid=amount))
        assert await desk.settlement() == "reversed"
        assert await world.value("select paid_minor from part_paid") == stands
        await desk.settle("chargeback_lost", "ask_to_pay")

        page = await world.page(payer)
        assert (page.state, page.pay_minor) == ("open", AMOUNT - stands)
        assert (await desk.books())["receivable"] == AMOUNT - stands
        assert await world.value("select paid_minor from part_paid") == stands
    assert await world.cases() == []
    await world.paid(payer, "once-more")
    assert await desk.settlement() == "settled"


async def charged(world: World) -> tuple[UUID, UUID, UUID, UUID]:
    """A bill whose payer left their card, with its payment, and one that was charged to it."""
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    contract = uuid4()
    first, later = await world.payer(contract=contract), await world.payer(contract=contract)
    started = await world.start(first, consent=words(0))
    await world.submitted(first, started)
    kept = finding("succeeded", saved_token="pm_1", saved_customer="cus_1", saved_brand="Visa")
    await world.told(first, started.attempt_id, kept)
    charge = await world.paid(later, "charge")
    await world.value(
        "insert into card_charge (merchant_id, id, bill_id, card_id, attempt_id, state, tries,"
        " planned_on, state_at) select merchant_id, uuidv7(), $1, id, $2, 'redeemed', 1, now(),"
        " now() from card_on_file returning id",
        later.bill_id, charge,
    )  # fmt: skip
    return first.bill_id, started.attempt_id, later.bill_id, charge


@pytest.mark.parametrize(
    ("state", "card"), [("opened", "suspended"), ("lost", "suspended"), ("won", "active")]
)
async def test_a_card_on_file_is_charged_no_more_once_a_charge_to_it_is_contested(
    vault: VaultServer, client_for: ClientFor, state: str, card: str
) -> None:
    world = await new_world(vault, client_for)
    _, _, bill_id, charge = await charged(world)
    desk = Desk(Counter(world, await member(world, "owner")), await world.payer(), charge)

    for _ in range(2):
        await desk.hear(disputed(state, 0 if state == "won" else AMOUNT))

    [kept] = await world.rows("select state, code from card_on_file")
    is_stopped = card == "suspended"
    assert kept == {"state": card, "code": "payment_disputed" if is_stopped else None}
    assert (await world.events(bill_id)).count("card.suspended") == is_stopped


async def test_the_payment_that_a_card_was_left_with_suspends_it_too_and_another_does_not(
    vault: VaultServer, client_for: ClientFor
) -> None:
    world = await new_world(vault, client_for)
    bill_id, enrolling, _, _ = await charged(world)
    other = await world.payer()
    counter = Counter(world, await member(world, "owner"))

    await Desk(counter, other, await world.paid(other, "other")).hear(disputed("opened"))
    assert await world.value("select state from card_on_file") == "active"
    await Desk(counter, other, enrolling, notices=5).hear(disputed("opened"))

    assert await world.value("select state from card_on_file") == "suspended"
    assert (await world.events(bill_id)).count("card.suspended") == 1
