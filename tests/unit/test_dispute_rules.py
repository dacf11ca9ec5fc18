"""A payer who contests a payment: what each finding means, and what the books say of the bill."""

from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest

from portal.domain.bill import SETTLEMENT, BillSums, settle, settlement_of
from portal.domain.chargeback import (
    Taken,
    chargeback_borne,
    chargeback_owed_again,
    chargeback_returned,
    chargeback_returns_over,
    chargeback_taken,
)
from portal.domain.dispute import (
    ASK_EVERY_S,
    EDGES,
    REFUND_WAIT_S,
    DisputeFacts,
    DisputeState,
    DisputeVerdict,
    judge,
    split_asked,
    split_taken,
)
from portal.domain.errors import InvariantBroken
from portal.domain.ledger import (
    Paid,
    Transaction,
    attempt_paid,
    attempt_succeeded,
    bill_issued,
    with_entries,
)

BILL, FIRST, SECOND, DISPUTE = (UUID(int=number) for number in (1, 2, 3, 4))
STATES: tuple[DisputeState, ...] = ("opened", "won", "lost")
PAID = 8420


def facts(state: DisputeState | None = None, booked: int = 0, room: int = PAID) -> DisputeFacts:
    return DisputeFacts(state=state, booked_minor=booked, room_minor=room)


def taken(amount: int = PAID, attempt: UUID = FIRST) -> Taken:
    return Taken(cause_id=DISPUTE, bill_id=BILL, attempt_id=attempt, amount_minor=amount)


def books(*transactions: Transaction) -> BillSums:
    sums = BillSums()
    for transaction in transactions:
        sums = with_entries(sums, transaction)
    return sums


ISSUED = bill_issued(BILL, PAID)
PAID_ONCE = attempt_succeeded(BILL, FIRST, PAID, PAID)
PAID_TWICE = attempt_succeeded(BILL, SECOND, PAID, 0)


def test_a_dispute_that_takes_the_money_at_once_is_booked_at_once_and_asked_about() -> None:
    verdict = judge(facts(), "opened", PAID, PAID)

    assert verdict.edge is not None
    assert (verdict.edge.state, verdict.edge.code) == ("opened", "payment.disputed")
    assert (verdict.booking, verdict.booked_minor) == ("chargeback_taken", PAID)
    assert (verdict.case, verdict.ask_in_s) == ("charged_back", ASK_EVERY_S)


def test_a_dispute_that_takes_nothing_yet_books_nothing_until_it_does() -> None:
    opened = judge(facts(), "opened", PAID, 0)
    later = judge(facts("opened"), "opened", PAID, PAID)

    assert (opened.booking, opened.case) == (None, "charged_back")
    assert (later.edge, later.booking, later.case) == (None, "chargeback_taken", None)


def test_what_is_found_again_is_booked_once() -> None:
    for state in STATES:
        booked = PAID if state == "opened" else 0
        verdict = judge(facts(state, booked), state, PAID, 0 if state == "won" else PAID)

        assert (verdict.edge, verdict.booking, verdict.case) == (None, None, None), state


def test_a_won_dispute_returns_what_was_taken_and_ends_its_case() -> None:
    verdict = judge(facts("opened", PAID), "won", PAID, 0)

    assert (verdict.booking, verdict.booked_minor) == ("chargeback_returned", PAID)
    assert (verdict.case, verdict.ends, verdict.ask_in_s) == (None, "won", None)


@pytest.mark.parametrize("said", [0, PAID])
def test_a_lost_dispute_has_taken_its_amount_whether_the_company_says_so_or_not(said: int) -> None:
    verdict = judge(facts("opened"), "lost", PAID, said)

    assert (verdict.booking, verdict.booked_minor) == ("chargeback_taken", PAID)
    assert (verdict.case, verdict.ends) == ("chargeback_lost", "lost")


def test_one_that_is_won_before_we_heard_of_it_needs_nobody() -> None:
    verdict = judge(facts(), "won", PAID, 0)

    assert (verdict.booking, verdict.case) == (None, None)


def test_what_was_decided_stays_decided_and_another_word_is_a_contradiction() -> None:
    for state, found in product(STATES, STATES):
        if (state, found) not in EDGES and state != found:
            assert judge(facts(state), found, PAID, 0).case == "provider_contradicts"


def test_more_than_the_payment_has_or_another_sum_than_before_is_booked_by_nobody() -> None:
    too_much = judge(facts(room=PAID - 1), "opened", PAID, PAID)
    another = judge(facts("opened", PAID), "opened", PAID, PAID - 1)

    for verdict in (too_much, another):
        assert (verdict.edge, verdict.booking, verdict.case) == (None, None, "amount_mismatch")


def test_who_takes_what_a_refund_under_way_would_have_is_asked_again_once_that_has_ended() -> None:
    waiting = replace(facts(room=PAID - 500), under_way_minor=500)
    more = judge(waiting, "lost", PAID + 1, 0)
    another = replace(facts("opened", PAID, room=PAID - 500), under_way_minor=500)

    assert judge(waiting, "opened", PAID, PAID) == DisputeVerdict(ask_in_s=REFUND_WAIT_S)
    assert judge(waiting, "opened", PAID, PAID - 500).booking == "chargeback_taken"
    assert more.case == judge(another, "opened", PAID, PAID - 1).case == "amount_mismatch"


def test_money_taken_back_makes_a_paid_bill_reversed_and_returned_money_paid() -> None:
    gone = books(ISSUED, PAID_ONCE, chargeback_taken(taken()))
    back = with_entries(gone, chargeback_returned(taken()))

    assert settlement_of(gone) == "reversed"
    assert settlement_of(back) == "settled"
    assert back.given_back == 0
    edge = settle("settled", gone)
    assert edge is not None
    assert edge.code == "bill.reversed"


