"""A mandate given at the bank's page, through the real relay: begun once, then only asked about.

Each act is repeated here: start_mandate, record_mandate_opening, view_mandate_return,
begin_mandate_asking, record_mandate_asking and deposit_mandate_word.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.mandate import (
    MARK,
    MandateIntent,
    ask_bank,
    begin_mandate,
    finish_mandate_return,
)
from portal.application.providers.exchange import Endpoint
from portal.application.providers.sandbox_bank.mandate import MANDATES
from portal.contract.debit import VIEW_MANDATE, MandateSeen, ViewMandate
from portal.contract.mandate import (
    BEGIN_MANDATE_ASKING,
    DEPOSIT_MANDATE_WORD,
    RECORD_MANDATE_ASKING,
    START_MANDATE,
    VIEW_MANDATE_DEPARTURE,
    BeginMandateAsking,
    DepositMandateWord,
    MandateNow,
    RecordMandateAsking,
    StartMandate,
    ViewMandateDeparture,
)
from portal.contract.page import PageView
from portal.domain.errors import Conflict, NotFound
from portal.domain.ids import DeliveryId, MandateId
from portal.domain.mandate_word import TIME_LIMITS, Asked
from portal.kit.outbound import OutboundRequest
from portal.vault.server import VaultServer
from tests.make.bank import Desk, new_desk
from tests.make.money import Payer, new_world
from tests.make.vault import Ground
from tests.make.web import ORIGIN, running_web, web_settings
from tests.make.workshop import Workshop, a_workshop

ASK = {"mandate.ask"}
HOST = "bank.sandbox.test"
HOME = "https://pay.example"
SECRET = "7654321"


@dataclass
class Bank:
    """A merchant whose payers may go to the sandbox's bank for a mandate."""

    shop: Workshop
    desk: Desk
    keys: int = 0

    @property
    def web(self) -> PayDesk:
        """What the web process has."""
        return replace(self.shop.bench.pay, vault=self.desk.world.web)

    async def begun(self, payer: Payer, *, bank: str = "0005", key: str = "") -> MandateNow:
        """The payer chooses a bank and is sent to its page."""
        self.keys += 1
        authority = payer.authority
        intent = MandateIntent(bank_code=bank, branch_code="001", key=key or f"go-{self.keys}")
        return await begin_mandate(self.web, authority, intent, HOME)

    async def at_page(self, now: MandateNow, act: str, number: str = SECRET, name: str = "") -> str:
        """The payer acts at the bank's page; the token with which they come back."""
        assert now.page_url is not None
        typed = {"act": act, "kind": "1", "number": number, "name": name or "ヤマダ ハナコ"}
        transport = httpx.ASGITransport(app=self.shop.outside.pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:1") as visit:
            answer = await visit.post(urlsplit(now.page_url).path, data=typed)
        place = urlsplit(answer.headers["location"]).path
        code, token = place.removeprefix("/return/").split("/")
        assert (code, token[:2]) == (self.desk.world.code, MARK)
        return token

    async def back(self, token: str) -> None:
        """The payer is back, in whatever browser."""
        await finish_mandate_return(self.web, self.desk.world.code, token)

    async def page(self, payer: Payer) -> PageView:
        """What the payer's page says."""
        return await self.desk.world.page(payer)

    async def seen(self, now: MandateNow) -> MandateSeen:
        """What staff see."""
        request = ViewMandate(mandate_id=now.mandate_id)
        return await self.desk.world.web.call(VIEW_MANDATE, request, self.desk.owner.authority)

    async def asked(self) -> None:
        """Time passes until the next question is due, and a worker asks it."""
        await self.shop.rows(
            "update mandate_redirect set ask_at = now() - interval '1 second',"
            " doubt_at = doubt_at - interval '1 hour',"
            " missing_at = missing_at - interval '1 hour' returning id"
        )
        await self.shop.be_due()
        await self.shop.work_off(ASK)

    async def dies(self, point: str, act: str, given: str) -> None:
        """A web process does this and is killed at a point."""
        ground = self.shop.ground
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.make.one_mandate", str(ground.folder),
            *[str(path) for path in (*ground.authority.zone("web"), ground.authority.ca)],
            str(self.shop.outside.api_port), act, given,
            env={**os.environ, "HARAI_CRASH_POINT": point},
        )  # fmt: skip
        async with asyncio.timeout(60):
            assert await child.wait() == 137


