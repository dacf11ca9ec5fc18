"""Several bills, or a part of one, chosen on the bill's page over HTTP, with forms alone."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from portal.stack.payers import Form, read_page
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.vault import Ground
from tests.make.web import ORIGIN, Web, running_web, web_settings

OLDER = 3_100


@pytest_asyncio.fixture
async def world(ground: Ground, vault: VaultServer) -> World:
    return await new_world(vault, ground.client, "minato", wallet="sandbox_wallet")


@pytest_asyncio.fixture
async def web(ground: Ground, world: World) -> AsyncIterator[Web]:
    """No relay is there, so every company is away: an attempt fails as soon as it began."""
    settings = web_settings(ground.folder)
    async with running_web(ground.folder, world.web, settings=settings) as running:
        yield running


async def two_bills(world: World) -> tuple[Payer, Payer]:
    contract = uuid4()
    one = await world.payer(contract=contract)
    return one, await world.payer(contract=contract, amount=OLDER)


def pay_form(page: httpx.Response) -> Form:
    [form] = [one for one in read_page(page.text).forms if one.action.endswith("/pay")]
    return form


async def press(browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
    form = pay_form(page)
    address = urljoin(str(page.url), form.action)
    return await browser.post(address, data=form.fields, headers={"origin": ORIGIN})


async def test_chosen_bills_are_added_up_before_the_button_and_paid_by_it(
    world: World, web: Web
) -> None:
    one, older = await two_bills(world)

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{one.secret}")
        total = await browser.get(str(first.url), params={"with": older.page_ref})
        answer = await press(browser, total)

    assert "同じご契約のほかのお支払い" in first.text
    assert pay_form(first).fields["expected"] == str(AMOUNT)
    assert "2件まとめて11,520円を支払う" in total.text
    assert pay_form(total).fields["expected"] == str(AMOUNT + OLDER)
    assert answer.status_code == 200
    shares = await world.rows("select bill_id, amount_minor from attempt_share order by bill_id")
    assert {row["bill_id"]: row["amount_minor"] for row in shares} == {
        one.bill_id: AMOUNT,
        older.bill_id: OLDER,
    }


async def test_the_other_bills_show_nothing_personal(world: World, web: Web) -> None:
    one, older = await two_bills(world)
    number = await world.value("select number from bill where id = $1", older.bill_id)

    async with web.browser(follow_redirects=True) as browser:
        page = await browser.get(f"/p/{world.code}/{one.secret}")

    assert older.page_ref in page.text
    assert "3,100円" in page.text
    for hidden in (number, str(older.bill_id), older.secret, "山田", "12345678"):
        assert hidden not in page.text


@pytest.mark.parametrize("named", ["unknown", "\u6771\u4eac", "<script>", "4242424242424242"])
async def test_a_name_that_no_page_gave_chooses_nothing_and_is_not_shown(
    world: World, web: Web, named: str
) -> None:
    one, _ = await two_bills(world)

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{one.secret}")
        shown = await browser.get(str(first.url), params={"with": named})

    assert shown.status_code == 200
    assert pay_form(shown).fields["expected"] == str(AMOUNT)
    assert named not in shown.text.partition("</style>")[2].partition("<script>")[0]


async def test_what_went_meanwhile_is_said_and_the_bill_alone_is_offered(
    world: World, web: Web
) -> None:
    one, older = await two_bills(world)

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{one.secret}")
        total = await browser.get(str(first.url), params={"with": older.page_ref})
        await world.paid_alone(older, OLDER)
        pressed = await press(browser, total)
        again = await browser.get(str(first.url), params={"with": older.page_ref})

    for answer in (pressed, again):
        assert "お支払いいただけなくなったもの" in answer.text
        assert pay_form(answer).fields["expected"] == str(AMOUNT)
    assert pressed.status_code == 409


@pytest.mark.parametrize("written", ["3000", "\uff13\uff10\uff10\uff10", " 3,000 "])
async def test_a_part_is_said_before_the_button_and_asked_for_by_it(
    world: World, web: Web, written: str
) -> None:
    await world.allow_parts(1_000)
    payer = await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{payer.secret}")
        shown = await browser.get(str(first.url), params={"part": written})
        await press(browser, shown)

    assert "1,000円から7,420円まで" in first.text
    assert "残りの5,420円" in shown.text
    assert await world.value("select amount_minor from attempt") == 3_000


@pytest.mark.parametrize("written", ["0", "999", "7421", "8420", "-5", "many", "3000.5"])
async def test_a_part_that_can_not_be_paid_is_refused_in_words(
    world: World, web: Web, written: str
) -> None:
    await world.allow_parts(1_000)
    payer = await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{payer.secret}")
        shown = await browser.get(str(first.url), params={"part": written})

    assert "1,000円から7,420円までの金額でお願いします" in shown.text
    assert pay_form(shown).fields["expected"] == str(AMOUNT)


async def test_a_merchant_that_takes_no_parts_offers_none(world: World, web: Web) -> None:
    payer = await world.payer()

    async with web.browser(follow_redirects=True) as browser:
        first = await browser.get(f"/p/{world.code}/{payer.secret}")
        shown = await browser.get(str(first.url), params={"part": "3000"})

    assert 'name="part"' not in first.text
    assert "全額でのお支払いのみ" in shown.text
