"""`portal provider certify` tells a company that does as its adapter believes from another."""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from portal.application.providers.exchange import Endpoint
from portal.domain.errors import InvariantBroken
from portal.egress.rules import RulesRefused
from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.run import create_servers
from portal.sandbox.settings import SandboxSettings
from portal.stack.certify import Case, certify
from portal.stack.certify_text import NOWHERE, OneText
from tests.make.certificates import Authority
from tests.make.companies import passing_on, rules_of, running_localstripe, saying
from tests.make.gmopg import errors, paid, recorded
from tests.make.gmopg_cards import Members, access_of
from tests.make.gmopg_stores import Stores
from tests.make.provider import HOST, Behaviour, Provider, answer
from tests.make.provider import saying as saying_bytes
from tests.make.relay import SHOP_PASS, SITE_PASS, STRIPE_KEY

REFERENCE = "01JD0000000000000000000001"
SANDBOX_KEY = "key-of-the-sandbox-0815"
WALLET_SECRET = "secret-of-the-wallet-0815"
TWILIO_KEY = "QUNzaWQ6YXV0aC10b2tlbg=="
ACCOUNTS = {"gmopg": ("tshop00012345", "page01", "tsite00012345"), "twilio": ("AC" + "0" * 32,)}
CREDENTIALS = {
    "twilio": TWILIO_KEY,
    "stripe": STRIPE_KEY, "gmopg": SHOP_PASS, "gmopg.site": SITE_PASS, "sandbox_card": SANDBOX_KEY,
    "sandbox_bank": SANDBOX_KEY,
    "paypay.key": "key-of-the-wallet-0815", "paypay.secret": WALLET_SECRET,
}  # fmt: skip
Pay = Callable[[str], Awaitable[None]]


async def nobody_pays(address: str) -> None:
    raise AssertionError(address)


class Bench:
    """A company that speaks TLS, and what the command said about it."""

    def __init__(self, provider: Provider, ca: Path) -> None:
        self.provider, self.ca = provider, ca
        self.lines: list[str] = []

    async def certify(
        self, name: str, rules: list[dict[str, Any]], pay: Pay = nobody_pays, **case: object
    ) -> bool:
        dialled = [rule | {"port": self.provider.port} for rule in rules]
        account = ACCOUNTS.get(name, ())
        wanted = Case(
            provider=name,
            endpoint=Endpoint(HOST, self.provider.port, account),
            return_url="https://localhost/return/certify/t",
            **case,  # type: ignore[arg-type] - the case's own fields
        )
        payload: dict[str, object] = {"version": 1, "rules": dialled}
        return await certify(
            wanted, payload, CREDENTIALS, pay, say=self.lines.append, sandbox_ca=self.ca
        )

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@asynccontextmanager
async def a_bench(folder: Path, behaviour: Behaviour) -> AsyncGenerator[Bench]:
    authority = Authority(folder / "certificates")
    async with Provider(authority, behaviour=behaviour) as provider:
        yield Bench(provider, authority.ca)


async def test_localstripe_passes_with_a_payment_that_is_there(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(running_localstripe(tmp_path))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=address, auth=(STRIPE_KEY, ""))
        )
        bench = await stack.enter_async_context(a_bench(tmp_path, passing_on(address)))
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        fields = {f"card[{name}]": text for name, text in card.items()}
        method = (await client.post("/v1/payment_methods", data={"type": "card"} | fields)).json()
        made = (
            await client.post(
                "/v1/payment_intents",
                data={
                    "amount": "8420", "currency": "jpy", "payment_method": method["id"],
                    "confirm": "true", "metadata[reference]": REFERENCE,
                },
            )
        ).json()  # fmt: skip

        good = await bench.certify(
            "stripe", rules_of("stripe"), amount_minor=8420, paid=(REFERENCE, made["id"])
        )
        other = await bench.certify(
            "stripe", rules_of("stripe"), amount_minor=8421, paid=(REFERENCE, made["id"])
        )

    assert (good, other) == (True, False)
    assert "4 of 4 acts fit" in bench.text
    assert "0 of 1 acts fit" in bench.text
    assert "Bearer {{credential:stripe}}" in bench.text
    assert STRIPE_KEY not in bench.text


CARD = {"number": "4242424242424242", "expiry": "12/30"}


@asynccontextmanager
async def the_sandbox(
    folder: Path, company: str = "card", said: dict[str, str] = CARD
) -> AsyncGenerator[tuple[Behaviour, Pay]]:
    """One of its companies for merchants, and a payer at its page."""
    settings = SandboxSettings(
        state_dir=folder, browser_port=1, api_port=2, cert=folder / "c", key=folder / "k",
        notice_origin="http://portal.test", browser_origin="http://localhost:1",
    )  # fmt: skip
    journal = Journal(folder / "journal.sqlite")
    notices = NoticeSender(settings.notice_origin)
    api, pages = (server.config.app for server in create_servers(settings, journal, notices))
    transport = httpx.ASGITransport(api)  # type: ignore[arg-type] - Starlette
    browser = httpx.AsyncClient(
        transport=httpx.ASGITransport(pages),  # type: ignore[arg-type] - Starlette
        base_url="http://localhost:1",
    )

    async def pay(address: str) -> None:
        path = re.sub(r"^https?://[^/]+", "", address)
        assert (await browser.post(path, data=said)).status_code == 303

    try:
        yield passing_on(f"https://{company}.sandbox.test", transport), pay
    finally:
        await browser.aclose()
        await notices.close()
        journal.close()


