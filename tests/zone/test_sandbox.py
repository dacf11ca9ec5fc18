"""The outside world behaves as published: that is what makes it a witness."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.run import create_servers
from portal.sandbox.settings import SandboxSettings

KEY = {"authorization": "Bearer any"}


class World:
    """Clients of the sandbox's two faces, and every notice that it sent."""

    def __init__(
        self, sms: httpx.AsyncClient, card: httpx.AsyncClient, browser: httpx.AsyncClient
    ) -> None:
        self.sms, self.card, self.browser = sms, card, browser
        self.notices: list[tuple[str, dict[str, str]]] = []

    async def notice(self, request: Request) -> Response:
        for event in (await request.json())["events"]:
            self.notices.append((request.url.path, event))
        return JSONResponse({})

    async def open_payment(self, reference: str, amount: int = 8420) -> httpx.Response:
        return await self.card.post(
            "/v1/sessions",
            headers=KEY,
            json={
                "reference": reference,
                "amount": amount,
                "currency": "JPY",
                "return_url": "http://localhost/return/aozora/t",
                "notice_account": "aozora",
                "description": "電気料金",
            },
        )

    async def pay(self, address: str, number: str) -> httpx.Response:
        path = re.sub(r"^https?://[^/]+", "", address)
        return await self.browser.post(path, data={"number": number, "expiry": "12/30"})

    async def inquire(self, reference: str) -> httpx.Response:
        return await self.card.get(f"/v1/payments/{reference}", headers=KEY)


def message(to: str, reference: str, text: str = "お支払い") -> dict[str, str]:
    return {"account": "aozora", "reference": reference, "to": to, "from": "0005", "text": text}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = SandboxSettings(
        state_dir=tmp_path,
        browser_port=1,
        api_port=2,
        cert=tmp_path / "c",
        key=tmp_path / "k",
        notice_origin="http://portal.test",
        browser_origin="http://localhost:1",
    )
    journal = Journal(tmp_path / "journal.sqlite")
    notices = NoticeSender(settings.notice_origin)
    api, pages = (server.config.app for server in create_servers(settings, journal, notices))

    def client(app: object, base: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)  # type: ignore[arg-type] - Starlette apps

    world = World(
        client(api, "https://sms.sandbox.test"),
        client(api, "https://card.sandbox.test"),
        client(pages, "http://localhost:1"),
    )
    portal = Starlette(routes=[Route("/notices/{p}/{c}", world.notice, methods=["POST"])])
    await notices._client.aclose()
    notices._client = client(portal, "http://portal.test")
    yield world
    await notices.close()
    for one in (world.sms, world.card, world.browser):
        await one.aclose()
    journal.close()


async def eventually(world: World, count: int) -> None:
    for _ in range(100):
        if len(world.notices) >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(world.notices)


