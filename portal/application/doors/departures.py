"""Where a payer is about to go: the address of a company's page, kept for the very next request.

Zone: application. The vault told it in answer to the payment's start, and the payer's browser asks
for the page that leads there at once; so that answer serves, and the vault is not asked again. Kept
by a fingerprint of the authority that it was told to, given out once and to that authority alone,
for a few seconds. Whoever comes later, twice or to another process has the vault asked, which knows
whether the payer still has to go there. No authority is kept.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from portal.kit.crypto import sha256

if TYPE_CHECKING:
    from portal.contract.envelope import Authority
    from portal.kit.clock import Clock

KEPT_S: Final = 5.0
"""Long enough for a redirect over a slow line, too short for another payment in between."""

KEPT_MAX: Final = 1_000
"""Addresses kept at once; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """The company's page, and the way into its app; '' for what there is none of."""

    page: str = ""
    app: str = ""


class Departures:
    """The addresses that one process was told and has not passed on yet."""

    def __init__(self, clock: "Clock") -> None:
        """Nobody is leaving yet."""
        self._clock = clock
        self._kept: dict[tuple[bytes, str], tuple[WayOut, float]] = {}

    def keep(self, authority: "Authority", attempt: str, way: WayOut) -> None:
        """Remember where the holder of an authority goes for an attempt (its public id)."""
        now_s = self._now_s()
        place = _place(authority, attempt)
        self._kept.pop(place, None)
        self._kept[place] = way, now_s + KEPT_S
        while len(self._kept) > KEPT_MAX or next(iter(self._kept.values()))[1] < now_s:
            del self._kept[next(iter(self._kept))]

    def take(self, authority: "Authority", attempt: str) -> WayOut | None:
        """The way, the first time and in time; None else."""
        way, until = self._kept.pop(_place(authority, attempt), (WayOut(), 0.0))
        return way if self._now_s() < until else None

    def _now_s(self) -> float:
        return self._clock.wall().timestamp()


def _place(authority: "Authority", attempt: str) -> tuple[bytes, str]:
    return sha256(authority.capability), attempt
