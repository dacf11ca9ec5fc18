"""A collection agency's file of notices, as CSV in cp932: a verdict for every line. Pure.

Lines are judged one by one and none stops the rest: a file is money, and what can be read of it is
booked. Codes name the reason and what to do; doors translate them. What a notice means for its slip
is portal.domain.slip_notice's.

Source: columns and codes as a collection agency's published client reads them (DSK, 収納データ).
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import Final, Literal

from portal.domain.errors import InvalidInput
from portal.domain.slip_notice import KINDS, POSTAL, NoticeKind, SlipNotice
from portal.domain.slip_number import SlipNumber, parse, read_fields

COLUMNS: Final = 13
LINE_BYTES_MAX: Final = 1_024
CODE_CHARACTERS_MAX: Final = 8
PREFIX: Final = "EAN"
NO_DAY: Final = "0"

Remedy = Literal["ask_agency", "send_again", "convert_cp932"]

REMEDIES: Final[dict[str, Remedy]] = {
    "line_encoding": "convert_cp932",
    "line_too_long": "send_again",
    "line_columns": "send_again",
    "kind_unknown": "ask_agency",
    "day_malformed": "send_again",
    "time_malformed": "send_again",
    "amount_malformed": "send_again",
    "barcode_prefix": "send_again",
    "code_malformed": "send_again",
    "slip_length": "send_again",
    "slip_check_digit": "ask_agency",
    "slip_application": "ask_agency",
    "slip_maker_code": "ask_agency",
    "slip_deadline": "ask_agency",
    "slip_stamp": "ask_agency",
    "slip_amount": "ask_agency",
    "amount_differs": "ask_agency",
    "stamp_differs": "ask_agency",
}
"""Reason → what whoever sent the file should do: ask the agency what it meant, fetch or send the
file once more because it was cut or changed on the way, or send it in its own encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """The verdict on one line: its notice, or the reason why it has none and the remedy.

    ``line_no`` counts from 1, header included.
    """

    line_no: int
    notice: SlipNotice | None = None
    reason: str = ""
    remedy: Remedy | None = None


def read_notices(parts: Iterable[bytes], agency: str, first_line: int = 1) -> Iterator[NoticeLine]:
    """A verdict for each line of a file, in order, as its bytes come; blank lines have none.

    A first line that begins with no kind is a header. Memory holds one line at a time. A later
    piece of a file says by ``first_line`` which of its lines it begins with.
    """
    for line_no, line in enumerate(_lines(parts), first_line):
        if not line.strip():
            continue
        try:
            cells = _cells(line)
            if line_no == 1 and not cells[0].strip().isdecimal():
                continue
            yield NoticeLine(line_no=line_no, notice=_read(cells, agency))
        except InvalidInput as fault:
            remedy = REMEDIES.get(fault.code)
            yield NoticeLine(line_no=line_no, reason=fault.code, remedy=remedy)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends; one that grows past all bounds is cut so that it can't fill memory.

    No byte of a longer cp932 character equals LF, so bytes are enough.
    """
    held = b""
    for part in parts:
        *whole, held = (held + part).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
        if len(held) > LINE_BYTES_MAX:
            held = held[: LINE_BYTES_MAX + 1]
    if held:
        yield held.removesuffix(b"\r")


def _cells(line: bytes) -> list[str]:
    if len(line) > LINE_BYTES_MAX:
        raise InvalidInput("line_too_long")
    try:
        text = line.decode("cp932")
        return next(csv.reader([text], strict=True))
    except UnicodeDecodeError as fault:
        raise InvalidInput("line_encoding") from fault
    except csv.Error as fault:
        raise InvalidInput("line_columns") from fault


def _read(cells: list[str], agency: str) -> SlipNotice:
    if len(cells) != COLUMNS:
        raise InvalidInput("line_columns", params={"columns": COLUMNS})
    kind = KINDS.get(cells[0])
    if kind is None:
        raise InvalidInput("kind_unknown")
    digits, number = _read_barcode(cells[3], kind)
    amount = _read_amount(cells[7])
    if amount != number.amount_minor:
        raise InvalidInput("amount_differs")
    if cells[6] != f"{number.needs_stamp:d}":
        raise InvalidInput("stamp_differs")
    _read_day(cells[12])
    return SlipNotice(
        agency=agency,
        kind=kind,
        digits=digits,
        received_on=_read_day(cells[1]),
        received_at=None if kind in POSTAL else _read_time(cells[2]),
        company_code=_read_code(cells[8]),
        store_code=_read_code(cells[10]),
        amount_minor=amount,
        paid_out_on=None if cells[11] == NO_DAY else _read_day(cells[11]),
    )


def _read_barcode(cell: str, kind: NoticeKind) -> tuple[str, SlipNumber]:
    """The digits and their fields.

    The post blots out the deadline; whether the last digit is then computed anew is not known, so
    its line is compared with the slip itself later.
    """
    digits = cell.removeprefix(PREFIX)
    if digits == cell:
        raise InvalidInput("barcode_prefix")
    return digits, read_fields(digits) if kind in POSTAL else parse(digits)


def _read_code(cell: str) -> str:
    """A company's or store's code, too short to be anything else; the post gives no store."""
    if len(cell) > CODE_CHARACTERS_MAX or not (not cell or (cell.isascii() and cell.isalnum())):
        raise InvalidInput("code_malformed", params={"max": CODE_CHARACTERS_MAX})
    return cell


def _read_amount(cell: str) -> int:
    if not (cell.isascii() and cell.isdecimal() and len(cell) <= 6):  # noqa: PLR2004  as in the number
        raise InvalidInput("amount_malformed")
    return int(cell)


def _read_day(cell: str) -> date:
    try:
        if not (len(cell) == 8 and cell.isascii() and cell.isdecimal()):  # noqa: PLR2004  as YYYYMMDD has
            raise InvalidInput("day_malformed")
        return date(int(cell[:4]), int(cell[4:6]), int(cell[6:]))
    except ValueError as fault:
        raise InvalidInput("day_malformed") from fault


def _read_time(cell: str) -> time:
    try:
        if not (len(cell) == 4 and cell.isascii() and cell.isdecimal()):  # noqa: PLR2004  as HHMM has
            raise InvalidInput("time_malformed")
        return time(int(cell[:2]), int(cell[2:]))
    except ValueError as fault:
        raise InvalidInput("time_malformed") from fault
