"""An answer read a piece at a time says what it says when read at once, wherever it is cut."""

import random
from collections.abc import Callable, Iterable, Iterator

import msgspec
import pytest

from portal.domain.zengin.read import read_debits
from portal.domain.zengin.record import DebitLine, FileForm, Header, Trailer
from portal.domain.zengin.result import Matcher, check_header
from portal.domain.zengin.steps import AnswerDoubtError, AnswerSteps, Progress, SentFile
from tests.make.debits import HEADER, answer, debit, write

LINES = 7
SENT = [debit(number, 1000 + number) for number in range(1, LINES + 1)]
FILE = write(SENT)
CODES = "0012E90"
ANSWER = answer(FILE, lambda place: CODES[place])
RECORDS = ANSWER.decode("cp932").split("\r\n")[:-1]
CAUSES = ["debited", "debited", "no_funds", "no_account", "code_unknown", "other", "debited"]

Said = dict[int, str] | tuple[str, int]


def in_parts(body: bytes, size: int) -> Callable[[int], Iterable[bytes]]:
    return lambda start: (body[at : at + size] for at in range(start, len(body), size))


def read(told: bytes, most: int, *, sent: bytes = FILE, size: int = 50) -> tuple[Said, Progress]:
    """What each line was told, or why and where the whole is doubtful; every step begins anew."""
    progress, said = Progress(), dict[int, str]()
    try:
        for _ in range(200):
            ours = SentFile(in_parts(sent, size), "0" * 14, LINES)
            steps = AnswerSteps(ours, in_parts(told, size), LINES + 2, progress)
            piece = steps.step(most)
            # What is kept between two steps is what was written down.
            kept = msgspec.msgpack.encode(piece.progress)
            progress = msgspec.msgpack.decode(kept, type=Progress)
            for cause, numbers in piece.causes.items():
                assert not said.keys() & set(numbers)
                said |= dict.fromkeys(numbers, cause)
            if piece.is_last:
                return said, progress
    except AnswerDoubtError as doubt:
        return (doubt.reason, doubt.record_no), progress
    pytest.fail("it never ends")


def told_of(lines: Iterable[str], *, ends: str = "\r\n") -> bytes:
    """An answer of these debits, with sums that are right."""
    records = list(lines)
    sums = {True: [0, 0], False: [0, 0]}
    for one in records:
        kept = sums[one[111] == "0"]
        kept[0] += 1
        kept[1] += int(one[80:90])
    whole = [sum(pair) for pair in zip(*sums.values(), strict=True)]
    told = "".join(f"{count:06d}{yen:012d}" for count, yen in (whole, sums[True], sums[False]))
    body = [RECORDS[0], *records, f"8{told}{' ' * 65}", RECORDS[-1]]
    return "".join(one + ends for one in body).encode("cp932")


DEBITS = RECORDS[1:-2]
SHUFFLED = [DEBITS[place] for place in (3, 0, 6, 1, 5, 2, 4)]
OTHER_AMOUNT = f"{DEBITS[2][:80]}{9:010d}{DEBITS[2][90:]}"
NO_ZEROS = f"{DEBITS[1][:91]}{2:<20}{DEBITS[1][111:]}"
FOREIGN = f"{DEBITS[1][:91]}{'9' * 20}{DEBITS[1][111:]}"
BROKEN = f"{DEBITS[3][:80]}{'X' * 10}{DEBITS[3][90:]}"


@pytest.mark.parametrize(
    ("lines", "changed", "unexpected"),
    [
        (DEBITS, {}, 0),
        (SHUFFLED, {}, 0),
        (DEBITS[::-1], {}, 0),
        (DEBITS[4:] + DEBITS[:4], {}, 0),
        (DEBITS[:3] + DEBITS[4:], {4: "line_missing"}, 0),
        (DEBITS[2:5], {1: "line_missing", 2: "line_missing", 6: "line_missing",
                       7: "line_missing"}, 0),
        ([*DEBITS[:4], DEBITS[1], *DEBITS[4:]], {}, 1),
        ([DEBITS[6], *DEBITS], {}, 1),
        ([*DEBITS[:2], OTHER_AMOUNT, *DEBITS[3:]], {3: "line_differs"}, 0),
        ([DEBITS[0], NO_ZEROS, *DEBITS[2:]], {}, 0),
        ([DEBITS[0], FOREIGN, *DEBITS[2:]], {2: "line_missing"}, 1),
    ],
    ids=["in order", "shuffled", "backwards", "in two blocks", "one missing", "most missing",
         "one twice", "one early and again", "another amount", "no zeros", "not ours"],
)  # fmt: skip
@pytest.mark.parametrize("ends", ["\r\n", ""])
def test_every_line_is_told_once_whatever_the_order_and_the_cut(
    lines: list[str], changed: dict[int, str], unexpected: int, ends: str
) -> None:
    expected = dict(enumerate(CAUSES, 1)) | changed
    unclear = {"code_unknown", "other", "line_missing", "line_differs"}
    for most in (1, 2, 3, 5, 100):
        said, progress = read(told_of(lines, ends=ends), most)

        assert said == expected, most
        assert progress.count == len(lines)
        assert progress.unexpected == unexpected
        assert progress.unknown == sum(cause in unclear for cause in expected.values())


