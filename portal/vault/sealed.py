"""Data zone: what the sealed columns of bills and imports hold, and how they are opened.

One blob per row and class, bound to table, class, merchant, row and row version by
portal.vault.fields. Values of these types never leave the vault as they are: operations copy
into their replies just what the operation may reveal.
"""

from uuid import UUID

import msgspec

from portal.vault.fields import Fields

BILL_TABLE = "bill"
IMPORT_TABLE = "import"
ROW_FAULT_TABLE = "row_fault"


class BillContact(msgspec.Struct, frozen=True, array_like=True):
    """Who pays and how to reach them.

    ``phone`` is E.164 or empty, ``email`` may be empty, and so may be the postal address, which
    bills that were taken before it could be given don't have. ``payer_kana`` is the reading in
    katakana, or empty: it is never guessed.
    """

    payer_name: str
    phone: str
    email: str
    customer_no: str
    contract_no: str
    postal_code: str = ""
    address: str = ""
    payer_kana: str = ""


class BillItem(msgspec.Struct, frozen=True, array_like=True):
    """One line of a bill; the amount contains its tax. Units: minor units, whole percent."""

    label: str
    amount_minor: int
    tax_rate_percent: int


class BillTax(msgspec.Struct, frozen=True, array_like=True):
    """Consumption tax contained at one rate, as stated or computed. Units: whole percent, yen."""

    rate_percent: int
    tax_minor: int


class BillBilling(msgspec.Struct, frozen=True, array_like=True):
    """What is billed: at least one line, summing up to the bill's amount; tax by rate.

    ``cancel_reason`` is what a member of staff wrote when canceling the bill.
    """

    lines: tuple[BillItem, ...]
    taxes: tuple[BillTax, ...] = ()
    cancel_reason: str = ""


class ImportFacts(msgspec.Struct, frozen=True, array_like=True):
    """What the sender called the file, and the header's columns that we don't know."""

    filename: str
    unknown_columns: tuple[str, ...] = ()


class FaultValue(msgspec.Struct, frozen=True, array_like=True):
    """What stood in a faulty cell, shortened."""

    text: str


def open_contact(fields: Fields, bill_id: UUID, sealed_version: int, blob: bytes) -> BillContact:
    """The contact of a bill from its columns ``sealed_version`` and ``contact``.

    Raises: InvariantBroken when the blob was not sealed for just this row and version.
    """
    return fields.open(BILL_TABLE, "contact", bill_id, sealed_version, blob, BillContact)


def open_billing(fields: Fields, bill_id: UUID, sealed_version: int, blob: bytes) -> BillBilling:
    """The line items of a bill from its columns ``sealed_version`` and ``billing``.

    Raises: InvariantBroken when the blob was not sealed for just this row and version.
    """
    return fields.open(BILL_TABLE, "billing", bill_id, sealed_version, blob, BillBilling)
