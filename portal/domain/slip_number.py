"""The 44 digits of a payment slip: their fields, the check digit, when a stamp is due. Pure.

One number is one slip of one issue: shops, wallets' cameras and the post read it from the barcode
and send it back in their notices. How it is drawn is portal.domain.barcode's, what notices about it
mean portal.domain.slip_notice's. Nothing here knows a provider beyond what is given as terms.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from portal.domain.errors import InvalidInput

DIGITS: Final = 44
APPLICATION: Final = "91"
"""GS1 application identifier "company internal information": what payment slips agreed upon."""

NO_DEADLINE: Final = "999999"
AMOUNT_MAX: Final = 999_999
"""Six digits; what an agency takes is less (SlipTerms)."""

STAMP_FROM_MINOR: Final = 50_000
"""A receipt over so many yen without tax needs a revenue stamp. Source: Stamp Tax Act (印紙税法),
schedule 1 no. 17 (non-taxable below 50,000 yen since April 2014)."""

_CENTURY: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipTerms:
    """What a collection agency agreed to with an operator: data, never a truth of ours.

    Units: yen. ``maker_code``: 6 digits that the agency gives. ``scans_screens_at_registers``:
    whether shops of this agency take a slip from a telephone's screen; wallets' cameras always do.
    ``grace_days``: how long after the deadline notices may still come before a slip counts as
    expired. ``company_code``: 5 digits, the agency's number of the merchant. ``days_open``: a slip
    made out on or after the due date can be paid for so many days.
    """

    name: str
    maker_code: str
    company_code: str = "00000"
    is_public_money: bool = False
    days_open: int = 14
    amount_min: int = 1
    amount_max: int = 300_000
    scans_screens_at_registers: bool = False
    grace_days: int = 14

    def check_amount(self, amount_minor: int) -> None:
        """Refuse an amount that the agency does not take.

        Raises: InvalidInput ``slip_amount`` (params ``min``, ``max``): choose another method.
        """
        _check_amount(amount_minor, self.amount_min, min(self.amount_max, AMOUNT_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipNumber:
    """The fields of one number; only a number that follows every rule can be made.

    Units: yen. ``free``: 21 digits, the agency's own layout. ``issue``: 0 first, 1 to 9 for the
    nth time anew. ``pay_until``: the last day, None for a slip without one.

    Raises: InvalidInput ``slip_maker_code``, ``slip_free``, ``slip_issue``, ``slip_deadline``,
    ``slip_amount`` (params ``min``, ``max``).

    Source: GS1 Japan, guideline for payment slips with GS1-128, 6th edition (March 2024); positions
    as read by a collection agency's client and a register's parser.
    """

    maker_code: str
    free: str
    issue: int
    pay_until: date | None
    needs_stamp: bool
    amount_minor: int

    def __post_init__(self) -> None:
        """Refuse what no slip may say."""
        if not (_has_digits(self.maker_code, 6) and self.maker_code.startswith("9")):
            raise InvalidInput("slip_maker_code", params={"digits": 6})
        if not _has_digits(self.free, 21):
            raise InvalidInput("slip_free", params={"digits": 21})
        if not 0 <= self.issue <= 9:  # noqa: PLR2004  one digit
            raise InvalidInput("slip_issue", params={"max": 9})
        if self.pay_until and not _CENTURY <= self.pay_until.year < _CENTURY + 100:
            raise InvalidInput("slip_deadline")
        _check_amount(self.amount_minor, 1, AMOUNT_MAX)

    @property
    def key(self) -> str:
        """Maker, free field and issue: finds a slip even where the post left out the deadline."""
        return f"{self.maker_code}{self.free}{self.issue}"

    def digits(self) -> str:
        """All 44, as the barcode carries them."""
        first = (
            f"{APPLICATION}{self.key}{_write_deadline(self.pay_until)}"
            f"{self.needs_stamp:d}{self.amount_minor:06d}"
        )
        return f"{first}{check_digit(first)}"

    def lines(self) -> tuple[str, str]:
        """The two lines printed below the bars, for whoever has to type them."""
        digits = self.digits()
        return (
            f"({APPLICATION}){digits[2:8]}-{digits[8:30]}",
            f"{digits[30:36]}-{digits[36]}-{digits[37:43]}-{digits[43]}",
        )


def check_digit(digits: str) -> int:
    """Modulus 10, weight 3 from the right.

    Source: GS1 General Specifications §7.9 (check digit calculation).
    """
    odd, even = digits[::-2], digits[-2::-2]
    return -(3 * sum(map(int, odd)) + sum(map(int, even))) % 10


def parse(digits: str) -> SlipNumber:
    """The fields of 44 digits as a scanner or an agency gives them.

    Raises: InvalidInput ``slip_length`` (param ``digits``) for anything but 44 digits,
    ``slip_check_digit`` (params ``expected``, ``found``): read or typed wrongly, so read again;
    then whatever read_fields refuses.
    """
    if not _has_digits(digits, DIGITS):
        raise InvalidInput("slip_length", params={"digits": DIGITS})
    expected, found = check_digit(digits[:-1]), int(digits[-1])
    if expected != found:
        raise InvalidInput("slip_check_digit", params={"expected": expected, "found": found})
    return read_fields(digits)


def read_fields(digits: str) -> SlipNumber:
    """The fields without looking at the check digit, for who compares it with something better.

    Raises: InvalidInput ``slip_length`` (param ``digits``), ``slip_application``, ``slip_stamp``,
    ``slip_deadline`` and what SlipNumber refuses.
    """
    if not _has_digits(digits, DIGITS):
        raise InvalidInput("slip_length", params={"digits": DIGITS})
    if not digits.startswith(APPLICATION):
        raise InvalidInput("slip_application", params={"expected": APPLICATION})
    if digits[36] not in "01":
        raise InvalidInput("slip_stamp")
    return SlipNumber(
        maker_code=digits[2:8],
        free=digits[8:29],
        issue=int(digits[29]),
        pay_until=_read_deadline(digits[30:36]),
        needs_stamp=digits[36] == "1",
        amount_minor=int(digits[37:43]),
    )


def needs_stamp(amount_minor: int, tax_minor: int, *, is_public_money: bool = False) -> bool:
    """Whether the paper receipt of a cash payment needs a revenue stamp.

    Units: yen; ``tax_minor`` is the consumption tax that the bill shows separately, 0 if it shows
    none. Public money (rates, taxes) never does. Source: Stamp Tax Act (印紙税法), schedule 1
    no. 17 and art. 5; National Tax Agency, tax answer 7124 (tax shown separately is left out).
    """
    return not is_public_money and amount_minor - tax_minor >= STAMP_FROM_MINOR


def free_of_company(company_code: str, customer_no: str) -> str:
    """The free field of an agency that divides it into company (5) and customer number (16).

    A shorter customer number gets zeros in front. Raises: InvalidInput ``slip_company_code``,
    ``slip_customer_no`` (param ``digits``).
    """
    if not _has_digits(company_code, 5):
        raise InvalidInput("slip_company_code", params={"digits": 5})
    if not _has_digits(customer_no, len(customer_no)) or len(customer_no) > 16:  # noqa: PLR2004  as printed above
        raise InvalidInput("slip_customer_no", params={"digits": 16})
    return f"{company_code}{customer_no:0>16}"


def _has_digits(text: str, count: int) -> bool:
    return len(text) == count and text.isascii() and text.isdecimal()


def _check_amount(amount_minor: int, least: int, most: int) -> None:
    if not least <= amount_minor <= most:
        raise InvalidInput("slip_amount", params={"min": least, "max": most})


def _write_deadline(day: date | None) -> str:
    return NO_DEADLINE if day is None else f"{day:%y%m%d}"


def _read_deadline(written: str) -> date | None:
    if written == NO_DEADLINE:
        return None
    try:
        return date(_CENTURY + int(written[:2]), int(written[2:4]), int(written[4:]))
    except ValueError as fault:
        raise InvalidInput("slip_deadline") from fault
