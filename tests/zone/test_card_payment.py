"""A payer who is there pays by the card on file, through the real relay at the card company."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from portal.application.payment.inquire import finish_return
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.card_on_file import (
    REDEEM_INSTRUMENT,
    RedeemInstrument,
)
from portal.contract.payment import START_PAYMENT, AttemptNow, DisputeFound, StartPayment
from portal.domain.card_payment import TRIES_MAX
from portal.domain.errors import Conflict, InvalidInput, PortalError
from portal.sandbox import magic
from portal.vault.attempt import read_attempt
from portal.vault.card_payment import is_left_behind
from portal.vault.server import VaultServer
from tests.make.cards import EMPTY, EXPIRED, GOOD, ORIGIN, CardDesk, a_card_desk
from tests.make.money import AMOUNT, Payer, finding
from tests.make.vault import Ground

ASKING, WANTED = "4000002500003155", "4000002760003184"
"""Cards whose bank asks a payer who is there; the second's bank takes no charge without them."""

AMOUNT_OF = {fault: amount for amount, fault in magic.AMOUNTS.items()}


@pytest.fixture
async def desk(ground: Ground, vault: VaultServer) -> AsyncGenerator[CardDesk]:
    async with a_card_desk(ground, vault) as found:
        yield found


async def left(desk: CardDesk, number: str = ASKING) -> Payer:
    """Who has left a card whose bank asks."""
    payer = await desk.payer()
    intent = Intent(method="card", expected_minor=AMOUNT, key="k1", consent="1.0")
    away = await submit_payment(desk.pay, payer.authority, intent, ORIGIN)
    address = f"{away.redirect_url}/challenge"
    await back(desk, await desk.shop.outside.know(address, number=number))
    return payer


async def back(desk: CardDesk, address: str) -> UUID:
    code, token = address.removeprefix(f"{ORIGIN}/return/").split("/")
    return (await finish_return(desk.pay, code, token)).attempt_id


async def pays(
    desk: CardDesk, payer: Payer, key: str = "k2", amount: int = AMOUNT, **beside: object
) -> AttemptNow:
    """Press the button beside the card that was left."""
    intent = Intent(method="card", expected_minor=amount, key=key, kept=True, **beside)  # type: ignore[arg-type]
    return await submit_payment(desk.pay, payer.authority, intent, ORIGIN)


async def refusal(desk: CardDesk, payer: Payer, **said: object) -> str:
    asked: dict[str, object] = {
        "method": "card", "expected_minor": AMOUNT, "idempotency_key": "r", "kept": True
    }  # fmt: skip
    request = StartPayment(**(asked | said))  # type: ignore[arg-type]
    with pytest.raises((Conflict, InvalidInput)) as refused:
        await desk.world.web.call(START_PAYMENT, request, payer.authority)
    return refused.value.code


async def test_a_bank_that_asks_nobody_lets_the_card_pay_at_once(desk: CardDesk) -> None:
    await desk.enrolled(GOOD)
    payer = await desk.payer()
    [offer] = [one for one in (await desk.world.page(payer)).methods if one.method == "card"]

    now = await pays(desk, payer)
    again = await pays(desk, payer)
    await desk.ask()

    assert offer.kept_at == "sandbox_card"
    assert (now.attempt.state, now.redirect_url) == ("processing", None)
    assert again.attempt.id == now.attempt.id
    assert await desk.world.settlement(payer.bill_id) == "settled"
    assert desk.at_company() == [(AMOUNT, "succeeded")] * 2
    assert (await desk.world.page(payer)).attempt.instrument_hint == "4242"  # type: ignore[union-attr]


