"""A rule for refunds: where a request says which refund it is, so that the vault can compare.

Zone: egress; pure. Under such a rule nothing leaves before the vault has heard which refund it is,
and agreed that what the request says of it is so. So whether a refund left is the relay's to say,
whatever the worker tells afterwards, and one refund can't go under another's name.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from portal.egress.denial import Denied

_PLACE: Final = re.compile(r"body:(?:/[^/~\x00-\x1f]{1,64}){1,8}")
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class RefundPlaces(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Where the body says them: our reference, the payment, what goes back, what remains.

    An empty place is not compared: some companies know no reference of a refund, or are told what
    remains instead of what goes back.
    """

    reference: str = ""
    payment: str = ""
    amount: str = ""
    remaining: str = ""

    def faults(self) -> Iterator[str]:
        """What is wrong with the places."""
        for name in self.__struct_fields__:
            place: str = getattr(self, name)
            if place and _PLACE.fullmatch(place) is None:
                yield f"refund: {name} is no place of a body"


class SaidOfRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of its refund; None where the rule names no place.

    Units: amounts in minor units.
    """

    reference: str | None
    payment: str | None
    amount_minor: int | None
    remaining_minor: int | None


def read_said(places: RefundPlaces, at: Callable[[str], object]) -> SaidOfRefund:
    """What a body says at these places; ``at`` gives what stands at one.

    Raises: Denied ``place_not_as_fixed`` where something else than a text or a sum stands there.
    """
    return SaidOfRefund(
        reference=_text(places.reference, at),
        payment=_text(places.payment, at),
        amount_minor=_sum(places.amount, at),
        remaining_minor=_sum(places.remaining, at),
    )


def _text(place: str, at: Callable[[str], object]) -> str | None:
    if not place:
        return None
    found = at(place)
    if not isinstance(found, str):
        raise Denied("place_not_as_fixed")
    return found


def _sum(place: str, at: Callable[[str], object]) -> int | None:
    """A whole number, however it is written; what else a company might read as one is none."""
    if not place:
        return None
    found = at(place)
    if isinstance(found, str) and _DIGITS.fullmatch(found) is not None:
        return int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise Denied("place_not_as_fixed")
