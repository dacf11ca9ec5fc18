"""Refunds against a real vault: who may ask, who approves, and never more than came."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.contract.login import CREATE_API_KEY, CreateApiKey
from portal.contract.refund import LIST_REFUNDS, SET_REFUND_LIMIT, RefundView, SetRefundLimit
from portal.contract.refund import ListRefunds as ListRefundsRequest
from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    InvariantBroken,
    LimitReached,
    NotAllowed,
    NotFound,
)
from portal.domain.methods import METHODS
from portal.domain.refund import APPROVAL_LIFE_S
from portal.kit import limits
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, new_world
from tests.make.refunds import Counter, member, new_counter, overpaid, paid
from tests.make.vault import ClientFor

PAN = "4242 4242 4242 4242"


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def held(world: World, attempt_id: UUID) -> int:
    return await world.value(
        "select coalesce(sum(amount_minor), 0)::bigint from refund where attempt_id = $1"
        " and state not in ('requested', 'failed', 'withdrawn')",
        attempt_id,
    )


# --- the road -----------------------------------------------------------------------------------
async def test_giving_the_overpayment_back_closes_over(counter: Counter) -> None:
    bill, _, late = await overpaid(counter.world)

    refund = await counter.ask(bill, late)
    assert refund.state == "reserved"
    assert await counter.world.settlement(bill) == "over"
    books = await counter.world.books(bill)
    assert (books["refund_clearing"], books.get("overpayment", 0)) == (-AMOUNT, 0)

    assert "overpaid" in await counter.world.cases()

    assert await counter.sent("succeeded") == "succeeded"

    assert await counter.world.settlement(bill) == "settled"
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    # The case that asked for it has ended with it, and no other one has.
    ended = await counter.world.rows("select kind, resolution, closed_by from case_ where"
                                     " closed_at is not null")  # fmt: skip
    assert [tuple(row.values()) for row in ended] == [("overpaid", "returned", "system")]
    told = await counter.world.events(bill)
    assert told[-4:-2] == ["refund.reserved", "refund.submitted"]
    assert set(told[-2:]) == {"refund.succeeded", "bill.overpayment_returned"}


async def test_a_payment_given_back_in_parts_is_given_back_once(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)

    for part in (AMOUNT - 3000, 2000, 1000):
        await counter.ask(bill, attempt, part, reason="goodwill")
        assert await counter.sent() == "succeeded"

    assert await counter.world.books(bill) == {}
    assert await counter.world.settlement(bill) == "settled"
    assert (await counter.of_bill(bill)).refundable == ()
    with pytest.raises(Conflict, match="refund_exceeds") as refused:
        await counter.ask(bill, attempt, 1)
    assert refused.value.params["amount_minor"] == 0


async def test_what_is_owed_back_goes_first_and_the_rest_is_given(counter: Counter) -> None:
    bill, first, late = await overpaid(counter.world)
    await counter.limit(10**6)

    await counter.ask(bill, late)
    await counter.ask(bill, first, 1000, reason="goodwill")

    books = await counter.world.books(bill)
    assert (books["refund_clearing"], books["goodwill_clearing"]) == (-AMOUNT, -1000)
    assert books["billed"] == -AMOUNT + 1000


async def test_a_refused_refund_frees_its_money_and_makes_a_case(counter: Counter) -> None:
    bill, _, late = await overpaid(counter.world)
    before = await counter.world.books(bill)
    refund = await counter.ask(bill, late)

    assert await counter.sent("refused", ref="", code="provider_refused") == "failed"

    assert await counter.world.books(bill) == before
    assert await counter.world.settlement(bill) == "over"
    assert await counter.world.cases() == ["late_success", "overpaid", "refund_failed"]
    assert (await counter.of_bill(bill)).refunds[0].code == "provider_refused"
    again = await counter.ask(bill, late)
    assert (again.state, again.reference != refund.reference) == ("reserved", True)


@pytest.mark.parametrize(
    ("truth", "state"), [("succeeded", "succeeded"), ("failed", "failed"), ("pending", "pending")]
)
async def test_a_lost_answer_is_asked_about_and_never_sent_again(
    counter: Counter, truth: str, state: str
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    assert await counter.sent("unknown", ref="", code="answer_unreadable") == "unknown"
    assert await held(counter.world, attempt) == 3000

    assert await counter.inquired(refund, truth) == state

    assert "payment.refund" not in [one.kind for one in await counter.world.leases()]


async def test_what_the_provider_has_named_is_never_taken_for_never_received(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    await counter.sent("accepted")

    for minutes in (16, 2, 60):
        assert await counter.inquired(refund, "not_found", minutes=minutes) == "unknown"

    assert await held(counter.world, attempt) == 3000
    assert await counter.world.cases() == ["refund_contradicts"]
    assert await counter.inquired(refund, "succeeded", minutes=25 * 60) == "succeeded"


async def test_what_was_never_received_is_looked_for_once_more_a_day_later(
    counter: Counter,
) -> None:
    """Its sender may have been frozen in the middle, and woken up after all."""
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    await counter.sent("unknown")
    await counter.inquired(refund, "not_found", minutes=16)
    assert await counter.inquired(refund, "not_found", minutes=2) == "failed"

    assert await counter.inquired(refund, "succeeded", minutes=25 * 60) == "succeeded"

    assert await counter.world.cases() == ["refund_contradicts", "refund_failed"]
    assert await held(counter.world, attempt) == 3000


async def test_what_the_provider_never_received_is_free_again_after_two_questions(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    await counter.sent("unknown", ref="")

    assert await counter.inquired(refund, "not_found", minutes=1) == "unknown"
    assert await counter.inquired(refund, "not_found", minutes=16) == "unknown"
    assert await held(counter.world, attempt) == 3000
    assert await counter.inquired(refund, "not_found", minutes=2) == "failed"

    assert await held(counter.world, attempt) == 0
    assert await counter.world.books(bill) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    assert await counter.world.cases() == ["refund_failed"]


async def test_a_pending_refund_is_done_when_the_provider_says_so(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    assert await counter.sent("accepted") == "pending"

    assert await counter.inquired(refund, "succeeded") == "succeeded"
    assert await counter.world.books(bill) == {
        "billed": -AMOUNT + 3000, "in_transit": AMOUNT - 3000
    }  # fmt: skip


async def test_a_worker_that_comes_second_sends_nothing(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    lease = await counter.lease("payment.refund")

    first = await counter.begin(lease)
    second = await counter.begin(lease)

    assert (first.fresh, second.fresh) == (True, False)
    assert (first.refund_reference, first.remaining_minor) == (refund.reference, AMOUNT - 3000)
    assert await counter.state(refund) == "submitting"
    assert await counter.inquired(refund, "succeeded") == "succeeded"


async def test_an_answer_that_an_inquiry_overtook_changes_nothing(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    lease = await counter.lease("payment.refund")
    await counter.begin(lease)
    assert await counter.inquired(refund, "succeeded") == "succeeded"
    books = await counter.world.books(bill)

    assert (await counter.answered(lease, "unknown")).state == "succeeded"

    assert await counter.world.books(bill) == books


async def test_a_late_success_is_booked_if_there_is_room_and_seen_by_a_person(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 3000)
    lease = await counter.lease("payment.refund")
    await counter.begin(lease)
    assert (await counter.answered(lease, "refused")).state == "failed"

    # The inquiry that was planned before the call was sent finds otherwise.
    assert await counter.inquired(refund, "succeeded") == "succeeded"

    assert await counter.world.books(bill) == {
        "billed": -AMOUNT + 3000, "in_transit": AMOUNT - 3000
    }  # fmt: skip
    assert "refund_contradicts" in await counter.world.cases()


async def test_a_late_success_beyond_the_payment_is_not_booked(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, AMOUNT)
    lease = await counter.lease("payment.refund")
    await counter.begin(lease)
    await counter.answered(lease, "refused")
    await counter.ask(bill, attempt, AMOUNT)

    assert await counter.inquired(refund, "succeeded") == "failed"

    assert await held(counter.world, attempt) == AMOUNT
    assert "refund_contradicts" in await counter.world.cases()


# --- never more than came -----------------------------------------------------------------------
async def test_refunds_asked_for_at_once_never_exceed_the_payment(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    clerks = [await member(counter.world, f"clerk{n}", "clerk") for n in range(4)]

    asked = await asyncio.gather(
        *(
            counter.ask(bill, attempt, 3000, by=clerk, idempotency_key=f"at-once-{n}")
            for n, clerk in enumerate(clerks)
        ),
        return_exceptions=True,
    )

    given = [one for one in asked if isinstance(one, RefundView)]
    refused = [one for one in asked if isinstance(one, Conflict)]
    assert (len(given), len(refused)) == (2, 2)
    assert await held(counter.world, attempt) == 6000


async def test_the_database_refuses_what_exceeds_whatever_the_code_does(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, 5000)

    with pytest.raises(InvariantBroken, match="database_refused") as refused:
        async with counter.world.act() as act:
            await act.db.execute(
                "insert into refund select merchant_id, gen_random_uuid(), bill_id, attempt_id,"
                " provider, 'R2', state, version, amount_minor, owed_minor, currency, way, reason,"
                " null, asked_by, asked_at, null, null, null, null, null, null, state_at, null, 0,"
                " null, null, null, '' from refund where id = $1",
                refund.id,
            )
    assert "refund_room" in refused.value.context
    with pytest.raises(InvariantBroken) as changed:
        async with counter.world.act() as act:
            await act.db.execute("update refund set amount_minor = 1 where id = $1", refund.id)
    assert "refund_fixed" in changed.value.context


async def test_the_same_key_asks_once_and_with_other_arguments_not_at_all(
    counter: Counter,
) -> None:
    bill, attempt = await paid(counter.world)

    first = await counter.ask(bill, attempt, 3000, idempotency_key="k")
    again = await counter.ask(bill, attempt, 3000, idempotency_key="k", totp="000000")

    assert again.id == first.id
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await counter.ask(bill, attempt, 3001, idempotency_key="k")
    assert await held(counter.world, attempt) == 3000


async def test_only_money_that_came_can_go_back(counter: Counter) -> None:
    payer = await counter.world.payer()
    started = await counter.world.start(payer)

    with pytest.raises(Conflict, match="not_refundable"):
        await counter.ask(payer.bill_id, started.attempt_id)
    bill, attempt = await paid(counter.world)
    with pytest.raises(NotFound):
        await counter.ask(payer.bill_id, attempt)
    for amount in (0, -5):
        with pytest.raises(InvalidInput, match="refund_amount"):
            await counter.ask(bill, attempt, amount)


# --- who ----------------------------------------------------------------------------------------
async def test_a_wrong_code_gives_nothing_back_and_counts(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)

    for n in range(limits.LOGIN_FAILURES_MAX):
        with pytest.raises(NotAllowed, match="totp_refused"):
            await counter.ask(bill, attempt, totp="12345", idempotency_key=f"wrong-{n}")

    with pytest.raises(LimitReached, match="login_locked"):
        await counter.ask(bill, attempt)
    assert await counter.world.value("select count(*) from refund") == 0
    assert await counter.world.value("select failures from staff") == limits.LOGIN_FAILURES_MAX


async def test_a_code_works_once(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    code = counter.owner.code()
    await counter.ask(bill, attempt, 1000, totp=code)
    request: dict[str, Any] = {"totp": code, "idempotency_key": "again"}
    counter.codes_are_fresh = False

    with pytest.raises(NotAllowed, match="totp_refused"):
        await counter.ask(bill, attempt, 1000, **request)

    assert await counter.world.value("select count(*) from refund") == 1


async def test_another_ones_code_proves_nothing(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    clerk = await member(counter.world, "clerk", "clerk")

    with pytest.raises(NotAllowed, match="totp_refused"):
        await counter.ask(bill, attempt, by=clerk, totp=counter.owner.code())


async def test_above_the_limit_an_owner_who_did_not_ask_approves(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(5000)
    clerk = await member(counter.world, "clerk", "clerk")
    second = await member(counter.world, "second")

    refund = await counter.ask(bill, attempt, 5001)

    assert (refund.state, refund.choices) == ("requested", ("withdraw",))
    assert await held(counter.world, attempt) == 0
    with pytest.raises(NotAllowed, match="approver_is_asker"):
        await counter.decide(refund)
    with pytest.raises(NotAllowed, match="not_allowed"):
        await counter.decide(refund, by=clerk)
    seen = (await counter.of_bill(bill, by=second)).refunds[0]
    assert seen.choices == ("approve", "withdraw")
    approved = await counter.decide(refund, by=second)
    assert (approved.state, approved.decided_by) == ("reserved", approved.decided_by)
    assert approved.decided_by != approved.asked_by
    again = await counter.decide(refund, by=second)
    assert again.state == "reserved"
    with pytest.raises(Conflict, match="refund_state"):
        await counter.decide(refund, by=second, key="decide-2")
    assert await counter.sent() == "succeeded"


async def test_many_small_refunds_of_a_payment_need_the_approval_too(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(5000)
    clerk = await member(counter.world, "clerk", "clerk")

    first = await counter.ask(bill, attempt, 3000, by=clerk)
    second = await counter.ask(bill, attempt, 3000, by=clerk)

    assert (first.state, second.state) == ("reserved", "requested")


async def test_an_approval_expires(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(0)
    second = await member(counter.world, "second")
    refund = await counter.ask(bill, attempt, 1000)
    async with counter.world.act() as act:
        past = timedelta(seconds=APPROVAL_LIFE_S)
        await act.db.execute("update approval set expires_at = expires_at - $1::interval", past)
        await act.db.execute("update refund set approve_until = approve_until - $1::interval", past)

    assert (await counter.of_bill(bill, by=second)).refunds[0].choices == ("withdraw",)
    with pytest.raises(Expired, match="approval_expired"):
        await counter.decide(refund, by=second)
    assert (await counter.decide(refund, "withdraw", by=second, key="w")).state == "withdrawn"
    assert await held(counter.world, attempt) == 0


async def test_an_approval_that_came_too_late_for_the_money_is_refused(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(5000)
    second = await member(counter.world, "second")
    large = await counter.ask(bill, attempt, 6000)
    await counter.limit(10**6)
    await counter.ask(bill, attempt, 3000)

    with pytest.raises(Conflict, match="refund_exceeds"):
        await counter.decide(large, by=second)

    assert await counter.state(large) == "requested"
    assert await held(counter.world, attempt) == 3000


async def test_what_has_not_left_can_be_withdrawn_and_what_has_can_not(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    clerk = await member(counter.world, "clerk", "clerk")
    mine = await counter.ask(bill, attempt, 1000, by=clerk)
    others = await counter.ask(bill, attempt, 1000)

    with pytest.raises(NotAllowed, match="not_allowed"):
        await counter.decide(others, "withdraw", by=clerk, key="w1")
    assert (await counter.decide(mine, "withdraw", by=clerk, key="w2")).state == "withdrawn"
    for lease in await counter.world.leases():
        begun = await counter.begin(lease)
        assert begun.fresh == (lease.subject_id == others.id)
    with pytest.raises(Conflict, match="refund_state"):
        await counter.decide(others, "withdraw", key="w3")


async def test_systems_ask_for_no_refunds(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    made = await counter.world.web.call(
        CREATE_API_KEY,
        CreateApiKey(name="ERP", scopes=("bills:read", "bills:write"), idempotency_key="k"),
        counter.owner.authority,
    )
    key = await member(counter.world, "erp")
    key.authority = made.authority

    with pytest.raises(NotAllowed):
        await counter.ask(bill, attempt, by=key)
    assert (await counter.of_bill(bill, by=key)).refunds == ()


async def test_another_merchants_bills_attempts_and_refunds_are_not_found(
    counter: Counter, vault: VaultServer, client_for: ClientFor
) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(0)
    refund = await counter.ask(bill, attempt, 1000)
    theirs = await new_counter(await new_world(vault, client_for, "kansai"))
    own_bill, _ = await paid(theirs.world)

    for asking in (
        theirs.ask(bill, attempt, 1000),
        theirs.ask(own_bill, attempt, 1000),
        theirs.decide(refund),
        theirs.decide(refund, "withdraw", key="w"),
        theirs.transferred(refund, refund.asked_at.date()),
        theirs.of_bill(bill),
    ):
        with pytest.raises(NotFound):
            await asking
    page = await theirs.world.web.call(
        LIST_REFUNDS, ListRefundsRequest(states=(), first=10, after=None), theirs.owner.authority
    )
    assert page.refunds == ()


async def test_a_card_number_is_kept_out_of_notes(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(10**6)

    with pytest.raises(InvalidInput, match="card_number_refused"):
        await counter.ask(bill, attempt, 1000, note=f"card {PAN}")
    refund = await counter.ask(bill, attempt, 1000, way="bank_transfer", note="二重払い")
    with pytest.raises(InvalidInput, match="card_number_refused"):
        await counter.transferred(refund, refund.asked_at.date(), PAN)
    assert (await counter.of_bill(bill)).refunds[0].note == "二重払い"


# --- by bank transfer ---------------------------------------------------------------------------
async def test_a_transfer_of_our_own_is_recorded_by_an_owner(counter: Counter) -> None:
    bill, _, late = await overpaid(counter.world)
    clerk = await member(counter.world, "clerk", "clerk")
    today = counter.world.server.clock.business_today("Asia/Tokyo")

    refund = await counter.ask(bill, late, way="bank_transfer", by=clerk)
    assert refund.state == "by_bank_transfer"
    assert await counter.world.settlement(bill) == "over"
    assert "payment.refund" not in [one.kind for one in await counter.world.leases()]
    with pytest.raises(NotAllowed, match="role_missing"):
        await counter.transferred(refund, today, by=clerk)
    for day in (today + timedelta(days=1), today - timedelta(days=400)):
        with pytest.raises(InvalidInput, match="transfer_day"):
            await counter.transferred(refund, day)
    gone = await counter.transferred(refund, today, "三井住友")
    again = await counter.transferred(refund, today, "三井住友")

    assert (gone.state, gone.transferred_on, gone.note) == ("transferred", today, "三井住友")
    assert again == gone
    assert await counter.world.settlement(bill) == "settled"
    assert await counter.world.books(bill) == {
        "billed": -AMOUNT, "in_transit": 2 * AMOUNT, "advanced": -AMOUNT
    }  # fmt: skip


async def test_a_method_that_can_not_give_back_is_transferred_whatever_was_asked(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, _, late = await overpaid(counter.world)
    monkeypatch.setitem(METHODS, "card", replace(METHODS["card"], can_refund=False))

    refund = await counter.ask(bill, late, way="provider")

    assert (refund.state, refund.way) == ("by_bank_transfer", "bank_transfer")
    assert [one.by_provider for one in (await counter.of_bill(bill)).refundable] == [False]
    assert "payment.refund" not in [one.kind for one in await counter.world.leases()]


async def test_a_transfer_that_is_not_made_is_withdrawn(counter: Counter) -> None:
    bill, _, late = await overpaid(counter.world)
    before = await counter.world.books(bill)

    refund = await counter.ask(bill, late, way="bank_transfer")
    assert (await counter.decide(refund, "withdraw")).state == "withdrawn"

    assert await counter.world.books(bill) == before


async def test_the_operator_sets_the_limit_within_bounds(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)

    async def limit(code: str, yen: int) -> int:
        request = SetRefundLimit(merchant_code=code, limit_minor=yen)
        return (await counter.world.operator.call(SET_REFUND_LIMIT, request)).limit_minor

    assert await limit(counter.world.code, 999) == 999
    assert (await counter.ask(bill, attempt, 1000)).state == "requested"
    assert await limit(counter.world.code, 1000) == 1000
    assert (await counter.ask(bill, attempt, 1000)).state == "reserved"
    with pytest.raises(InvalidInput, match="refund_limit_out_of_bounds"):
        await limit(counter.world.code, -1)
    with pytest.raises(NotFound, match="merchant_unknown"):
        await limit("nobody", 5)


async def test_the_list_shows_what_waits_newest_first(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    await counter.limit(2000)
    small = await counter.ask(bill, attempt, 1000)
    large = [await counter.ask(bill, attempt, 2000 + n) for n in range(3)]

    async def page(after: str | None, *states: str) -> Any:  # noqa: ANN401
        request = ListRefundsRequest(states=states, first=2, after=after)  # type: ignore[arg-type]
        return await counter.world.web.call(LIST_REFUNDS, request, counter.owner.authority)

    first = await page(None, "requested")
    rest = await page(first.end_cursor, "requested")
    everything = await page(None)

    assert [one.id for one in first.refunds + rest.refunds] == [one.id for one in large[::-1]]
    assert (first.has_next, rest.has_next, first.limit_minor) == (True, False, 2000)
    assert everything.refunds[0].id == large[-1].id
    assert small.id not in [one.id for one in everything.refunds]
