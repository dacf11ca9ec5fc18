"""What someone typed into the search box: which kinds of number it may be, likeliest first.

Zone: application. Pure. The vault compares exactly, by blind index, so the box has to say as what.
"""

import re
import unicodedata
from typing import Final, Literal

from portal.domain.contact import normalise_phone
from portal.domain.errors import InvalidInput

SearchField = Literal["NUMBER", "CUSTOMER_NO", "PHONE", "EMAIL", "CHECK_CODE"]

_CHECK_CODE: Final = re.compile(r"\d{4}-\d{2}")
_SIX_DIGITS: Final = re.compile(r"\d{6}")


def recognise(text: str) -> tuple[SearchField, ...]:
    """The fields to look in, in order; empty for an empty text."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return ()
    if "@" in plain:
        return ("EMAIL",)
    if _CHECK_CODE.fullmatch(plain):
        return ("CHECK_CODE", "NUMBER", "CUSTOMER_NO")
    if _looks_like_phone(plain):
        return ("PHONE", "NUMBER", "CUSTOMER_NO")
    if _SIX_DIGITS.fullmatch(plain):
        return ("NUMBER", "CUSTOMER_NO", "CHECK_CODE")
    return ("NUMBER", "CUSTOMER_NO")


def _looks_like_phone(text: str) -> bool:
    try:
        normalise_phone(text)
    except InvalidInput:
        return False
    return True