async def test_a_payer_whom_the_bank_asks_pays_when_it_knows_them(desk: CardDesk) -> None:
    await left(desk, WANTED)
    payer = await desk.payer(due=desk.day(20))
    await desk.live(desk.day(20))
    declined = await desk.world.page(payer)

    away = await pays(desk, payer)
    twice = await pays(desk, payer, key="k3")
    elsewhere = await refusal(desk, payer, kept=False)
    attempt = await back(desk, await desk.shop.outside.know(away.redirect_url or ""))

    # A charge without them was declined; the page offers the same card, with them there.
    assert declined.state == "declined"
    assert [one.kept_at for one in declined.methods if one.method == "card"] == ["sandbox_card"]
    assert away.redirect_url is not None
    assert away.redirect_url.startswith("http://localhost:1/card/")
    assert (twice.attempt.id, twice.redirect_url) == (away.attempt.id, away.redirect_url)
    assert elsewhere == "attempt_elsewhere"
    assert attempt == away.attempt.id
    assert await desk.world.settlement(payer.bill_id) == "settled"
    known = await desk.world.value("select authentication from attempt where id = $1", attempt)
    assert known == "Y"
    assert desk.at_company()[-1] == (AMOUNT, "succeeded")
    # Whoever denies this payment later denies the card.
    dispute = DisputeFound(reference="dp_1", state="opened", amount_minor=AMOUNT, taken_minor=0)
    told = finding("succeeded", dispute=dispute)  # type: ignore[arg-type]
    await desk.world.told(payer, attempt, told)
    assert await desk.cards() == ["suspended"]


@pytest.mark.parametrize(
    ("number", "password", "decline", "card"),
    [
        (ASKING, "9999", "authentication_failed", "active"),
        (EMPTY, "", "insufficient_funds", "active"),
        (EXPIRED, "", "card_expired", "suspended"),
    ],
)
async def test_a_decline_takes_no_money_and_stops_the_card_by_the_rules_of_charges(
    desk: CardDesk, number: str, password: str, decline: str, card: str
) -> None:
    await (left(desk, number) if password else desk.enrolled(number))
    payer = await desk.payer()

    now = await pays(desk, payer)
    if password:
        await back(desk, await desk.shop.outside.know(now.redirect_url or "", password))

    page = await desk.world.page(payer)
    assert page.attempt is not None
    assert (page.state, page.attempt.decline_code) == ("declined", decline)
    assert await desk.cards() == [card]
    assert desk.at_company()[-1] == (AMOUNT, "failed")
    # Another way to pay is free at once.
    assert (await desk.world.start(payer, "other")).fresh


async def test_a_payer_who_left_their_bank_for_good_is_not_waited_for(desk: CardDesk) -> None:
    await left(desk)
    payer = await desk.payer()
    away = await pays(desk, payer)
    told: list[bool] = []

    for minutes in (0, 61):
        await desk.world.age(away.attempt.id, minutes)
        async with desk.world.act() as act:
            told.append(is_left_behind(act, await read_attempt(act, away.attempt.id)))

    assert told == [False, True]


@pytest.mark.parametrize(
    ("fault", "state", "taken"),
    [("answer_lost", "unknown", 2), ("error", "unknown", 1), ("busy", "failed", 1)],
)
async def test_each_way_to_go_wrong_is_asked_about_and_nothing_is_taken_twice(
    desk: CardDesk, fault: str, state: str, taken: int
) -> None:
    await desk.enrolled(GOOD)
    amount = AMOUNT_OF[fault]  # type: ignore[index]
    payer = await desk.payer(amount=amount)

    now = await pays(desk, payer, amount=amount)
    await desk.ask()
    await desk.world.age(now.attempt.id, 20)
    await desk.ask()

    assert now.attempt.state == state
    assert len(desk.at_company()) == taken
    assert await desk.world.settlement(payer.bill_id) == ("settled" if taken > 1 else "unpaid")
    # Unheard of for now is not "never came": the company may have it.
    ended = await desk.world.value("select state from attempt where id = $1", now.attempt.id)
    assert ended == {"answer_lost": "succeeded", "error": "unknown", "busy": "failed"}[fault]


async def test_what_is_no_payment_by_the_card_on_file_is_refused(desk: CardDesk) -> None:
    await desk.enrolled(GOOD)
    payer, stranger = await desk.payer(), await desk.payer(b"f" * 32)
    other = await desk.payer(customer=b"d" * 16)

    refused = [
        await refusal(desk, stranger),
        await refusal(desk, other),
        await refusal(desk, payer, method="wallet"),
        await refusal(desk, payer, consent="1.0"),
        await refusal(desk, payer, reachable=("stripe",)),
    ]
    await desk.world.rows("update card_on_file set state = 'suspended' returning id")
    refused.append(await refusal(desk, payer))
    await desk.world.rows("update card_on_file set state = 'active' returning id")
    await desk.keep_cards(None)
    refused.append(await refusal(desk, payer))

    assert refused == [
        "card_not_there", "card_not_there", "method_unknown", "consent_unknown",
        "method_unconfigured", "card_not_there", "card_not_there",
    ]  # fmt: skip
    assert len(desk.at_company()) == 1


