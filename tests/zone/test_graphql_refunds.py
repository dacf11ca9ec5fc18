"""Refunds through the public doors: forms for staff without script, GraphQL for systems."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.domain.ids import to_public
from portal.vault.server import VaultServer
from tests.make.merchant import Merchant, found
from tests.make.money import AMOUNT, World
from tests.make.refunds import Counter, Member, member, overpaid, paid
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings

REFUNDS = """query($id: ID!) { bill(id: $id) { settlement
    refunds { id state amount { amount } reason note choices failure }
    refundable { total { amount } owed { amount } limit { amount }
    payments { attemptId amount { amount } byProvider } } }
    refunds(first: 5, states: [REQUESTED]) { nodes { id billNumber } limit { amount } } }"""
REQUEST = """mutation($i: RefundRequestInput!) { refundRequest(input: $i) {
    refund { id state } errors { __typename code message path } } }"""


@dataclass
class House:
    """A merchant with the web before it, staff with authenticators, and a bill paid twice."""

    merchant: Merchant
    counter: Counter
    stack: AsyncExitStack
    bill: UUID
    late: UUID

    @property
    def address(self) -> str:
        return f"/d/bills/{to_public('bill', self.bill)}"

    async def browser(self, who: Member) -> httpx.AsyncClient:
        """A browser that reads English and keeps its cookies."""
        browser = staff_browser(self.merchant.web, who.authority)
        name, _, value = browser.headers.pop("cookie").partition("=")
        browser.cookies.set(name, value)
        browser.headers["accept-language"] = "en"
        return await self.stack.enter_async_context(browser)


@pytest_asyncio.fixture
async def house(ground: Ground, vault: VaultServer, client_for: ClientFor) -> AsyncIterator[House]:
    web_caller, work, operator = [await client_for(zone) for zone in ("web", "work", "operator")]
    async with (
        AsyncExitStack() as stack,
        running_web(ground.folder, web_caller, settings=web_settings(ground.folder)) as web,
    ):
        merchant = await found(web, operator, web_caller, "mizu")
        opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="mizu"))
        relay = await client_for("egress")
        world = World(vault, web_caller, work, operator, "mizu", opened.id, relay)
        counter = Counter(world, await member(world, "hana"))
        bill, _, late = await overpaid(world)
        yield House(merchant, counter, stack, bill, late)
        await merchant.close()


def forms_of(page: str, act: str) -> list[dict[str, str]]:
    """The hidden and chosen fields of every form of an act, as a browser would send them."""
    found_forms: list[dict[str, str]] = []
    for form in re.findall(rf'action="/d/do/{act}">(.*?)</form>', page, re.DOTALL):
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        for name, options in re.findall(r'<select [^>]*name="(\w+)">(.*?)</select>', form):
            fields[name] = re.findall(r'value="([^"]*)"', options)[0]
        value = re.search(r'name="amount" type="text" value="([^"]*)"', form)
        if value:
            fields["amount"] = value[1]
        found_forms.append({name: html.unescape(text) for name, text in fields.items()})
    return found_forms


async def follow(browser: httpx.AsyncClient, act: str, fields: dict[str, str]) -> str:
    answer = await browser.post(f"/d/do/{act}", data=fields)
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


async def test_staff_give_the_overpayment_back_by_a_form(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    [fields] = forms_of((await browser.get(house.address)).text, "RefundRequest")
    assert (fields["amount"], fields["reason"], fields["way"]) == (
        str(AMOUNT), "OVERPAID", "PROVIDER",
    )  # fmt: skip
    fields["attemptId"] = to_public("attempt", house.late)

    wrong = await follow(browser, "RefundRequest", fields | {"totp": "000000"})
    code = house.counter.owner.code()
    after = await follow(browser, "RefundRequest", fields | {"totp": code})
    repeated = await follow(browser, "RefundRequest", fields | {"totp": code})

    assert "is wrong or was used before" in wrong
    assert "000000" not in wrong
    assert "The refund is asked for." in after
    assert "Set aside" in after
    assert "The refund is asked for." in repeated
    assert await house.counter.sent() == "succeeded"
    done = (await browser.get(house.address)).text
    assert "Given back" in done
    assert "What was paid too much has been given back." in done
    assert await house.counter.world.settlement(house.bill) == "settled"


async def test_a_case_of_an_overpayment_leads_to_the_form(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    listed = (await browser.get("/d/cases?kind=OVERPAID")).text
    [case] = set(re.findall(r"/d/cases/case_\w+", listed))

    page = (await browser.get(case)).text

    assert f'href="{house.address}#refund"' in page
    assert 'id="refund"' in (await browser.get(house.address)).text


async def test_an_owner_who_did_not_ask_approves_on_a_screen_of_its_own(house: House) -> None:
    await house.counter.limit(1000)
    clerk = await member(house.counter.world, "ryo", "clerk")
    refund = await house.counter.ask(house.bill, house.late, by=clerk, note="二重払い")
    browsers = [await house.browser(one) for one in (house.counter.owner, clerk)]

    owners, clerks = [(await browser.get("/d/refunds")).text for browser in browsers]

    assert [one["decision"] for one in forms_of(clerks, "RefundDecide")] == ["WITHDRAW"]
    approve, withdraw = forms_of(owners, "RefundDecide")
    assert (approve["decision"], withdraw["decision"]) == ("APPROVE", "WITHDRAW")
    assert "二重払い" in owners
    refused = await follow(browsers[1], "RefundDecide", approve | _own(clerks))
    assert "You may not do this." in refused
    wrong = await follow(browsers[0], "RefundDecide", approve | {"totp": "000000"})
    assert "is wrong or was used before" in wrong
    assert await house.counter.state(refund) == "requested"
    code = {"totp": house.counter.owner.code()}
    approved = await follow(browsers[0], "RefundDecide", approve | code)
    assert "The refund is approved." in approved
    assert "Set aside" in approved  # nothing else waits: it is shown as what became of it
    assert await house.counter.state(refund) == "reserved"
    assert "No refund is here." in (await browsers[0].get("/d/refunds?state=waiting")).text
    assert "Set aside" in (await browsers[0].get("/d/refunds?state=open")).text


async def test_the_list_opens_on_work_and_else_on_what_there_is(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    reserved, waits = "Set aside", "Waits for approval"
    steps: list[tuple[int | None, list[tuple[str, str, list[str]]]]] = [
        (None, [("", "all", []), ("?state=waiting", "waiting", [])]),
        (10**6, [("", "all", [reserved]), ("?state=nonsense", "all", [reserved])]),
        (None, [("?state=waiting", "waiting", []), ("?rather=transfer", "all", [reserved])]),
        (0, [("", "waiting", [waits]), ("?rather=open", "open", [reserved])]),
        (None, [("?state=all", "all", [reserved, waits]), ("?state=transfer", "transfer", [])]),
    ]

    for limit, looks in steps:
        if limit is not None:
            await house.counter.limit(limit)
            await house.counter.ask(house.bill, house.late, 100)
        for address, tab, badges in looks:
            page = (await browser.get("/d/refunds" + address)).text
            assert [badge for badge in (reserved, waits) if f">{badge}<" in page] == badges
            assert f'href="/d/refunds?state={tab}" aria-current="page"' in page


def _own(page: str) -> dict[str, str]:
    """The token of this browser's own forms."""
    return {"csrf": forms_of(page, "RefundDecide")[0]["csrf"], "idempotencyKey": "by-a-clerk"}


