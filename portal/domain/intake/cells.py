"""Single cells of a billing request: amount, day, text, choice. Pure.

Each function gives the canonical value or raises InvalidInput with the code that becomes the
cell's fault. Full-width digits are read as digits everywhere; names keep their characters.
"""

import re
import unicodedata
from datetime import date
from typing import Final

from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput
from portal.domain.intake.card_like import is_brand_card_number

NUMBER_LENGTH_MAX: Final = 40
TEXT_LENGTH_MAX: Final = 60
AMOUNT_LENGTH_MAX: Final = 40
ADDRESS_LENGTH_MAX: Final = 120

LANGUAGES: Final[dict[str, str]] = {
    "": "ja", "ja": "ja", "ja-jp": "ja", "日本語": "ja", "jpn": "ja",
    "en": "en", "en-us": "en", "en-gb": "en", "eng": "en", "英語": "en", "english": "en",
    "ja-easy": "ja-easy", "やさしい日本語": "ja-easy",
}  # fmt: skip
"""What a merchant may write → the language of message and page."""

KINDS: Final[dict[str, str]] = {
    "": "monthly", "monthly": "monthly", "毎月": "monthly", "月次": "monthly",
    "bimonthly": "bimonthly", "隔月": "bimonthly", "2か月": "bimonthly", "2ヶ月": "bimonthly",
    "once": "once", "一回": "once", "都度": "once", "単発": "once",
}  # fmt: skip
"""What a merchant may write → the kind of period."""

CONSENT_SOURCES: Final[dict[str, str]] = {
    "": "file", "file": "file", "telephone": "telephone", "電話": "telephone", "letter": "letter",
    "書面": "letter", "郵送": "letter", "mail": "mail", "メール": "mail", "counter": "counter",
    "窓口": "counter", "contract": "contract", "契約": "contract", "契約書": "contract",
}  # fmt: skip
"""What a merchant may write → where a payer agreed to no paper; '' is the file itself."""

TAX_RATES: Final[dict[str, int]] = {"": 10, "10": 10, "10%": 10, "8": 8, "8%": 8, "0": 0, "0%": 0}
"""Rates of the consumption tax in force; '' is the standard rate. Source: Consumption Tax Act,
art. 29 and its supplementary provisions (reduced rate)."""

# U+F8F0 to U+F8F3 is what Python makes of bytes that cp932 does not define.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\uf8f0-\uf8f3\ufeff\ufffd-\uffff]"
)
_POSTAL: Final = re.compile(r"〒?\s*([0-9]{3})[-‐−ー－]?([0-9]{4})")  # noqa: RUF001  # as people type
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+")
_FRACTION: Final = re.compile(r"[0-9,]+\.[0-9]*|[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+")
_DAY: Final = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{2})([0-9]{2})"
    r"|年([0-9]{1,2})月([0-9]{1,2})日)"
)


def half_width(text: str) -> str:
    """Trimmed, with full-width letters and digits in half width."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.strip()


def check_control(text: str) -> None:
    """Refuse what no one can see: control, direction and zero-width characters.

    A line break inside quotes is text. Raises: InvalidInput ``control_character``.
    """
    if _CONTROL.search(text):
        raise InvalidInput("control_character")


def read_text(text: str) -> str:
    """Free text (a name, a label): kept as written, white space folded; '' stays ''.

    Raises: InvalidInput ``control_character``, ``text_too_long`` (param ``max``),
        ``card_number_refused``.
    """
    return read_line(text, TEXT_LENGTH_MAX)


def read_postal_code(text: str) -> str:
    """A Japanese postal code as ``123-4567``, however it is written.

    Raises: InvalidInput ``postal_malformed``.
    """
    found = _POSTAL.fullmatch(half_width(text))
    if found is None:
        raise InvalidInput("postal_malformed")
    return f"{found[1]}-{found[2]}"


def read_address(text: str) -> str:
    """A postal address in one line. Raises: as read_line does."""
    return read_line(text, ADDRESS_LENGTH_MAX)


def read_line(text: str, characters_max: int) -> str:
    """Free text in one line of a length of its own: kept as written, white space folded.

    Raises: InvalidInput ``control_character``, ``text_too_long`` (param ``max``),
        ``card_number_refused``.
    """
    check_control(text)
    folded = " ".join(text.split())
    if len(folded) > characters_max:
        raise InvalidInput("text_too_long", params={"max": characters_max})
    refuse_card_number(folded)
    return folded


def read_number(text: str) -> str:
    """A merchant's own number, as shown; '' stays ''.

    Raises: InvalidInput ``control_character``, ``text_too_long`` (param ``max``),
        ``card_number_refused``.
    """
    check_control(text)
    number = half_width(text)
    if len(number.splitlines()) > 1 or "\t" in number:
        raise InvalidInput("control_character")
    if len(number) > NUMBER_LENGTH_MAX:
        raise InvalidInput("text_too_long", params={"max": NUMBER_LENGTH_MAX})
    if is_brand_card_number(number):
        raise InvalidInput("card_number_refused")
    return number


def read_amount(text: str) -> int:
    """Whole yen, with or without ¥, 円 and grouping commas; may be negative.

    Raises: InvalidInput ``amount_not_whole``, ``amount_malformed``.
    """
    if len(text) > AMOUNT_LENGTH_MAX:  # Python refuses to read numbers of thousands of digits
        raise InvalidInput("amount_malformed")
    if text.isdecimal() and text.isascii():
        return int(text)
    written = half_width(text).removeprefix("¥").removesuffix("円").strip()
    sign = -1 if written[:1] in {"-", "−", "▲", "△"} else 1  # noqa: RUF001  # as accountants write
    digits = written if sign > 0 else written[1:].strip()
    if _GROUPED.fullmatch(digits):
        return sign * int(digits.replace(",", ""))
    raise InvalidInput("amount_not_whole" if _FRACTION.fullmatch(digits) else "amount_malformed")


def read_day(text: str) -> date:
    """A day: ``2026-12-10``, ``2026/12/10``, ``20261210`` or in Japanese.

    Raises: InvalidInput ``date_malformed``, ``date_impossible``.
    """
    found = _DAY.fullmatch(half_width(text))
    if found is None:
        raise InvalidInput("date_malformed")
    month = found[3] or found[5] or found[7]
    day = found[4] or found[6] or found[8]
    try:
        return date(int(found[1]), int(month), int(day))
    except ValueError as fault:
        raise InvalidInput("date_impossible") from fault
