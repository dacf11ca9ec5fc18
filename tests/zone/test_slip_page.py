"""The slip as a payer's browser gets it, without any script, and the pages around it."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest_asyncio
from starlette.applications import Starlette

from portal.application.doors.headers import NOTHING_ALLOWED
from portal.contract.operator import JournalLine
from portal.domain.barcode import draw_svg, encode
from portal.domain.slip_number import parse
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.stores import Stores
from portal.sandbox.till_journal import told
from portal.vault.server import VaultServer
from tests.make.money import World, new_world
from tests.make.slip_desk import SlipDesk, line, new_slip_desk
from tests.make.symbol import dots_of, read_picture
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import payer_browser, staff_browser
from tests.make.web import ORIGIN, Web, running_web, web_settings

KEY = "agency-key-of-this-address"
JA = {"accept-language": "ja", "origin": ORIGIN}


@pytest_asyncio.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> SlipDesk:
    return await new_slip_desk(await new_world(vault, client_for))


@pytest_asyncio.fixture
async def web(desk: SlipDesk, ground: Ground) -> AsyncIterator[Web]:
    keys = ground.folder / "notice_keys.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({"sandbox_agency": {desk.world.code: [KEY]}}))
    settings = web_settings(ground.folder).model_copy(update={"notice_keys_file": keys})
    async with running_web(ground.folder, desk.world.web, settings=settings) as running:
        yield running


async def digits_of(world: World) -> str:
    return await world.value("select digits from slip order by id desc limit 1")


def field_of(page: httpx.Response, name: str) -> str:
    return unescape(page.text.partition(f'name="{name}" value="')[2].partition('"')[0])


async def test_a_payer_who_chooses_the_slip_gets_its_bars_and_is_told_what_to_do(
    web: Web, desk: SlipDesk
) -> None:
    payer = await desk.world.payer()
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        bill = await browser.get(f"/b/{payer.page_ref}", headers=JA)
        ahead = await browser.get(f"/b/{payer.page_ref}/slip", headers={"sec-purpose": "prefetch"})
        made_ahead = await desk.world.value("select count(*) from slip")
        form = {name: field_of(bill, name) for name in ("csrf", "key", "expected")}
        chosen = await browser.post(
            f"/b/{payer.page_ref}/pay", data={**form, "method": "slip"}, headers=JA
        )
        shown = await browser.get(chosen.headers["location"], headers=JA)

    assert (ahead.status_code, made_ahead) == (503, 0)
    assert (chosen.status_code, chosen.headers["location"]) == (303, f"/b/{payer.page_ref}/slip")
    assert shown.status_code == 200
    digits = await digits_of(desk.world)
    assert draw_svg(encode(digits), "払込票のバーコード") in shown.text
    for written in (*parse(digits).lines(), "レジでは使えません", "請求書払い"):
        assert written in shown.text


async def test_a_payer_takes_the_same_slip_home_as_a_file_that_names_nobody(
    web: Web, desk: SlipDesk
) -> None:
    payer = await desk.world.payer()
    rich = await desk.world.payer(amount=300_001)
    address = f"/b/{payer.page_ref}/slip.pdf"
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        ahead = await browser.get(address, headers={"sec-purpose": "prefetch"})
        made_ahead = await desk.world.value("select count(*) from slip")
        sheet = await browser.get(address, headers=JA)
        labels = await browser.get(f"{address}?dpi=203", headers=JA)
        elsewhere = await browser.get(f"/b/{rich.page_ref}/slip.pdf", headers=JA)
        page = await browser.get(f"/b/{payer.page_ref}/slip", headers=JA)
    async with payer_browser(web, rich.authority, rich.page_ref) as browser:
        refused = await browser.get(f"/b/{rich.page_ref}/slip.pdf", headers=JA)

    assert (ahead.status_code, made_ahead) == (503, 0)
    assert await desk.world.value("select count(*) from slip") == 1
    digits = await digits_of(desk.world)
    for file, dpi in ((sheet, 300), (labels, 203)):
        assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
        assert file.headers["content-disposition"] == 'attachment; filename="slip.pdf"'
        assert file.headers["cache-control"] == "no-store"
        assert file.headers["content-security-policy"] == NOTHING_ALLOWED
        assert read_picture(dots_of(file.content, dpi)) == [(digits, "]C1")]
    assert f'href="{address}"' in page.text
    assert (refused.status_code, "application/pdf" in refused.headers["content-type"]) == (
        409,
        False,
    )
    assert elsewhere.headers["content-type"] != "application/pdf"


async def test_a_register_is_named_only_where_the_agency_takes_screens(
    web: Web, desk: SlipDesk
) -> None:
    payer = await desk.world.payer()
    await desk.terms(scans_screens=True)

    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        shown = await browser.get(f"/b/{payer.page_ref}/slip", headers=JA)

    assert "レジで店員に見せ" in shown.text
    assert "レジでは使えません" not in shown.text


async def test_over_the_limit_and_while_a_till_has_the_money_the_page_says_so(
    web: Web, desk: SlipDesk
) -> None:
    rich = await desk.world.payer(amount=1_000_000)
    async with payer_browser(web, rich.authority, rich.page_ref) as browser:
        bill = await browser.get(f"/b/{rich.page_ref}", headers=JA)
        refused = await browser.get(f"/b/{rich.page_ref}/slip", headers=JA)
    assert 'value="slip"' not in bill.text
    assert "払込票(コンビニ・アプリ): " in bill.text
    assert refused.status_code == 409
    assert "<svg" not in refused.text

    payer, digits = await desk.payer()
    await desk.told(line("provisional", digits))
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        waiting = await browser.get(f"/b/{payer.page_ref}", headers=JA)
    assert "お店から速報が届きました" in waiting.text
    assert 'name="method"' not in waiting.text


async def test_staff_send_the_agency_s_file_by_a_form_and_see_a_verdict_for_each_line(
    web: Web, desk: SlipDesk
) -> None:
    payer, digits = await desk.payer()
    text = f"{line('confirmed', digits)}\r\n01,nonsense\r\n"
    async with staff_browser(web, desk.staff.authority) as browser:
        form = await browser.get("/d/slips", headers=JA)
        fields = {"csrf": field_of(form, "csrf"), "csv": text}
        first = await browser.post("/d/slips", data=fields, headers=JA)
        again = await browser.post("/d/slips", data=fields, headers=JA)
        empty = await browser.post("/d/slips", data=fields | {"csv": " "}, headers=JA)

    assert (first.status_code, again.status_code) == (200, 200)
    for shown in ("入金: 1", "読めない行: 1", "そのまま送り直してください"):
        assert shown in first.text
        assert shown in again.text
    assert "前にも受け取っています" not in first.text
    assert "前にも受け取っています" in again.text
    assert 'role="alert"' in empty.text
    assert await desk.world.settlement(payer.bill_id) == "settled"


async def test_what_an_agency_signs_is_taken_at_once_and_nothing_else_is(
    web: Web, desk: SlipDesk
) -> None:
    payer, digits = await desk.payer()
    body = line("provisional", digits).encode("cp932")
    now = str(int(time.time()))

    def signed(key: str, moment: str = now) -> dict[str, str]:
        mac = hmac.new(key.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"x-agency-signature": f"t={moment},v1={mac}"}

    address = f"/notices/sandbox_agency/{desk.world.code}"
    async with web.browser() as agency:
        forged = [
            await agency.post(address, content=body, headers=headers)
            for headers in ({}, signed("another"), signed(KEY, "1700000000"))
        ]
        keyless = await agency.post(
            "/notices/sandbox_agency/nobody", content=body, headers=signed(KEY)
        )
        before = await desk.world.settlement(payer.bill_id)
        good = await agency.post(address, content=body, headers=signed(KEY))

    assert [answer.status_code for answer in (*forged, keyless)] == [400] * 4
    assert before == "unpaid"
    assert (good.status_code, good.json()) == (200, {"fresh": 1})
    assert await desk.world.settlement(payer.bill_id) == "provisional"


async def test_the_sandbox_s_till_and_its_agency_s_file_pay_a_bill_and_witness_it(
    desk: SlipDesk, ground: Ground
) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    journal = Journal(ground.folder / "journal.sqlite")
    stores = Stores(journal.tills, NoticeSender("http://127.0.0.1:9"), "")
    transport = httpx.ASGITransport(app=Starlette(routes=stores.browser_routes))
    form = {"account": world.code, "company": "010"}
    async with httpx.AsyncClient(transport=transport, base_url="http://till.test") as till:
        misread = await till.post("/till", data={**form, "digits": f"{digits[:-1]}x"})
        await till.post("/till", data={**form, "digits": digits})
        await till.post("/till/1", data={"act": "confirm"})
        file = await till.get("/till/notices.csv", params={"account": world.code})
        shown = await till.get("/till")
    [taking] = journal.tills.all()
    journal.close()

    taken = await desk.file(file.content)

    assert (misread.status_code, "slip_length" in misread.text) == (422, True)
    assert digits in shown.text
    assert [verdict.result for verdict in taken.lines] == ["pending", "posted"]
    assert await world.settlement(payer.bill_id) == "settled"
    witnessed = JournalLine(
        reference=told(taking)["reference"], state="succeeded", amount_minor=taking["amount"]
    )
    assert await world.compare(witnessed, provider="sandbox_agency") == set()