@pytest.fixture
async def bank(ground: Ground, vault: VaultServer) -> AsyncGenerator[Bank]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        yield Bank(shop, await new_desk(world, line="sandbox_bank"))


async def test_a_payer_gives_a_mandate_at_the_banks_page_and_is_debited_by_it(bank: Bank) -> None:
    payer = await bank.desk.world.payer(due=bank.desk.debit_on)
    assert (await bank.page(payer)).mandates_by == "sandbox_bank"
    now = await bank.begun(payer, key="twice")
    assert now.state == "redirected"
    assert await bank.begun(payer, key="twice") == now
    assert await bank.begun(payer) == now, "another click on the same bank leads to the same page"
    with pytest.raises(Conflict, match="mandate_running"):
        await bank.begun(payer, bank="0001")

    token = await bank.at_page(now, "confirm")
    await asyncio.gather(bank.back(token), bank.back(token))
    await bank.back(token)

    seen = await bank.seen(now)
    assert (seen.mandate.state, seen.mandate.account_hint) == ("active", "****321")
    codes = [event.code for event in reversed(seen.history)]
    assert codes == ["mandate.begun", "mandate.redirected", "mandate.active"]
    page = await bank.page(payer)
    assert page.mandate is not None
    assert (page.mandate.state, page.mandate.account_hint) == ("active", "****321")
    assert page.mandates_by == ""
    with pytest.raises(Conflict, match="mandate_exists"):
        await bank.begun(payer)

    one = await bank.desk.build()
    await bank.shop.work_off({"debit.fill"})
    assert (await bank.desk.seen(one)).count == 1
    await bank.asked()  # nothing is left to be asked, and the task ends
    assert (await bank.seen(now)).mandate.state == "active"


async def test_what_the_bank_or_the_payer_refused_says_why_and_frees_the_customer(
    bank: Bank,
) -> None:
    payer = await bank.desk.world.payer()
    for act, number, name, state, code in (
        ("refuse", SECRET, "", "rejected", "payer_refused"),
        ("leave", SECRET, "", "abandoned", "mandate_left"),
        ("confirm", "9990101", "", "rejected", "name_differs"),
        ("confirm", "9990103", "", "rejected", "seal_differs"),
        ("confirm", "9990104", "", "rejected", "no_account"),
        (
            "confirm",
            SECRET,
            "ガ" * 20,
            "rejected",
            "mandate_name",
        ),
    ):
        now = await bank.begun(payer)
        await bank.back(await bank.at_page(now, act, number, name))

        page = await bank.page(payer)
        assert page.mandate is not None
        assert (page.mandate.state, page.mandate.code) == (state, code)
        assert page.mandates_by == "sandbox_bank"


async def test_a_payer_who_never_comes_back_is_found_by_asking(bank: Bank) -> None:
    silent, pending = [await bank.desk.world.payer() for _ in range(2)]
    first = await bank.begun(silent)
    await bank.at_page(first, "confirm", "9990105")
    for _ in range(3):
        await bank.asked()
    assert (await bank.seen(first)).mandate.state == "active"

    await bank.desk.world.rows("update bill set customer_blind = sha256(id::text::bytea)")
    second = await bank.begun(pending)
    await bank.back(await bank.at_page(second, "confirm", "9990102"))
    seen = (await bank.seen(second)).mandate
    assert (seen.state, seen.account_hint, seen.choices) == ("pending_bank", "", ("revoke",))
    await bank.asked()
    assert (await bank.seen(second)).mandate.state == "active"


async def test_one_that_nobody_could_open_is_let_go_once_the_bank_has_never_heard_of_it(
    bank: Bank,
) -> None:
    payer = await bank.desk.world.payer()
    authority = payer.authority
    request = StartMandate(
        bank_code="0005", branch_code="001", idempotency_key="k", reachable=("sandbox_bank",)
    )
    started = await bank.desk.world.web.call(START_MANDATE, request, authority)  # and then it died
    again = await bank.begun(payer)
    assert (again.state, again.page_url) == ("draft", None)

    await bank.asked()
    assert (await bank.page(payer)).mandate is not None
    now = replace_now(started.mandate_id)
    assert (await bank.seen(now)).mandate.state == "draft"
    await bank.asked()

    seen = (await bank.seen(now)).mandate
    assert (seen.state, seen.code) == ("abandoned", "mandate_lost")


