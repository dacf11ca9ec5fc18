"""Business days of Japanese banks: when a debit really happens, until when its file may come. Pure.

National holidays come in as data with the day until which they are known (portal.kit.holidays makes
them); what an operator adds or takes away wins over everything. Which contract debits on which day
of the month, and how long before a file has to be there, is data of that contract (DebitTerms).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final, Literal, Protocol

from portal.domain.errors import InvalidInput

APPROVAL_LIFE_S: Final = 7 * 86_400
"""So long a sealed file may be approved at most; then it is discarded and can be built anew."""

JAPAN: Final = timezone(timedelta(hours=9), "JST")
"""Banks and shops in Japan keep one time the year round."""

BANK_HOLIDAYS: Final[frozenset[tuple[int, int]]] = frozenset({(12, 31), (1, 1), (1, 2), (1, 3)})
"""Month and day. Source: Banking Act (銀行法) art. 15, Order for Enforcement art. 5."""

KNOWN_AHEAD_MONTHS: Final = 14
"""A calendar that ends sooner than so many months ahead has to be renewed now."""

_SATURDAY: Final = 5

OVERRIDES_MAX: Final = 366
"""Days that an operator may close, and open, beside the calendar: more is another calendar."""

Roll = Literal["next", "previous"]
DayWord = Literal["closed", "open", "calendar"]
"""What an operator says of one day; ``calendar`` takes an earlier word back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankCalendar:
    """Which days are business days, for the days from ``since`` to ``until``, both included.

    ``holidays``: national ones. ``closed`` and ``opened``: what an operator says on top, for a
    holiday that was made or moved after the data was.

    Raises: InvalidInput ``calendar_contradicts`` (param ``day``) for a day that is both.
    """

    holidays: frozenset[date]
    since: date
    until: date
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse an operator's word and its contrary."""
        both = self.closed & self.opened
        if both:
            raise InvalidInput("calendar_contradicts", params={"day": min(both).isoformat()})

    def is_business_day(self, day: date) -> bool:
        """Whether banks work on that day.

        Raises: InvalidInput ``calendar_ends`` (params ``since``, ``until``) for a day that the
        data does not reach: a guess would debit on a holiday.
        """
        if not self.since <= day <= self.until:
            raise InvalidInput(
                "calendar_ends",
                params={"since": self.since.isoformat(), "until": self.until.isoformat()},
            )
        if day in self.opened or day in self.closed:
            return day in self.opened
        is_free = day.weekday() >= _SATURDAY or (day.month, day.day) in BANK_HOLIDAYS
        return not is_free and day not in self.holidays

    def roll(self, day: date, roll: Roll = "next") -> date:
        """The day itself if banks work on it, else the nearest business day that way."""
        step = timedelta(days=1 if roll == "next" else -1)
        while not self.is_business_day(day):
            day += step
        return day

    def before(self, day: date, business_days: int) -> date:
        """So many business days before ``day``, which is not counted itself."""
        for _ in range(business_days):
            day = self.roll(day - timedelta(days=1), "previous")
        return day

    def ends_soon(self, today: date) -> bool:
        """Whether the data ends less than KNOWN_AHEAD_MONTHS ahead, so that it must be renewed."""
        months = today.month - 1 + KNOWN_AHEAD_MONTHS
        year, month = today.year + months // 12, months % 12 + 1
        return self.until < date(year, month, min(today.day, monthrange(year, month)[1]))


def say_of_day(
    calendar: BankCalendar, day: date, word: DayWord
) -> tuple[frozenset[date], frozenset[date]]:
    """The days that are closed and opened once an operator has said ``word`` of ``day``.

    Raises: InvalidInput ``calendar_ends`` for a day that the data does not reach,
    ``bank_days_too_many`` (param ``max``).
    """
    calendar.is_business_day(day)
    closed, opened = calendar.closed - {day}, calendar.opened - {day}
    if word == "closed":
        closed |= {day}
    elif word == "open":
        opened |= {day}
    if max(len(closed), len(opened)) > OVERRIDES_MAX:
        raise InvalidInput("bank_days_too_many", params={"max": OVERRIDES_MAX})
    return closed, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitTerms:
    """What a bank or an agency agreed to: data of a contract.

    ``day_of_month``: 1 to 31; a month that is shorter takes its last day. ``submit_days``: business
    days before the debit by whose ``submit_by`` (Japan's time) the file has to be there.
    ``moves``: where a debit goes that falls on a holiday; no bank is known that takes it sooner.

    Raises: InvalidInput ``debit_terms`` (param ``field``).
    """

    day_of_month: int
    submit_days: int
    submit_by: time
    moves: Roll = "next"

    def __post_init__(self) -> None:
        """Refuse a day that no month has and a file that would come after its debit."""
        if not 1 <= self.day_of_month <= 31:  # noqa: PLR2004  no month has more days
            raise InvalidInput("debit_terms", params={"field": "day_of_month"})
        if self.submit_days < 1:
            raise InvalidInput("debit_terms", params={"field": "submit_days"})


class Submission(Protocol):
    """Until when a bank takes a file: so many business days before its day, by an hour."""

    @property
    def submit_days(self) -> int:
        """Business days before the file's day."""
        ...

    @property
    def submit_by(self) -> time:
        """The hour on that day, Japan's time."""
        ...


def debit_day(calendar: BankCalendar, terms: DebitTerms, year: int, month: int) -> date:
    """The day on which the debit of that month really happens; it may lie in the next month.

    Raises: InvalidInput ``calendar_ends`` (params ``since``, ``until``).
    """
    wanted = min(terms.day_of_month, monthrange(year, month)[1])
    return calendar.roll(date(year, month, wanted), terms.moves)


def cut_off(calendar: BankCalendar, terms: Submission, debit_on: date) -> datetime:
    """The moment until which the file for a debit, or transfer, on that day may arrive, aware.

    Raises: InvalidInput ``calendar_ends`` (params ``since``, ``until``).
    """
    day = calendar.before(debit_on, terms.submit_days)
    return datetime.combine(day, terms.submit_by, tzinfo=JAPAN)


def approval_life_s(calendar: BankCalendar, terms: Submission, day: date, now: datetime) -> float:
    """Seconds for which a file of that day may be approved: not past the bank's cut-off.

    Raises: InvalidInput ``calendar_ends``.
    """
    left_s = (cut_off(calendar, terms, day) - now).total_seconds()
    return max(0.0, min(APPROVAL_LIFE_S, left_s))


def is_in_time(calendar: BankCalendar, terms: Submission, debit_on: date, now: datetime) -> bool:
    """Whether a file that arrives ``now`` is still taken; the cut-off itself is in time.

    Raises: InvalidInput ``calendar_ends`` (params ``since``, ``until``).
    """
    return now <= cut_off(calendar, terms, debit_on)
