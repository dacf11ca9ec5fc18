"""A bill's slip: when it can be had, until when it is good, what its notices come to. Pure.

The 44 digits are portal.domain.slip_number's, what one notice means portal.domain.slip_notice's.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID

from portal.domain.days import JAPAN
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.methods import AGENCIES
from portal.domain.slip_notice import PAYABLE, SlipCase, SlipState, SlipVerdict
from portal.domain.slip_number import (
    AMOUNT_MAX,
    SlipNumber,
    SlipTerms,
    free_of_company,
    needs_stamp,
)

ISSUE_MAX: Final = 9
"""One digit counts how often a slip was made out anew."""

UNCONFIRMED_DAYS: Final = 21
"""So long a till's word keeps a bill from being paid. Agencies confirm within about ten days; what
nobody confirmed by then was lost on its way, or was never true."""

TOLD_WITHIN: Final = timedelta(days=400)
"""A notice that says an older day than this is wrong about it."""

DAYS_OPEN_MAX: Final = 180
GRACE_DAYS_MAX: Final = 180

_CUSTOMER: Final = 10**16
_MAKER: Final = re.compile(r"9[0-9]{5}")
_COMPANY: Final = re.compile(r"[0-9]{5}")

LineResult = Literal["pending", "posted", "voided", "noted", "duplicate", "set_aside", "refused"]
"""What became of one line of a file. ``pending``: a till's word is noted, ``posted``: money is
booked, ``voided``: a till's word is taken back, ``noted``: known now, no money moved by it,
``set_aside``: kept, for a person to look at; ``refused``: it could not be read."""

SlipCaseKind = Literal[
    "slip_unknown", "slip_differs", "slip_check_digit", "slip_amount_mismatch",
    "slip_reversal_unmatched", "slip_reversal_contradicts", "slip_paid_twice",
    "slip_after_deadline", "slip_replaced_paid", "slip_postal_correction", "slip_not_owed",
    "slip_unconfirmed",
]  # fmt: skip

_CASES: Final[dict[SlipCase, SlipCaseKind]] = {
    "slip_unknown": "slip_unknown",
    "slip_differs": "slip_differs",
    "slip_check_digit": "slip_check_digit",
    "amount_mismatch": "slip_amount_mismatch",
    "reversal_unmatched": "slip_reversal_unmatched",
    "reversal_contradicts": "slip_reversal_contradicts",
    "paid_twice": "slip_paid_twice",
    "after_deadline": "slip_after_deadline",
    "replaced_paid": "slip_replaced_paid",
    "postal_correction": "slip_postal_correction",
}
_RESULTS: Final[dict[str | None, LineResult]] = {
    "pend": "pending",
    "post": "posted",
    "void": "voided",
    None: "noted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipBill:
    """What a slip is made out for. Units: yen; ``tax_minor`` is shown separately on the bill."""

    bill_id: UUID
    amount_minor: int
    tax_minor: int
    due_on: date


def check_terms(terms: SlipTerms) -> None:
    """Refuse terms by which no slip could be made out.

    Raises: NotFound ``provider_unknown`` for an agency whose notices nobody here can read;
    InvalidInput ``slip_maker_code``, ``slip_company_code`` (param ``digits``), ``slip_amount``
    (params ``min``, ``max``), ``slip_days`` (param ``max``).
    """
    if terms.name not in AGENCIES:
        raise NotFound("provider_unknown")
    if not _MAKER.fullmatch(terms.maker_code):
        raise InvalidInput("slip_maker_code", params={"digits": 6})
    if not _COMPANY.fullmatch(terms.company_code):
        raise InvalidInput("slip_company_code", params={"digits": 5})
    if not 1 <= terms.amount_min <= terms.amount_max <= AMOUNT_MAX:
        raise InvalidInput("slip_amount", params={"min": 1, "max": AMOUNT_MAX})
    if not (1 <= terms.days_open <= DAYS_OPEN_MAX and 0 <= terms.grace_days <= GRACE_DAYS_MAX):
        raise InvalidInput("slip_days", params={"max": DAYS_OPEN_MAX})


def last_day(bill: SlipBill, today: date, lapse_after_days: int | None, days_open: int) -> date:
    """Until when a slip that is made out today can be paid: never longer than its bill.

    The due date as long as ``days_open`` are left until then, else so many days from today.
    """
    until = max(bill.due_on, today + timedelta(days=days_open))
    if lapse_after_days is None:
        return until
    return min(until, bill.due_on + timedelta(days=lapse_after_days))


def make_out(terms: SlipTerms, bill: SlipBill, issue: int, pay_until: date) -> SlipNumber:
    """The number of a bill's slip, the ``issue``-th anew.

    The customer number comes from the random part of the bill's id, so nobody can guess another's.

    Raises: Conflict ``slip_issues_spent`` (param ``max``) past the ninth; InvalidInput as
    SlipTerms and SlipNumber have it.
    """
    if issue > ISSUE_MAX:
        raise Conflict("slip_issues_spent", params={"max": ISSUE_MAX})
    terms.check_amount(bill.amount_minor)
    return SlipNumber(
        maker_code=terms.maker_code,
        free=free_of_company(terms.company_code, str(bill.bill_id.int % _CUSTOMER)),
        issue=issue,
        pay_until=pay_until,
        needs_stamp=needs_stamp(
            bill.amount_minor, bill.tax_minor, is_public_money=terms.is_public_money
        ),
        amount_minor=bill.amount_minor,
    )


def still_good(state: SlipState, number: SlipNumber, amount_minor: int, today: date) -> bool:
    """Whether a slip that is there can be shown: else the bill needs one made out anew."""
    in_time = number.pay_until is None or today <= number.pay_until
    return state in PAYABLE and in_time and number.amount_minor == amount_minor


def case_of(
    verdict: SlipVerdict, *, amount_minor: int, owed_minor: int, announced_minor: int
) -> SlipCaseKind | None:
    """The case that a verdict asks for, the bill being as it was before.

    What the slip alone can't tell: that its bill takes no money any more, because it was paid some
    other way, or canceled. Units: yen.
    """
    if verdict.case is not None:
        return _CASES[verdict.case]
    comes_new = verdict.effect == "pend"
    return "slip_not_owed" if comes_new and owed_minor - announced_minor < amount_minor else None


def paid_at(received_on: date, received_at: time | None, now: datetime) -> datetime:
    """When the payer paid, by the till's clock; the post gives only the day.

    It is what a receipt says, and days before the agency confirms it. A day that can't be true
    (yet to come, or long past) counts as ``now``.
    """
    moment = datetime.combine(received_on, received_at or time(), JAPAN)
    return moment if now - TOLD_WITHIN <= moment <= now else now


def result_of(verdict: SlipVerdict) -> LineResult:
    """What became of a line that was read."""
    if verdict.is_duplicate:
        return "duplicate"
    return _RESULTS[verdict.effect] if verdict.counts else "set_aside"
