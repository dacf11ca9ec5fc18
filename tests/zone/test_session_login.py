"""Coming in and leaving through the real doors, judged by a real vault."""

import re
from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest
import pytest_asyncio

from portal.contract.operator import ISSUE_LOGIN_TICKET, IssueLoginTicket
from tests.make.vault import PASSWORD, ClientFor, Ground, add_staff, found_merchant
from tests.make.web import ORIGIN, Web, running_web, web_settings

EMAIL = "hana@minato.example"


@pytest_asyncio.fixture
async def web(ground: Ground, client_for: ClientFor) -> AsyncIterator[Web]:
    caller = await client_for("web")
    async with running_web(ground.folder, caller, settings=web_settings(ground.folder)) as running:
        yield running


@pytest_asyncio.fixture
async def totp(web: Web, client_for: ClientFor) -> pyotp.TOTP:
    del web
    operator = await client_for("operator")
    await found_merchant(operator)
    return pyotp.TOTP(await add_staff(operator, email=EMAIL))


async def log_in(browser: httpx.AsyncClient, **changes: str) -> httpx.Response:
    form = {"merchant": "minato", "email": EMAIL, "password": PASSWORD, "totp": "", "next": "/d"}
    return await browser.post("/login", data=form | changes, headers={"origin": ORIGIN})


async def test_password_and_code_open_the_screen_that_was_asked_for(
    web: Web, totp: pyotp.TOTP
) -> None:
    async with web.browser() as browser:
        answer = await log_in(browser, totp=totp.now(), next="/d/bills?q=1")
        home = await browser.get("/d")

    assert (answer.status_code, answer.headers["location"]) == (303, "/d/bills?q=1")
    assert home.status_code == 200
    assert "みなと電力" in home.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong horse battery"},
        {"totp": "000000"},
        {"email": "nobody@minato.example"},
        {"email": "no mail address"},
        {"merchant": "nobody"},
    ],
)
async def test_whatever_is_wrong_is_refused_alike(
    web: Web, totp: pyotp.TOTP, wrong: dict[str, str]
) -> None:
    async with web.browser() as browser:
        answer = await log_in(browser, **({"totp": totp.now()} | wrong))
        home = await browser.get("/d")

    assert "code=login_refused" in answer.headers["location"]
    assert "set-cookie" not in answer.headers
    assert PASSWORD.replace(" ", "+") not in answer.headers["location"]
    assert "hana" not in answer.headers["location"]
    assert home.headers["location"] == "/login"


async def test_a_code_works_once(web: Web, totp: pyotp.TOTP) -> None:
    code = totp.now()
    async with web.browser() as one, web.browser() as two:
        first = await log_in(one, totp=code)
        second = await log_in(two, totp=code)

    assert first.headers["location"] == "/d"
    assert "code=login_refused" in second.headers["location"]


async def test_a_ticket_lets_in_once_and_looking_ahead_uses_nothing_up(
    web: Web, totp: pyotp.TOTP, client_for: ClientFor
) -> None:
    del totp
    operator = await client_for("operator")
    request = IssueLoginTicket(merchant_code="minato", email=EMAIL, life_s=60)
    ticket = (await operator.call(ISSUE_LOGIN_TICKET, request)).ticket
    async with web.browser() as browser, web.browser() as late:
        ahead = await browser.get(f"/login/ticket/{ticket}", headers={"sec-purpose": "prefetch"})
        head = await browser.head(f"/login/ticket/{ticket}")
        answer = await browser.get(f"/login/ticket/{ticket}")
        again = await late.get(f"/login/ticket/{ticket}")
        home = await browser.get("/d")

    assert ahead.status_code == head.status_code == 204
    assert (answer.headers["location"], home.status_code) == ("/d", 200)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "code=ticket_used" in again.headers["location"]
    assert "set-cookie" not in again.headers


async def test_logging_out_needs_the_sessions_own_token_and_ends_copies_of_its_cookie(
    web: Web, totp: pyotp.TOTP
) -> None:
    async with web.browser() as browser, web.browser() as copy:
        await log_in(browser, totp=totp.now())
        copy.cookies.update(browser.cookies)
        token = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/d")).text)
        assert token is not None
        without = await browser.post("/logout", headers={"origin": ORIGIN})
        still_in = await browser.get("/d")
        left = await browser.post("/logout", data={"csrf": token[1]}, headers={"origin": ORIGIN})
        after = await copy.get("/d")

    assert (without.status_code, still_in.status_code) == (400, 200)
    assert left.headers["location"] == "/login"
    assert after.headers["location"] == "/login"
