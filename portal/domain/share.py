"""One payment for several bills, or for a part of one: what each bill gets of it. Pure.

Several bills are always paid with all that is left of each; a part is only ever of one bill. So the
sum that a payer agrees to says by itself what becomes of every bill.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.domain.errors import Conflict, InvalidInput
from portal.domain.money import AMOUNT_MINOR_MAX

BILLS_MAX: Final = 12
"""Bills of one payment: a year of months. More are paid in a second payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBounds:
    """What a payer may pay of a bill if not all of it. Units: minor units, both ends included."""

    least_minor: int
    most_minor: int


def part_bounds(left_minor: int, least_minor: int | None) -> PartBounds | None:
    """Between what a part of ``left_minor`` has to be; None where no part may be paid.

    ``least_minor`` is the merchant's least, None where it takes no parts. What stays has to be as
    much again, so that no payment is smaller than the merchant wants any to be.
    """
    if least_minor is None or left_minor < 2 * least_minor:
        return None
    return PartBounds(least_minor=least_minor, most_minor=left_minor - least_minor)


def check_part(part_minor: int, left_minor: int, least_minor: int | None) -> None:
    """Refuse an amount that may not be paid of a bill of which ``left_minor`` is left.

    Raises: Conflict ``part_not_taken``; InvalidInput ``part_out_of_bounds`` (params ``least``,
    ``most``).
    """
    bounds = part_bounds(left_minor, least_minor)
    if bounds is None:
        raise Conflict("part_not_taken")
    if not bounds.least_minor <= part_minor <= bounds.most_minor:
        raise InvalidInput(
            "part_out_of_bounds", params={"least": bounds.least_minor, "most": bounds.most_minor}
        )


def check_least(least_minor: int | None) -> None:
    """Refuse a merchant's least part that is none. Raises: InvalidInput ``part_least``."""
    if least_minor is not None and not 0 < least_minor <= AMOUNT_MINOR_MAX:
        raise InvalidInput("part_least", params={"max": AMOUNT_MINOR_MAX})


def split(
    own: UUID, left: Mapping[UUID, int], part_minor: int | None, least_minor: int | None
) -> dict[UUID, int]:
    """What each bill gets of one payment: all that is left of it, or of a single bill a part.

    ``own`` is the bill whose link is used; ``left`` says what is left of it and of the others.
    The shares stand in the order of the ids, and their sum is the payment.

    Raises: Conflict ``part_not_taken``; InvalidInput ``part_out_of_bounds``, ``too_many_bills``
    (param ``most``), ``part_of_several``.
    """
    if len(left) > BILLS_MAX:
        raise InvalidInput("too_many_bills", params={"most": BILLS_MAX})
    if part_minor is None:
        return {bill_id: left[bill_id] for bill_id in sorted(left)}
    if len(left) > 1:
        raise InvalidInput("part_of_several")
    check_part(part_minor, left[own], least_minor)
    return {own: part_minor}
