"""Convenience stores (コンビニ) where a bill is paid by a number, and what each may take. Pure."""

from typing import Final, Literal, get_args

Store = Literal["seven_eleven", "lawson", "family_mart", "ministop", "seicomart"]

STORES: Final[frozenset[str]] = frozenset(get_args(Store))

AMOUNT_MAX: Final = 299_999
"""Yen that one number can be paid over: the stores' own limit is below 300,000."""

DAYS_MAX: Final = 59
"""A number is good for at most so long; companies' contracts say less."""
