"""Sample files of billing requests: rows with what must become of each, and their bytes. Pure."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from portal.domain.errors import InvalidInput
from portal.domain.money import tax_included_in
from portal.domain.sample.chance import Chance
from portal.domain.sample.faulty import WAYS, Cells
from portal.domain.sample.people import FAMILY, GIVEN, ITEMS, KANA, MAIL_HOSTS, SHOPS, TOWNS

HEADER: Final[tuple[str, ...]] = (
    "number", "customer_no", "contract_no", "kind", "period", "payer_name", "payer_kana", "phone",
    "email", "postal_code", "address", "amount", "tax_10", "due_on", "language",
    "item1_label", "item1_amount", "item1_tax_rate",
    "item2_label", "item2_amount", "item2_tax_rate",
    "item3_label", "item3_amount", "item3_tax_rate",
)  # fmt: skip
ROWS_MAX: Final = 10_000_000
ADDRESS_EVERY: Final = 3
"""Every so many rows have a postal address; which, is no matter of chance, so that a seed makes the
same payers with and without it."""

_WRITTEN_WAYS: Final = ("columns_count", "bad_encoding", "duplicate_in_file")
_NOT_IN_FILE: Final = b"\x81\xff"
"""Bytes that neither UTF-8 nor cp932 knows."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One row. ``fault`` is (column, code) of the one fault it has, None for a good row."""

    line: int
    cells: tuple[str, ...]
    fault: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """What to write. ``faulty_share`` is the share of rows spoiled, 0 to 1.

    ``encoding`` is ``utf-8``, ``utf-8-sig`` (with BOM) or ``cp932``; names that cp932 lacks are
    then left out. Raises: InvalidInput ``sample_malformed`` (param ``field``).
    """

    rows: int
    seed: int
    today: date
    faulty_share: float = 0.0
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse what can't be written."""
        if not 0 <= self.rows <= ROWS_MAX:
            raise InvalidInput("sample_malformed", params={"field": "rows"})
        if not 0 <= self.faulty_share <= 1:
            raise InvalidInput("sample_malformed", params={"field": "faulty_share"})
        if self.encoding not in {"utf-8", "utf-8-sig", "cp932"}:
            raise InvalidInput("sample_malformed", params={"field": "encoding"})


def sample_rows(wanted: SampleFile) -> Iterator[SampleRow]:
    """The rows in order, header left out; the first is on line 2."""
    chance = Chance(wanted.seed)
    families = [name for name in FAMILY if _fits(name, wanted.encoding)]
    givens = [name for name in GIVEN if _fits(name, wanted.encoding)]
    first: tuple[str, ...] | None = None
    for number in range(1, wanted.rows + 1):
        cells = _good(chance, wanted, number, (families, givens))
        fault: tuple[str, str] | None = None
        if chance.happens(wanted.faulty_share):
            fault = _spoil(cells, chance, wanted.today, may_repeat=first is not None)
        row = tuple(cells[column] for column in HEADER)
        if fault == ("number", "duplicate_in_file") and first is not None:
            row = first
        elif fault is None and first is None:
            first = row
        yield SampleRow(number + 1, row, fault)


def sample_file(wanted: SampleFile) -> Iterator[bytes]:
    """The file's bytes, a few hundred rows at a time: CRLF, quotes where needed."""
    encoding = "utf-8" if wanted.encoding == "utf-8-sig" else wanted.encoding
    if wanted.encoding == "utf-8-sig":
        yield b"\xef\xbb\xbf"
    yield _write(HEADER).encode(encoding)
    held: list[bytes] = []
    for row in sample_rows(wanted):
        held.append(_to_bytes(row, encoding))
        if len(held) == 500:  # noqa: PLR2004  # a piece of about 100 KB
            yield b"".join(held)
            held.clear()
    yield b"".join(held)


