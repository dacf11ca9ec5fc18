"""The four records of a debit file and the places of their fields. Pure.

N fields are digits, right-aligned with zeros; C fields are letters, left-aligned with spaces. One
pattern checks a whole record; only a record that breaks it is looked at field by field.
"""

import re
from datetime import date
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.zengin.kana import LETTERS, is_kana

RECORD_BYTES: Final = 120
LINES_MAX: Final = 999_999
"""Six digits count the lines."""

TOTAL_MAX: Final = 999_999_999_999
AMOUNT_MAX: Final = 9_999_999_999

KIND: Final = "91"
"""種別 of a file of debits."""

TRANSFERS: Final = "21"
"""種別 of a file of transfers (総合振込)."""

JIS: Final = "0"
_NUMBER_DIGITS: Final = 20


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a bank: ``kind`` 1 ordinary, 2 current, 3 tax savings, 9 other."""

    bank_code: str
    branch_code: str
    kind: str
    number: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Who collects (委託者), when, at which bank; the record has a month and a day but no year.

    ``account``: the collector's, which only one variant of the record has; None in the other.
    ``kind``: KIND, or TRANSFERS, whose header has the same places: who transfers, and from where.
    """

    collector_code: str
    collector_name: str
    month: int
    day: int
    bank_code: str
    branch_code: str
    bank_name: str = ""
    branch_name: str = ""
    account: Account | None = None
    kind: str = KIND


class DebitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One debit. Units: yen.

    ``instruction_no``: our own number of this debit and of no other, up to 20 digits; banks give it
    back. ``newness``: 1 first debit, 2 account changed, 0 neither. ``result``: the bank's code, "0"
    in a request.
    """

    account: Account
    payer_name: str
    amount_minor: int
    instruction_no: str
    newness: str = "0"
    result: str = "0"
    bank_name: str = ""
    branch_name: str = ""


class Trailer(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and sums of a file; what was debited and what was not is 0 in a request."""

    count: int
    total_minor: int
    done_count: int = 0
    done_minor: int = 0
    failed_count: int = 0
    failed_minor: int = 0


class End(msgspec.Struct, frozen=True):
    """Nothing follows."""


Record = Header | DebitLine | Trailer | End


class FileForm(msgspec.Struct, frozen=True, kw_only=True):
    """How a bank or agency wants its files: data of a contract, none of it a truth of ours.

    ``separator``: nothing or CR LF after each record. ``has_account``: the header names the
    collector's account. ``has_blank_result``: a request has a space where others want 0.
    ``lines_max``: its own limit. ``more_letters``: what it takes beyond kana.LETTERS.
    """

    separator: Literal["", "\r\n"] = "\r\n"
    has_account: bool = True
    has_blank_result: bool = False
    lines_max: int = LINES_MAX
    more_letters: str = ""


_C: Final = f"[{re.escape(LETTERS)}]"
_DEBIT: Final = re.compile(
    rf"2\d{{4}}{_C}{{15}}\d{{3}}{_C}{{15}} {{4}}[1239]\d{{7}}{_C}{{30}}"
    r"\d{10}[012]\d{20}[0 ] {8}",
    re.ASCII,
)


def write_header(header: Header, form: FileForm) -> str:
    """The first record.

    Raises: InvalidInput ``zengin_field`` (param ``field``).
    """
    account = header.account
    last = f"{account.kind}{account.number}{'':17}" if form.has_account and account else f"{'':25}"
    check_field(form.has_account == bool(account), "account")
    check_field(is_digits(header.collector_code, 10), "collector_code")
    check_field(_is_day(header.month, header.day), "debit_on")
    check_field(is_digits(header.bank_code, 4), "bank_code")
    check_field(is_digits(header.branch_code, 3), "branch_code")
    check_text(header.collector_name, 40, form, "collector_name")
    check_text(header.bank_name, 15, form, "bank_name")
    check_text(header.branch_name, 15, form, "branch_name")
    if account:
        _check_account(account)
    return (
        f"1{header.kind}{JIS}{header.collector_code}{header.collector_name:40}"
        f"{header.month:02d}{header.day:02d}{header.bank_code}{header.bank_name:15}"
        f"{header.branch_code}{header.branch_name:15}{last}"
    )


