"""A workshop whose merchant calls its payers, and a payer with a telephone in their hand."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from portal.contract.bills import RESEND_MESSAGE, ResendMessage
from portal.contract.client import VaultClient
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.domain.ids import BillId
from portal.domain.message import Channel
from tests.make.workshop import MERCHANT, Workshop

SENDER = "+815011112222"
SENDING = {"message.send_chunk"}
_GOES_ON = frozenset({"ringing", "in-progress"})


async def have_calls(operator: VaultClient, channel: Channel) -> None:
    """The merchant's calls, or texts, go by the telephone company from now on."""
    road = SetChannel(
        merchant_code=MERCHANT, channel=channel, provider="sandbox_tel", sender=SENDER, share=100
    )
    await operator.call(SET_CHANNEL, road)


async def ask_for_call(shop: Workshop, bill_id: BillId) -> None:
    """A member of staff has the payer called."""
    request = ResendMessage(bill_id=bill_id, channel="voice", idempotency_key=secrets.token_hex(8))
    await shop.web.call(RESEND_MESSAGE, request, shop.staff)


async def bills_by_phone(shop: Workshop, phones: list[str]) -> dict[str, BillId]:
    """Issued bills, their first messages sent; telephone → bill."""
    await shop.issued(phones)
    await shop.work_off(SENDING)
    rows = await shop.rows("select id, number from bill")
    numbers = {row["number"]: BillId(row["id"]) for row in rows}
    return {phone: numbers[f"B-{phone[-8:]}"] for phone in phones}


@dataclass
class Telephone:
    """A payer who picks up, listens and presses keys on the sandbox's page."""

    shop: Workshop
    seq: int

    @property
    def call(self) -> dict[str, Any]:
        """The call in the company's own books."""
        found = self.shop.journal.calls.call(self.seq)
        assert found is not None
        return found

    @property
    def heard(self) -> str:
        """What was said last."""
        said = [one["text"] for one in self.call["log"] if one["who"] == "machine"]
        return said[-1] if said else ""

    async def do(self, act: str, keys: str = "") -> str:
        """Press a button of the page; what is said then."""
        transport = httpx.ASGITransport(app=self.shop.outside.pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:1") as hand:
            answer = await hand.post(f"/calls/{self.seq}", data={"act": act, "keys": keys})
            assert answer.status_code == 303
            shown = await hand.get(f"/calls/{self.seq}")
            assert shown.status_code == 200
            assert self.heard.replace("&", "&amp;").replace("'", "&#39;") in shown.text
        return self.heard

    async def until_over(self) -> str:
        """Wait for the end of the call; how the company names it."""
        async with asyncio.timeout(30):
            while self.call["status"] in _GOES_ON:  # noqa: ASYNC110  # only the books know
                await asyncio.sleep(0.05)
        return str(self.call["status"])


def newest_call(shop: Workshop, phone: str) -> Telephone:
    """The newest call to a number; AssertionError when there is none."""
    e164 = "+81" + phone.replace("-", "")[1:]
    calls = shop.journal.calls.calls(after=0, recipient=e164, limit=100)
    assert calls, f"nobody called {phone}"
    return Telephone(shop, calls[-1]["seq"])


async def called(shop: Workshop, phone: str, bill_id: BillId) -> Telephone:
    """Have a payer called, now."""
    await ask_for_call(shop, bill_id)
    await shop.work_off(SENDING)
    return newest_call(shop, phone)


async def delivery_ends(
    shop: Workshop, bill_id: BillId, state: str, channel: Channel = "voice"
) -> str:
    """Wait until the bill's newest message of a channel is in a state; the code that says why."""
    query = f"select bill_id, state, code from delivery where channel = '{channel}' order by id"  # noqa: S608  # one of four words
    async with asyncio.timeout(30):
        while True:
            newest = {row["bill_id"]: row for row in await shop.rows(query)}
            if newest[bill_id]["state"] == state:
                return str(newest[bill_id]["code"])
            await shop.work_off(SENDING)
            await asyncio.sleep(0.05)
