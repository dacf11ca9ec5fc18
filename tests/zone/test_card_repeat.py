"""A charge that its company was too busy for: sent once more, and never a second charge."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.application.providers import registry
from portal.contract.card_on_file import (
    BEGIN_CHARGE,
    RECORD_CHARGE,
    REDEEM_INSTRUMENT,
    BeginCharge,
    ChargeBegun,
    RecordCharge,
    RedeemInstrument,
)
from portal.contract.work import TAKE_LEASE, Leased, TakeLease
from portal.domain import card_on_file as rules
from portal.domain.ids import CardChargeId, TaskId
from portal.sandbox import magic
from portal.vault.server import VaultServer
from tests.make.cards import CHARGES, CardDesk, a_card_desk
from tests.make.money import AMOUNT, Payer, finding
from tests.make.vault import Ground

AMOUNT_OF = {fault: amount for amount, fault in magic.AMOUNTS.items()}
HOST = "card.sandbox.test"


@pytest.fixture
async def desk(ground: Ground, vault: VaultServer) -> AsyncGenerator[CardDesk]:
    async with a_card_desk(ground, vault) as found:
        yield found


async def chosen(desk: CardDesk, amount: int = AMOUNT) -> Payer:
    """A bill whose charge waits for a worker."""
    await desk.enrolled()
    bill = await desk.payer(due=desk.day(20), amount=amount)
    await desk.begin(desk.day(20))
    await desk.shop.work_off({"charge.choose"})
    return bill


async def attempts_of(desk: CardDesk, bill: Payer) -> list[Any]:
    return await desk.world.rows(
        "select id, state, reference from attempt where bill_id = $1", bill.bill_id
    )


async def leased(desk: CardDesk) -> Leased:
    """The lease of the one charge that waits."""
    await desk.shop.be_due()
    job = await desk.sending()
    taking = TakeLease(task_id=TaskId(job.task_id), attempt=job.attempt, worker="test")
    return await desk.world.work.call(TAKE_LEASE, taking)


async def begun(desk: CardDesk, lease: Leased) -> ChargeBegun:
    request = BeginCharge(charge_id=CardChargeId(lease.subject_id))
    return await desk.world.work.call(BEGIN_CHARGE, request, lease.authority)


async def redeemed(desk: CardDesk, sent: ChargeBegun) -> str | None:
    """What the relay is told when it asks for the card: why it does not get it, if so."""
    request = RedeemInstrument(host=HOST, attempt_id=sent.attempt_id)
    relay = await desk.shop.ground.client("egress")
    return (await relay.call(REDEEM_INSTRUMENT, request)).refused


async def denied(desk: CardDesk, lease: Leased, sent: ChargeBegun, **said: str) -> str:
    """A worker says that the company was too busy, true or not; the attempt's state then."""
    word: dict[str, Any] = {"outcome": "refused", "provider_ref": "", "code": "provider_busy"}
    request = RecordCharge(
        charge_id=CardChargeId(lease.subject_id), attempt_id=sent.attempt_id, **(word | said)
    )
    return (await desk.world.work.call(RECORD_CHARGE, request, lease.authority)).state


async def test_a_charge_that_its_company_was_too_busy_for_is_taken_the_same_day(
    desk: CardDesk,
) -> None:
    bill = await chosen(desk, AMOUNT_OF["busy_once"])
    await desk.shop.work_off(CHARGES)
    [before] = await attempts_of(desk, bill)
    assert (before["state"], await desk.charge(bill)) == ("unknown", ("again", "provider_busy"))

    await desk.shop.be_due()
    await desk.shop.work_off(CHARGES)
    await desk.ask()

    [after] = await attempts_of(desk, bill)
    assert (after["id"], after["reference"]) == (before["id"], before["reference"])
    assert desk.at_company()[1:] == [(AMOUNT_OF["busy_once"], "succeeded")]
    assert await desk.world.settlement(bill.bill_id) == "settled"
    assert await desk.world.value("select count(*) from task where kind = 'charge.send'") == 0


async def test_a_company_that_stays_busy_is_tried_so_often_and_then_only_asked(
    desk: CardDesk,
) -> None:
    bill = await chosen(desk, AMOUNT_OF["busy"])

    for _ in range(rules.TRIES_MAX + 2):
        await desk.shop.work_off(CHARGES)
        await desk.shop.be_due()

    [attempt] = await attempts_of(desk, bill)
    assert (attempt["state"], await desk.charge(bill)) == ("unknown", ("redeemed", None))
    assert await desk.world.value("select tries from card_charge") == rules.TRIES_MAX
    assert len(desk.at_company()) == 1


