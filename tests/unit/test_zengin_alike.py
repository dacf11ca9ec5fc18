"""An answer that is read beside its file says what it says when each is taken apart by itself."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.zengin.alike import read_alike
from portal.domain.zengin.read import DebitReader
from portal.domain.zengin.record import DebitLine, FileForm
from portal.domain.zengin.result import Matcher, meaning_of
from tests.make.debits import answer, debit, write

LINES = 6
SENT = [debit(number, 1000 + number) for number in range(1, LINES + 1)]
FILE = write(SENT)
STEP = 122


class Found(msgspec.Struct):
    """All that reading an answer tells. ``by_hand``: lines that were taken apart."""

    lines: list[tuple[str, str]]
    reasons: list[tuple[int, str]]
    counts: list[int]
    by_hand: int = 0


def look(sent: Iterable[bytes], told: Iterable[bytes], lines_max: int, most: int) -> Found:
    """Read an answer; ``most`` lines at once where both are alike, 0: each taken apart."""
    ours, theirs = DebitReader(sent), DebitReader(told, lines_max)
    found, matcher = Found([], [], []), Matcher()

    def lines(reader: DebitReader, place: str) -> Iterable[DebitLine]:
        for one in reader:
            if one.reason:
                found.reasons.append((one.record_no, f"{place} {one.reason}"))
            elif isinstance(one.record, DebitLine):
                yield one.record

    def read_on() -> None:
        while most and (alike := read_alike(ours, theirs, most)):
            for code, here in alike.items():
                matcher.add(code, len(here.numbers), here.total_minor)
                found.lines += [(number, meaning_of(code).cause) for number in here.numbers]

    for match in matcher.match(lines(ours, "ours"), lines(theirs, "theirs"), read_on):
        found.lines.append((match.instruction_no, match.meaning.cause))
        found.by_hand += 1
    for reader in (ours, theirs):
        found.counts += [reader.record_no, reader.count, reader.total_minor]
    found.counts += [
        matcher.done_count, matcher.done_minor, matcher.failed_count, matcher.failed_minor,
    ]  # fmt: skip
    found.lines.sort()
    return found


def alone_and_beside(told: bytes, lines_max: int = LINES, size: int = 1000) -> tuple[Found, Found]:
    """What an answer tells when each file is taken apart, and when both are read along."""
    parts = [told[place : place + size] for place in range(0, len(told), size)]
    return look([FILE], parts, lines_max, 0), look([FILE], parts, lines_max, 4)


def same(alone: Found, beside: Found) -> bool:
    return msgspec.structs.replace(beside, by_hand=alone.by_hand) == alone


def test_lines_that_are_alike_are_not_taken_apart() -> None:
    alone, beside = alone_and_beside(answer(FILE, lambda place: "01Eｱ0 "[place]))

    assert same(alone, beside)
    assert [cause for _, cause in beside.lines] == [
        "debited", "no_funds", "code_unknown", "code_unknown", "debited", "code_unknown",
    ]  # fmt: skip
    assert (alone.by_hand, beside.by_hand) == (LINES, 1)
    assert not beside.reasons


@pytest.mark.parametrize("letter", [b"7", b"X", b" ", b"\x82", b"\n"])
def test_a_line_with_another_byte_anywhere_is_judged_as_it_is_alone(letter: bytes) -> None:
    for at in range(3 * STEP, 4 * STEP):
        told = FILE[:at] + letter + FILE[at + 1 :]

        assert same(*alone_and_beside(told)), at


@given(data=st.data())
def test_any_answer_says_the_same_either_way(data: st.DataObject) -> None:
    records = FILE.decode("cp932").split("\r\n")
    codes = data.draw(st.lists(st.sampled_from("0012E"), min_size=LINES, max_size=LINES))
    body = [f"{one[:111]}{code}{one[112:]}" for one, code in zip(records[1:], codes, strict=False)]
    body = data.draw(st.one_of(st.just(body), st.permutations(body)))
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 1] = data.draw(
            st.sampled_from([[], [body[place]] * 2, [body[place][:100]], [records[0]], [SHORT]])
        )
        if not body:
            break
    told = "\r\n".join([records[0], *body, *records[LINES + 1 :]]).encode("cp932")
    told = told[: len(told) - data.draw(st.sampled_from([0, 0, 0, 1, 60, 130, 300]))]

    lines_max, size = data.draw(st.integers(2, LINES + 2)), data.draw(st.integers(1, 500))
    assert same(*alone_and_beside(told, lines_max, size))


SHORT = "2" * 120
"""A debit whose fields break their form."""


@pytest.mark.parametrize("form", [FileForm(separator=""), FileForm(has_blank_result=True)])
def test_files_of_other_forms_are_alike_too(form: FileForm) -> None:
    file = write(SENT, form)

    alone, beside = (look([file], [file], LINES, most) for most in (0, LINES))

    assert same(alone, beside)
    assert (alone.by_hand, beside.by_hand) == (LINES, 1)


def test_no_more_is_read_than_was_asked_for() -> None:
    ours, theirs = DebitReader([FILE]), DebitReader([FILE])
    next(iter(ours))
    next(iter(theirs))

    found = [read_alike(ours, theirs, most) for most in (0, 2, 100, 100)]

    assert [sum(len(one.numbers) for one in each.values()) for each in found] == [0, 2, 4, 0]
    assert ours.pull() == FILE[(LINES + 1) * STEP : (LINES + 2) * STEP - 2]
