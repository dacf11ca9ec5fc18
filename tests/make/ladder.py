"""A merchant's bills on their ladders: days pass, workers look, messages go out."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

import msgspec

from portal.application.message.ladder import advance_ladders
from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    SET_LADDER,
    Choices,
    SetContactChoice,
    SetLadder,
)
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.domain.ids import BillId
from portal.domain.ladder import DEFAULT, Hours, Plan
from portal.domain.ladder_plan import write_plan
from portal.domain.message import Channel
from portal.vault.ladder import Skipped
from tests.make.days import Calendar
from tests.make.intake import Desk
from tests.make.money import World

NEVER_QUIET = Plan(
    ladders=DEFAULT.ladders,
    hours=Hours(quiet_from=Hours().quiet_until, per_day=9, per_week=9),
)
"""The plan of who has none, at any hour: for tests that run by the real clock."""


@dataclass
class Steps:
    """One merchant's desk with its calendar."""

    desk: Desk

    @property
    def world(self) -> World:
        """The same merchant for whoever acts inside the vault."""
        desk = self.desk
        return World(
            desk.server,
            desk.web,
            desk.work,
            desk.operator,
            desk.code,
            desk.merchant_id,
            desk.egress,
        )

    @property
    def calendar(self) -> Calendar:
        """Its calendar."""
        return Calendar(self.world)

    async def road(self, channel: Channel) -> None:
        """Let a company carry this channel too."""
        request = SetChannel(
            merchant_code=self.desk.code, channel=channel, provider="sandbox_card", sender="x",
            share=100,
        )  # fmt: skip
        await self.desk.operator.call(SET_CHANNEL, request)

    async def plan(self, plan: Plan) -> int:
        """Set the merchant's plan; its version."""
        request = SetLadder(merchant_code=self.desk.code, plan=write_plan(plan))
        return (await self.desk.operator.call(SET_LADDER, request)).version

    async def say(self, number: str = "E-1", **more: Any) -> Choices:  # noqa: ANN401  # its fields
        """Note what a bill's payer says on the telephone."""
        given: dict[str, Any] = {"channel": "sms", "source": "telephone"} | more
        request = SetContactChoice(bill_id=BillId(await self.bill(number)), **given)
        return await self.desk.web.call(SET_CONTACT_CHOICE, request, self.desk.staff)

    async def at(self, day: date, hour: int = 12) -> int:
        """Make it that hour of the merchant's zone, and let workers look; messages planned."""
        await self.calendar.move_to(day, time(hour))
        return await self.look()

    async def look(self) -> int:
        """Let workers look at all that is due."""
        planned = 0
        await self.desk.server.data.upkeep.begin_ladders()
        for leased in await self.desk.leases("message.advance_ladders"):
            planned += await advance_ladders(self.desk.work, leased.authority, lambda: False)
        return planned

    async def bill(self, number: str = "E-1") -> UUID:
        """The bill of that number."""
        return await self.world.value("select id from bill where number = $1", number)

    async def told(self, number: str = "E-1") -> list[tuple[str, int, str]]:
        """Campaign, step and channel of a bill's messages, in their order."""
        rows = await self.world.rows(
            "select campaign, step, channel from delivery where bill_id = $1 order by id",
            await self.bill(number),
        )
        return [(row["campaign"], row["step"], row["channel"]) for row in rows]

    async def standing(self, number: str = "E-1") -> tuple[str, str, bool]:
        """Why a bill's ladder is held, why it has ended, and whether a look is to come."""
        rows = await self.world.rows(
            "select held, ended, next_at from ladder where bill_id = $1", await self.bill(number)
        )
        return rows[0]["held"], rows[0]["ended"], rows[0]["next_at"] is not None

    async def skipped(self, number: str = "E-1") -> list[tuple[int, str, str]]:
        """Which rungs of a bill were skipped, by which channel they were and why."""
        said = await self.world.value(
            "select skips::text from ladder where bill_id = $1", await self.bill(number)
        )
        skips = msgspec.json.decode(said, type=list[Skipped])
        return [(skip.rung, skip.channel, skip.reason) for skip in skips]

    async def set(self, statement: str, *values: Any) -> None:  # noqa: ANN401  # a statement's
        """Change the database as what is not tested here would have."""
        async with self.world.act() as act:
            await act.db.execute(statement, *values)
