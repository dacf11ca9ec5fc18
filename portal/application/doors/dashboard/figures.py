"""The dashboard's figures in words, made once for the first view and for every live event.

Zone: application. Takes the data of the operations Home, Summary, Import and ImportProgress; a
live event says exactly what a fresh page would say, because both come from here. No I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from portal.application.doors.chart import WIDTH_SMALL, LineChart, line_chart
from portal.application.doors.locales import TEXTS
from portal.application.doors.render import formats

MOVING: Final = frozenset({"receiving", "checking", "issuing", "discarding"})
"""States of an import in which its screen changes by itself."""

_SENT: Final = frozenset({"issuing", "issued"})
_FORGOTTEN: Final = frozenset({"discarding", "discarded"})
_MINUTE_S: Final = 60
DAYS_SHOWN: Final = 31
DAYS_AT_LEAST: Final = 7

_FUNNEL: Final = ("requested", "accepted", "delivered", "opened", "paid")


class Amount(msgspec.Struct, frozen=True):
    """Money as the operations ask for it. Units: yen."""

    amount: int


class SendingData(msgspec.Struct, frozen=True, rename="camel"):
    """An import's messages as Import and ImportProgress ask for them."""

    state: str
    planned: int
    left: int
    per_s: float
    seconds_left: int


class ImportData(msgspec.Struct, frozen=True, rename="camel"):
    """An import as the fragment ImportFacts asks for it."""

    id: str
    state: str
    received_bytes: int
    size_bytes: int | None
    rows_seen: int
    rows_good: int
    rows_faulty: int
    rows_known: int
    rows_issued: int
    amount_good: Amount
    sending: SendingData | None = None

    @property
    def is_sending(self) -> bool:
        """Whether it has messages that still have to go."""
        if self.sending is None or self.sending.state == "CANCELED":
            return False
        return self.stage in _SENT and self.sending.left > 0

    @property
    def stage(self) -> str:
        """The state in lower case, as texts name it."""
        return self.state.lower()


class FunnelData(msgspec.Struct, frozen=True):
    """Bills by how far they have come."""

    requested: int
    accepted: int
    delivered: int
    opened: int
    paid: int


class DayData(msgspec.Struct, frozen=True):
    """What came in on one day."""

    day: date
    bills: int
    amount: Amount


class SummaryData(msgspec.Struct, frozen=True, rename="camel"):
    """The field ``summary`` as Home and Summary ask for it."""

    requested_bills: int
    requested: Amount
    paid_bills: int
    paid: Amount
    returned: Amount
    unpaid_bills: int
    unpaid: Amount
    overdue_bills: int
    overdue: Amount
    never_opened_bills: int
    doubtful_bills: int
    undelivered_bills: int
    missed_promises: int
    bad_contacts: int
    open_cases: int
    funnel: FunnelData
    days: tuple[DayData, ...]
    imports: tuple[ImportData, ...]
    as_of: str


@dataclass(slots=True)
class Figures:
    """What a screen shows that may change: texts, bars (value, whole), SVG paths.

    ``structure`` names what can't be changed in place; when it differs, the page is loaded anew.
    """

    texts: dict[str, str] = field(default_factory=dict[str, str])
    bars: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    paths: dict[str, str] = field(default_factory=dict[str, str])
    marks: tuple[float, ...] = ()
    structure: str = ""


