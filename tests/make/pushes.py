"""A workshop whose merchant sends notifications: browsers and devices of payers, and asking."""

import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from portal.contract.bills import RESEND_MESSAGE, ResendMessage
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.page import OPEN_LINK, OpenLink
from portal.contract.push import KEEP_PUSH, KeepPush
from portal.domain.ids import BillId
from tests.make.vault import Ground
from tests.make.workshop import MERCHANT, Workshop, a_workshop, free_port

SERVICES = ("webpush", "fcm", "apns")
_LINK = re.compile(r"/p/minato/([0-9A-Za-z]+)")


@asynccontextmanager
async def a_pushing_workshop(ground: Ground) -> AsyncGenerator[Workshop]:
    """A vault that knows the sandbox's push services, and a merchant that sends by all three."""
    port = free_port()
    hosts = ground.settings().provider_hosts
    hosts += ",webpush=push.sandbox.test,fcm=fcm.sandbox.test,apns=apns.sandbox.test"
    async with (
        ground.vault(provider_hosts=hosts, push_hosts="push.sandbox.test", push_port=port),
        a_workshop(ground, api_port=port) as shop,
    ):
        operator = await ground.client("operator")
        for service in SERVICES:
            await have_push(operator, service)
        yield shop


async def have_push(
    operator: VaultClient, service: str, *, says_amount: bool | None = None
) -> None:
    """The merchant's notifications go by this service from now on."""
    road = SetChannel(
        merchant_code=MERCHANT, channel="push", provider=service, sender="", share=30,
        says_amount=says_amount,
    )  # fmt: skip
    await operator.call(SET_CHANNEL, road)


async def new_browser(shop: Workshop, fault: str = "") -> KeepPush:
    """A browser at the sandbox's push service, as its payer's page would tell it."""
    transport = httpx.ASGITransport(app=shop.outside.pages)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:1") as browser:
        answer = await browser.post("/push/subscriptions", data={"fault": fault})
    said = answer.raise_for_status().json()
    return KeepPush(endpoint=said["endpoint"], **said["keys"])


def payer_links(shop: Workshop) -> list[str]:
    """The secrets of the links in the text messages so far, oldest first."""
    return [match[1] for text in shop.texts() if (match := _LINK.search(text["body"]))]


async def payer_of(shop: Workshop, secret: str) -> Authority:
    """What the holder of a link may do."""
    opened = await shop.web.call(OPEN_LINK, OpenLink(merchant_code=MERCHANT, secret=secret))
    return opened.authority


async def remind_here(shop: Workshop, payer: Authority, fault: str = "") -> KeepPush:
    """The payer presses the button in a new browser."""
    browser = await new_browser(shop, fault)
    await shop.web.call(KEEP_PUSH, browser, payer)
    return browser


async def ask_for_push(shop: Workshop, bill_id: BillId) -> None:
    """A member of staff has the link pushed."""
    request = ResendMessage(bill_id=bill_id, channel="push", idempotency_key=secrets.token_hex(8))
    await shop.web.call(RESEND_MESSAGE, request, shop.staff)
