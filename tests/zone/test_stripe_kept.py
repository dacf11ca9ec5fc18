"""A payer who is there pays by a card that Stripe keeps, under the rules of the docs.

No simulator that we know has 3-D Secure with a redirect, so a stand-in says what Stripe's
documentation shows.
"""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import pytest

from portal.application.methods.redirect import TakesBack
from portal.application.providers import stripe
from portal.application.providers.exchange import KeptWanted
from portal.contract.card_on_file import InstrumentRedeemed
from portal.domain.money import Money
from tests.make.companies import behind_a_relay
from tests.make.provider import HOST, Behaviour, Provider, Seen, answer
from tests.make.stripe import AMOUNT, REFERENCE, intent

ATTEMPT = UUID(int=7)
PAGE = "https://hooks.stripe.com/redirect/authenticate/src_1?client_secret=src_secret"
BACK = "https://pay.example/return/mizu/tok"
WANTED = KeptWanted(
    reference=REFERENCE, amount=Money(AMOUNT), attempt_id=ATTEMPT, return_url=BACK,
    account="mizu", description="A-2",
)  # fmt: skip
KEPT = InstrumentRedeemed(
    token="pm_4711kept", customer="cus_4711kept", reference=REFERENCE, amount_minor=AMOUNT,
    refused=None,
)  # fmt: skip


def saying(status: int, body: dict[str, object]) -> Behaviour:
    async def say(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        del provider, seen
        writer.write(answer(status, msgspec.json.encode(body)))

    return say


def asking(page: str) -> dict[str, object]:
    """An intent whose bank asks its payer."""
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": page, "return_url": BACK}}
    held = {"customer": KEPT.customer, "payment_method": KEPT.token}
    return intent(status="requires_action", next_action=action, latest_charge=None, **held)


async def test_the_relay_has_the_card_pay_and_tells_the_vault_alone_where_the_payer_goes(
    tmp_path: Path,
) -> None:
    behaviour = saying(200, asking(PAGE))
    async with behind_a_relay(tmp_path, "stripe", behaviour, roles=("web",)) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        relay.vault.cards[ATTEMPT] = (HOST, KEPT)
        exchange = stripe.ADAPTER.pay_kept(endpoint, WANTED)
        [told] = await desk.outbound.send([exchange.request])
        [again] = await desk.outbound.send([exchange.request])
        [seen] = relay.provider.seen
        steps = relay.vault.steps

    said, form = exchange.read(told), parse_qs(seen.body.decode())
    assert (said.outcome, said.redirect_url, again.code) == ("accepted", "", "delivery_refused")
    assert [(step.page, step.host, step.attempt_id) for step in steps] == [(PAGE, HOST, ATTEMPT)]
    assert (form["payment_method"], form["customer"]) == ([KEPT.token], [KEPT.customer])
    assert (form["amount"], form["return_url"]) == ([str(AMOUNT)], [BACK])
    assert form["payment_method_options[card][request_three_d_secure]"] == ["any"]
    assert "off_session" not in form
    assert seen.headers["idempotency-key"] == REFERENCE
    assert KEPT.token.encode() not in told.body
    assert KEPT.customer.encode() not in told.body


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code", "is_nothing"),
    [
        (200, asking("https://hooks.stripe.example/x"), "unknown", "page_not_listed", False),
        (200, intent(), "accepted", "", False),
        (
            402,
            {"error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card",
                       "payment_intent": intent(status="requires_payment_method")}},
            "refused", "card_stopped", False,
        ),
        (429, {"error": {"type": "rate_limit", "code": "rate_limit"}}, "refused", "provider_busy",
         True),
    ],
)  # fmt: skip
async def test_what_stripe_says_reads_by_what_may_have_happened(
    tmp_path: Path, status: int, body: dict[str, object], outcome: str, code: str, *,
    is_nothing: bool,
) -> None:  # fmt: skip
    async with behind_a_relay(tmp_path, "stripe", saying(status, body), roles=("web",)) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        relay.vault.cards[ATTEMPT] = (HOST, KEPT)
        said = await desk.converse(stripe.ADAPTER.pay_kept(endpoint, WANTED))
        steps = [(step.page, step.is_nothing) for step in relay.vault.steps]

    assert (said.outcome, said.code) == (outcome, code)
    # That nothing came of it is the relay's to say, and nobody is led elsewhere.
    assert steps == ([("", True)] if is_nothing else [])


async def test_a_payment_whose_payer_has_left_is_closed_there(tmp_path: Path) -> None:
    behaviour = saying(200, intent(status="canceled"))
    async with behind_a_relay(tmp_path, "stripe", behaviour, roles=("work",)) as (
        relay, desk, endpoint,
    ):  # fmt: skip
        closing = stripe.ADAPTER.take_back(endpoint, "pi_1")
        assert closing is not None
        confirming = msgspec.structs.replace(
            closing.request, path="/v1/payment_intents/pi_1/confirm", body="return_url=x"
        )
        [refused] = await desk.outbound.send([confirming])
        closed = await desk.converse(closing)
        lines = [seen.line for seen in relay.provider.seen]

    assert closed
    assert lines == ["POST /v1/payment_intents/pi_1/cancel HTTP/1.1"]
    assert refused.fate == "not_sent"
    assert stripe.ADAPTER.take_back(endpoint, "cs_1") is None
    assert isinstance(stripe.ADAPTER, TakesBack)
