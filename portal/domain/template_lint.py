"""What is wrong with the wording of a message, found while it is typed. Pure.

A finding is a code with its place in the text. An error keeps a text from being stored and
approved; a warning is shown to whoever writes and whoever approves, and they decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from portal.domain.card_number import looks_like_card_number
from portal.domain.sms import (
    SEGMENTS_PREFERRED,
    UNITS_MAX,
    BillText,
    Size,
    for_cp932,
    measure,
    render_own,
    utf16_units,
    values_of,
)
from portal.domain.template import (
    FACTS,
    MERCHANTS,
    Occasion,
    Piece,
    Template,
    TemplateLanguage,
    fill,
    find_addresses,
    fold,
    is_hidden,
    parse,
    stands_alone,
    tidy,
)
from portal.domain.template_words import SELLING, SHORTENERS, THREAT, URGENT

if TYPE_CHECKING:
    import re

Severity = Literal["error", "warning"]
FindingCode = Literal[
    "text_missing", "brace_stray", "variable_unknown", "payer_named", "link_missing",
    "link_repeated", "link_joined", "merchant_missing", "fact_missing", "due_missing",
    "address_foreign", "shortener", "card_number", "letter_hidden", "emoji", "letter_lost",
    "letter_replaced", "letter_not_gsm7", "units_over", "segments_many", "urgent_words",
    "threat_first", "threat", "selling_words", "unsafe_values",
]  # fmt: skip

SEVERITY: Final[dict[FindingCode, Severity]] = {
    "text_missing": "error",
    "brace_stray": "error",
    "variable_unknown": "error",
    "payer_named": "error",
    "link_missing": "error",
    "link_repeated": "error",
    "link_joined": "error",
    "merchant_missing": "error",
    "fact_missing": "error",
    "due_missing": "warning",
    "address_foreign": "error",
    "shortener": "error",
    "card_number": "error",
    "letter_hidden": "error",
    "emoji": "error",
    "letter_lost": "error",
    "letter_replaced": "warning",
    "letter_not_gsm7": "warning",
    "units_over": "error",
    "segments_many": "warning",
    "urgent_words": "warning",
    "threat_first": "error",
    "threat": "warning",
    "selling_words": "warning",
    "unsafe_values": "error",
}
"""Each finding's weight."""

BODY_CHARACTERS_MAX: Final = 700
"""Of a template's text, its variables' names included."""
FINDINGS_MAX: Final = 30
STEPS: Final = 10
"""Price steps of the carriers: parts of a message."""

