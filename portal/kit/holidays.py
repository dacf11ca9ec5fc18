"""National holidays of Japan for portal.domain.days, from the jpholiday package. No network.

The package computes them by the laws in force when it was released; a law that comes later needs a
newer package or an operator's word.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final

import jpholiday

from portal.domain.days import BankCalendar

SINCE: Final = date(2020, 1, 1)
UNTIL: Final = date(2028, 12, 31)
"""The last year that is taken from the locked package. Whoever raises the lock and has compared the
years that follow raises this; BankCalendar.ends_soon says when it is time."""


def bank_calendar(closed: Iterable[date] = (), opened: Iterable[date] = ()) -> BankCalendar:
    """The banks' calendar, with the days that an operator closed or opened on top.

    Raises: InvalidInput ``calendar_contradicts`` (param ``day``).
    """
    return BankCalendar(
        holidays=national_holidays(),
        since=SINCE,
        until=UNTIL,
        closed=frozenset(closed),
        opened=frozenset(opened),
    )


@cache
def national_holidays() -> frozenset[date]:
    """National holidays of Japan from SINCE to UNTIL."""
    return frozenset(day for day, _ in jpholiday.between(SINCE, UNTIL))
