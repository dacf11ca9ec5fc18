from collections.abc import Callable
from uuid import UUID

import pytest

from portal.domain.errors import InvalidInput
from portal.domain.failed_debit import (
    FailedLine,
    FailedReader,
    OwedBill,
    judge,
    numbers_of,
    read_failed,
)
from tests.make.debits import answer, debit, write

ONE, TWO = UUID(int=1), UUID(int=2)
NONE: frozenset[UUID] = frozenset()
SOUND = answer(write([debit(n) for n in range(1, 6)]), "01289"[:5].__getitem__)


def test_the_failed_lines_of_a_sound_file_are_told_and_no_other() -> None:
    found = read_failed(SOUND)

    assert found.succeeded == 1
    assert [(one.record_no, one.customer_no, one.code) for one in found.lines] == [
        (place + 2, f"{place + 1:020d}", code) for place, code in ((1, "1"), (2, "2"), (3, "8"),
                                                                   (4, "9"))
    ]  # fmt: skip


def test_a_file_without_line_ends_says_the_same() -> None:
    assert read_failed(SOUND.replace(b"\r\n", b"")) == read_failed(SOUND)


SPOILT: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda raw: raw.replace(b"\r\n", b"\n"), "line_end"),
    (lambda raw: raw[:-10], "record_length"),
    (lambda raw: raw[: 122 * 6], "trailer_missing"),
    (lambda raw: raw[: 122 * 7], "end_missing"),
    (lambda raw: raw.replace("ﾔﾏﾀﾞ".encode("cp932"), "山田".encode("cp932"), 1), "charset"),
    (lambda raw: raw[: 122 * 6 + 19] + b"000002" + raw[122 * 6 + 25 :], "trailer_done"),
    (lambda raw: raw[: 122 * 6 + 37] + b"000001" + raw[122 * 6 + 43 :], "trailer_failed"),
    (lambda raw: raw[:122] + raw[244:], "trailer_count"),
    (lambda _raw: b"number,amount\r\n1,8420\r\n", "line_end"),
    (lambda _raw: write([debit(1)]), "trailer_done"),
    (lambda raw: raw + raw, "after_end"),
]


@pytest.mark.parametrize("size", [1, 7, 119, 120, 121, 122, 500])
@pytest.mark.parametrize("raw", [SOUND, SOUND.replace(b"\r\n", b""), SOUND + b"\x1a"])
def test_however_it_is_cut_a_file_says_the_same(raw: bytes, size: int) -> None:
    reader, lines = FailedReader(), list[FailedLine]()
    for start in range(0, len(raw), size):
        lines += reader.take(raw[start : start + size])
    lines += reader.finish()

    assert (tuple(lines), reader.succeeded) == (read_failed(raw).lines, 1)


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_a_doubt_is_found_however_the_file_is_cut(
    spoil: Callable[[bytes], bytes], reason: str
) -> None:
    raw = spoil(SOUND)
    for size in (1, 100, 300):
        reader = FailedReader()
        with pytest.raises(InvalidInput, match=reason):  # noqa: PT012  at one piece, or at the end
            for start in range(0, len(raw), size):
                reader.take(raw[start : start + size])
            reader.finish()


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_a_doubtful_file_tells_nothing_at_all(spoil: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_failed(spoil(SOUND))


@pytest.mark.parametrize(
    ("in_file", "here"),
    [
        ("00000000000000481234", "481234"),
        ("00000000000000481234", "00481234"),
        ("00000000000000481234", "00000000000000481234"),
        ("A-0012", "A-0012"),
    ],
)
def test_a_number_is_found_whatever_zeros_the_field_was_filled_up_with(
    in_file: str, here: str
) -> None:
    assert here in numbers_of(in_file)


def test_a_field_of_zeros_is_nobodys_number() -> None:
    assert numbers_of("0" * 20) == ()


@pytest.mark.parametrize(
    ("code", "owed", "taken", "said"),
    [
        ("1", [OwedBill(id=ONE, left_minor=8420)], NONE, ("told", ONE)),
        ("4", [OwedBill(id=ONE, left_minor=8420)], NONE, ("told", ONE)),
        ("1", [OwedBill(id=ONE, left_minor=8420, is_known=True)], NONE, ("known", ONE)),
        ("1", [OwedBill(id=ONE, left_minor=8420, is_under_way=True)], NONE, ("under_way", ONE)),
        ("1", [OwedBill(id=ONE, left_minor=8419)], NONE, ("not_owed", None)),
        ("1", [], NONE, ("not_owed", None)),
        ("9", [OwedBill(id=ONE, left_minor=8420)], NONE, ("unclear", None)),
        ("E", [OwedBill(id=ONE, left_minor=8420)], NONE, ("unclear", None)),
        (
            "1",
            [OwedBill(id=ONE, left_minor=8420), OwedBill(id=TWO, left_minor=8420)],
            frozenset({ONE}),
            ("told", TWO),
        ),
    ],
)
def test_a_line_is_about_the_first_bill_of_its_amount_that_no_other_line_meant(
    code: str, owed: list[OwedBill], taken: frozenset[UUID], said: tuple[str, UUID | None]
) -> None:
    line = FailedLine(record_no=2, customer_no="1", amount_minor=8420, code=code)

    assert judge(line, owed, taken, is_customer=True) == said
    assert judge(line, owed, taken, is_customer=False)[0] in {"unmatched", "unclear"}
