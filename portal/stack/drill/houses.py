"""Whose the storm's bills are, what they are over, and how each household pays. Pure.

Stack only. By its number a bill is one of four of a household that leaves its card with the first,
one of two that may be paid at once, or the only one of its contract.
"""

from typing import Final

from portal.stack.payers import KEPT

ROWS: Final = 300
CARD_BILLS: Final = 48
"""Bills of households that leave a card, from number 0 on."""

PAIRED_BILLS: Final = 140
"""From there to this number bills come in pairs."""

LEAVERS: Final = CARD_BILLS // 4

_EACH_CARD: Final = (KEPT, KEPT, "keep:4000000000000341", "keep:4000000000000069")
"""Cards that are good for charges, have no money for one, and have expired by then."""

_ANSWER_LOST: Final = 40_405
_FAULTY: Final = {60: 40_404, 120: 40_500, 180: 40_429}
_EACH_LOST: Final = 40
_EACH_LARGE: Final = 7


def amount_of(number: int) -> int:
    """Amounts at which openings and charges fail in every way, or a refund needs a second person.

    Units: yen.
    """
    if number in _FAULTY:
        return _FAULTY[number]
    if number % _EACH_LOST == 1:
        return _ANSWER_LOST
    return (12_000 if number % _EACH_LARGE == 0 else 5_000) + number


def household_of(number: int) -> int:
    """The number of the first bill of the same contract."""
    if number < CARD_BILLS:
        return number - number % 4
    return number - number % 2 if number < PAIRED_BILLS else number


def leaves(household: int) -> str | None:
    """The card that a household leaves while paying its first bill; None: it leaves none."""
    return _EACH_CARD[household // 4 % 4] if household < CARD_BILLS else None


def has_several(household: int) -> bool:
    """Whether the household may want to pay two bills at once."""
    return CARD_BILLS <= household < PAIRED_BILLS


def chargeable() -> frozenset[str]:
    """Numbers of the bills that may be charged to a card, as the merchant writes them.

    Any of a household: its card is left with the bill whose message comes first.
    """
    return frozenset(f"D-{number:08d}" for number in range(CARD_BILLS))
