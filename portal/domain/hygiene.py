"""Contacts that don't reach their payer or may be somebody else's: kinds and reasons. Pure."""

from typing import Final, Literal

Problem = Literal["faulty", "doubted", "recycled", "shared", "missing"]
"""What is the matter with a contact. ``faulty``: messages come back from it. ``doubted``: somebody
there said that the bill is not theirs. ``recycled``: it was somebody else's before, who opened
messages there. ``shared``: bills of many contracts go there. ``missing``: there is none."""

ClearReason = Literal["confirmed", "restored", "mistake"]
"""Why messages go there again: the payer confirmed it, it works again, or it was an error."""

PROBLEMS: Final[tuple[Problem, ...]] = ("faulty", "doubted", "recycled", "shared", "missing")

SHARED_CONTRACTS: Final = 4
"""A family's number stands in a few contracts; from so many on, somebody wrote their own."""

DAYS: Final = 100
"""Bills issued within so many days are looked at: a quarter of a year and the days around it."""
