"""Mails: the words that carry a pay link by e-mail, as text and as HTML. Pure.

Like a text message a mail proves itself by three facts that a forger lacks (month, exact amount,
last four of the customer number) and says how to check it without the link. The subject stands on
lock screens and in other people's view: it names merchant and month, neither payer nor amount. No
picture, script, style sheet or address of anybody else is in the HTML, so reading it tells nobody.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from portal.domain.period import read_period
from portal.domain.sms import BillText

SUBJECT_CHARACTERS_MAX: Final = 120
"""What mail programs show of a subject is shorter; what a merchant calls itself may be longer."""

_NAME_CHARACTERS_MAX: Final = 60
_BUTTON: Final = (
    "display:inline-block;padding:14px 24px;background:#14508c;color:#ffffff;font-weight:bold;"
    "text-decoration:none;border-radius:8px"
)
_CELL: Final = "padding:4px 16px 4px 0;text-align:left;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it is read: ``html`` says the same as ``text``."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Words:
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
    name = one_line(bill.merchant_name)[:_NAME_CHARACTERS_MAX]
    words = _english(name, bill) if language == "en" else _japanese(name, bill, language)
    return Mail(
        subject=words.subject[:SUBJECT_CHARACTERS_MAX],
        text=_as_text(words, bill),
        html=_as_html(words, bill),
    )


def _japanese(name: str, bill: BillText, language: str) -> _Words:
    month = read_period(bill.period).japanese
    due = f"{bill.due_on.year}年{bill.due_on.month}月{bill.due_on.day}日"
    values = (month, f"{bill.amount_minor:,}円", bill.customer_hint, due)
    if language == "ja-easy":
        labels = ("いつの お金", "お金", "お客さま番号の 最後の4つ", "いつまで")
        return _Words(
            language="ja",
            subject=f"【{name}】{month}の お金の お知らせ",
            greeting=f"{name}です。{month}の お金を 払って ください。",
            facts=tuple(zip(labels, values, strict=True)),
            button="お金を 払う",
            proof="このメールが 本物か わからない ときは、リンクを 押さないで ください。"
            "上の いつの お金・お金・お客さま番号が、手もとの 紙と 同じか 見て ください。",
            ways=_ways(bill, "電話で 聞く", "ホームページを 見る"),
            close="もう 払った ときは、何も しなくて いいです。このメールに 返事は できません。",
            stop="この メールを もう いらない とき",
        )
    labels = ("対象", "金額", "お客さま番号(末尾)", "お支払い期限")
    return _Words(
        language="ja",
        subject=f"【{name}】{month}のご請求のお知らせ",
        greeting=f"{name}です。{month}のご請求をお知らせします。",
        facts=tuple(zip(labels, values, strict=True)),
        button="内容を確かめて支払う",
        proof="このメールが本物か確かめるには: 上の対象・金額・お客さま番号の末尾が、"
        "お手元の検針票や前回のご請求と合っているかご覧ください。"
        "ご不安なときはリンクを開かず、次の方法でお確かめください。",
        ways=_ways(bill, "電話", "ウェブサイト"),
        close="すでにお支払いのときは、このメールは不要です。このメールには返信できません。",
        stop="ご請求のメールを止める(ご請求はなくなりません)",
    )


def _english(name: str, bill: BillText) -> _Words:
    month = read_period(bill.period).english
    due = f"{bill.due_on:%d %b %Y}".lstrip("0")
    return _Words(
        language="en",
        subject=f"{name}: your bill for {month}",
        greeting=f"This is {name}. Your bill for {month} is ready.",
        facts=(
            ("For", month),
            ("Amount", f"JPY {bill.amount_minor:,}"),
            ("Customer no. (ending)", bill.customer_hint),
            ("Due", due),
        ),
        button="Check it and pay",
        proof="To see that this mail is genuine: compare period, amount and the last digits of "
        "your customer number with your last statement. If in doubt, don't open the link; ask us:",
        ways=_ways(bill, "By telephone", "On our website"),
        close="If you have paid already, nothing is left to do. This mail can't be answered.",
        stop="Stop e-mail about bills (the bill itself stays)",
    )


def _ways(bill: BillText, phone: str, website: str) -> tuple[str, ...]:
    known = ((phone, one_line(bill.phone)), (website, one_line(bill.website)))
    return tuple(f"{how}: {where}" for how, where in known if where)


def _as_text(words: _Words, bill: BillText) -> str:
    facts = [f"{label}: {value}" for label, value in words.facts]
    ways = [f"- {way}" for way in words.ways]
    stop = ["", f"{words.stop}:", bill.stop_link] if bill.stop_link else []
    lines = [
        words.greeting, "", *facts, "", f"{words.button}:", bill.link, "", words.proof, *ways, "",
        words.close, *stop, "",
    ]  # fmt: skip
    return "\n".join(lines)


def _as_html(words: _Words, bill: BillText) -> str:
    rows = "".join(
        f'<tr><th style="{_CELL}" scope="row">{escape(label)}</th>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for label, value in words.facts
    )
    ways = "".join(f"<li>{escape(way)}</li>" for way in words.ways)
    href = escape(bill.link)
    way_out = escape(bill.stop_link)
    stop = f'<p><a href="{way_out}">{escape(words.stop)}</a></p>\n' if way_out else ""
    return (
        f'<!doctype html>\n<html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(words.subject)}</title></head>\n"
        '<body style="font-family:sans-serif;font-size:16px;line-height:1.6;color:#1b2430">\n'
        f"<p>{escape(words.greeting)}</p>\n<table>{rows}</table>\n"
        f'<p><a href="{href}" style="{_BUTTON}">{escape(words.button)}</a></p>\n'
        f'<p style="overflow-wrap:anywhere"><a href="{href}">{href}</a></p>\n'
        f"<p>{escape(words.proof)}</p>\n"
        + (f"<ul>{ways}</ul>\n" if ways else "")
        + f"<p>{escape(words.close)}</p>\n{stop}</body></html>\n"
    )
