"""Words that a template had better not have, as data. Pure.

Each list is one reason. Japanese words count with spaces inside too, as plain Japanese is written.
"""

import re
from typing import Final

_JA_URGENT: Final = (
    "至急", "緊急", "今すぐ", "いますぐ", "直ちに", "ただちに", "本日中", "最終通告", "最終警告",
    "最終通知", "不正", "凍結", "失効", "アカウント", "クリック", "タップして", "当選",
    "セキュリティ",
)  # fmt: skip
_JA_THREAT: Final = (
    "停止", "止まり", "止まる", "止めます", "止めさせ", "とまります", "とめます", "断水",
    "送電を止", "解約", "法的", "訴訟", "裁判", "差押", "差し押", "強制", "信用情報", "債権回収",
)  # fmt: skip
_JA_SELLING: Final = (
    "キャンペーン", "セール", "割引", "クーポン", "ポイント進呈", "プレゼント", "お得", "新規契約",
    "おすすめ", "オススメ", "抽選", "新商品", "特典",
)  # fmt: skip


def either(japanese: tuple[str, ...], *patterns: str) -> re.Pattern[str]:
    """Any of the words, with spaces inside or without, or of the patterns."""
    spaced = (r"\s*".join(map(re.escape, word)) for word in japanese)
    return re.compile("|".join((*spaced, *patterns)))


URGENT: Final = either(
    _JA_URGENT,
    r"[0-9]+\s*時\s*間\s*以\s*内",
    r"\burgent(?:ly)?\b", r"\bimmediate(?:ly)?\b", r"\bact now\b", r"\bright now\b",
    r"\bwithin\s+[0-9]+\s*hours?\b", r"\b(?:final|last)\s+(?:warning|notice|chance)\b",
    r"\bverify your\b", r"\byour account\b", r"\bclick\b", r"\bsecurity alert\b", r"\bunusual\b",
    r"\bwinner\b",
)  # fmt: skip
"""What phishing says. Source: the wording of forged SMS as warned of by consumer centres."""

THREAT: Final = either(
    _JA_THREAT,
    r"\b(?:cut|shut|switch|turn)(?:ting)?\s+off\b", r"\bdisconnect\w*", r"\bsuspen(?:d|sion)\w*",
    r"\bterminat\w*",
    r"\bstop(?:ped|ping)?\s+(?:the\s+|your\s+)?(?:supply|service|power|gas|water)",
    r"\blegal\s+(?:action|proceedings)\b", r"\bdebt\s+collect\w*", r"\bcourt\b", r"\bseiz\w+",
    r"\bcredit\s+(?:agency|record|score)\b",
)  # fmt: skip
"""What a first message never says, and forged ones nearly always do: that supply will stop."""

SELLING: Final = either(
    _JA_SELLING,
    r"\bcampaign\b", r"\bsale\b", r"\bdiscount\w*", r"\bcoupon\w*", r"\bspecial offer\b",
    r"\bpromotion\w*", r"\bfree gift\b", r"\bsign up\b",
)  # fmt: skip
"""Advertising: a message with it is no mere notice of a bill any more.

Source: Act on Regulation of Transmission of Specified Electronic Mail (特定電子メール法, Act No. 26
of 2002), art. 2 and 3: advertising needs consent given before; SMS count as such mail.
"""

SHORTENERS: Final = frozenset(
    {
        "bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "ow.ly", "x.gd", "lin.ee", "amzn.to",
        "buff.ly", "cutt.ly", "rb.gy", "s.id", "t.ly", "onl.la", "ux.nu", "00m.in", "v.gd",
        "shorturl.at", "qr.paps.jp", "urx.space", "p.tl", "msng.info",
    }
)  # fmt: skip
"""Hosts that stand for others."""
