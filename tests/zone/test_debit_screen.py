"""Bank debits on the staff's screen and the payer's page, through the public doors."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest_asyncio

from portal.application.payment.failed_files import tell
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.domain.ids import FailedFileId
from portal.vault.server import VaultServer
from tests.make.bank import Desk, new_desk
from tests.make.debits import answer, debit, write
from tests.make.merchant import found
from tests.make.money import Payer, World
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings


def forms_of(page: str, action: str) -> list[dict[str, str]]:
    """The hidden fields of every form with this action."""
    forms = re.findall(rf'action="{re.escape(action)}">(.*?)</form>', page, re.DOTALL)
    return [
        {
            name: html.unescape(value)
            for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        }
        for form in forms
    ]


@dataclass
class House:
    """A merchant with the web before it, and browsers of who builds and who approves."""

    desk: Desk
    payer: Payer
    clerk: httpx.AsyncClient
    owner: httpx.AsyncClient

    async def done(self, who: httpx.AsyncClient, act: str, **more: str) -> str:
        """Send the first form of an act that the screen offers; the screen after it."""
        fields = forms_of((await who.get("/d/debits")).text, f"/d/do/{act}")[0] | more
        assert (await who.post(f"/d/do/{act}", data=fields)).status_code == 303
        return (await who.get("/d/debits")).text

    async def place(self) -> str:
        """Where the screen says that a bank's answer goes."""
        page = (await self.clerk.get("/d/debits")).text
        [address] = re.findall(r'data-result="([^"]+)"', page)
        return address

    async def answered(self, body: bytes, address: str = "") -> dict[str, object]:
        """Send a bank's answer to where the screen says."""
        address = address or await self.place()
        answer = await self.clerk.put(address, content=body)
        assert answer.status_code == 201
        told: dict[str, object] = answer.json()
        return told


@pytest_asyncio.fixture
async def house(ground: Ground, vault: VaultServer, client_for: ClientFor) -> AsyncIterator[House]:
    web_caller, work, operator = [await client_for(zone) for zone in ("web", "work", "operator")]
    async with (
        AsyncExitStack() as stack,
        running_web(ground.folder, web_caller, settings=web_settings(ground.folder)) as web,
    ):
        merchant = await found(web, operator, web_caller, "mizu")
        stack.push_async_callback(merchant.close)
        opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="mizu"))
        desk = await new_desk(World(vault, web_caller, work, operator, "mizu", opened.id))
        browsers = [staff_browser(web, who.authority) for who in (desk.builder, desk.owner)]
        for browser in browsers:
            name, _, value = browser.headers.pop("cookie").partition("=")
            browser.cookies.set(name, value)
            browser.headers["accept-language"] = "en"
            await stack.enter_async_context(browser)
        yield House(desk, await desk.debtor(), *browsers)


