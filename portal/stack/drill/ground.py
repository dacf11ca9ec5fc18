"""The ground on which drills take place: a stack with arms, its merchant and traffic.

Stack only. Everything is fresh and gone after it.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from portal.stack.access import Access, add_person, open_access, ticket_for
from portal.stack.bench.report import fresh_folder
from portal.stack.drill.arms import Arms
from portal.stack.drill.books import Found, settle
from portal.stack.drill.staff import Member, Staff
from portal.stack.drill.traffic import Desk, Traffic
from portal.stack.merchant import MerchantSystem, StaffSession
from portal.stack.payers import Phone
from portal.stack.up import Stack


@dataclass(frozen=True, slots=True)
class Ground:
    """One running stack, who acts on it, and what may kill it."""

    stack: Stack
    arms: Arms
    merchant: MerchantSystem
    desk: Desk
    phone: Phone
    traffic: Traffic

    async def settle(self) -> Found:
        """Wait until everything rests, then compare; see portal.stack.drill.books."""
        return await settle(self.stack, self.merchant, self.traffic)

    def worker_deaths(self) -> list[int]:
        """Exit codes of worker processes that died under their supervisor, so far."""
        log = self.stack.layout.logs / "work.log"
        return [
            int(msgspec.json.decode(line)["exit_code"])
            for line in log.read_bytes().splitlines()
            if b'"worker.died"' in line
        ]

    async def until_worker_died(self, after: int, code: int, timeout_s: float) -> bool:
        """Wait for a death with that exit code beyond the first ``after``; False when none came."""
        deadline = time.monotonic() + timeout_s
        while code not in self.worker_deaths()[after:]:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    def workers(self) -> list[int]:
        """Process ids of the workers below the supervisor."""
        return children_of(self.stack.running["work"].pid)


@asynccontextmanager
async def ground(*, seed: int, rows: int, colleagues: int = 0) -> AsyncGenerator[Ground]:
    """Start everything in a fresh folder; files have ``rows`` rows.

    Besides the demo's own staff there are so many ``colleagues`` more.
    """
    arms = Arms()
    with fresh_folder() as folder:
        async with (
            Stack(folder, drill=arms, on_end=arms.ended) as stack,
            httpx.AsyncClient(timeout=60.0, trust_env=False) as client,
        ):
            access, _ = await open_access(stack)
            merchant = MerchantSystem(access.portal, access.api_key)
            desk = Desk(merchant)
            phone = Phone(client, stack.layout.browser_origin)
            chance = random.Random(seed)  # noqa: S311 - which payer when; guards nothing
            members = await _enter(stack, access, colleagues)
            traffic = Traffic(desk, phone, rows, chance, Staff(members, merchant, chance))
            try:
                yield Ground(stack, arms, merchant, desk, phone, traffic)
            finally:
                for member in members:
                    await member.session.close()
                await desk.close()
                await merchant.close()


async def _enter(stack: Stack, access: Access, colleagues: int) -> list[Member]:
    """Everybody of the merchant's staff, logged in."""
    people = list(access.staff)
    async with stack.operator() as vault:
        people += [
            await add_person(vault, "森 三郎", f"colleague-{number}", "owner")
            for number in range(colleagues)
        ]
        tickets = [await ticket_for(vault, person.email) for person in people]
    members: list[Member] = []
    for person, ticket in zip(people, tickets, strict=True):
        session = StaffSession(stack.layout.origin)
        await session.enter(ticket)
        members.append(Member(person, session))
    return members


def children_of(pid: int | None) -> list[int]:
    """Process ids whose parent is ``pid``."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found
