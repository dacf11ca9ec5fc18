"""Bench ``debits``: its bank's answer is one that a real reader takes, and its tenths add up."""

from portal.domain.zengin.read import read_debits
from portal.domain.zengin.record import DebitLine, Trailer
from portal.domain.zengin.result import Matcher
from portal.stack.bench.debits_bank import all_debited
from portal.stack.bench.debits_course import Mark, tenths
from tests.make.debits import debit, write


def lines_of(body: bytes) -> list[DebitLine]:
    """The debits of a file."""
    return [one.record for one in read_debits([body]) if isinstance(one.record, DebitLine)]


def test_the_answer_says_of_every_line_that_it_was_debited_and_its_sums_agree() -> None:
    sent = write([debit(number, 8_420 + number) for number in range(1, 6)])
    parts = (sent[:122], sent[122 : 122 * 4], sent[122 * 4 :])

    back = b"".join(b"".join(all_debited(part)) for part in parts)

    told = list(read_debits([back]))
    assert [one.reason for one in told] == [""] * len(told)
    matcher = Matcher()
    causes = [match.meaning.cause for match in matcher.match(lines_of(sent), lines_of(back))]
    assert causes == ["debited"] * 5
    [trailer] = [one.record for one in told if isinstance(one.record, Trailer)]
    assert matcher.check_trailer(trailer) == []


def test_each_tenth_of_a_load_has_the_rate_and_the_cost_that_its_marks_say() -> None:
    marks = [Mark(0, 1.0, 5.0), Mark(0, 2.0, 5.0), Mark(500, 7.0, 6.0), Mark(1_000, 9.0, 6.5)]

    each = tenths(marks, 1_000)

    rates, costs = zip(*each, strict=True)
    assert [round(rate) for rate in rates] == [50] + [100] * 4 + [250] * 5
    assert [round(cost) for cost in costs] == [2_000] * 5 + [1_000] * 5
    assert round(sum(100 / rate for rate in rates), 6) == 8.0
