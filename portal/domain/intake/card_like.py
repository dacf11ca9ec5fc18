"""Card numbers where a merchant's own numbers stand, and how a fault shows long numbers. Pure.

In free text anything that portal.domain.card_number recognises is refused. Customer, contract and
bill numbers pass a check digit by chance one time in ten, so there only what also begins and
measures like a card brand's number counts.
"""

import re
from typing import Final

from portal.domain.card_number import SEPARATORS, looks_like_card_number

_DIGITS_MIN: Final = 13
_NEXT: Final = f"[{SEPARATORS}]{{0,3}}"
_RUN: Final = re.compile(rf"(?<!\d)\d(?:{_NEXT}\d){{12,18}}(?!\d)")
_LONG: Final = re.compile(rf"(?<!\d)\d(?:{_NEXT}\d){{12,}}")
_SEPARATORS: Final = re.compile(f"[{SEPARATORS}]")
_BRAND: Final = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}"  # Visa: 13, 16, 19
    r"|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"  # Diners Club
    r"|6(?:011|5[0-9]{2})[0-9]{12}"  # Discover
)


def is_brand_card_number(number: str) -> bool:
    """Whether a merchant's own number, in half width, holds a card number of a real brand."""
    if len(number) < _DIGITS_MIN:
        return False
    return any(
        _BRAND.fullmatch(digits) is not None and looks_like_card_number(digits)
        for run in _RUN.finditer(number)
        if (digits := _SEPARATORS.sub("", run[0]))
    )


def mask_long_numbers(text: str) -> str:
    """The text with every run of 13 digits or more hidden but for its last four."""
    return _LONG.sub(lambda run: "*" * (len(run[0]) - 4) + run[0][-4:], text)
