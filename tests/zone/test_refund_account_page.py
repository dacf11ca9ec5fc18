"""The account for a refund over our pages, by links and forms alone; and staff who take it down."""

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest
import pytest_asyncio

from portal.domain.ids import to_public
from portal.vault.refund import read_refund
from portal.vault.refund_account import account_of
from portal.vault.server import VaultServer
from tests.make.money import World, new_world
from tests.make.refund_accounts import PROOF, paid_payer, waiting
from tests.make.refunds import Counter, new_counter
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import ORIGIN, Web, running_web

FORM = {"kind": "1", "number": "0123456", "holder": "やまだ　ハナコ"}


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


@pytest_asyncio.fixture
async def web(world: World, ground: Ground) -> AsyncIterator[Web]:
    async with running_web(ground.folder, world.web) as running:
        yield running


def hidden(page: httpx.Response, step: str) -> dict[str, str]:
    """The hidden fields of the form that takes this step."""
    [form] = [one for one in page.text.split("<form")[1:] if f'name="step" value="{step}"' in one]
    form = form.partition("</form>")[0]
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in fields}


async def test_the_way_over_our_pages_without_script(web: Web, counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    async with web.browser(headers={"accept-language": "en", "origin": ORIGIN}) as browser:
        opened = await browser.get(f"/p/{world.code}/{payer.secret}")
        here = opened.headers["location"]
        await browser.get(f"{here}?lang=en")
        there = f"{here}/refund-account"
        bill = (await browser.get(here)).text
        assert "goes back to you. Please tell us the bank account." in bill
        assert f'href="{there}"' in bill
        assert f'href="{there}?bank=0005"' in (await browser.get(f"{there}?q=0005")).text
        branches = (await browser.get(f"{there}?bank=0005&q=001")).text
        assert f'href="{there}?bank=0005&branch=001"' in unescape(branches)
        chosen = f"{there}?bank=0005&branch=001"
        form = hidden(await browser.get(chosen), "check")

        # What a file could not hold is said beside what was typed; nothing is kept.
        for wrong, text in (
            ({"holder": "山田花子"}, "can&#39;t hold “山”"),
            ({"number": "12345678"}, "has up to 7 digits"),
            ({"kind": "9"}, "has to be ordinary, current or savings"),
            ({"number": "4242 4242 4242 4242"}, "like a card number is refused"),
        ):
            refused = await browser.post(chosen, data=form | FORM | wrong)
            assert (refused.status_code, unescape(text) in unescape(refused.text)) == (422, True)
        assert await world.value("select count(*) from refund_account") == 0
        foreign = await browser.post(chosen, data={**FORM, "csrf": "x", "step": "check"})
        assert foreign.status_code == 403

        confirm = await browser.post(chosen, data=form | FORM)
        assert "ﾔﾏﾀﾞ ﾊﾅｺ" in confirm.text
        assert "last 4 digits of your telephone" in confirm.text
        assert await world.value("select count(*) from refund_account") == 0
        edit = await browser.post(chosen, data=hidden(confirm, "edit"))
        assert 'value="0123456"' in edit.text
        wrong = await browser.post(chosen, data=hidden(confirm, "give") | {"proof": "0000"})
        assert (wrong.status_code, "Answers left: 4" in wrong.text) == (422, True)
        given = await browser.post(chosen, data=hidden(wrong, "give") | {"proof": PROOF})
        assert given.headers["location"] == f"{here}#refund"
        after = (await browser.get(here)).text
        assert "account ****456, holder ヤ** ハ**" in after
        for secret in ("0123456", "ﾊﾅｺ"):
            assert secret not in after
    async with world.act() as act:
        account = await account_of(act, await read_refund(act, refund.id))
    assert account is not None
    assert account.number == "0123456"


async def test_after_five_wrong_answers_only_staff_take_it(web: Web, counter: Counter) -> None:
    payer, _ = await waiting(counter)
    async with web.browser(headers={"accept-language": "en", "origin": ORIGIN}) as browser:
        opened = await browser.get(f"/p/{counter.world.code}/{payer.secret}")
        here = opened.headers["location"]
        await browser.get(f"{here}?lang=en")
        chosen = f"{here}/refund-account?bank=0005&branch=001"
        form = hidden(await browser.get(chosen), "check")
        asked = hidden(await browser.post(chosen, data=form | FORM), "give")
        for left in (4, 3, 2, 1):
            again = await browser.post(chosen, data=asked | {"proof": "0000"})
            assert f"Answers left: {left}" in again.text
        last = await browser.post(chosen, data=asked | {"proof": "0000"})
        assert (last.status_code, "wrong too often" in last.text) == (409, True)
        assert (await browser.get(chosen)).headers["location"] == here
        over = await browser.post(chosen, data=asked | {"proof": PROOF})
        assert (over.status_code, "wrong too often" in over.text) == (409, True)
        assert "please call" in (await browser.get(here)).text
    assert await counter.world.value("select count(*) from refund_account") == 0


async def test_a_passbook_of_japan_post_bank(web: Web, counter: Counter) -> None:
    payer, refund = await waiting(counter)
    async with web.browser(headers={"accept-language": "ja", "origin": ORIGIN}) as browser:
        opened = await browser.get(f"/p/{counter.world.code}/{payer.secret}")
        chosen = f"{opened.headers['location']}/refund-account?bank=9900"
        form = hidden(await browser.get(chosen), "check")
        form |= {"symbol": "10180", "number": "12345671", "holder": "ヤマダ ハナコ"}
        refused = await browser.post(chosen, data=form | {"symbol": "01234"})
        assert (refused.status_code, "記号が正しくありません" in refused.text) == (422, True)
        confirm = await browser.post(chosen, data=form)
        assert "1234567" in confirm.text
        await browser.post(chosen, data=hidden(confirm, "give") | {"proof": PROOF})
    async with counter.world.act() as act:
        account = await account_of(act, await read_refund(act, refund.id))
    assert account is not None
    assert (account.bank_code, account.branch_code, account.number) == ("9900", "018", "1234567")


async def test_no_other_bills_page_gives_it(web: Web, counter: Counter) -> None:
    world = counter.world
    payer, _ = await waiting(counter)
    other, _ = await paid_payer(world)
    async with web.browser(headers={"accept-language": "en", "origin": ORIGIN}) as browser:
        opened = await browser.get(f"/p/{world.code}/{other.secret}")
        there = f"{opened.headers['location']}/refund-account"
        assert (await browser.get(there)).headers["location"] == opened.headers["location"]
        stolen = await browser.get(f"/b/{payer.page_ref}/refund-account?bank=0005&branch=001")
        assert stolen.status_code == 401
        posted = await browser.post(f"/b/{payer.page_ref}/refund-account?bank=0005", data=FORM)
        assert posted.status_code == 401
    assert await world.value("select count(*) from refund_account") == 0


async def test_staff_see_what_lacks_one_and_take_it_down(web: Web, counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    browser = staff_browser(web, counter.owner.authority)
    name, _, value = browser.headers.pop("cookie").partition("=")
    browser.cookies.set(name, value)
    browser.headers["accept-language"] = "en"
    async with browser:
        assert "No account yet" in (await browser.get("/d/refunds")).text
        listed = await browser.get("/d/refunds?state=account")
        assert "No account yet" in listed.text
        given = r'action="/d/do/RefundAccountGive">(.*?)</form>'
        [form] = re.findall(given, listed.text, re.DOTALL)
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        assert fields["id"] == to_public("refund", refund.id)
        typed = {
            "bankCode": "0005", "branchCode": "001", "accountKind": "1",
            "accountNumber": "7654321", "holderName": "ヤマダ ハナコ",
        }  # fmt: skip
        await browser.post("/d/do/RefundAccountGive", data=fields | typed | {"branchCode": "999"})
        wrong = (await browser.get("/d/refunds?state=account")).text
        assert "The bank has no branch with this code." in wrong
        assert "7654321" not in wrong
        fields["idempotencyKey"] += "-2"
        await browser.post("/d/do/RefundAccountGive", data=fields | typed)
        seen = (await browser.get(f"/d/bills/{to_public('bill', payer.bill_id)}")).text
        assert "****321 ヤ** ハ**" in seen
        assert "taken down by staff" in seen
        assert "7654321" not in seen
        assert "No refund is here." in (await browser.get("/d/refunds?state=account")).text
    assert (await world.events(payer.bill_id)).count("refund.account_given") == 1
