"""Reads a debit file as its bytes come: every record, a verdict on it, and whether the sums hold.

Pure, and at the same memory however long the file is. A record that can't be read stops none of the
others; what makes the whole file doubtful (its line ends, its order, its sums, a missing end) is
said as a verdict on the file, and a file with such a verdict books nothing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal, Self

import msgspec

from portal.domain.zengin.record import (
    KIND,
    LINES_MAX,
    RECORD_BYTES,
    Account,
    DebitLine,
    End,
    Header,
    Record,
    Trailer,
)

Remedy = Literal["ask_bank", "send_again", "convert_jis"]

REMEDIES: Final[dict[str, Remedy]] = {
    "charset": "convert_jis",
    "ebcdic": "convert_jis",
    "line_end": "convert_jis",
    "record_length": "send_again",
    "record_kind": "ask_bank",
    "record_order": "send_again",
    "record_field": "ask_bank",
    "too_many_lines": "ask_bank",
    "trailer_count": "send_again",
    "trailer_total": "send_again",
    "trailer_missing": "send_again",
    "end_missing": "send_again",
    "after_end": "send_again",
}
"""Reason → what to do: have the bank explain it, fetch or send the file once more because it was
cut or changed on the way, or send it in JIS with CR LF or without line ends."""


class RecordRead(msgspec.Struct, frozen=True, kw_only=True):
    """One record, or why there is none. ``record_no`` counts from 1.

    ``is_whole_file``: the reason makes the file doubtful, not only this record.
    """

    record_no: int
    record: Record | None = None
    reason: str = ""
    remedy: Remedy | None = None
    is_whole_file: bool = False


_FOREIGN: Final = re.compile(rb"[^\x20-\x7e\xa1-\xdf]")
"""Bytes that JIS X 0201 has no letter for."""

_PLAIN: Final = re.compile(rb"2[\x20-\x7e\xa1-\xdf]{119}")
"""The bytes of a debit of the right length with letters of JIS X 0201 alone."""

_LONE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
BAD_ENDS: Final = b"\n"
_EBCDIC_ONE: Final = b"\xf1"
_MARK_OF_END: Final = b"\x1a"

_HEADER: Final = re.compile(
    rf"1{KIND}[01](\d{{10}})(.{{40}})(\d\d)(\d\d)(\d{{4}})(.{{15}})(\d{{3}})(.{{15}})"
    r"(?:([1239])(\d{7}).{17}| {25})",
    re.ASCII,
)
_DEBIT: Final = re.compile(
    r"2(\d{4})(.{15})(\d{3})(.{15}).{4}([1239])(\d{7})(.{30})(\d{10})([012 ])(.{20})(.).{8}",
    re.ASCII,
)
_TRAILER: Final = re.compile(r"8(\d{6})(\d{12})(\d{6})(\d{12})(\d{6})(\d{12}).{65}", re.ASCII)

_AFTER: Final[dict[str, frozenset[str]]] = {
    "": frozenset("1"),
    "1": frozenset("2"),
    "2": frozenset("28"),
    "8": frozenset("9"),
    "9": frozenset(),
}
"""Kind of record → the kinds that may follow it."""

_BEFORE_DEBIT: Final = frozenset(kind for kind, after in _AFTER.items() if "2" in after)


def read_debits(parts: Iterable[bytes], lines_max: int = LINES_MAX) -> Iterator[RecordRead]:
    """A verdict for each record in order, then one for each thing that the whole file lacks.

    More than ``lines_max`` debits make the file doubtful; no bank can give more than the default.
    """
    return iter(DebitReader(parts, lines_max))


def frame(parts: Iterable[bytes], separator: bytes | None = None) -> Iterator[bytes]:
    """The records without their line ends; BAD_ENDS once and nothing more for LF or CR alone.

    Whether lines end with CR LF or not at all shows after the first 120 bytes. A record that came
    out too long or too short is given as it is. ``separator``: how they end, where the parts begin
    with another record than the first.
    """
    framing = Framing(separator)
    for part in parts:
        yield from framing.take(part)
        if framing.is_over:
            return
    yield from framing.finish()


class Framing:
    """Bytes that are pushed piece by piece, as the records of :func:`frame`."""

    def __init__(self, separator: bytes | None = None) -> None:
        """Nothing came yet; ``separator`` as for :func:`frame`."""
        self.is_over = False
        self._held = b""
        self._separator = separator

    def take(self, part: bytes) -> list[bytes]:
        """The records that are whole with this piece."""
        if self.is_over:
            return []
        self._held += part
        if self._separator is None:
            if len(self._held) < RECORD_BYTES + 2:
                return []
            self._separator = _separator(self._held)
        if self._separator == BAD_ENDS:
            self.is_over = True
            return [BAD_ENDS]
        *whole, self._held = _split(self._held, self._separator)
        return whole

    def finish(self) -> list[bytes]:
        """What is left when no more comes."""
        if self.is_over:
            return []
        held = self._held.removesuffix(_MARK_OF_END).removesuffix(b"\r\n")
        if self._separator is None and _LONE.search(held):
            return [BAD_ENDS]  # not even two records: whatever is there is cut short
        return [held] if held else []


def _separator(start: bytes) -> bytes:
    """How records end, by the bytes up to the second; BAD_ENDS for an end that is not allowed."""
    if start[RECORD_BYTES : RECORD_BYTES + 2] == b"\r\n":
        return b"\r\n"
    first = start[: RECORD_BYTES + 2]
    if start.startswith(_EBCDIC_ONE):
        return b""  # its line ends are others, and nothing else of it can be read either
    if _LONE.search(first):
        return BAD_ENDS
    return b"\r\n" if b"\r\n" in first else b""


def _split(held: bytes, separator: bytes) -> list[bytes]:
    """Whole records and the rest; a line that never ends is cut so that it can't fill memory."""
    if separator:
        *whole, rest = held.split(separator)
        return [*whole, rest[: RECORD_BYTES + 2]]
    end = len(held) - len(held) % RECORD_BYTES
    whole = [held[place : place + RECORD_BYTES] for place in range(0, end, RECORD_BYTES)]
    return [*whole, held[end:]]


