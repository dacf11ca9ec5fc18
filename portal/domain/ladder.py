"""The ladder: by which message a payer is told of a bill next, and when. Pure, one table of rungs.

A merchant's plan says for a class of bills (its kind; "" stands for every other) which rungs there
are. A rung is due at a moment counted from the bill's issue, its due date or a failed debit; it
falls away when what has happened makes it needless, and is skipped when its channel does not reach
the payer. What counts is what became of a message, never that a provider took it. Of rungs that
came due while nothing ran only the newest is said, and a bill is told of once a day at most.
Paper disturbs nobody: it waits for no hour, and comes at once where no channel reaches the payer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvariantBroken
from portal.domain.message import Channel
from portal.domain.paper import PaperReason, why_paper, why_untold

When = Literal["issue", "after_issue", "before_due", "after_due", "after_failure"]
Unless = Literal["", "opened", "delivered"]
Class = Literal["transactional", "marketing"]
Way = Channel | Literal["paper"]
"""By what a rung tells: a channel, or a slip on paper, which needs an address and no contact."""
ChoiceSource = Literal["page", "telephone", "letter", "mail", "counter", "contract"]
"""Where a payer said what they want; ``page``: themselves, on the bill's page; ``mail``: they have
unsubscribed there, and no mail comes any more, no first notice either."""

SkipReason = Literal[
    "opened", "delivered", "past", "overtaken", "no_contact", "channel_missing", "undelivered",
    "opted_out", "no_consent", "no_address", "on_paper", "digital",
]  # fmt: skip
HeldReason = Literal["", "quiet_hours", "holiday", "told_today", "cap", "paused", "waits"]

CAMPAIGN: Final = "ladder"
"""The campaign of every rung's delivery but the first notice's; its step is the rung's place."""
MARKETING: Final = "marketing"
"""The campaign of a rung of the marketing class: it goes only to who asked for it."""

SWITCH: Final = "switch"
"""The campaign of what staff have all be told who never looked: a reminder like a rung's."""

RUNGS_MAX: Final = 12
CLASSES_MAX: Final = 20
DAYS_MAX: Final = 366
CAP_MAX: Final = 100
WEEK: Final = 7
MARGIN: Final = timedelta(minutes=5)
"""Nothing is handed out so shortly before quiet hours that it might arrive in them."""

UNREACHED: Final[frozenset[SkipReason]] = frozenset(
    {"no_contact", "channel_missing", "undelivered", "opted_out", "no_consent", "no_address"}
)
"""Reasons for which the next rung counted from the issue takes the skipped one's place at once. One
counted from the due date keeps its day: what it says would not be true yet."""

_SUNDAY: Final = 6


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rung. ``days`` from the moment that ``when`` names; ``unless`` that has happened."""

    when: When
    channel: Way
    days: int = 0
    unless: Unless = ""
    kind: Class = "transactional"

    @property
    def medium(self) -> Channel:
        """The channel of a rung that is a message. Raises: InvariantBroken ``rung_by_paper``."""
        if self.channel == "paper":
            raise InvariantBroken("rung_by_paper")
        return self.channel


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When and how often people may be disturbed; the newest version holds for every bill.

    Quiet from ``quiet_from`` until ``quiet_until`` in the merchant's zone; both alike: never.
    ``rests``: nor on Sundays and national holidays. ``per_day`` and ``per_week``: messages to one
    person (one telephone number) over all bills of the merchant, first notices excepted.
    """

    quiet_from: time = time(21)
    quiet_until: time = time(8)
    rests: bool = False
    per_day: int = 2
    per_week: int = 5


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant's ladders by class of bill; "" is the class of every bill that has no own."""

    ladders: dict[str, tuple[Rung, ...]]
    hours: Hours = Hours()

    def rungs_of(self, kind: str) -> tuple[Rung, ...]:
        """The rungs for a bill of that kind; none when the plan has nothing for it."""
        return self.ladders.get(kind, self.ladders.get("", ()))


