"""The rules of refunds: whatever happens in whatever order, never more goes back than came."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import ledger, refund, refund_finding
from portal.domain.bill import BillSums, owed_minor, settle, settlement_of
from portal.domain.doubt import NOT_FOUND_AFTER, NOT_FOUND_AGAIN
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.ledger import Return, Transaction
from portal.domain.refund import (
    ASKED,
    HOLDING,
    TRANSITIONS,
    RefundEvent,
    RefundFound,
    RefundState,
)
from portal.domain.refund_finding import RefundFacts, RefundVerdict

START = datetime(2026, 11, 22, 3, tzinfo=UTC)
STATES = get_args(RefundState)
EVENTS = get_args(RefundEvent)
FINDINGS = get_args(RefundFound)
AMOUNT = 3000
BILL = UUID(int=1)


def facts(
    state: RefundState, *, room: int = AMOUNT, missing_at: datetime | None = None
) -> RefundFacts:
    return RefundFacts(
        state=state,
        amount_minor=AMOUNT,
        doubt_at=START,
        asked=0,
        missing_at=missing_at,
        room_minor=room,
    )


def judge(
    state: RefundState,
    found: RefundFound,
    *,
    after: timedelta = timedelta(minutes=2),
    amount: int = AMOUNT,
    room: int = AMOUNT,
    missing_at: datetime | None = None,
) -> RefundVerdict:
    given_facts = facts(state, room=room, missing_at=missing_at)
    return refund_finding.judge(given_facts, found, amount, "", START + after)


@pytest.mark.parametrize(("state", "event"), list(TRANSITIONS))
def test_every_edge_carries_a_code_and_leads_to_a_state(
    state: RefundState, event: RefundEvent
) -> None:
    edge = refund.advance(state, event)

    assert edge.state in STATES
    assert edge.code.startswith("refund.")


def test_an_edge_that_is_not_in_the_table_is_a_conflict() -> None:
    others = [(s, e) for s in STATES for e in EVENTS if (s, e) not in TRANSITIONS]

    for state, event in others:
        with pytest.raises(Conflict, match="refund_state"):
            refund.advance(state, event)
    assert len(others) + len(TRANSITIONS) == len(STATES) * len(EVENTS)


def test_a_refund_is_submitted_from_one_state_only_and_never_again() -> None:
    leading = {state for (state, _), edge in TRANSITIONS.items() if edge.state == "submitting"}

    assert leading == {"reserved"}


def test_only_findings_of_an_inquiry_lead_out_of_unknown() -> None:
    events = {event for state, event in TRANSITIONS if state == "unknown"}

    assert events
    assert all(event.startswith("found_") for event in events)


def test_the_ledger_is_told_exactly_when_money_is_held_let_go_or_gone() -> None:
    for (state, _), edge in TRANSITIONS.items():
        cause = refund.booked_with(state, edge.state)
        changes_hold = (state in HOLDING) != (edge.state in HOLDING)
        leaves = edge.state in {"succeeded", "transferred"} or state == "transferred"
        assert (cause is not None) == (changes_hold or leaves), (state, edge.state)


@pytest.mark.parametrize("found", FINDINGS)
@pytest.mark.parametrize("state", sorted(ASKED))
def test_an_open_refund_ends_or_is_asked_about_again(
    state: RefundState, found: RefundFound
) -> None:
    verdict = judge(state, found)

    after = verdict.edge.state if verdict.edge else state
    assert (verdict.ask_in_s is not None) == (after in ASKED)


@pytest.mark.parametrize("found", FINDINGS)
@pytest.mark.parametrize("state", sorted(set(STATES) - ASKED))
def test_a_refund_that_is_not_open_moves_only_by_a_late_success(
    state: RefundState, found: RefundFound
) -> None:
    verdict = judge(state, found)

    assert (verdict.ask_in_s is not None) == ((state, found) == ("failed", "unclear"))
    if verdict.edge is not None:
        assert (state, found) == ("failed", "succeeded")
        assert verdict.case == "refund_contradicts"


def test_not_found_counts_late_and_twice() -> None:
    early = judge("unknown", "not_found", after=NOT_FOUND_AFTER - timedelta(seconds=1))
    first = judge("unknown", "not_found", after=NOT_FOUND_AFTER)
    at_once = judge(
        "unknown", "not_found", after=NOT_FOUND_AFTER, missing_at=START + NOT_FOUND_AFTER
    )
    second = judge(
        "unknown",
        "not_found",
        after=NOT_FOUND_AFTER + NOT_FOUND_AGAIN,
        missing_at=START + NOT_FOUND_AFTER,
    )

    assert (early.edge, early.missing_at) == (None, None)
    assert (first.edge, first.missing_at) == (None, START + NOT_FOUND_AFTER)
    assert at_once.edge is None
    assert second.edge is not None
    assert (second.edge.code, second.code) == ("refund.never_received", "never_received")


def test_an_inquiry_that_is_quicker_than_the_submitter_says_nothing_of_it() -> None:
    for found in ("not_found", "unclear"):
        verdict = judge("submitting", found, after=timedelta(seconds=30))
        assert verdict.edge is None
        assert verdict.ask_in_s is not None


def test_another_amount_is_never_booked() -> None:
    for state in STATES:
        verdict = judge(state, "succeeded", amount=AMOUNT + 1)

        assert verdict.case == "refund_contradicts"
        assert verdict.edge is None or verdict.edge.state == "unknown"


def test_a_late_success_beyond_what_was_taken_is_a_persons_work() -> None:
    verdict = judge("failed", "succeeded", room=AMOUNT - 1)

    assert (verdict.edge, verdict.case) == (None, "refund_contradicts")


def test_a_refund_nobody_could_explain_for_a_day_becomes_a_case() -> None:
    assert judge("unknown", "unclear", after=timedelta(hours=23)).case is None
    assert judge("unknown", "unclear", after=timedelta(hours=25)).case == "refund_unresolved"
    assert judge("pending", "pending", after=timedelta(days=6)).case is None
    assert judge("pending", "pending", after=timedelta(days=8)).case == "refund_unresolved"


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_can_not_be_given_back(amount: int) -> None:
    with pytest.raises(InvalidInput, match="refund_amount"):
        refund.check_amount(amount, 100)


def test_more_than_is_left_can_not_be_given_back() -> None:
    refund.check_amount(100, 100)
    with pytest.raises(Conflict, match="refund_exceeds") as refused:
        refund.check_amount(101, 100)
    assert refused.value.params["amount_minor"] == 100


def test_many_small_refunds_need_the_approval_of_one_large_one() -> None:
    assert not refund.needs_approval(5000, 5000, 10_000)
    assert refund.needs_approval(5000, 5001, 10_000)
    assert refund.needs_approval(1, 0, 0)


def test_a_transfer_is_recorded_for_a_day_that_has_been() -> None:
    today = date(2026, 11, 27)
    refund.check_transfer_day(today, today)
    for day in (today + timedelta(days=1), today - timedelta(days=400)):
        with pytest.raises(InvalidInput, match="transfer_day"):
            refund.check_transfer_day(day, today)


# --- any order ----------------------------------------------------------------------------------
@dataclass
class Books:
    """A bill with payments, refunds of them, and everything booked for it; as the vault has it."""

    amount: int
    lifecycle: str = "open"
    taken: dict[UUID, int] = field(default_factory=dict[UUID, int])
    refunds: list["Back"] = field(default_factory=list["Back"])
    booked: dict[tuple[str, UUID], Transaction] = field(
        default_factory=dict[tuple[str, UUID], Transaction]
    )
    settlement: str = "unpaid"

    def post(self, transaction: Transaction) -> None:
        key = (transaction.cause, transaction.cause_id)
        assert key not in self.booked, "a cause is booked once"
        assert sum(entry.amount_minor for entry in transaction.entries) == 0
        self.booked[key] = transaction
        edge = settle(self.settlement, self.sums())  # type: ignore[arg-type]
        self.settlement = edge.state if edge else self.settlement

    def sums(self) -> BillSums:
        found = BillSums()
        for transaction in self.booked.values():
            found = ledger.with_entries(found, transaction)
        return found

    def pay(self, amount: int) -> None:
        attempt = UUID(int=100 + len(self.taken))
        owed = owed_minor(self.lifecycle, self.sums())  # type: ignore[arg-type]
        self.taken[attempt] = amount
        self.post(ledger.attempt_succeeded(BILL, attempt, amount, owed))

    def cancel(self) -> None:
        """What is still owed is forgiven, as finish_cancel does; a paid bill can't be canceled."""
        if self.lifecycle != "open" or self.settlement != "unpaid":
            return
        self.lifecycle = "canceled"
        self.post(ledger.bill_canceled(BILL, self.sums().receivable))

    def room(self, attempt: UUID) -> int:
        held = sum(b.amount for b in self.refunds if b.attempt == attempt and b.state in HOLDING)
        return self.taken[attempt] - held

    def ask(self, place: int, amount: int) -> None:
        if not self.taken:
            return
        attempt = list(self.taken)[place % len(self.taken)]
        if amount > self.room(attempt):
            with pytest.raises(Conflict):
                refund.check_amount(amount, self.room(attempt))
            return
        refund.check_amount(amount, self.room(attempt))
        self.refunds.append(Back(UUID(int=1000 + len(self.refunds)), attempt, amount))

    def happen(self, place: int, event: RefundEvent) -> None:
        """An event meets a refund: the table decides; what is held needs room first."""
        if not self.refunds:
            return
        one = self.refunds[place % len(self.refunds)]
        edge = TRANSITIONS.get((one.state, event))
        if edge is None:
            return
        newly_held = edge.state in HOLDING and one.state not in HOLDING
        if newly_held and one.amount > self.room(one.attempt):
            return
        cause = refund.booked_with(one.state, edge.state)
        if newly_held:
            one.owed = min(one.amount, -self.sums().overpayment)
        if edge.state == "transferred":
            one.transfers += 1  # each transfer of a refund is a cause of its own
        one.state = edge.state
        if cause is not None:
            back = Return(
                transfer_id=UUID(int=one.id.int * 100 + one.transfers),
                refund_id=one.id,
                bill_id=BILL,
                attempt_id=one.attempt,
                amount_minor=one.amount,
                owed_minor=one.owed,
            )
            self.post(ledger.booking_of(cause)(back))