class DebitReader:
    """One file as its bytes come: iterating gives the verdicts of :func:`read_debits`.

    What is kept between two records is the place in the order, a count and a sum. Between two
    verdicts somebody else may read on (portal.domain.zengin.alike): he pulls records, says how many
    debits he passed, and puts back what is none.
    """

    def __init__(self, parts: Iterable[bytes], lines_max: int = LINES_MAX) -> None:
        """Nothing is read yet; ``lines_max`` as for :func:`read_debits`."""
        self.lines_max = min(lines_max, LINES_MAX)
        self.record_no = 0
        self.count = 0
        self.total_minor = 0
        self.after = ""
        self._records = frame(parts)
        self._held: bytes | None = None

    def __iter__(self) -> Iterator[RecordRead]:
        """The verdicts from here on, and at the end what is missing."""
        yield from self.judge(iter(self.pull, None))
        yield from self.finish()

    def judge(self, records: Iterable[bytes]) -> Iterator[RecordRead]:
        """The verdicts on these records, which follow what was read so far."""
        for raw in records:
            plain = self.take_plain(raw)
            if plain is None:
                yield from self.take(raw)
            else:
                yield plain

    @classmethod
    def behind(  # noqa: PLR0913  what a reader keeps between two records
        cls,
        parts: Iterable[bytes],
        separator: bytes,
        *,
        record_no: int,
        count: int,
        after: str,
        total_minor: int = 0,
        lines_max: int = LINES_MAX,
    ) -> Self:
        """A reader that stands where another one stopped; ``parts`` begin with its next record."""
        reader = cls((), lines_max)
        reader.record_no, reader.count, reader.after = record_no, count, after
        reader.total_minor = total_minor
        reader._records = frame(parts, separator)
        return reader

    @property
    def room(self) -> int:
        """How many debits may follow here."""
        return max(0, self.lines_max - self.count) if self.after in _BEFORE_DEBIT else 0

    def pull(self) -> bytes | None:
        """The next record as it is, None at the end."""
        raw, self._held = self._held, None
        return next(self._records, None) if raw is None else raw

    def put_back(self, raw: bytes | None) -> None:
        """What was pulled last is the next record again."""
        self._held = raw

    def passed(self, debits: int, total_minor: int) -> None:
        """So many debits over so much were pulled, and nothing is wrong with them."""
        self.record_no += debits
        self.count += debits
        self.total_minor += total_minor
        self.after = "2" if debits else self.after

    def take_plain(self, raw: bytes) -> RecordRead | None:
        """A debit where one may stand and nothing is wrong with, as nearly all are; else None."""
        if not self.room or not _PLAIN.fullmatch(raw):
            return None
        record = _parse_debit(raw.decode("cp932"))
        if record is None:
            return None
        self.passed(1, record.amount_minor)
        return RecordRead(record_no=self.record_no, record=record)

    def take(self, raw: bytes) -> Iterator[RecordRead]:
        """The verdict on one record, and on the file where the record shows something of it."""
        self.record_no += 1
        reason = self._look(raw)
        if reason:
            yield self._fault(reason, is_whole_file=reason in _OF_FILE)
            return
        kind = chr(raw[0])
        if kind not in _AFTER[self.after]:
            is_over = self.after == "9"
            yield self._fault("after_end" if is_over else "record_order", is_whole_file=True)
            if is_over:
                return
        self.after = kind
        record = _parse(raw.decode("cp932"))
        if record is None:
            yield self._fault("record_field", is_whole_file=kind != "2")
            return
        yield RecordRead(record_no=self.record_no, record=record)
        yield from self._add(record)

    def finish(self) -> Iterator[RecordRead]:
        """What is missing at the end."""
        self.record_no += 1
        if self.after not in {"8", "9"}:
            yield self._fault("trailer_missing", is_whole_file=True)
        if self.after != "9":
            yield self._fault("end_missing", is_whole_file=True)

    def _look(self, raw: bytes) -> str:
        if raw.startswith(_EBCDIC_ONE) and self.record_no == 1:
            return "ebcdic"
        if b"\n" in raw or b"\r" in raw:
            return "line_end"
        if _FOREIGN.search(raw):
            return "charset"
        if len(raw) != RECORD_BYTES:
            return "record_length"
        return "" if chr(raw[0]) in "1289" else "record_kind"

    def _add(self, record: Record) -> Iterator[RecordRead]:
        if isinstance(record, DebitLine):
            self.count += 1
            self.total_minor += record.amount_minor
            if self.count == self.lines_max + 1:
                yield self._fault("too_many_lines", is_whole_file=True)
        elif isinstance(record, Trailer):
            if record.count != self.count:
                yield self._fault("trailer_count", is_whole_file=True)
            if record.total_minor != self.total_minor:
                yield self._fault("trailer_total", is_whole_file=True)

    def _fault(self, reason: str, *, is_whole_file: bool) -> RecordRead:
        return RecordRead(
            record_no=self.record_no,
            reason=reason,
            remedy=REMEDIES[reason],
            is_whole_file=is_whole_file,
        )


