import tracemalloc
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.zengin.kana import LETTERS
from portal.domain.zengin.read import REMEDIES, RecordRead, read_debits
from portal.domain.zengin.record import DebitLine, End, FileForm, Header, Trailer
from tests.make.debits import HEADER, answer, debit, write

LINES = [debit(1), debit(2, 580), debit(3, 1)]
FILE = write(LINES)


def read(whole: bytes) -> list[RecordRead]:
    return list(read_debits([whole]))


def reasons(whole: bytes) -> list[str]:
    """Why; each with its remedy."""
    faults = [each for each in read(whole) if each.reason]
    assert all(each.remedy == REMEDIES[each.reason] for each in faults)
    return [each.reason for each in faults]


def changed(place: int, record: str, form: FileForm | None = None) -> bytes:
    """The file with another record at this place, counted from 0."""
    records = write(LINES, form).decode("cp932").split("\r\n")
    records[place] = record
    return "\r\n".join(records).encode("cp932")


def record(place: int) -> str:
    return FILE.decode("cp932").split("\r\n")[place]


@pytest.mark.parametrize("separator", ["", "\r\n"])
@pytest.mark.parametrize("has_account", [False, True])
def test_what_was_written_is_read_back(separator: str, *, has_account: bool) -> None:
    form = FileForm(separator=separator, has_account=has_account)  # type: ignore[arg-type]
    header = HEADER if has_account else msgspec.structs.replace(HEADER, account=None)

    verdicts = read(write(LINES, form, header))

    assert [each.record for each in verdicts] == [
        header, *LINES, Trailer(count=3, total_minor=9001), End(),
    ]  # fmt: skip


NAMES = st.text(st.sampled_from(LETTERS), min_size=1, max_size=30).map(str.strip).filter(bool)


@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    amount=st.integers(1, 9_999_999_999),
    size=st.integers(1, 300),
    separator=st.sampled_from(["", "\r\n"]),
)
def test_any_file_survives_however_its_bytes_are_cut(
    names: list[str], amount: int, size: int, separator: str
) -> None:
    lines = [debit(place, amount, payer_name=name) for place, name in enumerate(names)]
    whole = write(lines, FileForm(separator=separator))  # type: ignore[arg-type]
    parts = [whole[place : place + size] for place in range(0, len(whole), size)]

    verdicts = list(read_debits(parts))

    assert [each.record for each in verdicts[1:-2]] == lines
    assert not any(each.reason for each in verdicts)


def test_the_mark_of_an_old_file_end_is_no_record() -> None:
    assert reasons(FILE + b"\x1a") == []
    assert reasons(write(LINES, FileForm(separator="")) + b"\r\n\x1a") == []


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_lines_that_end_otherwise_than_with_cr_lf_make_no_file(end: bytes) -> None:
    verdicts = read(FILE.replace(b"\r\n", end))

    assert (verdicts[0].reason, verdicts[0].is_whole_file) == ("line_end", True)
    assert not any(isinstance(each.record, DebitLine) for each in verdicts)


def test_the_end_of_a_first_line_that_was_cut_short_is_seen() -> None:
    assert reasons(FILE[:60] + b"\n")[0] == "line_end"
    assert reasons(FILE[:60])[0] == "record_length"


def test_a_lone_line_end_further_down_is_seen_too() -> None:
    whole = FILE[:360] + FILE[360:].replace(b"\r\n", b"\n", 1)

    assert "line_end" in reasons(whole)


def test_utf8_and_ebcdic_are_told_apart_from_jis() -> None:
    assert reasons(FILE.decode("cp932").encode("utf-8"))[0] == "charset"
    assert (
        reasons(FILE.decode("cp932").replace("ﾐﾅﾄ", "AAA").encode("cp037", "replace"))[0]
        == "ebcdic"
    )


@pytest.mark.parametrize("cut", [1, 50, 120, 121, 122, 200, 244, 366, 500, 609])
def test_a_file_that_was_cut_off_says_so(cut: int) -> None:
    faults = [each for each in read(FILE[:cut]) if each.reason]

    assert faults[-1].reason == "end_missing"
    assert faults[-1].is_whole_file


def test_an_empty_file_lacks_everything() -> None:
    assert reasons(b"") == ["trailer_missing", "end_missing"]
    assert all(each.is_whole_file for each in read(b""))


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ("8000002000000009001", ["trailer_count"]),
        ("8000003000000009000", ["trailer_total"]),
        ("8000004000000008421", ["trailer_count", "trailer_total"]),
    ],
)
def test_a_trailer_that_does_not_add_up_makes_the_file_doubtful(
    sums: str, expected: list[str]
) -> None:
    whole = changed(4, sums + record(4)[19:])

    assert reasons(whole) == expected
    assert all(each.is_whole_file for each in read(whole) if each.reason)


def test_an_unknown_kind_and_a_field_out_of_form_are_told_with_their_place() -> None:
    strange = read(changed(2, "5" + record(2)[1:]))
    broken = read(changed(2, record(2)[:80] + "00000O0580" + record(2)[90:]))

    assert (strange[2].record_no, strange[2].reason) == (3, "record_kind")
    assert (broken[2].record_no, broken[2].reason, broken[2].is_whole_file) == (
        3, "record_field", False,
    )  # fmt: skip
    assert broken[3].record == LINES[2]


@pytest.mark.parametrize(("place", "other"), [(0, 1), (1, 0), (2, 4), (2, 5), (4, 5)])
def test_records_out_of_order_make_the_file_doubtful(place: int, other: int) -> None:
    faults = [each for each in read(changed(place, record(other))) if each.reason]

    assert "record_order" in {each.reason for each in faults if each.is_whole_file}


def test_nothing_may_follow_the_end() -> None:
    assert reasons(FILE + FILE) == ["after_end"] * 6


@pytest.mark.parametrize("length", [119, 121, 0])
def test_a_record_too_short_or_too_long_is_told(length: int) -> None:
    assert reasons(changed(2, f"{record(2):125}"[:length]))[0] == "record_length"


def test_more_lines_than_allowed_are_told_once() -> None:
    whole = write([debit(number) for number in range(5)])

    assert not [each for each in read_debits([whole], 5) if each.reason]
    found = [each for each in read_debits([whole], 3) if each.reason]
    assert [(each.record_no, each.reason) for each in found] == [(5, "too_many_lines")]
    assert found[0].is_whole_file


def test_results_are_read_with_their_codes_and_sums() -> None:
    verdicts = read(answer(FILE, lambda place: "01E"[place]))
    trailer = verdicts[-2].record

    assert [each.record.result for each in verdicts if isinstance(each.record, DebitLine)] == [
        "0", "1", "E",
    ]  # fmt: skip
    assert isinstance(verdicts[0].record, Header)
    assert trailer == Trailer(
        count=3, total_minor=9001, done_count=1, done_minor=8420, failed_count=2, failed_minor=581
    )


@given(junk=st.binary(max_size=600), size=st.integers(1, 200))
def test_no_bytes_break_the_reader(junk: bytes, size: int) -> None:
    parts = [junk[place : place + size] for place in range(0, len(junk), size)]

    assert any(each.is_whole_file for each in read_debits(parts))


@pytest.mark.parametrize("filler", [b"1" * 65_536, b"1\r\n" + b"x" * 65_533])
def test_a_line_without_end_does_not_fill_memory(filler: bytes) -> None:
    def parts() -> Iterator[bytes]:
        yield FILE[:244]
        for _ in range(100):
            yield filler

    tracemalloc.start()
    for _ in read_debits(parts()):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2 * 2**20