async def test_several_bills_and_a_part_are_paid_by_the_sum_that_the_vault_says(
    desk: CardDesk,
) -> None:
    await desk.enrolled(GOOD)
    first, second = await desk.payer(), await desk.payer()
    await desk.world.allow_parts(1000)

    await pays(desk, first, amount=2 * AMOUNT, also=(second.page_ref,))
    third = await desk.payer()
    await pays(desk, third, amount=1000, part_minor=1000)
    await desk.ask()

    assert [await desk.world.settlement(one.bill_id) for one in (first, second)] == ["settled"] * 2
    assert (await desk.world.page(third)).left_minor == AMOUNT - 1000
    assert [amount for amount, _ in desk.at_company()] == [AMOUNT, 2 * AMOUNT, 1000]


async def test_the_card_is_given_out_once_to_the_relay_and_to_the_rule_for_payers_alone(
    desk: CardDesk, ground: Ground
) -> None:
    await desk.enrolled(GOOD)
    payer = await desk.payer()
    request = StartPayment(method="card", expected_minor=AMOUNT, idempotency_key="a", kept=True)
    started = await desk.world.web.call(START_PAYMENT, request, payer.authority)
    relay = await ground.client("egress")

    async def ask(host: str = "card.sandbox.test", **said: object) -> str | None:
        asked = RedeemInstrument(host=host, attempt_id=started.attempt_id, **said)  # type: ignore[arg-type]
        return (await relay.call(REDEEM_INSTRUMENT, asked)).refused

    refused = [
        await ask(),  # a charge, whose payer is asked by nobody
        await ask("sms.sandbox.test", by_payer=True),
        await ask(by_payer=True, part="keep"),
        await ask(by_payer=True, part="secure"),
        await ask(by_payer=True),
        await ask(by_payer=True),
    ]

    assert refused == [
        "delivery_unknown", "host_wrong", "delivery_redeemed", "not_due", None,
        "delivery_redeemed",
    ]  # fmt: skip
    honest = RedeemInstrument(
        host="card.sandbox.test", attempt_id=started.attempt_id, by_payer=True
    )
    for caller in (desk.world.work, desk.world.web):
        with pytest.raises(PortalError):
            await caller.call(REDEEM_INSTRUMENT, honest)


async def test_a_decline_that_only_web_tells_of_is_asked_about_and_not_told_for_ever(
    desk: CardDesk, ground: Ground
) -> None:
    await desk.enrolled(GOOD)
    payer, world = await desk.payer(), desk.world
    relay = await ground.client("egress")

    async def denied(key: str) -> AttemptNow:
        """A web process that was taken over: the company took the card, and it says otherwise."""
        started = await world.start(payer, key, kept=True)
        asked = RedeemInstrument(
            host="card.sandbox.test", attempt_id=started.attempt_id, by_payer=True
        )
        assert (await relay.call(REDEEM_INSTRUMENT, asked)).refused is None
        return await world.submitted(payer, started, outcome="refused", code="card_declined")

    states = [(await denied(f"d{number}")).attempt.state for number in range(TRIES_MAX)]
    spent = await refusal(desk, payer)
    due = await world.rows("select ask_at is not null as is_due from attempt where bill_id = $1",
                           payer.bill_id)  # fmt: skip
    first = await world.value("select id from attempt where bill_id = $1 limit 1", payer.bill_id)
    late = await world.told(payer, first, finding("succeeded"))

    assert states == ["failed"] * TRIES_MAX
    assert spent == "card_tries_spent"
    assert [row["is_due"] for row in due] == [True] * TRIES_MAX
    assert late.attempt.state == "succeeded"
    assert await refusal(desk, payer) == "not_payable"
