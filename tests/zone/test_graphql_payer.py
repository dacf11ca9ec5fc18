"""The payer schema against a real vault: one bill, its own, and nothing to ask about others."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from portal.application.doors.graphql.payer import PAYER
from portal.application.doors.graphql.trusted import TRUSTED
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.refunds import new_counter
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import payer_browser
from tests.make.walk import id_coordinates
from tests.make.web import Web, running_web, web_settings


@pytest_asyncio.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest_asyncio.fixture
async def web(world: World, ground: Ground) -> AsyncIterator[Web]:
    settings = web_settings(ground.folder)
    async with running_web(ground.folder, world.web, settings=settings) as running:
        yield running


async def ask(
    browser: httpx.AsyncClient, payer: Payer, name: str, **given: object
) -> dict[str, Any]:
    document_id = TRUSTED["payer"].named(name).document_id
    variables = {"input": given} if given else {}
    answer = await browser.post(
        f"/pay/graphql?page={payer.page_ref}",
        json={"documentId": document_id, "variables": variables},
    )
    body: dict[str, Any] = answer.json()
    return body


def test_the_payer_schema_takes_no_id_anywhere() -> None:
    assert id_coordinates(PAYER) == set()


async def test_a_payer_sees_the_bill_of_the_link_and_no_other(web: Web, world: World) -> None:
    one, other = await world.payer(), await world.payer(amount=999)
    async with (
        payer_browser(web, one.authority, one.page_ref) as browser,
        payer_browser(web, other.authority, other.page_ref) as second,
    ):
        mine = (await ask(browser, one, "Page"))["data"]["bill"]
        theirs = (await ask(second, other, "Page"))["data"]["bill"]
        crossed = await browser.post(
            f"/pay/graphql?page={other.page_ref}",
            json={"documentId": TRUSTED["payer"].named("Page").document_id},
        )

    assert (mine["amount"]["amount"], theirs["amount"]["amount"]) == (AMOUNT, 999)
    assert mine["pageRef"] == one.page_ref
    assert mine["payerHint"] == "山● ●子"
    shown = json.dumps(mine, ensure_ascii=False)
    assert "9012345678" not in shown
    assert "12345678" not in shown
    assert crossed.status_code == 401


async def test_a_payer_sees_what_was_given_back_and_what_is_on_its_way(
    web: Web, world: World
) -> None:
    counter, payer = await new_counter(world), await world.payer()
    attempt_id = await world.paid(payer)
    await counter.ask(payer.bill_id, attempt_id, 3000, reason="goodwill")
    await counter.sent()
    await counter.ask(payer.bill_id, attempt_id, 420, reason="goodwill")

    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        bill = (await ask(browser, payer, "Page"))["data"]["bill"]
        screen = await browser.get(f"/b/{payer.page_ref}", headers={"accept-language": "ja"})

    assert (bill["givenBack"], bill["onItsWayBack"]) == ({"amount": 3000}, {"amount": 420})
    assert "3,000円を返金しました" in screen.text
    assert "420円の返金手続き中です" in screen.text


async def test_one_browser_holds_several_bills_side_by_side(web: Web, world: World) -> None:
    one, other = await world.payer(), await world.payer(amount=999)
    async with web.browser() as browser:
        for payer in (one, other):
            answer = await browser.get(f"/p/{world.code}/{payer.secret}")
            assert (answer.status_code, answer.headers["location"]) == (303, f"/b/{payer.page_ref}")
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
        amounts = [
            (await ask(browser, payer, "Page"))["data"]["bill"]["amount"]["amount"]
            for payer in (one, other)
        ]

    assert amounts == [AMOUNT, 999]


async def test_looking_is_counted_when_a_person_looks(web: Web, world: World) -> None:
    payer = await world.payer()
    opened = "select opened_at is not null from bill where id = $1"
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        await ask(browser, payer, "Page")
        before = await world.value(opened, payer.bill_id)
        noted = await ask(browser, payer, "BillOpened")
        after = await world.value(opened, payer.bill_id)

    assert noted["data"]["billOpened"] == {"noted": True, "errors": []}
    assert (before, after) == (False, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expectedAmount": AMOUNT - 1}, "amount_changed"),
        ({"method": "cash"}, "method_unknown"),
    ],
)
async def test_a_payment_that_can_not_start_says_why(
    web: Web, world: World, change: dict[str, object], code: str
) -> None:
    payer = await world.payer()
    given = {"method": "card", "expectedAmount": AMOUNT, "idempotencyKey": "k-1"} | change
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        payload = (await ask(browser, payer, "PaymentStart", **given))["data"]["paymentStart"]

    assert payload["attempt"] is None
    assert payload["redirectUrl"] is None
    assert [error["code"] for error in payload["errors"]] == [code]


async def test_a_payment_that_never_left_has_an_attempt_and_no_money(
    web: Web, world: World
) -> None:
    payer = await world.payer()
    given = {"method": "card", "expectedAmount": AMOUNT, "idempotencyKey": "k-1"}
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        # The egress is away in this test: certainly nothing was sent.
        first = await ask(browser, payer, "PaymentStart", **given)
        again = await ask(browser, payer, "PaymentStart", **given)
        bill = (await ask(browser, payer, "Page"))["data"]["bill"]

    attempt = first["data"]["paymentStart"]["attempt"]
    assert attempt["state"] == "failed"
    assert again["data"]["paymentStart"]["attempt"] == attempt
    assert bill["attempt"]["id"] == attempt["id"]
    assert await world.settlement(payer.bill_id) == "unpaid"


async def test_the_same_key_with_another_amount_is_refused(web: Web, world: World) -> None:
    payer = await world.payer()
    given = {"method": "card", "expectedAmount": AMOUNT, "idempotencyKey": "k-1"}
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        await ask(browser, payer, "PaymentStart", **given)
        other = await ask(
            browser, payer, "PaymentStart", **(given | {"expectedAmount": AMOUNT + 1})
        )

    [error] = other["data"]["paymentStart"]["errors"]
    assert error["code"] in {"idempotency_mismatch", "amount_changed"}


@pytest.mark.parametrize("field", ["method", "idempotencyKey"])
async def test_no_text_of_a_payment_can_hold_a_card_number(
    web: Web, world: World, field: str
) -> None:
    payer = await world.payer()
    given: dict[str, object] = {
        "method": "card", "expectedAmount": AMOUNT, "idempotencyKey": "k-1"
    }  # fmt: skip
    async with payer_browser(web, payer.authority, payer.page_ref) as browser:
        answer = await ask(browser, payer, "PaymentStart", **(given | {field: "4242424242424242"}))

    assert answer["errors"][0]["extensions"]["code"] == "card_number_refused"
    assert "4242" not in json.dumps(answer)
