"""A company's answers about payments, as the relay puts them into the vault."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    CompanyAsked,
    DepositPaymentAnswer,
)
from portal.contract.payment import Finding
from portal.domain.errors import Conflict
from portal.domain.payment_word.readers import COUNTERS, READERS
from portal.domain.payment_word.stripe_body import disputes_at, payment_at
from portal.domain.reference import FORMS
from portal.domain.refund_word import readers as refunds
from portal.vault.server import VaultServer
from tests.make import stripe
from tests.make.company_words import Asked, deposit
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import Ground

PAID = finding("succeeded", approval_no="A1", provider_ref="cp_1")
INTENT = "pi_1"


@pytest.fixture
async def world(ground: Ground, vault: VaultServer) -> World:
    return await new_world(vault, ground.client)


async def on_the_page(world: World, **said: str) -> tuple[Payer, UUID]:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started, **said)
    return payer, started.attempt_id


async def put(world: World, word: DepositPaymentAnswer, **other: Any) -> str | None:  # noqa: ANN401
    """The relay puts this into the vault, with something else in it; why it moves nothing."""
    assert world.relay is not None
    changed = msgspec.structs.replace(word, **other)
    return (await world.relay.call(DEPOSIT_PAYMENT_ANSWER, changed)).refused


async def state(world: World, attempt_id: UUID) -> str:
    return await world.value("select state from attempt where id = $1", attempt_id)


def test_whoever_is_paid_by_is_read() -> None:
    """Banks and agencies tell by files; every other form of references is a company's to ask."""
    told_by_files = {"bank_debit", "dsk", "sandbox_agency"}
    assert set(READERS) | set(COUNTERS) == set(FORMS) - told_by_files
    assert set(refunds.READERS) <= set(READERS)


async def test_an_answer_counts_for_the_attempt_that_its_company_was_asked_about(
    world: World, ground: Ground, vault: VaultServer
) -> None:
    payer, attempt_id = await on_the_page(world)
    _, other_id = await on_the_page(world)
    elsewhere = await new_world(vault, ground.client, "toshi")
    of = await world.know(attempt_id)
    word = deposit(of, attempt_id, world.code, PAID)

    def asked(**other: object) -> CompanyAsked:
        return msgspec.structs.replace(word.asked, **other)

    refusals = [
        await put(world, word, attempt_id=other_id),
        await put(world, word, host="wallet.sandbox.test"),
        await put(world, word, merchant_code=elsewhere.code),
        await put(world, word, merchant_code="nobody"),
        await put(world, word, asked=asked(path=f"/v1/refunds/{of.reference}")),
        await put(world, word, asked=asked(path=f"{word.asked.path}?x=1")),
        await put(world, word, asked=asked(method="POST")),
        await put(world, word, asked=asked(body="{}")),
        await put(world, word, asked=asked(headers=("authorization", "x-account"))),
        await put(world, word, status=500),
        await put(world, word, body=word.body.replace(of.reference.encode(), b"0" * 26)),
    ]

    assert refusals == [
        "word_unreadable", "host_wrong", "delivery_unknown", "delivery_unknown",
        *["word_unreadable"] * 7,
    ]  # fmt: skip
    assert [await state(world, one) for one in (attempt_id, other_id)] == ["requires_action"] * 2
    assert await put(world, word) is None
    assert await put(world, word) is None, "the same word again says nothing new"
    assert await world.settlement(payer.bill_id) == "settled"
    assert (await world.events(payer.bill_id)).count("bill.paid") == 1
    assert await world.cases() == []


async def test_what_was_asked_before_the_last_word_moves_nothing_but_a_payment(
    world: World,
) -> None:
    payer, attempt_id = await on_the_page(world)
    of = await world.know(attempt_id)

    async def told(found: Finding, age_s: float) -> str | None:
        word = deposit(of, attempt_id, world.code, found)
        return await put(world, word, age_ms=int(age_s * 1000))

    # An hour is no age of an answer: it counts as asked ten minutes ago.
    assert await told(finding("requires_action"), 3_600) is None
    assert await told(finding("pending"), 60) is None
    assert await told(finding("failed", decline_code="card_declined"), 120) == "word_overtaken"
    assert await state(world, attempt_id) == "processing"
    assert await told(PAID, 120) is None
    assert await told(finding("failed"), 120) == "word_overtaken"
    assert await told(PAID, 120) == "word_overtaken"

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.cases() == [], "nothing contradicts what came of it"


