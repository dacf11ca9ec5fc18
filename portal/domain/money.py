"""Money as whole minor units with a currency; there is no way to write a fraction or a float."""

from dataclasses import dataclass
from typing import Final, Literal, Self

Currency = Literal["JPY"]

AMOUNT_MINOR_MAX: Final = 2**53 - 1
"""Largest amount in minor units: what a JSON number carries without loss (RFC 8259 §6)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (yen has none, so 1 is one yen) of one currency.

    Raises ValueError past ±(2^53-1), TypeError for anything but a whole number.
    """

    amount_minor: int
    currency: Currency = "JPY"

    def __post_init__(self) -> None:
        """Refuse what is not a whole number of minor units within the bound."""
        if type(self.amount_minor) is not int:
            msg = "an amount is a whole number of minor units"
            raise TypeError(msg)
        if abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            msg = "amount out of bounds"
            raise ValueError(msg)

    def __add__(self, other: Self) -> Self:
        """Sum of two amounts of one currency."""
        self._same_currency(other)
        return type(self)(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        """Difference of two amounts of one currency."""
        self._same_currency(other)
        return type(self)(self.amount_minor - other.amount_minor, self.currency)

    def _same_currency(self, other: Self) -> None:
        if self.currency != other.currency:
            msg = "amounts of different currencies don't add"
            raise ValueError(msg)


def tax_included_in(amount_minor: int, rate_percent: int) -> int:
    """Consumption tax contained in a tax-included amount, rounded down as invoices do.

    Units: yen and whole percent. Source: Consumption Tax Act, art. 45 (fractions under one yen
    may be dropped once per rate and invoice).
    """
    return amount_minor * rate_percent // (100 + rate_percent)
