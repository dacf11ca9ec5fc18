"""The bill's form over HTTP, with two ways to pay: which choice is which intent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urljoin

import httpx
import pytest_asyncio

from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.number import SET_NUMBER, SetNumber, StoreNumber
from portal.contract.payment import START_PAYMENT, StartPayment
from portal.domain.card_on_file import words
from portal.stack.payers import read_page
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
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


async def choose(
    browser: httpx.AsyncClient, page: httpx.Response, method: str, **more: str
) -> httpx.Response:
    """Send the form of a page as it was shown, however old it is."""
    [form] = [one for one in read_page(page.text).forms if one.action.endswith("/pay")]
    return await browser.post(
        urljoin(str(page.url), form.action),
        data=form.fields | {"method": method} | more,
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


async def test_the_tick_is_never_set_beforehand_and_counts_for_the_card_alone(
    world: World, web: Web
) -> None:
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=2))
    payer = await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        page = await browser.get(f"/p/{world.code}/{payer.secret}")
        [form] = [one for one in read_page(page.text).forms if one.action.endswith("/pay")]
        for method, ticked in (("card", True), ("wallet", True), ("card", False)):
            await choose(browser, page, method, **({"consent": words(2)} if ticked else {}))
        foreign = await choose(browser, page, "card", consent=words(3))

    assert "consent" not in form.fields
    assert f'name="consent" value="{words(2)}"' in page.text
    assert foreign.status_code == 409
    tried = await world.rows(
        "select a.method, c.state from attempt a left join card_on_file c on c.attempt_id = a.id"
        " order by a.id"
    )
    assert [(row["method"], row["state"]) for row in tried] == [
        ("card", "void"), ("wallet", None), ("card", None),
    ]  # fmt: skip


async def test_a_card_is_taken_back_on_the_page_by_its_own_form_alone(
    world: World, web: Web
) -> None:
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    payer = await world.payer()
    agreed = StartPayment(
        method="card", expected_minor=AMOUNT, idempotency_key="k", consent=words(0)
    )
    started = await world.web.call(START_PAYMENT, agreed, payer.authority)
    kept = finding("succeeded", saved_token="card_1", saved_customer="c", instrument_hint="4242")
    await world.told(payer, started.attempt_id, kept)

    async with web.browser(follow_redirects=True) as browser:
        page = await browser.get(f"/p/{world.code}/{payer.secret}")
        [form] = [one for one in read_page(page.text).forms if one.action.endswith("/card")]
        address = urljoin(str(page.url), form.action)
        refused = await browser.post(address, data={"csrf": "no"}, headers={"origin": ORIGIN})
        assert await world.value("select state from card_on_file") == "active"
        done = [
            await browser.post(address, data=form.fields, headers={"origin": ORIGIN})
            for _ in range(2)
        ]

    assert "4242" in page.text
    assert refused.status_code == 403
    assert [(one.status_code, "/card" in one.text) for one in done] == [(200, False)] * 2
    assert await world.value("select state from card_on_file") == "revoked"


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


async def test_a_store_is_chosen_on_our_page_and_its_number_is_shown_whoever_comes_back(
    web: Web, world: World
) -> None:
    number = SetNumber(merchant_code=world.code, provider="gmopg", hours="09:00-17:00")
    await world.operator.call(SET_NUMBER, number)
    payer, unnamed = await world.payer(kana="ヤマダ\u3000ハナコ"), await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        hidden = await browser.get(f"/p/{world.code}/{unnamed.secret}")
        bare = await browser.get(f"{hidden.url}/number")
        page = await browser.get(f"/p/{world.code}/{payer.secret}")
        stores = await choose(browser, page, "number")
        [form] = [one for one in read_page(stores.text).forms if one.action.endswith("/number")]
        tap = form.fields | {"store": "lawson"}
        where = urljoin(str(stores.url), form.action)
        # No relay is there, so the company is away: nothing was made, and it says so.
        away = [await browser.post(where, data=tap, headers={"origin": ORIGIN}) for _ in "12"]
        none = await browser.post(
            where, data=form.fields | {"store": "kiosk"}, headers={"origin": ORIGIN}
        )
        started = await world.start(payer, "k9", method="number", store="ministop")
        told = StoreNumber(
            store="ministop", receipt_no="20153671234", confirmation_no="580512",
            pay_by=world.server.clock.wall() + timedelta(days=10),
        )  # fmt: skip
        await world.submitted(payer, started, redirect_url="", number=told)  # type: ignore[arg-type]
        bill = await browser.get(str(page.url))
        shown = await browser.get(where)
        back = read_page(shown.text).forms[0]
        stands = await browser.post(
            urljoin(str(shown.url), back.action), data=back.fields, headers={"origin": ORIGIN}
        )

    assert "フリガナ" in hidden.text
    assert bare.url == hidden.url
    assert stores.url.path.endswith("/number")
    assert [answer.url for answer in away] == [page.url] * 2
    assert "お店が選ばれていません" in none.text
    assert f"{page.url.path}/number" in bill.text
    assert "20153671234" not in bill.text
    assert all(text in shown.text for text in ("20153671234", "580512", "ミニストップ", "Loppi"))
    assert (stands.status_code, "番号はまだ使えます" in stands.text) == (409, True)
    tried = await world.rows("select method, state from attempt order by id")
    assert [(row["method"], row["state"]) for row in tried] == [
        ("number", "failed"), ("number", "requires_action"),
    ]  # fmt: skip


async def test_the_card_on_file_is_the_first_choice_and_an_intent_of_its_own(
    world: World, web: Web
) -> None:
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    first = await world.payer(contract=b"k" * 32)
    left = await world.start(first, consent=words(0))
    kept = {"saved_token": "card_1", "saved_customer": "c", "saved_brand": "Visa"}
    told = finding("succeeded", instrument_hint="4242", **kept)
    await world.submitted(first, left)
    await world.told(first, left.attempt_id, told)
    payer = await world.payer(contract=b"k" * 32)

    async with web.browser(follow_redirects=True) as browser:
        page = await browser.get(f"/p/{world.code}/{payer.secret}")
        [form] = [one for one in read_page(page.text).forms if one.action.endswith("/pay")]
        for method, more in (("kept", {"consent": words(0)}), ("kept", {}), ("card", {})):
            answer = await choose(browser, page, method, **more)
            assert answer.status_code == 200

    assert form.fields["method"] == "kept"
    assert "末尾 4242" in page.text
    assert "別のカード" in page.text
    assert "card_1" not in page.text
    # No relay is there: nothing has left, and each choice was one try.
    tried = await world.rows(
        "select a.state, a.decline_code, c.state as kept from attempt a"
        " left join card_payment c on c.attempt_id = a.id where a.bill_id = $1 order by a.id",
        payer.bill_id,
    )
    assert [tuple(row.values()) for row in tried] == [
        ("failed", "provider_away", "begun"), ("failed", "provider_away", None),
    ]  # fmt: skip
