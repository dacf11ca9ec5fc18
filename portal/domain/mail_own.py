"""Mails in a merchant's own words: subject and text are theirs, the HTML is made here. Pure.

The HTML holds what the text holds and nothing else: every word is escaped, and the only addresses
are the pay link, the one that stops further mails, and the merchant's own website. Each stands as
one letter that no template can hold, until everything else has been looked at.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Final

from portal.domain.mail import (
    BREAKS,
    SUBJECT_CHARACTERS_MAX,
    Mail,
    MailWords,
    html_link,
    html_page,
    html_proof,
    html_stop,
    mail_values,
    one_line,
    render_mail,
    text_proof,
    text_stop,
    words_of,
)
from portal.domain.sms import BillText
from portal.domain.template import Template, as_words, find_addresses, stands_alone

MAIL_BYTES_MAX: Final = 18_000
"""Of a filled text with its HTML: a hundred of them are handed to the relay in one frame. It is far
below the 100 kB where mail programs cut a mail off."""

_LINK: Final = "\ue000"
_PROOF: Final = "\ue001"
_STOP: Final = "\ue002"
_MARKS: Final[Mapping[str, str]] = {"link": _LINK, "proof": _PROOF, "stop": _STOP}
_ANY_MARK: Final = re.compile(f"[{_LINK}{_PROOF}{_STOP}]")


def compose_mail(language: str, bill: BillText) -> Mail:
    """The mail that carries a link: the merchant's own where it fits this bill, else built in."""
    own = fill_mail(language, bill)
    return own[0] if own is not None and own[1] else render_mail(language, bill)


def fill_mail(language: str, bill: BillText) -> tuple[Mail, bool] | None:
    """The merchant's own words with this bill's values, and whether the mail may go like that.

    It may not where values make an address of what stands beside them, where subject or text are
    too long, or where the link is not there just once. None: the merchant has no words of its own.
    """
    if bill.own is None or bill.own_subject is None:
        return None
    values = mail_values(language, bill)
    words = words_of(language, values, bill)
    subject = one_line(_marked(bill.own_subject, values))
    marked = _marked(bill.own, values)
    text = _as_text(marked, words, bill)
    html = _as_html(marked, subject, words, bill)
    mail = Mail(subject=subject, text=text, html=html, is_own=True)
    is_fit = _is_subject_fit(subject) and _is_text_fit(marked, bill.own)
    return mail, is_fit and mail.size_bytes <= MAIL_BYTES_MAX


def _marked(template: Template, values: Mapping[str, str]) -> str:
    """The text with its values, and a mark where something of ours goes in."""
    return "".join(
        (_MARKS[piece.text] if piece.text in _MARKS else as_words(values[piece.text]))
        if piece.is_variable
        else piece.text
        for piece in template.pieces
    )


def _is_subject_fit(subject: str) -> bool:
    is_words = not find_addresses(subject) and _ANY_MARK.search(subject) is None
    return is_words and 0 < len(subject) <= SUBJECT_CHARACTERS_MAX


def _is_text_fit(marked: str, template: Template) -> bool:
    """Whether each mark is one of ours, stands by itself, and nothing else is an address."""
    names = template.names()
    if any(marked.count(mark) != names.count(name) for name, mark in _MARKS.items()):
        return False
    before, found, after = marked.partition(_LINK)
    if not found or _LINK in after or not stands_alone(before, after):
        return False
    lines = marked.split("\n")
    blocks = [line for line in lines if _PROOF in line or _STOP in line]
    return all(line in {_PROOF, _STOP} for line in blocks) and not find_addresses(marked)


def _as_text(marked: str, words: MailWords, bill: BillText) -> str:
    ours = {_LINK: bill.link, _PROOF: text_proof(words), _STOP: text_stop(words, bill.stop_link)}
    return _ANY_MARK.sub(lambda found: ours[found[0]], marked).rstrip() + "\n"


def _as_html(marked: str, subject: str, words: MailWords, bill: BillText) -> str:
    """Each block of lines a paragraph; what stands alone on its line has a form of its own."""
    alone = {
        _LINK: html_link(words, bill.link),
        _PROOF: html_proof(words),
        _STOP: html_stop(words, bill.stop_link),
    }
    inline = f'<a href="{escape(bill.link)}" style="{BREAKS}">{escape(bill.link)}</a>'
    body: list[str] = []
    lines: list[str] = []
    for line in [*marked.split("\n"), ""]:
        if line and line not in alone:
            lines.append(_ANY_MARK.sub("", escape(line).replace(_LINK, inline)))
            continue
        if lines:
            body.append("<p>" + "<br>\n".join(lines) + "</p>\n")
            lines = []
        body.append(alone.get(line, ""))
    return html_page(words.language, subject, "".join(body))
