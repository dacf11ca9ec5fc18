import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvariantBroken
from portal.domain.zengin.read import read_debits
from portal.domain.zengin.record import DebitLine, Trailer
from portal.domain.zengin.result import (
    RESULTS,
    Match,
    Matcher,
    check_header,
    meaning_of,
)
from tests.make.debits import HEADER, answer, debit, write

SENT = [debit(number, 1000 + number) for number in range(1, 6)]


def back(*codes: str) -> list[DebitLine]:
    """What was sent, with the bank's codes."""
    return [
        msgspec.structs.replace(line, result=code) for line, code in zip(SENT, codes, strict=True)
    ]


def match(sent: list[DebitLine], returned: list[DebitLine]) -> list[Match]:
    return list(Matcher().match(sent, returned))


@pytest.mark.parametrize(
    ("code", "outcome", "step"),
    [
        ("0", "succeeded", "none"),
        ("1", "failed", "present_again"),
        ("2", "failed", "suspend_mandate"),
        ("3", "failed", "suspend_mandate"),
        ("4", "failed", "suspend_mandate"),
        ("8", "failed", "none"),
        ("9", "unknown", "ask_person"),
    ],
)
def test_each_code_says_what_became_of_the_money_and_what_comes_next(
    code: str, outcome: str, step: str
) -> None:
    meaning = meaning_of(code)

    assert (meaning.outcome, meaning.step) == (outcome, step)


@given(code=st.characters())
def test_a_code_that_nobody_knows_is_never_a_failure(code: str) -> None:
    if code not in RESULTS:
        assert meaning_of(code).outcome == "unknown"
        assert meaning_of(code).step == "ask_person"


def test_every_line_gets_its_outcome_in_order() -> None:
    found = match(SENT, back("0", "1", "0", "E", "9"))

    assert [each.sent for each in found] == SENT
    assert [each.meaning.cause for each in found] == [
        "debited", "no_funds", "debited", "code_unknown", "other",
    ]  # fmt: skip


def test_a_missing_line_is_unknown_and_not_failed() -> None:
    found = match(SENT, back("0", "0", "0", "0", "0")[:2] + back("0", "0", "0", "0", "0")[3:])
    missing = [each for each in found if each.meaning.cause == "line_missing"]

    assert [each.sent for each in missing] == [SENT[2]]
    assert missing[0].meaning.outcome == "unknown"
    assert missing[0].told is None
    assert len(found) == 5


def test_lines_that_nobody_sent_or_that_come_twice_are_exceptions() -> None:
    stranger = msgspec.structs.replace(debit(99), result="0")
    returned = back("0", "0", "0", "0", "0")
    found = match(SENT, [returned[0], stranger, *returned[1:], returned[0]])

    odd = [each for each in found if each.sent is None]
    assert sorted(int(each.instruction_no) for each in odd) == [1, 99]
    assert all(each.meaning.cause == "line_unexpected" for each in odd)
    assert [each.sent for each in found if each.sent and each.meaning.cause == "debited"] == SENT


def test_a_line_that_comes_twice_before_its_place_has_one_outcome_and_one_exception() -> None:
    returned = back("0", "0", "0", "0", "0")
    found = match(SENT, [returned[4], returned[4], *returned[:4]])

    assert len(found) == 6
    assert [each.instruction_no for each in found if each.sent is None] == [SENT[4].instruction_no]
    assert {each.meaning.cause for each in found if each.sent} == {"debited"}
    assert all(each.told and int(each.told.instruction_no) for each in found)


@pytest.mark.parametrize(
    "other",
    [{"amount_minor": 1}, {"account": debit(77).account}],
)
def test_a_line_with_another_amount_or_account_is_unknown(other: dict[str, object]) -> None:
    returned = back("0", "0", "0", "0", "0")
    returned[1] = msgspec.structs.replace(returned[1], **other)

    assert [each.meaning.cause for each in match(SENT, returned)][1] == "line_differs"


def test_a_bank_may_leave_out_the_zeros_before_our_number() -> None:
    returned = [
        msgspec.structs.replace(line, instruction_no=line.instruction_no.lstrip("0"))
        for line in back("0", "0", "0", "0", "0")
    ]

    assert {each.meaning.cause for each in match(SENT, returned)} == {"debited"}


def test_our_own_file_never_names_a_debit_twice() -> None:
    with pytest.raises(InvariantBroken):
        match([debit(1), debit(2), debit(1)], [debit(3), debit(4), debit(5)])


@given(data=st.data(), lost=st.integers(0, 5), extra=st.integers(0, 3))
def test_in_any_order_each_sent_line_has_exactly_one_outcome(
    data: st.DataObject, lost: int, extra: int
) -> None:
    kept = back("0", "1", "2", "E", "0")[lost:]
    strangers = [debit(100 + number) for number in range(extra)]
    returned = data.draw(st.permutations([*kept, *strangers]))
    matcher = Matcher()

    found = list(matcher.match(SENT, returned))

    ours = [each for each in found if each.sent is not None]
    expected = {line.instruction_no: meaning_of(line.result).cause for line in kept}
    assert sorted(each.instruction_no for each in ours) == [line.instruction_no for line in SENT]
    assert all(
        each.meaning.cause == expected.get(each.instruction_no, "line_missing") for each in ours
    )
    assert len(found) - len(ours) == extra


def test_the_trailer_of_a_result_has_to_add_up_too() -> None:
    whole = answer(write(SENT), lambda place: "01E90"[place])
    records = [each.record for each in read_debits([whole])]
    matcher = Matcher()
    list(matcher.match(SENT, [each for each in records if isinstance(each, DebitLine)]))
    trailer = records[-2]

    assert isinstance(trailer, Trailer)
    assert matcher.check_trailer(trailer) == []
    assert matcher.check_trailer(msgspec.structs.replace(trailer, done_count=3)) == ["trailer_done"]
    assert matcher.check_trailer(msgspec.structs.replace(trailer, failed_minor=1)) == [
        "trailer_failed"
    ]


def test_a_result_has_to_be_about_this_file() -> None:
    other = msgspec.structs.replace(HEADER, collector_code="0000099999", day=27, bank_code="0005")

    assert check_header(HEADER, HEADER) == []
    assert check_header(HEADER, other) == [
        "header_collector", "header_debit_on", "header_bank",
    ]  # fmt: skip
