"""Text messages: how many segments a text costs, and the words that carry a pay link. Pure.

A message proves itself by three facts that a forger lacks: the month, the exact amount and the
last four of the customer number. It names no payer. Whoever sends it and when is not decided here.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from portal.domain.period import read_period

Encoding = Literal["gsm7", "ucs2"]

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


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs: ``units`` are septets (gsm7) or UTF-16 code units (ucs2)."""

    encoding: Encoding
    units: int
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillText:
    """The facts of one pay message. Units: yen; ``customer_hint`` is the number's last four.

    ``phone`` and ``website`` are the merchant's own, for a payer who doubts the message; a message
    with no room for them leaves them out.
    """

    merchant_name: str
    period: str
    amount_minor: int
    customer_hint: str
    due_on: date
    link: str
    phone: str = ""
    website: str = ""


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
    """The message that carries a link: Japanese (also in plain words) or English.

    The fullest wording within SEGMENTS_PREFERRED, else the shortest; never past UNITS_MAX, because
    a long merchant name is cut, never the link. Japanese is encodable in cp932.
    """
    if language == "en":
        wordings = _english(bill)
    else:
        plain = language == "ja-easy"
        wordings = tuple(for_cp932(text) for text in _japanese(bill, plain=plain))
    for text in wordings:
        if measure(text).segments <= SEGMENTS_PREFERRED:
            return text
    return wordings[-1]


def _japanese(bill: BillText, *, plain: bool) -> tuple[str, ...]:
    month = read_period(bill.period).japanese
    amount = f"{bill.amount_minor:,}円"
    due = f"{bill.due_on.month}/{bill.due_on.day}"
    name = bill.merchant_name
    if plain:
        full = (
            f"【{name}】{month}の お金は {amount}です。{due}までに 払って ください。"
            f"お客さま番号の 最後の4つ {bill.customer_hint}\n{bill.link}"
        )
    else:
        full = (
            f"【{name}】{month}のご請求 {amount}(お客さま番号末尾{bill.customer_hint})"
            f"を{due}までにお支払いください。\n{bill.link}"
        )
    shorter = f"【{name}】{month}ご請求{amount} 番号末尾{bill.customer_hint} {due}期限\n{bill.link}"
    shortest = f"{name[:20]} {month}{amount} 末尾{bill.customer_hint}\n{bill.link}"
    return full, shorter, shortest


def _english(bill: BillText) -> tuple[str, ...]:
    month = read_period(bill.period).english
    amount = f"JPY {bill.amount_minor:,}"
    due = f"{bill.due_on:%d %b}".lstrip("0")
    name = bill.merchant_name
    full = (
        f"{name}: your bill for {month} is {amount} (customer no. ending {bill.customer_hint}). "
        f"Please pay by {due}: {bill.link}"
    )
    shorter = f"{name}: {month} bill {amount}, no. ending {bill.customer_hint}. Pay: {bill.link}"
    shortest = f"{name[:20]} {month} {amount} *{bill.customer_hint} {bill.link}"
    return full, shorter, shortest
