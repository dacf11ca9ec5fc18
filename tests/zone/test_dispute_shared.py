"""A payer who contests one payment for several bills: what each bill loses, and gets back."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec
import pytest

from portal.contract.bills import SUMMARISE_BILLS
from portal.contract.envelope import Nothing
from portal.contract.payment import Finding
from portal.domain.errors import Conflict
from portal.vault.server import VaultServer
from tests.make.disputes import Desk, disputed
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.refunds import Counter, member
from tests.make.vault import ClientFor

OLDER = 3_100
BOTH = AMOUNT + OLDER


def found(state: str, taken: int = BOTH, **more: object) -> Finding:
    return disputed(state, taken, paid=BOTH, **more)


@dataclass
class SharedDesk(Desk):
    """One payment for two bills of a contract; ``payer`` holds the link that it was paid by."""

    older: Payer | None = None

    @property
    def payers(self) -> tuple[Payer, Payer]:
        assert self.older is not None
        return self.payer, self.older

    async def settlements(self) -> list[str]:
        return [await self.world.settlement(one.bill_id) for one in self.payers]

    async def both_books(self) -> list[dict[str, int]]:
        return [await self.world.books(one.bill_id) for one in self.payers]

    async def both_events(self) -> list[list[str]]:
        return [await self.world.events(one.bill_id) for one in self.payers]

    async def pages(self) -> list[str]:
        return [(await self.world.page(one)).state for one in self.payers]

    async def sums(self) -> tuple[int, int]:
        """What the dashboard says is paid, and is not."""
        owner = self.counter.owner.authority
        summary = await self.world.web.call(SUMMARISE_BILLS, Nothing(), owner)
        return summary.paid_minor, summary.unpaid_minor

    async def params(self, code: str) -> list[dict[str, object]]:
        """What an event says on each bill, without the attempt's name."""
        rows = [
            await self.world.value(
                "select params::text from bill_event where bill_id = $1 and code = $2",
                one.bill_id, code,
            )
            for one in self.payers
        ]  # fmt: skip
        told = [msgspec.json.decode(row, type=dict[str, object]) for row in rows]
        return [{name: one[name] for name in one if name != "attempt"} for one in told]


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> SharedDesk:
    """The bill that its payer holds is due later than the other."""
    world = await new_world(vault, client_for)
    contract = uuid4()
    now = await world.payer(contract=contract)
    older = await world.payer(contract=contract, amount=OLDER)
    await due_sooner(world, older, 5)
    paid = await world.paid_alone(now, BOTH, also=(older.page_ref,))
    counter = Counter(world, await member(world, "owner"))
    return SharedDesk(counter, now, paid, BOTH, older=older)


async def due_sooner(world: World, payer: Payer, days: int) -> UUID:
    return await world.value(
        "update bill set due_on = due_on - $2::int where id = $1 returning id", payer.bill_id, days
    )


def booked(amount: int, **more: int) -> dict[str, int]:
    return {"billed": -amount, "in_transit": amount, **more}


async def test_all_of_it_taken_back_reverses_every_bill_by_its_share(desk: SharedDesk) -> None:
    await desk.hear(found("opened"))

    assert await desk.settlements() == ["reversed", "reversed"]
    assert await desk.both_books() == [
        booked(amount, disputed=amount, chargeback=-amount) for amount in (AMOUNT, OLDER)
    ]
    assert await desk.pages() == ["contested", "contested"]
    for events in await desk.both_events():
        assert events[-2:] == ["payment.disputed", "bill.reversed"]
    assert await desk.params("payment.disputed") == [
        {"amount_minor": amount, "bills": 2, "of_minor": BOTH} for amount in (AMOUNT, OLDER)
    ]
    assert await desk.world.value("select count(*) from ledger_transaction"
        " where cause = 'chargeback_taken'") == 1  # fmt: skip
    assert await desk.differences(BOTH) == set()
    assert await desk.differences(AMOUNT) == {"chargeback_differs"}


async def test_there_is_one_case_that_says_how_many_bills(desk: SharedDesk) -> None:
    await desk.hear(found("opened"))

    assert await desk.world.cases() == ["charged_back"]
    params = msgspec.json.decode(await desk.world.value("select params::text from case_"))
    assert (params["bills"], params["taken_minor"]) == (2, BOTH)


