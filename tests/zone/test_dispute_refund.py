"""A bill paid twice, of which something goes back while its payer contests a payment: every order.

Whatever comes first, the bill ends as what its money says, and a person can always end it: never
``over`` by what a company has taken back already.
"""

from dataclasses import dataclass

from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.refund import RefundView
from portal.contract.work import Leased
from portal.domain.ids import BillId, CaseId
from portal.vault.server import VaultServer
from tests.make.disputes import Desk, disputed
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, member
from tests.make.vault import ClientFor

PART = 1_000
OTHER = "other "
"""Begins what happens to the first payment; all else is of the second, which came beyond the bill.
"""

TWICE = {"billed": -AMOUNT, "in_transit": 2 * AMOUNT}
ONCE = TWICE | {"chargeback": -AMOUNT}
THRICE = {"billed": -AMOUNT, "in_transit": 3 * AMOUNT}
SENT = {"billed": -AMOUNT, "in_transit": AMOUNT}
BY_HAND = TWICE | {"advanced": -AMOUNT}
LOST_BY_HAND = BY_HAND | {"chargeback": -AMOUNT}
ASKED = LOST_BY_HAND | {"receivable": AMOUNT}
BOTH_LOST = {"in_transit": 2 * AMOUNT, "advanced": -AMOUNT, "chargeback": -2 * AMOUNT}
OVER = TWICE | {"overpayment": -AMOUNT}
REST_OVER = TWICE | {"chargeback": -PART, "overpayment": PART - AMOUNT}

ORDERS = {
    "reserve, lost, give up": ("settled", ONCE),
    "reserve, opened, give up, lost": ("settled", ONCE),
    "reserve, opened, lost, give up": ("settled", ONCE),
    "reserve, opened, lost, withdraw": ("settled", ONCE),
    "reserve, withdraw, opened, lost": ("settled", ONCE),
    "reserve, send, answer refused, lost": ("settled", ONCE),
    "reserve, send, lost, answer refused": ("settled", ONCE),
    "reserve, send, opened, answer refused, lost": ("settled", ONCE),
    "reserve, send, answer accepted, lost, find failed, lost": ("settled", ONCE),
    "lost": ("settled", ONCE),
    "reserve, lost part, give up": ("over", REST_OVER),
    "reserve, opened part, give up, lost part": ("over", REST_OVER),
    "reserve, opened, give up, won": ("over", OVER),
    "reserve, opened, won, send, answer succeeded": ("settled", SENT),
    "reserve, opened, withdraw, won": ("over", OVER),
    "reserve, send, answer succeeded, other opened, other won": ("settled", SENT),
    "other reserve, lost, other give up": ("settled", ONCE),
    "other reserve, opened, other give up, lost": ("settled", ONCE),
    "by hand, lost, withdraw": ("settled", ONCE),
    "by hand, opened, withdraw, won": ("over", OVER),
    "by hand, opened, won, transfer": ("settled", BY_HAND),
    "by hand, lost, transfer": ("reversed", LOST_BY_HAND | {"disputed": AMOUNT}),
    "by hand, opened, transfer, lost": ("reversed", LOST_BY_HAND | {"disputed": AMOUNT}),
    "by hand, lost, put away, transfer, ask to pay": ("unpaid", ASKED),
    "by hand, transfer, lost, ask to pay": ("unpaid", ASKED),
    "by hand, transfer, other lost, other ask to pay": ("unpaid", ASKED),
    "by hand, transfer, lost, ask to pay, other lost, other ask to pay": (
        "unpaid", BOTH_LOST | {"receivable": AMOUNT},
    ),
    "by hand, transfer, lost, other lost, ask to pay, other ask to pay": (
        "unpaid", BOTH_LOST | {"receivable": AMOUNT},
    ),
    "by hand, transfer, lost, other lost, ask to pay, other put away": (
        "unpaid", BOTH_LOST | {"receivable": AMOUNT},
    ),
    "by hand, transfer, lost, other lost, put away, other ask to pay": (
        "unpaid", BOTH_LOST | {"receivable": AMOUNT},
    ),
    "by hand, transfer, lost, other lost, put away": (
        "reversed", BOTH_LOST | {"billed": -AMOUNT, "disputed": 2 * AMOUNT},
    ),
    "other lost, lost, late money": ("settled", THRICE | {"chargeback": -2 * AMOUNT}),
    "other lost, lost part, late money": (
        "over", THRICE | {"chargeback": -AMOUNT - PART, "overpayment": PART - AMOUNT},
    ),
    "other lost, opened, late money, lost": ("settled", THRICE | {"chargeback": -2 * AMOUNT}),
    "other lost, lost, ask to pay": (
        "unpaid", TWICE | {"chargeback": -2 * AMOUNT, "receivable": AMOUNT},
    ),
}  # fmt: skip
"""What happens, in its order → settlement and books at its end."""


class PaymentDesk(Desk):
    """Of a bill with several payments, the one whose cases these are."""

    async def case(self, kind: str) -> CaseId:
        """The newest case of a kind about the payment."""
        return await self.world.value(
            "select id from case_ where kind = $1 and subject_id = $2 order by id desc limit 1",
            kind, self.attempt_id,
        )  # fmt: skip


