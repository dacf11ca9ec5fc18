"""Debits and mandates: their tables, whose answer does what, who may decide, and which day."""

from datetime import date, time, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain import days, debit, mandate
from portal.domain.days import DebitTerms, cut_off
from portal.domain.debit import DebitState, FileState
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.payment import DECLINE_CODES
from portal.domain.zengin.record import FileForm
from portal.domain.zengin.result import RESULTS, Cause, meaning_of
from portal.domain.zengin.write import DebitWriter
from portal.kit.holidays import bank_calendar
from portal.stack.operate import read_debit_contract
from portal.vault.operations.debit_file import PART_LINES_MAX, records_in
from tests.make.debits import debit as debit_line

CAUSES: tuple[Cause, ...] = get_args(Cause)
DEBIT_STATES: tuple[DebitState, ...] = get_args(DebitState)
FILE_STATES: tuple[FileState, ...] = get_args(FileState)
TERMS = DebitTerms(day_of_month=6, submit_days=7, submit_by=time(16))


@given(some.lists(some.sampled_from(get_args(debit.FileEvent)), max_size=12))
def test_a_file_is_taken_out_at_most_once_and_only_after_a_second_persons_yes(
    events: list[debit.FileEvent],
) -> None:
    state: FileState = "building"
    taken: list[debit.FileEvent] = []
    for event in events:
        try:
            state = debit.advance_file(state, event).state
        except Conflict:
            continue
        taken.append(event)

    assert taken.count("take_out") <= 1
    if "take_out" in taken:
        assert taken.index("approve") < taken.index("take_out")
        assert "discard" not in taken


@given(some.lists(some.sampled_from(CAUSES), max_size=8))
def test_money_that_a_bank_told_of_is_never_taken_back(causes: list[Cause]) -> None:
    state = debit.advance_debit("selected", "write").state
    booked = False
    for cause in causes:
        if debit.takes(state, cause):
            state = debit.advance_debit(state, debit.EVENTS[cause]).state
        booked = booked or cause == "debited"
        assert (state == "succeeded") == booked


def test_nothing_leads_to_a_debit_being_presented_while_its_end_is_unknown() -> None:
    assert {event for state, event in debit.DEBITS if state == "unknown"} == {
        "debited", "no_funds", "refuse", "stop"
    }  # fmt: skip
    assert not [edge for edge in debit.DEBITS.values() if edge.state == "selected"]


@pytest.mark.parametrize("code", [*RESULTS, "E", "N", "", "7"])
def test_every_code_of_a_bank_moves_a_debit_and_letters_that_nobody_knows_are_no_failure(
    code: str,
) -> None:
    meaning = meaning_of(code)
    state = debit.advance_debit("in_file", debit.EVENTS[meaning.cause]).state

    assert (state == "unknown") == (meaning.outcome == "unknown")
    assert (state == "succeeded") == (meaning.outcome == "succeeded")
    assert (meaning.cause in debit.SUSPENDS) == (meaning.step == "suspend_mandate")


def test_whatever_brings_nothing_says_why_to_the_payer() -> None:
    failed = {"nsf", "failed", "stopped", "withdrawn"}

    assert set(debit.DECLINES) == failed
    assert set(debit.DECLINES.values()) <= DECLINE_CODES


@pytest.mark.parametrize("state", DEBIT_STATES)
@pytest.mark.parametrize("cause", CAUSES)
def test_only_what_was_booked_or_withdrawn_can_be_contradicted(
    state: DebitState, cause: Cause
) -> None:
    if debit.contradicts(state, cause):
        assert state == "succeeded"
        assert not debit.takes(state, cause)


@pytest.mark.parametrize("state", FILE_STATES)
def test_what_may_be_at_a_bank_can_not_be_discarded(state: FileState) -> None:
    choices = debit.choices_of(state, "owner", is_builder=False, is_late=False)

    assert ("discard" in choices) == (state in {"building", "sealed", "approved"})
    assert ("approve" in choices) == (state == "sealed")
    assert debit.choices_of(state, None, is_builder=False, is_late=False) == ()
    assert "approve" not in debit.choices_of(state, "owner", is_builder=True, is_late=False)
    assert "approve" not in debit.choices_of(state, "owner", is_builder=False, is_late=True)
    assert "approve" not in debit.choices_of(state, "clerk", is_builder=False, is_late=False)