async def test_a_file_goes_its_way_over_the_screen(house: House) -> None:
    desk = house.desk
    await house.done(house.clerk, "DebitFileBuild", debitOn=desk.debit_on.isoformat())
    await desk.worked()
    page = (await house.owner.get("/d/debits")).text
    assert "Waits for approval" in page
    assert "Approve 1 debits, ¥8,420" in page
    clerks = forms_of((await house.clerk.get("/d/debits")).text, "/d/do/DebitFileDecide")
    assert [form["decision"] for form in clerks] == ["DISCARD"]

    wrong = f"{(int(desk.owner.code()) + 1) % 1_000_000:06d}"
    page = await house.done(house.owner, "DebitFileDecide", totp=wrong)
    assert 'aria-invalid="true"' in page
    assert "Waits for approval" in page
    await desk.owner.let_codes_be_fresh()
    page = await house.done(house.owner, "DebitFileDecide", totp=desk.owner.code())
    assert "The file is approved." in page
    [address] = re.findall(r'action="(/d/debits/[^"]+/file)"', page)
    assert (await house.owner.get(address)).status_code == 405  # looking takes nothing out
    sent = await house.owner.post(address, data=forms_of(page, address)[0])
    assert "attachment" in sent.headers["content-disposition"]
    assert (len(sent.content), sent.content[:3]) == (4 * 122, b"191")

    assert (await house.answered(sent.content[:200]))["state"] == "refused"
    assert "The last result was not taken" in (await house.clerk.get("/d/debits")).text
    early, other = await house.place(), await house.place()
    assert (await house.answered(b"no answer of a bank" * 130_000, early))["state"] == "checking"
    page = (await house.owner.get("/d/debits")).text
    assert "The result is being checked: 0 of 1 debits." in page
    assert "data-result" not in page, "another one has to wait"
    refused = await house.clerk.put(other, content=b"1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "answer_checking")
    await desk.worked()
    assert "The last result was not taken" in (await house.clerk.get("/d/debits")).text
    assert (await house.answered(answer(sent.content, lambda _place: "0")))["lines"] == 1
    await desk.worked()

    assert "1 debited, ¥8,420" in (await house.owner.get("/d/debits")).text
    assert await desk.world.settlement(house.payer.bill_id) == "settled"


async def test_a_mandate_is_registered_found_and_ended_over_the_screens(house: House) -> None:
    clerk, owner = house.clerk, house.owner
    page = (await clerk.get("/d/mandates")).text
    [form] = forms_of(page, "/d/do/MandateRegister")
    typed = {
        "customerNo": "Z-77", "bankCode": "0005", "branchCode": "001", "accountKind": "1",
        "accountNumber": "7654321", "holderName": "山田",
    }  # fmt: skip
    await clerk.post("/d/do/MandateRegister", data=form | typed)
    page = (await clerk.get("/d/mandates")).text
    assert 'id="wrong-holderName"' in page
    assert 'value="Z-77"' in page
    assert "7654321" not in page, "an account number is typed again, not kept"
    typed["holderName"] = "ヤマダ ハナコ"
    await clerk.post("/d/do/MandateRegister", data=form | typed | {"idempotencyKey": "second"})
    assert "The mandate is registered." in (await clerk.get("/d/mandates")).text

    found = await clerk.post("/d/mandates", data={"q": "z77", "state": "pending_bank"})
    address = found.headers["location"]
    assert "z77" not in address
    page = (await clerk.get(address)).text
    [mandate] = set(re.findall(r'href="(/d/mandates/mdt_[^"]+)"', page))
    others = (await clerk.get("/d/mandates?state=active")).text
    assert mandate not in others
    assert others.count('href="/d/mandates/mdt_') == 1, "the payer of the house"

    for who, choice, reason, told in (
        (clerk, "ACTIVATE", "", "agreement is recorded"),
        (owner, "SUSPEND", "PAYER_ASKED", "is suspended"),
        (clerk, "REVOKE", "CONTRACT_ENDED", "is revoked"),
    ):
        forms = forms_of((await who.get(mandate)).text, "/d/do/MandateDecide")
        [form] = [one for one in forms if one["decision"] == choice]
        await who.post("/d/do/MandateDecide", data=form | {"reason": reason})
        assert told in (await who.get(mandate)).text
    page = (await owner.get(mandate)).text
    assert "/d/do/MandateDecide" not in page
    history = re.findall(r'<li class="is-mandate-(\w+)">', page)
    assert history == ["revoked", "suspended", "active", "handed_in"]
    assert "contract ended" in page
    assert (await owner.get("/d/mandates/mdt_01JD0000000000000000000000")).status_code == 404


async def test_a_forged_address_takes_no_answer(house: House) -> None:
    answered = await house.clerk.put("/results/forged", content=b"1")

    assert answered.status_code == 404
    assert answered.headers["content-type"].startswith("application/json")


async def test_failed_debits_of_the_merchants_own_go_up_and_are_seen(house: House) -> None:
    world, clerk = house.desk.world, house.clerk
    raw = answer(write([debit(n) for n in range(1, 121)]), lambda place: "1" if place else "0")
    page = (await clerk.get("/d/debits/own")).text
    [address] = re.findall(r'data-result="([^"]+)"', page)
    assert "No file was taken in yet." in page

    wrong = await clerk.put(address, content=raw[:122_00] + raw[122_01:] + b" " * 3_000_000)
    error = wrong.json()["error"]
    assert (wrong.status_code, error["code"]) == (422, "record_length")
    assert error["params"]["record"] == 101
    assert "No file was taken in yet." in (await clerk.get("/d/debits/own")).text
    for place in (
        "/failed-debits/forged-forged-forged",
        address.replace("failed-debits", "results"),
    ):
        refused = await clerk.put(place, content=raw)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "upload_unknown")
    far = await clerk.put(address, content=raw, headers={"origin": "https://elsewhere.example"})
    assert far.status_code == 403
    # The address is the clerk's, whoever's browser uses it, were it another merchant's.
    took = await house.owner.put(address, content=raw)
    sent_by = "select s.role from failed_file f join staff s on f.sent_by = 'staff:' || s.id"
    assert await world.value(f"{sent_by} where f.state = 'telling'") == "clerk"
    assert (took.status_code, took.headers["cache-control"]) == (201, "no-store")
    told = took.json()
    assert (told["failed"], told["succeeded"], told["seenBefore"]) == (119, 1, False)
    assert "0 of 119 told so far" in (await clerk.get("/d/debits/own")).text

    for lease in await world.leases():
        if lease.kind == "debit.tell_failed":
            file_id = FailedFileId(lease.subject_id)
            await tell(world.work, lease.authority, file_id, lambda: False)

    assert "No such customer number: 119" in (await clerk.get("/d/debits/own")).text
    page = (await house.owner.get(f"/d/debits/own/{told['file']}")).text
    assert page.count('<td role="cell" class="num"') == 100
    [following] = re.findall(r'href="([^"]+after=[^"]+)" rel="next"', page)
    rest = (await house.owner.get(html.unescape(following))).text
    assert rest.count('<td role="cell" class="num"') == 19
    assert (await clerk.put(address, content=raw)).json()["seenBefore"]
    assert (await clerk.get("/d/debits/own/fdf_01JD0000000000000000000000")).status_code == 404
    page = (await clerk.get("/d/debits/own")).text
    fields = forms_of(page, "/d/debits/own")[0] | {"content": "1"}
    pasted = await clerk.post("/d/debits/own", data=fields)
    assert "A record is not 120 letters long." in pasted.text
