"""`portal drill reach`: a month of bills whose carriers swallow a fifth of all text messages.

Stack only. The business clock goes through a month; payers open what arrives after hours of their
own, some pay at once, some only when reminded, some never. When each message arrived is read from
the carriers' and the mail company's own books, by the clock that held then. Prints one JSON object;
exit code 0 only if payers whose text messages are swallowed were reached in time, nobody was
disturbed in quiet hours, and nothing arrived after a payment.
"""

import asyncio
import csv
import io
import random
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
import orjson

from portal.contract.case import SURVEY_TASKS
from portal.contract.client import VaultClient
from portal.contract.due import MOVE_CLOCK, MoveClock
from portal.contract.envelope import Nothing
from portal.contract.ladder import SET_LADDER, SetLadder
from portal.domain.days import JAPAN
from portal.domain.ladder import Hours, Plan, Rung, is_quiet
from portal.domain.ladder_plan import write_plan
from portal.stack.drill.ground import Ground, ground
from portal.stack.inbox import Message
from portal.stack.payers import APPROVE, NothingToPayError, NotPaidError, Payer
from portal.stack.road import send_file
from portal.stack.sample import sample_csv

BILLS: Final = 400
SWALLOWED_SHARE: Final = 0.2
REACHED_MIN: Final = 0.95
REACHED_WITHIN: Final = timedelta(hours=72)
STOPS_WITHIN_S: Final = 1.0
DUE_AFTER_DAYS: Final = 20

PLAN: Final = Plan(
    ladders={
        "": (
            Rung(when="issue", channel="sms"),
            Rung(when="after_issue", days=1, channel="email", unless="opened"),
            Rung(when="before_due", days=3, channel="email"),
            Rung(when="after_due", days=2, channel="sms"),
            Rung(when="after_due", days=5, channel="email"),
        )
    }
)
"""What the drill's merchant has set: two ways within a day, as within three a payer is to know."""

NEVER: Final = 0.02
OPENS_AFTER_H: Final = 8.0
OPENS_AFTER_MAX_H: Final = 30.0
PAYS_AT_ONCE: Final = 0.4
"""How many of each kind of payer never look at any message, after how long the others do (mean and
most), and how many of those who look pay there and then."""

_NEAR: Final = (
    (0, 10.5), (0, 14), (0, 20.5), (0, 23), (1, 3), (1, 10.2), (1, 14), (1, 20.5), (1, 22),
    (2, 7), (2, 8.2), (2, 14), (2, 20.5), (2, 23.5), (3, 9), (3, 20),
)  # fmt: skip
_FAR: Final = (
    (5, 12), (7, 12), (10, 12), (13, 22), (14, 12), (16, 23), (17, 7.5), (17, 8.2), (17, 15),
    (18, 12), (20, 12), (21, 22), (22, 2), (22, 8.2), (22, 20.9), (23, 10), (24, 23.9), (25, 7.9),
    (25, 8.2), (26, 12), (28, 12), (30, 12),
)  # fmt: skip
STEPS: Final = (*_NEAR, *_FAR)
"""Days after the issue, and hours of the day, at which the clock stops; nights among them."""

_LOOKED_S: Final = 2.5
"""By then every vault knows the new time and has looked at what is due."""

_STEP_S: Final = 120.0
_AT_ONCE: Final = 6
_MESSAGING: Final = frozenset({"message.send_chunk", "message.advance_ladders"})


class Report(msgspec.Struct, kw_only=True):
    """What is printed. ``reached``: of payers whose text messages are swallowed, 0 to 1.

    ``stumbled``: visits that a page stopped; the payer came again.
    """

    seed: int
    bills: int
    messages: int
    mails: int
    swallowed_payers: int
    reached: float
    in_quiet_hours: int
    after_payment: int
    opened: int
    paid: int
    stumbled: int
    steps: int
    seconds: float
    faults: list[str]


@dataclass(slots=True)
class Person:
    """One payer of one bill. Moments are business times; ``paid_wall``: of the real clock."""

    phone: str
    email: str
    is_swallowed: bool
    looks: bool
    link: str = ""
    looks_at: datetime | None = None
    first_at: datetime | None = None
    opened_at: datetime | None = None
    paid_wall: float | None = None


