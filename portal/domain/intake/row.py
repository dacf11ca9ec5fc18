"""What the judge says about a row: a request to bill someone, or the faults that it has. Pure."""

from datetime import date
from typing import Final, Literal

import msgspec

from portal.domain.errors import Param
from portal.domain.intake.card_like import mask_long_numbers

VALUE_SHOWN_MAX: Final = 60
"""Characters of a faulty cell that are kept for the person who has to mend it."""

FAULTS_MAX: Final = 20
"""Faults kept of one row; more say nothing new."""

FAULT_CODES: Final[tuple[str, ...]] = (
    "action_missing",
    "amount_malformed",
    "amount_negative",
    "amount_not_whole",
    "amount_too_large",
    "amount_zero",
    "bad_encoding",
    "card_number_refused",
    "change_number",
    "change_paid",
    "change_part_paid",
    "change_twice",
    "change_under_way",
    "change_unknown",
    "change_withdrawn",
    "columns_count",
    "contact_missing",
    "control_character",
    "date_impossible",
    "date_malformed",
    "date_too_far",
    "due_past",
    "duplicate_in_file",
    "email_malformed",
    "empty",
    "items_needed",
    "items_sum",
    "kana_malformed",
    "known_canceled",
    "known_differs",
    "known_undecided",
    "period_malformed",
    "phone_characters",
    "phone_length",
    "phone_prefix",
    "phone_zero_lost",
    "postal_malformed",
    "postal_missing",
    "quote_open",
    "replaces_itself",
    "row_too_long",
    "tax_mismatch",
    "text_too_long",
    "unknown_action",
    "unknown_kind",
    "unknown_language",
    "consent_future",
    "unknown_consent_source",
    "unknown_tax_rate",
)
"""Every code that a row can be refused with; stable, translated by the doors."""


class Fault(msgspec.Struct, frozen=True):
    """One reason: physical line, our name of the column ('' for the whole row), what stood there.

    ``value`` is shortened and shows no card number.
    """

    line: int
    column: str
    code: str
    params: dict[str, Param]
    value: str


class Item(msgspec.Struct, frozen=True):
    """One line of a bill; the amount contains its tax, a discount is negative. Units: yen, %."""

    label: str
    amount_minor: int
    tax_rate_percent: int


class Taxed(msgspec.Struct, frozen=True):
    """Consumption tax contained at one rate. Units: whole percent, yen."""

    rate_percent: int
    tax_minor: int


class BillRequest(msgspec.Struct, frozen=True):
    """One good row, every value in its canonical form.

    ``phone``, ``email`` and the postal address may be '', but not all of them; ``payer_kana`` may.
    """

    line: int
    number: str
    customer_no: str
    contract_no: str
    kind: str
    period: str
    payer_name: str
    phone: str
    email: str
    amount_minor: int
    tax_minor: int
    items: tuple[Item, ...]
    taxes: tuple[Taxed, ...]
    due_on: date
    language: str
    postal_code: str = ""
    address: str = ""
    replaces: str = ""
    """The number of the bill of the same contract and period that this one replaces, or ''."""

    payer_kana: str = ""
    consent_on: date | None = None
    """The day on which its payer agreed to be billed without paper, and where."""

    consent_source: str = ""


class BillChange(msgspec.Struct, frozen=True):
    """One good row that withdraws a bill which is there already."""

    line: int
    action: Literal["cancel", "paid_elsewhere"]
    number: str
    contract_no: str
    kind: str
    period: str


def shown(value: str) -> str:
    """A cell's content as a fault may keep it: one line, shortened, card numbers masked."""
    flat = mask_long_numbers(" ".join(value.split()))
    return flat if len(flat) <= VALUE_SHOWN_MAX else flat[: VALUE_SHOWN_MAX - 1] + "…"
