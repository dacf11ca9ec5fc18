"""Debits of payers' accounts by a bank's file: the states of a file and of its lines. Pure.

A file is built, sealed, approved by someone else, and handed to the bank once. What the bank says
comes back as a file; until then every line may have moved money. A line that nobody can explain is
``unknown``: only another word of the bank leads out of it, and nothing is presented meanwhile.
"""

from datetime import date
from typing import Final, Literal

from portal.domain.days import BankCalendar, DebitTerms, debit_day
from portal.domain.errors import InvalidInput
from portal.domain.payment import DeclineCode
from portal.domain.transition import Edge, take
from portal.domain.zengin.result import Cause

FileState = Literal[
    "building", "sealed", "approved", "sending", "accepted", "rejected", "unknown", "answered",
    "discarded",
]  # fmt: skip
FileEvent = Literal["seal", "discard", "approve", "take_out", "accept", "reject", "lose", "answer"]
FileDecision = Literal["approve", "discard"]
BankWord = Literal["accepted", "rejected", "unknown"]
"""What is recorded of a file that was handed over: taken, refused as a whole, or nobody knows."""

DebitState = Literal[
    "selected", "in_file", "succeeded", "nsf", "failed", "stopped", "unknown", "withdrawn"
]
DebitEvent = Literal["write", "debited", "no_funds", "refuse", "stop", "doubt", "withdraw"]
Role = Literal["owner", "clerk"]

HELD_FILE: Final[frozenset[FileState]] = frozenset(
    {"building", "sealed", "approved", "sending", "accepted", "unknown", "answered"}
)
"""States in which a file keeps another one for its day and contract out."""

ENDED_FILE: Final[frozenset[FileState]] = frozenset({"discarded", "rejected"})
"""States whose lines the bank does not debit, as far as anybody knows."""

ANSWERABLE: Final[frozenset[FileState]] = frozenset(
    {"sending", "accepted", "unknown", "answered", "rejected"}
)
"""States in which the bank may have the file, so that its answer is welcome. A file that was said
to be refused is among them: if that was wrong money has moved, and must be booked."""

PRESENTED_AGAIN_MAX: Final = 1
"""A debit without funds is presented once more, where the agency offers it."""

_ANSWERED: Final[Edge[FileState]] = Edge("answered", "debit_file.answered")
_DISCARDED: Final[Edge[FileState]] = Edge("discarded", "debit_file.discarded")
_REJECTED: Final[Edge[FileState]] = Edge("rejected", "debit_file.rejected")

FILES: Final[dict[tuple[FileState, FileEvent], Edge[FileState]]] = {
    ("building", "seal"): Edge("sealed", "debit_file.sealed"),
    ("building", "discard"): _DISCARDED,
    ("sealed", "approve"): Edge("approved", "debit_file.approved"),
    ("sealed", "discard"): _DISCARDED,
    ("approved", "discard"): _DISCARDED,
    ("approved", "take_out"): Edge("sending", "debit_file.sending"),
    ("sending", "accept"): Edge("accepted", "debit_file.accepted"),
    ("sending", "reject"): _REJECTED,
    ("sending", "lose"): Edge("unknown", "debit_file.unclear"),
    ("sending", "answer"): _ANSWERED,
    ("unknown", "accept"): Edge("accepted", "debit_file.accepted"),
    ("unknown", "reject"): _REJECTED,
    ("unknown", "answer"): _ANSWERED,
    ("accepted", "answer"): _ANSWERED,
}
"""Nothing leads back: what was taken out may be at the bank, so it is never built or approved
again, and no other file for its day and contract is made unless the bank refused it."""

_SUCCEEDED: Final[Edge[DebitState]] = Edge("succeeded", "debit.succeeded")
_LATE: Final[Edge[DebitState]] = Edge("succeeded", "debit.succeeded_late")
_NSF: Final[Edge[DebitState]] = Edge("nsf", "debit.no_funds")
_FAILED: Final[Edge[DebitState]] = Edge("failed", "debit.failed")
_STOPPED: Final[Edge[DebitState]] = Edge("stopped", "debit.stopped")

DEBITS: Final[dict[tuple[DebitState, DebitEvent], Edge[DebitState]]] = {
    ("selected", "write"): Edge("in_file", "debit.in_file"),
    ("in_file", "withdraw"): Edge("withdrawn", "debit.withdrawn"),
    ("in_file", "debited"): _SUCCEEDED,
    ("in_file", "no_funds"): _NSF,
    ("in_file", "refuse"): _FAILED,
    ("in_file", "stop"): _STOPPED,
    ("in_file", "doubt"): Edge("unknown", "debit.unclear"),
    ("unknown", "debited"): _SUCCEEDED,
    ("unknown", "no_funds"): _NSF,
    ("unknown", "refuse"): _FAILED,
    ("unknown", "stop"): _STOPPED,
    ("nsf", "debited"): _LATE,
    ("failed", "debited"): _LATE,
    ("stopped", "debited"): _LATE,
    ("withdrawn", "debited"): _LATE,
}
"""Money that a later file of the bank tells of is believed whenever it comes."""