@dataclass
class Story:
    """One bill that was paid twice, and what happens to its two payments."""

    second: PaymentDesk
    first: PaymentDesk
    refund: RefundView | None = None
    lease: Leased | None = None
    """What the worker has who is to send the refund."""

    @property
    def counter(self) -> Counter:
        return self.second.counter

    async def happen(self, what: str) -> None:
        desk = self.first if what.startswith(OTHER) else self.second
        verb, _, detail = what.removeprefix(OTHER).partition(" ")
        match verb, detail:
            case ("opened" | "won" | "lost") as state, part:
                of = PART if part else AMOUNT
                await desk.hear(disputed(state, 0 if state == "won" else of, amount_minor=of,
                                         reference=f"dp_{desk.attempt_id}"))  # fmt: skip
            case "reserve", "":
                self.refund = await self.counter.ask(desk.payer.bill_id, desk.attempt_id)
                self.lease = await self.counter.lease("payment.refund")
            case "by", "hand":
                self.refund = await self.counter.ask(
                    desk.payer.bill_id, desk.attempt_id, way="bank_transfer"
                )
            case "ask", "to pay":
                await desk.settle("chargeback_lost", "ask_to_pay")
            case "late", "money":
                await self.pay_late()
            case "put", "away":
                await desk.settle("chargeback_lost", "let_be", "small sum")
            case _:
                await self.go_back(verb, detail)

    async def pay_late(self) -> None:
        """Money comes by a third payment that had been believed to have failed."""
        world = self.counter.world
        late = await world.value(
            "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
            " amount_minor, created_at, state_at, doubt_at) select merchant_id, uuidv7(), bill_id,"
            " method, provider, reference || '-late', 'processing', amount_minor, created_at,"
            " state_at, doubt_at from attempt where id = $1 returning id", self.first.attempt_id,
        )  # fmt: skip
        await world.told(self.first.payer, late, finding("succeeded"))

    async def go_back(self, verb: str, outcome: str) -> None:
        """What becomes of the refund."""
        assert self.refund is not None
        counter, lease, key = self.counter, self.lease, str(self.refund.id)
        match verb:
            case "give" if lease:
                assert not (await counter.begin(lease)).fresh
                assert await counter.state(self.refund) == "failed"
            case "send" if lease:
                assert (await counter.begin(lease)).fresh
            case "answer" if lease:
                code = "provider_refused" if outcome == "refused" else ""
                await counter.answered(lease, outcome, code=code)
            case "find":
                await counter.inquired(self.refund, outcome)
            case "withdraw":
                await counter.decide(self.refund, "withdraw", key=key)
            case "transfer":
                today = counter.world.server.clock.business_today("Asia/Tokyo")
                await counter.transferred(self.refund, today, key=key)
            case _:
                raise AssertionError(verb)


async def paid_twice(counter: Counter, number: int) -> Story:
    world = counter.world
    payer = await world.payer()
    first = await world.start(payer, f"first-{number}")
    await world.submitted(payer, first, outcome="refused", code="card_declined")
    second = await world.paid(payer, f"second-{number}")
    await world.told(payer, first.attempt_id, finding("succeeded"))
    return Story(
        PaymentDesk(counter, payer, second, notices=100 * number),
        PaymentDesk(counter, payer, first.attempt_id, notices=100 * number + 50),
    )


async def new_counter(world: World) -> Counter:
    counter = Counter(world, await member(world, "owner"))
    await counter.limit(10**6)
    return counter


async def test_in_whatever_order_the_bill_ends_as_its_money_says(
    vault: VaultServer, client_for: ClientFor
) -> None:
    world = await new_world(vault, client_for)
    counter = await new_counter(world)
    for number, (order, ended) in enumerate(ORDERS.items()):
        story = await paid_twice(counter, number)

        for what in order.split(", "):
            await story.happen(what)

        assert (await story.second.settlement(), await story.second.books()) == ended, order
    assert "amount_mismatch" not in await world.cases()


async def test_what_paid_instead_is_told_as_paid_and_leaves_nobody_work(
    vault: VaultServer, client_for: ClientFor
) -> None:
    world = await new_world(vault, client_for)
    story = await paid_twice(await new_counter(world), 0)
    for what in ("other lost", "lost", "late money"):
        await story.happen(what)

    assert (await world.events(story.first.payer.bill_id))[-1] == "bill.paid"
    assert "overpaid" not in await world.cases()
    assert (await world.page(story.first.payer)).state == "paid"


async def test_a_part_that_is_lost_while_its_bill_is_canceled_is_owed_to_nobody(
    vault: VaultServer, client_for: ClientFor
) -> None:
    world = await new_world(vault, client_for)
    await world.allow_parts(1_000)
    payer = await world.payer()
    part = await world.paid_alone(payer, 3_000, "part", part_minor=3_000)
    counter = await new_counter(world)
    rest = await world.start(payer, "rest", amount=AMOUNT - 3_000)
    version = await world.value("select version from bill")
    cancel = CancelBill(
        bill_id=BillId(payer.bill_id), version=version, reason="", idempotency_key="c"
    )
    await world.web.call(CANCEL_BILL, cancel, counter.owner.authority)
    desk = Desk(counter, payer, part, 3_000)
    await desk.hear(disputed("lost", 3_000, paid=3_000))
    assert await desk.settlement() == "reversed"

    await world.told(payer, rest.attempt_id, finding("failed", 0))

    assert await desk.settlement() == "unpaid"
    assert await desk.books() == {"in_transit": 3_000, "chargeback": -3_000}
    assert (await world.events(payer.bill_id))[-1] == "bill.overpayment_returned"
    assert "overpaid" not in await world.cases()
    assert (await world.page(payer)).state == "canceled"
