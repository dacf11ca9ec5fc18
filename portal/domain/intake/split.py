"""Where rows begin and end in a stream of CSV bytes, and how rows make chunks. Pure.

Sees each byte once and keeps only a few numbers between two parts, so memory stays flat at any
file size. Bytes are enough: in UTF-8 and in cp932 no byte of a longer character equals a comma, a
quote or a line end. Rows end exactly where ``csv.reader`` ends them, but for one mercy: a quote
left open for longer than ROW_BYTES_MAX ends at the next line, so it can't swallow the file.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvalidInput

FILE_BYTES_MAX: Final = 2 * 1024**3
"""Largest file, twice the 1 GB that the intake format promises; doors and vault keep to it, and a
test holds the DMZ's route against it."""
ROWS_MAX: Final = 5_000_000
ROW_BYTES_MAX: Final = 64 * 1024
CHUNK_ROWS: Final = 1_000
CHUNK_BYTES: Final = 512 * 1024
"""A chunk ends with the row that reaches either: 1,000 rows or 512 KiB."""

Encoding = Literal["utf-8", "cp932"]

_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_BLANKS: Final = b', \t\r\n"'

_FIELD_START: Final = 0
_IN_FIELD: Final = 1
_QUOTED: Final = 2
_QUOTE_SEEN: Final = 3
"""Where the scanner stands inside a row; the states of CPython's csv reader."""

_QUOTE: Final = 0x22
_COMMA: Final = 0x2C


class SplitState(msgspec.Struct, array_like=True):
    """All that is remembered between two parts: places and counts, nothing of the content.

    Lines count from 1. ``rows`` counts rows that are not blank, without the header.
    """

    offset: int = 0
    line: int = 1
    cell: int = _FIELD_START
    has_pending_cr: bool = False
    row_start: int = 0
    row_line: int = 1
    is_row_blank: bool = True
    chunk_no: int = 0
    chunk_start: int = 0
    chunk_line: int = 1
    chunk_rows: int = 0
    rows: int = 0
    has_header: bool = False
    encoding: Encoding | None = None


class Cut(msgspec.Struct, frozen=True):
    """One chunk: whole rows in bytes ``start`` up to ``end``, beginning at line ``first_line``.

    ``is_oversize``: it is one single row that is too long to be read.
    """

    chunk_no: int
    start: int
    end: int
    first_line: int
    rows: int
    is_oversize: bool