async def test_won_gives_each_bill_its_part_back(desk: SharedDesk) -> None:
    await desk.hear(found("opened"))

    await desk.hear(found("won", 0), "dispute_won")

    assert await desk.settlements() == ["settled", "settled"]
    assert await desk.both_books() == [booked(AMOUNT), booked(OLDER)]
    assert await desk.pages() == ["paid", "paid"]
    assert await desk.world.cases() == []
    assert await desk.differences(0) == set()


async def test_the_same_answers_again_change_nothing(desk: SharedDesk) -> None:
    for state, taken in (("opened", 0), ("opened", BOTH), ("lost", BOTH)):
        await desk.hear(found(state, taken))
        before = (await desk.both_books(), await desk.both_events())
        await desk.hear(found(state, taken))

        assert (await desk.both_books(), await desk.both_events()) == before
    assert await desk.world.value("select count(*) from dispute") == 1
    assert await desk.world.cases() == ["chargeback_lost"]


async def test_every_bill_of_a_lost_dispute_is_paid_again_when_a_person_asks_for_it(
    desk: SharedDesk,
) -> None:
    await desk.hear(found("lost"))

    await desk.settle("chargeback_lost", "ask_to_pay")

    assert await desk.settlements() == ["unpaid", "unpaid"]
    assert [one["receivable"] for one in await desk.both_books()] == [AMOUNT, OLDER]
    assert await desk.pages() == ["open", "open"]
    now, older = desk.payers
    await desk.world.paid_alone(now, BOTH, "again", also=(older.page_ref,))
    assert await desk.settlements() == ["settled", "settled"]
    assert await desk.both_books() == [
        {"billed": -amount, "in_transit": 2 * amount, "chargeback": -amount}
        for amount in (AMOUNT, OLDER)
    ]
    assert await desk.differences(BOTH) == set()
    assert await desk.world.cases() == []


async def test_a_part_is_taken_from_the_bill_that_is_due_last_and_then_from_the_other(
    desk: SharedDesk,
) -> None:
    part = AMOUNT + 1_000

    await desk.hear(found("opened", part, amount_minor=part))

    assert await desk.both_books() == [
        booked(AMOUNT, disputed=AMOUNT, chargeback=-AMOUNT),
        booked(OLDER, disputed=1_000, chargeback=-1_000),
    ]
    await desk.hear(found("won", 0, amount_minor=part), "dispute_won")
    assert await desk.both_books() == [booked(AMOUNT), booked(OLDER)]


async def test_a_bill_that_loses_nothing_stays_paid_and_hears_of_it(desk: SharedDesk) -> None:
    await desk.hear(found("opened", 1_000, amount_minor=1_000))

    assert await desk.settlements() == ["reversed", "settled"]
    assert await desk.pages() == ["contested", "paid"]
    assert await desk.params("payment.disputed") == [
        {"amount_minor": amount, "bills": 2, "of_minor": BOTH} for amount in (1_000, 0)
    ]


async def test_the_dashboard_counts_just_what_was_taken_back_as_unpaid(desk: SharedDesk) -> None:
    part = AMOUNT + 1_000
    told: list[tuple[int, int]] = [await desk.sums()]

    for state, taken in (("opened", part), ("lost", part)):
        await desk.hear(found(state, taken, amount_minor=part))
        told.append(await desk.sums())
    await desk.settle("chargeback_lost", "ask_to_pay")
    told.append(await desk.sums())

    assert told == [(BOTH, 0)] + 3 * [(BOTH - part, part)]
    now, older = desk.payers
    await desk.world.paid_alone(now, part, "again", also=(older.page_ref,))
    assert await desk.sums() == (BOTH, 0)


async def test_a_loss_on_another_bill_than_the_first_can_be_asked_for(desk: SharedDesk) -> None:
    now, older = desk.payers
    await due_sooner(desk.world, now, 9)
    await desk.hear(found("lost", 1_100, amount_minor=1_100))
    assert await desk.settlements() == ["settled", "reversed"]

    await desk.settle("chargeback_lost", "ask_to_pay")

    assert await desk.settlements() == ["settled", "unpaid"]
    page = await desk.world.page(older)
    assert (page.state, page.pay_minor) == ("open", 1_100)
    await desk.world.paid_alone(older, 1_100, "again")
    assert await desk.settlements() == ["settled", "settled"]


