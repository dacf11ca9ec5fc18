"""Several bills of one contract in one payment, against a real vault: one sum, many bills."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from portal.contract.operator import JournalLine
from portal.contract.payment import VIEW_ATTEMPT, AttemptStarted, ViewAttempt
from portal.contract.refund import RefundBegun
from portal.domain.errors import Conflict, InvalidInput, NotFound, PortalError, TryLater
from portal.domain.ledger import Paid, attempt_paid, attempt_succeeded
from portal.vault.cancel import finish_cancel
from portal.vault.ledger import post, settle, sums_of
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.refunds import Counter, member, new_counter
from tests.make.vault import ClientFor

OLDER = 3_100
BOTH = AMOUNT + OLDER


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@dataclass(frozen=True)
class Home:
    """One contract with two open bills, each with its own link."""

    world: World
    now: Payer
    older: Payer

    async def ref(self, payer: Payer) -> str:
        return (await self.world.page(payer)).page_ref

    async def start(self, key: str = "both", amount: int = BOTH, **more: str) -> AttemptStarted:
        also = (await self.ref(self.older),)
        return await self.world.start(self.now, key, amount=amount, also=also, **more)

    async def away(self) -> AttemptStarted:
        started = await self.start()
        await self.world.submitted(self.now, started)
        return started

    async def paid(self) -> UUID:
        started = await self.away()
        await self.world.told(self.now, started.attempt_id, finding("succeeded", BOTH))
        return started.attempt_id

    async def settlements(self) -> list[str]:
        return [await self.world.settlement(one.bill_id) for one in (self.now, self.older)]


async def new_home(world: World, **bill: object) -> Home:
    contract = uuid4()
    now = await world.payer(contract=contract, **bill)
    return Home(world, now, await world.payer(contract=contract, amount=OLDER, **bill))


@pytest.fixture
async def home(world: World) -> Home:
    return await new_home(world)


async def test_one_payment_pays_two_bills_and_says_so_on_both(home: Home, world: World) -> None:
    attempt_id = await home.paid()

    assert await home.settlements() == ["settled", "settled"]
    for payer, amount in ((home.now, AMOUNT), (home.older, OLDER)):
        assert await world.books(payer.bill_id) == {"billed": -amount, "in_transit": amount}
        assert await world.events(payer.bill_id) == [
            "payment.started",
            "payment.redirected",
            "payment.succeeded",
            "bill.paid",
        ]
        page = await world.page(payer)
        assert (page.state, page.attempt and page.attempt.id) == ("paid", attempt_id)
        assert {(share.amount_minor, share.is_this) for share in page.shares} == {
            (AMOUNT, amount == AMOUNT),
            (OLDER, amount == OLDER),
        }
    assert await world.value("select count(*) from ledger_transaction where cause_id = $1",
        attempt_id) == 1  # fmt: skip
    assert await world.cases() == []


async def test_the_provider_is_asked_for_the_sum_and_its_journal_agrees(
    home: Home, world: World
) -> None:
    started = await home.start()
    await world.submitted(home.now, started)
    await world.told(home.now, started.attempt_id, finding("succeeded", BOTH))

    assert started.amount_minor == BOTH
    assert started.description.endswith(" +1")
    line = JournalLine(reference=started.reference, state="succeeded", amount_minor=BOTH)
    assert await world.compare(line) == set()


async def test_the_page_offers_the_contracts_other_bills_and_adds_them_up(
    home: Home, world: World
) -> None:
    other = await home.ref(home.older)

    plain, chosen = await world.page(home.now), await world.page(home.now, also=(other,))

    assert [(one.ref, one.amount_minor, one.is_chosen) for one in plain.others] == [
        (other, OLDER, False)
    ]
    assert (plain.pay_minor, chosen.pay_minor) == (AMOUNT, BOTH)
    assert [one.is_chosen for one in chosen.others] == [True]


async def test_a_bill_that_is_being_paid_otherwise_is_not_offered(home: Home, world: World) -> None:
    other = await home.ref(home.older)
    await world.start(home.older, "alone", amount=OLDER)

    plain, chosen = await world.page(home.now), await world.page(home.now, also=(other,))

    assert plain.others == ()
    assert (chosen.choice_refused, chosen.pay_minor) == ("other_not_payable", AMOUNT)


async def test_who_lived_there_before_is_nobodys_to_see_or_to_pay(world: World) -> None:
    contract = uuid4()
    mine = await world.payer(contract=contract)
    theirs = await world.payer(contract=contract, customer=b"d" * 16)

    page = await world.page(mine)

    assert page.others == ()
    ref = (await world.page(theirs)).page_ref
    with pytest.raises(Conflict, match="other_not_payable"):
        await world.start(mine, amount=2 * AMOUNT, also=(ref,))


async def test_the_database_refuses_shares_of_two_contracts(world: World) -> None:
    one, other = await world.payer(), await world.payer()
    started = await world.start(one)

    with pytest.raises(PortalError, match="database_refused"):
        await world.value(
            "insert into attempt_share select merchant_id, $1::uuid, id, 4210 from bill"
            " where id = any($2::uuid[]) returning 1",
            started.attempt_id,
            [one.bill_id, other.bill_id],
        )


async def test_a_bill_of_another_contract_or_merchant_or_none_is_refused(
    home: Home, world: World, vault: VaultServer, client_for: ClientFor
) -> None:
    elsewhere = await new_world(vault, client_for, "hikari")
    foreign = await elsewhere.page(await elsewhere.payer())
    stranger = await world.page(await world.payer())
    own = await home.ref(home.now)

    for ref in (foreign.page_ref, stranger.page_ref, own, "nothing", str(home.older.bill_id)):
        with pytest.raises(Conflict, match="other_not_payable"):
            await world.start(home.now, amount=2 * AMOUNT, also=(ref,))
    assert await world.value("select count(*) from attempt") == 0


async def test_a_bill_named_twice_is_paid_once(home: Home, world: World) -> None:
    ref = await home.ref(home.older)

    with pytest.raises(Conflict) as refused:
        await world.start(home.now, amount=BOTH + OLDER, also=(ref, ref))
    started = await world.start(home.now, amount=BOTH, also=(ref, ref))

    assert refused.value.params == {"amount_minor": BOTH}
    assert started.amount_minor == BOTH


async def test_more_bills_than_a_year_has_are_refused(home: Home, world: World) -> None:
    with pytest.raises(InvalidInput, match="too_many_bills"):
        await world.start(home.now, also=tuple(f"ref{place}" for place in range(12)))


@pytest.mark.parametrize("lifecycle", ["lapsed", "canceling", "canceled", "superseded"])
async def test_a_bill_that_went_meanwhile_is_refused_and_nothing_starts(
    home: Home, world: World, lifecycle: str
) -> None:
    ref = await home.ref(home.older)
    await world.value(
        "update bill set lifecycle = $2 where id = $1 returning 1", home.older.bill_id, lifecycle
    )

    with pytest.raises(Conflict, match="other_not_payable"):
        await world.start(home.now, amount=BOTH, also=(ref,))
    assert await world.value("select count(*) from attempt") == 0


async def test_the_same_key_gets_the_same_attempt_though_its_bills_are_paid(home: Home) -> None:
    ref = await home.ref(home.older)
    first = await home.paid()

    again = await home.world.start(home.now, "both", amount=BOTH, also=(ref,))

    assert (again.fresh, again.attempt_id) == (False, first)
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await home.world.start(home.now, "both", amount=AMOUNT)


async def test_while_it_runs_neither_bill_is_paid_otherwise(home: Home, world: World) -> None:
    started = await home.start()

    for payer, amount in ((home.now, AMOUNT), (home.older, OLDER)):
        with pytest.raises(Conflict, match="attempt_running"):
            await world.start(payer, "alone", amount=amount)
        assert (await world.page(payer)).others == ()
    assert started.state == "submitting"


async def test_who_is_on_the_companys_page_is_led_back_for_the_same_bills_only(
    home: Home, world: World
) -> None:
    first = await home.away()

    again = await home.start("again")

    assert (again.fresh, again.attempt_id) == (False, first.attempt_id)
    for payer, amount in ((home.now, AMOUNT), (home.older, OLDER)):
        with pytest.raises(Conflict, match="attempt_elsewhere"):
            await world.start(payer, "alone", amount=amount)
        reasons = {offer.reason for offer in (await world.page(payer)).methods}
        assert reasons == {"attempt_elsewhere"}


async def test_a_page_whose_address_nobody_got_is_replaced_for_the_same_bills(
    home: Home, world: World
) -> None:
    lost = await home.start("lost")
    await world.submitted(home.now, lost, outcome="unknown", code="relay_lost")
    await world.told(home.now, lost.attempt_id, finding("requires_action", BOTH))

    with pytest.raises(Conflict, match="attempt_running"):
        await world.start(home.now, "alone")
    again = await home.start("again")

    assert again.fresh
    await world.submitted(home.now, again)
    for attempt in (again, lost):
        await world.told(home.now, attempt.attempt_id, finding("succeeded", BOTH))
    assert await home.settlements() == ["over", "over"]
    assert await world.cases() == ["late_success", "overpaid", "overpaid"]


async def test_overlapping_payments_at_once_make_one(home: Home, world: World) -> None:
    third = await world.payer(
        contract=UUID(bytes=await world.value(
            "select contract_blind from bill where id = $1", home.now.bill_id
        )),
        amount=500,
    )  # fmt: skip
    refs = {payer: await home.ref(payer) for payer in (home.now, home.older, third)}

    async def press(payer: Payer, amount: int, *also: Payer) -> str:
        try:
            named = tuple(refs[one] for one in also)
            await world.start(payer, "k", amount=amount, also=named)
        except PortalError as refused:
            return refused.code
        return "started"

    said = await asyncio.gather(
        press(home.now, BOTH, home.older),
        press(home.older, OLDER + 500, third),
        press(third, AMOUNT + 500, home.now),
        press(home.older, BOTH, home.now),
    )

    assert sorted(said) == ["attempt_running"] * 3 + ["started"]
    assert await world.value("select count(*) from attempt") == 1
    shares = await world.value("select sum(amount_minor)::bigint from attempt_share")
    assert shares == await world.value("select amount_minor from attempt")


async def test_one_that_is_paid_at_a_till_meanwhile_is_over_alone(home: Home, world: World) -> None:
    started = await home.away()
    bill = home.older.bill_id
    async with world.act() as act:
        await post(act, [attempt_succeeded(bill, act.new_id(), OLDER, OLDER)])
        await settle(act, bill, "unpaid", await sums_of(act, bill))

    await world.told(home.now, started.attempt_id, finding("succeeded", BOTH))

    assert await home.settlements() == ["settled", "over"]
    assert await world.cases() == ["overpaid"]
    case = await world.value("select subject_id from case_")
    assert case == home.older.bill_id
    assert (await world.books(home.older.bill_id))["overpayment"] == -OLDER


async def test_one_that_is_being_canceled_is_owed_back_and_the_other_paid(
    home: Home, world: World
) -> None:
    started = await home.away()
    await world.value(
        "update bill set lifecycle = 'canceling' where id = $1 returning 1", home.older.bill_id
    )

    await world.told(home.now, started.attempt_id, finding("succeeded", BOTH))

    assert await home.settlements() == ["settled", "over"]
    lifecycle = "select lifecycle from bill where id = $1"
    assert await world.value(lifecycle, home.older.bill_id) == "canceled"


async def test_a_cancel_waits_for_a_payment_that_only_shares_its_bill(
    home: Home, world: World
) -> None:
    started = await home.away()
    await world.value(
        "update bill set lifecycle = 'canceling' where id = $1 returning 1", home.older.bill_id
    )
    async with world.act() as act:
        assert not await finish_cancel(act, home.older.bill_id)

    await world.told(home.now, started.attempt_id, finding("failed", BOTH))

    lifecycle = "select lifecycle from bill where id = $1"
    assert await world.value(lifecycle, home.older.bill_id) == "canceled"
    assert await world.books(home.older.bill_id) == {}


async def test_another_sum_than_asked_for_is_booked_for_neither(home: Home, world: World) -> None:
    started = await home.away()

    await world.told(home.now, started.attempt_id, finding("succeeded", AMOUNT))

    assert await home.settlements() == ["unpaid", "unpaid"]
    assert await world.cases() == ["amount_mismatch"]


async def test_its_other_bills_payer_sees_the_attempt_and_a_stranger_does_not(
    home: Home, world: World
) -> None:
    started = await home.away()
    stranger = await world.payer()
    look = ViewAttempt(attempt_id=started.attempt_id)

    now = await world.web.call(VIEW_ATTEMPT, look, home.older.authority)

    assert now.attempt.amount_minor == BOTH
    with pytest.raises(NotFound):
        await world.web.call(VIEW_ATTEMPT, look, stranger.authority)


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def test_a_refund_of_it_is_of_one_bill_and_never_more_than_its_share(
    home: Home, counter: Counter
) -> None:
    attempt_id = await home.paid()
    older, now = home.older.bill_id, home.now.bill_id

    with pytest.raises(Conflict, match="refund_exceeds"):
        await counter.ask(older, attempt_id, amount_minor=OLDER + 1)
    first = await counter.ask(older, attempt_id, amount_minor=OLDER)
    second = await counter.ask(now, attempt_id, amount_minor=500)

    assert (first.state, second.state) == ("reserved", "reserved")
    assert (await counter.world.books(older))["goodwill_clearing"] == -OLDER
    assert (await counter.world.books(now))["goodwill_clearing"] == -500
    rooms = [await counter.of_bill(bill) for bill in (older, now)]
    assert [[one.amount_minor for one in room.refundable] for room in rooms] == [
        [],
        [AMOUNT - 500],
    ]
    with pytest.raises(NotFound):
        await counter.ask((await counter.world.bill())[0], attempt_id)


async def test_what_goes_back_of_its_bills_counts_together_for_the_second_person(
    world: World, counter: Counter
) -> None:
    contract = uuid4()
    one = await world.payer(contract=contract, amount=9_000)
    two = await world.payer(contract=contract, amount=8_000)
    ref = (await world.page(two)).page_ref
    started = await world.start(one, amount=17_000, also=(ref,))
    await world.submitted(one, started)
    await world.told(one, started.attempt_id, finding("succeeded", 17_000))

    small = await counter.ask(one.bill_id, started.attempt_id, amount_minor=9_000)
    more = await counter.ask(two.bill_id, started.attempt_id, amount_minor=8_000)

    assert (small.state, more.state) == ("reserved", "requested")


async def test_the_journal_comparison_sees_a_share_that_is_booked_otherwise(
    home: Home, world: World
) -> None:
    started = await home.away()
    wrong = [
        Paid(bill_id=home.now.bill_id, amount_minor=AMOUNT - 100, owed_minor=AMOUNT),
        Paid(bill_id=home.older.bill_id, amount_minor=OLDER + 100, owed_minor=OLDER),
    ]
    async with world.act() as act:
        await post(act, [attempt_paid(started.attempt_id, wrong)])
        await act.db.execute(
            "update attempt set state = 'succeeded' where id = $1", started.attempt_id
        )

    line = JournalLine(reference=started.reference, state="succeeded", amount_minor=BOTH)
    assert await world.compare(line) == {(started.reference, "shares_differ")}


async def test_refunds_of_two_of_its_bills_are_sent_one_after_the_other(
    home: Home, counter: Counter
) -> None:
    attempt_id = await home.paid()
    await counter.ask(home.older.bill_id, attempt_id, 300)
    await counter.ask(home.now.bill_id, attempt_id, 500)
    leases = [one for one in await counter.world.leases() if one.kind == "payment.refund"]

    begun = await asyncio.gather(
        *(counter.begin(lease) for lease in leases), return_exceptions=True
    )

    waits = [one for one in begun if isinstance(one, TryLater)]
    [sent] = [one for one in begun if isinstance(one, RefundBegun)]
    assert [one.code for one in waits] == ["refund_waits"]
    assert sent.remaining_minor == BOTH - sent.amount_minor


async def test_asking_for_two_of_its_bills_at_once_is_no_way_round_the_second_person(
    world: World, counter: Counter
) -> None:
    contract = uuid4()
    one = await world.payer(contract=contract, amount=9_000)
    two = await world.payer(contract=contract, amount=8_000)
    attempt_id = await world.paid_alone(one, 17_000, also=(two.page_ref,))
    other = await member(world, "jiro")
    counter.codes_are_fresh = False

    asked = await asyncio.gather(
        counter.ask(one.bill_id, attempt_id, 9_000),
        counter.ask(two.bill_id, attempt_id, 8_000, by=other),
    )

    assert sorted(refund.state for refund in asked) == ["requested", "reserved"]
