from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import ledger
from portal.domain.bill import BillSums, owed_minor, settlement_of
from portal.domain.errors import InvariantBroken
from portal.domain.ledger import Entry, Transaction

BILL = UUID(int=1)
amounts = st.integers(1, 9_999_999)


def sums(*transactions: Transaction) -> BillSums:
    found = BillSums()
    for transaction in transactions:
        assert sum(entry.amount_minor for entry in transaction.entries) == 0
        found = ledger.with_entries(found, transaction)
    return found


@given(amount=amounts)
def test_issuing_and_canceling_a_bill_leaves_nothing_owed(amount: int) -> None:
    after = sums(ledger.bill_issued(BILL, amount), ledger.bill_canceled(BILL, amount))

    assert after == BillSums()


@given(amount=amounts)
def test_a_payment_settles_its_bill(amount: int) -> None:
    issued = ledger.bill_issued(BILL, amount)
    paid = ledger.attempt_succeeded(BILL, UUID(int=2), amount, owed_minor("open", sums(issued)))

    assert settlement_of(sums(issued, paid)) == "settled"
    assert paid.debit_minor == amount


@given(amount=amounts, times=st.integers(2, 5))
def test_every_payment_after_the_first_is_owed_back(amount: int, times: int) -> None:
    booked = [ledger.bill_issued(BILL, amount)]
    for number in range(times):
        owed = owed_minor("open", sums(*booked))
        booked.append(ledger.attempt_succeeded(BILL, UUID(int=2 + number), amount, owed))

    after = sums(*booked)
    assert after.overpayment == -amount * (times - 1)
    assert settlement_of(after) == "over"


@given(amount=amounts)
def test_money_for_a_canceled_bill_is_owed_back_in_full(amount: int) -> None:
    after = sums(
        ledger.bill_issued(BILL, amount),
        ledger.bill_canceled(BILL, amount),
        ledger.attempt_succeeded(BILL, UUID(int=2), amount, 0),
    )

    assert after.overpayment == -amount
    assert settlement_of(after) == "over"


@given(amount=amounts, owed=amounts)
def test_money_pays_what_is_owed_and_the_rest_is_owed_back(amount: int, owed: int) -> None:
    transaction = ledger.attempt_succeeded(BILL, UUID(int=2), amount, owed)

    credited = {e.account: -e.amount_minor for e in transaction.entries if e.amount_minor < 0}
    assert credited.get("receivable", 0) == min(amount, owed)
    assert credited.get("overpayment", 0) == max(0, amount - owed)


def test_one_attempt_has_one_cause_whichever_way_it_is_booked() -> None:
    attempt = UUID(int=2)

    ways = {ledger.attempt_succeeded(BILL, attempt, 5, owed) for owed in (5, 2, 0)}

    assert {(way.cause, way.cause_id) for way in ways} == {("attempt_succeeded", attempt)}


@pytest.mark.parametrize("amounts", [(), (5,), (5, -4), (5, 0, -5), (5, 5)], ids=str)
def test_what_does_not_balance_can_not_be_built(amounts: tuple[int, ...]) -> None:
    entries = tuple(Entry(account="billed", amount_minor=a, bill_id=BILL) for a in amounts)

    with pytest.raises(InvariantBroken, match="ledger_unbalanced"):
        Transaction(cause="bill_issued", cause_id=BILL, entries=entries)
