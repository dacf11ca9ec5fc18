"""The bank of bench ``debits``: its answer is one that a real reader takes."""

from portal.domain.zengin.read import read_debits
from portal.domain.zengin.record import DebitLine, Trailer
from portal.domain.zengin.result import Matcher
from portal.stack.bench.debits_bank import all_debited
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