def replace_now(mandate_id: MandateId) -> MandateNow:
    """What the payer's page would have been told."""
    return MandateNow(mandate_id=mandate_id, state="draft")


async def test_the_account_passes_neither_the_web_nor_a_worker(bank: Bank) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    token = await bank.at_page(now, "confirm")
    [row] = await bank.shop.rows("select id, reference from mandate_redirect")
    endpoint = Endpoint(host=HOST, port=bank.shop.outside.api_port)
    honest = MANDATES.ask_mandate(endpoint, row["reference"], DeliveryId(row["id"])).request
    other = OutboundRequest(
        host=HOST, port=endpoint.port, method="GET", path=honest.path, headers=honest.headers
    )
    foreign = MANDATES.ask_mandate(endpoint, row["reference"], DeliveryId(payer.bill_id)).request

    answers = await bank.shop.bench.pay.outbound.send([other, foreign, honest])

    assert [(one.fate, one.code) for one in answers] == [
        ("not_sent", "deposit_missing"), ("unclear", "deposit_refused"), ("answered", ""),
    ]  # fmt: skip
    assert not any(one.body or one.headers for one in answers)
    await bank.back(token)
    sealed = await bank.shop.rows("select details from mandate")
    assert SECRET.encode() not in sealed[0]["details"]


async def test_a_word_about_another_registration_changes_nothing(bank: Bank) -> None:
    payers = [await bank.desk.world.payer() for _ in range(2)]
    await bank.desk.world.rows("update bill set customer_blind = sha256(id::text::bytea)")
    mine, theirs = [await bank.begun(payer) for payer in payers]
    await bank.at_page(theirs, "confirm")
    rows = {
        row["mandate_id"]: row
        for row in await bank.shop.rows("select mandate_id, id, reference from mandate_redirect")
    }
    endpoint = Endpoint(host=HOST, port=bank.shop.outside.api_port)
    crossed = MANDATES.ask_mandate(
        endpoint, rows[theirs.mandate_id]["reference"], DeliveryId(rows[mine.mandate_id]["id"])
    ).request

    [answer] = await bank.shop.bench.pay.outbound.send([crossed])

    assert (answer.fate, answer.code) == ("unclear", "deposit_refused")
    assert (await bank.seen(mine)).mandate.state == "redirected"


async def test_another_customers_mandate_is_not_found(bank: Bank) -> None:
    payer, other = [await bank.desk.world.payer() for _ in range(2)]
    await bank.desk.world.rows("update bill set customer_blind = sha256(id::text::bytea)")
    now = await bank.begun(payer)
    stranger = other.authority

    with pytest.raises(NotFound):
        await bank.desk.world.web.call(
            VIEW_MANDATE_DEPARTURE, ViewMandateDeparture(mandate_id=now.mandate_id), stranger
        )
    await bank.shop.be_due()
    [lease] = [one for one in await bank.desk.world.leases() if one.kind == "mandate.ask"]
    with pytest.raises(NotFound):
        await bank.desk.world.work.call(
            BEGIN_MANDATE_ASKING,
            BeginMandateAsking(mandate_id=MandateId(payer.bill_id)),
            lease.authority,
        )
    assert await ask_bank(bank.shop.bench.pay, lease.authority, now.mandate_id) == "redirected"
    assert msgspec.json.encode(await bank.page(other)).count(b"redirected") == 0


async def test_a_worker_that_dies_with_the_banks_word_taken_asks_once_more(bank: Bank) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    await bank.at_page(now, "confirm")
    await bank.shop.be_due()
    [job] = [job for job in await bank.shop.hints() if job.kind == "mandate.ask"]
    del bank.shop.heard[job.id]

    assert await bank.shop.crash_at("worker.after_mandate_question", job) == 137
    await bank.asked()

    seen = await bank.seen(now)
    assert seen.mandate.state == "active"
    assert [event.code for event in seen.history].count("mandate.active") == 1