def _to_bytes(row: SampleRow, encoding: str) -> bytes:
    code = row.fault[1] if row.fault else ""
    if code == "columns_count":
        return _write((*row.cells, "余分")).encode(encoding)
    body = _write(row.cells).encode(encoding)
    if code == "bad_encoding":
        return body.replace(b",", b"," + _NOT_IN_FILE, 1)
    return body


def _write(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _spoil(cells: Cells, chance: Chance, today: date, *, may_repeat: bool) -> tuple[str, str]:
    ways = len(WAYS) + len(_WRITTEN_WAYS)
    way = chance.below(ways if may_repeat else ways - 1)
    if way < len(WAYS):
        return WAYS[way](cells, chance, today)
    code = _WRITTEN_WAYS[way - len(WAYS)]
    return ("number" if code == "duplicate_in_file" else "", code)


def _good(
    chance: Chance, wanted: SampleFile, number: int, names: tuple[Sequence[str], Sequence[str]]
) -> Cells:
    """A request as billing systems write them: several ways to write the same thing."""
    family, given = (chance.one_of(pool) for pool in names)
    space = chance.one_of((" ", "\u3000", ""))
    is_shop = chance.happens(0.05)
    name = chance.one_of(SHOPS) if is_shop else f"{family}{space}{given}"
    kana = KANA[name] if is_shop else f"{KANA[family]}\u3000{KANA[given]}"
    month = f"{wanted.today:%Y-%m}"
    amounts, labels = _items(chance)
    amount = sum(amounts)
    cells: Cells = dict.fromkeys(HEADER, "")
    cells |= {
        "number": f"E-{wanted.today:%Y%m}-{wanted.seed % 10_000:04d}-{number:07d}",
        "customer_no": f"{chance.digits(4)}-{number:08d}",
        "contract_no": f"C{number:08d}{chance.digits(2)}",
        "kind": chance.one_of(("monthly", "", "毎月")),
        "period": chance.one_of((month, month.replace("-", ""), month.replace("-", "/"))),
        "payer_name": name,
        "payer_kana": kana,
        "phone": _phone(chance),
        "email": f"payer{number}@{chance.one_of(MAIL_HOSTS)}" if chance.happens(0.4) else "",
        "amount": str(amount) if chance.happens(0.8) else f"{amount:,}",
        "tax_10": str(tax_included_in(amount, 10)),
        "due_on": _due(chance, wanted.today),
        "language": chance.one_of(("ja", "ja", "ja", "", "en", "ja-easy")),
    }
    if number % ADDRESS_EVERY == 0:
        code, town = TOWNS[number // ADDRESS_EVERY % len(TOWNS)]
        cells |= {"postal_code": code, "address": f"{town}{number % 9 + 1}-{number % 28 + 1}"}
    for place, (label, item) in enumerate(zip(labels, amounts, strict=True), start=1):
        cells[f"item{place}_label"] = label
        cells[f"item{place}_amount"] = str(item)
        cells[f"item{place}_tax_rate"] = "10"
    return cells


def _items(chance: Chance) -> tuple[list[int], tuple[str, ...]]:
    labels = chance.one_of(ITEMS)
    amounts = [chance.between(286, 1_980)] + [chance.between(3, 9_800) for _ in labels[1:]]
    return amounts, labels


def _phone(chance: Chance) -> str:
    head, middle, tail = chance.one_of(("070", "080", "090")), chance.digits(4), chance.digits(4)
    match chance.below(10):
        case 0:
            return f"{head}{middle}{tail}"
        case 1:
            return f"+81 {head[1:]} {middle} {tail}"
        case 2:
            return _full_width(f"{head}-{middle}-{tail}")
        case _:
            return f"{head}-{middle}-{tail}"


def _full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def _due(chance: Chance, today: date) -> str:
    due = today + timedelta(days=chance.between(10, 40))
    return chance.one_of((due.isoformat(), f"{due:%Y/%m/%d}", f"{due:%Y%m%d}"))
