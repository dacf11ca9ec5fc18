"""Ways to reach and to recognise a payer: canonical forms, hints, check codes. Pure.

Every value that is searched for or compared passes through here first, so that full-width digits,
``090-1234-5678`` and ``+81 90 1234 5678`` are one telephone. Nothing here stores anything.
"""

import re
import unicodedata
from typing import Final

from portal.domain.errors import InvalidInput

MOBILE_PREFIXES: Final = ("070", "080", "090")
"""Numbers that an SMS reaches. 050 and landlines don't take one, but can be called.

Source: MIC numbering plan (Telecommunications Numbers Regulations); configuration would only let
a merchant pay for messages that arrive nowhere.
"""

_NOBODYS: Final = ("0120", "0570", "0170", "0180", "0990")
"""Numbers of services, which are no payer's. Source: the same plan."""

EMAIL_LENGTH_MAX: Final = 254
CUSTOMER_NO_LENGTH_MAX: Final = 40
KANA_LENGTH_MAX: Final = 20
"""Letters of a reading that a store's terminal takes: 40 bytes in Windows-31J."""

CHECK_CODES: Final = 1_000_000
"""How many check codes there are: six digits, written 4821-77."""

_MOBILE_DIGITS: Final = 11
_LANDLINE_DIGITS: Final = 10
_IP_PREFIX: Final = "050"
_MOBILE_E164: Final = tuple(f"+81{prefix[1:]}" for prefix in MOBILE_PREFIXES)
_HYPHENS: Final = "-‐‑‒–—―−ー－ｰ"  # noqa: RUF001  # the dashes that people type
_IGNORED: Final = str.maketrans("", "", _HYPHENS + " \u3000.()（）\t")  # noqa: RUF001  # as typed
_PHONE_CHARACTERS: Final = re.compile(r"\+?[0-9]+")
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_DIGITS: Final = re.compile(r"[0-9]+")
_KANA: Final = re.compile(r"[ァ-ヶー・\u3000]*[ァ-ヶ][ァ-ヶー・\u3000]*")
_TO_KATAKANA: Final = ord("ァ") - ord("ぁ")


def normalise_phone(text: str) -> str:
    """A Japanese telephone number as E.164, e.g. ``+819012345678`` or ``+81312345678``.

    Mobile, 050 and landline: whoever can be called. Full width, hyphens, spaces, brackets, ``+81``
    with or without ``(0)`` are understood.

    Raises: InvalidInput ``phone_characters``, ``phone_zero_lost`` (a spreadsheet ate the leading
        0), ``phone_length`` (param ``digits``), ``phone_prefix`` (no payer has such a number).
    """
    compact = unicodedata.normalize("NFKC", text).translate(_IGNORED)
    if not _PHONE_CHARACTERS.fullmatch(compact):
        raise InvalidInput("phone_characters")
    national = _national(compact)
    if len(national) == _MOBILE_DIGITS - 1 and "0" + national[:2] in MOBILE_PREFIXES:
        raise InvalidInput("phone_zero_lost")
    if national.startswith(MOBILE_PREFIXES):
        if len(national) != _MOBILE_DIGITS:
            raise InvalidInput("phone_length", params={"digits": len(national)})
        return "+81" + national[1:]
    if not _LANDLINE_DIGITS <= len(national) <= _MOBILE_DIGITS:
        raise InvalidInput("phone_length", params={"digits": len(national)})
    is_ip = national.startswith(_IP_PREFIX) and len(national) == _MOBILE_DIGITS
    if not is_ip and not _is_landline(national):
        raise InvalidInput("phone_prefix")
    return "+81" + national[1:]


def _is_landline(national: str) -> bool:
    """Whether a number of ten digits has an area's code and is no service's."""
    is_area = national[0] == "0" and national[1] != "0" and not national.startswith(_NOBODYS)
    return is_area and len(national) == _LANDLINE_DIGITS


def normalise_mobile(text: str) -> str:
    """A number that takes text messages, as E.164.

    Raises: as :func:`normalise_phone`; ``phone_no_sms`` for one that can only be called.
    """
    phone = normalise_phone(text)
    if not takes_sms(phone):
        raise InvalidInput("phone_no_sms")
    return phone


