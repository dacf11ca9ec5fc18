"""What an owned web process tries with the cards that payers left, and as whom it comes back."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from portal.application.providers import gmopg
from portal.vault.server import VaultServer
from tests.make.gmopg_cards import Members, access_of
from tests.make.kept_shop import (
    FIRST,
    MEMBER,
    ORDER,
    ORDER_PASS,
    SECOND,
    STRANGER,
    Bank,
    Shop,
    a_payer_at_gmopg,
    a_shop,
    forged,
    paying,
    reference_of,
)
from tests.make.money import finding
from tests.make.vault import Ground


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    company = Members(cards={MEMBER: reference_of(FIRST)}, members={MEMBER})
    async with a_shop(tmp_path, company, ("web",)) as found:
        yield found


@pytest.fixture
async def bank(ground: Ground, vault: VaultServer) -> Bank:
    return await a_payer_at_gmopg(ground, vault)


async def test_a_web_process_that_was_taken_over_pays_no_other_sum_by_no_other_card(
    shop: Shop,
) -> None:
    company, exchange = shop.company, paying(shop)
    shop.owes(FIRST, STRANGER, 90_000)
    registered = await shop.sent(exchange.request)
    assert exchange.then is not None
    following = exchange.then(registered)
    assert following is not None
    step = gmopg.ADAPTER.secure(shop.endpoint, reference_of(SECOND), "", is_back=True)
    assert step.then is not None
    last = step.then(await shop.sent(step.request))
    assert last is not None
    before = company.acts()

    refused = [
        (await shop.sent(request)).code
        for request in (
            forged(exchange.request, Amount="1"),
            forged(exchange.request, OrderID=reference_of(FIRST)),
            forged(exchange.request, TdFlag="0"),
            forged(following.request, MemberID=STRANGER),
            forged(following.request, AccessID=access_of(reference_of(FIRST))),
            forged(following.request, CallbackType="3"),
            forged(following.request, Token="tok"),
            forged(last.request, AccessPass="x"),
            msgspec.structs.replace(following.request, delivery_id=UUID(int=99)),
            msgspec.structs.replace(following.request, host="p01.mul-pay.test"),
        )
    ]

    assert access_of(reference_of(SECOND)).encode() not in registered.body
    assert refused == [
        *["place_not_as_fixed"] * 6, "field_not_allowed", "place_not_as_fixed",
        "delivery_refused", "host_not_listed",
    ]  # fmt: skip
    assert company.acts() == before
    led = await shop.sent(following.request)
    assert led.fate == "answered"
    # Its own order stands in the page's address; it is taken out as well.
    assert access_of(reference_of(SECOND)).encode() not in led.body
    assert (await shop.sent(following.request)).code == "delivery_refused"
    assert company.acts().count("ExecTran") == 1


@pytest.mark.parametrize(
    "page",
    [
        "https://p01.mul-pay.jp.evil.example/x",
        "https://evil.example/p01.mul-pay.jp",
        "http://p01.mul-pay.jp/x",
        "https://p01.mul-pay.jp@evil.example/x",
        "javascript:alert(1)//p01.mul-pay.jp",
    ],
)
async def test_nobody_is_led_to_a_page_at_a_host_that_the_rule_does_not_list(
    shop: Shop, page: str
) -> None:
    good, shop.company.page = shop.company.page, page

    said = await shop.desk.converse(paying(shop))

    assert (said.outcome, said.code) == ("unknown", "page_not_listed")
    assert [step.page for step in shop.relay.vault.steps if step.page] == []
    # Positive control: the company's own page is taken.
    shop.company.page = good
    assert (await shop.desk.converse(paying(shop, FIRST))).outcome == "accepted"
    assert [step.page for step in shop.relay.vault.steps if step.page] != []


async def test_only_who_comes_back_from_this_order_brings_the_last_step_about_and_once(
    bank: Bank,
) -> None:
    started = await bank.led()
    id_ = started.attempt_id

    strangers = [(await bank.back(started, access)).secures for access in ("", ORDER_PASS, "x")]
    refused = await bank.ask(id_, "secure")
    ours = (await bank.back(started, ORDER)).secures
    given = await bank.ask(id_, "secure")
    again = ((await bank.back(started, ORDER)).secures, await bank.ask(id_, "secure"))

    assert strangers == [""] * 3
    assert refused == ("", "not_due")
    assert (ours, given) == ("returned", (ORDER, None))
    assert again == ("", ("", "not_due"))
    noted = await bank.world.rows("select 1 from audit where outcome = 'incident:card_order'")
    assert len(noted) == 2
    # It was taken: the payer has nothing more to do at their bank.
    waiting = await bank.world.told(bank.payer, id_, finding("requires_action", amount=0))
    assert waiting.attempt.state == "processing"
    await bank.world.told(bank.payer, id_, finding("succeeded", authentication="Y"))
    assert await bank.world.settlement(bank.payer.bill_id) == "settled"
