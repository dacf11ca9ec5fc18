"""When a merchant's own wording does not fit too many of its messages. Pure.

A text that does not fit a bill is not sent: the payer reads the built-in one, and nobody is hurt.
But whoever approved words is to hear that others were sent.
"""

from typing import Final

UNFIT_MIN: Final = 3
"""Fewer on a day tell of odd bills, not of a wording."""

UNFIT_PART: Final = 50
"""More than one in so many: a text that was looked at with an ordinary bill and the longest one
misses that seldom, so beyond it something else is the matter (a value that makes a link)."""

SHOWN_DAYS: Final = 31
"""Over how many days screens count."""


def is_over_share(told: int, unfit: int) -> bool:
    """Whether more than one in UNFIT_PART did not fit; of a whole some part must say so too."""
    return unfit * UNFIT_PART > told


def is_too_often(told: int, unfit: int) -> bool:
    """Whether staff are told; ``told`` are all of the wording's messages, ``unfit`` among them."""
    return unfit >= UNFIT_MIN and is_over_share(told, unfit)