def doubtful() -> dict[str, tuple[bytes, tuple[str, int]]]:
    """What must be refused as a whole: the bytes, and why and where."""
    trailer = RECORDS[-2]
    wrong_done = f"{trailer[:19]}000009{trailer[25:]}"
    wrong_total = f"{trailer[:7]}{1:012d}{trailer[19:]}"
    other_day = RECORDS[0].replace("1228", "1227")
    last = len(RECORDS)

    def whole(records: list[str]) -> bytes:
        return "".join(one + "\r\n" for one in records).encode("cp932")

    return {
        "wrong sum at the end": (whole([*RECORDS[:-2], wrong_done, RECORDS[-1]]),
                                 ("trailer_done", last)),
        "wrong total at the end": (whole([*RECORDS[:-2], wrong_total, RECORDS[-1]]),
                                   ("trailer_total", last - 1)),
        "no end": (whole(RECORDS[:-1]), ("end_missing", last)),
        "cut in a line": (ANSWER[: 122 * 4 + 50], ("record_length", 5)),
        "cut after a line": (ANSWER[: 122 * 5], ("trailer_missing", 6)),
        "after the end": (whole([*RECORDS, RECORDS[1]]), ("after_end", last + 1)),
        "another day": (whole([other_day, *RECORDS[1:]]), ("header_debit_on", 1)),
        "no header": (whole(RECORDS[1:]), ("record_order", 1)),
        "two headers": (whole([*RECORDS[:3], *RECORDS]), ("record_order", 4)),
        "ends change": (ANSWER.replace(b"\r\n", b"\n"), ("line_end", 1)),
        "one end lacks": (ANSWER[: 122 * 4 - 2] + ANSWER[122 * 4 :], ("record_length", 4)),
        "too many": (told_of([*DEBITS, *DEBITS]), ("too_many_lines", LINES + 4)),
        "nothing": (b"\r\n", ("trailer_missing", 1)),
    }  # fmt: skip


@pytest.mark.parametrize("which", doubtful())
def test_a_doubtful_answer_says_why_and_where_wherever_it_is_cut(which: str) -> None:
    told, why = doubtful()[which]

    for most in (1, 2, 4, 100):
        assert read(told, most)[0] == why, most


def test_a_record_that_breaks_its_form_leaves_its_line_unclear() -> None:
    told = told_of([*DEBITS[:3], *DEBITS[4:]]).decode("cp932")
    broken = told.replace(DEBITS[4], f"{BROKEN}\r\n{DEBITS[4]}").encode("cp932")

    for most in (1, 3, 100):
        said, _ = read(broken, most)

        assert said == dict(enumerate(CAUSES, 1)) | {4: "line_missing"}


def at_once(told: bytes) -> Said:
    """The same by the other road: all of it in one go, each line by its number."""
    matcher = Matcher()
    header = None

    def returned() -> Iterator[DebitLine]:
        nonlocal header
        trailer = None
        for one in read_debits([told], LINES + 2):
            if one.reason and (one.is_whole_file or header is None):
                raise AnswerDoubtError(one.reason, one.record_no)
            if isinstance(one.record, Header):
                header = one.record
                for reason in check_header(HEADER, header):
                    raise AnswerDoubtError(reason, one.record_no)
            elif isinstance(one.record, DebitLine):
                yield one.record
            elif isinstance(one.record, Trailer):
                trailer = one.record
        for reason in matcher.check_trailer(trailer) if trailer else ():
            raise AnswerDoubtError(reason, len(told) // 122)

    try:
        matches = list(matcher.match(SENT, returned()))
    except AnswerDoubtError as doubt:
        return doubt.reason, doubt.record_no
    return {int(one.instruction_no): one.meaning.cause for one in matches if one.sent}


def test_any_answer_says_what_it_says_at_once() -> None:
    chance = random.Random(11)  # noqa: S311  the same answers in every run
    for _ in range(250):
        lines = [*DEBITS, *chance.choices([*DEBITS, OTHER_AMOUNT, NO_ZEROS, FOREIGN], k=2)]
        lines = chance.sample(lines, chance.choice([LINES, LINES, LINES + 1, LINES + 2]))
        lines = sorted(lines) if chance.random() < 0.3 else lines
        told = bytearray(told_of(lines))
        if chance.random() < 0.4:
            told[chance.randrange(len(told))] = chance.choice(b"0129X \x82\n")

        whole = at_once(bytes(told))

        for most in (1, 3, 100):
            said, _ = read(bytes(told), most)
            if isinstance(said, dict) and isinstance(whole, dict):
                # Of a line that comes twice the first is believed here, the one in place there.
                twice = {int(one[91:111]) for one in lines if lines.count(one) > 1}
                twice |= {3} if OTHER_AMOUNT in lines else set()
                said, whole = ({k: v for k, v in one.items() if k not in twice}
                               for one in (said, whole))  # fmt: skip
            assert said == whole, bytes(told)


def test_files_of_the_other_form_and_small_pieces_are_found_by_place() -> None:
    form = FileForm(separator="")
    sent = write(SENT, form, HEADER)

    for size in (1, 119, 121, 10_000):
        said, _ = read(told_of(SHUFFLED), 2, sent=sent, size=size)

        assert said == dict(enumerate(CAUSES, 1))


def test_what_is_kept_between_steps_names_nobody_and_does_not_grow_with_the_order() -> None:
    _, progress = read(told_of(SHUFFLED[:3] + [DEBITS[0]] * 2), 2)

    kept = msgspec.msgpack.encode(progress)
    assert "ﾔﾏﾀﾞ".encode("cp932") not in kept
    assert "ﾔﾏﾀﾞ".encode() not in kept
    assert len(kept) < 400