@dataclass
class Back:
    """One refund."""

    id: UUID
    attempt: UUID
    amount: int
    state: RefundState = "requested"
    owed: int = 0
    transfers: int = 0


steps = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("cancel"), st.just(0), st.just(0)),
    st.tuples(st.just("ask"), st.integers(0, 3), st.integers(1, 2500)),
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 8), st.just(0)),
)


@given(st.lists(steps, max_size=60))
def test_any_order_of_events_keeps_the_books_whole(happened: list[tuple[str, int, int]]) -> None:
    books = Books(amount=1000)
    books.post(ledger.bill_issued(BILL, 1000))

    for what, place, amount in happened:
        match what:
            case "pay":
                books.pay(1000 * place)
            case "cancel":
                books.cancel()
            case "ask":
                books.ask(place, amount)
            case event:
                books.happen(place, event)  # type: ignore[arg-type]

        sums = books.sums()
        assert books.settlement == settlement_of(sums)
        for attempt in books.taken:
            assert books.room(attempt) >= 0, "more is held than was taken"
        given_back = sum(b.amount for b in books.refunds if b.state in {"succeeded", "transferred"})
        on_its_way = sum(b.amount for b in books.refunds if b.state in HOLDING) - given_back
        assert sums.given_back == given_back
        assert -(sums.refund_clearing + sums.goodwill_clearing) == on_its_way
        assert sums.taken == sum(books.taken.values())
        assert sums.taken - given_back == sums.in_transit + sums.advanced
        balance = sum(entry.amount_minor for one in books.booked.values() for entry in one.entries)
        assert balance == 0


