from dataclasses import replace
from datetime import date, time, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import Conflict
from portal.domain.slip_notice import (
    TRANSITIONS,
    NoticeKind,
    SlipEvent,
    SlipFacts,
    SlipNotice,
    SlipState,
    advance,
    has_expired,
    judge,
)
from portal.domain.slip_number import SlipTerms, check_digit
from tests.make.slips import ELSEWHERE, EVENING, MORNING, SLIP, Counter, book, notice

STATES = get_args(SlipState)
EVENTS = get_args(SlipEvent)
TERMS = SlipTerms(name="agency", maker_code="929023", grace_days=14)


def test_every_edge_leads_to_a_state_and_tells_so() -> None:
    for edge in TRANSITIONS.values():
        assert edge.state in STATES
        assert edge.code.startswith("slip.")


def test_an_edge_that_is_not_in_the_table_is_a_conflict() -> None:
    others = [(s, e) for s in STATES for e in EVENTS if (s, e) not in TRANSITIONS]

    for state, event in others:
        with pytest.raises(Conflict) as refused:
            advance(state, event)
        assert refused.value.code == "slip_state"
    assert len(others) + len(TRANSITIONS) == len(STATES) * len(EVENTS)


def test_nothing_takes_a_confirmed_slip_back() -> None:
    assert not [state for state, _ in TRANSITIONS if state == "confirmed"]


def test_a_provisional_notice_is_booked_as_pending_and_the_confirmed_one_posts_it() -> None:
    counter = Counter()

    assert counter.take(notice("provisional")).effect == "pend"
    assert counter.facts.state == "provisional"
    assert counter.take(notice("confirmed")).effect == "post"
    assert counter.facts.state == "confirmed"
    assert counter.codes == ["slip.provisional", "slip.confirmed"]
    assert counter.cases == []


@pytest.mark.parametrize("kind", get_args(NoticeKind))
def test_a_line_that_comes_twice_changes_nothing(kind: NoticeKind) -> None:
    once, twice = Counter(), Counter()
    once.take(notice("provisional"), notice(kind))
    again = twice.take(notice("provisional"), notice(kind), notice(kind))

    assert (again.edge, again.effect) == (None, None)
    assert again.is_duplicate is (kind != "postal_correction")
    assert twice.books == once.books


def test_taken_back_and_paid_anew_is_paid_once() -> None:
    counter = Counter()
    counter.take(notice("provisional"))
    assert counter.take(notice("reversal")).effect == "void"
    assert counter.facts.state == "voided"
    counter.take(notice("provisional", EVENING), notice("confirmed", EVENING))

    assert list(counter.money().values()) == ["posted"]
    assert counter.codes == [
        "slip.provisional", "slip.reversed", "slip.provisional", "slip.confirmed",
    ]  # fmt: skip
    assert counter.cases == []


def test_the_same_line_again_after_its_reversal_brings_no_money_back() -> None:
    counter = book([notice("provisional"), notice("reversal"), notice("provisional")])

    assert counter.money() == {}
    assert counter.facts.state == "voided"


def test_a_confirmed_notice_alone_is_enough() -> None:
    verdict = judge(SlipFacts(state="issued", number=SLIP), notice("confirmed"))

    assert (verdict.effect, verdict.case) == ("post", None)
    assert verdict.edge == advance("issued", "confirm")


def test_a_provisional_notice_after_the_confirmed_one_is_no_news() -> None:
    counter = book([notice("confirmed"), notice("provisional")])

    assert list(counter.money().values()) == ["posted"]
    assert counter.cases == []


def test_a_reversal_that_overtook_its_notice_is_a_case_and_moves_no_money() -> None:
    counter = Counter()

    assert counter.take(notice("reversal")).case == "reversal_unmatched"
    assert counter.facts.state == "issued"
    late = counter.take(notice("provisional"))
    assert (late.effect, late.case) == (None, None)
    assert counter.facts.state == "voided"
    assert counter.money() == {}


