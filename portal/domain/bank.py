"""Banks and branches by code and by reading, and how a Yucho account is written for others. Pure.

Codes are the key: names change, and a mandate keeps the codes that it was given with. Where the
rows come from is portal.kit.banks' concern; a table with days of validity may follow it.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from portal.domain.errors import InvalidInput, NotFound

FOUND_MAX: Final = 50
"""Most rows of one search: whoever sees as many types another letter."""

YUCHO: Final = "9900"
"""Japan Post Bank (ゆうちょ銀行)."""

_LARGE: Final = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One branch of a bank. ``code``: 3 digits, unique in its bank. ``kana``: its reading."""

    code: str
    name: str
    kana: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """One bank. ``code``: 4 digits. ``kana``: its reading."""

    code: str
    name: str
    kana: str


class _Read(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def kana(self) -> str: ...

    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=_Read)


class _Shelf(Generic[T]):
    """Things by code, and by the beginning of their reading or of their name."""

    def __init__(self, things: Iterable[T]) -> None:
        self.by_code = {thing.code: thing for thing in things}
        self._read = sorted(
            {
                (fold(text), thing.code)
                for thing in self.by_code.values()
                for text in (thing.kana, thing.name)
            }
        )

    def starting(self, text: str) -> tuple[T, ...]:
        """As it was typed first; then without what banks and branches all are called."""
        typed = fold(text)
        codes: dict[str, None] = {}
        for wanted in (typed, typed.removesuffix("銀行").removesuffix("支店") or typed):
            place = bisect_left(self._read, (wanted, ""))
            # Each stands there twice at most: by its reading and by its name.
            for known, code in self._read[place : place + 2 * FOUND_MAX]:
                if not known.startswith(wanted) or len(codes) == FOUND_MAX:
                    break
                codes[code] = None
        return tuple(self.by_code[code] for code in codes)


class Banks:
    """All banks and their branches; never changed once made."""

    def __init__(self, rows: Mapping[Bank, Iterable[Branch]]) -> None:
        """Keep what ``rows`` says: bank → its branches."""
        self._banks = _Shelf(rows)
        self._branches = {bank.code: _Shelf(branches) for bank, branches in rows.items()}

    def bank(self, code: str) -> Bank:
        """The bank with that code.

        Raises: NotFound ``bank_unknown``.
        """
        found = self._banks.by_code.get(code)
        if found is None:
            raise NotFound("bank_unknown")
        return found

    def branch(self, bank_code: str, code: str) -> Branch:
        """The branch with that code.

        Raises: NotFound ``bank_unknown``, ``branch_unknown``.
        """
        found = self._branches_of(bank_code).by_code.get(code)
        if found is None:
            raise NotFound("branch_unknown")
        return found

    def banks_starting(self, text: str) -> tuple[Bank, ...]:
        """Banks whose reading or name begins so, at most FOUND_MAX.

        Small kana and large, hiragana and katakana, half width and full are all the same.
        """
        return self._banks.starting(text)

    def branches_starting(self, bank_code: str, text: str) -> tuple[Branch, ...]:
        """Branches of a bank whose reading or name begins so, at most FOUND_MAX.

        Raises: NotFound ``bank_unknown``.
        """
        return self._branches_of(bank_code).starting(text)

    def _branches_of(self, bank_code: str) -> _Shelf[Branch]:
        found = self._branches.get(bank_code)
        if found is None:
            raise NotFound("bank_unknown")
        return found


def fold(kana: str) -> str:
    """A reading as it is compared: katakana, large, no spaces."""
    wide = unicodedata.normalize("NFKC", kana)
    katakana = "".join(
        chr(ord(letter) + 0x60) if "\u3041" <= letter <= "\u3096" else letter for letter in wide
    )
    large = "".join(katakana.upper().split()).translate(_LARGE)
    # A voiced mark that was typed apart had a space before it until now.
    return unicodedata.normalize("NFC", large)


def yucho_transfer_account(symbol: str, number: str) -> tuple[str, str]:
    """Branch and account, as other banks write an ordinary Yucho account for a *transfer*.

    ``symbol`` (記号) has 5 digits and begins with 1, ``number`` (番号) has up to 8 and ends with 1:
    the branch is the symbol's second and third digit and 8, the account is the number without its
    last digit. A debit file may want the symbol and number themselves instead: its agency says so.

    Raises: InvalidInput ``yucho_symbol``, ``yucho_number``. Giro accounts (symbols beginning with
    0) are refused: their rule is not confirmed here.

    Source: Japan Post Bank's guide to receiving transfers from other banks, as independently
    retold; the branches that come out exist in the banks' own list (code 9900).
    """
    if not (len(symbol) == 5 and symbol.isascii() and symbol.isdecimal() and symbol[0] == "1"):  # noqa: PLR2004  as printed in a passbook
        raise InvalidInput("yucho_symbol")
    is_number = number.isascii() and number.isdecimal() and number.endswith("1")
    if not (is_number and 2 <= len(number) <= 8):  # noqa: PLR2004  as printed in a passbook
        raise InvalidInput("yucho_number")
    return f"{symbol[1:3]}8", number[:-1].zfill(7)
