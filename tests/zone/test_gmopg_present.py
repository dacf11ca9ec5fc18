"""A payer who is there pays by a card that GMO-PG keeps: under the docs' rules, in the vault."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
import pytest

from portal.application.providers import gmopg
from portal.application.providers.exchange import Exchange, KeptWanted, SessionAnswer
from portal.contract.card_on_file import (
    DEPOSIT_CARD_STEP,
    REDEEM_INSTRUMENT,
    SET_CHARGES,
    DepositCardStep,
    RedeemInstrument,
    SetCharges,
)
from portal.contract.client import VaultClient
from portal.contract.payment import (
    VIEW_INQUIRY,
    VIEW_RETURN,
    AttemptStarted,
    Returned,
    ViewInquiry,
    ViewReturn,
)
from portal.domain.card_on_file import words
from portal.domain.ids import AttemptId
from portal.domain.money import Money
from portal.kit.outbound.wire import OutboundRequest
from portal.vault.server import VaultServer
from tests.make.cards import CONTRACT
from tests.make.companies import behind_a_relay
from tests.make.gmopg import errors
from tests.make.gmopg_cards import Members, access_of
from tests.make.money import Payer, World, finding, new_world
from tests.make.provider import HOST
from tests.make.relay import SHOP_PASS, SITE_PASS
from tests.make.vault import Ground
from tests.make.web import running_web, web_settings
from tests.zone.test_gmopg_cards import FIRST, MEMBER, SECOND, STRANGER, Shop, reference_of
from tests.zone.test_gmopg_cards import SHOP as ACCOUNT

RETURN = "https://pay.example/return/mizu/token"
PAGE = f"https://p01.mul-pay.jp/payment/Tds2Redirect?id={access_of(reference_of(SECOND))}"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    """A shop as the web process sees it: one that keeps a card."""
    company = Members(cards={MEMBER: reference_of(FIRST)}, members={MEMBER})
    async with behind_a_relay(
        tmp_path, "gmopg", company.behaviour, account=ACCOUNT, roles=("web",)
    ) as (relay, desk, endpoint):
        yield Shop(company, relay, desk, endpoint)


def paying(shop: Shop, attempt: UUID = SECOND) -> Exchange[SessionAnswer]:
    """The payer presses the button; the vault would have this card pay 8,420 yen."""
    shop.owes(attempt, MEMBER)
    wanted = KeptWanted(
        reference=reference_of(attempt), amount=Money(1), attempt_id=attempt, return_url=RETURN,
        account="mizu", description="A-1", payee_name="みなと電力",
    )  # fmt: skip
    return gmopg.ADAPTER.pay_kept(shop.endpoint, wanted)


def forged(request: OutboundRequest, **fields: str) -> OutboundRequest:
    return msgspec.structs.replace(request, body=urlencode(dict(parse_qsl(request.body)) | fields))


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
    shop.company.page = page

    said = await shop.desk.converse(paying(shop))

    assert (said.outcome, said.code) == ("unknown", "page_not_listed")
    assert [step.page for step in shop.relay.vault.steps if step.page] == []


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

THERE = "p01.mul-pay.test"
BANK = "https://p01.mul-pay.jp/payment/Tds2Redirect?id=1"
ORDER, ORDER_PASS = access_of("one"), access_of("two")


class Bank:
    """A merchant at GMO-PG, a payer who left a card there, and the relay."""

    def __init__(self, world: World, relay: VaultClient, payer: Payer) -> None:
        self.world, self.relay, self.payer = world, relay, payer

    async def start(self, key: str = "k") -> AttemptStarted:
        return await self.world.start(self.payer, key, kept=True)

    async def ask(self, attempt_id: UUID, part: str, host: str = THERE) -> tuple[str, str | None]:
        asked = RedeemInstrument(
            host=host, attempt_id=AttemptId(attempt_id), part=part, by_payer=True  # type: ignore[arg-type]
        )  # fmt: skip
        said = await self.relay.call(REDEEM_INSTRUMENT, asked)
        return said.order, said.refused

    async def put(self, attempt_id: UUID, host: str = THERE, **step: object) -> str | None:
        told = DepositCardStep(host=host, attempt_id=AttemptId(attempt_id), **step)  # type: ignore[arg-type]
        return (await self.relay.call(DEPOSIT_CARD_STEP, told)).refused

    async def led(self, key: str = "k") -> AttemptStarted:
        """The payer is at their bank: all that the relay does on the way there."""
        started = await self.start(key)
        await self.put(started.attempt_id, order=ORDER, order_pass=ORDER_PASS)
        await self.ask(started.attempt_id, "charge")
        await self.put(started.attempt_id, page=BANK)
        await self.world.submitted(self.payer, started, provider_ref="bank-1")
        return started

    async def back(self, started: AttemptStarted, access: str = "") -> Returned:
        asked = ViewReturn(
            merchant_code=self.world.code, return_token=started.return_token, access=access
        )
        return await self.world.web.call(VIEW_RETURN, asked)

    async def due(self, attempt_id: UUID) -> str:
        [lease] = [one for one in await self.world.leases() if one.subject_id == attempt_id]
        asked = ViewInquiry(attempt_id=AttemptId(attempt_id))
        return (await self.world.work.call(VIEW_INQUIRY, asked, lease.authority)).secures


@pytest.fixture
async def bank(ground: Ground, vault: VaultServer) -> Bank:
    world = await (await new_world(vault, ground.client, "mizu")).with_company("gmopg")
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    first = await world.payer(contract=CONTRACT)
    left = await world.start(first, consent=words(0))
    await world.submitted(first, left)
    await world.told(first, left.attempt_id, finding("succeeded", saved_token="kept"))
    return Bank(world, await ground.client("egress"), await world.payer(contract=CONTRACT))


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

    assert second.attempt_id != first.attempt_id
    assert (await bank.back(first, ORDER)).secures == ""
    assert await bank.ask(first.attempt_id, "secure") == ("", "not_due")
    assert (await bank.back(second, ORDER)).secures == "returned"
    # Once its last step was taken nobody begins anew.
    await bank.ask(second.attempt_id, "secure")
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