@pytest.mark.parametrize(
    "kinds",
    [
        ("confirmed", "reversal"),
        ("provisional", "confirmed", "reversal"),
        ("provisional", "reversal", "confirmed"),
        ("reversal", "confirmed"),
    ],
)
def test_reversed_and_confirmed_contradict_so_the_money_stays_and_a_person_looks(
    kinds: tuple[NoticeKind, ...],
) -> None:
    counter = book(notice(kind) for kind in kinds)

    assert list(counter.money().values()) == ["posted"]
    assert counter.facts.state == "confirmed"
    assert counter.cases[-1] == "reversal_contradicts"


@pytest.mark.parametrize("other", [EVENING, ELSEWHERE])
@pytest.mark.parametrize("kind", ["provisional", "confirmed"])
def test_another_till_or_minute_is_money_that_really_came_twice(
    other: tuple[date, time, str, str], kind: NoticeKind
) -> None:
    counter = book([notice("confirmed"), notice(kind, other)])

    assert len(counter.money()) == 2
    assert counter.cases == ["paid_twice"]
    assert counter.facts.state == "confirmed"


def test_a_second_payment_is_one_case_however_much_is_told_of_it() -> None:
    counter = book([
        notice("confirmed"), notice("provisional", EVENING), notice("confirmed", EVENING),
    ])  # fmt: skip

    assert list(counter.money().values()) == ["posted", "posted"]
    assert counter.cases == ["paid_twice"]


def test_wallets_that_share_a_store_number_are_still_two_payments() -> None:
    day, clock, _, _ = MORNING
    counter = book(
        notice("provisional", (day, clock, wallet, "000000")) for wallet in ("820", "800")
    )

    assert len(counter.money()) == 2


def test_taking_the_second_payment_back_leaves_the_first() -> None:
    counter = book([
        notice("provisional"), notice("provisional", EVENING), notice("reversal", EVENING),
    ])  # fmt: skip

    assert list(counter.money().values()) == ["pending"]
    assert counter.facts.state == "provisional"


def test_another_amount_is_nobodys_payment_until_a_person_has_looked() -> None:
    dearer = replace(SLIP, amount_minor=8421)
    for told in (notice("confirmed", number=dearer), replace(notice("confirmed"), amount_minor=1)):
        verdict = judge(SlipFacts(state="issued", number=SLIP), told)

        assert (verdict.case, verdict.effect, verdict.edge) == ("amount_mismatch", None, None)
        assert not verdict.counts


@pytest.mark.parametrize(
    "other",
    [
        replace(SLIP, pay_until=date(2027, 1, 31)),
        replace(SLIP, pay_until=None),
        replace(SLIP, needs_stamp=True),
        replace(SLIP, issue=1),
        replace(SLIP, maker_code="929024"),
    ],
)
def test_another_barcode_is_another_slip(other: object) -> None:
    told = replace(notice("confirmed"), digits=other.digits())  # type: ignore[attr-defined]

    assert judge(SlipFacts(state="provisional", number=SLIP), told).case == "slip_differs"


def test_a_wrong_check_digit_and_an_unknown_slip_book_nothing() -> None:
    digits = SLIP.digits()
    broken = replace(notice("confirmed"), digits=f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}")
    facts = SlipFacts(state="issued", number=SLIP)

    assert judge(facts, broken).case == "slip_check_digit"
    assert judge(None, notice("confirmed")).case == "slip_unknown"
    assert judge(facts, replace(broken, digits="x")).case == "slip_differs"


def test_shops_are_late_so_an_expired_slip_still_takes_what_was_paid_in_time() -> None:
    counter = Counter(state="expired")
    counter.take(notice("provisional"), notice("confirmed"))

    assert list(counter.money().values()) == ["posted"]
    assert counter.codes == ["slip.provisional_late", "slip.confirmed"]
    assert counter.cases == []


def test_five_past_midnight_is_after_the_deadline() -> None:
    last_minute = (date(2026, 12, 31), time(23, 59), "010", "458762")
    midnight = (date(2027, 1, 1), time(0, 5), "010", "458762")

    assert book([notice("provisional", last_minute)]).cases == []
    after = book([notice("provisional", midnight)])
    assert after.cases == ["after_deadline"]
    assert list(after.money().values()) == ["pending"]


