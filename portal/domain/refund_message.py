"""What a payer is told when an account for a refund was given or changed, by whomever. Pure.

It goes to the contact that the merchant has, never to one that was typed beside the account. It
names no account, no amount and no payer, and carries no link: who did not do it calls.
"""

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Final

from portal.domain.sms import for_cp932

CAMPAIGN: Final = "account"
"""The campaign of these messages; the step counts them, bill by bill."""

_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "ja": (
        "返金の振込先について",
        ("【{merchant}】返金の振込先の口座が登録または変更されました。"
        "お心当たりがなければ{phone}へお電話ください。"),
    ),
    "ja-easy": (
        "返金の 口座に ついて",
        ("【{merchant}】お金を かえす 口座が 入力されました。"
        "あなたが していないときは {phone}に 電話して ください。"),
    ),
    "en": (
        "About your refund",
        ("{merchant}: a bank account for your refund was given or changed. If this was not you,"
        " call {phone}."),
    ),
})  # fmt: skip
"""Language → subject and text."""


def subject_of(language: str) -> str:
    """The subject of the mail."""
    return _WORDS.get(language, _WORDS["ja"])[0]


def text_of(language: str, merchant: str, phone: str) -> str:
    """The text, the same by each channel; ``phone`` is the merchant's own number."""
    words = _WORDS.get(language, _WORDS["ja"])[1]
    return words.replace("{merchant}", merchant).replace("{phone}", phone)


def sms_of(language: str, merchant: str, phone: str) -> str:
    """The text as every telephone can show it."""
    return for_cp932(text_of(language, merchant, phone))


def html_of(language: str, merchant: str, phone: str) -> str:
    """The mail's text as HTML."""
    lang, subject = ("en" if language == "en" else "ja"), escape(subject_of(language))
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f"<title>{subject}</title></head>\n"
        f"<body><p>{escape(text_of(language, merchant, phone))}</p></body></html>\n"
    )
