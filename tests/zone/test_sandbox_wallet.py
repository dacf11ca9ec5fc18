"""The sandbox's wallet behaves as PayPay's document says: that is what makes it a witness."""

import asyncio
import hashlib
import itertools
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.egress.signers import ToSign, sign_opa
from portal.sandbox import magic
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.run import create_servers
from portal.sandbox.settings import SandboxSettings

KEY, SECRET = "wallet-key-1202", "wallet-secret-7Qx"
RETURN = "http://localhost/return/aozora/t"
JSON = "application/json"


@dataclass
class Wallet:
    """A merchant's system and a payer's browser at the wallet company, with all its notices."""

    api: httpx.AsyncClient
    browser: httpx.AsyncClient
    notices: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def notice(self, request: Request) -> Response:
        self.notices.append((request.url.path, await request.json()))
        return JSONResponse({})

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        signed_as: dict[str, object] | None = None,
    ) -> httpx.Response:
        """A signed request; ``signed_as`` are changes of what is signed, not of the request."""
        raw = b"" if body is None else json.dumps(body).encode()
        signed: dict[str, Any] = {
            "method": method, "path": path.partition("?")[0], "content_type": JSON, "body": raw,
            "nonce": f"n{next(self.numbers)}", "epoch_s": int(time.time()),
        }  # fmt: skip
        known = {"key": KEY, "secret": SECRET}
        told = signed | known | (signed_as or {})
        key, secret = str(told.pop("key")), str(told.pop("secret"))
        signature = sign_opa(ToSign(**told), key=key, secret=secret)
        headers = {"authorization": signature.authorization, "content-type": JSON}
        return await self.api.request(method, path, content=raw, headers=headers)

    async def make(
        self, reference: str, amount: int = 8420, changes: dict[str, object] | None = None
    ) -> httpx.Response:
        body: dict[str, object] = {
            "merchantPaymentId": reference,
            "amount": {"amount": amount, "currency": "JPY"},
            "codeType": "ORDER_QR",
            "orderDescription": "電気料金",
            "storeId": "aozora",
            "redirectUrl": RETURN,
            "redirectType": "WEB_LINK",
            "requestedAt": int(time.time()),
        }
        return await self.ask("POST", "/v2/codes", body | (changes or {}))

    async def press(self, made: httpx.Response, button: str) -> httpx.Response:
        path = re.sub(r"^https?://[^/]+", "", made.json()["data"]["url"])
        return await self.browser.post(path, data={"act": button})

    async def status(self, reference: str) -> str:
        found = (await self.ask("GET", f"/v2/codes/payments/{reference}")).json()
        return str((found["data"] or {}).get("status", found["resultInfo"]["code"]))

    async def heard(self, count: int) -> list[dict[str, Any]]:
        for _ in range(200):
            if len(self.notices) >= count:
                return [body for _, body in self.notices]
            await asyncio.sleep(0.05)
        raise AssertionError(self.notices)


@pytest.fixture
async def wallet(tmp_path: Path) -> AsyncIterator[Wallet]:
    keys = tmp_path / "keys.json"
    known = {
        "sandbox_wallet.key": hashlib.sha256(KEY.encode()).hexdigest(),
        "sandbox_wallet.secret": SECRET,
    }
    keys.write_text(json.dumps(known))
    settings = SandboxSettings(
        state_dir=tmp_path, browser_port=1, api_port=2, cert=tmp_path / "c", key=tmp_path / "k",
        notice_origin="http://portal.test", browser_origin="http://localhost:1", keys_file=keys,
    )  # fmt: skip
    journal, notices = Journal(tmp_path / "journal.sqlite"), NoticeSender("http://portal.test")
    api, pages = (server.config.app for server in create_servers(settings, journal, notices))

    def client(app: object, base: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)  # type: ignore[arg-type] - Starlette apps

    made = Wallet(client(api, "https://wallet.sandbox.test"), client(pages, "http://localhost:1"))
    portal = Starlette(routes=[Route("/notices/{p}/{c}", made.notice, methods=["POST"])])
    await notices._client.aclose()
    notices._client = client(portal, "http://portal.test")
    yield made
    await notices.close()
    await made.api.aclose()
    await made.browser.aclose()
    journal.close()


async def test_only_what_is_signed_with_the_key_it_gave_out_is_let_in(wallet: Wallet) -> None:
    good = await wallet.ask("GET", "/v2/codes/payments/A-1")
    assert good.json()["resultInfo"]["code"] == "DYNAMIC_QR_PAYMENT_NOT_FOUND"

    wrong: list[dict[str, object]] = [
        {"secret": "guessed"}, {"key": "guessed-key"}, {"path": "/v2/codes/payments/A-2"},
        {"method": "POST"}, {"body": b"{}"}, {"epoch_s": int(time.time()) - 900},
    ]  # fmt: skip
    for changes in wrong:
        refused = await wallet.ask("GET", "/v2/codes/payments/A-1", signed_as=changes)
        assert (refused.status_code, refused.json()["resultInfo"]["code"]) == (401, "UNAUTHORIZED")
    assert (await wallet.api.get("/v2/codes/payments/A-1")).status_code == 401
    plain = {"authorization": "Bearer any"}
    assert (await wallet.api.get("/v2/codes/payments/A-1", headers=plain)).status_code == 401


