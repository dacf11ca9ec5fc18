"""How rows go wrong in real files: each way spoils a good row and says which fault it has. Pure."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from portal.domain.sample.chance import Chance

Cells = dict[str, str]
Spoil = Callable[[Cells, Chance, date], tuple[str, str]]
"""Changes the cells; returns (column, code) of the fault that the judge must find."""


def _set(column: str, code: str, *values: str) -> Spoil:
    def spoil(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
        del today
        cells[column] = chance.one_of(values)
        return column, code

    return spoil


def _lose_zero(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    """A spreadsheet took the telephone for a number."""
    del today
    cells["phone"] = f"90{chance.digits(8)}"
    return "phone", "phone_zero_lost"


def _lose_digit(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del today
    cells["phone"] = f"080-{chance.digits(4)}-{chance.digits(3)}"
    return "phone", "phone_length"


def _no_contact(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del chance, today
    cells["phone"] = cells["email"] = cells["postal_code"] = cells["address"] = ""
    return "phone", "contact_missing"


def _past_due(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    cells["due_on"] = (today - timedelta(days=chance.between(1, 90))).isoformat()
    return "due_on", "due_past"


def _wrong_sum(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del today
    cells["item1_amount"] = str(int(cells["item1_amount"]) + chance.between(1, 9))
    return "amount", "items_sum"


def _long_name(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del today
    cells["payer_name"] += "様方" * chance.between(31, 40)
    return "payer_name", "text_too_long"


def _card_in_name(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del today
    shown = chance.one_of(("4242 4242 4242 4242", "3530-1113-3330-0000", "5555555555554444"))
    cells["payer_name"] = f"{cells['payer_name']} {shown}"
    return "payer_name", "card_number_refused"


def _no_item_amount(cells: Cells, chance: Chance, today: date) -> tuple[str, str]:
    del chance, today
    cells["item1_amount"] = ""
    return "item1_amount", "empty"


WAYS: Final[tuple[Spoil, ...]] = (
    _lose_zero,
    _lose_digit,
    _no_contact,
    _past_due,
    _wrong_sum,
    _long_name,
    _card_in_name,
    _no_item_amount,
    _set("number", "empty", "", " "),
    _set("customer_no", "empty", "", "-"),
    _set("contract_no", "empty", ""),
    _set("payer_name", "empty", ""),
    _set("payer_name", "control_character", "山田\u0007太郎", "佐藤\u001b花子"),
    _set("amount", "empty", ""),
    _set("amount", "amount_zero", "0", "￥0"),
    _set("amount", "amount_negative", "-8420", "▲8,420"),
    _set("amount", "amount_not_whole", "8420.5", "8,420.00", "8.42E+03"),
    _set("amount", "amount_malformed", "八千", "8420円位", "#REF!"),
    _set("amount", "amount_too_large", "10000000000", "99,999,999,999"),
    _set("due_on", "empty", ""),
    _set("due_on", "date_impossible", "2027-02-30", "20271301", "2027/11/31"),
    _set("due_on", "date_malformed", "12/10", "R8.12.10", "未定"),
    _set("due_on", "date_too_far", "2206-12-10"),
    _set("period", "period_malformed", "2026-13", "11月", "R8/11"),
    _set("phone", "phone_prefix", "0570-012-345", "0990-123-456", "0120-123-456"),
    _set("phone", "phone_characters", "なし", "090-XXXX-1234"),
    _set("email", "email_malformed", "taro@", "taro＠＠example.jp", "taro example.jp"),  # noqa: RUF001  # typed
    _set("kind", "unknown_kind", "weekly", "四半期"),
    _set("language", "unknown_language", "xx", "中国語"),
    _set("item1_tax_rate", "unknown_tax_rate", "5", "15"),
)
"""Ways that spoil cells; a wrong number of columns, bytes of another encoding, an open quote and a
repeated row are made where the row is written."""
