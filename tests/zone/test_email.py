"""Mails from the button to the mailbox: real vault, real relay, a company that signs its word."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator

import httpx
import pytest
from starlette.applications import Starlette

from portal.application.doors.notices import ROUTES, NoticeKeys
from portal.contract.bills import VIEW_BILL, ViewBill
from portal.domain.errors import Conflict
from portal.domain.ids import BillId, to_public
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.mails import SENDER, ask_for_mail, have_mail, issued_to
from tests.make.vault import Ground
from tests.make.workshop import MERCHANT, Workshop, a_workshop

SENDING = {"message.send_chunk"}


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        await have_mail(await ground.client("operator"), "sandbox_mail")
        yield made


async def ends(shop: Workshop, bills: dict[str, BillId]) -> dict[str, str]:
    """Address → where its mail has come to."""
    rows = await shop.rows("select bill_id, state from delivery where channel = 'email'")
    names = {bill_id: address.partition("@")[0] for address, bill_id in bills.items()}
    return {names[row["bill_id"]]: row["state"] for row in rows}


async def until_ends(shop: Workshop, bills: dict[str, BillId], wanted: dict[str, str]) -> None:
    async with asyncio.timeout(30):
        while await ends(shop, bills) != wanted:
            await shop.work_off(SENDING)
            await asyncio.sleep(0.1)


async def resend_channels(shop: Workshop, bill_id: BillId) -> tuple[str, ...]:
    seen = await shop.web.call(VIEW_BILL, ViewBill(bill_id=bill_id), shop.staff)
    return seen.resend_channels


async def test_each_way_in_which_a_mail_fails_ends_where_it_should(shop: Workshop) -> None:
    wanted = {
        "taro": "delivered",
        "nobody": "failed",
        "bounces-hard": "failed",
        "bounces-soft": "undelivered",
        "complains": "delivered",
        "busy-once": "delivered",
        "down-once": "delivered",
        "drops-answer": "delivered",  # unclear, and only the company's own receipt settled it
        "swallowed": "accepted",
    }
    bills = await issued_to(shop, [f"{name}@mail.example" for name in wanted])
    for bill_id in bills.values():
        assert await resend_channels(shop, bill_id) == ("sms", "email")
        await ask_for_mail(shop, bill_id)

    await until_ends(shop, bills, wanted)

    mails = shop.journal.mails.mails(after=0, recipient=None, limit=100)
    taken = Counter(mail["recipient"] for mail in mails)
    assert taken == {address: 1 for address in bills if not address.startswith("nobody")}
    assert {mail["sender"] for mail in mails} == {SENDER}
    assert all("http://localhost:8080/p/minato/" in mail["body"] for mail in mails)
    # What came back for good, and who complained, is written to no more, by whatever bill.
    faults = await shop.rows("select code, count(*) as n from contact_fault group by code")
    assert {row["code"]: row["n"] for row in faults} == {"bounced": 1, "complained": 1}
    for name in ("bounces-hard", "complains"):
        bill_id = bills[f"{name}@mail.example"]
        assert await resend_channels(shop, bill_id) == ("sms",)
        with pytest.raises(Conflict, match="contact_faulty"):
            await ask_for_mail(shop, bill_id)


async def test_a_mail_planned_before_its_address_failed_is_left_out(shop: Workshop) -> None:
    bills = await issued_to(shop, ["taro@mail.example"])
    await ask_for_mail(shop, bills["taro@mail.example"])
    await shop.rows(
        "insert into contact_fault (merchant_id, channel, blind, code, at)"
        " select merchant_id, 'email', email_blind, 'bounced', now() from bill returning code"
    )

    await shop.work_off(SENDING)

    rows = await shop.rows("select state, code from delivery where channel = 'email'")
    assert rows == [{"state": "left_out", "code": "contact_faulty"}]
    assert shop.journal.mails.counts()["taken"] == 0


async def test_without_an_address_or_a_road_no_mail_is_offered(
    shop: Workshop, ground: Ground
) -> None:
    bills = await issued_to(shop, ["taro@mail.example"])
    (bill_id,) = bills.values()
    await shop.rows("delete from merchant_channel returning channel")

    assert await resend_channels(shop, bill_id) == ("sms",)
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_mail(shop, bill_id)

    await have_mail(await ground.client("operator"), "sandbox_mail")
    await shop.rows("update bill set email_blind = null returning id")
    with pytest.raises(Conflict, match="channel_unreachable"):
        await ask_for_mail(shop, bill_id)


async def test_a_receipt_that_the_company_did_not_sign_moves_nothing(shop: Workshop) -> None:
    bills = await issued_to(shop, ["swallowed@mail.example"])
    (bill_id,) = bills.values()
    await ask_for_mail(shop, bill_id)
    await shop.work_off(SENDING)
    (row,) = await shop.rows("select id from delivery where channel = 'email'")
    event = {
        "id": "ev_1",
        "message": "ml_1",
        "reference": to_public("delivery", row["id"]),
        "status": "bounced_hard",
    }
    body = json.dumps({"events": [event]}).encode()
    door = Starlette(routes=ROUTES)
    door.state.vault = shop.web
    door.state.notice_keys = NoticeKeys({"sandbox_mail": {MERCHANT: ("agreed",)}}, SystemClock())

    def signed(key: str, at: float) -> dict[str, str]:
        mac = hmac.new(key.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
        return {"x-sandbox-signature": f"t={int(at)},v1={mac}"}

    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        address = f"/notices/sandbox_mail/{MERCHANT}"
        for headers in ({}, signed("guessed", time.time()), signed("agreed", time.time() - 900)):
            refused = await client.post(address, content=body, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (400, "signature_invalid")
        assert await ends(shop, bills) == {"swallowed": "accepted"}
        taken = await client.post(address, content=body, headers=signed("agreed", time.time()))

    assert taken.status_code == 200
    assert await ends(shop, bills) == {"swallowed": "failed"}
