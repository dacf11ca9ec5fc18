"""Companies' notices from the web's door to the vault: answered in their words, followed up."""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from portal.application.settings import WebSettings
from portal.domain.errors import InvariantBroken
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.money import World, new_world
from tests.make.stripe import event, intent
from tests.make.vault import ClientFor
from tests.make.web import Web, running_web, web_settings

KEY = "whsec_of_the_address_for_minato"


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


def with_keys(folder: Path, keys: object, mode: int = 0o600) -> WebSettings:
    file = folder / "notice.keys"
    file.write_text(json.dumps(keys))
    file.chmod(mode)
    return WebSettings(**web_settings(folder).model_dump() | {"notice_keys_file": file})


@pytest.fixture
async def web(world: World, tmp_path: Path) -> AsyncGenerator[Web]:
    settings = with_keys(tmp_path, {"stripe": {"stripe": [KEY]}})
    async with running_web(tmp_path, world.web, settings=settings) as running:
        yield running


async def at(world: World, provider: str) -> tuple[World, str]:
    """A merchant of this company with a live attempt; its reference."""
    there = await world.with_company(provider)
    payer = await there.payer()
    started = await there.start(payer)
    await there.submitted(payer, started)
    assert started.provider == provider
    return there, started.reference


async def planned_now(world: World) -> int:
    return await world.value(
        "select count(*) from task where kind = 'payment.inquire' and lane = 'urgent'"
        " and next_at <= now()"
    )


@pytest.mark.parametrize("provider", ["gmopg", "smbc_gp"])
async def test_gmo_hears_a_zero_once_its_notice_is_stored(
    world: World, web: Web, provider: str
) -> None:
    there, reference = await at(world, provider)
    body = (
        f"ShopID=tshop00012345&OrderID={reference}&Status=CAPTURE&JobCd=CAPTURE&Amount=8420"
        "&TranID=1303011202111111111111198895&TranDate=20261127210000&ErrCode=&ErrInfo=&PayType=0"
    )

    async with web.browser() as company:
        answers = [
            await company.post(f"/notices/{provider}/{there.code}", content=body) for _ in range(2)
        ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "0")}
    assert answers[0].headers["content-type"].startswith("text/plain")
    assert await there.value("select count(*) from notice") == 1
    assert await planned_now(there) == 1


async def test_stripes_signed_notice_makes_us_ask_and_an_unsigned_one_does_not(
    world: World, web: Web
) -> None:
    there, reference = await at(world, "stripe")
    thing = intent(metadata={"reference": reference})
    body = json.dumps(event("payment_intent.succeeded", thing)).encode()
    moment = int(SystemClock().wall().timestamp())
    mac = hmac.new(KEY.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()

    async with web.browser() as company:
        refused = await company.post("/notices/stripe/stripe", content=body)
        planned = await planned_now(there)
        taken = await company.post(
            "/notices/stripe/stripe", content=body,
            headers={"Stripe-Signature": f"t={moment},v1={mac}"},
        )  # fmt: skip

    assert (refused.status_code, refused.json()["code"]) == (400, "signature_invalid")
    assert planned == 0
    assert (taken.status_code, taken.json()) == (200, {"received": 1})
    assert await planned_now(there) == 1


async def test_notice_about_nothing_of_ours_is_taken_so_that_it_stops_coming(
    world: World, tmp_path: Path
) -> None:
    there, _ = await at(world, "stripe")
    body = json.dumps(event("balance.available", {"object": "balance"}))

    async with running_web(tmp_path, world.web) as web, web.browser() as company:
        taken = await company.post("/notices/stripe/stripe", content=body)

    assert (taken.status_code, taken.json()) == (200, {"received": 0})
    assert await there.value("select count(*) from notice") == 0


async def test_browser_that_is_sent_back_by_a_form_comes_by_get(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.post(
            "/return/minato/a-token", data={"result": "e30.sha"},
            headers={"Origin": "https://link.mul-pay.jp", "Sec-Fetch-Site": "cross-site"},
        )  # fmt: skip
        further = await browser.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["location"]) == (303, "/return/minato/a-token")
    assert further.status_code == 404


@pytest.mark.parametrize(
    "keys",
    [
        [],
        {"stripe": [KEY]},
        {"stripe": {"minato": KEY}},
        {"stripe": {"minato": ["short"]}},
        {"stripe": {"minato": [f"{KEY}\n"]}},
        {"gmopg": {"minato": [KEY]}},
    ],
)
def test_keys_that_promise_what_nobody_checks_stop_the_start(tmp_path: Path, keys: object) -> None:
    with pytest.raises(ValueError, match=r"Expected|notice keys"):
        with_keys(tmp_path, keys).read_notice_keys()


def test_keys_that_others_may_read_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvariantBroken, match="secret_exposed"):
        with_keys(tmp_path, {"stripe": {"minato": [KEY]}}, 0o644).read_notice_keys()

    assert web_settings(tmp_path).read_notice_keys() == {}