def takes_sms(phone: str) -> bool:
    """Whether text messages reach a number in its canonical form; any can be called."""
    return phone.startswith(_MOBILE_E164)


def _national(compact: str) -> str:
    """Digits with the trunk 0, from a number that may begin with the country."""
    if compact.startswith("+81"):
        return "0" + compact[3:].removeprefix("0")
    if compact.startswith("+"):
        raise InvalidInput("phone_prefix")
    if compact.startswith("81") and len(compact) == _MOBILE_DIGITS + 1:
        return "0" + compact[2:]
    return compact


def normalise_email(text: str) -> str:
    """A mail address in lower case and half width.

    Dots in a row or before the @ are taken: carriers gave out such addresses for years.

    Raises: InvalidInput ``email_malformed``, ``text_too_long`` (param ``max``).
    """
    address = unicodedata.normalize("NFKC", text).strip().lower()
    if len(address) > EMAIL_LENGTH_MAX:
        raise InvalidInput("text_too_long", params={"max": EMAIL_LENGTH_MAX})
    if not _EMAIL.fullmatch(address):
        raise InvalidInput("email_malformed")
    return address


def normalise_customer_no(text: str) -> str:
    """A merchant's number for a payer or a contract: half width, upper case, without separators.

    Raises: InvalidInput ``empty``, ``text_too_long`` (param ``max``).
    """
    number = unicodedata.normalize("NFKC", text).translate(_IGNORED).upper()
    if not number:
        raise InvalidInput("empty")
    if len(number) > CUSTOMER_NO_LENGTH_MAX:
        raise InvalidInput("text_too_long", params={"max": CUSTOMER_NO_LENGTH_MAX})
    return number


def normalise_kana(text: str) -> str:
    """The reading of a name in full-width katakana, its parts apart: ``タカハシ　ハナ``.

    Half width and hiragana are understood; it is never made out of the name.

    Raises: InvalidInput ``kana_malformed``, ``text_too_long`` (param ``max``).
    """
    letters = [chr(ord(letter) + _TO_KATAKANA) if "ぁ" <= letter <= "ゖ" else letter
               for letter in unicodedata.normalize("NFKC", text)]  # fmt: skip
    reading = "\u3000".join("".join(letters).split())
    if not _KANA.fullmatch(reading):
        raise InvalidInput("kana_malformed")
    if len(reading) > KANA_LENGTH_MAX:
        raise InvalidInput("text_too_long", params={"max": KANA_LENGTH_MAX})
    return reading


def normalise_number(text: str) -> str:
    """A bill's number as it is stored and searched: half width, trimmed; case is kept."""
    return unicodedata.normalize("NFKC", text).strip()


def phone_hint(phone: str) -> str:
    """``090-****-1234`` for ``+819012341234``, ``03-****-1234`` for a landline; empty for none."""
    return f"0{phone[3:-8]}-****-{phone[-4:]}" if phone else ""


def email_hint(email: str) -> str:
    """``t***@example.jp``; empty for no address."""
    name, at, host = email.partition("@")
    return f"{name[:1]}***@{host}" if at else ""


def customer_hint(customer_no: str) -> str:
    """The last four characters of a customer number in its canonical form."""
    return normalise_customer_no(customer_no)[-4:] if customer_no else ""


def check_code_of(blind: bytes) -> int:
    """Six digits from a keyed hash of the bill's id: no one outside the vault can compute them.

    Two bills may share a code; the call centre sees both and asks for the name.
    """
    return int.from_bytes(blind[:8], "big") % CHECK_CODES


def write_check_code(code: int) -> str:
    """As people read it out: ``4821-77``."""
    return f"{code // 100:04d}-{code % 100:02d}"


def read_check_code(text: str) -> int:
    """The code that someone typed, in any width, with or without the hyphen.

    Raises: InvalidInput ``check_code_malformed``.
    """
    digits = unicodedata.normalize("NFKC", text).translate(_IGNORED)
    if len(digits) != 6 or not _DIGITS.fullmatch(digits):  # noqa: PLR2004  # the code's length
        raise InvalidInput("check_code_malformed")
    return int(digits)
