"""What each bill gets of one payment: sums, bounds, and what the ledger makes of them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.bill import BillSums, is_part_paid, settlement_of
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.ledger import (
    Paid,
    PartPaid,
    Return,
    attempt_paid,
    attempt_succeeded,
    bill_canceled,
    bill_issued,
    part_owed_back,
    refund_reserved,
    refund_succeeded,
    with_entries,
)
from portal.domain.money import AMOUNT_MINOR_MAX
from portal.domain.share import BILLS_MAX, check_least, part_bounds, split

BILL, OTHER, ATTEMPT = UUID(int=1), UUID(int=2), UUID(int=9)
amounts = st.integers(min_value=1, max_value=10**9)


@given(st.dictionaries(st.uuids(), amounts, min_size=1, max_size=BILLS_MAX))
def test_several_bills_get_all_that_is_left_of_each(left: dict[UUID, int]) -> None:
    shares = split(next(iter(left)), left, None, None)

    assert shares == left
    assert list(shares) == sorted(left)


@given(left=amounts, least=st.integers(min_value=1, max_value=10**6), part=st.integers())
def test_a_part_and_what_stays_are_never_less_than_the_least(
    left: int, least: int, part: int
) -> None:
    try:
        shares = split(BILL, {BILL: left}, part, least)
    except (Conflict, InvalidInput):
        assert part < least or left - part < least
    else:
        assert shares == {BILL: part}
        assert min(part, left - part) >= least


@pytest.mark.parametrize(
    ("left", "least", "bounds"),
    [
        (8420, 1000, (1000, 7420)),
        (2000, 1000, (1000, 1000)),
        (1999, 1000, None),
        (8420, None, None),
    ],
)
def test_between_what_a_part_has_to_be(
    left: int, least: int | None, bounds: tuple[int, int] | None
) -> None:
    found = part_bounds(left, least)

    assert (found and (found.least_minor, found.most_minor)) == bounds


def test_a_part_is_of_one_bill_and_only_where_parts_are_taken() -> None:
    with pytest.raises(InvalidInput, match="part_of_several"):
        split(BILL, {BILL: 5000, OTHER: 5000}, 1000, 1000)
    with pytest.raises(Conflict, match="part_not_taken"):
        split(BILL, {BILL: 5000}, 1000, None)


def test_no_payment_is_for_more_bills_than_a_year_has() -> None:
    with pytest.raises(InvalidInput) as refused:
        split(UUID(int=0), {UUID(int=place): 1 for place in range(BILLS_MAX + 1)}, None, None)

    assert refused.value.params == {"most": BILLS_MAX}


@pytest.mark.parametrize("least", [0, -1, AMOUNT_MINOR_MAX + 1])
def test_a_least_part_of_nothing_is_none(least: int) -> None:
    with pytest.raises(InvalidInput, match="part_least"):
        check_least(least)
    check_least(None)


@given(amount=amounts, owed=amounts, other=amounts, other_owed=amounts)
def test_one_transaction_books_every_share_for_its_own_bill(
    amount: int, owed: int, other: int, other_owed: int
) -> None:
    paid = [
        Paid(bill_id=BILL, amount_minor=amount, owed_minor=owed),
        Paid(bill_id=OTHER, amount_minor=other, owed_minor=other_owed),
    ]

    transaction = attempt_paid(ATTEMPT, paid)

    assert transaction.debit_minor == amount + other
    for share in paid:
        issued = with_entries(BillSums(), bill_issued(share.bill_id, share.owed_minor))
        sums = with_entries(issued, transaction, share.bill_id)
        assert sums.taken == sums.in_transit == share.amount_minor
        assert sums.paid == min(share.amount_minor, share.owed_minor)
        assert -sums.overpayment == share.over_minor
        assert is_part_paid(sums) == (share.amount_minor < share.owed_minor)
        due = (share.amount_minor > share.owed_minor) - (share.amount_minor < share.owed_minor)
        assert settlement_of(sums) == {-1: "unpaid", 0: "settled", 1: "over"}[due]


@given(
    amount=st.integers(2, 10**6), part=st.integers(1, 10**6), gone=st.integers(0, 10**6),
    arrived=st.booleans(),
)  # fmt: skip
def test_what_was_paid_of_a_canceled_bill_is_owed_back_once(
    amount: int, part: int, gone: int, *, arrived: bool
) -> None:
    part = 1 + part % (amount - 1)
    gone %= part + 1
    back = Return(
        refund_id=OTHER, bill_id=BILL, attempt_id=ATTEMPT, amount_minor=gone, owed_minor=0
    )
    sums = with_entries(BillSums(), bill_issued(BILL, amount))
    sums = with_entries(sums, attempt_succeeded(BILL, ATTEMPT, part, amount))
    if gone:
        sums = with_entries(sums, refund_reserved(back))
    if gone and arrived:
        sums = with_entries(sums, refund_succeeded(back))
    given, leaving = (gone, 0) if arrived else (0, gone)
    paid = PartPaid(attempt_id=ATTEMPT, paid_minor=part, given_minor=given, leaving_minor=leaving)

    canceled = with_entries(sums, bill_canceled(BILL, sums.receivable + sums.paid))
    after = with_entries(canceled, part_owed_back(BILL, [paid]))

    assert (after.receivable, after.paid) == (0, 0)
    assert (-after.overpayment, after.on_its_way_back) == (part - gone, leaving)
    assert settlement_of(after) == ("over" if part > given else "unpaid")


@given(part=st.integers(1, 10**6), given_=st.integers(0, 10**6), leaving=st.integers(0, 10**6))
def test_no_payer_owes_what_went_back_beyond_what_a_company_left(
    part: int, given_: int, leaving: int
) -> None:
    paid = PartPaid(attempt_id=ATTEMPT, paid_minor=part, given_minor=given_, leaving_minor=leaving)

    moved = {entry.account: entry.amount_minor for entry in part_owed_back(BILL, [paid]).entries}

    assert moved.get("overpayment", 0) == -max(part - given_ - leaving, 0)
    assert moved.get("refund_clearing", 0) == (0 if paid.is_used_up else -leaving)
    assert moved["receivable"] == part
