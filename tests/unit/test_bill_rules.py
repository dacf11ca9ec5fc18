from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import bill
from portal.domain.bill import LIFECYCLE, SETTLEMENT, BillSums, Lifecycle, LifecycleEvent
from portal.domain.errors import Conflict, InvariantBroken

STATES = get_args(Lifecycle)
EVENTS = get_args(LifecycleEvent)


@pytest.mark.parametrize(("state", "event"), list(LIFECYCLE))
def test_every_edge_of_the_table_can_be_taken_and_carries_a_code(
    state: Lifecycle, event: LifecycleEvent
) -> None:
    edge = bill.advance(state, event)

    assert edge.state in STATES
    assert edge.code.startswith("bill.")


@pytest.mark.parametrize(
    ("state", "event"), [(s, e) for s in STATES for e in EVENTS if (s, e) not in LIFECYCLE]
)
def test_an_edge_that_is_not_in_the_table_is_a_conflict(
    state: Lifecycle, event: LifecycleEvent
) -> None:
    with pytest.raises(Conflict) as refused:
        bill.advance(state, event)

    assert refused.value.code == "bill_state"
    assert refused.value.params == {"state": state, "event": event}


def test_canceled_and_superseded_bills_stay_so() -> None:
    assert not [edge for edge in LIFECYCLE if edge[0] in {"canceled", "superseded"}]


def test_an_issued_bill_is_never_canceled_at_once_but_waits_for_payments_under_way() -> None:
    for state in ("open", "overdue", "lapsed"):
        assert bill.advance(state, "cancel").state == "canceling"


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (BillSums(), "unpaid"),
        (BillSums(receivable=8420), "unpaid"),
        (BillSums(in_transit=8420, paid=8420, taken=8420), "settled"),
        (BillSums(in_transit=16840, overpayment=-8420, paid=8420, taken=16840), "over"),
        (BillSums(receivable=8420, in_transit=8420, overpayment=-8420, taken=8420), "over"),
        (BillSums(in_transit=16840, refund_clearing=-8420, paid=8420, taken=16840), "over"),
        (BillSums(in_transit=8420, paid=8420, taken=16840), "settled"),
        (BillSums(in_transit=16840, advanced=-8420, paid=8420, taken=16840), "settled"),
        (BillSums(paid=8420, taken=8420), "settled"),
        (BillSums(in_transit=8420, goodwill_clearing=-8420, paid=8420, taken=8420), "settled"),
        (BillSums(taken=8420), "unpaid"),
    ],
)
def test_settlement_is_what_the_ledger_says(sums: BillSums, expected: str) -> None:
    assert bill.settlement_of(sums) == expected


def test_what_went_back_and_what_is_on_its_way_are_told_apart_by_the_books() -> None:
    sums = BillSums(
        in_transit=11840, advanced=-1000, refund_clearing=-420, goodwill_clearing=-80,
        paid=8420, taken=16840,
    )  # fmt: skip

    assert (sums.given_back, sums.on_its_way_back) == (6000, 500)


@pytest.mark.parametrize(
    "sums",
    [
        BillSums(receivable=-1),
        BillSums(in_transit=-1),
        BillSums(overpayment=1),
        BillSums(refund_clearing=1),
        BillSums(goodwill_clearing=1),
        BillSums(advanced=1),
        BillSums(paid=-1),
        BillSums(in_transit=1),
    ],
)
def test_sums_that_no_posting_makes_are_our_own_fault(sums: BillSums) -> None:
    with pytest.raises(InvariantBroken, match="ledger_nonsense"):
        bill.settlement_of(sums)


def test_no_change_in_the_ledger_is_no_change_of_settlement() -> None:
    assert bill.settle("unpaid", BillSums(receivable=1)) is None
    assert bill.settle("settled", BillSums(in_transit=1, paid=1, taken=1)) is None


def test_a_change_of_settlement_names_its_event() -> None:
    paid = bill.settle("unpaid", BillSums(in_transit=5, paid=5, taken=5))
    twice = BillSums(in_transit=10, overpayment=-5, paid=5, taken=10)
    over = bill.settle("settled", twice)
    returned = bill.settle("over", BillSums(in_transit=5, paid=5, taken=10))

    assert paid is not None
    assert (paid.state, paid.code) == ("settled", "bill.paid")
    assert over is not None
    assert (over.state, over.code) == ("over", "bill.overpaid")
    assert returned is not None
    assert (returned.state, returned.code) == ("settled", "bill.overpayment_returned")


def test_a_settlement_can_not_go_back_to_unpaid_by_itself() -> None:
    with pytest.raises(InvariantBroken, match="settlement_edge"):
        bill.settle("settled", BillSums(receivable=5))


def test_only_unpaid_open_or_overdue_bills_are_payable() -> None:
    payable = {
        (state, money)
        for state in STATES
        for money in get_args(bill.Settlement)
        if bill.is_payable(state, money)
    }

    assert payable == {("open", "unpaid"), ("overdue", "unpaid")}


def test_a_paid_bill_is_refunded_not_canceled() -> None:
    with pytest.raises(Conflict, match="already_paid"):
        bill.check_cancelable("open", "settled")
    bill.check_cancelable("open", "unpaid")


@given(state=st.sampled_from(STATES), owed=st.integers(0, 10**9))
def test_a_withdrawn_bill_takes_no_money(state: Lifecycle, owed: int) -> None:
    takes = bill.owed_minor(state, BillSums(receivable=owed))

    assert takes == (owed if state in {"open", "overdue", "lapsed"} else 0)


def test_every_change_of_settlement_leads_to_the_state_that_names_it() -> None:
    assert all(edge.state == after for (_, after), edge in SETTLEMENT.items())