Need = Literal[
    "faults", "decide", "undelivered", "unopened", "overdue", "missed", "cases", "doubtful",
    "contacts",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One line of the list of what needs a person, and where to see to it."""

    key: Need
    href: str
    count: int


def needs_of(summary: SummaryData) -> tuple[NeedLine, ...]:
    """What needs a person now, the gravest first; empty when nothing does."""
    waiting = [item for item in summary.imports if item.stage == "checked"]
    faulty = [item for item in summary.imports if item.rows_faulty and item.stage not in _FORGOTTEN]
    faults_at = f"/d/imports/{faulty[0].id}" if len(faulty) == 1 else "/d/imports"
    decide_at = f"/d/imports/{waiting[0].id}" if len(waiting) == 1 else "/d/imports"
    rows = sum(item.rows_faulty for item in faulty)
    found = (
        NeedLine("cases", "/d/cases", summary.open_cases),
        NeedLine("decide", decide_at, len(waiting)),
        NeedLine("undelivered", "/d/bills?message=undelivered", summary.undelivered_bills),
        NeedLine("doubtful", "/d/bills?message=ambiguous", summary.doubtful_bills),
        NeedLine("contacts", "/d/contacts", summary.bad_contacts),
        NeedLine("missed", "/d/bills?pause=missed", summary.missed_promises),
        NeedLine("overdue", "/d/bills?state=overdue&settlement=unpaid", summary.overdue_bills),
        NeedLine("faults", faults_at, rows),
        NeedLine("unopened", "/d/unopened", summary.never_opened_bills),
    )
    return tuple(line for line in found if line.count)


def home_figures(summary: SummaryData, language: str, zone: str) -> Figures:
    """Everything on the first screen that moves."""
    say, shown = TEXTS[language].say, formats(language)
    figures = Figures()
    overdue = say("home.note_overdue", amount=shown.yen_short(summary.overdue.amount))
    returned = say("home.note_returned", amount=shown.yen_short(summary.returned.amount))
    kept = summary.paid.amount - summary.returned.amount
    figures.texts = {
        "as_of": shown.moment(summary.as_of, zone),
        "requested": shown.yen(summary.requested.amount),
        "requested_note": say("home.note_bills", n=summary.requested_bills),
        "paid": shown.yen(kept),
        "paid_note": say("home.note_bills", n=summary.paid_bills)
        + (f" · {returned}" if summary.returned.amount else ""),
        "rate": shown.share(kept, summary.requested.amount),
        "rate_note": say("home.note_rate"),
        "unpaid": shown.yen(summary.unpaid.amount),
        "unpaid_note": say("home.note_unpaid", n=summary.unpaid_bills)
        + (f" · {overdue}" if summary.overdue_bills else ""),
    }
    whole = summary.funnel.requested
    for key in _FUNNEL:
        count: int = getattr(summary.funnel, key)
        figures.texts[f"funnel_{key}"] = shown.count(count)
        figures.texts[f"funnel_{key}_share"] = shown.share(count, whole)
        figures.bars[f"funnel_{key}"] = (count, whole)
    needs = needs_of(summary)
    for line in needs:
        figures.texts[f"need_{line.key}"] = say(f"needs.{line.key}.n", n=line.count)
    for item in summary.imports:
        _add_import(figures, item, f"import_{item.id}", language)
    days = days_of(summary, zone)
    chart, small = charts_of(days)
    figures.paths = {
        "line": chart.line,
        "area": chart.area,
        "line_small": small.line,
        "area_small": small.area,
    }
    figures.marks = tuple(mark.y for mark in chart.marks)
    figures.structure = _digest(
        [line.key for line in needs],
        [(item.id, item.stage) for item in summary.imports],
        [day.day for day in days],
        [tick.value for tick in chart.ticks_y],
        [summary.requested_bills > 0],
    )
    return figures


def days_of(summary: SummaryData, zone: str) -> tuple[DayData, ...]:
    """The last DAYS_SHOWN days without a gap, the day of counting last.

    A day on which nothing came in is a day with zero; before the first money at least a week is
    shown. Nothing at all when no money ever came in.
    """
    if not summary.days:
        return ()
    known = {day.day: day for day in summary.days}
    counted = datetime.fromisoformat(summary.as_of).astimezone(ZoneInfo(zone)).date()
    last = max(counted, *known)
    week_ago = last - timedelta(days=DAYS_AT_LEAST - 1)
    first = max(min(week_ago, *known), last - timedelta(days=DAYS_SHOWN - 1))
    span = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(known.get(day) or DayData(day, 0, Amount(0)) for day in span)


def charts_of(days: Sequence[DayData]) -> tuple[LineChart, LineChart]:
    """The collection by day, for wide screens and for telephones."""
    values = [day.amount.amount for day in days]
    return line_chart(values), line_chart(values, WIDTH_SMALL)


def add_sending(figures: Figures, sending: SendingData, language: str) -> None:
    """How many messages have gone, and how long the rest takes."""
    say, shown = TEXTS[language].say, formats(language)
    sent = sending.planned - sending.left
    figures.bars["sent"] = (sent, sending.planned)
    figures.texts["sent"] = say("sending.sent", n=sending.planned, sent=shown.count(sent))
    figures.texts["time"] = say(
        "sending.time",
        n=sending.left,
        rate=shown.count(round(sending.per_s)),
        time=duration_text(sending.seconds_left, language),
    )


def duration_text(seconds: int, language: str) -> str:
    """A time as people say it, in hours and minutes; below a minute just that. Units: seconds."""
    say = TEXTS[language].say
    hours, minutes = divmod(-(-seconds // 60), 60)
    if seconds < _MINUTE_S:
        return say("sending.below_minute")
    if not hours:
        return say("sending.minutes", m=minutes)
    return say("sending.hours", h=hours, m=minutes)


def import_figures(item: ImportData, language: str) -> Figures:
    """Everything on one import's screen that moves."""
    shown = formats(language)
    figures = Figures()
    figures.texts = {
        "good": shown.count(item.rows_good),
        "faulty": shown.count(item.rows_faulty),
        "known": shown.count(item.rows_known),
        "amount": shown.yen(item.amount_good.amount),
        "progress": _progress_text(item, language),
    }
    figures.bars = {"progress": progress_of(item)}
    if item.sending is not None:
        add_sending(figures, item.sending, language)
    word = item.sending.state if item.sending else ""
    figures.structure = _digest([item.stage], [item.rows_faulty > 0], [item.is_sending], [word])
    return figures


def progress_of(item: ImportData) -> tuple[int, int]:
    """How far the import's present stage is, as (done, whole); (0, 0) while nobody can know."""
    if item.stage == "receiving":
        return (item.received_bytes, item.size_bytes or 0)
    judged = item.rows_good + item.rows_faulty + item.rows_known
    if item.stage == "checking":
        return (judged, max(item.rows_seen, judged))
    if item.stage == "issuing":
        return (item.rows_issued, item.rows_good)
    return (1, 1)


def as_event(figures: Figures) -> Mapping[str, object]:
    """The figures as a live event carries them."""
    return {
        "texts": figures.texts,
        "bars": figures.bars,
        "paths": figures.paths,
        "marks": figures.marks,
        "structure": figures.structure,
    }


def _add_import(figures: Figures, item: ImportData, key: str, language: str) -> None:
    say, shown = TEXTS[language].say, formats(language)
    judged = item.rows_good + item.rows_faulty + item.rows_known
    count = {
        "checking": judged,
        "checked": item.rows_good,
        "issuing": item.rows_issued,
        "issued": item.rows_issued,
    }.get(item.stage, 0)
    figures.texts[f"{key}_state"] = say(f"states.import.{item.stage}")
    figures.texts[key] = say(
        f"imports.line_state.{item.stage}",
        n=count,
        whole=item.rows_good,
        faulty=item.rows_faulty,
        done=shown.size(item.received_bytes),
    )
    figures.bars[key] = progress_of(item)


def _progress_text(item: ImportData, language: str) -> str:
    say, shown = TEXTS[language].say, formats(language)
    done, whole = progress_of(item)
    if item.stage == "receiving":
        received = shown.size(item.received_bytes)
        if item.size_bytes is None:
            return say("imports.progress.receiving_open", done=received)
        return say("imports.progress.receiving", done=received, whole=shown.size(item.size_bytes))
    if item.stage in {"checking", "issuing"}:
        return say(f"imports.progress.{item.stage}", n=done, whole=whole)
    return say("imports.progress.discarding") if item.stage == "discarding" else ""


def _digest(*parts: Sequence[object]) -> str:
    return sha256(msgspec.json.encode(parts)).hexdigest()[:12]
