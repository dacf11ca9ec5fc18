"""The companies' adapters through a real relay, under exactly the rules that the docs give."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest

from portal.application.payment.desk import PayDesk
from portal.application.providers import gmopg, stripe
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    NumberWanted,
    RefundWanted,
    SessionWanted,
)
from portal.contract.card_on_file import InstrumentRedeemed
from portal.contract.number import PayerRedeemed
from portal.domain.money import Money
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.companies import behind_a_relay, passing_on, running_localstripe, saying
from tests.make.gmopg import paid, recorded
from tests.make.gmopg_stores import Stores
from tests.make.provider import HOST
from tests.make.relay import SHOP_PASS, STRIPE_KEY, Relay

REFERENCE = "01JD0000000000000000000001"
SHOP = ("tshop00012345", "page01")
SESSION = SessionWanted(
    reference=REFERENCE,
    amount=Money(8420),
    return_url="https://pay.example/return/mizu/tok",
    account="mizu",
    description="水道料金 2026-11",
)
GOOD_CARD = "4242424242424242"
SECURE_CARD = "4000002760003184"
DECLINED_CARD = "4000000000000341"


def refund_of(provider_ref: str, amount: int, remaining: int) -> RefundWanted:
    return RefundWanted(
        refund_id=UUID(int=9),
        reference=REFERENCE,
        provider_ref=provider_ref,
        refund_reference="01JD0000000000000000000002",
        amount=Money(amount),
        remaining=Money(remaining),
        account="mizu",
    )


@dataclass
class LocalStripe:
    """The payer's side of localstripe, past the relay; ours goes through it."""

    relay: Relay
    desk: PayDesk
    endpoint: Endpoint
    client: httpx.AsyncClient

    async def post(self, path: str, **fields: str) -> dict[str, object]:
        said = await self.client.post(path, data=fields)
        return said.json()

    async def card(self, number: str) -> str:
        card = {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        fields = {f"card[{name}]": text for name, text in card.items()}
        return str((await self.post("/v1/payment_methods", type="card", **fields))["id"])

    async def payment(self, number: str) -> dict[str, object]:
        """What Checkout would make of a payer's card: a payment under our reference."""
        made = await self.post(
            "/v1/payment_intents",
            **{
                "amount": "8420", "currency": "jpy", "metadata[reference]": REFERENCE,
                "payment_method": await self.card(number),
            },
        )  # fmt: skip
        await self.post(f"/v1/payment_intents/{made['id']}/confirm")
        return made


@pytest.fixture
async def local(tmp_path: Path) -> AsyncGenerator[LocalStripe]:
    async with (
        running_localstripe(tmp_path) as address,
        behind_a_relay(tmp_path, "stripe", passing_on(address)) as (relay, desk, endpoint),
        httpx.AsyncClient(base_url=address, auth=(STRIPE_KEY, "")) as client,
    ):
        yield LocalStripe(relay, desk, endpoint, client)


async def test_paid_intent_is_found_and_given_back_in_part(local: LocalStripe) -> None:
    intent = str((await local.payment(GOOD_CARD))["id"])
    wanted = refund_of(intent, 420, 8000)

    found = await local.desk.converse(stripe.ADAPTER.inquire(local.endpoint, REFERENCE, intent))
    before = await local.desk.converse(stripe.ADAPTER.inquire_refund(local.endpoint, wanted))
    given = await local.desk.converse(stripe.ADAPTER.refund(local.endpoint, wanted))
    after = await local.desk.converse(stripe.ADAPTER.inquire_refund(local.endpoint, wanted))

    assert (found.state, found.amount_minor, found.provider_ref) == ("succeeded", 8420, intent)
    assert (before.state, given.outcome) == ("not_found", "succeeded")
    assert (after.state, after.amount_minor) == ("succeeded", 420)
    assert after.provider_ref == given.provider_ref
    assert local.relay.provider.seen[-2].headers["idempotency-key"] == wanted.refund_reference


async def test_relay_puts_the_key_in_and_the_application_never_has_it(local: LocalStripe) -> None:
    exchange = stripe.ADAPTER.inquire(local.endpoint, REFERENCE, "pi_nobody")

    await local.desk.converse(exchange)

    [seen] = local.relay.provider.seen
    assert seen.headers["authorization"] == f"Bearer {STRIPE_KEY}"
    assert seen.headers["stripe-version"] == "2025-03-31.basil"
    assert STRIPE_KEY not in str(exchange.request)


@pytest.mark.parametrize(
    ("passes", "state", "decline"),
    [("true", "succeeded", ""), ("false", "failed", "authentication_failed")],
)
async def test_payment_waits_for_three_d_secure_and_ends_by_it(
    local: LocalStripe, passes: str, state: str, decline: str
) -> None:
    made = await local.payment(SECURE_CARD)
    asking = stripe.ADAPTER.inquire(local.endpoint, REFERENCE, str(made["id"]))
    assert (await local.desk.converse(asking)).state == "requires_action"

    await local.post(
        f"/v1/payment_intents/{made['id']}/_authenticate",
        client_secret=str(made["client_secret"]), success=passes,
    )  # fmt: skip

    found = await local.desk.converse(asking)
    assert (found.state, found.decline_code) == (state, decline)


async def test_declined_card_and_a_payment_of_another_are_told_apart(local: LocalStripe) -> None:
    intent = str((await local.payment(DECLINED_CARD))["id"])

    ours = await local.desk.converse(stripe.ADAPTER.inquire(local.endpoint, REFERENCE, intent))
    other = await local.desk.converse(stripe.ADAPTER.inquire(local.endpoint, "other", intent))
    nobody = await local.desk.converse(stripe.ADAPTER.inquire(local.endpoint, REFERENCE, "pi_x"))

    assert (ours.state, ours.decline_code) == ("failed", "card_declined")
    assert (other.state, nobody.state) == ("unclear", "unclear")


async def test_card_on_file_is_charged_through_the_relay_once_and_the_caller_never_sees_it(
    local: LocalStripe,
) -> None:
    customer = str((await local.post("/v1/customers"))["id"])
    card = await local.card(GOOD_CARD)
    await local.post(f"/v1/payment_methods/{card}/attach", customer=customer)
    wanted = ChargeWanted(
        reference=REFERENCE, amount=Money(8420), instrument_id=UUID(int=7),
        original_reference="01JD", account="mizu", description="A-2",
    )  # fmt: skip
    exchange = stripe.ADAPTER.charge(local.endpoint, wanted)
    kept = InstrumentRedeemed(
        token=card, customer=customer, reference=REFERENCE, amount_minor=8420, refused=None
    )

    refused = await local.desk.converse(exchange)
    local.relay.vault.cards[UUID(int=7)] = (HOST, kept)
    [said] = await local.desk.outbound.send([exchange.request])
    [again] = await local.desk.outbound.send([exchange.request])
    taken = exchange.read(said)

    assert (refused.outcome, refused.code) == ("refused", "provider_away")
    assert (said.status, taken.outcome, again.fate) == (200, "accepted", "not_sent")
    assert customer.encode() not in said.body
    assert card.encode() not in said.body
    [seen] = local.relay.provider.seen
    form = {name: texts[0] for name, texts in parse_qs(seen.body.decode()).items()}
    assert (form["payment_method"], form["customer"], form["amount"]) == (card, customer, "8420")
    assert (form["metadata[reference]"], seen.headers["idempotency-key"]) == (REFERENCE,) * 2
    asked = stripe.ADAPTER.inquire(local.endpoint, REFERENCE, taken.provider_ref)
    assert (await local.desk.converse(asked)).state == "succeeded"


async def test_what_localstripe_lacks_is_never_taken_for_an_answer(local: LocalStripe) -> None:
    opened = await local.desk.converse(stripe.ADAPTER.open_session(local.endpoint, SESSION))
    searched = await local.desk.converse(stripe.ADAPTER.inquire(local.endpoint, REFERENCE))

    assert (opened.outcome, searched.state) == ("unknown", "unclear")
    [posted, _] = local.relay.provider.seen
    form = parse_qs(posted.body.decode(), strict_parsing=True)
    assert form["line_items[0][price_data][product_data][name]"] == ["水道料金 2026-11"]


# --- GMO Payment Gateway ---------------------------------------------------------------------


async def test_shops_password_is_put_in_and_the_recorded_order_read(tmp_path: Path) -> None:
    answers = {"SearchTrade.idPass": recorded("SearchTrade")}
    async with behind_a_relay(tmp_path, "gmopg", saying(answers), account=SHOP) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        found = await desk.converse(gmopg.ADAPTER.inquire(endpoint, "1362106772"))

    assert found.state == "requires_action"
    [seen] = relay.provider.seen
    assert parse_qs(seen.body.decode()) == {
        "ShopID": [SHOP[0]], "ShopPass": [SHOP_PASS], "OrderID": ["1362106772"],
    }  # fmt: skip


async def test_page_of_the_shop_comes_back_whole_and_its_password_never(tmp_path: Path) -> None:
    url = f"https://link.mul-pay.jp/v2/plus/{SHOP[0]}/checkout/2f0a"
    said = json.dumps({"OrderID": REFERENCE, "LinkUrl": url, "echo": SHOP_PASS}).encode()
    page = OutboundAnswer(fate="answered", status=200, body=said)
    answers = {"GetLinkplusUrlPayment.json": page}
    async with behind_a_relay(tmp_path, "gmopg", saying(answers), account=SHOP) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        exchange = gmopg.ADAPTER.open_session(endpoint, SESSION)
        [scrubbed] = await relay.outbound.send([exchange.request])
        opened = await desk.converse(exchange)

    assert (opened.outcome, opened.redirect_url) == ("accepted", url)
    assert SHOP_PASS.encode() not in scrubbed.body
    document = json.loads(relay.provider.seen[0].body)
    assert document["geturlparam"] == {"ShopID": SHOP[0], "ShopPass": SHOP_PASS}


async def test_refund_looks_first_and_acts_on_the_access_of_that_order(tmp_path: Path) -> None:
    access = dict(item.split("=") for item in recorded("AlterTran").body.decode().split("&"))
    found = paid(REFERENCE, 100, AccessID=access["AccessID"], AccessPass=access["AccessPass"])
    answers = {"SearchTrade.idPass": found, "AlterTran.idPass": recorded("AlterTran")}
    async with behind_a_relay(tmp_path, "gmopg", saying(answers), account=SHOP) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        given = await desk.converse(gmopg.ADAPTER.refund(endpoint, refund_of("", 100, 0)))

    assert (given.outcome, given.provider_ref) == ("succeeded", f"p-{access['TranID']}")
    form = parse_qs(relay.provider.seen[1].body.decode())
    assert form["AccessPass"] == [access["AccessPass"]]
    assert (form["JobCd"], form["Amount"]) == (["VOID"], ["100"])


async def test_owned_application_cannot_leave_three_d_secure_out(tmp_path: Path) -> None:
    async with behind_a_relay(tmp_path, "gmopg", saying({}), account=SHOP) as (
        relay, _, endpoint,
    ):  # fmt: skip
        request = gmopg.ADAPTER.open_session(endpoint, SESSION).request
        weakened = json.loads(request.body)
        weakened["credit"]["TdFlag"] = "0"
        refused = await relay.send(
            method="POST", path=request.path, headers={}, body=json.dumps(weakened)
        )

    assert (refused.fate, refused.code) == ("not_sent", "place_not_as_fixed")
    assert relay.provider.seen == []


async def test_store_hears_who_pays_from_the_relay_once_and_the_caller_never(
    tmp_path: Path,
) -> None:
    stores, attempt = Stores(), UUID(int=8)
    wanted = NumberWanted(
        reference=REFERENCE, amount=Money(100), store="lawson", days=10, attempt_id=attempt,
        contact_name="みず水道局", contact_phone="0120-000-000", contact_hours="09:00-17:00",
    )  # fmt: skip
    payer = PayerRedeemed(
        name="髙橋 花", kana="タカハシ\u3000ハナ", phone="09012345678", refused=None
    )
    async with behind_a_relay(tmp_path, "gmopg", stores.behaviour, account=SHOP) as (
        relay,
        desk,
        endpoint,
    ):
        unknown = await desk.converse(gmopg.COUNTER.issue(endpoint, wanted))
        assert (unknown.outcome, unknown.code) == ("refused", "provider_away")
        assert [form["OrderID"] for form in stores.forms] == [REFERENCE]  # no store was told

        stores.status.clear()
        relay.vault.payers[attempt] = (HOST, payer)
        made = await desk.converse(gmopg.COUNTER.issue(endpoint, wanted))
        stores.status.clear()
        again = await desk.converse(gmopg.COUNTER.issue(endpoint, wanted))

    assert made.numbers is not None
    assert (made.outcome, again.outcome) == ("accepted", "refused")
    told = [form for form in stores.forms if "CustomerName" in form]
    assert [(one["CustomerName"], one["CustomerKana"], one["TelNo"]) for one in told] == [
        (payer.name, payer.kana, payer.phone)
    ]