class Splitter:
    """Feeds parts in order; hands out chunks as soon as they are whole.

    ``header`` is the first row's bytes, set by the part that ended it and by no other.
    """

    def __init__(self, state: SplitState) -> None:
        """Go on where ``state`` stands; it is changed in place."""
        self.state = state
        self.header: bytes | None = None
        self._cuts: list[Cut] = []

    def feed(self, part: bytes) -> list[Cut]:
        """The chunks that this part completes.

        Raises: InvalidInput for a file that can't be read at all: ``encoding_unsupported``,
            ``header_too_long`` (the header must lie in the first part), ``too_many_rows`` (param
            ``max``).
        """
        if not part:
            return []  # says nothing, not even whether a CR before it was a line's end
        state = self.state
        part_start = state.offset
        if part_start == 0:
            self._begin(part)
        if state.encoding is None and not part.isascii():
            state.encoding = guess_encoding(part)
        if state.has_pending_cr and part:
            self._settle_cr(part)
        lines = part[state.offset - part_start :].splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if not state.has_header:
            lines = self._take_header(lines, part, part_start)
        self._take_lines(lines)
        self._take_rest(rest)
        return self._hand_out()

    def finish(self) -> list[Cut]:
        """The last chunk; the file may end without a line end, even inside a quote.

        Raises: InvalidInput ``file_empty`` when there is no row under a header, ``too_many_rows``.
        """
        state = self.state
        if state.has_pending_cr:
            self._settle_cr(b"")
        if state.has_header and state.offset > state.row_start:
            self._end_row(state.offset)
        if not state.rows:
            raise InvalidInput("file_empty")
        self._close_chunk(state.offset, state.line)
        return self._hand_out()

    def _begin(self, part: bytes) -> None:
        state = self.state
        if part.startswith(_UTF16_BOMS):
            raise InvalidInput("encoding_unsupported")
        if part.startswith(_BOM):
            state.encoding = "utf-8"
            state.offset = state.row_start = len(_BOM)

    def _settle_cr(self, part: bytes) -> None:
        """End the line whose CR was the last byte so far; an LF that opens this part is its."""
        state = self.state
        state.has_pending_cr = False
        state.offset += 1 if part.startswith(b"\n") else 0
        state.line += 1
        if state.has_header and (state.cell != _QUOTED or self._is_oversize(state.offset)):
            self._end_row(state.offset)

    def _take_header(self, lines: list[bytes], part: bytes, part_start: int) -> list[bytes]:
        """Find the first row that is not blank; the lines after it."""
        state = self.state
        if part_start:
            raise InvalidInput("header_too_long")
        for taken, line in enumerate(lines, start=1):
            state.offset += len(line)
            state.line += 1
            state.cell = _scan(state.cell, line)
            if state.cell == _QUOTED:
                continue
            row = part[state.row_start - part_start : state.offset - part_start]
            is_blank = not row.strip(_BLANKS)
            self._begin_row(state.offset)
            state.chunk_start, state.chunk_line = state.offset, state.line
            if not is_blank:
                state.has_header = True
                self.header = row
                return lines[taken:]
        return []

    def _take_lines(self, lines: list[bytes]) -> None:
        """Whole lines. The plain case, a row without quotes, costs a few comparisons."""
        state = self.state
        for line in lines:
            state.offset += len(line)
            state.line += 1
            if state.is_row_blank and line.strip(_BLANKS):
                state.is_row_blank = False
            if state.cell != _FIELD_START or b'"' in line:
                state.cell = _scan(state.cell, line)
                if state.cell == _QUOTED and not self._is_oversize(state.offset):
                    continue
            self._end_row(state.offset)

    def _take_rest(self, line: bytes) -> None:
        """The last line of a part, whose end is not known yet."""
        state = self.state
        state.has_pending_cr = line.endswith(b"\r")
        state.cell = _scan(state.cell, line.removesuffix(b"\r"))
        if state.is_row_blank and line.strip(_BLANKS):
            state.is_row_blank = False
        state.offset += len(line)
        if not state.has_header and self._is_oversize(state.offset):
            raise InvalidInput("header_too_long")

    def _is_oversize(self, offset: int) -> bool:
        return offset - self.state.row_start > ROW_BYTES_MAX

    def _end_row(self, offset: int) -> None:
        """A row ends before ``offset``; the chunk too when it is full or the row is oversize."""
        state = self.state
        if state.is_row_blank and not self._is_oversize(offset):
            self._begin_row(offset)
            return
        if state.rows >= ROWS_MAX:
            raise InvalidInput("too_many_rows", params={"max": ROWS_MAX})
        state.rows += 1
        if self._is_oversize(offset):
            self._close_chunk(state.row_start, state.row_line)
            state.chunk_rows = 1
            self._close_chunk(offset, state.line, is_oversize=True)
        else:
            state.chunk_rows += 1
            if state.chunk_rows >= CHUNK_ROWS or offset - state.chunk_start >= CHUNK_BYTES:
                self._close_chunk(offset, state.line)
        self._begin_row(offset)

    def _begin_row(self, offset: int) -> None:
        state = self.state
        state.row_start = offset
        state.row_line = state.line
        state.cell = _FIELD_START
        state.is_row_blank = True

    def _close_chunk(self, end: int, next_line: int, *, is_oversize: bool = False) -> None:
        """Hand out what lies between the last cut and ``end``; nothing when it holds no row."""
        state = self.state
        if state.chunk_rows:
            cut = Cut(
                chunk_no=state.chunk_no,
                start=state.chunk_start,
                end=end,
                first_line=state.chunk_line,
                rows=state.chunk_rows,
                is_oversize=is_oversize,
            )
            self._cuts.append(cut)
            state.chunk_no += 1
        state.chunk_start, state.chunk_line, state.chunk_rows = end, next_line, 0

    def _hand_out(self) -> list[Cut]:
        cuts, self._cuts = self._cuts, []
        return cuts


class RawRow(msgspec.Struct, frozen=True):
    """The bytes of one row, with its line end, and the line that it begins on.

    ``is_open``: the file ended inside its quotes.
    """

    line: int
    body: bytes
    is_open: bool


def split_rows(chunk: bytes, first_line: int) -> Iterator[RawRow]:
    """The rows of one chunk, blank ones left out: the same borders as :class:`Splitter` found."""
    row = b""
    cell = _FIELD_START
    row_line = first_line
    for line, body in enumerate(chunk.splitlines(keepends=True), start=first_line):
        row = row + body if row else body
        if cell != _FIELD_START or b'"' in body:
            cell = _scan(cell, body)
            if cell == _QUOTED:
                continue
        if row.strip(_BLANKS):
            yield RawRow(row_line, row, is_open=False)
        row, cell, row_line = b"", _FIELD_START, line + 1
    if row.strip(_BLANKS):
        yield RawRow(row_line, row, is_open=True)


def guess_encoding(sample: bytes) -> Encoding:
    """UTF-8 or cp932, by which fewer lines would have to be called broken; UTF-8 when equal.

    The first and the last line may be cut anywhere and don't vote unless they are all there is.
    """
    lines = sample.splitlines()
    voters = [line for line in lines[1:-1] if not line.isascii()]
    voters = voters or [line for line in lines if not line.isascii()]
    broken_utf8 = sum(not _decodes(line, "utf-8") for line in voters)
    if not broken_utf8:
        return "utf-8"
    return "cp932" if sum(not _decodes(line, "cp932") for line in voters) < broken_utf8 else "utf-8"


def _decodes(line: bytes, encoding: Encoding) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _scan(cell: int, line: bytes) -> int:
    """Where the csv reader stands after these bytes, which hold no line end outside quotes."""
    place, size = 0, len(line)
    while place < size:
        if cell == _QUOTED:
            place = line.find(b'"', place) + 1
            if not place:
                return _QUOTED
            cell = _QUOTE_SEEN
            continue
        if cell == _IN_FIELD:
            place = line.find(b",", place) + 1
            if not place:
                return _IN_FIELD
            cell = _FIELD_START
            continue
        byte = line[place]
        if byte == _QUOTE:
            cell = _QUOTED
        elif byte == _COMMA:
            cell = _FIELD_START
        else:
            cell = _IN_FIELD
        place += 1
    return cell
