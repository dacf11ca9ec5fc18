"""Convenience stores (コンビニ) where a bill is paid by a number, and what each may take. Pure.

Which number is typed where, in which order, and what is said at a register is in the texts of the
page (``page.store``): at FamilyMart the confirmation number (5 digits) comes before the customer
number (12), elsewhere after it; Seven-Eleven and Seicomart ask for one number at the register.

Source: GMO-PG's sample of a receipt page and the mail texts of its EC-CUBE module (2012 to 2014),
for codes 00007, 10001, 10002 and 10005; what the machines show today as merchants describe it
(FamilyMart, Lawson, Ministop: a fan club's help; Seven-Eleven: SB Payment Service's guide and
Remise's EC-CUBE module, which has Seicomart's register, too).
"""

from typing import Final, Literal, get_args

Store = Literal["seven_eleven", "lawson", "family_mart", "ministop", "seicomart"]

STORES: Final[frozenset[str]] = frozenset(get_args(Store))

AMOUNT_MAX: Final = 299_999
"""Yen that one number can be paid over: the stores' own limit is below 300,000."""

DAYS_MAX: Final = 59
"""A number is good for at most so long; companies' contracts say less."""
