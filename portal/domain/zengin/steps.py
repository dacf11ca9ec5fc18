"""A bank's answer checked a piece at a time, however long it is and in whatever order. Pure.

Between two pieces no more is kept than where the next record begins, the sums so far and which of
our lines have come back: nothing of what is in a record. Our own line is found by the number that
the bank gives back, since the records of both files are of one length each; so an answer in the
file's order is compared as it goes, and one in any other order costs time but no memory.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from portal.domain.errors import InvariantBroken
from portal.domain.zengin.alike import read_alike
from portal.domain.zengin.read import DebitReader, RecordRead
from portal.domain.zengin.record import RECORD_BYTES, DebitLine, Header, Trailer
from portal.domain.zengin.result import (
    Cause,
    Matcher,
    check_header,
    judge,
    meaning_of,
    number_of,
)

BytesFrom = Callable[[int], Iterable[bytes]]
"""A file's bytes from a place on, in pieces; none behind its end."""

_CR_LF: Final = b"\r\n"
_GAP_MAX: Final = 2_000
"""So many lines of ours are read past one by one; beyond that their place is looked for."""


class AnswerDoubtError(Exception):
    """An answer is doubtful as a whole: ``reason`` and the record where that showed."""

    def __init__(self, reason: str, record_no: int) -> None:
        """Why, and where."""
        super().__init__(reason)
        self.reason = reason
        self.record_no = record_no


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an answer was read; it names nobody. Units: yen for the sums.

    ``record_no``, ``count``, ``total_minor`` and ``after`` are the reader's own (DebitReader);
    ``end_bytes`` is how long the end of a record is. ``next_line`` is the line of ours that is
    expected next. ``seen``: a byte for each line of ours, 1 once it came back, packed.
    ``missing_from`` is 0 until all was read and found right; then what never came back is told,
    from this line on.
    """

    record_no: int = 0
    count: int = 0
    total_minor: int = 0
    after: str = ""
    end_bytes: int = 0
    has_header: bool = False
    trailer: Trailer | None = None
    done_count: int = 0
    done_minor: int = 0
    failed_count: int = 0
    failed_minor: int = 0
    unknown: int = 0
    unexpected: int = 0
    next_line: int = 1
    seen: bytes = b""
    missing_from: int = 0

    @property
    def is_right(self) -> bool:
        """Whether all of it was read, and nothing makes it doubtful."""
        return self.missing_from > 0


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What one step read: where the next begins, and our lines by what was said of them.

    ``is_last``: every line that was sent has got its cause by now.
    """

    progress: Progress
    causes: dict[Cause, list[int]]
    is_last: bool


class SentFile:
    """Our own file: its header, and any line of it by its place. Its records are of one length."""

    def __init__(self, bytes_from: BytesFrom, prefix: str, lines: int) -> None:
        """``prefix``: what all its lines' numbers begin with; behind it stands the line, from 1.

        Raises: InvariantBroken ``debit_file_broken``.
        """
        self.lines = lines
        self._bytes_from = bytes_from
        self.prefix = prefix
        start = _start_of(bytes_from)
        self._end = _end_of(start)
        header = next(iter(DebitReader([start[:RECORD_BYTES]]))).record
        if not isinstance(header, Header):
            raise InvariantBroken("debit_file_broken", context="header")
        self.header = header

    def line_of(self, told: DebitLine) -> int:
        """The line that a bank speaks of; 0 for one that this file does not have."""
        number = number_of(told)
        if not (number.isascii() and number.isdecimal() and number.startswith(self.prefix)):
            return 0
        line_no = int(number[len(self.prefix) :])
        return line_no if line_no <= self.lines else 0

    def from_line(self, line_no: int) -> DebitReader:
        """A reader that stands in front of a line. Lines count from 1."""
        place = line_no * (RECORD_BYTES + len(self._end))
        return DebitReader.behind(
            self._bytes_from(place), self._end, record_no=line_no, count=line_no - 1, after="2"
        )

    def lines_at(self, numbers: Iterable[int]) -> Iterator[DebitLine]:
        """These lines; their numbers ascend. Raises: InvariantBroken ``debit_file_broken``."""
        reader, here = self.from_line(1), 0
        for line_no in numbers:
            if not here or line_no - here > _GAP_MAX:
                reader, here = self.from_line(line_no), line_no
            raw = None
            while here <= line_no:
                raw, here = reader.pull(), here + 1
            read = None if raw is None else reader.take_plain(raw)
            line = None if read is None else read.record
            if not isinstance(line, DebitLine) or self.line_of(line) != line_no:
                raise InvariantBroken("debit_file_broken", context=f"line {line_no}")
            yield line


