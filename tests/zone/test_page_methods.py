"""The bill's form over HTTP, with two ways to pay: which choice is which intent."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest_asyncio

from portal.stack.payers import read_page
from portal.vault.server import VaultServer
from tests.make.money import World, new_world
from tests.make.vault import Ground
from tests.make.web import ORIGIN, Web, running_web, web_settings


@pytest_asyncio.fixture
async def world(ground: Ground, vault: VaultServer) -> World:
    return await new_world(vault, ground.client, "minato", wallet="sandbox_wallet")


@pytest_asyncio.fixture
async def web(ground: Ground, world: World) -> AsyncIterator[Web]:
    """No relay is there, so every company is away: an attempt fails as soon as it began."""
    settings = web_settings(ground.folder)
    async with running_web(ground.folder, world.web, settings=settings) as running:
        yield running


async def choose(browser: httpx.AsyncClient, page: httpx.Response, method: str) -> httpx.Response:
    """Send the form of a page as it was shown, however old it is."""
    [form] = [one for one in read_page(page.text).forms if one.action.endswith("/pay")]
    return await browser.post(
        urljoin(str(page.url), form.action),
        data=form.fields | {"method": method},
        headers={"origin": ORIGIN},
    )


async def test_another_method_on_an_old_page_is_another_payment_and_not_a_forgery(
    world: World, web: Web
) -> None:
    payer = await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        old = await browser.get(f"/p/{world.code}/{payer.secret}")
        for method in ("card", "card", "wallet", "wallet"):
            answer = await choose(browser, old, method)
            assert answer.status_code == 200

    tried = await world.rows("select method, state from attempt order by id")
    assert [(row["method"], row["state"]) for row in tried] == [
        ("card", "failed"),
        ("wallet", "failed"),
    ]


async def test_a_company_that_nobody_told_where_it_is_takes_no_payment_and_no_try_is_stored(
    world: World, ground: Ground
) -> None:
    settings = web_settings(ground.folder, instance="t2").model_copy(
        update={"provider_endpoints": "sandbox_wallet=wallet.sandbox.test:9443"}
    )
    payer = await world.payer()

    async with (
        running_web(ground.folder, world.web, settings=settings) as web,
        web.browser(follow_redirects=True) as browser,
    ):
        shown = await browser.get(f"/p/{world.code}/{payer.secret}")
        # A form of before the settings were broken: the page itself offers the card no more.
        refused = await choose(browser, shown, "card")
        wallet = await choose(browser, shown, "wallet")

    assert "準備が整っていない" in shown.text
    assert 'value="wallet"' in shown.text
    assert 'value="card"' not in shown.text
    assert (refused.status_code, wallet.status_code) == (409, 200)
    assert "お金は動いていません。" in refused.text
    tried = await world.rows("select method from attempt where bill_id = $1", payer.bill_id)
    assert [row["method"] for row in tried] == ["wallet"]
