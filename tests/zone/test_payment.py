import asyncio
from collections import Counter
from uuid import UUID

import pytest

from portal.contract.payment import START_PAYMENT, VIEW_ATTEMPT, Finding, StartPayment, ViewAttempt
from portal.domain.errors import Conflict, InvalidInput, PortalError
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, PAGE, Payer, World, finding, new_world
from tests.make.vault import ClientFor


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


CLICKS = 50


async def test_a_payment_from_the_button_to_the_receipt(world: World) -> None:
    payer = await world.payer()

    started = await world.start(payer)
    away = await world.submitted(payer, started)
    done = await world.told(
        payer,
        started.attempt_id,
        finding("succeeded", approval_no="A-77", instrument_hint="4242", authentication="Y"),
    )

    assert (started.fresh, started.state, started.amount_minor) == (True, "submitting", AMOUNT)
    assert (away.attempt.state, away.redirect_url) == ("requires_action", PAGE)
    assert (done.attempt.state, done.redirect_url) == ("succeeded", None)
    assert (done.attempt.approval_no, done.attempt.instrument_hint) == ("A-77", "4242")
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert await world.events(payer.bill_id) == [
        "payment.started",
        "payment.redirected",
        "payment.succeeded",
        "bill.paid",
    ]
    assert await world.cases() == []


async def press(world: World, payer: Payer, key: str) -> tuple[str, UUID | None]:
    request = StartPayment(method="card", expected_minor=AMOUNT, idempotency_key=key)
    try:
        started = await world.web.call(START_PAYMENT, request, payer.authority)
    except PortalError as refused:
        return refused.code, None
    return ("fresh" if started.fresh else "seen"), started.attempt_id


async def test_fifty_clicks_with_one_key_make_one_attempt(world: World) -> None:
    payer = await world.payer()

    pressed = await asyncio.gather(*(press(world, payer, "one") for _ in range(CLICKS)))

    assert Counter(said for said, _ in pressed) == {"fresh": 1, "seen": CLICKS - 1}
    assert len({attempt for _, attempt in pressed}) == 1
    assert await world.value("select count(*) from attempt") == 1
    assert await world.value("select count(*) from task where kind = 'payment.inquire'") == 1


async def test_fifty_clicks_in_fifty_tabs_make_one_live_attempt(world: World) -> None:
    payer = await world.payer()

    pressed = await asyncio.gather(*(press(world, payer, f"tab-{n}") for n in range(CLICKS)))

    assert Counter(said for said, _ in pressed) == {"fresh": 1, "attempt_running": CLICKS - 1}
    assert await world.value("select count(*) from attempt") == 1


async def test_the_database_itself_refuses_a_second_live_attempt(world: World) -> None:
    payer = await world.payer()
    await world.start(payer)

    with pytest.raises(PortalError, match="database_refused"):
        await world.value(
            "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
            " amount_minor, created_at, state_at, doubt_at) select merchant_id, uuidv7(), bill_id,"
            " method, provider, 'other', 'created', amount_minor, created_at, state_at, doubt_at"
            " from attempt"
        )


async def test_one_key_with_other_arguments_is_refused(world: World) -> None:
    payer = await world.payer()
    await world.start(payer, "key")

    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await world.start(payer, "key", amount=AMOUNT + 1)


async def test_a_key_belongs_to_one_bill(world: World) -> None:
    one, other = await world.payer(), await world.payer()

    first, second = await world.start(one, "same"), await world.start(other, "same")

    assert first.attempt_id != second.attempt_id
    assert second.fresh


async def test_paying_another_amount_than_shown_is_refused_with_the_amount(world: World) -> None:
    payer = await world.payer()

    with pytest.raises(Conflict) as refused:
        await world.start(payer, amount=AMOUNT - 1)

    assert refused.value.code == "amount_changed"
    assert refused.value.params == {"amount_minor": AMOUNT}
    assert await world.value("select count(*) from attempt") == 0


@pytest.mark.parametrize(
    "lifecycle", ["scheduled", "lapsed", "canceling", "canceled", "superseded"]
)
async def test_a_bill_that_is_not_payable_starts_nothing(world: World, lifecycle: str) -> None:
    payer = await world.payer(lifecycle=lifecycle)

    with pytest.raises(Conflict, match="not_payable"):
        await world.start(payer)


async def test_a_paid_bill_is_not_paid_again(world: World) -> None:
    payer = await world.payer()
    await world.paid(payer)

    with pytest.raises(Conflict, match="not_payable"):
        await world.start(payer, "again")


