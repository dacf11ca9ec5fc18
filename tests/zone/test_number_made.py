"""A store's number all the way: the stage, the vault, a real relay, and a company of numbers.

The relay asks another vault's end than the pages do (tests.make.redeemer): that the vault gives the
payer's name out once and to whom is in test_number.py.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import inquire
from portal.application.payment.submit import Intent, submit_payment
from portal.application.payment.withdraw import withdraw_number
from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.envelope import Authority
from portal.contract.number import SET_NUMBER, PayerRedeemed, SetNumber
from portal.contract.payment import AttemptNow
from portal.domain.ids import AttemptId, BillId
from portal.domain.number import WITHDRAW_AGAIN
from portal.vault.server import VaultServer
from tests.make.companies import behind_a_relay
from tests.make.company_words import HOSTS
from tests.make.gmopg_stores import Stores
from tests.make.money import Payer, World, finding, new_world
from tests.make.provider import HOST
from tests.make.relay import Relay
from tests.make.vault import Ground, add_staff, signed_in

YEN = 100
"""What the company's recorded words are about."""

WHO = PayerRedeemed(name="山田 花子", kana="ヤマダ\u3000ハナコ", phone="09012345678", refused=None)


class Everybody(dict[UUID, tuple[str, PayerRedeemed]]):
    """Who pays, whatever the attempt: it has no id before the page's stage begins."""

    def get(  # type: ignore[override]
        self, key: UUID, default: object = None
    ) -> tuple[str, PayerRedeemed]:
        del key, default
        return (HOST, WHO)


@dataclass
class Till:
    """A payer's world with a company that makes numbers."""

    world: World
    desk: PayDesk
    stores: Stores
    ground: Ground
    relay: Relay
    staff: Authority

    async def dies(self, point: str, given: Authority, attempt: str = "", who: str = "web") -> None:
        """A process presses the button, withdraws or asks, and is killed at a point."""
        endpoint, authority = self.desk.endpoints["gmopg"], self.ground.authority
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.make.one_number", str(self.ground.folder),
            *[str(path) for path in (*authority.zone(who), authority.ca)],
            str(self.relay.settings.socket), f"gmopg={endpoint.host}:{endpoint.port}/shop",
            attempt, who, msgspec.json.encode(given).decode(),
            env={**os.environ, "HARAI_CRASH_POINT": point},
        )  # fmt: skip
        async with asyncio.timeout(60):
            assert await child.wait() == 137

    async def press(self, payer: Payer, key: str = "k1", store: str = "lawson") -> AttemptNow:
        intent = Intent(method="number", expected_minor=YEN, key=key, store=store)
        return await submit_payment(self.desk, payer.authority, intent, "http://localhost:1")

    async def payer(self) -> Payer:
        return await self.world.payer(amount=YEN, kana=WHO.kana)

    async def withdraw(self, payer: Payer, now: AttemptNow) -> AttemptNow:
        return await withdraw_number(self.desk, payer.authority, now.attempt.id)

    async def cancel(self, payer: Payer) -> None:
        """A member of staff cancels the bill."""
        version = await self.world.value("select version from bill where id = $1", payer.bill_id)
        request = CancelBill(
            bill_id=BillId(payer.bill_id), version=version, reason="",
            idempotency_key=f"cancel-{payer.bill_id.hex}",
        )  # fmt: skip
        await self.world.web.call(CANCEL_BILL, request, self.staff)

    async def bill(self, payer: Payer) -> tuple[str, str]:
        [row] = await self.world.rows(
            "select lifecycle, settlement from bill where id = $1", payer.bill_id
        )
        return row["lifecycle"], row["settlement"]

    async def asked(self, attempt_id: UUID) -> None:
        """The inquiries that are due, as a worker does them."""
        await self.world.age(attempt_id, 120)
        for lease in await self.world.leases():
            if lease.kind == "payment.inquire":
                desk = replace(self.desk, vault=self.world.work)
                await inquire(desk, lease.authority, AttemptId(lease.subject_id))


@pytest.fixture
async def till(ground: Ground, vault: VaultServer, tmp_path: Path) -> AsyncGenerator[Till]:
    world, stores = await new_world(vault, ground.client), Stores()
    request = SetNumber(merchant_code=world.code, provider="gmopg", hours="09:00-17:00")
    await world.operator.call(SET_NUMBER, request)
    async with behind_a_relay(tmp_path, "gmopg", stores.behaviour, account=("shop",)) as (
        relay,
        desk,
        _,
    ):
        relay.vault.payers = Everybody()
        relay.vault.listener, relay.vault.listens_as = world.relay, HOSTS["gmopg"]
        await add_staff(world.operator, world.code)
        staff = (await signed_in(world.operator, world.web, world.code)).authority
        yield Till(world, replace(desk, vault=world.web), stores, ground, relay, staff)


async def test_a_number_is_made_once_paid_at_the_till_and_booked_by_an_inquiry(till: Till) -> None:
    payer = await till.payer()

    taps = await asyncio.gather(*(till.press(payer) for _ in range(3)), return_exceptions=True)
    now = await till.press(payer)

    assert now.attempt.number is not None
    assert (now.attempt.number.store, now.attempt.number.receipt_no) == ("lawson", "20153671234")
    assert [form.get("CustomerKana") for form in till.stores.forms] == [None, WHO.kana]
    assert not [tap for tap in taps if isinstance(tap, AssertionError)]
    other = await till.press(payer, "k2", "ministop")
    assert other.attempt.id == now.attempt.id  # the number that counts, and no second one

    till.stores.status[now.reference] = "PAYSUCCESS"
    await till.asked(now.attempt.id)
    assert await till.world.settlement(payer.bill_id) == "settled"
    again = await till.withdraw(payer, now)
    assert (again.attempt.state, again.attempt.number) == ("succeeded", None)
    assert till.stores.status == {now.reference: "PAYSUCCESS"}


