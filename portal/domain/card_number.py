"""Text that could hold a card number, which no zone of ours may keep. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from portal.domain.errors import InvalidInput

_RUN: Final = re.compile(r"[0-9]+(?:[ \-][0-9]+)*")
"""Groups of digits with a space or a hyphen between them."""

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
    """Whether 13 to 19 digits in it, full-width or grouped ones too, could be a card's number.

    Source: ISO/IEC 7812-1 (length, first digit of payment schemes, Luhn check digit).
    """
    if len(text) < _DIGITS_MIN:
        return False
    plain = unicodedata.normalize("NFKC", text)
    return any(
        digits[0] in _SCHEMES and _passes_luhn(digits)
        for run in _RUN.finditer(plain)
        for digits in _windows(re.split(r"[ \-]", run[0]))
    )


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
