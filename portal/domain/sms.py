"""Text messages: how many segments a text costs, and the words that carry a pay link. Pure.

A message proves itself by three facts that a forger lacks: the month, the exact amount and the
last four of the customer number. It names no payer. Whoever sends it and when is not decided here.
A merchant's own wording (portal.domain.template) takes the place of the built-in one where it fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from portal.domain.period import read_period
from portal.domain.template import SHORT_CHARACTERS, Template, fill, is_safe, parse

Encoding = Literal["gsm7", "ucs2", "utf8", "speech"]
"""How a message is written; ``utf8`` is that of channels that charge no parts, and what is read out
in a call is ``speech``."""

SEGMENTS_PREFERRED: Final = 2
"""134 UTF-16 units in Japanese: where the next price step of the carriers lies."""

UNITS_MAX: Final = 660
"""What all carriers deliver in one message. Source: carriers' announcement of September 2019."""

_GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
_ONE: Final[dict[Encoding, int]] = {"gsm7": 160, "ucs2": 70}
_PART: Final[dict[Encoding, int]] = {"gsm7": 153, "ucs2": 67}
_CP932_TWINS: Final = str.maketrans(
    {"𠮷": "吉", "𠮟": "叱", "—": "―", "−": "－", "‖": "∥", "¥": "￥", "•": "・"}  # noqa: RUF001  # twins
)


BUILT_IN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ja": (
            (
                "【{merchant}】{month}のご請求 {amount}(お客さま番号末尾{last4})"
                "を{due}までにお支払いください。\n{link}"
            ),
            "【{merchant}】{month}ご請求{amount} 番号末尾{last4} {due}期限\n{link}",
            "{merchant_short} {month}{amount} 末尾{last4}\n{link}",
        ),
        "ja-easy": (
            (
                "【{merchant}】{month}の お金は {amount}です。{due}までに 払って ください。"
                "お客さま番号の 最後の4つ {last4}\n{link}"
            ),
            "【{merchant}】{month}ご請求{amount} 番号末尾{last4} {due}期限\n{link}",
            "{merchant_short} {month}{amount} 末尾{last4}\n{link}",
        ),
        "en": (
            (
                "{merchant}: your bill for {month} is {amount} (customer no. ending {last4}). "
                "Please pay by {due}: {link}"
            ),
            "{merchant}: {month} bill {amount}, no. ending {last4}. Pay: {link}",
            "{merchant_short} {month} {amount} *{last4} {link}",
        ),
    }
)
"""The wording of a merchant without one of its own, by language, the fullest first."""

_BUILT_IN: Final = {
    language: tuple(parse(text) for text in texts) for language, texts in BUILT_IN.items()
}


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs.

    ``units`` are septets (gsm7), UTF-16 code units (ucs2), bytes (utf8) or, read out, seconds.
    """

    encoding: Encoding
    units: int
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillText:
    """The facts of one pay message, and the merchant's own wording for it, if it has one.

    ``own_subject`` is that of channels that have a subject or a title; it goes with ``own``.
    Units: yen; ``customer_hint`` is the number's last four. ``phone`` and ``website`` are the
    merchant's own, for a payer who doubts the message; one with no room for them leaves them out.
    ``stop_link`` is where a mail's reader stops further mail; text messages have none.
    """

    merchant_name: str
    period: str
    amount_minor: int
    customer_hint: str
    due_on: date
    link: str
    own: Template | None = None
    own_subject: Template | None = None
    phone: str = ""
    website: str = ""
    stop_link: str = ""


def measure(text: str) -> Size:
    """Segments of a text as carriers count them.

    Source: 3GPP TS 23.038 §6.2.1 (alphabet, extension table), TS 23.040 §9.2.3.24.1 (parts).
    """
    if all(letter in _GSM7 or letter in _GSM7_EXTENDED for letter in text):
        encoding: Encoding = "gsm7"
        units = len(text) + sum(letter in _GSM7_EXTENDED for letter in text)
    else:
        encoding = "ucs2"
        units = utf16_units(text)
    if units <= _ONE[encoding]:
        return Size(encoding, units, 1)
    return Size(encoding, units, -(-units // _PART[encoding]))


def utf16_units(text: str) -> int:
    """Length in UTF-16 code units: what lies outside the basic plane counts two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def for_cp932(text: str) -> str:
    """The text with every character that a Shift_JIS telephone lacks replaced by a near one.

    Source: one carrier takes short messages as Shift_JIS (cp932) only and breaks on the rest.
    """
    if _fits_cp932(text):
        return text
    return "".join(letter if _fits_cp932(letter) else _near(letter) for letter in text)


def _near(letter: str) -> str:
    twin = letter.translate(_CP932_TWINS)
    return twin if _fits_cp932(twin) else "〓"


def _fits_cp932(text: str) -> bool:
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def render_bill(language: str, bill: BillText) -> str:
    """The message that carries a link: Japanese (also in plain words) or English."""
    return compose(language, bill)[0]


def compose(language: str, bill: BillText) -> tuple[str, bool]:
    """The message that carries a link, and whether its wording is the merchant's own.

    The merchant's own where it fits this bill. Else the fullest built-in wording within
    SEGMENTS_PREFERRED, or the shortest; never past UNITS_MAX, because a long merchant name is cut,
    never the link. Japanese is encodable in cp932.
    """
    values = values_of(language, bill)
    own = None if bill.own is None else render_own(language, bill.own, values)
    if own is not None:
        return own, True
    text = ""
    for wording in _BUILT_IN.get(language, _BUILT_IN["ja"]):
        text = _dress(language, fill(wording, values))
        if measure(text).segments <= SEGMENTS_PREFERRED:
            break
    return text, False


def render_own(language: str, own: Template, values: Mapping[str, str]) -> str | None:
    """A merchant's own wording with these values; None where it would not do.

    That is: past UNITS_MAX, or what two values make of each other would be a link of its own.
    """
    text = _dress(language, fill(own, values))
    if utf16_units(text) > UNITS_MAX or not is_safe(text, values["link"]):
        return None
    return text


def fill_own(language: str, own: Template, bill: BillText) -> tuple[str, bool]:
    """The bill in a merchant's own wording as it is, and whether its only link is whole."""
    values = values_of(language, bill)
    text = _dress(language, fill(own, values))
    return text, is_safe(text, values["link"])


def values_of(language: str, bill: BillText) -> dict[str, str]:
    """Every variable of a template as the language writes it."""
    period = read_period(bill.period)
    if language == "en":
        month, amount = period.english, f"JPY {bill.amount_minor:,}"
        due = f"{bill.due_on:%d %b}".lstrip("0")
    else:
        month, amount = period.japanese, f"{bill.amount_minor:,}円"
        due = f"{bill.due_on.month}/{bill.due_on.day}"
    # Before anybody looks for addresses: a letter that a telephone lacks may hide where one begins.
    name = _dress(language, bill.merchant_name)
    return {
        "merchant": name,
        "merchant_short": name[:SHORT_CHARACTERS],
        "month": month,
        "amount": amount,
        "last4": bill.customer_hint,
        "due": due,
        "link": bill.link,
    }


def _dress(language: str, text: str) -> str:
    return text if language == "en" else for_cp932(text)