async def test_a_signature_serves_once(wallet: Wallet) -> None:
    first = await wallet.ask("GET", "/v2/codes/payments/A-1", signed_as={"nonce": "same"})
    again = await wallet.ask("GET", "/v2/codes/payments/A-1", signed_as={"nonce": "same"})

    assert (first.status_code, again.status_code) == (400, 401)


async def test_a_body_that_was_changed_on_the_way_is_not_taken(wallet: Wallet) -> None:
    refused = await wallet.ask(
        "POST", "/v2/codes", {"amount": 1}, signed_as={"body": b'{"amount":2}'}
    )

    assert refused.status_code == 401


async def test_a_code_is_made_once_paid_once_and_told(wallet: Wallet) -> None:
    made = await wallet.make("A-1")
    again = await wallet.make("A-1", 1)

    assert (made.status_code, again.status_code) == (201, 400)
    assert again.json()["resultInfo"]["code"] == "DUPLICATE_DYNAMIC_QR_REQUEST"
    assert made.json()["data"]["merchantPaymentId"] == "A-1"
    assert await wallet.status("A-1") == "CREATED"

    paid = await wallet.press(made, "approve")
    twice = await wallet.press(made, "decline")
    assert (paid.status_code, paid.headers["location"]) == (303, RETURN)
    assert twice.headers["location"] == RETURN
    assert await wallet.status("A-1") == "COMPLETED"
    [notice] = await wallet.heard(1)
    assert wallet.notices[0][0] == "/notices/sandbox_wallet/aozora"
    assert (notice["merchant_order_id"], notice["state"]) == ("A-1", "COMPLETED")


@pytest.mark.parametrize(
    ("button", "status", "journal"),
    [
        ("cancel", "CREATED", "open"),
        ("decline", "FAILED", "failed"),
        ("expire", "DYNAMIC_QR_PAYMENT_NOT_FOUND", "expired"),
        ("approve", "COMPLETED", "succeeded"),
    ],
)
async def test_each_button_ends_the_payment_as_it_says(
    wallet: Wallet, button: str, status: str, journal: str
) -> None:
    made = await wallet.make("A-1")

    assert (await wallet.press(made, button)).headers["location"] == RETURN

    assert await wallet.status("A-1") == status
    [row] = (await wallet.browser.get("/journal.json")).json()["payments"]
    assert row == {
        "provider": "sandbox_wallet", "reference": "A-1", "state": journal, "amount": 8420,
        "account": "aozora",
    }  # fmt: skip


async def test_who_turned_back_may_still_pay(wallet: Wallet) -> None:
    made = await wallet.make("A-1")
    await wallet.press(made, "cancel")

    await wallet.press(made, "approve")

    assert await wallet.status("A-1") == "COMPLETED"
    assert [one["state"] for one in await wallet.heard(1)] == ["COMPLETED"]


@pytest.mark.parametrize("button", ["approve_slow", "decline_slow"])
async def test_a_hidden_end_is_a_time_out_to_everyone_until_it_shows(
    wallet: Wallet, button: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Hidden for longer than any machine takes to ask.
    script = magic.WALLET_BUTTONS[button]
    assert script.hidden_s > 0
    monkeypatch.setitem(magic.WALLET_BUTTONS, button, replace(script, hidden_s=3600.0))
    made = await wallet.make("A-1")

    assert (await wallet.press(made, button)).status_code == 504
    assert await wallet.status("A-1") == "INTERNAL_SERVER_ERROR"

    # Notices to one merchant go one after another: one about A-1 would have come first.
    await wallet.press(await wallet.make("A-2"), "approve")
    assert [one["merchant_order_id"] for one in await wallet.heard(1)] == ["A-2"]


async def test_a_noisy_payment_repeats_its_notice_and_sends_an_old_one_last(
    wallet: Wallet,
) -> None:
    await wallet.press(await wallet.make("A-1"), "approve_noisy")

    told = await wallet.heard(4)
    assert [one["state"] for one in told] == ["COMPLETED"] * 3 + ["AUTHORIZED"]


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [(40500, 500, "INTERNAL_SERVER_ERROR"), (40429, 429, "RATE_LIMIT")],
)
async def test_making_a_code_fails_by_amount_as_published(
    wallet: Wallet, amount: int, status: int, code: str
) -> None:
    refused = await wallet.make("A-1", amount)

    assert (refused.status_code, refused.json()["resultInfo"]["code"]) == (status, code)
    assert await wallet.status("A-1") == "DYNAMIC_QR_PAYMENT_NOT_FOUND"
    page = await wallet.browser.get((await wallet.make("A-2")).json()["data"]["url"])
    assert f"{amount:,}円" in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"merchantPaymentId": "A:1"}, {"merchantPaymentId": "x" * 65}, {"merchantPaymentId": 7},
        {"amount": {"amount": 0, "currency": "JPY"}}, {"amount": {"amount": 1, "currency": "USD"}},
        {"amount": 8420}, {"redirectUrl": "javascript:1"}, {"redirectType": "APP_LINK"},
        {"codeType": "OTHER"}, {"requestedAt": None},
    ],
)  # fmt: skip
async def test_a_request_that_the_document_forbids_is_refused(
    wallet: Wallet, changes: dict[str, object]
) -> None:
    assert (await wallet.make("A-1", changes=changes)).status_code == 400