SANDBOX_RULES: list[dict[str, Any]] = [
    {
        "id": "sandbox", "role": "web", "host": HOST, "port": 0, "purpose": "certify",
        "bytes_up_per_hour": 1_000_000, "methods": ["POST", "GET"], "path_prefixes": ["/v1"],
        "credentials": ["sandbox_card"], "address": "127.0.0.1", "sandbox": True,
    },
    {
        "id": "back", "role": "web", "host": HOST, "port": 0, "purpose": "certify",
        "bytes_up_per_hour": 1_000_000, "methods": ["POST"], "path_prefixes": ["/v1/refunds"],
        "credentials": ["sandbox_card"], "address": "127.0.0.1", "sandbox": True,
        "refund": {"reference": "body:/reference"},
    },
]  # fmt: skip


async def test_sandboxs_card_company_passes_with_a_payer_at_its_page(tmp_path: Path) -> None:
    event = {"id": "ev_1", "payment": "cs_1", "reference": REFERENCE, "status": "succeeded"}
    async with the_sandbox(tmp_path) as (company, pay), a_bench(tmp_path, company) as bench:
        good = await bench.certify(
            "sandbox_card",
            SANDBOX_RULES,
            pay,
            amount_minor=8420,
            notice=json.dumps({"events": [event]}).encode(),
        )

    assert good, bench.text
    assert "6 of 6 acts fit" in bench.text
    assert SANDBOX_KEY not in bench.text


def in_turn(browser: Pay, said: dict[str, str], forms: list[dict[str, str]]) -> Pay:
    """A payer who says one thing after the other at the company's pages."""

    async def pay(address: str) -> None:
        said.clear()
        said.update(forms.pop(0))
        await browser(address)

    return pay


async def test_a_whole_life_has_a_lost_answer_a_decline_and_three_d_secure(tmp_path: Path) -> None:
    for name, company, rules, forms, whole in (
        (
            "sandbox_card", "card", SANDBOX_RULES,
            [{"number": "4000000000000002"}, {"number": "4242424242424242"}], "9 of 9",
        ),
        (
            "paypay", "wallet", rules_of("paypay"), [{"act": "decline"}, {"act": "approve"}],
            "8 of 8",
        ),
        # Nobody stood for this card, and whoever is paid instead of declined has no fit adapter.
        (
            "sandbox_card", "card", SANDBOX_RULES,
            [{"number": "4242424242424242"}, {"number": "4000000000003055"}], "7 of 9",
        ),
    ):  # fmt: skip
        said: dict[str, str] = {}
        folder = tmp_path / f"{company}-{whole[:1]}"
        folder.mkdir()
        async with (
            the_sandbox(folder, company, said) as (out, pay),
            a_bench(tmp_path, out) as bench,
        ):
            payer = in_turn(pay, said, [dict(form) for form in forms])
            good = await bench.certify(name, rules, payer, amount_minor=8420, whole=True)

        assert f"{whole} acts fit" in bench.text, bench.text
        assert good == (whole[:1] == whole[-1:])


async def test_paypays_adapter_passes_at_a_wallet_under_the_rules_of_the_page(
    tmp_path: Path,
) -> None:
    approve = {"act": "approve"}
    async with (
        the_sandbox(tmp_path, "wallet", approve) as (company, pay),
        a_bench(tmp_path, company) as bench,
    ):
        good = await bench.certify("paypay", rules_of("paypay"), pay, amount_minor=8420)

    assert good, bench.text
    assert "5 of 5 acts fit" in bench.text
    assert re.search(
        r"GET /v2/refunds/[0-9A-Z]{26}\?paymentId=[0-9]{20}$", bench.text, re.MULTILINE
    )
    assert WALLET_SECRET not in bench.text


async def test_recorded_gmo_passes_and_its_keys_are_not_shown(tmp_path: Path) -> None:
    access = dict(item.split("=") for item in recorded("AlterTran").body.decode().split("&"))
    found = paid(REFERENCE, 100, AccessID=access["AccessID"], AccessPass=access["AccessPass"])
    answers = {"SearchTrade.idPass": found, "ChangeTran.idPass": recorded("AlterTran")}
    async with a_bench(tmp_path, saying(answers)) as bench:
        good = await bench.certify(
            "gmopg", rules_of("gmopg"), amount_minor=100, paid=(REFERENCE, "")
        )

    # The replayed order stays as it was, so the refund is not found again: that is said too.
    assert not good
    assert "3 of 4 acts fit" in bench.text
    assert "{{credential:gmopg}}" in bench.text
    assert SHOP_PASS not in bench.text
    assert access["AccessPass"] not in bench.text