@pytest.mark.parametrize(
    ("day", "is_right"),
    [
        (date(2021, 2, 8), True),  # the 6th is a Saturday
        (date(2021, 2, 6), False),
        (date(2021, 5, 6), True),
        (date(2021, 5, 7), False),
    ],
)
def test_a_file_is_for_the_day_on_which_the_bank_really_debits(
    day: date, *, is_right: bool
) -> None:
    if is_right:
        debit.check_day(bank_calendar(), TERMS, day)
    else:
        with pytest.raises(InvalidInput, match="debit_day_wrong"):
            debit.check_day(bank_calendar(), TERMS, day)


def test_a_debit_of_a_months_last_day_may_fall_into_the_next_month() -> None:
    terms = DebitTerms(day_of_month=31, submit_days=4, submit_by=time(15))

    debit.check_day(bank_calendar(), terms, date(2026, 2, 2))  # 31 January is a Saturday
    debit.check_day(bank_calendar(), terms, date(2027, 1, 4))  # and banks rest at new year


@given(
    some.integers(0, 10**14 - 1),
    some.integers(0, 10**14 - 1),
    some.integers(1, 999_999),
    some.integers(1, 999_999),
)
def test_no_two_debits_share_a_number(one: int, other: int, line: int, next_line: int) -> None:
    first, second = debit.instruction_no(one, line), debit.instruction_no(other, next_line)

    assert len(first) == 20
    assert first.isdecimal()
    assert (first == second) == ((one, line) == (other, next_line))


def test_a_number_that_has_no_room_is_refused() -> None:
    for file_ms, line_no in ((10**14, 1), (1, 10**6), (1, 0)):
        with pytest.raises(InvalidInput):
            debit.instruction_no(file_ms, line_no)


def test_an_ended_mandate_stays_ended() -> None:
    for state, _ in mandate.TRANSITIONS:
        assert state not in mandate.ENDED
    for state in mandate.ENDED:
        assert mandate.choices_of(state) == ()
    assert mandate.choices_of("suspended") == ("resume", "revoke")
    assert mandate.choices_of("pending_bank") == ("activate", "reject", "revoke")


def test_a_file_may_be_approved_for_a_week_and_not_past_its_banks_cut_off() -> None:
    end = cut_off(bank_calendar(), TERMS, date(2021, 5, 6))

    def life_s(before: timedelta) -> float:
        return days.approval_life_s(bank_calendar(), TERMS, date(2021, 5, 6), end - before)

    assert life_s(timedelta(days=20)) == days.APPROVAL_LIFE_S
    assert life_s(timedelta(hours=2)) == 7200
    assert life_s(timedelta(milliseconds=1500)) == 1.5, "to the very hour that was offered"
    assert life_s(timedelta(seconds=-1)) == 0


@pytest.mark.parametrize("form", [FileForm(separator=""), FileForm(separator="\r\n")])
def test_the_lines_of_a_part_are_counted_the_same_whatever_ends_them(form: FileForm) -> None:
    lines = DebitWriter(form).add(debit_line(number) for number in range(5000))

    assert records_in(lines) == PART_LINES_MAX


CONTRACT = b"""{"collector_code": "0000012345", "collector_name": "MINATO",
 "bank_code": "0001", "branch_code": "001", "account_kind": "1",
 "account_number": "7654321", "record_end": "\\r\\n",
 "has_blank_result": false, "more_letters": "", "lines_max": 50000, "day_of_month": 27,
 "submit_days": 4, "submit_by": "15:00:00", "presents_again": true}"""


def test_an_operator_writes_a_contract_down_as_a_file() -> None:
    read = read_debit_contract("minato", CONTRACT)

    assert (read.merchant_code, read.submit_by, read.record_end) == ("minato", time(15), "\r\n")


@pytest.mark.parametrize(
    "raw", [b"", b"[]", CONTRACT.replace(b"27", b'"27"'), CONTRACT.replace(b"lines_max", b"lines")]
)
def test_a_contract_that_says_something_else_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="debit_contract"):
        read_debit_contract("minato", raw)