class AnswerSteps:
    """Reads an answer on from where a step before stopped."""

    def __init__(
        self, sent: SentFile, bytes_from: BytesFrom, lines_max: int, progress: Progress
    ) -> None:
        """``lines_max`` as for DebitReader; ``progress`` of the step before."""
        self._sent = sent
        self._bytes_from = bytes_from
        self._lines_max = lines_max
        self._was = progress
        self._seen = _unpack(progress.seen, sent.lines)
        self._sums = Matcher()
        self._sums.add("0", progress.done_count, progress.done_minor)
        self._sums.add("", progress.failed_count, progress.failed_minor)
        self._has_header = progress.has_header
        self._trailer = progress.trailer
        self._unknown = progress.unknown
        self._unexpected = progress.unexpected
        self._line = progress.next_line
        self._last = progress.next_line - 1
        self._ours = sent.from_line(self._line)
        self._pending: list[tuple[int, DebitLine]] = []
        self._causes: dict[Cause, list[int]] = {}

    def step(self, most: int) -> Piece:
        """The next ``most`` records of the answer, or lines that are missing in it.

        Raises: AnswerDoubtError; InvariantBroken ``debit_file_broken``.
        """
        if self._was.is_right:
            return self._tell_missing(most)
        told, end_bytes = self._open()
        stop = told.record_no + most
        missing_from = 0
        while told.record_no < stop:
            self._read_alike(told, stop - told.record_no)
            if told.record_no >= stop:
                break
            raw = told.pull()
            if raw is None:
                self._finish(told)
                missing_from = 1
                break
            self._take(told, raw)
        self._judge()
        if missing_from:
            self._unknown += self._seen.count(0)
        progress = Progress(
            record_no=told.record_no, count=told.count, total_minor=told.total_minor,
            after=told.after, end_bytes=end_bytes, has_header=self._has_header,
            trailer=self._trailer, done_count=self._sums.done_count,
            done_minor=self._sums.done_minor, failed_count=self._sums.failed_count,
            failed_minor=self._sums.failed_minor, unknown=self._unknown,
            unexpected=self._unexpected, next_line=self._last + 1,
            seen=zlib.compress(bytes(self._seen), 1), missing_from=missing_from,
        )  # fmt: skip
        is_last = bool(missing_from) and not self._seen.count(0)
        return Piece(progress=progress, causes=self._causes, is_last=is_last)

    def _open(self) -> tuple[DebitReader, int]:
        """A reader where the step before stopped: every record before it was of one length."""
        was = self._was
        if not was.record_no:
            start = _start_of(self._bytes_from)
            parts = chain([start], self._bytes_from(len(start)))
            return DebitReader(parts, self._lines_max), len(_end_of(start))
        place = was.record_no * (RECORD_BYTES + was.end_bytes)
        reader = DebitReader.behind(
            self._bytes_from(place), _CR_LF[: was.end_bytes], record_no=was.record_no,
            count=was.count, total_minor=was.total_minor, after=was.after,
            lines_max=self._lines_max,
        )  # fmt: skip
        return reader, was.end_bytes

    def _read_alike(self, told: DebitReader, most: int) -> None:
        """As far as the answer is our file but for the bank's codes: most of it, as a rule."""
        cut = len(self._sent.prefix)
        while room := min(most, self._unseen()):
            found = read_alike(self._ours, told, room)
            if not found:
                return
            first = self._line
            for code, lines in found.items():
                count, meaning = len(lines.numbers), meaning_of(code)
                self._sums.add(code, count, lines.total_minor)
                self._unknown += count * (meaning.outcome == "unknown")
                numbers = [int(number[cut:]) for number in lines.numbers]
                self._causes.setdefault(meaning.cause, []).extend(numbers)
                self._line += count
            self._seen[first - 1 : self._line - 1] = b"\x01" * (self._line - first)
            self._last = self._line - 1
            most -= self._line - first

    def _unseen(self) -> int:
        """How many lines from the next on have not come back yet."""
        first = self._line - 1
        if first >= self._sent.lines:
            return 0
        seen = self._seen.find(1, first)
        return (self._sent.lines if seen < 0 else seen) - first

    def _take(self, told: DebitReader, raw: bytes) -> None:
        plain = told.take_plain(raw)
        for one in told.take(raw) if plain is None else (plain,):
            self._note(one)
        if len(raw) != RECORD_BYTES:  # nobody could say where the next one begins
            raise AnswerDoubtError("record_length", told.record_no)

    def _note(self, one: RecordRead) -> None:
        """The first thing that makes the whole doubtful ends it."""
        if one.reason and (one.is_whole_file or not self._has_header):
            raise AnswerDoubtError(one.reason, one.record_no)
        record = one.record
        if isinstance(record, DebitLine):
            self._note_line(record)
        elif isinstance(record, Trailer):
            self._trailer = record
        elif isinstance(record, Header):
            self._has_header = True
            for reason in check_header(self._sent.header, record):
                raise AnswerDoubtError(reason, one.record_no)

    def _note_line(self, told: DebitLine) -> None:
        """A line of which the answer says it by itself: judged when the step knows all of them."""
        self._sums.add(told.result, 1, told.amount_minor)
        line_no = self._sent.line_of(told)
        if not line_no or self._seen[line_no - 1]:
            self._unexpected += 1
            return
        self._seen[line_no - 1] = 1
        self._pending.append((line_no, told))
        self._last = line_no
        if self._line <= line_no <= self._line + _GAP_MAX:
            for _ in range(line_no - self._line + 1):
                self._ours.pull()
            self._line = line_no + 1

    def _judge(self) -> None:
        """What the lines say that were not alike, against ours: read in our order, each once."""
        self._pending.sort(key=lambda one: one[0])
        ours = self._sent.lines_at(line_no for line_no, _ in self._pending)
        for (line_no, told), sent in zip(self._pending, ours, strict=True):
            meaning = judge(sent, told)
            self._unknown += meaning.outcome == "unknown"
            self._causes.setdefault(meaning.cause, []).append(line_no)

    def _finish(self, told: DebitReader) -> None:
        record_no = told.record_no
        for one in told.finish():
            self._note(one)
        if self._trailer is None:
            raise AnswerDoubtError("trailer_missing", record_no)
        for reason in self._sums.check_trailer(self._trailer):
            raise AnswerDoubtError(reason, record_no)

    def _tell_missing(self, most: int) -> Piece:
        """Lines of ours that never came back, from where a step before stopped."""
        missing: list[int] = []
        place = self._seen.find(0, self._was.missing_from - 1)
        while place >= 0 and len(missing) < most:
            missing.append(place + 1)
            place = self._seen.find(0, place + 1)
        after = self._sent.lines if place < 0 else place
        progress = msgspec.structs.replace(self._was, missing_from=after + 1)
        causes: dict[Cause, list[int]] = {"line_missing": missing} if missing else {}
        return Piece(progress=progress, causes=causes, is_last=place < 0)


def _start_of(bytes_from: BytesFrom) -> bytes:
    """As much of a file's start as says how its records end."""
    start = bytearray()
    for part in bytes_from(0):
        start += part
        if len(start) >= RECORD_BYTES + len(_CR_LF):
            break
    return bytes(start)


def _end_of(start: bytes) -> bytes:
    """How the first record ends; what is neither is found when it is read."""
    end = start[RECORD_BYTES : RECORD_BYTES + len(_CR_LF)]
    return _CR_LF if end == _CR_LF else b""


def _unpack(packed: bytes, lines: int) -> bytearray:
    if not packed:
        return bytearray(lines)
    seen = bytearray(zlib.decompressobj().decompress(packed, lines + 1))
    if len(seen) != lines:
        raise InvariantBroken("debit_file_broken", context="seen")
    return seen


def lines_by(causes: dict[Cause, list[int]], size: int) -> Iterator[tuple[Cause, Sequence[int]]]:
    """Lines by what was said of them, at most so many at a time."""
    for cause, lines in causes.items():
        for place in range(0, len(lines), size):
            yield cause, lines[place : place + size]