def write_debit(line: DebitLine, form: FileForm) -> str:
    """The record of one debit of a request.

    Raises: InvalidInput ``zengin_field`` (param ``field``).
    """
    account = line.account
    written = (
        f"2{account.bank_code}{line.bank_name:15}{account.branch_code}{line.branch_name:15}    "
        f"{account.kind}{account.number}{line.payer_name:30}{line.amount_minor:010d}{line.newness}"
        f"{line.instruction_no:0>20}{' ' if form.has_blank_result else '0'}        "
    )
    # All the other fields are padded, so these and the whole length leave none room to be longer.
    sizes = map(len, (account.bank_code, account.branch_code, account.kind, account.number))
    has_form = tuple(sizes) == (4, 3, 1, 7) and _DEBIT.fullmatch(written)
    if not (has_form and line.amount_minor and line.payer_name and line.instruction_no):
        _check_debit(line, form)
    return written


def write_trailer(trailer: Trailer) -> str:
    """The record of counts and sums.

    Raises: InvalidInput ``zengin_total`` when they don't fit their places.
    """
    if trailer.count > LINES_MAX or trailer.total_minor > TOTAL_MAX:
        raise InvalidInput("zengin_total", params={"max": TOTAL_MAX})
    return (
        f"8{trailer.count:06d}{trailer.total_minor:012d}{trailer.done_count:06d}"
        f"{trailer.done_minor:012d}{trailer.failed_count:06d}{trailer.failed_minor:012d}{'':65}"
    )


END: Final = f"9{'':119}"


def infer_date(month: int, day: int, near: date) -> date:
    """The date of a month and day without year: the one nearest to ``near``.

    A file of late December for January, and a result of January about December, are both right.

    Raises: InvalidInput ``date_impossible`` for a day that none of the three years has.
    """
    around = [_date(near.year + shift, month, day) for shift in (-1, 0, 1)]
    days = [candidate for candidate in around if candidate]
    if not days:
        raise InvalidInput("date_impossible")
    return min(days, key=lambda candidate: abs(candidate - near))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_day(month: int, day: int) -> bool:
    return _date(2000, month, day) is not None  # a leap year: 29 February is a day


def is_digits(text: str, count: int) -> bool:
    """Whether a text is so many digits."""
    return len(text) == count and text.isascii() and text.isdecimal()


def check_field(is_good: bool, field: str) -> None:  # noqa: FBT001  the rule reads as a sentence
    """Raises: InvalidInput ``zengin_field`` (param ``field``) for one that is not good."""
    if not is_good:
        raise InvalidInput("zengin_field", params={"field": field})


def check_text(text: str, length: int, form: FileForm, field: str) -> None:
    """Raises: InvalidInput ``zengin_field`` for a text that a C field of this length can't hold."""
    check_field(len(text) <= length and is_kana(text, form.more_letters), field)


def _check_account(account: Account) -> None:
    check_field(is_digits(account.bank_code, 4), "bank_code")
    check_field(is_digits(account.branch_code, 3), "branch_code")
    check_field(account.kind in {"1", "2", "3", "9"}, "account_kind")
    check_field(is_digits(account.number, 7), "account_number")


def _check_debit(line: DebitLine, form: FileForm) -> None:
    """Say which field is wrong; none is when only a bank's further letters broke the pattern."""
    _check_account(line.account)
    check_text(line.bank_name, 15, form, "bank_name")
    check_text(line.branch_name, 15, form, "branch_name")
    check_text(line.payer_name, 30, form, "payer_name")
    check_field(bool(line.payer_name.strip()), "payer_name")
    check_field(1 <= line.amount_minor <= AMOUNT_MAX, "amount")
    check_field(line.newness in {"0", "1", "2"}, "newness")
    number = line.instruction_no
    check_field(is_digits(number, len(number)) and len(number) <= _NUMBER_DIGITS, "instruction_no")
