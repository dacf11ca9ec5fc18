"""What words that are read out in a call had better not have, as data. Pure.

What is looked at is the text in one form of letters (portal.domain.template.fold).
"""

import re
import unicodedata
from typing import Final

from portal.domain.template_finding import FindingCode
from portal.domain.template_words import either

_SPOKEN_SIGNS: Final = frozenset("、。・「」『』()!?,.:;'\"“”-—―〜~…%&$¥\u2019\u2010\u2013")
"""What a voice makes a pause of, leaves out or has a word for."""

_NAMED_KEY: Final = (
    r"(?:[0-9#*]|[一二三四五六七八九]|ゼロ|シャープ|米印)[」』\"”]?\s*(?:番|ばん)?\s*"
    r"(?:の\s*)?(?:(?:ボタン|キー|番号)[」』]?\s*)?"
    r"を\s*(?:(?:お\s*|長)?押|プッシュ|入力|お(?:し[てま]|せ|す(?!す)))"
)
KEYS: Final = either(
    (),
    _NAMED_KEY,
    r"\b(?:press|push|dial|hit)\s+(?:the\s+)?(?:number\s+|key\s+|button\s+)?"
    r"(?:[0-9*#]|zero|one|two|three|four|five|six|seven|eight|nine|star|hash|pound)(?![a-z0-9])",
)
"""A key by its name: which ones there are is said by us, right after the words."""

SECRETS: Final = either(
    (
        "カード番号", "暗証番号", "パスワード", "セキュリティコード", "口座番号", "認証番号",
        "認証コード",
    ),
    r"\b(?:card|account)\s+numbers?\b", r"\bpin\b", r"\bpass\s*(?:words?|codes?)\b",
    r"\bsecurity\s+codes?\b",
)  # fmt: skip
"""What forged calls ask for and ours never do."""

NUMBERS: Final = re.compile(r"[0-9](?:[-\u2010\u2013ー\s()]?[0-9]){4,}")
"""A telephone's or an account's number: a voice reads it out as one huge figure."""

_OWING: Final = either(
    (
        "未払", "未納", "滞納", "延滞", "督促", "催促", "未収", "期限を過ぎ", "期限をすぎ",
        "期限切れ", "払われていません", "払っていません", "払っていない", "借金", "債務",
    ),
    r"\boverdue\b", r"\bpast\s+due\b", r"\bunpaid\b", r"\barrears\b", r"\bdebts?\b",
    r"\bowe[sd]?\b", r"\b(?:missed|late)\s+payments?\b", r"\boutstanding\b",
)  # fmt: skip
"""That somebody owes money: heard by the family, a colleague, or whoever has the number now."""

SPOKEN: Final[tuple[tuple[FindingCode, re.Pattern[str]], ...]] = (
    ("key_promised", KEYS), ("secret_words", SECRETS), ("number_read", NUMBERS),
)  # fmt: skip
"""What is looked for in all that is read out."""

OVERHEARD: Final[tuple[tuple[FindingCode, re.Pattern[str]], ...]] = (("owing_told", _OWING),)
"""What is looked for besides in what anyone may hear."""


def is_unspoken(letter: str) -> bool:
    """Whether a voice has no sound for a sign, or would read its name out ("slash", "asterisk")."""
    flat = unicodedata.normalize("NFKC", letter)
    return not all(
        one == " " or one in _SPOKEN_SIGNS or unicodedata.category(one)[0] in "LMN" for one in flat
    )
