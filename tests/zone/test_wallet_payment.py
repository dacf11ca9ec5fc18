"""Paying by wallet through the real relay, which signs, at a company that checks the signature."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import finish_return
from portal.application.payment.submit import Intent, submit_payment
from portal.application.providers import sandbox_wallet
from portal.application.providers.exchange import SessionWanted
from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.operator import SET_WALLET, JournalLine, JournalRefund, SetWallet
from portal.contract.payment import (
    RECORD_NOTICE,
    VIEW_ATTEMPT,
    AttemptNow,
    RecordNotice,
    ViewAttempt,
)
from portal.domain.errors import Conflict, NotFound
from portal.domain.ids import BillId
from portal.domain.money import Money
from portal.sandbox import magic
from portal.sandbox.wallet_journal import refund_told, state_of
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.relay import eventually
from tests.make.vault import Ground, add_staff, signed_in
from tests.make.workshop import Workshop, a_workshop

ORIGIN = "http://localhost:8080"
APPROVE_CARD = "4242424242424242"
AMOUNT_OF = {fault: amount for amount, fault in magic.AMOUNTS.items()}
WALLET = "sandbox_wallet"


@dataclass
class Till:
    """A payer's world with a worker beside it; the merchant takes cards and the wallet."""

    shop: Workshop
    world: World
    desk: PayDesk

    async def press(
        self, payer: Payer, key: str = "k1", amount: int = AMOUNT, method: str = "wallet"
    ) -> AttemptNow:
        intent = Intent(method=method, expected_minor=amount, key=key)
        return await submit_payment(self.desk, payer.authority, intent, ORIGIN)

    async def come_back(self, address: str) -> AttemptNow:
        """Open the return address, in whatever browser."""
        code, token = address.removeprefix(f"{ORIGIN}/return/").split("/")
        back = await finish_return(self.desk, code, token)
        seen = ViewAttempt(attempt_id=back.attempt_id)
        return await self.desk.vault.call(VIEW_ATTEMPT, seen, back.authority)

    async def end(self, away: AttemptNow, button: str) -> AttemptNow:
        """Press a button on the wallet's page and come back."""
        return await self.come_back(await self.shop.outside.press(away.redirect_url or "", button))

    def codes(self) -> list[dict[str, object]]:
        return self.shop.journal.wallet.codes()

    def give_back(self, code: dict[str, Any], amount: int) -> None:
        """The merchant gives money back on the wallet's own pages, past the portal."""
        refund = {
            "reference": "R-1", "payment_id": code["payment_id"], "amount": amount,
            "status": "REFUNDED",
        }  # fmt: skip
        assert self.shop.journal.wallet.take_refund(refund, code["id"])

    async def run_out(self) -> list[str]:
        """Three inquiries about the one attempt: after 3 minutes, 16 later, and 2 more."""
        states: list[str] = []
        for minutes in (3, 16, 2):
            [kept] = await self.world.rows("select id from attempt")
            await self.world.age(kept["id"], minutes)
            await self.shop.be_due()
            await self.shop.work_off({"payment.inquire"})
            [now] = await self.world.rows("select state from attempt")
            states.append(now["state"])
        return states

    async def compare(self) -> set[tuple[str, str]]:
        lines = [
            JournalLine(reference=row["reference"], state=state_of(row), amount_minor=row["amount"])
            for row in self.shop.journal.wallet.codes()
        ]
        refunds = tuple(
            JournalRefund(
                reference=one["reference"], payment=one["payment"], state=one["state"],
                amount_minor=one["amount"],
            )
            for one in map(refund_told, self.shop.journal.wallet.refunds())
        )  # fmt: skip
        return await self.world.compare(*lines, provider=WALLET, refunds=refunds)


@pytest.fixture
async def till(ground: Ground, vault: VaultServer) -> AsyncGenerator[Till]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu", wallet=WALLET)
        yield Till(shop, world, replace(shop.bench.pay, vault=shop.web))


async def test_a_payer_approves_in_the_wallet_and_comes_back_to_a_receipt(till: Till) -> None:
    payer = await till.world.payer()

    away = await till.press(payer)
    assert away.attempt.state == "requires_action"
    [code] = till.codes()
    assert (code["amount"], code["account"]) == (AMOUNT, "mizu")
    assert code["reference"] == away.reference

    back = await till.end(away, "approve")
    assert (back.attempt.state, back.attempt.method) == ("succeeded", "wallet")
    assert await till.world.settlement(payer.bill_id) == "settled"
    assert await till.world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}
    [kept] = await till.world.rows("select provider, provider_ref, decline_code from attempt")
    assert kept == {
        "provider": WALLET, "provider_ref": f"p-{code['payment_id']}", "decline_code": None,
    }  # fmt: skip
    assert await till.compare() == set()


