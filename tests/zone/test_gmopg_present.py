"""A payer who is there pays by a card that GMO-PG keeps: under the docs' rules, in the vault."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import pytest

from portal.application.providers import gmopg
from portal.contract.card_on_file import DEPOSIT_CARD_STEP, DepositCardStep
from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    CompanyAsked,
    DepositPaymentAnswer,
)
from portal.domain.errors import Conflict, InvalidInput, NotAllowed
from portal.domain.ids import AttemptId
from portal.domain.payment_word.gmopg_trade import name_at_bank
from portal.vault.server import VaultServer
from tests.make.gmopg import errors
from tests.make.gmopg_cards import Members, access_of
from tests.make.kept_shop import (
    ACCOUNT,
    BANK,
    FIRST,
    MEMBER,
    ORDER,
    ORDER_PASS,
    PAGE,
    RETURN,
    SECOND,
    THERE,
    Bank,
    Shop,
    a_payer_at_gmopg,
    a_shop,
    paying,
    reference_of,
)
from tests.make.money import finding
from tests.make.provider import HOST
from tests.make.relay import SHOP_PASS, SITE_PASS
from tests.make.vault import Ground
from tests.make.web import running_web, web_settings


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    """A shop as the web process sees it: one that keeps a card."""
    company = Members(cards={MEMBER: reference_of(FIRST)}, members={MEMBER})
    async with a_shop(tmp_path, company, ("web",)) as found:
        yield found


async def secured(shop: Shop, *, is_back: bool = True, name: str = "") -> tuple[str, str, str]:
    step = gmopg.ADAPTER.secure(shop.endpoint, reference_of(SECOND), name, is_back=is_back)
    found = await shop.desk.converse(step)
    return found.state, found.decline_code, found.authentication


async def test_a_payer_is_led_to_their_bank_and_pays_when_they_are_back(shop: Shop) -> None:
    company, order = shop.company, reference_of(SECOND)

    said = await shop.desk.converse(paying(shop))
    company.known.add(order)
    before = order in company.payers
    done = await secured(shop)
    again = await secured(shop)

    # The page goes to the vault; who opened the payment hears neither page nor order.
    assert (said.outcome, said.redirect_url) == ("accepted", "")
    assert said.provider_ref.startswith("bank-")
    [kept, led] = shop.relay.vault.steps
    assert (kept.order, kept.order_pass) == (access_of(order), access_of(order)[::-1])
    assert (led.page, led.host, led.attempt_id) == (PAGE, HOST, SECOND)
    assert not before
    assert done == again == ("succeeded", "", "Y")
    assert company.acts().count("SecureTran2") == 1
    [entry, execute, last] = [
        form for form in company.forms if form["act"] in {"EntryTran", "ExecTran", "SecureTran2"}
    ]
    assert entry == {
        "act": "EntryTran", "ShopID": ACCOUNT[0], "ShopPass": SHOP_PASS, "JobCd": "CAPTURE",
        "OrderID": order, "Amount": "8420", "TdFlag": "2", "Tds2Type": "1",
        "TdTenantName": "pN+kyqTIxcXOzw==",
    }  # fmt: skip
    assert execute == {
        "act": "ExecTran", "ShopID": ACCOUNT[0], "ShopPass": SHOP_PASS, "SiteID": ACCOUNT[2],
        "SitePass": SITE_PASS, "OrderID": order, "Method": "1", "CardSeq": "0",
        "MemberID": MEMBER, "AccessID": access_of(order), "AccessPass": access_of(order)[::-1],
        "RetUrl": RETURN, "CallbackType": "1",
    }  # fmt: skip
    assert last == {
        "act": "SecureTran2", "AccessID": access_of(order), "AccessPass": access_of(order)[::-1],
    }  # fmt: skip


async def test_what_the_vault_does_not_take_leads_nowhere(shop: Shop) -> None:
    shop.relay.vault.is_full = True

    said = await shop.desk.converse(paying(shop))

    assert (said.outcome, said.code) == ("unknown", "deposit_refused")
    assert shop.company.acts() == ["EntryTran"]


async def test_the_last_step_is_taken_once_and_what_is_in_doubt_is_asked_about(shop: Shop) -> None:
    company, order = shop.company, reference_of(SECOND)
    await shop.desk.converse(paying(shop))
    # A worker whose payer stays away takes it only once the bank knows them.
    assert (await secured(shop, is_back=False))[0] == "requires_action"
    assert "SecureTran2" not in company.acts()
    company.known.add(order)
    company.lost = "SecureTran2"

    done = await secured(shop, is_back=False)

    assert done == ("succeeded", "", "Y")
    assert company.acts().count("SecureTran2") == 1


@pytest.mark.parametrize(
    ("refusing", "state", "code"),
    [
        (errors("42G020000").body, "failed", "insufficient_funds"),
        (b"", "failed", "authentication_failed"),
        (errors("42C010000").body, "pending", ""),
        (errors("E11010999").body, "pending", ""),
        (b"<html>", "pending", ""),
    ],
)
async def test_what_the_company_refuses_and_does_not_have_is_no_payment(
    shop: Shop, refusing: bytes, state: str, code: str
) -> None:
    await shop.desk.converse(paying(shop))
    shop.company.refusing = refusing

    assert (await secured(shop))[:2] == (state, code)


# --- what the vault gives out and takes ----------------------------------------------------------


@pytest.fixture
async def bank(ground: Ground, vault: VaultServer) -> Bank:
    return await a_payer_at_gmopg(ground, vault)


async def test_each_step_has_its_order_and_is_done_once(bank: Bank) -> None:
    started = await bank.start()
    id_ = started.attempt_id

    assert started.kept
    assert started.payee_name
    # Without an order no card is named; the order is for this host, once.
    assert await bank.ask(id_, "charge") == ("", "not_due")
    assert await bank.ask(id_, "order") == ("", None)
    assert await bank.put(id_, host="api.stripe.test", order=ORDER, order_pass=ORDER_PASS) == (
        "host_wrong"
    )
    assert await bank.put(id_, page=BANK) == "not_due"
    assert await bank.put(id_, order=ORDER, order_pass=ORDER_PASS) is None
    assert await bank.put(id_, order=ORDER_PASS, order_pass=ORDER) == "delivery_redeemed"
    assert await bank.ask(id_, "secure") == ("", "not_due")
    assert await bank.ask(id_, "charge") == (ORDER, None)
    assert await bank.ask(id_, "charge") == ("", "delivery_redeemed")
    assert await bank.put(id_, page=BANK) is None
    assert await bank.put(id_, page="https://p01.mul-pay.jp/other") == "not_due"
    # Web's word of a page is worth nothing here, and no "refused" takes the payer's way.
    now = await bank.world.submitted(
        bank.payer, started, redirect_url="https://evil.example/", provider_ref="bank-1"
    )
    assert (now.attempt.state, now.redirect_url) == ("requires_action", BANK)
    blob = await bank.world.value("select access from card_payment where attempt_id = $1", id_)
    assert ORDER.encode() not in blob


async def test_what_may_not_be_stored_is_refused_and_the_relay_alone_is_heard(bank: Bank) -> None:
    started = await bank.led()
    step = DepositCardStep(host=THERE, attempt_id=started.attempt_id)
    odd = (
        msgspec.structs.replace(step, order="a b", order_pass=ORDER_PASS),
        msgspec.structs.replace(step, order="4242424242424242", order_pass=ORDER_PASS),
    )
    for one in odd:
        with pytest.raises(InvalidInput):
            await bank.relay.call(DEPOSIT_CARD_STEP, one)
    for caller in (bank.world.web, bank.world.work):
        with pytest.raises(NotAllowed):
            await caller.call(DEPOSIT_CARD_STEP, msgspec.structs.replace(step, page=PAGE))
    # That nothing came of it is no word about a payer who was led away.
    nothing = msgspec.structs.replace(step, is_nothing=True)
    assert (await bank.relay.call(DEPOSIT_CARD_STEP, nothing)).refused == "not_due"
    nobody = DepositCardStep(host=THERE, attempt_id=AttemptId(UUID(int=9)), page=PAGE)
    assert (await bank.relay.call(DEPOSIT_CARD_STEP, nobody)).refused == "delivery_unknown"


async def test_a_worker_takes_the_last_step_of_a_payer_who_stays_away_in_time(bank: Bank) -> None:
    started = await bank.led()
    id_ = started.attempt_id
    early = (await bank.back(started)).secures

    await bank.world.age(id_, 11)
    late = await bank.due(id_)
    await bank.world.age(id_, 40)
    too_late = (await bank.back(started)).secures, await bank.ask(id_, "secure")

    assert (early, late) == ("", "left")
    assert too_late == ("", ("", "not_due"))


async def test_a_try_at_the_bank_is_given_up_for_a_new_one_and_can_not_be_finished_then(
    bank: Bank,
) -> None:
    first = await bank.led()
    await bank.back(first, ORDER)

    second = await bank.led("again")
    kept = await bank.world.rows(
        "select access is null as gone from card_payment order by state_at"
    )

    assert second.attempt_id != first.attempt_id
    # What acts on an order is kept no longer than it may be used.
    assert [row["gone"] for row in kept] == [True, False]
    assert (await bank.back(first, ORDER)).secures == ""
    # Who comes back in the old window is nobody's attack.
    incidents = "select count(*) from audit where outcome like 'incident:%'"
    assert await bank.world.value(incidents) == 0
    assert await bank.ask(first.attempt_id, "secure") == ("", "not_due")
    assert (await bank.back(second, ORDER)).secures == "returned"
    # Once its last step was taken nobody begins anew.
    await bank.ask(second.attempt_id, "secure")
    assert await bank.world.value("select count(access) from card_payment") == 0
    with pytest.raises(Exception, match="attempt_running"):
        await bank.start("third")


@pytest.mark.parametrize(
    "change",
    [
        "update card_on_file set state = 'suspended' returning id",
        "update bill set lifecycle = 'canceling' where settlement = 'unpaid' returning id",
    ],
)
async def test_what_is_not_wanted_any_more_is_not_finished(bank: Bank, change: str) -> None:
    started = await bank.led()
    await bank.back(started, ORDER)

    await bank.world.rows(change)

    assert await bank.ask(started.attempt_id, "secure") == ("", "not_due")


async def test_a_relay_that_was_not_heard_and_a_web_that_died_leave_it_to_the_inquiry(
    bank: Bank,
) -> None:
    started = await bank.start()
    id_ = started.attempt_id
    await bank.put(id_, order=ORDER, order_pass=ORDER_PASS)
    await bank.ask(id_, "charge")
    await bank.world.age(id_, 2)
    await bank.world.told(bank.payer, id_, finding("unclear", amount=0))

    # The company's answer comes late, and web never says a word of it.
    assert await bank.put(id_, page=BANK) is None
    now = await bank.world.told(bank.payer, id_, finding("requires_action", amount=0))

    assert (now.attempt.state, now.redirect_url) == ("requires_action", BANK)


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        ("42G020000", "failed", "insufficient_funds"),
        ("42C010000", "processing", None),
        ("E11010999", "processing", None),
    ],
)
async def test_a_last_step_that_is_surely_refused_ends_the_payment_at_once(
    bank: Bank, answer: str, state: str, why: str | None
) -> None:
    started = await bank.led()
    await bank.back(started, ORDER)
    await bank.ask(started.attempt_id, "secure")
    body = urlencode(
        {"AccessID": "{{instrument:order}}", "AccessPass": "{{instrument:order_pass}}"}
    )
    asked = CompanyAsked(method="POST", path="/payment/SecureTran2.idPass", headers=(), body=body)
    word = DepositPaymentAnswer(
        host=THERE, merchant_code=bank.world.code, attempt_id=started.attempt_id, asked=asked,
        status=200, body=errors(answer).body, age_ms=5_000,
    )  # fmt: skip
    waiting = finding("requires_action", amount=0)
    # Another browser came back meanwhile, and had the order searched for.
    await bank.world.told(bank.payer, started.attempt_id, waiting)

    await bank.relay.call(DEPOSIT_PAYMENT_ANSWER, word)
    now = await bank.world.told(bank.payer, started.attempt_id, waiting)

    assert (now.attempt.state, now.attempt.decline_code) == (state, why)


async def test_what_the_company_may_be_taking_just_now_is_given_up_for_nothing_else(
    bank: Bank,
) -> None:
    """A notice, which anybody can send, has it asked about while ExecTran is under way."""
    started, world = await bank.start(), bank.world
    id_ = started.attempt_id
    await bank.put(id_, order=ORDER, order_pass=ORDER_PASS)
    await bank.ask(id_, "charge")
    waiting = finding("requires_action", amount=0)

    early = (await world.told(bank.payer, id_, waiting)).attempt.state
    for key, kept in (("second", True), ("third", False)):
        with pytest.raises(Conflict, match="attempt_running"):
            await world.start(bank.payer, key, kept=kept)
    # Only now it answers, and the payer is led to their bank.
    assert await bank.put(id_, page=BANK) is None
    now = await world.submitted(bank.payer, started, provider_ref=name_at_bank(started.reference))
    assert (early, now.attempt.state, now.redirect_url) == (*["requires_action"] * 2, BANK)
    # It was paid without our last step: what acts on the order is not kept.
    assert (await world.told(bank.payer, id_, finding("succeeded"))).attempt.state == "succeeded"
    assert await world.value("select count(access) from card_payment") == 0


async def test_a_company_that_waits_for_a_payer_without_a_page_is_given_up_in_the_end(
    bank: Bank,
) -> None:
    started, world = await bank.start(), bank.world
    id_ = started.attempt_id
    await bank.put(id_, order=ORDER, order_pass=ORDER_PASS)
    await bank.ask(id_, "charge")

    await world.age(id_, 11)
    await world.told(bank.payer, id_, finding("requires_action", amount=0))

    assert (await bank.start("again")).fresh
    assert await world.value("select state from attempt where id = $1", id_) == "expired"


async def test_the_name_of_an_order_comes_by_a_form_and_stands_in_no_address(
    bank: Bank, ground: Ground
) -> None:
    started = await bank.led()
    path = f"/return/{bank.world.code}/{started.return_token}"
    states: list[str] = []

    settings = web_settings(ground.folder)
    async with (
        running_web(ground.folder, bank.world.web, settings=settings) as web,
        web.browser() as browser,
    ):
        for form in ({"AccessID": ORDER_PASS}, {"AccessID": ORDER, "x": "y"}):
            answer = await browser.post(path, data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, path)
            states.append(await bank.world.value("select state from card_payment"))
        nobody = await browser.post(f"{path}x", data={"AccessID": ORDER})
        odd = await browser.post(path, content=b"\xff", headers={"content-type": "text/plain"})

    assert states == ["redeemed", "returned"]
    assert (nobody.status_code, odd.status_code) == (303, 303)
