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
from tests.make.visitor import payer_browser, staff_browser
from tests.make.web import Web, running_web, web_settings

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

        await _hand_over(clerk)
        await _stranger(web, world)
        await _clear(clerk)


async def _hand_over(clerk: "AsyncClient") -> None:
    """Say that the shop has the file, pressed twice."""
    hand_over = "/d/do/PrintBatchHandOver"
    page = (await clerk.get("/d/slips")).text
    for _ in range(2):
        pressed = await clerk.post(hand_over, data=fields_of(page, hand_over))
        assert pressed.status_code == 303
    assert "handed over" in (await clerk.get("/d/slips")).text


async def _clear(clerk: "AsyncClient") -> None:
    """See the contact that was denied, on the screen and in the file, and clear it."""
    page = (await clerk.get("/d/contacts?problem=doubted")).text
    assert "090-****-1234" in page
    said = (await clerk.get("/d/contacts.csv?problem=doubted")).content.decode("utf-8-sig")
    [columns, row] = csv.reader(io.StringIO(said, newline=""))
    assert (columns[0], row[2], row[3][:8]) == ("Bill", "090-****-1234", "Somebody")
    assert "山田" not in said
    clear = fields_of(page, "/d/do/ContactClear") | {"reason": "CONFIRMED"}
    assert (await clerk.post("/d/do/ContactClear", data=clear)).status_code == 303
    assert "There are no such contacts" in (await clerk.get("/d/contacts?problem=doubted")).text
    assert "Back on paper (1)" in (await clerk.get("/d/paper?billing=paper")).text


async def _stranger(web: Web, world: World) -> None:
    """Somebody presses what the page offers: no paper, paper again, and that it is not theirs."""
    payer = await world.payer()
    async with world.act() as act:
        fields = await act.fields()
        contact = BillContact("山田 花子", "+819000001234", "", "12345678", "C-1", "", "")
        await act.db.execute(
            "update bill set contact = $2, has_address = true, phone_blind = 'p' where id = $1",
            payer.bill_id, fields.seal("bill", "contact", payer.bill_id, 1, contact),
        )  # fmt: skip
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        address = f"/b/{payer.page_ref}"
        for after in ("PARALLEL", "PAPER"):
            page = (await browser.get(address)).text
            answer = await browser.post(
                f"{address}/paper", data=fields_of(page, f"{address}/paper")
            )
            assert answer.status_code == 303
            state = await world.value("select upper(state) from digital_contract")
            assert state == after
        page = (await browser.get(address)).text
        refused = await browser.post(f"{address}/not-mine", data={"csrf": "forged"})
        assert refused.status_code == 403
        pressed = fields_of(page, f"{address}/not-mine")
        assert (await browser.post(f"{address}/not-mine", data=pressed)).status_code == 303
        assert f'action="{address}/not-mine"' not in (await browser.get(address)).text