async def test_a_return_is_believed_only_after_the_wallet_was_asked(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    [code] = till.codes()

    back = await till.come_back(str(code["redirect_url"]))

    assert back.attempt.state == "requires_action"
    assert back.app_url == away.app_url == f"sandbox-wallet://pay/{code['id']}"
    assert await till.world.settlement(payer.bill_id) == "unpaid"
    paid = await till.end(away, "approve")
    assert (paid.attempt.state, paid.redirect_url, paid.app_url) == ("succeeded", None, None)


async def test_a_payment_that_was_not_made_may_be_tried_again_by_any_method(till: Till) -> None:
    payer = await till.world.payer()

    back = await till.end(await till.press(payer), "decline")
    assert (back.attempt.state, back.attempt.decline_code) == ("failed", "wallet_declined")
    assert await till.compare() == set()

    by_card = await till.press(payer, key="k2", method="card")
    paid = await till.come_back(
        await till.shop.outside.pay(by_card.redirect_url or "", APPROVE_CARD)
    )
    assert (paid.attempt.state, paid.attempt.method) == ("succeeded", "card")
    assert len(till.codes()) == 1
    assert await till.compare() == set()


async def test_who_turns_back_may_pay_otherwise_once_the_code_has_run_out(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)

    back = await till.end(away, "cancel")
    assert back.attempt.state == "requires_action"
    with pytest.raises(Conflict, match="attempt_elsewhere"):
        await till.press(payer, key="k2", method="card")
    assert await till.compare() == set()

    # Its time is over at the wallet; only the worker's inquiries can tell.
    await till.shop.outside.press(away.redirect_url or "", "expire")
    assert await till.run_out() == ["requires_action", "requires_action", "expired"]
    assert await till.compare() == set()

    by_card = await till.press(payer, key="k3", method="card")
    assert (by_card.attempt.state, by_card.attempt.method) == ("requires_action", "card")


async def test_nobody_pays_at_the_wallet_for_a_bill_that_was_canceled_meanwhile(till: Till) -> None:
    gone, quick = await till.world.payer(), await till.world.payer()
    away = {payer.bill_id: await till.press(payer) for payer in (gone, quick)}
    await till.shop.outside.press(away[quick.bill_id].redirect_url or "", "approve")
    await add_staff(till.world.operator, till.world.code)
    staff = await signed_in(till.world.operator, till.world.web, till.world.code)

    for payer in (gone, quick):
        version = await till.world.value("select version from bill where id = $1", payer.bill_id)
        request = CancelBill(
            bill_id=BillId(payer.bill_id), version=version, reason="", idempotency_key=payer.secret
        )
        await till.world.web.call(CANCEL_BILL, request, staff.authority)
    await till.shop.be_due()
    await till.shop.work_off({"payment.inquire"})

    assert [code["status"] for code in till.codes()] == ["DELETED", "COMPLETED"]
    await till.end(away[gone.bill_id], "approve")
    assert [code["status"] for code in till.codes()] == ["DELETED", "COMPLETED"]
    assert await till.world.settlement(gone.bill_id) == "unpaid"
    assert await till.world.settlement(quick.bill_id) == "over"
    assert await till.world.cases() == ["overpaid"]


async def test_a_code_deleted_at_the_wallet_has_run_out(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    [code] = till.shop.journal.wallet.codes()
    assert till.shop.journal.wallet.move(code["id"], "CREATED", "DELETED")

    back = await till.end(away, "approve")

    assert back.attempt.state == "requires_action"
    assert await till.run_out() == ["requires_action", "requires_action", "expired"]
    assert await till.compare() == set()


async def test_a_payment_that_the_wallet_canceled_as_a_whole_was_not_made(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    address = await till.shop.outside.press(away.redirect_url or "", "approve")
    [code] = till.shop.journal.wallet.codes()
    assert till.shop.journal.wallet.move(code["id"], "COMPLETED", "FAILED")

    back = await till.come_back(address)

    assert (back.attempt.state, back.attempt.decline_code) == ("failed", "wallet_declined")
    assert await till.compare() == set()


async def test_who_is_on_the_wallets_page_is_told_so_before_paying_by_card(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)

    page = await till.world.page(payer)
    assert [(offer.method, offer.reason) for offer in page.methods] == [
        ("card", "attempt_elsewhere"),
        ("wallet", None),
    ]
    with pytest.raises(Conflict) as refused:
        await till.press(payer, key="k2", method="card")
    assert (refused.value.code, refused.value.params) == ("attempt_elsewhere", {"method": "wallet"})
    again = await till.press(payer, key="k3")
    assert (again.attempt.id, again.redirect_url) == (away.attempt.id, away.redirect_url)
    assert len(till.codes()) == 1
    assert till.shop.journal.payments() == []


async def test_both_methods_at_once_open_one_payment_at_one_company(till: Till) -> None:
    payer = await till.world.payer()
    presses = (
        till.press(payer, key=f"k{n}", method=method)
        for n, method in enumerate(("card", "wallet") * 8)
    )

    pressed = await asyncio.gather(*presses, return_exceptions=True)

    assert len(till.codes()) + len(till.shop.journal.payments()) == 1
    refused = [one for one in pressed if isinstance(one, BaseException)]
    assert {str(getattr(one, "code", one)) for one in refused} <= {
        "attempt_running", "attempt_elsewhere",
    }  # fmt: skip
    shown = [one.attempt.id for one in pressed if isinstance(one, AttemptNow)]
    assert len(set(shown)) == 1


async def test_who_is_on_the_card_companys_page_is_told_so_before_paying_by_wallet(
    till: Till,
) -> None:
    payer = await till.world.payer()
    await till.press(payer, method="card")

    with pytest.raises(Conflict, match="attempt_elsewhere"):
        await till.press(payer, key="k2")
    page = await till.world.page(payer)
    assert [offer.reason for offer in page.methods] == [None, "attempt_elsewhere"]
    assert till.codes() == []


@pytest.mark.parametrize(
    ("fault", "state", "code", "codes"),
    [
        ("busy", "failed", "provider_busy", 0),
        ("error", "unknown", None, 0),
        ("answer_lost", "unknown", None, 1),
    ],
)
async def test_an_unclear_opening_is_unknown_and_never_submitted_again(
    till: Till, fault: str, state: str, code: str | None, codes: int
) -> None:
    amount = AMOUNT_OF[fault]  # type: ignore[index]
    payer = await till.world.payer(amount=amount)

    now = await till.press(payer, amount=amount)
    again = await till.press(payer, amount=amount)

    assert (now.attempt.state, now.attempt.decline_code) == (state, code)
    assert again.attempt.id == now.attempt.id
    assert len(till.codes()) == codes
    if state == "unknown":
        with pytest.raises(Conflict, match="attempt_running"):
            await till.press(payer, key="k2", amount=amount, method="card")


async def test_a_lost_code_is_found_and_given_up_only_for_a_new_intent(till: Till) -> None:
    amount = AMOUNT_OF["answer_lost"]
    payer = await till.world.payer(amount=amount)
    await till.press(payer, amount=amount)

    await till.shop.be_due()
    await till.shop.work_off({"payment.inquire"})
    states = await till.world.rows("select state from attempt")
    assert [row["state"] for row in states] == ["requires_action"]

    # Nobody ever got that code's address, so no method has to wait for it.
    page = await till.world.page(payer)
    assert [offer.reason for offer in page.methods] == [None, None]
    by_card = await till.press(payer, key="k2", amount=amount, method="card")
    assert by_card.attempt.decline_code is None


async def test_a_second_code_under_one_reference_is_asked_about(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    wanted = SessionWanted(
        reference=away.reference, amount=Money(AMOUNT), return_url=f"{ORIGIN}/return/mizu/t",
        account="mizu", description="again",
    )  # fmt: skip

    endpoint = till.desk.endpoint(WALLET)
    again = await till.desk.converse(sandbox_wallet.ADAPTER.open_session(endpoint, wanted))

    assert (again.outcome, again.code) == ("unknown", "reference_exists")
    assert len(till.codes()) == 1


async def test_a_hidden_payment_is_found_by_the_worker_when_the_wallet_answers_again(
    till: Till,
) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    assert await till.shop.outside.press(away.redirect_url or "", "approve_slow") == ""

    [code] = till.shop.journal.wallet.codes()
    await asyncio.sleep(max(0.0, code["hidden_until"] - time.time()))
    await till.shop.be_due()
    await till.shop.work_off({"payment.inquire"})

    assert await till.world.settlement(payer.bill_id) == "settled"
    assert await till.compare() == set()


async def test_a_notice_makes_us_ask_and_is_not_believed(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    await till.shop.outside.press(away.redirect_url or "", "approve_noisy")

    async def told() -> bool:
        rows = await till.world.rows("select claim from notice where provider = 'sandbox_wallet'")
        return sorted(row["claim"] for row in rows) == ["processing", "succeeded"]

    await eventually(told, within_s=30.0)
    assert await till.world.settlement(payer.bill_id) == "unpaid"
    await till.shop.be_due()
    await till.shop.work_off({"payment.inquire"})
    assert await till.world.settlement(payer.bill_id) == "settled"


async def test_an_amount_beyond_the_wallets_bounds_is_paid_otherwise(till: Till) -> None:
    payer = await till.world.payer(amount=500_001)

    page = await till.world.page(payer)
    assert [offer.reason for offer in page.methods] == [None, "amount_too_large"]
    with pytest.raises(Conflict, match="method_unavailable"):
        await till.press(payer, amount=500_001)
    assert till.codes() == []


@pytest.mark.parametrize("given", [420, AMOUNT])
async def test_money_that_the_wallet_gave_back_before_we_asked_is_a_persons_work(
    till: Till, given: int
) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    address = await till.shop.outside.press(away.redirect_url or "", "approve")
    [code] = till.shop.journal.wallet.codes()
    till.give_back(code, given)

    back = await till.come_back(address)

    assert back.attempt.state == "unknown"
    assert await till.world.settlement(payer.bill_id) == "unpaid"
    assert await till.world.cases() == ["amount_mismatch"]
    assert await till.compare() == {
        (away.reference, "attempt_unresolved"), ("R-1", "refund_missing")
    }  # fmt: skip


async def test_money_that_the_wallet_gave_back_after_it_was_booked_is_a_difference(
    till: Till,
) -> None:
    payer = await till.world.payer()
    assert (await till.end(await till.press(payer), "approve")).attempt.state == "succeeded"
    [code] = till.shop.journal.wallet.codes()
    till.give_back(code, 420)

    assert await till.compare() == {("R-1", "refund_missing")}


async def test_a_merchant_without_a_wallet_neither_offers_nor_takes_one(till: Till) -> None:
    payer = await till.world.payer()
    assert await set_wallet(till.world, "") == WALLET

    assert [offer.method for offer in (await till.world.page(payer)).methods] == ["card"]
    with pytest.raises(Conflict, match="method_unavailable"):
        await till.world.start(payer, method="wallet")
    notice = RecordNotice(merchant_code="mizu", provider=WALLET, raw=b"{}", claims=())
    with pytest.raises(NotFound, match="provider_unknown"):
        await till.world.web.call(RECORD_NOTICE, notice)
    assert till.codes() == []

    assert await set_wallet(till.world, WALLET) == ""
    assert (await till.press(payer)).attempt.state == "requires_action"


async def test_a_payment_under_way_stays_at_the_wallet_where_it_began(till: Till) -> None:
    payer = await till.world.payer()
    away = await till.press(payer)
    await set_wallet(till.world, "")

    notice = RecordNotice(merchant_code="mizu", provider=WALLET, raw=b"{}", claims=())
    await till.world.web.call(RECORD_NOTICE, notice)  # the company that has the payment is heard
    back = await till.end(away, "approve")

    assert back.attempt.state == "succeeded"
    assert await till.world.settlement(payer.bill_id) == "settled"


async def test_only_a_known_company_can_be_a_merchants_wallet(till: Till) -> None:
    for code, provider, refusal in (
        ("mizu", "someone_else", "provider_unknown"),
        ("mizu", "sandbox_card", "provider_unknown"),
        ("nobody", WALLET, "merchant_unknown"),
    ):
        with pytest.raises(NotFound, match=refusal):
            await till.world.operator.call(
                SET_WALLET, SetWallet(merchant_code=code, wallet_provider=provider)
            )


async def set_wallet(world: World, provider: str) -> str:
    """Whose wallet it was before."""
    request = SetWallet(merchant_code=world.code, wallet_provider=provider)
    return (await world.operator.call(SET_WALLET, request)).before