TELLS_ITSELF: Final = frozenset({("bank_debit", "payment.succeeded")})
"""What a debit's own event says of its attempt too, by method and code: one fact is one line of a
timeline. A success that comes late, and every failure, is told of both."""

EVENTS: Final[dict[Cause, DebitEvent]] = {
    "debited": "debited",
    "no_funds": "no_funds",
    "no_account": "refuse",
    "stopped_by_payer": "refuse",
    "no_mandate": "refuse",
    "stopped_by_us": "stop",
    "other": "doubt",
    "code_unknown": "doubt",
    "line_missing": "doubt",
    "line_differs": "doubt",
    "line_unexpected": "doubt",
}
"""What the bank's answer to a line means for it."""

DECLINES: Final[dict[DebitState, DeclineCode]] = {
    "nsf": "debit_no_funds",
    "failed": "debit_refused",
    "stopped": "debit_stopped",
    "withdrawn": "debit_withdrawn",
}
"""Why the attempt of a debit that brought nothing ended."""

SUSPENDS: Final[frozenset[str]] = frozenset({"no_account", "stopped_by_payer", "no_mandate"})
"""Causes after which the mandate is not used until somebody has cleared it up."""


def advance_file(state: FileState, event: FileEvent) -> Edge[FileState]:
    """The next state of a file.

    Raises: Conflict ``debit_file_state`` (params ``state``, ``event``).
    """
    return take(FILES, state, event, "debit_file_state")


def advance_debit(state: DebitState, event: DebitEvent) -> Edge[DebitState]:
    """The next state of a debit.

    Raises: Conflict ``debit_state`` (params ``state``, ``event``).
    """
    return take(DEBITS, state, event, "debit_state")


def takes(state: DebitState, cause: Cause) -> bool:
    """Whether a bank's answer to a debit moves it; one that says nothing new does not."""
    return (state, EVENTS[cause]) in DEBITS


def contradicts(state: DebitState, cause: Cause) -> bool:
    """Whether an answer says that money did not move which was booked.

    A debit that succeeded and is later said to have failed needs a person.
    """
    return state == "succeeded" and EVENTS[cause] in {"no_funds", "refuse", "stop"}


def check_day(calendar: BankCalendar, terms: DebitTerms, debit_on: date) -> None:
    """Refuse a day on which this contract debits nothing.

    The day is right if it is that of its own month, or of the month before when that one moved on.

    Raises: InvalidInput ``debit_day_wrong`` (params ``field``, ``day``: the one of that month),
    ``calendar_ends``.
    """
    before = date(debit_on.year - (debit_on.month == 1), (debit_on.month - 2) % 12 + 1, 1)
    own = debit_day(calendar, terms, debit_on.year, debit_on.month)
    if debit_on not in {own, debit_day(calendar, terms, before.year, before.month)}:
        raise InvalidInput("debit_day_wrong", params={"field": "debitOn", "day": own.isoformat()})


def choices_of(
    state: FileState, role: Role | None, *, is_builder: bool, is_late: bool
) -> tuple[FileDecision, ...]:
    """What someone may decide about a file; ``role`` None is a system, which decides nothing."""
    is_owner = role == "owner"
    offered: tuple[tuple[FileDecision, bool], ...] = (
        ("approve", state == "sealed" and is_owner and not is_builder and not is_late),
        ("discard", (state, "discard") in FILES and (is_owner or is_builder)),
    )
    return tuple(choice for choice, is_offered in offered if is_offered and role is not None)


def instruction_no(file_ms: int, line_no: int) -> str:
    """Our own number of one debit, 20 digits: when its file was made, and its line.

    Units: milliseconds since 1970; lines count from 1. It names nobody and no two are alike within
    a merchant: the database refuses the second.

    Raises: InvalidInput ``zengin_field`` past 14 and 6 digits.
    """
    if not (0 <= file_ms < 10**14 and 0 < line_no < 10**6):
        raise InvalidInput("zengin_field", params={"field": "instruction_no"})
    return f"{file_ms:014d}{line_no:06d}"


def number_prefix(file_ms: int) -> str:
    """What the numbers of all lines of a file begin with: behind it stands the line."""
    return instruction_no(file_ms, 1)[:-6]


def line_no_of(number: str) -> int:
    """The line that an instruction number of ours names in its file."""
    return int(number[-6:])