async def test_a_deleted_code_can_not_be_paid(wallet: Wallet) -> None:
    made = await wallet.make("A-1")
    code = made.json()["data"]["codeId"]

    assert (await wallet.ask("DELETE", f"/v2/codes/{code}")).status_code == 200
    await wallet.press(made, "approve")

    assert await wallet.status("A-1") == "DYNAMIC_QR_PAYMENT_NOT_FOUND"
    assert (await wallet.ask("DELETE", "/v2/codes/04-none")).status_code == 404
    paid = await wallet.make("A-2")
    await wallet.press(paid, "approve")
    refused = await wallet.ask("DELETE", f"/v2/codes/{paid.json()['data']['codeId']}")
    assert refused.json()["resultInfo"]["code"] == "DYNAMIC_QR_ALREADY_PAID"


async def test_a_payment_is_canceled_once(wallet: Wallet) -> None:
    await wallet.press(await wallet.make("A-1"), "approve")

    first = await wallet.ask("DELETE", "/v2/payments/A-1")
    again = await wallet.ask("DELETE", "/v2/payments/A-1")

    assert (first.status_code, again.status_code) == (202, 400)
    assert await wallet.status("A-1") == "FAILED"


async def test_money_is_given_back_once_and_no_more_than_was_taken(wallet: Wallet) -> None:
    await wallet.press(await wallet.make("A-1"), "approve")
    found = (await wallet.ask("GET", "/v2/codes/payments/A-1")).json()["data"]

    def wanted(reference: str, amount: int) -> dict[str, object]:
        return {
            "merchantRefundId": reference,
            "paymentId": found["paymentId"],
            "amount": {"amount": amount, "currency": "JPY"},
            "requestedAt": int(time.time()),
        }

    too_much = await wallet.ask("POST", "/v2/refunds", wanted("R-0", 8421))
    given = await wallet.ask("POST", "/v2/refunds", wanted("R-1", 420))
    second = await wallet.ask("POST", "/v2/refunds", wanted("R-2", 1))
    asked = await wallet.ask("GET", f"/v2/refunds/R-1?paymentId={found['paymentId']}")

    assert [one.status_code for one in (too_much, given, second, asked)] == [400, 201, 400, 200]
    assert given.json()["data"]["status"] == "CREATED"
    assert asked.json()["data"]["status"] == "REFUNDED"
    assert await wallet.status("A-1") == "REFUNDED"
    after = (await wallet.ask("GET", "/v2/codes/payments/A-1")).json()["data"]
    [listed] = after["refunds"]["data"]
    assert found["refunds"] is None
    assert (listed["status"], listed["amount"]["amount"]) == ("REFUNDED", 420)
    assert (after["status"], after["amount"]["amount"]) == ("REFUNDED", 8420)
    journal = (await wallet.browser.get("/journal.json")).json()
    assert [row["state"] for row in journal["payments"]] == ["succeeded"]
    assert journal["refunds"] == [
        {
            "provider": "sandbox_wallet", "reference": "R-1", "payment": "A-1",
            "state": "succeeded", "amount": 420,
        }
    ]  # fmt: skip


async def test_a_refund_is_found_among_its_payments_own(wallet: Wallet) -> None:
    await wallet.press(await wallet.make("A-1"), "approve")
    payment = (await wallet.ask("GET", "/v2/codes/payments/A-1")).json()["data"]["paymentId"]
    wanted = {
        "merchantRefundId": "R-1", "paymentId": payment,
        "amount": {"amount": 420, "currency": "JPY"}, "requestedAt": int(time.time()),
    }  # fmt: skip
    assert (await wallet.ask("POST", "/v2/refunds", wanted)).status_code == 201

    asked = {
        path: (await wallet.ask("GET", f"/v2/refunds/{path}")).json()["resultInfo"]["code"]
        for path in (
            f"R-1?paymentId={payment}", f"R-2?paymentId={payment}", f"R-1?paymentId={'1' * 20}",
            "R-1", f"R-1?paymentId={payment}&paymentId={payment}",
        )
    }  # fmt: skip

    assert list(asked.values()) == [
        "SUCCESS", "NO_SUCH_REFUND_ORDER", "NO_SUCH_REFUND_ORDER", "INVALID_PARAMS",
        "INVALID_PARAMS",
    ]  # fmt: skip


async def test_a_page_that_nobody_made_is_not_there(wallet: Wallet) -> None:
    assert (await wallet.browser.get("/wallet/04-none")).status_code == 404
    assert (
        await wallet.browser.post("/wallet/04-none", data={"act": "approve"})
    ).status_code == 404
    made = await wallet.make("A-1")
    assert (await wallet.press(made, "steal")).status_code == 404
    assert await wallet.status("A-1") == "CREATED"
