"""Bodies of the protocol type: ``name=value&name=value`` in Windows-31J, and its lists of errors.

Pure; nothing here raises. An answer comes with status 200 whatever it says, its
values are not escaped, and ``ErrCode`` and ``ErrInfo`` are parallel lists with a bar between.

Source: recordings of t-k/gmo-payment-ruby (MIT); meanings of codes: error-codes.json of npm gmopg
6.0.0 (MIT).
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from portal.domain.payment import DeclineCode
from portal.domain.refund_word.word import Said

CHARSET: Final = "cp932"
"""Windows-31J as Python calls it; some answers name Shift_JIS, which it contains."""

OK: Final = 200
_PAIRS_MAX: Final = 500
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_CODE: Final = re.compile(r"[A-Z0-9]{3,12}")

_TAKEN: Final = frozenset({"E01040010", "M01004010", "EZ4135014", "E90010001", "M01004014"})
"""The OrderID exists, is in use, or the same call is under way."""

_NOT_THERE: Final = frozenset({"E01110002", "M01004002"})
"""No order, or no transaction of it: of an inquiry, that nothing was begun."""

_DOUBTFUL: Final = frozenset({"E11010999"})
"""The transaction may be complete already."""

_REFUSED: Final = ("E01", "M01", "E11", "E21", "E41", "E61", "EZ1", "EZ2", "42G")
"""Faults of the request or the set-up, wrong states, declined cards: nothing was done.

``42C`` is not among them: the line to the card company broke, and only an inquiry can tell."""

_BUSY: Final = "E92"

Meaning = Literal["taken", "not_there", "busy", "refused", "unknown"]

REFUSALS: Final[dict[Meaning, DeclineCode]] = {
    "refused": "provider_refused",
    "not_there": "provider_refused",
    "busy": "provider_busy",
}
"""Meanings that leave nothing behind, in our words."""


def read_pairs(said: Said) -> dict[str, str] | None:
    """The answer's values, or None when it is no body of the protocol type (an error page, say)."""
    if said.status != OK:
        return None
    items = said.body.decode(CHARSET, errors="replace").strip().split("&")
    pairs = dict(item.split("=", 1) for item in items if "=" in item)
    if len(items) > _PAIRS_MAX or len(pairs) != len(items):
        return None  # a piece without its sign, or a name twice: cut off, or not theirs
    return pairs if all(map(_NAME.fullmatch, pairs)) else None


def read_errors(pairs: Mapping[str, str]) -> tuple[str, ...]:
    """The detailed codes of an answer, in their order; empty for one that went well."""
    if "ErrCode" not in pairs and "ErrInfo" not in pairs:
        return ()
    codes = tuple(pairs.get("ErrInfo", "").split("|"))
    # Something went wrong that we can't read: a code that no table has.
    return codes if all(map(_CODE.fullmatch, codes)) else ("unreadable",)


def weigh(codes: tuple[str, ...]) -> Meaning:
    """What a list of errors means: the most doubtful one decides."""
    if any(code in _TAKEN for code in codes):
        return "taken"
    if any(code in _DOUBTFUL or not code.startswith((*_REFUSED, _BUSY)) for code in codes):
        return "unknown"
    if codes and all(code in _NOT_THERE for code in codes):
        return "not_there"
    return "busy" if any(code.startswith(_BUSY) for code in codes) else "refused"
