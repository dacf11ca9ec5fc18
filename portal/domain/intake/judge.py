"""The verdict on a row: one billing request, or every fault that the sender must mend. Pure.

A row's faults are all found at once, so that a file is mended in one go. Today and the cap come
from the caller; nothing here knows what is already stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Literal, TypeVar

import msgspec

from portal.domain.bill_change import ACTIONS
from portal.domain.contact import (
    normalise_customer_no,
    normalise_email,
    normalise_kana,
    normalise_phone,
)
from portal.domain.errors import InvalidInput, Param
from portal.domain.intake.cells import (
    CONSENT_SOURCES,
    KINDS,
    LANGUAGES,
    TAX_RATES,
    half_width,
    read_address,
    read_amount,
    read_day,
    read_number,
    read_postal_code,
    read_text,
)
from portal.domain.intake.columns import ITEMS_MAX, item_column
from portal.domain.intake.row import (
    FAULTS_MAX,
    BillChange,
    BillRequest,
    Fault,
    Item,
    Taxed,
    shown,
)
from portal.domain.money import tax_included_in
from portal.domain.period import normalise_period

AMOUNT_MINOR_CAP: Final = 9_999_999_999
"""Largest bill in yen unless the caller sets another."""

DUE_YEARS_MAX: Final = 3
"""A due day further ahead is a slip of the keyboard."""

REMEMBERED_MAX: Final = 1_000
"""Distinct cells remembered by column that repeats (periods, due days, labels); never names."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What changes from day to day. ``today`` is the merchant's business day. Units: yen."""

    today: date
    amount_minor_cap: int = AMOUNT_MINOR_CAP


