"""A merchant whose payers pay by slips, and the collection agency that tells of it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from portal.contract.envelope import Nothing
from portal.contract.slip import (
    RECORD_SLIP_NOTICE,
    SET_SLIP_TERMS,
    SHOW_SLIP,
    TAKE_SLIP_NOTICES,
    RecordSlipNotice,
    SetSlipTerms,
    SlipNoticesTaken,
    SlipView,
    TakeSlipNotices,
)
from portal.domain.slip_number import parse
from tests.make.money import Payer, World
from tests.make.refunds import Member, member
from tests.make.slips import ELSEWHERE, MORNING, Till

CODES = {
    "provisional": "01", "confirmed": "02", "reversal": "03", "postal": "12",
    "postal_correction": "22",
}  # fmt: skip


def line(kind: str, digits: str, till: Till = MORNING, amount: int | None = None) -> str:
    """One line of the agency's file, in its columns."""
    day, clock, company, store = till
    number = parse(digits)
    is_postal = kind.startswith("postal")
    shown = replace(number, pay_until=None).digits() if is_postal else digits
    paid_out = f"{day + timedelta(days=15):%Y%m%d}" if kind in {"confirmed", "postal"} else "0"
    yen = number.amount_minor if amount is None else amount
    return ",".join(
        (
            CODES[kind], f"{day:%Y%m%d}", "0000" if is_postal else f"{clock:%H%M}", f"EAN{shown}",
            "0", "0", f"{number.needs_stamp:d}", str(yen), "911" if is_postal else company,
            "コンビニ", store, paid_out, f"{day:%Y%m%d}",
        )
    )  # fmt: skip


def at(day: date, clock: time, store: str = "458762") -> Till:
    """A till at a moment."""
    return day, clock, "010", store


@dataclass
class SlipDesk:
    """The staff who upload files, payers who ask for their slip, and the agency's voice."""

    world: World
    staff: Member

    async def terms(self, **more: Any) -> None:  # noqa: ANN401
        """Set the merchant's terms."""
        given: dict[str, Any] = {
            "merchant_code": self.world.code, "agency": "sandbox_agency", "maker_code": "929023",
            "company_code": "25207",
        }  # fmt: skip
        await self.world.operator.call(SET_SLIP_TERMS, SetSlipTerms(**(given | more)))

    async def show(self, payer: Payer) -> SlipView:
        """What the payer sees who chooses the slip."""
        return await self.world.web.call(SHOW_SLIP, Nothing(), payer.authority)

    async def payer(self, **bill: Any) -> tuple[Payer, str]:  # noqa: ANN401
        """A payer who looks at the slip of a new bill, and its digits."""
        payer = await self.world.payer(**bill)
        return payer, (await self.show(payer)).digits

    async def file(self, body: bytes, first_line: int = 1, sha256: str = "") -> SlipNoticesTaken:
        """Send a file in."""
        request = TakeSlipNotices(
            sha256=sha256 or hashlib.sha256(body).hexdigest(), first_line=first_line, body=body
        )
        return await self.world.web.call(TAKE_SLIP_NOTICES, request, self.staff.authority)

    async def told(self, *lines: str) -> list[tuple[str, str]]:
        """Result and reason of each line of a file."""
        taken = await self.file("\r\n".join(lines).encode("cp932"))
        return [(verdict.result, verdict.reason) for verdict in taken.lines]

    async def beep(self, *lines: str, provider: str = "sandbox_agency") -> int:
        """What the agency tells at once; how many lines were new."""
        request = RecordSlipNotice(
            merchant_code=self.world.code, provider=provider, raw="\n".join(lines).encode("cp932")
        )
        return (await self.world.web.call(RECORD_SLIP_NOTICE, request)).fresh

    async def state(self, digits: str) -> str:
        """The slip's state in the database."""
        found: str = await self.world.value("select state from slip where digits = $1", digits)
        return found


async def new_slip_desk(world: World, staff: str = "hana") -> SlipDesk:
    """A merchant that offers slips."""
    desk = SlipDesk(world, await member(world, staff))
    await desk.terms()
    return desk


__all__ = ["ELSEWHERE", "MORNING", "SlipDesk", "at", "line", "new_slip_desk"]
