"""Templates through the public doors: a form that works without script, its answers to script."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from portal.contract.client import VaultClient
from portal.contract.ladder import CHANGE_LADDER, ChangeLadder, LadderSet
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.domain.errors import Conflict
from portal.domain.ladder import DEFAULT, Hours, Plan
from portal.domain.ladder_plan import write_plan
from portal.vault.server import VaultServer
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.money import World
from tests.make.refunds import Member, member
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings

GOOD = "{merchant}です {month} {amount} 末尾{last4} {due}まで\r\n{link}"
PATH = "/d/templates"
LADDER = "/d/ladder"


@dataclass
class House:
    """A merchant with the web before it, an owner and a clerk."""

    merchant: Merchant
    owner: Member
    clerk: Member
    web: VaultClient
    stack: AsyncExitStack

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
        world = World(vault, web_caller, work, operator, "mizu", opened.id)
        imported = await merchant.send_file(csv_of(merchant.mark, 2))
        await work_off(work)
        await merchant.decide(imported)
        await work_off(work)
        owner, clerk = await member(world, "hana"), await member(world, "ryo", "clerk")
        yield House(merchant, owner, clerk, web_caller, stack)
        await merchant.close()


def fields_of(page: str, action: str, **wanted: str) -> dict[str, str]:
    """The hidden fields of the one form of an address that has these values."""
    for form in re.findall(rf'action="{action}"[^>]*>(.*?)</form>', page, re.DOTALL):
        fields = {
            name: html.unescape(value)
            for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        }
        if all(fields.get(name) == value for name, value in wanted.items()):
            return fields
    pytest.fail(f"no form {action} with {wanted}: {page}")


async def test_a_text_and_the_plan_are_written_judged_and_set_by_forms(house: House) -> None:
    await write_a_text(house)
    await write_a_mail_and_set_a_price(house)
    await write_a_call(house)
    await change_the_plan(house)
    await change_the_plan_at_once(house)
    await note_what_a_payer_says(house)


async def write_a_text(house: House) -> None:
    clerk, owner = await house.browser(house.clerk), await house.browser(house.owner)
    blank = (await clerk.get(f"{PATH}/new?language=JA&occasion=FIRST")).text
    write = fields_of(blank, f"{PATH}/write")
    faulty = write | {"body": GOOD + " 停止します", "do": "save"}

    refused = await clerk.post(f"{PATH}/write", data=faulty)
    seen = await clerk.post(f"{PATH}/write", data=write | {"body": GOOD, "do": "preview"})
    tried = await clerk.post(
        f"{PATH}/write", data=write | {"body": GOOD, "do": "try", "phone": "080-9999-0000"}
    )
    landline = await clerk.post(
        f"{PATH}/write",
        data=fields_of(tried.text, f"{PATH}/write")
        | {"body": GOOD, "do": "try", "phone": "03-1234-5678"},
    )
    saved = await clerk.post(f"{PATH}/write", data=write | {"body": GOOD, "do": "save"})
    page = (await clerk.get(saved.headers["location"])).text
    ask = fields_of(page, "/d/do/TemplateAsk")
    asked = await clerk.post("/d/do/TemplateAsk", data=ask)
    told = (await clerk.get(asked.headers["location"])).text
    decide = fields_of(
        (await owner.get(saved.headers["location"])).text,
        "/d/do/TemplateDecide", decision="APPROVE",
    )  # fmt: skip
    wrong = await owner.post("/d/do/TemplateDecide", data=decide | {"totp": "000000"})
    again = (await owner.get(wrong.headers["location"])).text
    await owner.post("/d/do/TemplateDecide", data=decide | {"totp": house.owner.code()})
    done = (await owner.get(saved.headers["location"])).text
    listed = (await clerk.get(PATH)).text

    assert "停止します" in refused.text
    assert "a first message may not threaten" in refused.text
    assert "The text has errors: 1." in refused.text
    assert seen.status_code == 200
    assert seen.text.count("です 2026年") == 3  # the sample and two real bills
    assert "The test is on its way." in tried.text
    assert '<a href="#field-phone">' in landline.text
    assert saved.status_code == 303
    assert "The draft is saved." in page
    assert "Approval is asked for." in told
    assert "Only an owner can approve it." in told
    assert "/d/do/TemplateDecide" in told  # its asker may withdraw it
    assert "is wrong or was used before" in again
    assert "The text is approved and sent from now on." in done
    assert "Version 1</a>" in listed


async def write_a_call(house: House) -> None:
    """What anyone hears and what the payer is told are judged apart, and shown as the call goes."""
    clerk = await house.browser(house.clerk)
    blank = (await clerk.get(f"{PATH}/new?channel=VOICE&language=JA&occasion=OVERDUE")).text
    write = fields_of(blank, f"{PATH}/write")
    words = {"subject": "{merchant}です。", "body": "{month}は{amount}、{due}まで。"}

    owing = write | words | {"subject": "{merchant}です。未払いがあります。"}
    news = await clerk.post(f"{PATH}/write", data=owing, headers={"accept": "application/json"})
    seen = await clerk.post(f"{PATH}/write", data=write | words | {"do": "preview"})

    assert "の自動音声です。お支払いについてのご案内です。" in blank
    assert "ご本人さまの確認です。お客さま番号の最後の4けたの数字を押してください。" in blank
    [found] = news.json()["findings"]
    assert (found["severity"], found["part"]) == ("error", "subject")
    assert found["text"].startswith("Greeting: “未払”: anyone who picks up")
    assert news.json()["size"].startswith("About ")
    assert seen.text.count("After key 1 and the right digits:") == 2  # real bills
    assert all(f"2026年11月分は{yen}円、" in seen.text for yen in (1001, 1002, 8420))


async def write_a_mail_and_set_a_price(house: House) -> None:
    clerk, owner = await house.browser(house.clerk), await house.browser(house.owner)
    mail = fields_of((await clerk.get(f"{PATH}/new?channel=EMAIL")).text, f"{PATH}/write")
    words = {"subject": "{merchant}", "body": GOOD + "\r\n{proof}\r\n{stop}", "do": "preview"}
    framed = await clerk.post(f"{PATH}/write", data=mail | words)
    nameless = await clerk.post(f"{PATH}/write", data=mail | words | {"subject": "", "do": "save"})
    line = (await clerk.get(f"{PATH}/new?channel=PUSH")).text
    price = fields_of((await owner.get(PATH)).text, "/d/do/MessagePricesSet", channel="SMS")
    told_prices = [
        (await owner.get(told.headers["location"])).text
        for yen in ("x", "\uff13.3, 6.6", "1,000.5,2")
        for told in [await owner.post("/d/do/MessagePricesSet", data=price | {"prices": yen})]
    ]

    assert framed.text.count('<iframe class="mail" sandbox srcdoc="&lt;!doctype html') == 3
    assert "'unsafe-hashes'" in framed.headers["content-security-policy"]
    assert "'unsafe-hashes'" not in (await clerk.get(PATH)).headers["content-security-policy"]
    assert 'name="do" value="try"' not in line
    assert "お支払い期限は{due}です。" in line
    assert "Subject: Nothing is written yet." in nameless.text
    assert "Give prices of 0 yen or more" in told_prices[0]
    assert 'value="3.30 6.60" aria-label="Yen: SMS' in told_prices[1]
    assert 'value="1,000.50 2" aria-label="Yen: SMS' in told_prices[2]


async def note_what_a_payer_says(house: House) -> None:
    clerk = await house.browser(house.clerk)
    bills = (await clerk.get("/d/bills")).text
    path = re.findall(r'href="(/d/bills/bill_\w+)"', bills)[0]
    form = fields_of((await clerk.get(path)).text, "/d/do/ContactChoiceSet")

    for wanted in ("0", "0", "1"):
        said = form | {"channel": "SMS", "wanted": wanted, "source": "TELEPHONE"}
        await clerk.post("/d/do/ContactChoiceSet", data=said)
    page = (await clerk.get(path)).text

    assert "It is noted." in page
    assert page.count("The payer wants no more reminders (") == 1
    assert page.count("The payer wants reminders (") == 1


async def change_the_plan_at_once(house: House) -> None:
    async def change(seen: int, per_day: int) -> LadderSet | Conflict:
        plan = Plan(ladders=DEFAULT.ladders, hours=Hours(per_day=per_day))
        request = ChangeLadder(plan=write_plan(plan), seen=seen)
        try:
            return await house.web.call(CHANGE_LADDER, request, house.owner.authority)
        except Conflict as refused:
            return refused

    answers = await asyncio.gather(change(1, 3), change(1, 4))
    (conflict,) = [answer for answer in answers if isinstance(answer, Conflict)]
    (done,) = [answer for answer in answers if isinstance(answer, LadderSet)]
    repeated = await change(1, 3 + answers.index(done))

    assert conflict.code == "ladder_changed"
    assert (done, repeated) == (LadderSet(version=2), LadderSet(version=2))


async def change_the_plan(house: House) -> None:
    owner, clerk = await house.browser(house.owner), await house.browser(house.clerk)
    blank = (await owner.get(LADDER)).text
    form = fields_of(blank, f"{LADDER}/write") | {
        "quietFrom": "20:00", "quietUntil": "09:00", "perDay": "1", "perWeek": "3",
        "k.0": "", "due_on": "2000-01-01", "r.0.0.when": "ISSUE", "r.0.1.when": "AFTER_DUE",
        "r.0.1.days": "soon", "r.0.1.channel": "EMAIL",
    }  # fmt: skip
    good = form | {"r.0.1.days": "7", "due_on": ""}

    faulty = (await owner.post(f"{LADDER}/write", data=form | {"do": "save"})).text
    late = (await owner.post(f"{LADDER}/write", data=good | {"due_on": "2000-01-01"})).text
    timeless = (await owner.post(f"{LADDER}/write", data=good | {"quietFrom": "dusk"})).text
    added = (await owner.post(f"{LADDER}/write", data=good | {"do": "add", "add": "once"})).text
    shown = (await owner.post(f"{LADDER}/write", data=good | {"do": "check"})).text
    saved = await owner.post(f"{LADDER}/write", data=good | {"do": "save"})
    again = await owner.post(f"{LADDER}/write", data=good | {"do": "save"})
    other = await owner.post(f"{LADDER}/write", data=good | {"r.0.1.days": "8", "do": "save"})
    read = (await clerk.get(f"{LADDER}?due_on=&opens=1")).text
    its_own = fields_of((await clerk.get(f"{PATH}/new")).text, f"{PATH}/write")
    refused = await clerk.post(
        f"{LADDER}/write", data=good | {"csrf": its_own["csrf"], "do": "save"}
    )
    kept = (await clerk.get(LADDER)).text

    assert "You have set no plan" in blank
    assert 'id="wrong-r.0.1.days">Days from 1 to 366.' in faulty
    assert 'value="soon"' in faulty
    assert 'id="wrong-dueOn">A due date from today on is wanted' in late
    assert 'id="wrong-quietFrom">A time of day is wanted' in timeless
    assert "<h3>One-off</h3>" in added
    assert added.count('value="AFTER_DUE" selected') == 2
    assert "Is sent" in shown
    assert "Left out: no company carries it" in shown
    assert (saved.status_code, again.status_code, other.status_code) == (303, 303, 200)
    assert "Someone has set another plan meanwhile." in other.text
    assert "after the due date" in read
    assert "An owner can change the plan." in read
    assert f"{LADDER}/write" not in read
    assert (refused.status_code, "Only owners may do this." in refused.text) == (200, True)
    assert [f'?version={version}"' in kept for version in (1, 2)] == [True, False]


async def test_a_script_is_answered_with_what_was_found_while_somebody_types(
    house: House,
) -> None:
    clerk = await house.browser(house.clerk)
    write = fields_of((await clerk.get(f"{PATH}/new?language=EN")).text, f"{PATH}/write")
    typed = write | {"body": "URGENT {merchant} {month} {amount} {link}"}

    answer = await clerk.post(f"{PATH}/write", data=typed, headers={"accept": "application/json"})
    stale = await clerk.post(
        f"{PATH}/write", data=typed | {"csrf": "x"}, headers={"accept": "application/json"}
    )

    news = answer.json()
    assert [one["severity"] for one in news["findings"]] == ["error", "warning", "warning"]
    assert "the last four of the customer number" in news["findings"][0]["text"]
    assert news["sample"].startswith("URGENT ")
    assert "parts" in news["size"]
    assert stale.status_code == 403
    listed = await house.merchant.api.post("/graphql", json={"query": "{ templates { id } }"})
    assert listed.json()["errors"][0]["extensions"]["code"] == "not_allowed"