@dataclass(slots=True)
class Times:
    """Which offset the business clock had from which second on."""

    since: list[float] = field(default_factory=list[float])
    offsets: list[float] = field(default_factory=list[float])

    def business(self, wall: float) -> datetime:
        """What the business clock said at a second of the real one, in Japan's time."""
        place = bisect_right(self.since, wall) - 1
        return datetime.fromtimestamp(wall + self.offsets[max(place, 0)], UTC).astimezone(JAPAN)


def run_reach(*, seed: int, as_json: bool) -> int:
    """Drill in a fresh folder that is gone after; 0 only if all is right."""
    report = asyncio.run(drill(seed=seed, loud=not as_json))
    shape = orjson.OPT_INDENT_2 if not as_json else None
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(report), option=shape).decode() + "\n")
    return 1 if report.faults else 0


async def drill(*, seed: int, bills: int = BILLS, loud: bool = False) -> Report:
    """Live a month, then count."""
    began = time.monotonic()
    async with ground(seed=seed, rows=1) as place, place.stack.operator() as vault:
        month = Month(place, vault, random.Random(seed))  # noqa: S311 - a sequence to repeat
        await month.issue(bills)
        for days, hour in STEPS:
            await month.go(days, hour)
            if loud:
                paid = sum(one.paid_wall is not None for one in month.people)
                sys.stderr.write(f"  day {days}, {hour:g} h: {paid} paid\n")
        return await month.report(seed, time.monotonic() - began)