async def test_a_card_is_left_and_charged_once_by_the_rules_that_are_to_be_signed(
    tmp_path: Path,
) -> None:
    company = Members(sums={REFERENCE: 100}, payers={REFERENCE: "page"})
    case = {"amount_minor": 100, "paid": (REFERENCE, "keep-20130301110000"), "card": True}
    async with a_bench(tmp_path, company.behaviour) as bench:
        await bench.certify("gmopg", rules_of("gmopg"), **case)
        kept = bench.text
        bench.lines.clear()
        company.saying = errors("42G990000").body
        await bench.certify("gmopg", rules_of("gmopg"), **case)

    # This company gives nothing back, which is said too: two acts of the refund don't fit.
    assert "5 of 7 acts fit" in kept, kept
    assert "card_declined" in bench.text
    assert "3 of 7 acts fit" in bench.text, bench.text
    assert company.acts().count("ExecTran") == 2
    assert SITE_PASS not in kept + bench.text
    assert "{{instrument:token}}" in kept


async def test_a_payer_pays_by_the_card_that_was_left_under_the_rules_for_payers(
    tmp_path: Path,
) -> None:
    company = Members(sums={REFERENCE: 100}, payers={REFERENCE: "page"})

    async def know(address: str) -> None:
        assert address.startswith("https://p01.mul-pay.jp/")
        company.known |= company.secure

    case = {"amount_minor": 100, "paid": (REFERENCE, "keep-20130301110000"), "card": True}
    async with a_bench(tmp_path, company.behaviour) as bench:
        await bench.certify("gmopg", rules_of("gmopg"), know, **case, payer=True)

    # As above, and two acts more.
    assert "7 of 9 acts fit" in bench.text, bench.text
    assert company.acts().count("SecureTran2") == 1
    [order] = company.secure
    assert access_of(order)[::-1] not in bench.text


async def test_numbers_for_stores_pass_in_the_companys_charset_and_only_the_first_time(
    tmp_path: Path,
) -> None:
    stores = Stores()
    async with a_bench(tmp_path, stores.behaviour) as bench:
        good = await bench.certify(
            "gmopg", rules_of("gmopg"), amount_minor=100, store="family_mart",
            notice=b"OrderID=01JD&Status=PAYSUCCESS&PayType=3",
        )  # fmt: skip
        bench.provider.behaviour = Stores(forgetful=True).behaviour
        other = await bench.certify(
            "gmopg", rules_of("gmopg"), amount_minor=100, store="family_mart"
        )

    assert (good, other) == (True, False), bench.text
    assert "6 of 6 acts fit" in bench.text
    assert "4 of 5 acts fit" in bench.text
    made = stores.forms[1]
    assert (made["CustomerName"], made["CustomerKana"]) == ("試験 太郎", "シケン\u3000タロウ")
    assert {form["ShopPass"] for form in stores.forms} == {SHOP_PASS}
    assert SHOP_PASS not in bench.text


async def test_a_text_and_a_call_pass_under_the_rules_of_the_page(tmp_path: Path) -> None:
    told = b"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005"
    taken = answer(201, b'{"sid": "SM1", "status": "queued"}')
    async with a_bench(tmp_path, saying_bytes(taken)) as bench:
        text = OneText("03-1234-5678", "+815011112222")
        call = OneText("090-1234-5678", "+815011112222", "voice", "https://words.example/twiml")
        assert await bench.certify(
            "twilio", rules_of("twilio"), amount_minor=100, text=text, notice=told
        )
        assert await bench.certify("twilio", rules_of("twilio"), amount_minor=100, text=call)

    assert "2 of 2 acts fit" in bench.text
    sent = [dict(parse_qsl(one.body.decode())) for one in bench.provider.seen]
    assert (sent[0]["To"], sent[0]["StatusCallback"]) == ("+81312345678", NOWHERE)
    assert (sent[1]["To"], sent[1]["Url"]) == ("+819012345678", "https://words.example/twiml")
    assert "+81312345678" not in bench.text
    assert TWILIO_KEY not in bench.text


async def test_rule_that_is_too_narrow_shows_before_anything_is_signed(tmp_path: Path) -> None:
    narrow = [rule | {"fields": ["ShopID"]} for rule in rules_of("gmopg")[1:2]]
    async with a_bench(tmp_path, saying({})) as bench:
        good = await bench.certify("gmopg", narrow, amount_minor=100, paid=(REFERENCE, ""))
        with pytest.raises(RulesRefused):
            await bench.certify("gmopg", [rules_of("gmopg")[0] | {"purpose": ""}], amount_minor=100)

    assert not good
    assert "not_sent field_not_allowed" in bench.text
    assert bench.provider.seen == []


async def test_unknown_company_is_said_to_be_unknown(tmp_path: Path) -> None:
    async with a_bench(tmp_path, saying({})) as bench:
        with pytest.raises(InvariantBroken, match="provider_unconfigured"):
            await bench.certify("nobody", SANDBOX_RULES, amount_minor=100)