@given(amount=st.integers(1, 10**6), times=st.integers(2, 4))
def test_giving_back_all_that_came_too_much_closes_over(amount: int, times: int) -> None:
    books = Books(amount=amount)
    books.post(ledger.bill_issued(BILL, amount))
    for _ in range(times):
        books.pay(amount)
    assert books.settlement == "over"

    for place in range(times - 1):
        books.ask(place, amount)
        for event in ("reserve", "submit"):
            books.happen(place, event)
        assert books.settlement == "over", "money on its way is not there yet"
        books.happen(place, "given")

    assert books.settlement == "settled"
    assert books.sums() == replace(BillSums(), in_transit=amount, paid=amount, taken=amount * times)


@pytest.mark.parametrize(
    ("code", "age_s", "again_s"),
    [
        ("provider_away", 0, 60.0),
        ("provider_busy", 300, 300.0),
        ("provider_away", 7_200, 3_600.0),
        ("provider_away", 86_399, 3_600.0),
        ("provider_away", 86_400, None),
        ("provider_refused", 0, None),
        ("", 0, None),
    ],
)
def test_what_was_not_sent_is_sent_ever_more_seldom_for_a_day(
    code: str, age_s: int, again_s: float | None
) -> None:
    now = START + timedelta(seconds=age_s)

    assert refund.send_again_in_s(code, START, now) == again_s


@pytest.mark.parametrize(
    ("told", "has_left", "event"),
    [
        ("refused", False, "refused"),
        ("refused", True, "lost"),
        *((told, left, "lost") for told in ("succeeded", "accepted", "unknown") for left in (0, 1)),
    ],
)
def test_a_sender_is_believed_that_nothing_came_of_what_never_left_and_nothing_else(
    told: refund.RefundOutcome, *, has_left: bool, event: str
) -> None:
    assert refund.outcome_of(told, has_left=has_left) == event


@pytest.mark.parametrize(
    ("answer", "code", "event", "found"),
    [
        ("succeeded", "", "given", "succeeded"),
        ("accepted", "", "accepted", "pending"),
        ("refused", "provider_refused", "refused", "failed"),
        ("refused", "provider_busy", "lost", "unclear"),
        ("unknown", "answer_unreadable", "lost", "unclear"),
    ],
)
def test_a_companys_answer_means_the_same_before_and_after_somebody_asks(
    answer: refund.RefundOutcome, code: str, event: str, found: str
) -> None:
    assert refund.event_of(answer, code) == event
    assert refund.finding_of(answer, code) == found
