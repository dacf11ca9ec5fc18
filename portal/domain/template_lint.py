"""What is wrong with the wording of a message, found while it is typed. Pure.

A finding is a code with its place in the text. An error keeps a text from being stored and
approved; a warning is shown to whoever writes and whoever approves, and they decide.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from portal.domain.card_number import looks_like_card_number
from portal.domain.sms import BillText, Size, for_cp932, measure
from portal.domain.template import (
    BLOCKS,
    MERCHANTS,
    VARIABLES,
    Occasion,
    Piece,
    Template,
    TemplateChannel,
    TemplateLanguage,
    find_addresses,
    fold,
    is_hidden,
    stands_alone,
    tidy,
)
from portal.domain.template_finding import Finding, FindingCode, TemplatePart
from portal.domain.template_form import FORMS, Filled, Form, PartForm, read_words
from portal.domain.template_speech import OVERHEARD, SPOKEN, is_unspoken
from portal.domain.template_words import SELLING, SHORTENERS, THREAT, URGENT

FINDINGS_MAX: Final = 30

_PAYER: Final = frozenset({"payer", "payer_name", "name", "customer", "customer_name", "phone"})
_EMOJI_FROM: Final = "\U0001f000"
_EMOJI_TO: Final = "\U00020000"
_EMOJI_SIGNS: Final = frozenset("\u20e3\ufe0f")
_TYPICAL: Final = ("2026-11", 8_420, date(2026, 12, 1))
_LONGEST: Final = ("2026-11/2026-12", 99_999_999, date(2026, 12, 31))
_NAMED_MAX: Final = 24
_NEED_STOP: Final = frozenset({"reminder", "overdue"})
"""What is sent again and again: its reader must be able to stop it, or will call it spam."""

_REPLY: Final = re.compile(r"\s*(?:re|fw|fwd|返信|転送)\s*[:：]")  # noqa: RUF001  # as typed
"""What makes a mail look like part of a conversation that there never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text to look at, of a merchant by this name.

    ``link`` and ``stop_link`` are as long as its links are; ``phone`` and ``website`` its own.
    """

    channel: TemplateChannel = "sms"
    language: TemplateLanguage
    occasion: Occasion
    body: str
    subject: str = ""
    merchant_name: str
    link: str
    stop_link: str = ""
    phone: str = ""
    website: str = ""

    @property
    def form(self) -> Form:
        """What its channel asks of it."""
        return FORMS[self.channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found, and how the text comes out.

    ``filled`` is the message of an ordinary bill, its text empty where it can't be filled;
    ``longest`` is what a long amount and two months make of it.
    """

    findings: tuple[Finding, ...]
    filled: Filled
    longest: Size

    @property
    def sample(self) -> str:
        """The text of an ordinary bill."""
        return self.filled.text

    @property
    def size(self) -> Size:
        """The size of that text."""
        return self.filled.size

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
    words = read_words(draft.channel, draft.subject, draft.body)
    found: list[Finding] = []
    if draft.form.subject is not None and words.subject is not None:
        found += _of_part(draft, draft.form.subject, words.subject, "subject")
    found += _of_part(draft, draft.form.body, words.body, "body")
    filled, longest = _fill(draft, *_TYPICAL), _fill(draft, *_LONGEST)
    if not words.strays and draft.body and filled is not None and longest is not None:
        found += draft.form.look(longest)
        if all(one.severity != "error" for one in found) and not filled.is_fit:
            found.append(Finding("unsafe_values"))
    else:
        filled = longest = _NOTHING
    found.sort(key=lambda one: (one.severity != "error", one.part == "body", one.start, one.code))
    return Checked(findings=tuple(found[:FINDINGS_MAX]), filled=filled, longest=longest.size)


_NOTHING: Final = Filled(text="", size=measure(""), is_fit=False)


def mark_sample(draft: Draft, mark: str) -> Filled:
    """The message of an ordinary bill, each of its parts beginning with ``mark``; it has no errors.

    Where a text has a subject the mark stands on a line of its own, as what follows may need one.
    """
    body, subject = tidy(draft.body), tidy(draft.subject)
    marked = replace(
        draft,
        subject=subject and f"{mark}{subject}",
        body=f"{mark.rstrip()}\n{body}" if draft.form.subject else f"{mark}{body}",
    )
    return _fill(marked, *_TYPICAL) or _NOTHING


def _fill(draft: Draft, period: str, amount_minor: int, due_on: date) -> Filled | None:
    words = read_words(draft.channel, tidy(draft.subject), tidy(draft.body))
    if words.strays:
        return None
    return draft.form.fill(draft.language, words.of(_bill(draft, period, amount_minor, due_on)))


def _bill(draft: Draft, period: str, amount_minor: int, due_on: date) -> BillText:
    return BillText(
        merchant_name=draft.merchant_name,
        period=period,
        amount_minor=amount_minor,
        customer_hint="4821",
        due_on=due_on,
        link=draft.link,
        stop_link=draft.stop_link,
        phone=draft.phone,
        website=draft.website,
    )


def _of_part(
    draft: Draft, form: PartForm, template: Template, part: TemplatePart
) -> Iterator[Finding]:
    """What is wrong with the subject or the text."""
    text = draft.subject if part == "subject" else draft.body
    if not text.strip():
        yield Finding("subject_missing" if part == "subject" else "text_missing", part=part)
        return
    looked = (
        _of_variables(draft, form, template, text),
        _of_blocks(draft, form, template, text),
        _of_words(draft, form, template, text),
    )
    for findings in looked:
        for finding in findings:
            yield replace(finding, part=part)


