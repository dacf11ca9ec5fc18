"""Bench ``urgent``: single messages that people wait for, while a bulk run goes flat out.

Merchant A sends a whole file as fast as it goes. Meanwhile its clerk has messages sent again, one
at a time, and merchant B sends ten bills. When each was taken stands in the carriers' own book.
"""

import asyncio
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    FoundMerchant,
    IssueLoginTicket,
)
from portal.stack.access import ticket_for
from portal.stack.bench.report import Report, machine, percentile
from portal.stack.bench.town import Town, sample_pieces, town
from portal.stack.drill_file import ROWS_MAX, drill_file, telephone_of
from portal.stack.merchant import MerchantSystem, StaffSession, make_api_key
from portal.stack.outside import Outside
from portal.stack.road import CHECKED, send_file

MESSAGES: Final = 20_000
URGENT: Final = 60
ALONE: Final = 20
OTHERS: Final = 10
_CODE: Final = "hikari"
_OWN_SERIAL, _OTHER_SERIAL = 900, 901
_PAUSE_S: Final = 0.1
_TIMEOUT_S: Final = 3600.0
_TEN_GOAL_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Clerk:
    """Merchant A's member of staff, who has messages sent again; ``bills``: telephone → id."""

    session: StaffSession
    outside: Outside
    bills: dict[str, str]

    async def send_again(self, telephone: str) -> float:
        """Have one sent again; the moment at which it was due."""
        due = time.time()
        wanted = {"id": self.bills[telephone], "idempotencyKey": str(uuid.uuid4())}
        await self.session.run("bill_resend", {"input": wanted})
        await asyncio.sleep(_PAUSE_S)
        return due

    async def send_many(self, telephones: Sequence[str]) -> list[float]:
        """One after the other; how long each took from due to taken, in seconds."""
        due = {telephone: await self.send_again(telephone) for telephone in telephones}
        return [
            await self.outside.taken_at(telephone, since=at) - at for telephone, at in due.items()
        ]


async def run(messages: int = MESSAGES) -> Report:
    """Send again while bulk runs, and as much without it.

    Figure: seconds at the 99th percentile from the clerk's click to the carrier's book. Floor: the
    same on the same stack while nothing else is to be done.
    """
    async with town() as here:
        outside = Outside(here.stack.layout.browser_origin)
        try:
            return await _measure(here, outside, messages)
        finally:
            await outside.close()


async def _measure(here: Town, outside: Outside, messages: int) -> Report:
    async with here.stack.operator() as vault:
        other = MerchantSystem(here.access.portal, await _second_merchant(here, vault))
        clerk = await _clerk(here, vault, outside)
    telephones = list(clerk.bills)
    alone_s = await clerk.send_many(telephones[:ALONE])
    bulk = await here.merchant.hand_in(b"".join(sample_pieces(messages, 1)), "bulk.csv")
    await here.merchant.wait_for_import(bulk, CHECKED, timeout_s=_TIMEOUT_S)
    ten = await other.hand_in(drill_file(_OTHER_SERIAL, OTHERS), "ten.csv")
    await other.wait_for_import(ten, CHECKED, timeout_s=_TIMEOUT_S)
    before = await outside.taken()
    await here.merchant.decide(bulk)
    while await outside.taken() == before:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(_PAUSE_S)
    urgent_s = await clerk.send_many(telephones[ALONE:])
    began = time.time()
    await other.decide(ten)
    theirs = [f"+81{telephone_of(_OTHER_SERIAL * ROWS_MAX + row)[1:]}" for row in range(OTHERS)]
    ten_s = max([await outside.taken_at(one, since=began) for one in theirs]) - began
    bulk_left = before + messages + URGENT + OTHERS - await outside.taken()
    await clerk.session.close()
    await other.close()
    return Report(
        bench="urgent",
        figure=round(percentile(urgent_s, 0.99), 3),
        unit="s",
        floor=round(percentile(alone_s, 0.99), 3),
        floor_is="the same while nothing else is to be done",
        ratio=round(percentile(alone_s, 0.99) / percentile(urgent_s, 0.99), 3),
        goal_first=5,
        goal=1,
        machine=machine(),
        load_before=here.load,
        details={
            "urgent": len(urgent_s),
            "p50_s": round(percentile(urgent_s, 0.5), 3),
            "max_s": round(max(urgent_s), 3),
            "merchant_b_messages": OTHERS,
            "merchant_b_s": round(ten_s, 2),
            "merchant_b_goal_s": _TEN_GOAL_S,
            "bulk_messages": messages,
            "bulk_left_at_the_end": max(0, bulk_left),
        },
    )


async def _clerk(here: Town, vault: VaultClient, outside: Outside) -> _Clerk:
    """A clerk at a browser, and bills of telephones that have one message each."""
    count = ALONE + URGENT
    body = drill_file(_OWN_SERIAL, count)
    await send_file(here.merchant, here.phone, body, rows=count)
    session = StaffSession(here.access.portal)
    await session.enter(await ticket_for(vault, here.access.staff[0].email))
    ids = await here.merchant.bill_ids()
    numbers = {(await here.merchant.bill(one))["number"]: one for one in ids}
    bills = {
        f"+81{telephone_of(number)[1:]}": numbers[f"D-{number:08d}"]
        for number in range(_OWN_SERIAL * ROWS_MAX, _OWN_SERIAL * ROWS_MAX + count)
    }
    return _Clerk(session, outside, bills)


async def _second_merchant(here: Town, vault: VaultClient) -> str:
    """Found merchant B; gives its API key."""
    email = f"owner@{_CODE}.example"
    await vault.call(
        FOUND_MERCHANT,
        FoundMerchant(
            code=_CODE, name="ひかりガス", zone="Asia/Tokyo", sms_sender="0005000456",
            sms_provider="sandbox_sms", card_provider="sandbox_card", phone="0120-000-666",
            website="https://hikari.example",
        ),
    )  # fmt: skip
    person = AddStaff(
        merchant_code=_CODE, name="光 一", email=email, password=secrets.token_urlsafe(18),
        role="owner",
    )  # fmt: skip
    await vault.call(ADD_STAFF, person)
    asked = IssueLoginTicket(merchant_code=_CODE, email=email, life_s=3600)
    ticket = (await vault.call(ISSUE_LOGIN_TICKET, asked)).ticket
    return await make_api_key(here.access.portal, ticket, "bench")
