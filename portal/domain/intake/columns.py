"""The header of a file of billing requests: which column is which, by English or Japanese names.

Order is free, unknown columns are kept out and reported, a missing one refuses the file. Pure.
"""

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.domain.errors import InvalidInput

ITEMS_MAX: Final = 5
REQUIRED: Final = (
    "number", "customer_no", "contract_no", "period", "payer_name", "amount", "due_on",
)  # fmt: skip
"""Columns without which no bill can be made; phone, email or address comes on top."""

REQUIRED_OF_CHANGES: Final = ("number", "contract_no", "period")
"""Columns without which no bill can be found, where a column says what each row does."""

UNKNOWN_SHOWN_MAX: Final = 20
NAME_LENGTH_MAX: Final = 40

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "number": ("請求番号", "請求書番号", "bill_number", "bill_no"),
    "customer_no": ("お客さま番号", "お客様番号", "顧客番号", "customer_number"),
    "contract_no": ("契約番号", "contract_number"),
    "kind": ("請求種別", "種別", "billing_cycle"),
    "period": ("対象期間", "請求年月", "対象年月", "利用年月"),
    "payer_name": ("氏名", "お名前", "契約者名", "請求先氏名", "name"),
    "payer_kana": ("フリガナ", "氏名カナ", "お名前カナ", "契約者名カナ", "name_kana"),
    "phone": ("電話番号", "携帯電話番号", "携帯番号", "mobile"),
    "email": ("メールアドレス", "メール", "mail", "e-mail"),
    "postal_code": ("郵便番号", "送付先郵便番号", "zip", "zip_code"),
    "address": ("住所", "送付先住所", "請求先住所", "postal_address"),
    "amount": ("請求金額", "金額", "請求額", "amount_minor"),
    "tax_10": ("消費税10%", "うち消費税10%"),
    "tax_8": ("消費税8%", "うち消費税8%"),
    "due_on": ("支払期限", "期限", "お支払期限", "due_date"),
    "language": ("言語", "lang"),
    "digital_consent": ("電子化同意日", "紙停止同意日", "digital_consent_on"),
    "digital_consent_source": ("電子化同意方法", "同意方法"),
    "action": ("処理区分",),
    "replaces": ("差替元請求番号", "replaces_number"),
}
_ITEM_ALIASES: Final[dict[str, str]] = {
    "label": "明細{0}内容",
    "amount": "明細{0}金額",
    "tax_rate": "明細{0}税率",
}


@dataclass(frozen=True, slots=True)
class Header:
    """``columns`` by our names in the file's order, '' for an unknown one.

    ``unknown`` are the names that we don't know, shortened, at most UNKNOWN_SHOWN_MAX.
    """

    columns: tuple[str, ...]
    unknown: tuple[str, ...]


def item_column(item: int, part: str) -> str:
    """The name of a line item's column, e.g. ``item1_label``; ``item`` counts from 1."""
    return f"item{item}_{part}"


def _names() -> dict[str, str]:
    names = {name: name for name in ALIASES}
    for name, aliases in ALIASES.items():
        names |= {_folded(alias): name for alias in aliases}
    for item in range(1, ITEMS_MAX + 1):
        for part, alias in _ITEM_ALIASES.items():
            name = item_column(item, part)
            names[name] = name
            names[_folded(alias.format(item))] = name
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lower().replace(" ", "_")


_COLUMN_BY_NAME: Final = _names()


def read_header(row: bytes, encoding: str) -> Header:
    """The columns of a file from its first row.

    Raises: InvalidInput, which refuses the file: ``header_unreadable`` (not in its encoding),
        ``delimiter_wrong`` (tabs or semicolons), ``column_missing`` (param ``columns``),
        ``column_twice`` (param ``column``).
    """
    try:
        text = row.decode(encoding)
    except UnicodeDecodeError as fault:
        raise InvalidInput("header_unreadable") from fault
    names = next(csv.reader([text]), list[str]())
    if len(names) == 1 and any(mark in text for mark in "\t;"):
        raise InvalidInput("delimiter_wrong")
    columns = tuple(_COLUMN_BY_NAME.get(_folded(name), "") for name in names)
    _check_present(columns)
    unknown = [
        name.strip()[:NAME_LENGTH_MAX]
        for name, column in zip(names, columns, strict=True)
        if not column and name.strip()
    ]
    return Header(columns, tuple(unknown[:UNKNOWN_SHOWN_MAX]))


def _check_present(columns: Sequence[str]) -> None:
    has_actions = "action" in columns
    needed = REQUIRED_OF_CHANGES if has_actions else REQUIRED
    missing = [name for name in needed if name not in columns]
    if not has_actions and not {"phone", "email", "address"} & set(columns):
        missing.append("phone")
    if "replaces" in columns and not has_actions:
        missing.append("action")  # or what it replaces would be asked for, too
    if missing:
        raise InvalidInput("column_missing", params={"columns": ", ".join(missing)})
    for column in columns:
        if column and columns.count(column) > 1:
            raise InvalidInput("column_twice", params={"column": column})
