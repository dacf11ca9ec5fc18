"""The sandbox's company of store numbers: GMO-PG's own adapter pays, asks and withdraws there."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.application.providers.exchange import Endpoint, Exchange, NumberAnswer, NumberWanted
from portal.application.providers.sandbox_counter import COUNTER, NOTICES
from portal.domain.konbini import Store
from portal.domain.money import Money
from portal.domain.number import is_number
from portal.domain.payment_word.gmopg_counter import CODES
from portal.kit.outbound.wire import OutboundAnswer
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.run import create_servers
from portal.sandbox.settings import SandboxSettings

PASS = "counter-secret-1414"
SHOP = Endpoint("counter.sandbox.test", 443, ("aozora",))
WHO = {
    "{{credential:sandbox_counter}}": PASS, "{{payer:name}}": "髙橋 花子",
    "{{payer:kana}}": "タカハシ\u3000ハナコ", "{{payer:phone}}": "09012345678",
}  # fmt: skip
T = TypeVar("T")


@dataclass
class Shop:
    """A merchant's relay and a payer's browser at the company, with all its notices."""

    api: httpx.AsyncClient
    browser: httpx.AsyncClient
    journal: Journal
    notices: list[bytes] = field(default_factory=list[bytes])

    async def notice(self, request: Request) -> Response:
        assert request.url.path == "/notices/sandbox_counter/aozora"
        self.notices.append(await request.body())
        return PlainTextResponse("0")

    async def do(self, exchange: Exchange[T]) -> T:
        """An act as the relay sends it: placeholders filled, forms in Windows-31J."""
        while True:
            pairs = parse_qsl(exchange.request.body, strict_parsing=True)
            filled = [(name, WHO.get(text, text)) for name, text in pairs]
            body = urlencode(filled, encoding="cp932", errors="strict")
            said = await self.api.post(exchange.request.path, content=body)
            answer = OutboundAnswer(
                fate="answered", status=said.status_code, headers=dict(said.headers),
                body=said.content,
            )  # fmt: skip
            following = exchange.then(answer) if exchange.then is not None else None
            if following is None:
                return exchange.read(answer)
            exchange = following

    async def make(self, order: str, store: Store = "lawson", amount: int = 8420) -> NumberAnswer:
        wanted = NumberWanted(
            reference=order, amount=Money(amount), store=store, days=10, attempt_id=UUID(int=1),
            contact_name="あおぞら電力", contact_phone="0120-000-555", contact_hours="09:00-17:00",
        )  # fmt: skip
        return await self.do(COUNTER.issue(SHOP, wanted))

    async def stands(self, order: str) -> tuple[str, str]:
        found = (await self.do(COUNTER.inquire(SHOP, order))).payment
        return found.state, found.decline_code

    async def type(self, made: NumberAnswer, **instead: str) -> httpx.Response:
        """A person at the terminal types the number as the page shows it."""
        assert made.numbers is not None
        form = {
            "store": CODES[made.numbers.store], "receipt": made.numbers.receipt_no,
            "confirmation": made.numbers.confirmation_no,
        }  # fmt: skip
        return await self.browser.post("/till/number", data=form | instead)

    async def heard(self, count: int) -> list[str]:
        for _ in range(1_500):
            if len(self.notices) >= count:
                break
            await asyncio.sleep(0.02)
        claims = [NOTICES.parse(raw, {})[0] for raw in self.notices]
        return [f"{one.reference} {one.claim}" for one in claims]

    async def told(self) -> dict[str, str]:
        """The journal that the drills compare with."""
        lines = (await self.browser.get("/journal.json")).json()["payments"]
        return {one["reference"]: one["state"] for one in lines}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"sandbox_counter": hashlib.sha256(PASS.encode()).hexdigest()}))
    settings = SandboxSettings(
        state_dir=tmp_path, browser_port=1, api_port=2, cert=tmp_path / "c", key=tmp_path / "k",
        notice_origin="http://portal.test", browser_origin="http://localhost:1", keys_file=keys,
    )  # fmt: skip
    journal, notices = Journal(tmp_path / "journal.sqlite"), NoticeSender("http://portal.test")
    api, pages = (server.config.app for server in create_servers(settings, journal, notices))

    def client(app: object, base: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)  # type: ignore[arg-type] - Starlette apps

    made = Shop(
        client(api, "https://counter.sandbox.test"), client(pages, "http://localhost:1"), journal
    )
    portal = Starlette(routes=[Route("/notices/{p}/{c}", made.notice, methods=["POST"])])
    await notices._client.aclose()
    notices._client = client(portal, "http://portal.test")
    yield made
    await notices.close()
    await made.api.aclose()
    await made.browser.aclose()
    journal.close()


async def test_every_store_has_a_number_that_its_terminal_takes_once(shop: Shop) -> None:
    for place, store in enumerate(CODES):
        made = await shop.make(f"A{place}", store)
        assert made.outcome == "accepted"
        assert made.numbers is not None
        numbers = made.numbers
        assert is_number(numbers.store, numbers.receipt_no, numbers.confirmation_no)
        asks_twice = store in {"lawson", "ministop", "family_mart"}
        assert bool(numbers.confirmation_no) is asks_twice
        spaced = " ".join(numbers.receipt_no)
        wrong = await shop.type(made, confirmation="99")
        paid, again = await shop.type(made, receipt=spaced), await shop.type(made)
        assert (wrong.status_code, paid.status_code, again.status_code) == (422, 303, 422)
        assert ("number_unknown" in wrong.text, "number_paid" in again.text) == (True, True)
        assert await shop.stands(f"A{place}") == ("succeeded", "")

    assert await shop.heard(5) == [f"A{place} succeeded" for place in range(5)]
    assert set((await shop.told()).values()) == {"succeeded"}
    assert "髙橋 花子" in (await shop.browser.get("/till/number")).text


async def test_what_was_withdrawn_or_ran_out_is_paid_by_nobody(shop: Shop) -> None:
    gone, late, kept = await shop.make("A1"), await shop.make("A2"), await shop.make("A3")

    assert (await shop.do(COUNTER.withdraw(SHOP, "A1"))).outcome == "withdrawn"
    await shop.browser.post("/till/number/A2/expire")
    await shop.type(kept)
    refused = [await shop.type(gone), await shop.type(late)]
    again = [(await shop.do(COUNTER.withdraw(SHOP, one))).outcome for one in ("A1", "A2", "A3")]

    assert [("withdrawn" in one.text, "last_day" in one.text) for one in refused] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert again == ["withdrawn", "withdrawn", "refused"]
    ends = [("failed", "expired"), ("failed", "expired"), ("succeeded", "")]
    assert [await shop.stands(one) for one in ("A1", "A2", "A3")] == ends
    assert await shop.told() == {"A1": "expired", "A2": "expired", "A3": "succeeded"}
    assert (await shop.heard(2)) == ["A2 failed", "A3 succeeded"]


async def test_an_order_is_taken_once_and_published_amounts_misbehave(shop: Shop) -> None:
    first, again = await shop.make("A1"), await shop.make("A1")
    with pytest.raises(AssertionError):  # the client's: an answer that breaks off
        await shop.make("A2", amount=40405)
    busy = await shop.make("A3", amount=40429)

    assert (again.outcome, again.code) == ("unknown", "reference_exists")
    found = await shop.do(COUNTER.inquire(SHOP, "A1"))
    assert found.numbers == first.numbers
    assert (busy.outcome, busy.code) == ("refused", "provider_busy")
    assert await shop.stands("A2") == ("requires_action", "")
    assert await shop.stands("A3") == ("not_found", "")  # no store was given it
    assert await shop.stands("A9") == ("not_found", "")
    assert await shop.told() == {"A1": "open", "A2": "open"}


async def test_who_has_not_the_shops_password_or_the_orders_key_is_not_heard(shop: Shop) -> None:
    await shop.make("A1")
    known = {"ShopID": "aozora", "ShopPass": PASS, "OrderID": "A1"}
    key = {"AccessID": "0" * 32, "AccessPass": "0" * 32}
    for act, form in (
        ("SearchTradeMulti", known | {"ShopPass": "guessed"}),
        ("SearchTradeMulti", known | {"ShopID": "another"}),
        ("CvsCancel", known | key),
        ("ExecTranCvs", known | key | {"Convenience": "10001", "PaymentTermDay": "10"}),
    ):
        said = await shop.api.post(f"/payment/{act}.idPass", data=form)
        assert "ErrInfo=E01" in said.text
    raw = await shop.api.post("/payment/SearchTradeMulti.idPass", content="名".encode())
    assert raw.status_code == 400
    assert await shop.stands("A1") == ("requires_action", "")
