"""Mails: the words that carry a pay link by e-mail, as text and as HTML. Pure.

Like a text message a mail proves itself by three facts that a forger lacks (month, exact amount,
last four of the customer number) and says how to check it without the link. The subject stands on
lock screens and in other people's view: it names merchant and month, neither payer nor amount. No
picture, script, style sheet or address of anybody else is in the HTML, so reading it tells nobody.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from portal.domain.period import read_period
from portal.domain.sms import BillText
from portal.domain.template import SHORT_CHARACTERS

SUBJECT_CHARACTERS_MAX: Final = 120
"""What mail programs show of a subject is shorter; what a merchant calls itself may be longer."""

BUTTON: Final = (
    "display:inline-block;padding:14px 24px;background:#14508c;color:#ffffff;font-weight:bold;"
    "text-decoration:none;border-radius:8px"
)
BODY: Final = "font-family:sans-serif;font-size:16px;line-height:1.6;color:#1b2430"
BREAKS: Final = "overflow-wrap:anywhere"
"""How a long address is broken."""

_NAME_CHARACTERS_MAX: Final = 60
_CELL: Final = "padding:4px 16px 4px 0;text-align:left;vertical-align:top"
STYLES: Final = (BODY, BREAKS, BUTTON, _CELL)
"""Every style that stands in a mail."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it is read: ``html`` says the same as ``text``.

    ``is_own``: it is the merchant's own wording (portal.domain.mail_own).
    """

    subject: str
    text: str
    html: str
    is_own: bool = False

    @property
    def size_bytes(self) -> int:
        """Text and HTML together."""
        return len(self.text.encode()) + len(self.html.encode())


@dataclass(frozen=True, slots=True)
class MailWords:
    """One language's mail, in pieces that both forms are made of."""

    language: str
    subject: str
    greeting: str
    facts: Sequence[tuple[str, str]]
    button: str
    proof: str
    ways: Sequence[str]
    close: str
    stop: str


def one_line(text: str) -> str:
    """The text without anything that could end a line or hide: controls, formats, separators."""
    spaced = "".join(" " if unicodedata.category(sign)[0] in "ZC" else sign for sign in text)
    return " ".join(spaced.split())


def render_mail(language: str, bill: BillText) -> Mail:
    """The mail that carries a link: Japanese (also in plain words) or English."""
    words = words_of(language, mail_values(language, bill), bill)
    return Mail(
        subject=words.subject[:SUBJECT_CHARACTERS_MAX],
        text=_as_text(words, bill),
        html=_as_html(words, bill),
    )


def start_of_mail(language: str) -> tuple[str, str]:
    """Subject and text of the built-in mail as a template, to begin one's own with."""
    names = ("merchant", "merchant_short", "month", "amount", "last4", "due", "link")
    words = words_of(language, {name: f"{{{name}}}" for name in names}, None)
    facts = "\n".join(f"{label}: {value}" for label, value in words.facts)
    parts = (words.greeting, facts, f"{words.button}:\n{{link}}", "{proof}", words.close, "{stop}")
    return words.subject, "\n\n".join(parts)


def mail_values(language: str, bill: BillText) -> dict[str, str]:
    """Every variable of a mail as the language writes it; what is no block is on one line."""
    name = one_line(bill.merchant_name)[:_NAME_CHARACTERS_MAX]
    period = read_period(bill.period)
    if language == "en":
        month, amount = period.english, f"JPY {bill.amount_minor:,}"
        due = f"{bill.due_on:%d %b %Y}".lstrip("0")
    else:
        month, amount = period.japanese, f"{bill.amount_minor:,}円"
        due = f"{bill.due_on.year}年{bill.due_on.month}月{bill.due_on.day}日"
    return {
        "merchant": name,
        "merchant_short": name[:SHORT_CHARACTERS],
        "month": month,
        "amount": amount,
        "last4": bill.customer_hint,
        "due": due,
        "link": bill.link,
    }


def words_of(language: str, values: Mapping[str, str], bill: BillText | None) -> MailWords:
    """The mail's words with these values; ``bill`` knows how to ask the merchant."""
    return _english(values, bill) if language == "en" else _japanese(values, bill, language)


