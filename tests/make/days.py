"""Time that passes: the business clock moved by the operator, and the worker that follows it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.application.payment.due import Passed, pass_due
from portal.contract.due import MOVE_CLOCK, MoveClock
from portal.contract.operator import FOUND_MERCHANT, OPEN_MERCHANT, FoundMerchant, OpenMerchant
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, Leased, TakeLease, TaskHint
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.money import World
from tests.make.vault import ClientFor

COPIES = """
insert into bill (merchant_id, id, import_id, line, number, lifecycle, settlement, message, kind,
    period, contract_blind, customer_blind, check_code, amount_minor, tax_minor, due_on, language,
    contact, billing, created_at, issued_at)
select merchant_id, gen_random_uuid(), import_id, line, number || '-' || n, lifecycle, settlement,
    message, kind, period, contract_blind, customer_blind, check_code, amount_minor, tax_minor,
    due_on + n % 3, language, contact, billing, created_at, issued_at
from bill cross join generate_series(1, $2) as n where id = $1
"""
"""Many bills of one, due on that day and the two after it; nobody opens what is sealed in them."""


@dataclass(frozen=True)
class SetClock:
    """A wall clock that says what it was told, for what the wall clock guards."""

    at: datetime

    def wall(self) -> datetime:
        """The moment that was set."""
        return self.at

    def business_now(self) -> datetime:
        """The same."""
        return self.at

    def business_today(self, zone: str) -> date:
        """Its date in a zone."""
        return SystemClock.date_in(self.at, zone)


def in_days(days: float) -> SetClock:
    """The wall clock as it will be."""
    return SetClock(SystemClock().wall() + timedelta(days=days))


@dataclass
class Calendar:
    """One merchant's calendar: move it, let its tasks be done, look at what became of bills."""

    world: World
    zone: str = "Asia/Tokyo"

    @property
    def server(self) -> VaultServer:
        """The vault whose clock is moved."""
        return self.world.server

    @property
    def today(self) -> date:
        """The merchant's business day."""
        return self.server.clock.business_today(self.zone)

    async def move_to(self, day: date, at: time = time(12)) -> None:
        """Make it this moment of the merchant's zone, as an operator does."""
        moment = datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)
        offset_s = (moment - SystemClock().wall()).total_seconds()
        await self.world.operator.call(MOVE_CLOCK, MoveClock(offset_s=offset_s))
        await self.server.data.upkeep.refresh()

    async def hints(self) -> list[TaskHint]:
        """Begin what days have come, and take the hints of their tasks."""
        await self.server.data.upkeep.begin_days()
        due = await self.world.work.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=100))
        return [hint for hint in due.tasks if hint.kind == "payment.pass_due"]

    async def lease(self, hint: TaskHint) -> Leased:
        """Take a task."""
        request = TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
        return await self.world.work.call(TAKE_LEASE, request)

    async def follow(self) -> Passed:
        """Do all that the calendar asks for, as workers do."""
        total = Passed()
        for hint in await self.hints():
            leased = await self.lease(hint)
            done = await pass_due(self.world.work, leased.authority, lambda: False)
            total.overdue += done.overdue
            total.lapsed += done.lapsed
        return total

    async def until(self, day: date, at: time = time(12)) -> Passed:
        """Move there and follow."""
        await self.move_to(day, at)
        return await self.follow()

    async def lifecycle(self, bill_id: UUID) -> str:
        """How a bill stands."""
        return await self.world.value("select lifecycle from bill where id = $1", bill_id)

    async def lifecycles(self) -> dict[str, int]:
        """How many bills stand where."""
        rows = await self.world.rows("select lifecycle, count(*) as n from bill group by 1")
        return {row["lifecycle"]: row["n"] for row in rows}


async def new_calendar(
    server: VaultServer, client_for: ClientFor, code: str = "minato", zone: str = "Asia/Tokyo"
) -> Calendar:
    """A merchant somewhere on earth, on a running vault."""
    zones = ("web", "work", "operator", "egress")
    web, work, operator, relay = [await client_for(zone) for zone in zones]
    request = FoundMerchant(
        code=code, name="みなと電力", zone=zone, sms_sender="0005123456",
        sms_provider="sandbox_sms", card_provider="sandbox_card", phone="0120-000-000",
        website="https://minato.example",
    )  # fmt: skip
    await operator.call(FOUND_MERCHANT, request)
    opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code=code))
    return Calendar(World(server, web, work, operator, code, opened.id, relay), zone)
