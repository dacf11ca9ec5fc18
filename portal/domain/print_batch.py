"""Slips for a print shop: who wants one, the file's columns, letters that it can't hold. Pure.

A shop gets what has to stand on the paper and nothing more. What a charset lacks stands as 〓 in
the file and is named in the report, never dropped.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from portal.domain.errors import InvalidInput
from portal.domain.slip_number import AMOUNT_MAX, SlipTerms

Charset = Literal["utf-8-sig", "cp932"]
"""UTF-8 with its mark at the beginning, or Shift_JIS as Windows writes it."""

RemarkReason = Literal[
    "letters", "no_address", "no_way", "no_slip", "not_printable", "ended", "to_pull"
]
"""What a person has to know of a bill. ``letters``: it is in the file, with 〓 for what the charset
lacks. Not in the file: ``no_address``; ``no_way``: no slip can carry its amount and the merchant
says nothing of transfers; ``no_slip``: its slip was made out anew too often, or can't be paid any
more; ``not_printable``: asked for by name, but paid, held, being paid, or not the merchant's;
``ended``: it was in it, and nothing was owed any more when the file was taken out. ``to_pull``: it
is in the file that the shop has, and nothing was owed when that was noted."""

BILLS_MAX: Final = 500
"""Bills in one batch: one transaction makes it. What is left waits for the next."""

PART_BILLS: Final = 250
"""Bills in one sealed part of the file."""

UNREACHED: Final = ("failed", "undelivered")
"""Ends of a first message after which no channel is left."""

BILLS_AGAIN_MAX: Final = 100
"""Bills that can be asked for by name."""

PAST_DAYS: Final = 400
"""A bill due before this is no print shop's any more."""

TRANSFER_TEXT_MAX: Final = 200
GETA: Final = "〓"
"""What printers set for a letter that they lack."""

_END: Final = b"\r\n"

_MARKED: Final = re.compile("[ぁ-ヿ][\u3099\u309a]")
"""Kana with its mark as a letter of its own, as some systems write it; printers have it as one."""

_RISKY: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001  full-width signs too
"""What a spreadsheet at the shop would run as a formula when a cell begins with it."""

COLUMNS: Final = (
    "郵便番号", "住所", "宛名", "お客さま番号", "請求番号", "請求金額", "支払期限", "印紙",
    "バーコード", "印字1", "印字2", "お支払い可能日", "振込のご案内",
)  # fmt: skip
"""The header, in the file's order; docs/slips.md says what stands in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBill:
    """One line of the file. Units: yen.

    With bars ``digits`` are the slip's 44, ``lines`` what stands below them and ``pay_until`` their
    last day; without, ``transfer`` says how else to pay.
    """

    postal_code: str
    address: str
    name: str
    customer_no: str
    number: str
    amount_minor: int
    due_on: date
    needs_stamp: bool = False
    digits: str = ""
    lines: tuple[str, str] = ("", "")
    pay_until: date | None = None
    transfer: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The line in the order of COLUMNS."""
        return (
            self.postal_code, self.address, self.name, self.customer_no, self.number,
            str(self.amount_minor), self.due_on.isoformat(), "1" if self.needs_stamp else "0",
            self.digits, *self.lines,
            "" if self.pay_until is None else self.pay_until.isoformat(), self.transfer,
        )  # fmt: skip


def read_charset(text: str) -> Charset:
    """The charset of a file. Raises: InvalidInput ``print_charset`` (param ``field``)."""
    if text == "utf-8-sig":
        return "utf-8-sig"
    if text == "cp932":
        return "cp932"
    raise InvalidInput("print_charset", params={"field": "charset"})


def cap_of(terms: SlipTerms | None) -> int:
    """The most that a slip can carry; 0 for a merchant without an agency. Units: yen."""
    return 0 if terms is None else min(terms.amount_max, AMOUNT_MAX)


def carries(terms: SlipTerms | None, amount_minor: int) -> bool:
    """Whether a slip of these terms can be over this amount."""
    return terms is not None and terms.amount_min <= amount_minor <= cap_of(terms)


def lacking(bill: PrintedBill, charset: Charset) -> str:
    """The letters of a line that stand as 〓, each once: lacked, or a formula's sign in front."""
    found = dict.fromkeys(
        letter
        for cell in (_spelt(cell, charset) for cell in bill.cells)
        for place, letter in enumerate(cell)
        if not _fits(letter, charset) or (place == 0 and letter in _RISKY)
    )
    return "".join(found)


def write_parts(bills: Sequence[PrintedBill], charset: Charset) -> list[bytes]:
    """The file in parts of PART_BILLS lines, the header in the first: CSV, all quoted, CR+LF."""
    parts: list[bytes] = []
    for start in range(0, len(bills), PART_BILLS):
        rows = [
            tuple(_defused(_spelt(cell, charset)) for cell in bill.cells)
            for bill in bills[start : start + PART_BILLS]
        ]
        if start == 0:
            rows.insert(0, COLUMNS)
        body = _encode(_write(rows), charset)
        parts.append(b"\xef\xbb\xbf" + body if start == 0 and charset == "utf-8-sig" else body)
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortened:
    """A file that lines were taken out of, and what is left in it. Units: yen."""

    parts: Sequence[bytes]
    bills: int
    with_bars: int
    total_minor: int


def shorten(parts: Sequence[bytes], places: Collection[int], charset: Charset) -> Shortened:
    """The file without the lines at these places, counted from 0 over all parts.

    What stays is the same to the byte, in the same part; a part that has nothing left is gone.
    """
    left: list[bytes] = []
    rows: list[list[str]] = []
    place = 0
    for part_no, body in enumerate(parts):
        lines = body.split(_END)[:-1]
        kept = [] if part_no else lines[:1]
        for line in lines[0 if part_no else 1 :]:
            if place not in places:
                kept.append(line)
                rows += csv.reader([line.decode("utf-8" if charset == "utf-8-sig" else charset)])
            place += 1
        if kept:
            left.append(_END.join((*kept, b"")))
    return Shortened(
        parts=left,
        bills=len(rows),
        with_bars=sum(bool(row[COLUMNS.index("バーコード")]) for row in rows),
        total_minor=sum(int(row[COLUMNS.index("請求金額")]) for row in rows),
    )


def lines_in(part: bytes) -> int:
    """Lines of a part, the header counted; cells hold no line break."""
    return part.count(_END)


def _spelt(cell: str, charset: Charset) -> str:
    """A cell in the spelling that the charset has. All else stays: names have letters of theirs."""
    if charset == "utf-8-sig":
        return cell
    joined = _MARKED.sub(lambda found: unicodedata.normalize("NFC", found[0]), cell)
    return joined.replace("—", "―")


def _defused(cell: str) -> str:
    """A cell that no spreadsheet runs: who is billed may have chosen their own name."""
    return GETA + cell[1:] if cell.startswith(_RISKY) else cell


def _write(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _encode(text: str, charset: Charset) -> bytes:
    plain = "utf-8" if charset == "utf-8-sig" else charset
    return "".join(one if _fits(one, charset) else GETA for one in text).encode(plain)


def _fits(letter: str, charset: Charset) -> bool:
    if charset == "utf-8-sig" or letter.isascii():
        return True
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