def test_what_is_asked_for_again_is_unpaid_and_paying_it_settles_it_once() -> None:
    again = books(ISSUED, PAID_ONCE, chargeback_taken(taken()), chargeback_owed_again(taken()))
    paid = with_entries(again, attempt_succeeded(BILL, SECOND, PAID, again.receivable))

    assert (settlement_of(again), again.receivable) == ("unpaid", PAID)
    assert (settlement_of(paid), paid.paid, paid.given_back) == ("settled", PAID, 0)


def test_contesting_what_was_paid_twice_leaves_the_bill_paid_once() -> None:
    contested = books(ISSUED, PAID_ONCE, PAID_TWICE, chargeback_taken(taken(attempt=SECOND)))
    lost = with_entries(contested, chargeback_returns_over(taken(attempt=SECOND)))

    assert settlement_of(contested) == "over"
    assert settlement_of(lost) == "settled"
    assert lost.owed_back == 0


def test_every_change_that_disputes_can_make_has_an_edge() -> None:
    for before, after in (
        ("settled", "reversed"), ("over", "reversed"), ("reversed", "settled"),
        ("reversed", "over"), ("reversed", "unpaid"), ("over", "settled"),
    ):  # fmt: skip
        assert (before, after) in SETTLEMENT


OTHER = UUID(int=5)
ROOMS = {BILL: PAID, OTHER: 3_100}


@pytest.mark.parametrize(
    ("sum_", "parts"),
    [
        (PAID + 3_100, {BILL: PAID, OTHER: 3_100}),
        (PAID + 1, {BILL: PAID, OTHER: 1}),
        (PAID, {BILL: PAID}),
        (1, {BILL: 1}),
        (0, {}),
    ],
)
def test_each_bill_in_turn_loses_all_it_has_until_the_sum_is_there(
    sum_: int, parts: dict[UUID, int]
) -> None:
    assert split_taken(sum_, ROOMS) == parts


def test_the_turns_are_those_of_the_rooms_and_who_has_nothing_left_loses_nothing() -> None:
    assert split_taken(3_101, {OTHER: 3_100, BILL: PAID}) == {OTHER: 3_100, BILL: 1}
    assert split_taken(500, {BILL: 0, OTHER: 3_100}) == {OTHER: 500}


def test_more_than_all_bills_have_is_nobodys() -> None:
    with pytest.raises(InvariantBroken, match="dispute_room"):
        split_taken(PAID + 3_101, ROOMS)


def test_no_bill_loses_more_than_it_has_and_nothing_is_lost_on_the_way() -> None:
    for first, second in product(range(4), repeat=2):
        rooms = {BILL: first, OTHER: second}
        for sum_ in range(first + second + 1):
            parts = split_taken(sum_, rooms)

            assert sum(parts.values()) == sum_
            assert all(0 < part <= rooms[bill] for bill, part in parts.items())


def test_one_transaction_takes_and_returns_what_each_of_two_bills_loses() -> None:
    shares = [Paid(bill_id=bill, amount_minor=own, owed_minor=own) for bill, own in ROOMS.items()]
    parts = [
        Taken(cause_id=DISPUTE, bill_id=bill, attempt_id=FIRST, amount_minor=own)
        for bill, own in ROOMS.items()
    ]
    gone, back = chargeback_taken(*parts), chargeback_returned(*parts)

    for bill, own in ROOMS.items():
        sums = BillSums()
        settlements: list[str] = []
        for transaction in (bill_issued(bill, own), attempt_paid(FIRST, shares), gone, back):
            sums = with_entries(sums, transaction, bill)
            settlements.append(settlement_of(sums))
        assert settlements == ["unpaid", "settled", "reversed", "settled"]
    assert (gone.debit_minor, len(gone.entries)) == (PAID + 3_100, 4)


@pytest.mark.parametrize(
    ("lost", "paid", "asked"),
    [
        (5000, {FIRST: 8420}, {FIRST: 5000}),
        (8420, {FIRST: 8420, SECOND: 1000}, {FIRST: 8420}),
        (8420, {FIRST: 3000, SECOND: 5420}, {FIRST: 3000, SECOND: 5420}),
        (8420, {SECOND: 8420}, {SECOND: 8420}),
        (4000, {SECOND: 3000, DISPUTE: 2000}, {DISPUTE: 2000, SECOND: 2000}),
        (8420, {SECOND: 420}, {SECOND: 420}),
        (8420, {}, {}),
    ],
)
def test_a_loss_is_asked_for_by_what_pays_the_bill_and_no_more(
    lost: int, paid: dict[UUID, int], asked: dict[UUID, int]
) -> None:
    assert split_asked(lost, FIRST, paid) == asked


def test_an_excess_that_was_lost_is_counted_off_the_payment_that_paid_the_bill() -> None:
    gone = taken(attempt=SECOND)
    again = Taken(
        cause_id=DISPUTE, bill_id=BILL, attempt_id=SECOND, amount_minor=PAID, paid_by=FIRST
    )

    asked = chargeback_owed_again(again)
    borne = books(ISSUED, PAID_ONCE, chargeback_taken(gone), chargeback_borne(gone))

    assert {(entry.account, entry.attempt_id) for entry in asked.entries} == {
        ("receivable", FIRST), ("disputed", SECOND),
    }  # fmt: skip
    assert (settlement_of(borne), borne.receivable, borne.disputed) == ("settled", 0, 0)