_OF_FILE: Final = frozenset({"line_end", "ebcdic", "record_kind", "record_length"})
"""Reasons after which the places of whatever follows can't be trusted."""


def _parse(text: str) -> Record | None:
    """The record of 120 letters; None when a field breaks its form."""
    kind = text[0]
    if kind == "2":
        return _parse_debit(text)
    if kind == "1":
        return _parse_header(text)
    if kind == "8":
        found = _TRAILER.fullmatch(text)
        return Trailer(**dict(zip(_SUMS, map(int, found.groups()), strict=True))) if found else None
    return End()


_SUMS: Final = (
    "count", "total_minor", "done_count", "done_minor", "failed_count", "failed_minor",
)  # fmt: skip


def _parse_header(text: str) -> Header | None:
    found = _HEADER.fullmatch(text)
    if found is None:
        return None
    code, name, month, day, bank, bank_name, branch, branch_name, kind, number = found.groups()
    account = Account(bank_code=bank, branch_code=branch, kind=kind, number=number or "")
    return Header(
        collector_code=code,
        collector_name=name.rstrip(),
        month=int(month),
        day=int(day),
        bank_code=bank,
        branch_code=branch,
        bank_name=bank_name.rstrip(),
        branch_name=branch_name.rstrip(),
        account=account if kind else None,
    )


def _parse_debit(text: str) -> DebitLine | None:
    found = _DEBIT.fullmatch(text)
    if found is None:
        return None
    bank, bank_name, branch, branch_name, kind, number, name, amount, new, own, result = (
        found.groups()
    )
    return DebitLine(
        account=Account(bank_code=bank, branch_code=branch, kind=kind, number=number),
        payer_name=name.rstrip(),
        amount_minor=int(amount),
        instruction_no=own.rstrip(),
        newness=new,
        result=result,
        bank_name=bank_name.rstrip(),
        branch_name=branch_name.rstrip(),
    )