async def test_a_denial_of_what_was_taken_leads_to_one_charge_whoever_is_quicker(
    desk: CardDesk,
) -> None:
    bill = await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    assert await redeemed(desk, sent) is None
    assert await denied(desk, lease, sent) == "unknown"
    assert await desk.charge(bill) == ("again", "provider_busy")

    lease = await leased(desk)
    again = await begun(desk, lease)
    assert (again.fresh, again.reference) == (True, sent.reference)
    assert await redeemed(desk, again) is None
    assert await redeemed(desk, again) == "delivery_redeemed"
    # The company knows the reference, and says so: that is no answer about the money.
    assert await denied(desk, lease, again, outcome="unknown", code="") == "unknown"
    await desk.world.told(bill, UUID(str(sent.attempt_id)), finding("succeeded"))

    assert await desk.world.settlement(bill.bill_id) == "settled"
    assert len(await attempts_of(desk, bill)) == 1


async def test_what_an_inquiry_has_found_is_not_sent_once_more(desk: CardDesk) -> None:
    bill = await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    await redeemed(desk, sent)
    await denied(desk, lease, sent)
    lease = await leased(desk)
    await desk.world.told(bill, UUID(str(sent.attempt_id)), finding("succeeded"))

    assert await redeemed(desk, sent) == "not_due"
    assert not (await begun(desk, lease)).fresh
    assert await redeemed(desk, sent) == "delivery_redeemed"
    assert await desk.charge(bill) == ("redeemed", None)


async def age(desk: CardDesk, sent: ChargeBegun, of: timedelta) -> None:
    """Let so much time pass since the attempt was made, which nobody can turn back."""
    await desk.world.rows(
        "update attempt set created_at = created_at - $2::interval where id = $1 returning id",
        UUID(str(sent.attempt_id)), of,
    )  # fmt: skip


async def test_what_its_company_may_have_forgotten_is_not_sent_again_by_a_late_worker(
    desk: CardDesk,
) -> None:
    bill = await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    assert await redeemed(desk, sent) is None
    await denied(desk, lease, sent)
    await age(desk, sent, timedelta(hours=25))

    lease = await leased(desk)

    assert not (await begun(desk, lease)).fresh
    assert await desk.charge(bill) == ("redeemed", None)
    assert await redeemed(desk, sent) == "delivery_redeemed"
    assert [one["state"] for one in await attempts_of(desk, bill)] == ["unknown"]


async def test_a_worker_that_holds_a_repeat_back_gets_no_card_for_it_later(
    desk: CardDesk,
) -> None:
    await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    assert await redeemed(desk, sent) is None
    await denied(desk, lease, sent)
    lease = await leased(desk)
    assert (await begun(desk, lease)).fresh

    await age(desk, sent, timedelta(hours=25))

    assert await redeemed(desk, sent) == "not_due"


async def test_not_found_from_before_a_repeat_says_nothing_about_it(desk: CardDesk) -> None:
    bill = await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    attempt_id = UUID(str(sent.attempt_id))
    await redeemed(desk, sent)
    await denied(desk, lease, sent)
    await desk.world.age(attempt_id, 4 * 60)
    await desk.world.told(bill, attempt_id, finding("not_found", 0))
    lease = await leased(desk)
    again = await begun(desk, lease)
    await redeemed(desk, again)

    await desk.world.told(bill, attempt_id, finding("not_found", 0))

    row = (
        await desk.world.rows(
            "select state, doubt_at, missing_at from attempt where id = $1", attempt_id
        )
    )[0]
    assert (row["state"], row["missing_at"]) == ("unknown", None)
    assert desk.world.server.clock.wall() - row["doubt_at"] < timedelta(hours=1)


async def test_a_bill_that_is_held_meanwhile_is_not_charged_by_a_repeat(desk: CardDesk) -> None:
    bill = await chosen(desk)
    lease = await leased(desk)
    sent = await begun(desk, lease)
    await redeemed(desk, sent)
    await denied(desk, lease, sent)
    await desk.world.rows(
        "insert into pause (merchant_id, id, bill_id, kind, until, placed_by, placed_at) values"
        " ($1, gen_random_uuid(), $2, 'hold', $3, 'system', now()) returning id",
        desk.world.merchant_id, bill.bill_id, desk.day(30),
    )  # fmt: skip

    lease = await leased(desk)

    assert not (await begun(desk, lease)).fresh
    assert await desk.charge(bill) == ("redeemed", "paused")
    assert [one["state"] for one in await attempts_of(desk, bill)] == ["unknown"]


def test_only_companies_that_say_so_are_sent_a_charge_twice() -> None:
    say_so = {name for name, can in registry.CAPABILITIES.items() if can.charge_repeat_is_safe}

    assert say_so == rules.REPEAT_IS_SAFE
    assert rules.REPEAT_IS_SAFE <= rules.ENROLS
    hour = timedelta(hours=1)
    assert rules.is_repeated("stripe", 1, hour)
    assert not rules.is_repeated("gmopg", 1, hour)
    assert not rules.is_repeated("stripe", rules.TRIES_MAX, hour)
    assert not rules.is_repeated("stripe", 1, rules.REPEATED_WITHIN)
    assert not rules.is_known_yet(rules.REPEATED_WITHIN)