def test_a_slip_that_was_issued_anew_is_booked_looked_at_and_never_offered_again() -> None:
    counter = Counter(state="replaced")
    counter.take(notice("provisional"))
    assert counter.cases == ["replaced_paid"]
    counter.take(notice("reversal"))

    assert counter.facts.state == "replaced"
    assert counter.money() == {}


def test_the_post_confirms_at_once_without_deadline_and_time() -> None:
    verdict = judge(SlipFacts(state="issued", number=SLIP), notice("postal"))

    assert (verdict.effect, verdict.case) == ("post", None)
    assert verdict.edge == advance("issued", "confirm")


def test_the_post_may_keep_the_slips_own_check_digit_and_nobody_else_may() -> None:
    own = f"{notice('postal').digits[:-1]}{SLIP.digits()[-1]}"
    other = (int(own[-1]) + 1) % 10
    facts = SlipFacts(state="issued", number=SLIP)
    wrong = next(
        f"{own[:-1]}{digit}" for digit in range(other, other + 9)
        if digit % 10 not in {check_digit(own[:-1]), int(SLIP.digits()[-1])} and digit < 10
    )  # fmt: skip

    assert judge(facts, replace(notice("postal"), digits=own)).effect == "post"
    assert judge(facts, replace(notice("postal"), digits=wrong)).case == "slip_check_digit"
    assert judge(facts, replace(notice("confirmed"), digits=own)).case == "slip_check_digit"


def test_a_correction_of_the_post_is_for_a_person_and_moves_no_money() -> None:
    for before in ((), (notice("postal"),)):
        counter = book(before)
        books = dict(counter.books)

        assert counter.take(notice("postal_correction")).case == "postal_correction"
        assert counter.books == books


def test_a_slip_expires_after_its_last_day_and_the_agencys_grace() -> None:
    until = date(2026, 12, 31)
    last = until + timedelta(days=14)

    assert not has_expired("issued", until, TERMS, last)
    assert has_expired("issued", until, TERMS, last + timedelta(days=1))
    assert has_expired("voided", until, TERMS, last + timedelta(days=1))
    assert not has_expired("provisional", until, TERMS, date(2030, 1, 1))
    assert not has_expired("issued", None, TERMS, date(2099, 1, 1))


TILLS = st.sampled_from([MORNING, EVENING, ELSEWHERE])
NOTICES = st.builds(notice, st.sampled_from(get_args(NoticeKind)), TILLS)


@given(told=st.lists(NOTICES, max_size=10), data=st.data())
def test_any_order_and_repetition_of_notices_ends_in_the_same_money(
    told: list[SlipNotice], data: st.DataObject
) -> None:
    extra = data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    shuffled = data.draw(st.permutations([*told, *extra]))
    first, second = book(told), book(shuffled)

    assert first.money() == second.money()
    assert first.facts.state == second.facts.state
    confirmed = {each.taking for each in told if each.kind in {"confirmed", "postal"}}
    assert {taking for taking, held in first.money().items() if held == "posted"} == confirmed


@given(
    told=st.lists(NOTICES, max_size=10),
    state=st.sampled_from(["issued", "voided", "expired", "replaced"]),
)
def test_the_state_always_says_what_the_books_say(told: list[SlipNotice], state: SlipState) -> None:
    counter = Counter(state=state)
    for each in told:
        counter.take(each)
        held = set(counter.money().values())
        if "posted" in held:
            assert counter.facts.state == "confirmed"
        elif "pending" in held:
            assert counter.facts.state == "provisional"
        else:
            assert counter.facts.state not in {"confirmed", "provisional"}


def test_an_edge_is_told_only_when_the_state_changes() -> None:
    counter = book([notice("provisional"), notice("provisional", EVENING), notice("confirmed")])

    assert all(one != other for one, other in pairwise(counter.codes))