class Judge:
    """Judges rows under one header; keeps nothing between rows."""

    def __init__(self, columns: Sequence[str], rules: Rules) -> None:
        """``columns`` as portal.domain.intake.columns gave them, '' for an unknown one."""
        self._width = len(columns)
        self._places = {name: place for place, name in enumerate(columns) if name}
        self._rules = rules
        self._has_tax = "tax_10" in self._places or "tax_8" in self._places
        self._items = [
            tuple(item_column(item, part) for part in ("label", "amount", "tax_rate"))
            for item in range(1, ITEMS_MAX + 1)
            if item_column(item, "amount") in self._places
        ]
        self._due_last = date(rules.today.year + DUE_YEARS_MAX, 12, 31)
        self._label = _remembering(read_text)
        self._due = _remembering(self._read_due)
        self._consent = _remembering(self._read_consent)
        self._period = {
            kind: _remembering(partial(normalise_period, kind)) for kind in set(KINDS.values())
        }

    def judge(
        self, line: int, cells: Sequence[str]
    ) -> BillRequest | BillChange | tuple[Fault, ...]:
        """The request or change in canonical form, or the row's faults (at least one)."""
        if len(cells) != self._width:
            params: dict[str, Param] = {"expected": self._width, "found": len(cells)}
            return (Fault(line, "", "columns_count", params, shown(",".join(cells))),)
        sheet = _Sheet(line, {name: cells[place] for name, place in self._places.items()})
        request = self._read_row(sheet)
        return tuple(sheet.faults[:FAULTS_MAX]) if sheet.faults else request

    def _read_row(self, sheet: "_Sheet") -> BillRequest | BillChange:
        """What the row does: bill someone, as nearly all do, or change a bill that is there."""
        if "action" not in sheet.cells:
            return self._read(sheet)
        action = sheet.choice("action", ACTIONS, "unknown_action", "bill")
        if action in ("cancel", "paid_elsewhere"):
            return self._read_change(sheet, action)
        request = self._read(sheet)
        replaces = sheet.optional("replaces", read_number)
        if action == "bill":
            if replaces:
                sheet.fault("action", "action_missing")
            return request
        if not replaces:
            sheet.fault("replaces", "empty")
        elif replaces == request.number:
            sheet.fault("replaces", "replaces_itself")
        return msgspec.structs.replace(request, replaces=replaces)

    def _read_change(
        self, sheet: "_Sheet", action: Literal["cancel", "paid_elsewhere"]
    ) -> BillChange:
        kind = sheet.choice("kind", KINDS, "unknown_kind", "monthly")
        return BillChange(
            line=sheet.line,
            action=action,
            number=sheet.needed("number", read_number, ""),
            contract_no=sheet.needed("contract_no", _read_customer_no, ""),
            kind=kind,
            period=sheet.needed("period", self._period[kind], ""),
        )

    def _read(self, sheet: "_Sheet") -> BillRequest:
        number = sheet.needed("number", read_number, "")
        customer_no = sheet.needed("customer_no", _read_customer_no, "")
        contract_no = sheet.needed("contract_no", _read_customer_no, "")
        payer_name = sheet.needed("payer_name", read_text, "")
        payer_kana = sheet.optional("payer_kana", normalise_kana)
        kind = sheet.choice("kind", KINDS, "unknown_kind", "monthly")
        period = sheet.needed("period", self._period[kind], "")
        language = sheet.choice("language", LANGUAGES, "unknown_language", "ja")
        phone = sheet.optional("phone", normalise_phone)
        email = sheet.optional("email", normalise_email)
        postal_code = sheet.optional("postal_code", read_postal_code)
        address = sheet.optional("address", read_address)
        if address and not sheet.cells.get("postal_code", "").strip():
            sheet.fault("postal_code", "postal_missing")
        if not any(sheet.cells.get(name, "").strip() for name in ("phone", "email", "address")):
            sheet.fault("phone", "contact_missing")
        amount_minor = sheet.needed("amount", self._read_bill_amount, 0)
        due_on = sheet.needed("due_on", self._due, self._rules.today)
        consent_on, consent_source = self._read_digital(sheet)
        items, taxes = self._read_money(sheet, amount_minor)
        return BillRequest(
            line=sheet.line,
            number=number,
            customer_no=customer_no,
            contract_no=contract_no,
            kind=kind,
            period=period,
            payer_name=payer_name,
            phone=phone,
            email=email,
            amount_minor=amount_minor,
            tax_minor=sum(taxed.tax_minor for taxed in taxes),
            items=items,
            taxes=taxes,
            due_on=due_on,
            language=language,
            postal_code=postal_code,
            address=address,
            payer_kana=payer_kana,
            consent_on=consent_on,
            consent_source=consent_source,
        )

    def _read_digital(self, sheet: "_Sheet") -> tuple[date | None, str]:
        """The day on which the payer agreed to no paper, and where; None and '' without a word."""
        names = ("digital_consent", "digital_consent_source")
        if not any(sheet.cells.get(name, "").strip() for name in names):
            return None, ""
        on = sheet.needed(names[0], self._consent, self._rules.today)
        return on, sheet.choice(names[1], CONSENT_SOURCES, "unknown_consent_source", "file")

    def _read_consent(self, text: str) -> date:
        day = read_day(text)
        if day > self._rules.today:
            raise InvalidInput("consent_future", params={"today": self._rules.today.isoformat()})
        return day

    def _read_bill_amount(self, text: str) -> int:
        amount = read_amount(text)
        if amount == 0:
            raise InvalidInput("amount_zero")
        if amount < 0:
            raise InvalidInput("amount_negative")
        if amount > self._rules.amount_minor_cap:
            raise InvalidInput("amount_too_large", params={"max": self._rules.amount_minor_cap})
        return amount

    def _read_due(self, text: str) -> date:
        day = read_day(text)
        if day < self._rules.today:
            raise InvalidInput("due_past", params={"today": self._rules.today.isoformat()})
        if day > self._due_last:
            raise InvalidInput("date_too_far", params={"years": DUE_YEARS_MAX})
        return day

    def _read_money(
        self, sheet: "_Sheet", amount_minor: int
    ) -> tuple[tuple[Item, ...], tuple[Taxed, ...]]:
        """Line items and tax per rate, from items, from tax columns, or from neither."""
        items = tuple(item for names in self._items if (item := self._read_item(sheet, *names)))
        stated = self._read_stated_tax(sheet, amount_minor) if self._has_tax else ()
        if items and not sheet.faults:
            total = sum(item.amount_minor for item in items)
            if total != amount_minor:
                sheet.fault("amount", "items_sum", sum=total)
            computed = _tax_per_rate(items)
            if stated:
                self._compare_tax(sheet, stated, computed, len(items))
            return items, stated or computed
        if len(stated) > 1 and not items:
            sheet.fault("tax_8", "items_needed")
        rate = stated[0].rate_percent if stated else 0
        return (Item("", amount_minor, rate),), stated

    def _read_item(
        self, sheet: "_Sheet", label_column: str, amount_column: str, rate_column: str
    ) -> Item | None:
        label = sheet.optional(label_column, self._label)
        if not sheet.cells[amount_column].strip():
            if label:
                sheet.fault(amount_column, "empty")
            return None
        amount = sheet.needed(amount_column, self._read_item_amount, 0)
        if not label and label_column in sheet.cells:
            sheet.fault(label_column, "empty")
        rate = sheet.choice(rate_column, TAX_RATES, "unknown_tax_rate", 10)
        return Item(label, amount, rate)

    def _read_item_amount(self, text: str) -> int:
        amount = read_amount(text)
        if abs(amount) > self._rules.amount_minor_cap:
            raise InvalidInput("amount_too_large", params={"max": self._rules.amount_minor_cap})
        return amount

    def _read_stated_tax(self, sheet: "_Sheet", amount_minor: int) -> tuple[Taxed, ...]:
        taxes: list[Taxed] = []
        for column, rate in (("tax_10", 10), ("tax_8", 8)):
            if not sheet.cells.get(column, "").strip():
                continue
            tax = sheet.needed(column, read_amount, 0)
            if tax < 0:
                sheet.fault(column, "amount_negative")
            elif tax > tax_included_in(amount_minor, rate) + 1 and amount_minor:
                sheet.fault(column, "tax_mismatch", rate=rate)
            elif tax:
                taxes.append(Taxed(rate, tax))
        return tuple(taxes)

    @staticmethod
    def _compare_tax(
        sheet: "_Sheet", stated: Sequence[Taxed], computed: Sequence[Taxed], items: int
    ) -> None:
        """Whoever rounds once per item may be a yen off for each; more is another sum."""
        expected = {taxed.rate_percent: taxed.tax_minor for taxed in computed}
        for taxed in stated:
            if abs(expected.get(taxed.rate_percent, 0) - taxed.tax_minor) > items:
                column = f"tax_{taxed.rate_percent}"
                sheet.fault(column, "tax_mismatch", rate=taxed.rate_percent)