class Month:
    """A merchant's month and its payers."""

    def __init__(self, place: Ground, vault: VaultClient, chance: random.Random) -> None:
        """The clock stands on the morning after today."""
        self._place = place
        self._vault = vault
        self._chance = chance
        self._times = Times()
        self._day = datetime.now(JAPAN).date() + timedelta(days=1)
        self._seen = [0, 0]
        self.people: list[Person] = []
        self.stumbled: list[str] = []
        self._by_contact: dict[str, Person] = {}

    async def issue(self, bills: int) -> None:
        """Set the plan and send the bills at ten o'clock."""
        await self._move(0, 10)
        code = "aozora"
        await self._vault.call(SET_LADDER, SetLadder(merchant_code=code, plan=write_plan(PLAN)))
        due_on = self._day + timedelta(days=DUE_AFTER_DAYS)
        self.people = self._people(bills)
        self._by_contact = {one.phone: one for one in self.people}
        self._by_contact |= {one.email: one for one in self.people}
        file = _file(self.people, due_on)
        await send_file(self._place.merchant, self._place.phone, file, rows=bills)

    def _people(self, bills: int) -> list[Person]:
        """Who they are by chance, how many of each kind there are by the shares alone."""
        numbers = self._chance.sample(range(bills), bills)
        swallowed = numbers[: round(bills * SWALLOWED_SHARE)]
        others = numbers[len(swallowed) :]
        blind = {
            number for kind in (swallowed, others) for number in kind[: round(len(kind) * NEVER)]
        }
        lost = set(swallowed)
        return [
            Person(
                phone=f"+819000007{number:03}" if number in lost else f"+81801{number:07}",
                email=f"payer{number}@mail.example",
                is_swallowed=number in lost,
                looks=number not in blind,
            )
            for number in range(bills)
        ]

    async def go(self, days: int, hour: float) -> None:
        """Move the clock there; payers do what they would have done, while messages go out."""
        await self._read()
        await self._move(days, hour)
        now = self._times.business(time.time())
        due = [one for one in self.people if one.looks_at is not None and one.looks_at <= now]
        gate = asyncio.Semaphore(_AT_ONCE)
        moods = [self._chance.random() for _ in due]
        await asyncio.gather(
            *(self._act(gate, one, mood) for one, mood in zip(due, moods, strict=True))
        )
        await self._rest()

    async def _move(self, days: int, hour: float) -> None:
        wanted = datetime.combine(self._day, datetime.min.time(), tzinfo=JAPAN)
        wanted += timedelta(days=days, hours=hour)
        offset_s = (wanted - datetime.now(UTC)).total_seconds()
        self._times.since.append(time.time())
        self._times.offsets.append(offset_s)
        await self._vault.call(MOVE_CLOCK, MoveClock(offset_s=offset_s))

    async def _rest(self) -> None:
        """Wait until what the new time brings was looked at and sent. Raises: TimeoutError."""
        await asyncio.sleep(_LOOKED_S)
        async with asyncio.timeout(_STEP_S):
            while True:
                counts = (await self._vault.call(SURVEY_TASKS, Nothing())).counts
                if not any(count.kind in _MESSAGING for count in counts):
                    return
                await asyncio.sleep(0.25)

    async def _act(self, gate: asyncio.Semaphore, one: Person, mood: float) -> None:
        """Open the newest link; some pay at once, others when they are told again."""
        again, one.looks_at = one.looks_at, None
        async with gate:
            try:
                if mood < PAYS_AT_ONCE:
                    if await Payer().pay(one.link, APPROVE) == "paid":
                        one.paid_wall = time.time()
                else:
                    await Payer().look(one.link)
            except NothingToPayError:
                pass  # it was paid meanwhile: as good
            except NotPaidError as fault:
                self.stumbled.append(str(fault))
                one.looks_at = again
                return
        one.opened_at = one.opened_at or self._times.business(time.time())

    async def _read(self) -> None:
        """What has arrived since: who sees it opens it after hours of their own."""
        phone = self._place.phone
        texts, mails = await phone.messages(self._seen[0]), await phone.mails(self._seen[1])
        for channel, found in enumerate((texts, mails)):
            self._seen[channel] = found[-1].seq if found else self._seen[channel]
        for message in (*texts, *mails):
            one = self._by_contact[message.to]
            arrived = self._times.business(message.at)
            one.first_at = one.first_at or arrived
            if not message.is_shown or message.link is None or not one.looks:
                continue
            hours = min(self._chance.expovariate(1 / OPENS_AFTER_H), OPENS_AFTER_MAX_H)
            if one.paid_wall is None:
                one.link, one.looks_at = message.link, arrived + timedelta(hours=hours)

    async def report(self, seed: int, seconds: float) -> Report:
        """Hold the companies' books against what people did."""
        await self._read()
        texts, mails = await self._place.phone.messages(), await self._place.phone.mails()
        messages = (*texts, *mails)
        swallowed = [one for one in self.people if one.is_swallowed]
        report = Report(
            seed=seed,
            bills=len(self.people),
            messages=len(messages),
            mails=len(mails),
            swallowed_payers=len(swallowed),
            reached=round(sum(_is_reached(one) for one in swallowed) / max(len(swallowed), 1), 4),
            in_quiet_hours=sum(self._is_quiet(message) for message in messages),
            after_payment=sum(self._is_late(message) for message in messages),
            opened=sum(one.opened_at is not None for one in self.people),
            paid=sum(one.paid_wall is not None for one in self.people),
            stumbled=len(self.stumbled),
            steps=len(STEPS),
            seconds=round(seconds, 1),
            faults=[],
        )
        report.faults = faults_of(report)
        return report

    def _is_quiet(self, message: Message) -> bool:
        return is_quiet(self._times.business(message.at), Hours())

    def _is_late(self, message: Message) -> bool:
        paid = self._by_contact[message.to].paid_wall
        return paid is not None and message.at > paid + STOPS_WITHIN_S


def _is_reached(one: Person) -> bool:
    """Whether the payer opened or paid soon enough after the first message, seen or not."""
    if one.first_at is None or one.opened_at is None:
        return False
    return one.opened_at - one.first_at <= REACHED_WITHIN


def faults_of(report: Report) -> list[str]:
    """What the figures say against us."""
    faults: list[str] = []
    if report.reached < REACHED_MIN:
        faults.append(f"reached {report.reached:.1%} of those whose messages are swallowed")
    if report.in_quiet_hours:
        faults.append(f"{report.in_quiet_hours} messages in quiet hours")
    if report.after_payment:
        faults.append(f"{report.after_payment} messages after the payment")
    if not report.swallowed_payers or not report.paid or not report.mails:
        faults.append("nothing happened that could have gone wrong")
    return faults


def _file(people: Sequence[Person], due_on: date) -> bytes:
    """A file of bills, one for each person."""
    rows = list(csv.DictReader(io.StringIO(sample_csv(rows=len(people), seed=1).decode())))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\r\n")
    writer.writeheader()
    for row, one in zip(rows, people, strict=True):
        local = f"0{one.phone.removeprefix('+81')}"
        writer.writerow(row | {"phone": local, "email": one.email, "due_on": due_on.isoformat()})
    return out.getvalue().encode()