def _japanese(values: Mapping[str, str], bill: BillText | None, language: str) -> MailWords:
    name, month = values["merchant"], values["month"]
    facts = (month, values["amount"], values["last4"], values["due"])
    if language == "ja-easy":
        labels = ("いつの お金", "お金", "お客さま番号の 最後の4つ", "いつまで")
        return MailWords(
            language="ja",
            subject=f"【{name}】{month}の お金の お知らせ",
            greeting=f"{name}です。{month}の お金を 払って ください。",
            facts=tuple(zip(labels, facts, strict=True)),
            button="お金を 払う",
            proof="このメールが 本物か わからない ときは、リンクを 押さないで ください。"
            "上の いつの お金・お金・お客さま番号が、手もとの 紙と 同じか 見て ください。",
            ways=_ways(bill, "電話で 聞く", "ホームページを 見る"),
            close="もう 払った ときは、何も しなくて いいです。このメールに 返事は できません。",
            stop="この メールを もう いらない とき",
        )
    labels = ("対象", "金額", "お客さま番号(末尾)", "お支払い期限")
    return MailWords(
        language="ja",
        subject=f"【{name}】{month}のご請求のお知らせ",
        greeting=f"{name}です。{month}のご請求をお知らせします。",
        facts=tuple(zip(labels, facts, strict=True)),
        button="内容を確かめて支払う",
        proof="このメールが本物か確かめるには: 上の対象・金額・お客さま番号の末尾が、"
        "お手元の検針票や前回のご請求と合っているかご覧ください。"
        "ご不安なときはリンクを開かず、次の方法でお確かめください。",
        ways=_ways(bill, "電話", "ウェブサイト"),
        close="すでにお支払いのときは、このメールは不要です。このメールには返信できません。",
        stop="ご請求のメールを止める(ご請求はなくなりません)",
    )


def _english(values: Mapping[str, str], bill: BillText | None) -> MailWords:
    name, month = values["merchant"], values["month"]
    return MailWords(
        language="en",
        subject=f"{name}: your bill for {month}",
        greeting=f"This is {name}. Your bill for {month} is ready.",
        facts=(
            ("For", month),
            ("Amount", values["amount"]),
            ("Customer no. (ending)", values["last4"]),
            ("Due", values["due"]),
        ),
        button="Check it and pay",
        proof="To see that this mail is genuine: compare period, amount and the last digits of "
        "your customer number with your last statement. If in doubt, don't open the link; ask us:",
        ways=_ways(bill, "By telephone", "On our website"),
        close="If you have paid already, nothing is left to do. This mail can't be answered.",
        stop="Stop e-mail about bills (the bill itself stays)",
    )


def _ways(bill: BillText | None, phone: str, website: str) -> tuple[str, ...]:
    if bill is None:
        return ()
    known = ((phone, one_line(bill.phone)), (website, one_line(bill.website)))
    return tuple(f"{how}: {where}" for how, where in known if where)


def _as_text(words: MailWords, bill: BillText) -> str:
    facts = [f"{label}: {value}" for label, value in words.facts]
    stop = ["", text_stop(words, bill.stop_link)] if bill.stop_link else []
    lines = [
        words.greeting, "", *facts, "", f"{words.button}:", bill.link, "", text_proof(words), "",
        words.close, *stop, "",
    ]  # fmt: skip
    return "\n".join(lines)


def text_proof(words: MailWords) -> str:
    """As :func:`html_proof`, in plain lines."""
    return "\n".join([words.proof, *(f"- {way}" for way in words.ways)])


def text_stop(words: MailWords, stop_link: str) -> str:
    """As :func:`html_stop`, in plain lines."""
    return f"{words.stop}:\n{stop_link}" if stop_link else ""


def _as_html(words: MailWords, bill: BillText) -> str:
    rows = "".join(
        f'<tr><th style="{_CELL}" scope="row">{escape(label)}</th>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for label, value in words.facts
    )
    body = (
        f"<p>{escape(words.greeting)}</p>\n<table>{rows}</table>\n"
        + html_link(words, bill.link)
        + html_proof(words)
        + f"<p>{escape(words.close)}</p>\n"
        + html_stop(words, bill.stop_link)
    )
    return html_page(words.language, words.subject, body)


def html_page(language: str, subject: str, body: str) -> str:
    """A whole mail in HTML around ``body``, which is HTML already."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(subject)}</title></head>\n"
        f'<body style="{BODY}">\n{body}</body></html>\n'
    )


def html_link(words: MailWords, link: str) -> str:
    """The button, and under it the address that it opens, to be read."""
    href = escape(link)
    return (
        f'<p><a href="{href}" style="{BUTTON}">{escape(words.button)}</a></p>\n'
        f'<p style="{BREAKS}"><a href="{href}">{href}</a></p>\n'
    )


def html_proof(words: MailWords) -> str:
    """How to tell that the mail is genuine, and where to ask without its link."""
    ways = "".join(f"<li>{escape(way)}</li>" for way in words.ways)
    return f"<p>{escape(words.proof)}</p>\n" + (f"<ul>{ways}</ul>\n" if ways else "")


def html_stop(words: MailWords, stop_link: str) -> str:
    """Where further mails are stopped; nothing without such a place."""
    if not stop_link:
        return ""
    return f'<p><a href="{escape(stop_link)}">{escape(words.stop)}</a></p>\n'
