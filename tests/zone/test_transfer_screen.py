"""Transfers on the staff's screens and the payer's page, through the public doors."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest_asyncio

from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.vault.server import VaultServer
from tests.make.merchant import found
from tests.make.money import World
from tests.make.transfers import TransferDesk, new_transfer_desk
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings


@dataclass
class House:
    """A merchant with the web before it, and browsers of who builds and who approves."""

    desk: TransferDesk
    clerk: httpx.AsyncClient
    owner: httpx.AsyncClient

    async def done(self, who: httpx.AsyncClient, at: str, act: str, **more: str) -> str:
        """Send the first form of an act that a screen offers; that screen after it."""
        page = (await who.get(at)).text
        [form, *_] = re.findall(rf'action="/d/do/{act}">(.*?)</form>', page, re.DOTALL)
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        fields = {name: html.unescape(value) for name, value in fields.items()} | more
        assert (await who.post(f"/d/do/{act}", data=fields)).status_code == 303
        return (await who.get(at)).text


@pytest_asyncio.fixture
async def house(ground: Ground, vault: VaultServer, client_for: ClientFor) -> AsyncIterator[House]:
    zones = ("web", "work", "operator", "egress")
    web_caller, work, operator, relay = [await client_for(zone) for zone in zones]
    async with (
        AsyncExitStack() as stack,
        running_web(ground.folder, web_caller, settings=web_settings(ground.folder)) as web,
    ):
        merchant = await found(web, operator, web_caller, "mizu")
        stack.push_async_callback(merchant.close)
        opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="mizu"))
        world = World(vault, web_caller, work, operator, "mizu", opened.id, relay)
        desk = await new_transfer_desk(world)
        browsers = [staff_browser(web, who.authority) for who in (desk.clerk, desk.owner)]
        for browser in browsers:
            name, _, value = browser.headers.pop("cookie").partition("=")
            browser.cookies.set(name, value)
            browser.headers["accept-language"] = "en"
            stack.push_async_callback(browser.aclose)
        yield House(desk, *browsers)


async def test_a_file_is_looked_at_approved_downloaded_and_booked_on_its_own_screen(
    house: House,
) -> None:
    desk = house.desk
    refund = await desk.refund()
    empty = (await house.clerk.get("/d/transfers")).text
    assert "Ready to go: 1, ¥3,000" in empty
    day = desk.day.isoformat()
    await house.done(house.clerk, "/d/transfers", "TransferFileBuild", transferOn=day)
    again = await house.done(house.clerk, "/d/transfers", "TransferFileBuild", transferOn=day)
    assert "There is a file for this day already." in again
    await desk.worked()

    page = (await house.clerk.get("/d/transfers")).text
    [address] = re.findall(r'href="(/d/transfers/trf_\w+)"', page)
    built = (await house.clerk.get(address)).text
    assert "An owner who did not build the file" in built
    assert "TransferFileDecide" in built, "who built it may discard it"
    assert 'value="APPROVE"' not in built
    seen = (await house.owner.get(address)).text
    assert "ﾔﾏﾀﾞ ﾊﾅｺ" in seen
    assert "****567" in seen
    assert "Approve 1 transfers, ¥3,000" in seen

    await desk.owner.let_codes_be_fresh()
    approved = await house.done(house.owner, address, "TransferFileDecide", totp=desk.owner.code())
    assert "Approved" in approved
    csrf = re.findall(r'name="csrf" value="([^"]*)"', approved)[0]
    body = await house.owner.post(f"{address}/file", data={"csrf": html.unescape(csrf)})
    assert body.content.startswith(b"1210")
    assert body.headers["content-disposition"].endswith('.txt"')
    taken = await house.done(house.owner, address, "TransferFileReport", word="ACCEPTED")
    assert "0 transferred, ¥0; 1 to come, 0 came back" in taken
    refunds = (await house.owner.get("/d/refunds?state=all")).text
    assert "To be transferred on" in refunds

    [one] = (await desk.listed()).files
    await desk.day_comes(one)
    await desk.worked()
    back = await house.done(
        house.owner, "/d/refunds?state=all", "RefundReturned",
        returnedOn=desk.today.isoformat(), reason="no such account",
    )  # fmt: skip
    assert "no such account" in back
    assert "To be transferred" in back
    assert await desk.state(refund) == "by_bank_transfer"
    assert (await house.owner.get("/d/transfers/trf_01JD0000000000000000000000")).status_code == 404
