import csv
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.intake.split import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    ROW_BYTES_MAX,
    ROWS_MAX,
    Cut,
    SplitState,
    Splitter,
    guess_encoding,
    split_rows,
)

PIECES = [b'"', b",", b"\n", b"\r", b"\r\n", b"a", b" ", b"\xe3\x81\x82", b"\x82\xa0", b'""']
mess = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


def cut_up(body: bytes, borders: list[int]) -> tuple[list[Cut], Splitter]:
    """Feed a body in parts with these borders; whatever is refused is raised."""
    splitter = Splitter(SplitState())
    cuts: list[Cut] = []
    for start, end in zip([0, *borders], [*borders, len(body)], strict=True):
        cuts += splitter.feed(body[start:end])
    return cuts + splitter.finish(), splitter


def parse(row: bytes) -> list[str]:
    return next(csv.reader([row.decode("latin-1")]), [])


def rows_of(body: bytes, cuts: list[Cut]) -> list[list[str]]:
    return [
        parse(raw.body)
        for cut in cuts
        for raw in split_rows(body[cut.start : cut.end], cut.first_line)
    ]


def whole(body: bytes) -> list[list[str]]:
    """What csv.reader makes of the whole body, blank rows left out."""
    text = io.StringIO(body.decode("latin-1"), newline="")
    return [row for row in csv.reader(text) if "".join(row).strip(', \t\r\n"')]


@given(mess, st.data())
def test_any_bytes_in_any_parts_give_the_rows_of_csv_reader(
    body: bytes, data: st.DataObject
) -> None:
    body = b"head,er\n" + body
    borders = sorted(data.draw(st.lists(st.integers(8, len(body)), max_size=6)))
    expected = whole(body)[1:]

    if not expected:
        with pytest.raises(InvalidInput, match="file_empty"):
            cut_up(body, borders)
        return
    cuts, _ = cut_up(body, borders)

    assert rows_of(body, cuts) == expected
    assert sum(cut.rows for cut in cuts) == len(expected)


def test_an_empty_part_after_a_cr_loses_no_row() -> None:
    body = b'head,er\n"a"\r"b"\n'

    cuts, _ = cut_up(body, [12, 12])

    assert rows_of(body, cuts) == [["a"], ["b"]]
    assert sum(cut.rows for cut in cuts) == 2


@given(mess, st.data())
def test_lines_are_those_of_an_editor(body: bytes, data: st.DataObject) -> None:
    body = b"head,er\n" + body + b"\nlast"
    borders = sorted(data.draw(st.lists(st.integers(8, len(body)), max_size=6)))
    lines = body.splitlines(keepends=True)

    cuts, _ = cut_up(body, borders)

    for cut in cuts:
        for raw in split_rows(body[cut.start : cut.end], cut.first_line):
            assert b"".join(lines[raw.line - 1 :]).startswith(raw.body)


def test_the_property_has_teeth() -> None:
    body = b'h\n"a\nb",1\n'

    naive = [parse(line) for line in body.splitlines()[1:]]

    assert naive != whole(body)[1:]
    assert rows_of(body, cut_up(body, [])[0]) == whole(body)[1:]


def test_a_chunk_holds_a_thousand_rows_and_starts_at_its_line() -> None:
    body = b"h\n" + b"x,1\n" * (CHUNK_ROWS + 1)

    cuts, _ = cut_up(body, [])

    assert [(cut.rows, cut.first_line) for cut in cuts] == [(CHUNK_ROWS, 2), (1, CHUNK_ROWS + 2)]


def test_a_chunk_of_long_rows_ends_by_its_bytes() -> None:
    body = b"h\n" + (b"x" * 60_000 + b"\n") * 20

    cuts, _ = cut_up(body, [])

    assert all(cut.end - cut.start < CHUNK_BYTES + ROW_BYTES_MAX for cut in cuts)
    assert sum(cut.rows for cut in cuts) == 20


@pytest.mark.parametrize(
    ("size", "is_oversize"), [(ROW_BYTES_MAX, False), (ROW_BYTES_MAX + 1, True)]
)
def test_a_row_one_past_its_limit_is_a_chunk_of_its_own(size: int, *, is_oversize: bool) -> None:
    body = b"h\na,1\n" + b"x" * (size - 1) + b"\nb,2\n"

    cuts, _ = cut_up(body, [])

    assert any(cut.is_oversize for cut in cuts) is is_oversize
    assert sum(cut.rows for cut in cuts) == 3
    if is_oversize:
        assert [(cut.rows, cut.first_line) for cut in cuts] == [(1, 2), (1, 3), (1, 4)]


def test_an_open_quote_swallows_one_row_and_not_the_file() -> None:
    body = b'h\n"open,1\n' + b"x,2\n" * 40_000

    cuts, _ = cut_up(body, [])

    swallowed = next(cut for cut in cuts if cut.is_oversize)
    assert ROW_BYTES_MAX < swallowed.end - swallowed.start < ROW_BYTES_MAX + 10
    assert sum(cut.rows for cut in cuts) > 23_000


def test_memory_between_parts_holds_nothing_of_the_file() -> None:
    state = SplitState()
    Splitter(state).feed(b"h\n" + b'"secret' * 100_000)

    assert all(not isinstance(value, bytes) for value in state.__rich_repr__())
    assert "secret" not in repr(state)


def test_the_row_past_the_limit_refuses_the_file() -> None:
    state = SplitState(has_header=True, offset=2, row_start=2, chunk_start=2, rows=ROWS_MAX - 1)
    splitter = Splitter(state)
    splitter.feed(b"x\n")

    with pytest.raises(InvalidInput, match="too_many_rows"):
        splitter.feed(b"x\n")


def test_the_header_must_come_in_the_first_part_and_be_short() -> None:
    with pytest.raises(InvalidInput, match="header_too_long"):
        Splitter(SplitState()).feed(b"x" * (ROW_BYTES_MAX + 1))
    with pytest.raises(InvalidInput, match="header_too_long"):
        cut_up(b"a,b\nc,d\n", [2])
    with pytest.raises(InvalidInput, match="encoding_unsupported"):
        Splitter(SplitState()).feed("h\n".encode("utf-16"))


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    splitter = Splitter(SplitState())
    splitter.feed(b"\xef\xbb\xbfa,b\nx,1\n")

    assert splitter.header == b"a,b\n"
    assert splitter.state.encoding == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_the_encoding_is_the_one_with_fewer_broken_lines(encoding: str) -> None:
    chance = random.Random(3)  # noqa: S311  # a repeatable sample, no secret
    names = ["髙橋 太郎", "山﨑 花子", "ソース表示能", "請求書", "ｶﾀｶﾅ"]
    lines = [chance.choice(names).encode(encoding) for _ in range(200)]
    lines[50] = b"\x81\xff"

    assert guess_encoding(b"\n".join(lines)) == encoding
