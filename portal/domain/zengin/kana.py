"""Names as bank files can hold them: half-width kana, capitals and a few signs. Pure.

A name that can't be written is refused where someone enters it, with the character that stands in
the way, and never when a file is made.
"""

import unicodedata
from functools import lru_cache
from typing import Final

from portal.domain.errors import InvalidInput

_HALF: Final[dict[str, str]] = {
    unicodedata.normalize("NFKC", chr(half)): chr(half) for half in range(0xFF61, 0xFFA0)
}
_LARGE: Final = str.maketrans("ｧｨｩｪｫｬｭｮｯｰｦ", "ｱｲｳｴｵﾔﾕﾖﾂ-ｵ")
"""Small kana become large, the long mark a hyphen, ヲ (which several banks lack) オ."""

_TWINS: Final[dict[str, str]] = {
    "\u30f5": "ｶ", "\u30f6": "ｹ", "\u30ee": "ﾜ",
    "\u309b": "ﾞ", "\u309c": "ﾟ",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-",
    "\u2212": "-", "\u2500": "-", "\uff0d": "-",
}  # fmt: skip
"""What has no half width of its own, and the many hyphens that keyboards produce."""

LETTERS: Final = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ ()-./"
)
"""What every bank takes. Some take more (``\\ ｢ ｣ ,``), which is theirs to say (FileForm)."""


def to_kana(text: str, more: str = "") -> str:
    """The text in the letters of bank files, white space folded and trimmed.

    ``more``: further letters that the receiving bank takes.

    Raises: InvalidInput ``kana_unwritable`` (param ``character``: the first that can't be written,
    as it was entered).
    """
    allowed = _allowed(more)
    written: list[str] = []
    for character in " ".join(text.split()):
        letters = _letters(character)
        if not allowed.issuperset(letters):
            raise InvalidInput("kana_unwritable", params={"character": character})
        written.append(letters)
    return "".join(written)


def is_kana(text: str, more: str = "") -> bool:
    """Whether a bank file can hold the text as it stands."""
    return _allowed(more).issuperset(text)


@lru_cache(maxsize=16)
def _allowed(more: str) -> frozenset[str]:
    return frozenset(LETTERS + more)


@lru_cache(maxsize=4096)
def _letters(character: str) -> str:
    """The letters of one character: compatible, katakana, taken apart, half width, large."""
    if character in _TWINS:
        return _TWINS[character]
    katakana = "".join(map(_to_katakana, unicodedata.normalize("NFKC", character)))
    parts = unicodedata.normalize("NFD", katakana).upper()
    half = "".join(_TWINS.get(part) or _HALF.get(part, part) for part in parts)
    return half.translate(_LARGE)


def _to_katakana(letter: str) -> str:
    return chr(ord(letter) + 0x60) if "\u3041" <= letter <= "\u3096" else letter