class _Sheet:
    """One row while it is read: its cells by name and the faults found so far."""

    __slots__ = ("cells", "faults", "line")

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self.line = line
        self.cells = cells
        self.faults: list[Fault] = []

    def fault(self, column: str, code: str, **params: Param) -> None:
        value = shown(self.cells.get(column, ""))
        self.faults.append(Fault(self.line, column, code, params, value))

    def needed(self, column: str, read: Callable[[str], T], otherwise: T) -> T:
        """The cell's value; a fault and ``otherwise`` when it is empty or wrong."""
        text = self.cells.get(column, "")
        if not text.strip():
            self.fault(column, "empty")
            return otherwise
        try:
            return read(text)
        except InvalidInput as refusal:
            self.fault(column, refusal.code, **refusal.params)
            return otherwise

    def optional(self, column: str, read: Callable[[str], str]) -> str:
        text = self.cells.get(column, "")
        return self.needed(column, read, "") if text.strip() else ""

    def choice(self, column: str, choices: Mapping[str, T], code: str, otherwise: T) -> T:
        written = self.cells.get(column, "")
        chosen = choices.get(written)
        if chosen is not None:
            return chosen
        chosen = choices.get(half_width(written).lower())
        if chosen is None:
            self.fault(column, code)
            return otherwise
        return chosen


def _remembering(read: Callable[[str], T]) -> Callable[[str], T]:
    """The same function, computed once for a cell that a thousand rows share."""
    known: dict[str, T] = {}

    def read_once(text: str) -> T:
        value = known.get(text)
        if value is None:
            value = read(text)
            if len(known) < REMEMBERED_MAX:
                known[text] = value
        return value

    return read_once


def _read_customer_no(text: str) -> str:
    number = read_number(text)
    normalise_customer_no(number)
    return number


def _tax_per_rate(items: Sequence[Item]) -> tuple[Taxed, ...]:
    """Tax contained at each rate, rounded down once per rate; discounts count against it."""
    sums: dict[int, int] = {}
    for item in items:
        rate = item.tax_rate_percent
        sums[rate] = sums.get(rate, 0) + item.amount_minor
    return tuple(
        Taxed(rate, tax_included_in(total, rate))
        for rate, total in sorted(sums.items(), reverse=True)
        if rate and total > 0
    )