async def test_no_payment_is_begun_where_no_answer_could_be_told(world: World) -> None:
    """Of PayPay this vault knows no host; of the sandbox's card company it does."""
    there = await world.with_company("paypay")
    payer = await there.payer()

    with pytest.raises(Conflict, match="method_unconfigured"):
        await there.start(payer)

    assert (await on_the_page(world))[1]


async def test_strange_texts_are_left_out_and_the_payment_counts(world: World) -> None:
    payer, attempt_id = await on_the_page(world)
    strange = finding(
        "succeeded", approval_no="4242 4242 4242 4242", instrument_hint="x" * 500,
        provider_ref="cp_1", saved_token="card_1", saved_customer="顧客",
    )  # fmt: skip

    assert await world.heard(attempt_id, strange) is None

    page = await world.page(payer)
    assert page.attempt is not None
    assert (page.attempt.state, page.attempt.approval_no) == ("succeeded", None)
    assert page.attempt.instrument_hint is None


def stripe_word(world: World, of: Asked, id_: UUID, path: str, body: object) -> Any:  # noqa: ANN401
    """What Stripe answered at a path."""
    word = deposit(of, id_, world.code, PAID)
    asked = msgspec.structs.replace(word.asked, path=path)
    return msgspec.structs.replace(word, asked=asked, body=msgspec.json.encode(body))


async def test_of_a_contested_payment_the_second_answer_decides_and_the_first_ends_nothing(
    world: World,
) -> None:
    there = await world.with_company("stripe")
    _, attempt_id = await on_the_page(there, provider_ref="cs_1")
    page = await there.know(attempt_id)
    assert await there.heard(attempt_id, finding("succeeded", provider_ref=INTENT)) is None
    of = await there.know(attempt_id)
    assert (page.provider_ref, of.provider_ref) == ("cs_1", INTENT)

    intent = stripe.intent(id=INTENT, metadata={"reference": of.reference})
    charge: Any = intent["latest_charge"]
    contested = intent | {"latest_charge": charge | {"disputed": True}}
    first = stripe_word(there, of, attempt_id, payment_at(of.reference, INTENT), contested)
    dispute = {
        "id": "dp_1", "status": "needs_response", "amount": AMOUNT, "currency": "jpy",
        "reason": "fraudulent", "payment_intent": INTENT,
        "balance_transactions": [{"amount": -AMOUNT, "currency": "jpy"}],
        "evidence_details": {"due_by": 1_800_000_000},
    }  # fmt: skip
    listed = stripe.page_of(dispute)
    at = disputes_at(INTENT)
    second = stripe_word(there, of, attempt_id, at, listed)

    # By its session, whose name is an older one; another payment's disputes; of another's list.
    old = stripe_word(there, of, attempt_id, payment_at(of.reference, "cs_1"), contested)
    wrong = stripe_word(there, of, attempt_id, disputes_at("pi_2"), listed)
    foreign = stripe.page_of(dispute | {"payment_intent": "pi_2"})
    other = stripe_word(there, of, attempt_id, at, foreign)
    searched = stripe_word(
        there, of, attempt_id, payment_at(of.reference, ""), {"data": [], "has_more": False}
    )

    assert await put(there, first) is None
    due = await there.value("select ask_at from attempt where id = $1", attempt_id)
    assert due is not None, "until its disputes are told it is asked again"
    assert [await put(there, one) for one in (old, wrong, other, searched)] == [
        "word_unreadable"
    ] * 4
    assert await there.value("select count(*) from dispute") == 0
    assert await put(there, second) is None
    assert await there.rows("select reference, state, taken_minor from dispute") == [
        {"reference": "dp_1", "state": "opened", "taken_minor": AMOUNT}
    ]
    assert await there.cases() == ["charged_back"]


async def test_that_a_payment_is_contested_is_no_word_that_it_was_paid(world: World) -> None:
    """Web says what its company calls it: here a payment of its own, paid and contested before."""
    there = await world.with_company("stripe")
    payer, attempt_id = await on_the_page(there, provider_ref="pi_2")
    of = await there.know(attempt_id)
    listed = stripe.page_of({
        "id": "dp_1", "status": "needs_response", "amount": AMOUNT, "currency": "jpy",
        "reason": "fraudulent", "payment_intent": "pi_2", "balance_transactions": [],
    })  # fmt: skip

    word = stripe_word(there, of, attempt_id, disputes_at("pi_2"), listed)

    assert await put(there, word) == "word_unreadable"
    assert await state(there, attempt_id) == "requires_action"
    assert await there.settlement(payer.bill_id) == "unpaid"