async def test_a_number_that_is_taken_back_frees_the_bill_and_one_that_was_paid_pays(
    till: Till,
) -> None:
    payer, quick = await till.payer(), await till.payer()
    now, paid = await till.press(payer), await till.press(quick)
    till.stores.status[paid.reference] = "PAYSUCCESS"  # at the till, while the other hand presses

    ended, kept = await till.withdraw(payer, now), await till.withdraw(quick, paid)
    twice = await till.withdraw(payer, now)

    assert (ended.attempt.state, ended.attempt.decline_code) == ("expired", "expired")
    assert (twice.attempt.state, kept.attempt.state) == ("expired", "succeeded")
    assert await till.world.settlement(quick.bill_id) == "settled"
    assert [form["OrderID"] for form in till.stores.forms if "Convenience" in form] == [
        now.reference, paid.reference,
    ]  # fmt: skip
    other = await till.press(payer, "k2", "ministop")
    assert other.attempt.id != now.attempt.id
    assert other.attempt.number is not None
    assert sorted(till.stores.status.values()) == ["CANCEL", "PAYSUCCESS", "REQSUCCESS"]
    assert await till.world.cases() == []


async def test_a_web_process_that_dies_with_a_number_in_hand_leaves_it_to_an_inquiry(
    till: Till,
) -> None:
    payer = await till.payer()
    await till.dies("web.after_submission", payer.authority)
    [kept] = await till.world.rows("select id, state from attempt")
    assert kept["state"] == "submitting"
    await till.asked(kept["id"])

    now = await till.press(payer)
    assert (now.attempt.id, now.attempt.state) == (kept["id"], "requires_action")
    assert now.attempt.number is not None
    assert list(till.stores.status.values()) == ["REQSUCCESS"]

    await till.dies("web.after_withdrawal", payer.authority, now.attempt.id.hex)
    assert list(till.stores.status.values()) == ["CANCEL"]
    [held] = await till.world.rows("select state from attempt")
    assert held["state"] == "requires_action"
    await till.asked(kept["id"])
    [freed] = await till.world.rows("select state from attempt")
    assert freed["state"] == "expired"


async def test_a_worker_withdraws_the_number_of_a_bill_that_is_asked_for_no_more(
    till: Till,
) -> None:
    gone, quick, silent, late = [await till.payer() for _ in range(4)]
    orders = {payer.bill_id: await till.press(payer) for payer in (gone, quick, silent)}
    first = await till.press(late)
    till.stores.status[first.reference] = "EXPIRED"
    await till.asked(first.attempt.id)
    second = await till.press(late, "k2", "ministop")

    await till.world.age(
        orders[silent.bill_id].attempt.id, 26 * 60
    )  # a number is asked about daily
    # Three bills are canceled, one of them once its number was paid by; of the fourth an earlier
    # number was paid after all, while its payer holds another one.
    till.stores.status[orders[quick.bill_id].reference] = "PAYSUCCESS"
    for payer in (gone, quick, silent):
        await till.cancel(payer)
        page = await till.world.page(payer)
        assert page.state == "canceled"
        assert page.attempt is not None
        assert page.attempt.number is None  # nobody is shown what nobody should pay by
    till.stores.status[first.reference] = "PAYSUCCESS"
    told = finding("succeeded", YEN, provider_ref="p-1")
    await till.world.told(late, first.attempt.id, told)

    till.stores.deaf = {orders[silent.bill_id].reference}
    leases = {one.subject_id: one for one in await till.world.leases()}
    held = orders[gone.bill_id].attempt.id
    await till.dies("worker.after_withdrawal", leases[held].authority, held.hex, "work")
    assert till.stores.status[orders[gone.bill_id].reference] == "CANCEL"
    assert await till.bill(gone) == ("canceling", "unpaid")  # withdrawn, and not yet known here
    desk = replace(till.desk, vault=till.world.work)
    for lease in leases.values():
        await inquire(desk, lease.authority, AttemptId(lease.subject_id))

    assert await till.bill(gone) == ("canceled", "unpaid")
    assert await till.bill(quick) == ("canceled", "over")
    assert await till.bill(late) == ("open", "settled")
    assert await till.bill(silent) == ("canceling", "unpaid")
    assert till.stores.status[second.reference] == "CANCEL"
    assert sorted(await till.world.cases()) == ["late_success", "overpaid"]

    await till.asked(orders[silent.bill_id].attempt.id)
    again_in_s = await till.world.value(
        "select extract(epoch from ask_at - $2) from attempt where id = $1",
        orders[silent.bill_id].attempt.id, till.world.server.clock.wall(),
    )  # fmt: skip
    assert again_in_s <= WITHDRAW_AGAIN.total_seconds()

    till.stores.deaf = set()
    await till.asked(orders[silent.bill_id].attempt.id)
    assert await till.bill(silent) == ("canceled", "unpaid")
    canceled = [form["OrderID"] for form in till.stores.forms if form["act"] == "CvsCancel"]
    withdrawn = (orders[gone.bill_id].reference, second.reference)
    assert [canceled.count(one) for one in withdrawn] == [1, 1]
