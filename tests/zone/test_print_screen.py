"""Slips for a print shop on the staff's screen, through the public doors."""

import csv
import html
import io
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.domain.print_batch import COLUMNS
from portal.vault.sealed import BillContact
from portal.vault.server import VaultServer
from tests.make.merchant import found
from tests.make.money import World
from tests.make.refunds import member
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings

if TYPE_CHECKING:
    from httpx import AsyncClient


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    [form] = re.findall(rf'action="{re.escape(action)}">(.*?)</form>', page, re.DOTALL)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in hidden}


async def addressed(world: World) -> None:
    """A bill whose message did not arrive, over more than any slip can carry."""
    bill_id, _ = await world.bill(amount=1_000_000)
    async with world.act() as act:
        fields = await act.fields()
        contact = BillContact("山田 花子", "", "", "12345678", "C-1", "105-0001", "東京都港区1")
        await act.db.execute(
            "update bill set contact = $2, has_address = true, message = 'failed' where id = $1",
            bill_id, fields.seal("bill", "contact", bill_id, 1, contact),
        )  # fmt: skip
        await act.db.execute("update merchant set transfer_text = 'みなと銀行 普通 1'")


async def test_a_batch_is_made_shown_and_taken_out_by_an_owner_only(
    ground: Ground, vault: VaultServer, client_for: ClientFor
) -> None:
    web_caller, work, operator = [await client_for(zone) for zone in ("web", "work", "operator")]
    async with (
        AsyncExitStack() as stack,
        running_web(ground.folder, web_caller, settings=web_settings(ground.folder)) as web,
    ):
        merchant = await found(web, operator, web_caller, "mizu")
        stack.push_async_callback(merchant.close)
        opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="mizu"))
        world = World(vault, web_caller, work, operator, "mizu", opened.id)
        browsers: list[AsyncClient] = []
        for name, role in (("boss", "owner"), ("desk", "clerk")):
            browser = staff_browser(web, (await member(world, name, role)).authority)
            cookie, _, value = browser.headers.pop("cookie").partition("=")
            browser.cookies.set(cookie, value)
            browser.headers["accept-language"] = "en"
            browsers.append(await stack.enter_async_context(browser))
        owner, clerk = browsers
        assert "No bill waits to be printed." in (await clerk.get("/d/slips")).text
        await addressed(world)

        page = (await clerk.get("/d/slips")).text
        assert "1 bill waits to be printed." in page
        act = "/d/do/PrintBatchMake"
        asked = fields_of(page, act) | {"charset": "SHIFT_JIS"}
        assert (await clerk.post(act, data=asked)).status_code == 303
        assert (await clerk.post(act, data=asked)).status_code == 303  # pressed twice
        page = (await clerk.get("/d/slips")).text
        assert "Only an owner can take it out" in page
        page = (await owner.get("/d/slips")).text
        [address] = re.findall(r'action="(/d/slips/print/[^"]+)"', page)
        assert (await owner.get(address)).status_code == 405
        refused = await clerk.post(address, data={"csrf": asked["csrf"]})
        sent = await owner.post(address, data=fields_of(page, address))

        assert refused.status_code in {403, 404}
        assert sent.headers["content-type"] == "text/csv; charset=Shift_JIS"
        rows = list(csv.reader(io.StringIO(sent.content.decode("cp932"), newline="")))
        assert rows[0] == list(COLUMNS)
        assert (rows[1][2], rows[1][8], rows[1][12]) == ("山田 花子", "", "みなと銀行 普通 1")
        assert len(rows) == 2