async def test_an_unknown_way_to_pay_is_refused(world: World) -> None:
    payer = await world.payer()
    request = StartPayment(method="shells", expected_minor=AMOUNT, idempotency_key="k")

    with pytest.raises(InvalidInput, match="method_unknown"):
        await world.web.call(START_PAYMENT, request, payer.authority)


async def test_clicking_again_leads_back_to_the_page_that_is_open(world: World) -> None:
    payer = await world.payer()
    first = await world.start(payer, "first")
    await world.submitted(payer, first)

    second = await world.start(payer, "second")

    assert (second.fresh, second.attempt_id) == (False, first.attempt_id)
    now = await world.web.call(
        VIEW_ATTEMPT, ViewAttempt(attempt_id=second.attempt_id), payer.authority
    )
    assert now.redirect_url == PAGE


async def test_a_page_whose_address_nobody_got_is_replaced(world: World) -> None:
    payer = await world.payer()
    lost = await world.start(payer, "lost")
    await world.submitted(payer, lost, outcome="unknown", code="relay_lost")
    await world.told(payer, lost.attempt_id, finding("requires_action"))

    again = await world.start(payer, "again")

    assert again.fresh
    assert again.attempt_id != lost.attempt_id
    assert (
        await world.value("select state from attempt where id = $1", lost.attempt_id) == "expired"
    )
    # Should somebody pay there after all, the money is booked and a person looks at it.
    await world.told(payer, lost.attempt_id, finding("succeeded"))
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == ["late_success"]


async def test_a_submission_may_be_recorded_twice(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)

    first = await world.submitted(payer, started)
    second = await world.submitted(payer, started)

    assert first == second
    assert (await world.events(payer.bill_id)).count("payment.redirected") == 1


async def test_a_refused_submission_ends_and_the_next_click_starts_anew(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer, "one")

    refused = await world.submitted(payer, started, outcome="refused", code="provider_busy")

    assert (refused.attempt.state, refused.attempt.decline_code) == ("failed", "provider_busy")
    assert (await world.page(payer)).state == "declined"
    assert (await world.start(payer, "two")).fresh


async def test_a_report_that_an_inquiry_overtook_leaves_the_state_alone(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.age(started.attempt_id, 2)
    await world.told(payer, started.attempt_id, finding("unclear", 0))

    late = await world.submitted(payer, started)

    assert (late.attempt.state, late.redirect_url) == ("unknown", None)
    found = await world.told(payer, started.attempt_id, finding("requires_action"))
    assert (found.attempt.state, found.redirect_url) == ("requires_action", PAGE)


async def test_while_the_outcome_is_unknown_nobody_pays_a_second_time(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started, outcome="unknown", code="timeout")

    with pytest.raises(Conflict, match="attempt_running"):
        await world.start(payer, "impatient")

    page = await world.page(payer)
    assert page.state == "unclear"
    assert [offer.reason for offer in page.methods] == ["attempt_running"]


# --- what a time-out turns out to have been ---------------------------------------------------


async def timed_out(world: World) -> tuple[Payer, UUID]:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started, outcome="unknown", code="timeout")
    return payer, started.attempt_id


async def test_a_time_out_whose_truth_is_success_is_found_by_the_worker(world: World) -> None:
    payer, attempt_id = await timed_out(world)
    await world.age(attempt_id, 1)

    async def truth(_: UUID) -> Finding:
        return finding("succeeded")

    assert await world.worked(truth) == 1
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.worked(truth) == 0
    assert await world.value("select count(*) from task where subject_id = $1", attempt_id) == 0


async def test_a_time_out_whose_truth_is_failure_can_be_tried_again(world: World) -> None:
    payer, attempt_id = await timed_out(world)

    await world.told(payer, attempt_id, finding("failed", decline_code="insufficient_funds"))

    page = await world.page(payer)
    assert page.state == "declined"
    assert page.attempt is not None
    assert page.attempt.decline_code == "insufficient_funds"
    assert (await world.start(payer, "again")).fresh
    assert await world.books(payer.bill_id) == {"receivable": AMOUNT, "billed": -AMOUNT}


async def test_a_time_out_that_was_never_received_ends_by_two_late_inquiries(world: World) -> None:
    payer, attempt_id = await timed_out(world)

    async def nothing(_: UUID) -> Finding:
        return finding("not_found", 0)

    asked = 0
    for _ in range(40):
        if await world.value("select state from attempt where id = $1", attempt_id) != "unknown":
            break
        await world.age(attempt_id, 0.5)
        asked += await world.worked(nothing)

    view = (await world.page(payer)).attempt
    assert view is not None
    assert (view.state, view.decline_code) == ("failed", "never_received")
    assert 4 <= asked <= 10
    assert (await world.start(payer, "again")).fresh