async def test_one_that_nobody_wants_any_more_is_refused_and_none_is_asked_for(
    desk: SharedDesk,
) -> None:
    await desk.hear(found("lost"))
    await desk.world.value(
        "update bill set lifecycle = 'superseded' where id = $1 returning id",
        desk.payers[1].bill_id,
    )

    with pytest.raises(Conflict, match="bill_state"):
        await desk.settle("chargeback_lost", "ask_to_pay")

    assert await desk.settlements() == ["reversed", "reversed"]
    assert await desk.world.cases() == ["chargeback_lost"]


async def test_nothing_is_given_back_of_either_bill_while_it_is_contested_or_once_it_is_lost(
    desk: SharedDesk,
) -> None:
    for state, taken in (("opened", 0), ("opened", BOTH), ("lost", BOTH)):
        await desk.hear(found(state, taken))

        for payer in desk.payers:
            with pytest.raises(Conflict, match="payment_disputed"):
                await desk.counter.ask(payer.bill_id, desk.attempt_id, 500)


async def test_a_refund_of_the_other_bill_that_waits_is_never_sent(desk: SharedDesk) -> None:
    refund = await desk.counter.ask(desk.payers[1].bill_id, desk.attempt_id, 1_000)
    waiting = await desk.counter.lease("payment.refund")
    await desk.hear(found("opened", 0))

    begun = await desk.counter.begin(waiting)

    assert not begun.fresh
    assert await desk.counter.state(refund) == "failed"


async def test_what_a_refund_gave_back_of_a_share_is_not_taken_from_its_bill_again(
    desk: SharedDesk,
) -> None:
    await desk.counter.ask(desk.payer.bill_id, desk.attempt_id, 8_000)
    await desk.counter.sent()
    left = BOTH - 8_000

    await desk.hear(found("opened", BOTH))
    assert await desk.world.cases() == ["amount_mismatch"]
    await desk.hear(found("opened", left, amount_minor=left))

    [of_now, of_older] = await desk.both_books()
    assert (of_now["disputed"], of_older["disputed"]) == (AMOUNT - 8_000, OLDER)


async def test_a_second_dispute_takes_only_what_the_first_left(desk: SharedDesk) -> None:
    await desk.hear(found("opened", 1_000, amount_minor=1_000))

    await desk.hear(found("opened", BOTH, reference="dp_2"))
    assert await desk.world.cases() == ["amount_mismatch", "charged_back"]
    await desk.hear(found("opened", AMOUNT, amount_minor=AMOUNT, reference="dp_2"))

    assert [one["disputed"] for one in await desk.both_books()] == [AMOUNT, 1_000]
    await desk.hear(found("won", 0, amount_minor=AMOUNT, reference="dp_2"), "dispute_won")
    assert [one.get("disputed", 0) for one in await desk.both_books()] == [1_000, 0]
    assert await desk.settlements() == ["reversed", "settled"]


async def test_what_was_paid_twice_anyway_is_nobodys_debt_and_the_other_bill_is_asked_for(
    desk: SharedDesk,
) -> None:
    older = desk.payers[1]
    late = await desk.world.value(
        "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
        " amount_minor, created_at, state_at, doubt_at) select merchant_id, uuidv7(), $1,"
        " method, provider, 'second', 'processing', $2, created_at, state_at, doubt_at"
        " from attempt returning id",
        older.bill_id, OLDER,
    )  # fmt: skip
    await desk.world.told(older, late, finding("succeeded", OLDER))
    assert await desk.settlements() == ["settled", "over"]

    await desk.hear(found("lost"))

    assert await desk.settlements() == ["reversed", "settled"]
    await desk.settle("chargeback_lost", "ask_to_pay")
    assert await desk.settlements() == ["unpaid", "settled"]
    assert await desk.world.value("select taken_minor from dispute") == 0


async def test_who_asks_again_locks_the_bills_in_the_order_of_everyone(desk: SharedDesk) -> None:
    first, second = sorted(one.bill_id for one in desk.payers)
    await desk.world.value("update attempt set bill_id = $1 returning id", second)
    await desk.hear(found("lost"))
    lock = "select id from bill where id = $1 for update nowait"
    waits = (
        "select exists (select from pg_locks"
        " where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))"
    )  # pg_stat_activity would show only who was connected when this transaction first looked

    async with desk.world.act() as act:
        await act.db.fetchval(lock, first)
        asking = asyncio.create_task(desk.settle("chargeback_lost", "ask_to_pay"))
        while not await act.db.fetchval(waits):
            assert not asking.done()
            await asyncio.sleep(0.01)
        got = await act.db.fetchval(lock, second)

    await asking
    assert got == second
    assert await desk.settlements() == ["unpaid", "unpaid"]
