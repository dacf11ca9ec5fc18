"""Calls in a merchant's own words: who calls, and what its payer is told. Pure.

Only these two are theirs. Which keys there are, the question for the digits and every other prompt
stay ours (portal.domain.call_words), so no wording takes a key or the proof away. What anyone hears
who picks up is filled from the merchant's name alone: of the bill it is given nothing to say.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from portal.domain.call import Call
from portal.domain.call_words import CallFacts, OwnSaid, call_values, speak
from portal.domain.mail import one_line
from portal.domain.sms import BillText
from portal.domain.template import Template, as_words, find_addresses

GREETING_NAMES: Final = ("merchant", "merchant_short")
"""What the greeting may name: anyone may have picked up."""

FACTS_NAMES: Final = ("merchant", "merchant_short", "month", "amount", "due")

GREETING_CHARACTERS_MAX: Final = 300
FACTS_CHARACTERS_MAX: Final = 700
"""Of a filled text. Five characters are what an escaped one takes at most, and one verb takes 4,096
at Twilio. Source: Twilio, "TwiML Voice: <Say>"."""

_ANY_MONTH: Final = "2026-11"
_HEARD_MS: Final[Mapping[str, int]] = {"。": 500, ".": 500, "?": 500, "!": 500, "、": 300, ",": 300}
_KANJI_MS: Final = 270
_KANA_MS: Final = 150
_DIGIT_MS: Final = 350
_LETTER_MS: Final = 70


def own_said(
    language: str, greeting: Template, facts: Template, values: CallFacts
) -> tuple[OwnSaid, bool] | None:
    """Both texts with a bill's values, and whether a call may say them.

    It may not where one is empty or too long, where values make an address, or where the greeting
    would name more than its merchant. None: they can't be filled.
    """
    for template, known in ((greeting, GREETING_NAMES), (facts, FACTS_NAMES)):
        if template.strays or not set(template.names()) <= set(known):
            return None
    named = call_values(language, values)
    opened = one_line(_filled(greeting, named))
    told = tuple(
        line for line in (one_line(part) for part in _filled(facts, named).split("\n")) if line
    )
    is_fit = (
        0 < len(opened) <= GREETING_CHARACTERS_MAX
        and 0 < sum(map(len, told)) <= FACTS_CHARACTERS_MAX
        and not find_addresses("\n".join((opened, *told)))
    )
    return OwnSaid(greeting=opened, facts=told), is_fit


def said_to(language: str, bill: BillText) -> tuple[OwnSaid, bool] | None:
    """See :func:`own_said`; None as well where the merchant has no words of its own."""
    if bill.own is None or bill.own_subject is None:
        return None
    return own_said(language, bill.own_subject, bill.own, facts_of(bill))


def facts_of(bill: BillText) -> CallFacts:
    """Of a bill's message what a call may say."""
    return CallFacts(
        merchant_name=bill.merchant_name,
        phone=bill.phone,
        period=bill.period,
        amount_minor=bill.amount_minor,
        due_on=bill.due_on,
    )


def scenes(
    language: str, values: CallFacts, own: OwnSaid | None
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What is heard by whoever picks up, what asks for the digits, what is heard after them.

    The keys stand last, in a line of their own.
    """
    return (
        speak(language, Call(), values, own),
        speak(language, Call(stage="identity", saying="identity"), values),
        speak(language, Call(stage="menu", saying="facts"), values, own),
    )


def one_way(opened: str, told: str) -> str:
    """Two scenes without our keys, a sentence a line: what is said where nobody can press one."""
    return "\n".join(opened.split("\n")[:-1] + told.split("\n")[:-1])


def asked_in_call(language: str) -> str:
    """What a call asks between the two: for the digits that prove its payer. Ours in any case."""
    facts = CallFacts(
        merchant_name="", phone="", period=_ANY_MONTH, amount_minor=0, due_on=date.max
    )
    return speak(language, Call(stage="identity", saying="identity"), facts)[0]


def seconds_of(text: str) -> int:
    """About how long a machine takes to read a text out. Units: seconds, a begun one counts.

    Reckoned with seven morae a second, two to a kanji, and 150 English words a minute; a figure is
    two or three morae. A rough figure: each company's voice has a pace of its own.
    """
    return -(-sum(map(_heard_ms, unicodedata.normalize("NFKC", text))) // 1_000)


def _heard_ms(letter: str) -> int:
    if letter in _HEARD_MS:
        return _HEARD_MS[letter]
    if letter.isdecimal():
        return _DIGIT_MS
    if not letter.isalpha():
        return 0
    if letter < "\u3000":
        return _LETTER_MS
    return _KANA_MS if letter < "\u3100" else _KANJI_MS


def _filled(template: Template, values: Mapping[str, str]) -> str:
    return "".join(
        as_words(values[piece.text]) if piece.is_variable else piece.text
        for piece in template.pieces
    )
