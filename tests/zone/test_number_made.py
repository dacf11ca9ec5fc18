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
from portal.contract.number import SET_NUMBER, PayerRedeemed, SetNumber
from portal.contract.payment import AttemptNow
from portal.domain.ids import AttemptId
from portal.vault.server import VaultServer
from tests.make.companies import behind_a_relay
from tests.make.gmopg_stores import Stores
from tests.make.money import Payer, World, new_world
from tests.make.provider import HOST
from tests.make.relay import Relay
from tests.make.vault import Ground

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

    async def dies(self, point: str, payer: Payer, attempt: str = "") -> None:
        """A web process presses the button, or withdraws, and is killed at a point."""
        endpoint, authority = self.desk.endpoints["gmopg"], self.ground.authority
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.make.one_number", str(self.ground.folder),
            *[str(path) for path in (*authority.zone("web"), authority.ca)],
            str(self.relay.settings.socket), f"gmopg={endpoint.host}:{endpoint.port}/shop",
            attempt, msgspec.json.encode(payer.authority).decode(),
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
        yield Till(world, replace(desk, vault=world.web), stores, ground, relay)


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
    await till.dies("web.after_submission", payer)
    [kept] = await till.world.rows("select id, state from attempt")
    assert kept["state"] == "submitting"
    await till.asked(kept["id"])

    now = await till.press(payer)
    assert (now.attempt.id, now.attempt.state) == (kept["id"], "requires_action")
    assert now.attempt.number is not None
    assert list(till.stores.status.values()) == ["REQSUCCESS"]

    await till.dies("web.after_withdrawal", payer, now.attempt.id.hex)
    assert list(till.stores.status.values()) == ["CANCEL"]
    [held] = await till.world.rows("select state from attempt")
    assert held["state"] == "requires_action"
    await till.asked(kept["id"])
    [freed] = await till.world.rows("select state from attempt")
    assert freed["state"] == "expired"
