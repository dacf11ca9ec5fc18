"""The wording of messages: text with named variables, and nothing else. Pure.

A template is plain text in which ``{amount}`` stands for a value. There are no expressions, no
conditions and no formats, so whoever writes one can only choose words. What a value contains is
text as well: it is never read again, stays on its line and can't become an address.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

TemplateChannel = Literal["sms", "email", "push", "voice"]
"""Channels whose wording is a template here."""
TemplateLanguage = Literal["ja", "en", "ja-easy"]
Occasion = Literal["first", "reminder", "overdue", "declined"]
"""What a message is about: the bill is new; the link again; it is overdue; a card was declined."""

VARIABLES: Final = ("merchant", "merchant_short", "month", "amount", "last4", "due", "link")
"""All that a text can name. The payer's name is not among them: numbers change hands."""

BLOCKS: Final = ("proof", "stop")
"""Paragraphs of ours that a mail's text names: how to tell that it is genuine; how to stop them."""

FACTS: Final = ("month", "amount", "last4")
"""What a genuine message knows and a forger doesn't."""

MERCHANTS: Final = ("merchant", "merchant_short")
SHORT_CHARACTERS: Final = 20
"""Of ``{merchant_short}``."""

_TOKEN: Final = re.compile(r"\{([A-Za-z0-9_]{1,24})\}|[{}]")
_SPACE: Final = " "
_LABEL: Final = r"[\w-]+(?:\.[\w-]+)*"
_TOP: Final = (
    "xn--[a-z0-9-]+|[a-z]{2,24}|コム|みんな|クラウド|ストア|セール|ファッション|ポイント|"
    "グーグル|アマゾン|家電|書籍|通販|世界|食品|网址|中国|香港|"
    "公司|网站|网络|在线|中文网|商城|集团|网店|商标|台湾|台灣|[\u0370-\u10ff\uac00-\ud7a3]{2,24}"
)
_ADDRESS: Final = re.compile(
    rf"[a-z][a-z0-9+.-]*://\S*|(?<![\w-]){_LABEL}\.(?:{_TOP})(?![a-z0-9])(?:[:/?#]\S*)?"
    r"|(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.])(?:[:/]\S*)?"
)
"""What a telephone would make a link of: a scheme, a name with a top-level domain, IPv4."""

_FULL_STOP: Final = re.compile(r"(?<=[a-z0-9])。(?=[a-z0-9])")
"""Between Latin letters browsers take it for a dot. Source: UTS #46 §2.3."""

_BLANK: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
"""Letters and marks that show nothing, by which a word is no longer found. Source: Unicode's
Default_Ignorable_Code_Point, without variation selectors, which names are written with; Braille."""

_LINKS: Final = frozenset(".:/@。")
"""What makes an address one, in its folded form."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a template: words as they are, or the variable called ``text``."""

    text: str
    start: int
    end: int
    is_variable: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """What is no piece: a lone brace, or a name that no variable has (``name``)."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """A text in its pieces, in order; with any ``strays`` it can't be filled."""

    pieces: tuple[Piece, ...]
    strays: tuple[Stray, ...]

    def names(self) -> list[str]:
        """Its variables in order, each as often as it stands there."""
        return [piece.text for piece in self.pieces if piece.is_variable]


def tidy(text: str) -> str:
    """What was typed, with line ends alike and no space around lines' ends and the whole."""
    return "\n".join(line.rstrip() for line in re.split(r"\r\n|\r|\n", text)).strip()


def parse(text: str, known: Collection[str] = VARIABLES) -> Template:
    """A template's pieces and what is wrong with them, with positions in ``text``.

    ``known`` are the names that may stand in it; another is a stray.
    """
    pieces: list[Piece] = []
    strays: list[Stray] = []
    done = 0
    for found in _TOKEN.finditer(text):
        if found.start() > done:
            pieces.append(Piece(text[done : found.start()], done, found.start(), is_variable=False))
        name = found[1]
        if name in known:
            pieces.append(Piece(name, found.start(), found.end(), is_variable=True))
        else:
            strays.append(Stray(name or "", found.start(), found.end()))
        done = found.end()
    if done < len(text):
        pieces.append(Piece(text[done:], done, len(text), is_variable=False))
    return Template(tuple(pieces), tuple(strays))


def fill(template: Template, values: Mapping[str, str]) -> str:
    """The text with its values, for a channel of plain text. ``template`` has no strays.

    ``link`` goes in as it is, being ours; of every other value see :func:`as_words`.
    """
    return "".join(
        (values[piece.text] if piece.text == "link" else as_words(values[piece.text]))
        if piece.is_variable
        else piece.text
        for piece in template.pieces
    )


def as_words(value: str) -> str:
    """A value as words on one line: what breaks lines, hides or would be an address is a space."""
    seen = value
    if not value.isprintable() or _BLANK.search(value):
        seen = "".join(_SPACE if is_hidden(letter) else letter for letter in value)
    # Until there is none: what is left of one may be another. Each time a sign is gone.
    while found := find_addresses(seen):
        parts: list[str] = []
        done = 0
        for start, end in found:
            parts += [seen[done:start], "".join(map(_unlinked, seen[start:end]))]
            done = end
        seen = "".join((*parts, seen[done:]))
    return seen


def _unlinked(letter: str) -> str:
    return _SPACE if _LINKS & set(unicodedata.normalize("NFKC", letter)) else letter


def is_hidden(letter: str) -> bool:
    """Whether a character breaks lines, steers, can't be seen, or can't be written at all."""
    is_steering = unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    return is_steering or _BLANK.match(letter) is not None


def find_addresses(text: str) -> list[tuple[int, int]]:
    """Where a telephone would see a link; start and end, in order, also in full-width letters."""
    flat = unicodedata.normalize("NFKC", text)
    if "." not in flat and "://" not in flat and "。" not in flat:
        return []
    folded, places = fold(text)
    return [
        (places[found.start()], places[found.end() - 1] + 1)
        for found in _ADDRESS.finditer(_FULL_STOP.sub(".", folded))
    ]


def fold(text: str) -> tuple[str, list[int]]:
    """The text in one form of letters (NFKC, small), and of each of its places that in ``text``."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for form in unicodedata.normalize("NFKC", letter).lower():
            letters.append(form)
            places.append(place)
    return "".join(letters), places


def is_safe(text: str, link: str) -> bool:
    """Whether a filled text has the link once, as words of its own, and no other address."""
    before, found, after = text.partition(link)
    if not found or link in after or not stands_alone(before, after):
        return False
    return not find_addresses(before) and not find_addresses(after)


def stands_alone(before: str, after: str) -> bool:
    """Whether a telephone sees where a link between these begins and ends."""
    last = before[-1:]
    begins = not last or not (last.isalnum() or last in "_-./@%&=?#+~")
    return begins and (not after or after[0].isspace())


def occasion_of(campaign: str, lifecycle: str) -> Occasion:
    """What a delivery is about: its campaign says so, or else how its bill stands."""
    match campaign:
        case "first":
            return "first"
        case "declined":
            return "declined"
        case _:
            return "overdue" if lifecycle in {"overdue", "lapsed"} else "reminder"
