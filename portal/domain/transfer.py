"""Refunds that go back by a bank's file (総合振込): the states of a file and of its lines. Pure.

A file is built, sealed, approved by someone else, and handed to the bank once. Nothing comes back
for a line: once the bank has taken a file its lines count as transferred on their day, and what
the bank sends back later somebody records, line by line.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from portal.domain.days import JAPAN, BankCalendar, cut_off
from portal.domain.errors import InvalidInput
from portal.domain.transition import Edge, take

TransferState = Literal[
    "building", "sealed", "approved", "sending", "accepted", "rejected", "unknown", "discarded"
]
TransferEvent = Literal["seal", "discard", "approve", "take_out", "accept", "reject", "lose"]
TransferDecision = Literal["approve", "discard"]
TransferWord = Literal["accepted", "rejected", "unknown"]
"""What is recorded of a file that was handed over: taken, refused as a whole, or nobody knows."""

LineState = Literal["in_file", "released", "transferred", "returned"]
LineEvent = Literal["release", "arrive", "send_back"]
Role = Literal["owner", "clerk"]

AHEAD_DAYS_MAX: Final = 30
"""Nobody is made to wait longer for money that is theirs; banks take files no earlier either."""

SUBMIT_DAYS_MAX: Final = 10

ENDED_FILE: Final[frozenset[TransferState]] = frozenset({"discarded", "rejected"})
"""States whose lines no bank transfers, as far as anybody knows."""

AWAITED: Final[frozenset[TransferState]] = frozenset({"approved", "sending", "unknown"})
"""States that a file leaves by somebody's word; one that is in them on its day is a case, or its
payers would wait for good."""

_DISCARDED: Final[Edge[TransferState]] = Edge("discarded", "transfer_file.discarded")
_REJECTED: Final[Edge[TransferState]] = Edge("rejected", "transfer_file.rejected")
_ACCEPTED: Final[Edge[TransferState]] = Edge("accepted", "transfer_file.accepted")

FILES: Final[dict[tuple[TransferState, TransferEvent], Edge[TransferState]]] = {
    ("building", "seal"): Edge("sealed", "transfer_file.sealed"),
    ("building", "discard"): _DISCARDED,
    ("sealed", "approve"): Edge("approved", "transfer_file.approved"),
    ("sealed", "discard"): _DISCARDED,
    ("approved", "discard"): _DISCARDED,
    ("approved", "take_out"): Edge("sending", "transfer_file.sending"),
    ("sending", "accept"): _ACCEPTED,
    ("sending", "reject"): _REJECTED,
    ("sending", "lose"): Edge("unknown", "transfer_file.unclear"),
    ("unknown", "accept"): _ACCEPTED,
    ("unknown", "reject"): _REJECTED,
}
"""Nothing leads back: what was taken out may be at the bank, so no other file for its day and
contract is made unless the bank refused it. Out of ``unknown`` leads the bank's word alone, by the
line or recorded by a person."""

LINES: Final[dict[tuple[LineState, LineEvent], Edge[LineState]]] = {
    ("in_file", "release"): Edge("released", "transfer.released"),
    ("in_file", "arrive"): Edge("transferred", "transfer.transferred"),
    ("transferred", "send_back"): Edge("returned", "transfer.returned"),
}
"""A line that was let go or sent back is over: the refund's next transfer is another line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTerms:
    """Until when a bank takes a file: so many business days before, by ``submit_by`` in Japan.

    Raises: InvalidInput ``transfer_contract`` (param ``field``).
    """

    submit_days: int
    submit_by: time

    def __post_init__(self) -> None:
        """Refuse days that no bank asks for."""
        if not 0 <= self.submit_days <= SUBMIT_DAYS_MAX:
            raise InvalidInput("transfer_contract", params={"field": "submit_days"})


def advance_file(state: TransferState, event: TransferEvent) -> Edge[TransferState]:
    """The next state of a file.

    Raises: Conflict ``transfer_file_state`` (params ``state``, ``event``).
    """
    return take(FILES, state, event, "transfer_file_state")


def advance_line(state: LineState, event: LineEvent) -> Edge[LineState]:
    """The next state of a line.

    Raises: Conflict ``transfer_state`` (params ``state``, ``event``).
    """
    return take(LINES, state, event, "transfer_state")


def check_day(calendar: BankCalendar, day: date, now: datetime) -> None:
    """Refuse a day on which banks rest, or which is too far ahead.

    Raises: InvalidInput ``transfer_day_wrong`` (params ``field``, ``day``: the next business day),
    ``calendar_ends``.
    """
    most = now.astimezone(JAPAN).date() + timedelta(days=AHEAD_DAYS_MAX)
    near = min(day, most)
    if day > most or not calendar.is_business_day(day):
        given = calendar.roll(near, "previous" if day > most else "next")
        params = {"field": "transferOn", "day": given.isoformat()}
        raise InvalidInput("transfer_day_wrong", params=params)


def next_day(
    calendar: BankCalendar, terms: TransferTerms, now: datetime
) -> tuple[date, datetime] | None:
    """The next day whose file can still come, and until when; None past the calendar's end."""
    day = now.astimezone(JAPAN).date()
    try:
        while True:
            day = calendar.roll(day)
            until = cut_off(calendar, terms, day)
            if now <= until:
                return day, until
            day += timedelta(days=1)
    except InvalidInput:
        return None


def is_gone(transfer_on: date, now: datetime) -> bool:
    """Whether the lines of a file that its bank took count as transferred: from its day in Japan.

    Banks tell of what they could not transfer, and of nothing else.
    """
    return transfer_on <= now.astimezone(JAPAN).date()


def choices_of(
    state: TransferState, role: Role | None, *, is_builder: bool, is_late: bool
) -> tuple[TransferDecision, ...]:
    """What someone may decide about a file; ``role`` None is a system, which decides nothing."""
    is_owner = role == "owner"
    offered: tuple[tuple[TransferDecision, bool], ...] = (
        ("approve", state == "sealed" and is_owner and not is_builder and not is_late),
        ("discard", (state, "discard") in FILES and (is_owner or is_builder)),
    )
    return tuple(choice for choice, is_offered in offered if is_offered and role is not None)