DEFAULT: Final = Plan(
    ladders={
        "": (
            Rung(when="issue", channel="sms"),
            Rung(when="after_issue", days=3, channel="email", unless="opened"),
            Rung(when="before_due", days=3, channel="sms"),
            Rung(when="after_due", days=2, channel="sms"),
            Rung(when="after_failure", channel="sms"),
        )
    }
)
"""For a merchant who has set no plan. The quiet hours are those of the Money Lending Business Act
for collection, kept by choice. Source: 貸金業法 art. 21; Regulation for Enforcement art. 19."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one bill at a moment. All moments are the merchant's local ones, aware.

    ``done``: one bit a rung that was sent or skipped. ``unreached``: channel, or paper → why it
    does not reach the payer; one that is missing does. ``choices``: what the payer said of a
    channel and a class, True for yes. ``unsubscribed``: channels by which they want nothing at all,
    no first notice either. ``last_told``: the day of the last message that did not come
    back. ``is_lost``: the newest message came back. ``told_days``: the days of this person's
    messages of the last week, over all bills. ``holidays``: national ones. ``again``: rung whose
    call reached nobody → when it is called once more, whenever it was due.
    """

    now: datetime
    issued_at: datetime
    due_on: date
    failed_at: datetime | None = None
    done: int = 0
    is_opened: bool = False
    is_delivered: bool = False
    is_lost: bool = False
    unreached: Mapping[Way, SkipReason]
    choices: Mapping[tuple[Channel, Class], bool]
    unsubscribed: Collection[Channel] = ()
    last_told: date | None = None
    told_days: Sequence[date] = ()
    holidays: frozenset[date] = frozenset()
    again: Mapping[int, datetime] = field(default_factory=dict[int, datetime])


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A rung that is passed over for good, and why."""

    rung: int
    reason: SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to a bill now: at most one rung is sent, some are skipped.

    ``until``: when to look again, None when nothing is to come by itself. ``held``: why a rung that
    is due waits; nothing is skipped then, as all is judged again. ``paper``: why the bill goes to
    the print shop now; ``printed``: rungs by paper that are over with that. ``untold``: why neither
    a message nor paper tells of the bill.
    """

    send: int | None = None
    skips: tuple[Skip, ...] = ()
    until: datetime | None = None
    held: HeldReason = ""
    paper: PaperReason | None = None
    printed: tuple[int, ...] = ()
    untold: PaperReason | None = None

    def done(self, before: int) -> int:
        """The bits of the rungs that are over, after this decision."""
        for place in (*(skip.rung for skip in self.skips), *self.printed):
            before |= 1 << place
        return before if self.send is None else before | 1 << self.send


def due_at(rung: Rung, facts: Facts) -> datetime | None:
    """When the rung is due; None for a failure that has not happened.

    What is counted from the due date begins with its day, what is counted from a moment keeps the
    hour.
    """
    zone = facts.now.tzinfo
    days = timedelta(days=rung.days)
    match rung.when:
        case "issue":
            return facts.issued_at
        case "after_issue":
            return facts.issued_at + days
        case "before_due":
            return datetime.combine(facts.due_on - days, time(), tzinfo=zone)
        case "after_due":
            return datetime.combine(facts.due_on + days, time(), tzinfo=zone)
        case "after_failure":
            return None if facts.failed_at is None else facts.failed_at + days


def why_not(rung: Rung, facts: Facts) -> SkipReason | None:
    """Why a rung that is due is not sent at all; None when it is."""
    if rung.unless == "opened" and facts.is_opened:
        return "opened"
    if rung.unless == "delivered" and (facts.is_delivered or facts.is_opened):
        return "delivered"
    if rung.when == "before_due" and facts.now.date() > facts.due_on:
        return "past"
    unreached = facts.unreached.get(rung.channel)
    if unreached is not None or rung.channel == "paper":
        return unreached
    said = facts.choices.get((rung.channel, rung.kind))
    if rung.kind == "marketing":
        return None if said else "no_consent"
    # The first notice tells of the bill at all: who stops reminders still has it, but it need not
    # ring, nor come where its reader has unsubscribed.
    stays = rung.when == "issue" and rung.channel not in {"voice", *facts.unsubscribed}
    return "opted_out" if said is False and not stays else None


def decide(rungs: Sequence[Rung], hours: Hours, facts: Facts) -> Decision:
    """What to do now about a bill that can be paid and is not paused."""
    order = _order(rungs, facts)
    fit, skips = _judge(rungs, facts, order)
    printed = tuple(place for place in fit if rungs[place].channel == "paper")
    fit = [place for place in fit if place not in printed]
    silences = [_silence(rung, facts) for rung in rungs if _tells(rung)]
    paper = why_paper(silences, facts.unreached.get("paper"), is_due=bool(printed))
    untold = why_untold(silences, facts.unreached.get("paper"))
    send: int | None = None
    if fit:
        send = fit[-1]
        until, held = _held_until(rungs[send], hours, facts)
        if held:
            later = _next([(at, place) for at, place in order if at > facts.now], {*printed})
            until = min(filter(None, (until, later)), default=None)
            return Decision(until=until, held=held, paper=paper, printed=printed)
        skips += [Skip(rung=place, reason="overtaken") for place in fit[:-1]]
    over = {*printed, *fit[-1:], *(skip.rung for skip in skips)}
    return Decision(
        send=send, skips=tuple(skips), until=_next(order, over), paper=paper, printed=printed,
        untold=untold,
    )  # fmt: skip


