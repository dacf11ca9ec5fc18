"""Text that could hold a card number, which no zone of ours may keep. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from portal.domain.errors import InvalidInput

SEPARATORS: Final = "\\s\\-./_\u2010-\u2015\u2212\u30fb\u30fc\u00b7\u2022"
"""What people put between groups of digits, as the inside of a character class: spaces, hyphens and
dashes (also the one of a Japanese keyboard), dots, slashes, underscores."""

_RUN: Final = re.compile(f"[0-9]+(?:[{SEPARATORS}]{{1,3}}[0-9]+)*")
_BETWEEN: Final = re.compile(f"[{SEPARATORS}]+")
_DATE: Final = re.compile(
    r"(?<![0-9])(?:19|20)[0-9]{2}"
    r"(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01]))(?![0-9])"
)
"""Two dates side by side, as in a period of use, would pass for a number one time in ten."""

_IDENTIFIER: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})"
    r")(?![0-9A-Za-z])",
    re.IGNORECASE,
)
"""UUIDs (RFC 9562 §4) and digests in hexadecimal. Nobody types a card's number in such a dress, and
of those that machines make one in a thousand or so would pass for one: an idempotency key that is
refused by chance."""

_SCHEMES: Final = "23456"
_DIGITS_MIN: Final = 13
_DIGITS_MAX: Final = 19


def refuse_card_number(*texts: str) -> None:
    """Refuse texts that must never be stored.

    Raises: InvalidInput ``card_number_refused`` when one of them looks like it holds a card number.
    """
    if any(looks_like_card_number(text) for text in texts):
        raise InvalidInput("card_number_refused")


def looks_like_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in it could be a card's number, whatever stands between them.

    Digits of any script count, and what no one can see between them doesn't. Dates, UUIDs and
    digests in hexadecimal are left out; a letter between digits ends a number. Source: ISO/IEC
    7812-1 (length, first digit of payment schemes, Luhn check digit).
    """
    # One character of another script may stand for two digits.
    if sum(map(str.isnumeric, text)) < (_DIGITS_MIN if text.isascii() else _DIGITS_MIN // 2):
        return False
    plain = _DATE.sub("x", _IDENTIFIER.sub("x", _in_plain_digits(text)))
    return any(
        digits[0] in _SCHEMES and _passes_luhn(digits)
        for run in _RUN.finditer(plain)
        for digits in _windows(_BETWEEN.split(run[0]))
    )


def _in_plain_digits(text: str) -> str:
    if text.isascii():
        return text
    seen = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in seen)


def _windows(groups: list[str]) -> Iterator[str]:
    """Neighbouring groups put together, where they are as long as a card number."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > _DIGITS_MAX:
                break
            if len(digits) >= _DIGITS_MIN:
                yield digits


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled // 10 + doubled % 10
    return total % 10 == 0