async def test_an_own_transfer_is_recorded_by_a_form(house: House) -> None:
    refund = await house.counter.ask(house.bill, house.late, way="bank_transfer")
    browser = await house.browser(house.counter.owner)
    [fields] = forms_of((await browser.get("/d/refunds?state=transfer")).text, "RefundTransferred")
    today = house.counter.world.server.clock.business_today("Asia/Tokyo")

    early = await follow(browser, "RefundTransferred", fields | {"transferredOn": "2020-01-01"})
    done = await follow(
        browser, "RefundTransferred", fields | {"transferredOn": str(today), "idempotencyKey": "t2"}
    )

    assert "The day must be in the last year" in early
    assert "The transfer is recorded." in done
    assert await house.counter.state(refund) == "transferred"


async def test_an_amount_that_is_none_is_told_beside_its_field(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    [fields] = forms_of((await browser.get(house.address)).text, "RefundRequest")

    for amount, said in (("many", "at least 1 yen"), ("999999", "at most")):
        await house.counter.owner.let_codes_be_fresh()
        totp = house.counter.owner.code()
        page = await follow(
            browser,
            "RefundRequest",
            fields | {"amount": amount, "totp": totp, "idempotencyKey": f"k-{amount}"},
        )
        assert said in page
        assert f'value="{amount}"' in page


async def test_a_card_number_in_a_note_is_refused_at_the_door(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    [fields] = forms_of((await browser.get(house.address)).text, "RefundRequest")

    answer = await browser.post(
        "/d/do/RefundRequest", data=fields | {"note": "4242 4242 4242 4242", "totp": "123456"}
    )

    assert answer.status_code == 422
    assert await house.counter.world.value("select count(*) from refund") == 0


async def test_a_system_sees_refunds_and_asks_for_none(house: House) -> None:
    await house.counter.limit(1000)
    await house.counter.ask(house.bill, house.late, 2000, note="メモ")
    bill_id = to_public("bill", house.bill)

    seen = await house.merchant.ask(REFUNDS, id=bill_id)
    asked = (
        await house.merchant.ask(
            REQUEST,
            i={
                "billId": bill_id, "attemptId": to_public("attempt", house.late), "amount": 1,
                "reason": "OTHER", "totp": "123456", "idempotencyKey": "k1",
            },
        )
    )["refundRequest"]  # fmt: skip

    [refund] = seen["bill"]["refunds"]
    assert (refund["state"], refund["choices"], refund["note"]) == ("REQUESTED", [], "メモ")
    assert seen["bill"]["settlement"] == "OVER"
    assert seen["bill"]["refundable"]["total"]["amount"] == 2 * AMOUNT
    assert seen["bill"]["refundable"]["owed"]["amount"] == AMOUNT
    assert seen["bill"]["refundable"]["limit"]["amount"] == 1000
    assert [one["byProvider"] for one in seen["bill"]["refundable"]["payments"]] == [True, True]
    assert [one["id"] for one in seen["refunds"]["nodes"]] == [refund["id"]]
    [error] = asked["errors"]
    assert (asked["refund"], error["__typename"]) == (None, "NotAllowedError")


async def test_a_bill_without_money_offers_no_refund(house: House) -> None:
    browser = await house.browser(house.counter.owner)
    payer = await house.counter.world.payer()
    address = f"/d/bills/{to_public('bill', payer.bill_id)}"
    once, _ = await paid(house.counter.world)

    assert "RefundRequest" not in (await browser.get(address)).text
    one = (await browser.get(f"/d/bills/{to_public('bill', once)}")).text
    assert len(forms_of(one, "RefundRequest")) == 1


@pytest.mark.parametrize("state", ["waiting", "transfer", "open", "all", "nonsense"])
async def test_the_list_of_refunds_says_so_when_it_is_empty(house: House, state: str) -> None:
    browser = await house.browser(house.counter.owner)

    answer = await browser.get(f"/d/refunds?state={state}")

    assert answer.status_code == 200
    assert "No refund is here." in answer.text