async def test_whoever_dies_after_the_start_is_followed_by_an_inquiry(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    assert await world.leases() == []
    await world.age(started.attempt_id, 2)

    async def truth(_: UUID) -> Finding:
        return finding("succeeded")

    assert await world.worked(truth) == 1
    assert await world.settlement(payer.bill_id) == "settled"


async def test_after_a_day_of_not_knowing_there_is_one_case(world: World) -> None:
    payer, attempt_id = await timed_out(world)
    await world.age(attempt_id, 60 * 24 + 1)

    await world.told(payer, attempt_id, finding("unclear", 0))
    await world.told(payer, attempt_id, finding("unclear", 0))

    assert await world.cases() == ["attempt_unresolved"]
    assert (await world.page(payer)).state == "unclear"


# --- money that comes when it should not ------------------------------------------------------


async def test_a_success_after_failed_pays_the_bill_and_is_a_case(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("failed", decline_code="card_declined"))

    await world.told(payer, started.attempt_id, finding("succeeded"))

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == ["late_success"]
    assert (await world.page(payer)).state == "paid"


async def test_a_second_payment_is_booked_as_owed_back(world: World) -> None:
    payer = await world.payer()
    first = await world.start(payer, "one")
    await world.submitted(payer, first)
    await world.told(payer, first.attempt_id, finding("failed"))
    await world.paid(payer, "two")

    await world.told(payer, first.attempt_id, finding("succeeded"))

    assert await world.settlement(payer.bill_id) == "over"
    assert await world.books(payer.bill_id) == {
        "billed": -AMOUNT,
        "in_transit": 2 * AMOUNT,
        "overpayment": -AMOUNT,
    }
    assert await world.cases() == ["late_success", "overpaid"]


async def test_money_for_a_bill_that_is_being_canceled_is_owed_back(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.value(
        "update bill set lifecycle = 'canceling' where id = $1 returning 1", payer.bill_id
    )

    await world.told(payer, started.attempt_id, finding("succeeded"))

    assert (
        await world.value("select lifecycle from bill where id = $1", payer.bill_id) == "canceled"
    )
    assert await world.settlement(payer.bill_id) == "over"
    assert await world.books(payer.bill_id) == {"in_transit": AMOUNT, "overpayment": -AMOUNT}
    assert await world.cases() == ["overpaid"]


async def test_a_cancel_waits_for_the_payment_under_way_and_then_happens(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.value(
        "update bill set lifecycle = 'canceling' where id = $1 returning 1", payer.bill_id
    )

    await world.told(payer, started.attempt_id, finding("pending"))
    waiting = await world.value("select lifecycle from bill where id = $1", payer.bill_id)
    await world.told(payer, started.attempt_id, finding("failed"))

    assert waiting == "canceling"
    assert (
        await world.value("select lifecycle from bill where id = $1", payer.bill_id) == "canceled"
    )
    assert await world.books(payer.bill_id) == {}
    assert (await world.events(payer.bill_id))[-1] == "bill.canceled"
    # Paid after the cancel: never refused, owed back.
    await world.told(payer, started.attempt_id, finding("succeeded"))
    assert await world.settlement(payer.bill_id) == "over"
    assert await world.cases() == ["late_success", "overpaid"]


async def test_a_success_over_another_amount_is_never_settled_silently(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)

    now = await world.told(payer, started.attempt_id, finding("succeeded", AMOUNT // 2))

    assert now.attempt.state == "unknown"
    assert await world.settlement(payer.bill_id) == "unpaid"
    assert await world.books(payer.bill_id) == {"receivable": AMOUNT, "billed": -AMOUNT}
    assert await world.cases() == ["amount_mismatch"]


async def test_a_provider_that_takes_a_success_back_changes_nothing_but_a_case(
    world: World,
) -> None:
    payer = await world.payer()
    attempt_id = await world.paid(payer)

    await world.told(payer, attempt_id, finding("failed"))

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == ["provider_contradicts"]


async def test_the_same_success_from_all_sides_is_booked_once(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)

    await asyncio.gather(
        *(world.told(payer, started.attempt_id, finding("succeeded")) for _ in range(20))
    )

    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert (await world.events(payer.bill_id)).count("bill.paid") == 1


async def test_success_and_failure_reported_at_once_end_in_success(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)

    await asyncio.gather(
        *(
            world.told(payer, started.attempt_id, finding(state))
            for state in ("failed", "succeeded", "pending", "failed", "succeeded")
        )
    )

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
