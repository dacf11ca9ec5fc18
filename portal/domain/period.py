"""The period that a bill is for: a month, two months, or one day or month of a single bill. Pure.

Stored and compared in one canonical form, so that ``202611``, ``2026/11`` and the Japanese way of
writing a month are one period of the unique key.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from portal.domain.errors import InvalidInput

BillKind = Literal["monthly", "bimonthly", "once"]
BILL_KINDS: Final[frozenset[str]] = frozenset(get_args(BillKind))

YEARS: Final = range(2000, 2100)

_MONTH: Final = r"([0-9]{4})(?:[-/.年]?)(0?[1-9]|1[0-2])月?分?"
_ONE_MONTH: Final = re.compile(_MONTH)
_TWO_MONTHS: Final = re.compile(_MONTH + r"\s*[/~〜～]\s*" + _MONTH)  # noqa: RUF001  # as typed
_DAY: Final = re.compile(
    r"([0-9]{4})[-/.年]?(0[1-9]|1[0-2]|[1-9](?=[-/.月]))[-/.月]?(0?[1-9]|[12][0-9]|3[01])日?"
)
_CANONICAL: Final = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2})|/([0-9]{4})-([0-9]{2}))?")
_MONTHS_EN: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """One period: canonical text, and how messages name it."""

    text: str
    japanese: str
    english: str


def normalise_period(kind: str, text: str) -> str:
    """The canonical form: ``2026-11``, ``2026-10/2026-11`` (bimonthly), ``2026-11-15`` (once).

    A bimonthly bill named by one month is the two months that begin with it.

    Raises: InvalidInput ``period_malformed``.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    if kind == "once" and (day := _DAY.fullmatch(written)):
        return _day(day).isoformat()
    if kind == "bimonthly" and (two := _TWO_MONTHS.fullmatch(written)):
        first, second = _month(two[1], two[2]), _month(two[3], two[4])
        if second != _following(first):
            raise InvalidInput("period_malformed")
        return f"{first:%Y-%m}/{second:%Y-%m}"
    one = _ONE_MONTH.fullmatch(written)
    if one is None:
        raise InvalidInput("period_malformed")
    month = _month(one[1], one[2])
    if kind == "bimonthly":
        return f"{month:%Y-%m}/{_following(month):%Y-%m}"
    return f"{month:%Y-%m}"


def read_period(text: str) -> Period:
    """A period from its canonical form; any other text names itself."""
    found = _CANONICAL.fullmatch(text)
    if found is None:
        return Period(text, text, text)
    year, month, day, _, second = found.groups()
    japanese = f"{year}年{int(month)}月"
    english = f"{_MONTHS_EN[int(month) - 1]} {year}"
    if day:
        return Period(text, f"{japanese}{int(day)}日分", f"{int(day)} {english}")
    if second:
        both = f"{_MONTHS_EN[int(month) - 1]}-{_MONTHS_EN[int(second) - 1]} {year}"
        return Period(text, f"{japanese}・{int(second)}月分", both)
    return Period(text, f"{japanese}分", english)


def _month(year: str, month: str) -> date:
    if int(year) not in YEARS:
        raise InvalidInput("period_malformed")
    return date(int(year), int(month), 1)


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _day(found: re.Match[str]) -> date:
    if int(found[1]) not in YEARS:
        raise InvalidInput("period_malformed")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as fault:
        raise InvalidInput("period_malformed") from fault