async def test_a_message_is_taken_once_per_reference_and_reported_delivered(world: World) -> None:
    first = await world.sms.post("/v1/messages", headers=KEY, json=message("+819012345678", "r1"))
    again = await world.sms.post("/v1/messages", headers=KEY, json=message("+819012345678", "r1"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    await eventually(world, 1)
    path, event = world.notices[0]
    assert path == "/notices/sandbox_sms/aozora"
    assert (event["reference"], event["status"]) == ("r1", "delivered")
    counts = (await world.browser.get("/journal.json")).json()["messages"]
    assert (counts["taken"], counts["effects"]) == (1, 1)


@pytest.mark.parametrize(
    ("to", "statuses"),
    [
        ("+819000000404", [422, 422]),
        ("+819000000429", [429, 201]),
        ("+819000000503", [503, 201]),
        ("+81312345678", [422, 422]),
    ],
)
async def test_magic_telephones_misbehave_as_published(
    world: World, to: str, statuses: list[int]
) -> None:
    seen = [
        (await world.sms.post("/v1/messages", headers=KEY, json=message(to, "r"))).status_code
        for _ in statuses
    ]

    assert seen == statuses


async def test_without_a_key_nothing_is_taken(world: World) -> None:
    answer = await world.sms.post("/v1/messages", json=message("+819012345678", "r1"))

    assert answer.status_code == 401
    assert (await world.browser.get("/journal.json")).json()["messages"]["taken"] == 0


async def test_a_payment_is_opened_once_paid_once_and_told(world: World) -> None:
    opened = await world.open_payment("A-1")
    again = await world.open_payment("A-1")
    paid = await world.pay(opened.json()["url"], "4242 4242 4242 4242")
    twice = await world.pay(opened.json()["url"], "4000000000000002")

    assert (opened.status_code, again.status_code) == (201, 409)
    assert (paid.status_code, paid.headers["location"]) == (303, "http://localhost/return/aozora/t")
    assert twice.status_code == 303
    found = (await world.inquire("A-1")).json()
    assert (found["status"], found["amount"], found["card_hint"]) == ("succeeded", 8420, "4242")
    await eventually(world, 1)
    assert world.notices[0][1]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("number", "code"),
    [("4000000000000002", "card_declined"), ("4000000000009995", "insufficient_funds")],
)
async def test_a_declined_card_says_why(world: World, number: str, code: str) -> None:
    opened = await world.open_payment("A-2")

    await world.pay(opened.json()["url"], number)

    found = (await world.inquire("A-2")).json()
    assert (found["status"], found["decline_code"]) == ("failed", code)


async def test_a_challenge_ends_by_its_password(world: World) -> None:
    for reference, password, status in (("A-3", "1234", "succeeded"), ("A-4", "0000", "failed")):
        opened = await world.open_payment(reference)
        page = await world.pay(opened.json()["url"], "4000002500003155")
        path = re.sub(r"^https?://[^/]+", "", opened.json()["url"])
        form = {"number": "4000002500003155", "password": password}
        await world.browser.post(f"{path}/challenge", data=form)

        assert page.status_code == 200
        assert (await world.inquire(reference)).json()["status"] == status


async def test_a_hidden_end_is_a_time_out_to_everyone_until_it_shows(world: World) -> None:
    opened = await world.open_payment("A-5")

    page = await world.pay(opened.json()["url"], "4000000000000119")

    assert page.status_code == 504
    assert (await world.inquire("A-5")).status_code == 504
    assert world.notices == []
    assert magic.CARDS["4000000000000119"].end == "succeeded"


async def test_a_noisy_card_repeats_its_notice_and_sends_an_old_one_last(world: World) -> None:
    opened = await world.open_payment("A-6")

    await world.pay(opened.json()["url"], "4000000000000259")

    await eventually(world, 4)
    events = [event for _, event in world.notices]
    assert [event["status"] for event in events] == ["succeeded"] * 3 + ["processing"]
    assert len({event["id"] for event in events}) == 2


async def test_opening_fails_by_amount_as_published(world: World) -> None:
    assert (await world.open_payment("A-7", 40500)).status_code == 500
    assert (await world.open_payment("A-8", 40429)).status_code == 429
    assert (await world.inquire("A-7")).status_code == 404
    assert (await world.inquire("A-8")).status_code == 404


async def test_the_phone_shows_text_as_text(world: World) -> None:
    text = "<b>お支払い</b> http://localhost:1/p/aozora/abc"
    await world.sms.post("/v1/messages", headers=KEY, json=message("+819012345678", "r1", text))

    page = (await world.browser.get("/phone?to=09012345678")).text

    assert "&lt;b&gt;" in page
    assert 'href="http://localhost:1/p/aozora/abc"' in page


async def contest(world: World, act: str, reference: str = "p1") -> int:
    return (await world.browser.post(f"/disputes/{reference}", data={"act": act})).status_code


async def test_a_paid_payment_is_contested_once_decided_once_and_told(world: World) -> None:
    url = (await world.open_payment("p1")).json()["url"]
    assert await contest(world, "take_now") == 409
    await world.pay(url, "4242424242424242")

    said = [await contest(world, act) for act in ("take_now", "take_now", "win", "lose", "sing")]

    assert said == [303, 409, 303, 409, 422]
    dispute = (await world.inquire("p1")).json()["dispute"]
    assert (dispute["status"], dispute["amount"], dispute["taken"]) == ("won", 8420, 0)
    await eventually(world, 3)
    assert [event["status"] for _, event in world.notices] == [
        "succeeded", "dispute_opened", "dispute_won"
    ]  # fmt: skip
    assert "won" in (await world.browser.get("/disputes")).text


@pytest.mark.parametrize(
    ("act", "taken"), [("take_now", [8420, 8420]), ("take_when_lost", [0, 8420])]
)
async def test_contested_money_goes_back_at_once_or_when_lost_and_is_not_refunded_then(
    world: World, act: str, taken: list[int]
) -> None:
    await world.pay((await world.open_payment("p1")).json()["url"], "4242424242424242")
    refund = {"reference": "r1", "payment": "p1", "amount": 420, "currency": "JPY"}

    seen: list[int] = []
    for step in (act, "lose"):
        await contest(world, step)
        payments = (await world.browser.get("/journal.json")).json()["payments"]
        seen.append(payments[0]["taken_back"])
        refused = await world.card.post("/v1/refunds", headers=KEY, json=refund)
        assert refused.status_code == 422

    assert seen == taken