def _of_variables(draft: Draft, form: PartForm, template: Template, text: str) -> Iterator[Finding]:
    """Whether the three facts, the merchant and one link stand there, and nothing else."""
    for stray in template.strays:
        if not stray.name:
            yield Finding("brace_stray", stray.start, stray.end)
        else:
            yield Finding(_code_of(stray.name), stray.start, stray.end, {"name": stray.name})
    names = template.names()
    for fact in form.facts:
        if fact not in names:
            yield Finding(form.fact_missing, params={"fact": fact})
    if form.wants_due and "due" not in names and draft.occasion == "first":
        yield Finding("due_missing")
    is_named = any(name in names for name in MERCHANTS) or draft.merchant_name in text
    if form.nameless is not None and not is_named:
        yield Finding(form.nameless)
    if "link" in form.variables:
        yield from _of_link(template, text)


def _code_of(name: str) -> FindingCode:
    """What is wrong with a name in braces."""
    if name.lower() in _PAYER:
        return "payer_named"
    return "variable_misplaced" if name in VARIABLES + BLOCKS else "variable_unknown"


def _of_link(template: Template, text: str) -> Iterator[Finding]:
    links = [piece for piece in template.pieces if piece.is_variable and piece.text == "link"]
    if not links:
        yield Finding("link_missing")
    for piece in links[1:]:
        yield Finding("link_repeated", piece.start, piece.end)
    for piece in links[:1]:
        before, after = text[: piece.start], text[piece.end :]
        if not stands_alone(before.removesuffix("}") + "x" * before.endswith("}"), after):
            yield Finding("link_joined", piece.start, piece.end)


def _of_blocks(draft: Draft, form: PartForm, template: Template, text: str) -> Iterator[Finding]:
    """Whether our own paragraphs are there where they must be, once and on lines of their own."""
    for name in (block for block in BLOCKS if block in form.variables):
        found = [piece for piece in template.pieces if piece.is_variable and piece.text == name]
        if not found and name == "proof":
            yield Finding("proof_missing")
        if not found and name == "stop" and _needs_stop(draft):
            yield Finding("stop_missing")
        for piece in found[1:]:
            yield Finding("block_repeated", piece.start, piece.end, {"name": name})
        for piece in found[:1]:
            line = text[: piece.start].rpartition("\n")[2], text[piece.end :].partition("\n")[0]
            if "".join(line).strip():
                yield Finding("block_joined", piece.start, piece.end, {"name": name})


def _needs_stop(draft: Draft) -> bool:
    """Whether the law or good manners ask for words by which further mails are stopped."""
    advertises = SELLING.search(fold(f"{draft.subject}\n{draft.body}")[0]) is not None
    return advertises or draft.occasion in _NEED_STOP


def _of_words(draft: Draft, form: PartForm, template: Template, text: str) -> Iterator[Finding]:
    """What the words themselves say."""
    for piece in template.pieces:
        if not piece.is_variable:
            yield from _of_piece(draft, form, piece)
    if looks_like_card_number(text):
        yield Finding("card_number")
    folded, places = fold(text)
    if form.is_line and _REPLY.match(folded):
        yield Finding("subject_reply")
    threat: FindingCode = "threat_first" if draft.occasion == "first" else "threat"
    lists: tuple[tuple[FindingCode, re.Pattern[str]], ...] = (
        ("urgent_words", URGENT), (threat, THREAT), ("selling_words", SELLING)
    )  # fmt: skip
    if form.is_spoken:
        lists += SPOKEN
    if form.is_overheard:
        lists += OVERHEARD
    for code, words in lists:
        for found in words.finditer(folded):
            start, end = places[found.start()], places[found.end() - 1] + 1
            yield Finding(code, start, end, {"word": text[start:end][:_NAMED_MAX]})


def _of_piece(draft: Draft, form: PartForm, piece: Piece) -> Iterator[Finding]:
    for start, end in find_addresses(piece.text):
        named = piece.text[start:end]
        code = "shortener" if _host_of(named) in SHORTENERS else "address_foreign"
        yield Finding(code, piece.start + start, piece.start + end, {"address": named[:_NAMED_MAX]})
    for place, letter in enumerate(piece.text, piece.start):
        code = _fault_of(letter, form, is_english=draft.language == "en")
        if code is not None:
            params: dict[str, str | int] = {}
            if code not in {"letter_hidden", "line_broken"}:
                params = {"letter": letter, "near": for_cp932(letter)}
            yield Finding(code, place, place + 1, params)


def _fault_of(letter: str, form: PartForm, *, is_english: bool) -> FindingCode | None:
    """What is wrong with one letter of a text."""
    if letter in "\r\n":
        return "line_broken" if form.is_line else None
    if letter in _EMOJI_SIGNS or _EMOJI_FROM <= letter < _EMOJI_TO:
        return "emoji"
    if is_hidden(letter):
        return "letter_hidden"
    if form.is_spoken:
        return "letter_unspoken" if is_unspoken(letter) else None
    return _loss_of(letter, is_english=is_english) if form.is_cp932 else None


def _loss_of(letter: str, *, is_english: bool) -> FindingCode | None:
    """What a telephone makes of a letter that it may not know."""
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
