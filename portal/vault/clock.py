"""The vault's clock: wall time, and business time moved by the offset that the database keeps."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.kit.clock import Clock, SystemClock


@dataclass(slots=True)
class VaultClock:
    """A clock whose business offset upkeep renews; ``wall_clock`` is where wall time comes from.

    Units: seconds. In production the offset stays 0 whatever the database says.
    """

    wall_clock: Clock
    offset_s: float = 0.0

    def wall(self) -> datetime:
        """The moment it really is, aware and in UTC."""
        return self.wall_clock.wall()

    def business_now(self) -> datetime:
        """Wall time moved by the offset."""
        return SystemClock.moved(self.wall(), self.offset_s)

    def business_today(self, zone: str) -> date:
        """The business date in an IANA time zone."""
        return SystemClock.date_in(self.business_now(), zone)