async def test_a_web_process_that_dies_beside_the_bank_leaves_one_mandate_to_be_asked_about(
    bank: Bank,
) -> None:
    payer = await bank.desk.world.payer()
    authority = msgspec.json.encode(payer.authority).decode()
    await bank.dies("web.before_mandate", "begin", authority)
    assert (await bank.begun(payer, key="dies")).state == "draft"
    assert bank.shop.journal.mandates.all() == []
    for _ in range(2):
        await bank.asked()

    # The next one is opened; who opened it dies, so nobody ever has the page's address.
    await bank.desk.world.rows("delete from once where kind = 'start_mandate' returning key")
    await bank.dies("web.after_mandate", "begin", authority)
    [opened] = bank.shop.journal.mandates.all()
    await bank.asked()
    page = await bank.page(payer)
    assert page.mandate is not None
    assert (opened["status"], page.mandate.state) == ("open", "draft")
    bank.shop.journal.mandates.end(opened["id"], status="left")
    await bank.asked()

    now = await bank.begun(payer)
    token = await bank.at_page(now, "confirm")
    await bank.dies("web.after_mandate_question", bank.desk.world.code, token)
    assert (await bank.seen(now)).mandate.state == "active", "the word was in the vault already"


async def test_the_way_over_our_pages_by_links_and_forms_alone(bank: Bank) -> None:
    world = bank.desk.world
    payer = await world.payer()
    ground = bank.shop.ground
    settings = web_settings(ground.folder).model_copy(
        update={"provider_endpoints": f"sandbox_bank={HOST}:{bank.shop.outside.api_port}"}
    )
    async with (
        running_web(ground.folder, world.web, settings=settings) as web,
        web.browser(headers={"accept-language": "en", "origin": ORIGIN}) as browser,
    ):
        opened = await browser.get(f"/p/{world.code}/{payer.secret}")
        here = opened.headers["location"]
        assert f'href="{here}/debit"' in (await browser.get(here)).text
        assert f'href="{here}/debit?bank=0005"' in (await browser.get(f"{here}/debit?q=0005")).text
        page = (await browser.get(f"{here}/debit?bank=0005&q=001")).text
        fields = dict(re.findall(r'name="(csrf|key)" value="([^"]*)"', page))
        assert 'value="0005-001"' in page

        started = await browser.post(f"{here}/debit", data=fields | {"branch": "0005-001"})
        again = await browser.post(f"{here}/debit", data=fields | {"branch": "0005-001"})
        assert started.status_code == 303
        assert again.headers["location"] == started.headers["location"]
        away = (await browser.get(started.headers["location"])).text
        [address] = set(re.findall(r'href="(http://localhost[^"]+/bank/mandate/\w+)"', away))
        row = bank.shop.journal.mandates.all()[0]
        now = MandateNow(
            mandate_id=MandateId((await world.rows("select id from mandate"))[0]["id"]),
            state="redirected", page_url=address,
        )  # fmt: skip
        await bank.at_page(now, "confirm")
        back = await browser.get(urlsplit(row["return_url"]).path)

        assert back.status_code == 303
        assert "口座(****321)から引き落とします" in (await browser.get(here)).text
        refused = await browser.post(f"{here}/debit", data=fields | {"branch": "0001-001"})
        assert refused.status_code == 409


async def reports(bank: Bank, now: MandateNow, asked: Asked) -> None:
    """A worker that asked nobody reports so under its task's lease."""
    await bank.shop.be_due()
    [lease] = [one for one in await bank.desk.world.leases() if one.kind == "mandate.ask"]
    await bank.desk.world.work.call(
        BEGIN_MANDATE_ASKING, BeginMandateAsking(mandate_id=now.mandate_id), lease.authority
    )
    await bank.desk.world.work.call(
        RECORD_MANDATE_ASKING,
        RecordMandateAsking(mandate_id=now.mandate_id, asked=asked),
        lease.authority,
    )


@pytest.mark.parametrize("asked", ["told", "not_found", "unknown"])
async def test_no_false_report_of_a_worker_ends_a_mandate_or_the_questions_about_it(
    bank: Bank, asked: Asked
) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    await bank.at_page(now, "confirm")
    await bank.shop.rows(
        "update mandate_redirect set doubt_at = doubt_at - interval '1 day' returning id"
    )

    for _ in range(3):
        await reports(bank, now, asked)
    assert (await bank.seen(now)).mandate.state == "redirected"
    [way] = await bank.shop.rows("select ask_at, missing_at from mandate_redirect")
    assert (way["ask_at"] is not None, way["missing_at"]) == (True, None)
    await bank.asked()

    assert (await bank.seen(now)).mandate.state == "active"


