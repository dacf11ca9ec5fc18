"""Templates through the public doors: a form that works without script, its answers to script."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.vault.server import VaultServer
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.money import World
from tests.make.refunds import Member, member
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings

GOOD = "{merchant}です {month} {amount} 末尾{last4} {due}まで\r\n{link}"
PATH = "/d/templates"


@dataclass
class House:
    """A merchant with the web before it, an owner and a clerk."""

    merchant: Merchant
    owner: Member
    clerk: Member
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
        yield House(merchant, owner, clerk, stack)
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


async def test_a_text_is_written_looked_at_asked_for_and_approved_by_forms(house: House) -> None:
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
