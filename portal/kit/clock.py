"""The two clocks, for every zone: wall time and business time; nothing else may ask for the time.

Wall time is for leases, expiries, tokens and time-outs. Business time (due dates, ladders, nets)
is wall time plus an offset that the vault keeps, so that demos and drills travel in time while
nothing that guards security moves with them. New ids take their time and chance here too.
"""

import secrets
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.domain.ids import new_uuid7


class Clock(Protocol):
    """Where the time comes from; passed in, never imported as a fact."""

    def wall(self) -> datetime:
        """The moment it really is, aware and in UTC."""
        ...

    def business_now(self) -> datetime:
        """The moment it is for the business, aware and in UTC."""
        ...

    def business_today(self, zone: str) -> date:
        """The business date in an IANA time zone; KeyError-like ValueError for an unknown one."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock; ``offset_s`` moves business time only.

    Units: seconds, may be negative.
    """

    offset_s: float = 0.0

    def wall(self) -> datetime:
        """The moment it really is, aware and in UTC."""
        return datetime.fromtimestamp(time.time(), UTC)

    def business_now(self) -> datetime:
        """Wall time moved by the offset."""
        return self.moved(self.wall(), self.offset_s)

    def business_today(self, zone: str) -> date:
        """The business date in an IANA time zone.

        Raises: ZoneInfoNotFoundError (a KeyError) for a zone that does not exist.
        """
        return self.date_in(self.business_now(), zone)

    @staticmethod
    def moved(moment: datetime, offset_s: float) -> datetime:
        """A moment moved by an offset in seconds."""
        return moment + timedelta(seconds=offset_s)

    @staticmethod
    def date_in(moment: datetime, zone: str) -> date:
        """The date of a moment in an IANA time zone."""
        return moment.astimezone(_zone(zone)).date()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def new_id(clock: Clock) -> UUID:
    """A fresh UUIDv7: ordered by wall time to the microsecond, 62 bits of chance below that.

    To the millisecond was not enough: what one act tells a timeline came out in any order. Source:
    RFC 9562 §6.2, method 3 (the first twelve bits are a fraction of the millisecond).
    """
    unix_ms, below_us = divmod(int(clock.wall().timestamp() * 1_000_000), 1_000)
    fraction = (below_us << 12) // 1_000
    return new_uuid7(unix_ms, fraction << 68 | secrets.randbits(68))


_VARIANT: Final = (0b10 << 62) - (1 << 64)
"""The upper two bits of what follows the time, 10, as PostgreSQL reads them: a number below 0."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Fresh UUIDv7s for the rows of one statement, whose database puts each of them together.

    ``head`` is what all have in common, 16 hex digits, and ``tails`` what each has of its own, in
    order: ``($head || to_hex(tail))::uuid``. A tail is the first of 16: a row that becomes several
    adds 1, 2, … to it. A database that makes them itself asks the kernel for chance once a row,
    which takes longer than writing the row.
    """

    head: str
    tails: Sequence[int]

    def whole(self) -> list[UUID]:
        """The ids themselves, for rows that are made here."""
        head = int(self.head, 16) << 64
        return [UUID(int=head | tail + (1 << 64)) for tail in self.tails]


def new_ids(clock: Clock, count: int) -> Ids:
    """So many ids, ordered by wall time to the microsecond, then as they stand: 58 bits of chance.

    Source: RFC 9562 §6.2, methods 3 and 2 (what follows the time grows from id to id).
    """
    unix_ms, below_us = divmod(int(clock.wall().timestamp() * 1_000_000), 1_000)
    fraction = (below_us << 12) // 1_000
    chances = array("Q", secrets.token_bytes(8 * count))
    tails = sorted(_VARIANT + (chance >> 6 << 4) for chance in chances)
    return Ids(f"{unix_ms << 16 | 7 << 12 | fraction:016x}", tails)