_PAYER: Final = frozenset({"payer", "payer_name", "name", "customer", "customer_name", "phone"})
_EMOJI_FROM: Final = "\U0001f000"
_EMOJI_TO: Final = "\U00020000"
_EMOJI_SIGNS: Final = frozenset("\u20e3\ufe0f")
_TYPICAL: Final = ("2026-11", 8_420, date(2026, 12, 1))
_LONGEST: Final = ("2026-11/2026-12", 99_999_999, date(2026, 12, 31))
_NAMED_MAX: Final = 24


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, from ``start`` to ``end`` of the text; both 0: with all of it."""

    code: FindingCode
    start: int = 0
    end: int = 0
    params: dict[str, str | int] = field(default_factory=dict[str, str | int])

    @property
    def severity(self) -> Severity:
        """Its weight."""
        return SEVERITY[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text to look at, of a merchant by this name; ``link`` is as long as its links are."""

    language: TemplateLanguage
    occasion: Occasion
    body: str
    merchant_name: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found, and how the text comes out.

    ``sample`` is the text of an ordinary bill, of ``size``, or empty where it can't be filled;
    ``longest`` is what a long amount and two months make of it.
    """

    findings: tuple[Finding, ...]
    sample: str
    size: Size
    longest: Size

    @property
    def is_fit(self) -> bool:
        """Whether it may be stored and approved."""
        return all(finding.severity != "error" for finding in self.findings)


def price_of(prices: tuple[int, ...], segments: int) -> int | None:
    """What a message of so many parts costs; None where the table doesn't say.

    Units: hundredths of a yen; ``prices`` has one for each step, the first for one part.
    """
    return prices[segments - 1] if 0 < segments <= len(prices) else None


def check(draft: Draft) -> Checked:
    """All that is wrong with a text, errors first, then by place; FINDINGS_MAX at most."""
    template = parse(draft.body)
    found = [*_of_variables(draft, template), *_of_words(draft, template)]
    sample = ""
    size = longest = measure("")
    if not template.strays and draft.body:
        sent = parse(tidy(draft.body))
        sample, size = _fill(draft, sent, *_TYPICAL)
        longest_text, longest = _fill(draft, sent, *_LONGEST)
        found += _of_size(longest_text, longest)
        if all(one.severity != "error" for one in found) and not _is_safe(draft, sent):
            found.append(Finding("unsafe_values"))
    found.sort(key=lambda one: (one.severity != "error", one.start, one.code))
    return Checked(findings=tuple(found[:FINDINGS_MAX]), sample=sample, size=size, longest=longest)


def _fill(
    draft: Draft, template: Template, period: str, amount_minor: int, due_on: date
) -> tuple[str, Size]:
    values = values_of(draft.language, _bill(draft, period, amount_minor, due_on))
    text = fill(template, values)
    text = text if draft.language == "en" else for_cp932(text)
    return text, measure(text)


def _bill(draft: Draft, period: str, amount_minor: int, due_on: date) -> BillText:
    return BillText(
        merchant_name=draft.merchant_name,
        period=period,
        amount_minor=amount_minor,
        customer_hint="4821",
        due_on=due_on,
        link=draft.link,
    )


def _of_variables(draft: Draft, template: Template) -> Iterator[Finding]:
    """Whether the three facts, the merchant and one link stand there, and nothing else."""
    if not draft.body.strip():
        yield Finding("text_missing")
        return
    for stray in template.strays:
        if not stray.name:
            yield Finding("brace_stray", stray.start, stray.end)
        else:
            code = "payer_named" if stray.name.lower() in _PAYER else "variable_unknown"
            yield Finding(code, stray.start, stray.end, {"name": stray.name})
    names = template.names()
    for fact in FACTS:
        if fact not in names:
            yield Finding("fact_missing", params={"fact": fact})
    if "due" not in names and draft.occasion == "first":
        yield Finding("due_missing")
    if not any(name in names for name in MERCHANTS) and draft.merchant_name not in draft.body:
        yield Finding("merchant_missing")
    yield from _of_link(draft, template)


def _of_link(draft: Draft, template: Template) -> Iterator[Finding]:
    links = [piece for piece in template.pieces if piece.is_variable and piece.text == "link"]
    if not links:
        yield Finding("link_missing")
    for piece in links[1:]:
        yield Finding("link_repeated", piece.start, piece.end)
    for piece in links[:1]:
        before, after = draft.body[: piece.start], draft.body[piece.end :]
        if not stands_alone(before.removesuffix("}") + "x" * before.endswith("}"), after):
            yield Finding("link_joined", piece.start, piece.end)


def _of_words(draft: Draft, template: Template) -> Iterator[Finding]:
    """What the words themselves say."""
    for piece in template.pieces:
        if not piece.is_variable:
            yield from _of_piece(draft, piece)
    if looks_like_card_number(draft.body):
        yield Finding("card_number")
    folded, places = fold(draft.body)
    threat: FindingCode = "threat_first" if draft.occasion == "first" else "threat"
    lists: tuple[tuple[FindingCode, re.Pattern[str]], ...] = (
        ("urgent_words", URGENT), (threat, THREAT), ("selling_words", SELLING)
    )  # fmt: skip
    for code, words in lists:
        for found in words.finditer(folded):
            start, end = places[found.start()], places[found.end() - 1] + 1
            yield Finding(code, start, end, {"word": draft.body[start:end][:_NAMED_MAX]})


def _of_piece(draft: Draft, piece: Piece) -> Iterator[Finding]:
    for start, end in find_addresses(piece.text):
        named = piece.text[start:end]
        code = "shortener" if _host_of(named) in SHORTENERS else "address_foreign"
        yield Finding(code, piece.start + start, piece.start + end, {"address": named[:_NAMED_MAX]})
    is_english = draft.language == "en"
    for place, letter in enumerate(piece.text, piece.start):
        code = _fault_of(letter, is_english=is_english)
        if code is not None:
            params: dict[str, str | int] = {}
            if code != "letter_hidden":
                params = {"letter": letter, "near": for_cp932(letter)}
            yield Finding(code, place, place + 1, params)


def _fault_of(letter: str, *, is_english: bool) -> FindingCode | None:
    """What is wrong with one letter of a text."""
    if letter in "\r\n":
        return None
    if letter in _EMOJI_SIGNS or _EMOJI_FROM <= letter < _EMOJI_TO:
        return "emoji"
    if is_hidden(letter):
        return "letter_hidden"
    if is_english:
        return None if measure(letter).encoding == "gsm7" else "letter_not_gsm7"
    near = for_cp932(letter)
    if near == letter:
        return None
    return "letter_lost" if near == "〓" else "letter_replaced"


def _host_of(address: str) -> str:
    folded, _ = fold(address)
    host = folded.split("://", 1)[-1]
    for end in "/?#:":
        host = host.split(end, 1)[0]
    return host.removeprefix("www.")


def _of_size(longest: str, size: Size) -> Iterator[Finding]:
    """Whether it can be sent whole, and what that costs."""
    units = utf16_units(longest)
    if units > UNITS_MAX:
        yield Finding("units_over", params={"units": units, "max": UNITS_MAX})
    elif size.segments > SEGMENTS_PREFERRED:
        yield Finding(
            "segments_many", params={"segments": size.segments, "preferred": SEGMENTS_PREFERRED}
        )


def _is_safe(draft: Draft, template: Template) -> bool:
    """Whether the merchant's name makes no link of the words beside it."""
    values = values_of(draft.language, _bill(draft, *_TYPICAL))
    return render_own(draft.language, template, values) is not None