def tells_by_message(rungs: Sequence[Rung]) -> bool:
    """Whether a plan tells of a bill by messages at all, not only of a debit that failed."""
    return any(_tells(rung) and rung.when != "after_failure" for rung in rungs)


def _tells(rung: Rung) -> bool:
    """Whether it is a message about the bill, which a payer may be reached by."""
    return rung.channel != "paper" and rung.kind == "transactional"


def _silence(rung: Rung, facts: Facts) -> SkipReason | None:
    """Why messages such as this rung's don't reach the payer; None when they do."""
    said = facts.choices.get((rung.medium, rung.kind))
    return facts.unreached.get(rung.channel) or ("opted_out" if said is False else None)


def _order(rungs: Sequence[Rung], facts: Facts) -> list[tuple[datetime, int]]:
    """The rungs that are not over, by the moment at which they are due."""
    moments = [
        (at, place)
        for place, rung in enumerate(rungs)
        if not facts.done >> place & 1
        and (at := facts.again.get(place) or due_at(rung, facts)) is not None
    ]
    return sorted(moments)


def _judge(
    rungs: Sequence[Rung], facts: Facts, order: Sequence[tuple[datetime, int]]
) -> tuple[list[int], list[Skip]]:
    """The rungs that are due and would reach the payer, and those that are not to be sent."""
    fit: list[int] = []
    skips: list[Skip] = []
    takes_place = facts.is_lost
    for at, place in order:
        rung = rungs[place]
        is_early = takes_place and rung.when == "after_issue" and place not in facts.again
        if at > facts.now and not is_early:
            continue
        reason = why_not(rung, facts)
        if reason is None:
            fit.append(place)
            takes_place = False
        else:
            skips.append(Skip(rung=place, reason=reason))
            takes_place = takes_place or reason in UNREACHED
    return fit, skips


def _next(order: Sequence[tuple[datetime, int]], over: set[int]) -> datetime | None:
    return next((at for at, place in order if place not in over), None)


def _held_until(rung: Rung, hours: Hours, facts: Facts) -> tuple[datetime | None, HeldReason]:
    """Until when a rung that is due waits, and why; ``""`` when it may go now."""
    today = facts.now.date()
    midnight = datetime.combine(today + timedelta(days=1), time(), tzinfo=facts.now.tzinfo)
    if facts.last_told == today:
        return opens_at(midnight, hours, facts.holidays), "told_today"
    if rung.when != "issue" and _is_capped(hours, facts.told_days, today):
        return opens_at(midnight, hours, facts.holidays), "cap"
    opens = opens_at(facts.now, hours, facts.holidays)
    if opens == facts.now:
        return None, ""
    return opens, "holiday" if _rests(today, hours, facts.holidays) else "quiet_hours"


def _is_capped(hours: Hours, told_days: Sequence[date], today: date) -> bool:
    since = today - timedelta(days=WEEK - 1)
    lately = [day for day in told_days if since <= day <= today]
    return lately.count(today) >= hours.per_day or len(lately) >= hours.per_week


def is_quiet(moment: datetime, hours: Hours, holidays: frozenset[date] = frozenset()) -> bool:
    """Whether nobody may be disturbed at this local moment."""
    if _rests(moment.date(), hours, holidays):
        return True
    now = moment.time()
    if hours.quiet_from <= hours.quiet_until:
        return hours.quiet_from <= now < hours.quiet_until
    return now >= hours.quiet_from or now < hours.quiet_until


def is_near_quiet(moment: datetime, hours: Hours, holidays: frozenset[date]) -> bool:
    """Whether it is quiet, or will be before what is handed out now has surely arrived."""
    return is_quiet(moment, hours, holidays) or is_quiet(moment + MARGIN, hours, holidays)


def opens_at(moment: datetime, hours: Hours, holidays: frozenset[date]) -> datetime:
    """The first local moment from then on at which people may be disturbed; it may be then."""
    for _ in range(DAYS_MAX):
        if not is_quiet(moment, hours, holidays):
            return moment
        day = moment.date()
        ends = datetime.combine(day, hours.quiet_until, tzinfo=moment.tzinfo)
        if _rests(day, hours, holidays) or ends <= moment:
            tomorrow = day + timedelta(days=1)
            moment = datetime.combine(tomorrow, time(), tzinfo=moment.tzinfo)
        else:
            moment = ends
    return moment


def _rests(day: date, hours: Hours, holidays: frozenset[date]) -> bool:
    return hours.rests and (day.weekday() == _SUNDAY or day in holidays)
