"""Repeatable chance. Pure; not for secrets."""

from collections.abc import Sequence
from typing import Final, TypeVar

_MASK: Final = (1 << 64) - 1

T = TypeVar("T")


class Chance:
    """SplitMix64: the same numbers for the same seed, for ever.

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """

    def __init__(self, seed: int) -> None:
        """Any whole number is a seed."""
        self._state = seed & _MASK

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, end: int) -> int:
        """A whole number from 0 up to, not including, ``end``."""
        return self._next() % end

    def between(self, first: int, last: int) -> int:
        """A whole number from ``first`` to ``last``, both included."""
        return first + self.below(last - first + 1)

    def one_of(self, things: Sequence[T]) -> T:
        """One of these."""
        return things[self.below(len(things))]

    def happens(self, share: float) -> bool:
        """Whether something that happens to this share of cases happens now."""
        return self._next() < share * (1 << 64)

    def digits(self, count: int) -> str:
        """So many digits; the first may be 0."""
        return f"{self.below(10**count):0{count}d}"
