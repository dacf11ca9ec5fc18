"""The file that goes back to a billing system: what happened since the last one. Pure.

One row an event, by the merchant's own numbers and nothing personal; at the end how many there were
and how much, by kind. A file that was written never changes: it is sent again byte for byte, and
the merchant says by number and hash that it arrived.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from portal.domain.errors import Conflict, InvalidInput

ResultKind = Literal[
    "sent", "delivered", "opened", "paid_provisional", "paid_confirmed", "paid_reversed",
    "paid_restored", "refunded", "refund_returned", "canceled", "replaced", "to_paper",
    "not_printed",
]  # fmt: skip
"""What a row tells. ``paid_provisional``: a till took the money, its agency has not confirmed it.
``paid_reversed``: the till gave it back, or a company took it back. ``paid_restored``: a payment
that was taken back stands after all. ``refund_returned``: the bank sent a transfer back.
``to_paper``: the bill was handed to a print shop.
``not_printed``: it was not after all, as it had ended before the shop had the file."""

KINDS: Final[tuple[ResultKind, ...]] = (
    "sent", "delivered", "opened", "paid_provisional", "paid_confirmed", "paid_reversed",
    "paid_restored", "refunded", "refund_returned", "canceled", "replaced", "to_paper",
    "not_printed",
)  # fmt: skip
"""Every kind, in the order of the totals."""

ResultCharset = Literal["utf-8", "cp932"]
"""As in files of billing requests: UTF-8 without a mark, or Shift_JIS as Windows writes it."""

ResultState = Literal["writing", "ready", "acknowledged"]

COLUMNS: Final = (
    "file", "record", "number", "event", "bill_number", "kind", "period", "amount", "method", "at",
)  # fmt: skip
"""The header; docs/result-file.md says what stands in each."""

PART_ROWS: Final = 2_500
"""Rows in one sealed part: at 400 bytes a row, which none of ours has, it still fits."""

EVERY_MINUTES_MIN: Final = 5
EVERY_MINUTES_MAX: Final = 24 * 60
CHASE_AFTER: Final = timedelta(hours=24)
"""Who has not acknowledged a file after so long has a case."""

GETA: Final = "〓"
"""What stands for a letter that the charset lacks; only a merchant's own numbers can have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultEvent:
    """One row. ``amount_minor`` None where no money moved. Units: yen; ``at`` is aware."""

    kind: ResultKind
    bill_number: str
    bill_kind: str
    period: str
    amount_minor: int | None
    method: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many events of one kind, and how much they move. Units: yen."""

    rows: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPlan:
    """When files are made by themselves: one of the two, or neither (on demand only).

    ``daily_hour`` is an hour of the merchant's zone.
    """

    every_minutes: int | None = None
    daily_hour: int | None = None
    charset: ResultCharset = "utf-8"

    @property
    def wants_empty(self) -> bool:
        """Whether a file without events is made too: one a day says that all is well."""
        return self.daily_hour is not None


PILES_UP: Final = timedelta(days=31)
"""How old the oldest event may get that no file has: then one is made by itself, whatever the plan
says. Who makes files on demand, and never does, would else have events kept for ever."""


def check_plan(plan: ResultPlan) -> None:
    """Refuse what no clock can keep.

    Raises: InvalidInput ``result_plan`` (param ``field``).
    """
    every, hour = plan.every_minutes, plan.daily_hour
    if every is not None and not EVERY_MINUTES_MIN <= every <= EVERY_MINUTES_MAX:
        raise InvalidInput("result_plan", params={"field": "everyMinutes"})
    if hour is not None and (every is not None or not 0 <= hour < 24):  # noqa: PLR2004  hours of a day
        raise InvalidInput("result_plan", params={"field": "dailyHour"})


def read_result_charset(text: str) -> ResultCharset:
    """The charset of a file. Raises: InvalidInput ``print_charset`` (param ``field``)."""
    if text == "utf-8":
        return "utf-8"
    if text == "cp932":
        return "cp932"
    raise InvalidInput("print_charset", params={"field": "charset"})


def next_at(plan: ResultPlan, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the next file is due, after ``now``; None for a plan without a clock.

    What was missed while nothing ran is one file and not many. An hour that the zone skips is the
    one after it.
    """
    if plan.every_minutes is not None:
        return now + timedelta(minutes=plan.every_minutes)
    if plan.daily_hour is None:
        return None
    here = now.astimezone(zone)
    day = here.replace(hour=plan.daily_hour, minute=0, second=0, microsecond=0)
    if day <= here:
        day = (day + timedelta(days=1)).replace(hour=plan.daily_hour)
    return day.astimezone(now.tzinfo)


def is_chased(made_at: datetime, now: datetime) -> bool:
    """Whether a file that nobody acknowledged is old enough to ask for it."""
    return now - made_at >= CHASE_AFTER


def check_acknowledged(state: ResultState, sha256: str, told: str) -> None:
    """Whether what the merchant says it received is this file.

    Raises: Conflict ``result_unfinished``; InvalidInput ``result_hash_differs`` (param ``field``).
    """
    if state == "writing":
        raise Conflict("result_unfinished")
    if told.strip().lower() != sha256:
        raise InvalidInput("result_hash_differs", params={"field": "sha256"})


def write_head(charset: ResultCharset) -> bytes:
    """The header row."""
    return _encode([COLUMNS], charset)


def write_rows(
    number: int, first: int, events: Iterable[ResultEvent], zone: ZoneInfo, charset: ResultCharset
) -> bytes:
    """Rows of one part of file ``number``; ``first`` is the number of the first of them."""
    return _encode(
        (
            (
                number, "event", place, event.kind, event.bill_number, event.bill_kind,
                event.period, "" if event.amount_minor is None else event.amount_minor,
                event.method, _moment(event.at, zone),
            )
            for place, event in enumerate(events, first)
        ),
        charset,
    )  # fmt: skip


def write_end(
    number: int,
    totals: Mapping[str, Total],
    made_at: datetime,
    zone: ZoneInfo,
    charset: ResultCharset,
) -> bytes:
    """The last rows: what there is of each kind, and the end with the count of all."""
    rows: list[tuple[object, ...]] = [
        (number, "total", totals[kind].rows, kind, "", "", "", totals[kind].amount_minor, "", "")
        for kind in KINDS
        if kind in totals
    ]
    count = sum(total.rows for total in totals.values())
    rows.append((number, "end", count, "", "", "", "", "", "", _moment(made_at, zone)))
    return _encode(rows, charset)


def add_totals(totals: Mapping[str, Total], events: Iterable[ResultEvent]) -> dict[str, Total]:
    """The totals with more events."""
    summed = dict(totals)
    for event in events:
        before = summed.get(event.kind, Total(rows=0, amount_minor=0))
        summed[event.kind] = Total(
            rows=before.rows + 1, amount_minor=before.amount_minor + (event.amount_minor or 0)
        )
    return summed


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _encode(rows: Iterable[Iterable[object]], charset: ResultCharset) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    text = out.getvalue()
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return "".join(letter if _fits(letter, charset) else GETA for letter in text).encode(
            charset
        )


def _fits(letter: str, charset: ResultCharset) -> bool:
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