async def test_a_bank_that_knows_nothing_of_another_reference_says_nothing_of_this_one(
    bank: Bank,
) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    await bank.shop.rows(
        "update mandate_redirect set doubt_at = doubt_at - interval '1 day' returning id"
    )
    [row] = await bank.shop.rows("select id from mandate_redirect")
    endpoint = Endpoint(host=HOST, port=bank.shop.outside.api_port)
    nobodys = MANDATES.ask_mandate(endpoint, "NOBODYS", DeliveryId(row["id"])).request

    answers = [(await bank.shop.bench.pay.outbound.send([nobodys]))[0] for _ in range(2)]

    assert [(one.fate, one.code) for one in answers] == [("unclear", "deposit_refused")] * 2
    assert (await bank.seen(now)).mandate.state == "redirected"


async def test_one_fault_in_front_of_the_bank_ends_no_mandate_however_often_it_is_asked(
    bank: Bank,
) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    [row] = await bank.shop.rows(
        "update mandate_redirect set doubt_at = doubt_at - interval '1 day' returning id, reference"
    )
    word = DepositMandateWord(
        host=HOST, word_id=DeliveryId(row["id"]), body=b"", status=404, asked_for=row["reference"]
    )
    relay = await bank.shop.ground.client("egress")

    for _ in range(3):
        assert (await relay.call(DEPOSIT_MANDATE_WORD, word)).refused is None
    assert (await bank.seen(now)).mandate.state == "redirected"
    await bank.shop.rows(
        "update mandate_redirect set missing_at = missing_at - interval '1 minute' returning id"
    )
    await relay.call(DEPOSIT_MANDATE_WORD, word)

    assert (await bank.seen(now)).mandate.state == "abandoned"


@pytest.mark.parametrize("path", ["/v1/mandates/x/{}", "/v1/mandates/x?q=/{}"])
async def test_a_404_from_beside_the_reference_is_not_the_banks_word_about_it(
    bank: Bank, path: str
) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    await bank.shop.rows(
        "update mandate_redirect set doubt_at = doubt_at - interval '1 day' returning id"
    )
    [row] = await bank.shop.rows("select id, reference from mandate_redirect")
    endpoint = Endpoint(host=HOST, port=bank.shop.outside.api_port)
    honest = MANDATES.ask_mandate(endpoint, row["reference"], DeliveryId(row["id"])).request
    beside = msgspec.structs.replace(honest, path=path.format(row["reference"]))

    answers = [(await bank.shop.bench.pay.outbound.send([beside]))[0] for _ in range(2)]

    assert [(one.fate, one.code) for one in answers] == [("not_sent", "path_not_allowed")] * 2
    assert (await bank.seen(now)).mandate.state == "redirected"


@pytest.mark.parametrize(("status", "state"), [("open", "abandoned"), ("pending", "rejected")])
async def test_what_a_bank_leaves_unfinished_past_its_own_limit_has_expired(
    bank: Bank, status: str, state: str
) -> None:
    payer = await bank.desk.world.payer()
    now = await bank.begun(payer)
    [row] = await bank.shop.rows("select id, reference from mandate_redirect")
    relay = await bank.shop.ground.client("egress")
    body = msgspec.json.encode({"reference": row["reference"], "status": status})
    word = DepositMandateWord(host=HOST, word_id=DeliveryId(row["id"]), body=body)
    limit = TIME_LIMITS["sandbox_bank"]

    assert (await relay.call(DEPOSIT_MANDATE_WORD, word)).refused is None
    before = (await bank.seen(now)).mandate.state
    await bank.desk.world.rows(
        "update mandate_redirect set doubt_at = doubt_at - $1::interval returning id", limit
    )
    for _ in range(2):
        assert (await relay.call(DEPOSIT_MANDATE_WORD, word)).refused is None

    assert before == ("redirected" if status == "open" else "pending_bank")
    seen = (await bank.seen(now)).mandate
    assert (seen.state, seen.code) == (state, "mandate_expired")
    page = await bank.page(payer)
    assert page.mandates_by == "sandbox_bank"
    assert (await bank.begun(payer)).state == "redirected"
    await bank.shop.be_due()
    await bank.shop.work_off(ASK)
    assert await bank.desk.world.value("select count(*) from task where kind = 'mandate.ask'") == 1
