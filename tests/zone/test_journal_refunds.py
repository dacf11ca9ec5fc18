"""Refunds of a provider's journal against ours: every way to disagree has its word."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from portal.contract.operator import JournalLine, JournalRefund
from portal.contract.refund import RefundView
from portal.domain.ledger import Return, refund_succeeded_late
from portal.vault.ledger import post
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, new_world
from tests.make.refunds import Counter, new_counter, paid
from tests.make.vault import ClientFor

PART = 3000


@dataclass
class Books:
    """A paid bill of which a part went back, and the provider's line of the payment."""

    counter: Counter
    attempt: UUID
    payment: JournalLine
    refund: RefundView

    @property
    def world(self) -> World:
        return self.counter.world

    def line(self, **changes: object) -> JournalRefund:
        """What the provider has of the refund, by default what we have."""
        values: dict[str, object] = {
            "reference": self.refund.reference, "payment": self.payment.reference,
            "state": "succeeded", "amount_minor": PART,
        }  # fmt: skip
        return JournalRefund(**(values | changes))  # type: ignore[arg-type]

    async def differences(self, *lines: JournalRefund) -> set[str]:
        found = await self.world.compare(self.payment, refunds=lines)
        return {code for _, code in found}


@pytest.fixture
async def books(vault: VaultServer, client_for: ClientFor) -> Books:
    world = await new_world(vault, client_for)
    counter = await new_counter(world)
    bill, attempt = await paid(world)
    refund = await counter.ask(bill, attempt, PART)
    reference = await world.value("select reference from attempt where id = $1", attempt)
    payment = JournalLine(reference=reference, state="succeeded", amount_minor=AMOUNT)
    return Books(counter, attempt, payment, refund)


async def test_a_refund_that_both_sides_have_is_no_difference(books: Books) -> None:
    await books.counter.sent("succeeded")

    assert await books.differences(books.line()) == set()
    assert await books.differences(books.line()) == set()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reference": "OTHER"}, "refund_missing"),
        ({"state": "pending"}, "refund_state_differs"),
        ({"state": "failed"}, "refund_state_differs"),
        ({"amount_minor": PART + 1}, "refund_amount_differs"),
        ({"payment": "OTHER"}, "refund_payment_differs"),
    ],
)
async def test_each_disagreement_has_its_word(
    books: Books, changes: dict[str, object], code: str
) -> None:
    await books.counter.sent("succeeded")

    assert code in await books.differences(books.line(**changes))


async def test_money_that_went_back_without_our_knowing_is_found(books: Books) -> None:
    await books.counter.sent("refused")
    assert await books.differences(books.line()) == {"refund_state_differs"}

    again = await books.counter.ask(books.refund.bill_id, books.attempt, PART)
    await books.counter.sent("unknown", ref="")
    line = books.line(reference=again.reference)
    assert await books.differences(line) == {"refund_unresolved"}


async def test_a_refund_that_the_journal_lacks_is_missed(books: Books) -> None:
    await books.counter.sent("succeeded")

    assert await books.differences() == {"refund_journal_missing"}
    assert await books.world.compare(books.payment) == set(), "a journal that has no refunds at all"


async def test_what_was_not_sent_is_not_missed(books: Books) -> None:
    assert await books.differences() == set()


async def test_a_refund_that_was_booked_twice_is_found(books: Books) -> None:
    await books.counter.sent("succeeded")
    again = Return(
        refund_id=books.refund.id, bill_id=books.refund.bill_id, attempt_id=books.attempt,
        amount_minor=PART, owed_minor=0,
    )  # fmt: skip
    async with books.world.act() as act:
        assert await post(act, [refund_succeeded_late(again)])

    assert "refund_posting_differs" in await books.differences(books.line())


async def test_a_state_without_its_posting_is_found(books: Books) -> None:
    async with books.world.act() as act:
        await act.db.execute("update refund set state = 'succeeded'")

    assert await books.differences(books.line()) == {"refund_posting_missing"}
