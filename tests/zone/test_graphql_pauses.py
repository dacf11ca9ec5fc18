"""The staff's forms that stop a bill's reminders, and the list that finds it, over HTTP."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest_asyncio

from portal.domain.ids import to_public
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk
from tests.make.vault import Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings


@pytest_asyncio.fixture
async def desk(ground: Ground, vault: VaultServer) -> Desk:
    return await new_desk(vault, ground.client)


@pytest_asyncio.fixture
async def browser(ground: Ground, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    settings = web_settings(ground.folder)
    async with running_web(ground.folder, desk.web, settings=settings) as web:
        browser = staff_browser(web, desk.staff)
        name, _, value = browser.headers.pop("cookie").partition("=")
        browser.cookies.set(name, value)
        browser.headers["accept-language"] = "en"
        async with browser:
            yield browser


async def send(browser: httpx.AsyncClient, address: str, act: str, **typed: str) -> str:
    """Fill in the form of an act as the page shows it, and see what comes next."""
    page = (await browser.get(address)).text
    forms = re.findall(rf'action="/d/do/{act}">(.*?)</form>', page, re.DOTALL)
    found = [
        dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)) for form in forms
    ]
    [fields] = [one for one in found if one.get("kind") == typed.get("kind")]
    answer = await browser.post(f"/d/do/{act}", data=fields | typed)
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


async def test_staff_note_a_promise_find_it_and_let_reminders_go_on(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    await desk.issued(line("E-0"), line("E-1"))
    [bill] = [row for row in (await desk.bills(first=9)).bills if row.number == "E-0"]
    address = f"/d/bills/{to_public('bill', bill.id)}"
    until = (desk.today + timedelta(days=3)).isoformat()
    too_far = (desk.today + timedelta(days=99)).isoformat()
    promise = {"kind": "PROMISE", "note": "電話で"}

    refused = await send(browser, address, "BillPause", **promise, until=too_far)
    done = await send(browser, address, "BillPause", **promise, until=until)
    listed = (await browser.get("/d/bills?pause=promise")).text
    others = (await browser.get("/d/bills?pause=hold")).text
    resumed = await send(browser, address, "BillResume")
    extended = await send(
        browser, address, "BillPause", kind="EXTENSION",
        until=(bill.due_on + timedelta(days=1)).isoformat(),
    )  # fmt: skip

    last = desk.today + timedelta(days=31)
    assert f"This day is too far ahead; {last} is the last one possible." in refused
    assert "電話で" in refused
    assert "The promise is noted." in done
    assert "The payer promised to pay by" in done
    assert ("E-0" in listed, "E-1" in listed, "Promised" in listed) == (True, False, True)
    assert "No bill matches" in others
    assert "Reminders go on." in resumed
    assert "Released" in resumed
    assert "The due date is extended." in extended
    assert "was due" in extended
