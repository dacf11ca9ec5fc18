"""What keeps messages back: money on its way, staff who hold an import's, the hour."""

from datetime import timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from portal.contract.bills import RESEND_MESSAGE, ResendMessage
from portal.contract.sending import STEER_SENDING, SteerSending
from portal.domain.ids import BillId, ImportId
from portal.domain.ladder import DEFAULT, Hours, Plan
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, line, new_desk
from tests.make.ladder import Steps
from tests.make.vault import ClientFor, Ground

FIRST = ("first", 0, "sms")
RESENT = ("resent", 0, "sms")
MAIL = ("ladder", 1, "email")
BEFORE = ("ladder", 2, "sms")
AFTER = ("ladder", 3, "sms")
BY_MAIL = {"email": "taro@example.jp"}

_ATTEMPT = """
insert into attempt (merchant_id, id, bill_id, method, provider, reference, state, version,
                     amount_minor, created_at, state_at, doubt_at)
values ($1, $2, $2, 'bank_debit', 'sandbox_bank', 'r', $3, 1, 100, now(), now(), now())
"""


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    return Steps(await new_desk(vault, client_for))


def days(number: int) -> timedelta:
    return timedelta(days=number)


async def steer(steps: Steps, import_id: UUID, act: Literal["pause", "resume", "cancel"]) -> None:
    request = SteerSending(import_id=ImportId(import_id), act=act, idempotency_key=steps.desk.key())
    await steps.desk.web.call(STEER_SENDING, request, steps.desk.staff)


@pytest.mark.parametrize("state", ["submitting", "processing", "unknown"])
async def test_nobody_is_told_to_pay_while_a_payment_is_on_its_way(
    steps: Steps, state: str
) -> None:
    await steps.desk.issued(line())
    await steps.desk.send_all()
    bill_id = await steps.bill()
    await steps.set(_ATTEMPT, steps.desk.merchant_id, bill_id, state)

    assert await steps.at(DUE_ON - days(3)) == 0
    assert await steps.at(DUE_ON + days(2)) == 0
    assert await steps.standing() == ("waits", "", True)

    await steps.set("update attempt set state = 'failed' where id = $1", bill_id)
    assert await steps.at(DUE_ON + days(3)) == 1
    assert await steps.told() == [FIRST, AFTER]


async def test_a_payment_that_waits_for_its_payer_holds_no_message_back(steps: Steps) -> None:
    await steps.desk.issued(line())
    await steps.desk.send_all()
    await steps.set(_ATTEMPT, steps.desk.merchant_id, await steps.bill(), "requires_action")

    assert await steps.at(DUE_ON - days(3)) == 1


async def test_no_rung_overtakes_a_first_notice_that_staff_hold(steps: Steps) -> None:
    await steps.road("email")
    held = await steps.desk.issued(line("E-1", **BY_MAIL))
    await steps.desk.issued(line("E-2", **BY_MAIL))
    await steer(steps, held.id, "pause")

    assert await steps.at(DUE_ON - days(16)) == 1
    assert (await steps.told("E-1"), await steps.told("E-2")) == ([FIRST], [FIRST, MAIL])
    assert await steps.standing("E-1") == ("paused", "", True)

    await steer(steps, held.id, "resume")
    assert await steps.at(DUE_ON - days(15)) == 1
    assert await steps.told("E-1") == [FIRST, MAIL]


async def test_first_notices_that_wait_for_the_morning_are_held_with_their_import(
    steps: Steps,
) -> None:
    await steps.plan(DEFAULT)
    await steps.calendar.move_to(DUE_ON - days(19), Hours().quiet_from)
    held = await steps.desk.issued(line())
    await steer(steps, held.id, "pause")

    assert await steps.at(DUE_ON - days(18), 8) == 1
    (leased,) = await steps.desk.leases("message.send_chunk")

    assert (await steps.desk.report(leased)).paused
    await steer(steps, held.id, "cancel")
    assert (await steps.desk.report(leased)).done
    assert await steps.world.value("select code from delivery") == "sending_canceled"


async def test_a_channel_that_reached_its_payer_since_is_used_again(steps: Steps) -> None:
    await steps.desk.issued(line())
    assert await steps.desk.send_all("rejected") == 1
    request = ResendMessage(bill_id=BillId(await steps.bill()), idempotency_key="again")
    await steps.desk.web.call(RESEND_MESSAGE, request, steps.desk.staff)
    assert await steps.desk.send_all() == 1

    assert await steps.at(DUE_ON - days(3)) == 1

    assert await steps.told() == [FIRST, RESENT, BEFORE]


@pytest.mark.parametrize("is_production", [True, False])
async def test_a_chunk_that_the_hour_holds_sleeps_until_it_ends_where_no_clock_is_moved(
    ground: Ground, *, is_production: bool
) -> None:
    async with ground.vault(production=is_production) as server:
        steps = Steps(await new_desk(server, ground.client))
        await steps.desk.issued(line())
        zone = ZoneInfo(await steps.world.value("select zone from merchant"))
        now = SystemClock().wall().astimezone(zone)
        quiet = Hours(
            quiet_from=(now - timedelta(hours=1)).time(),
            quiet_until=(now + timedelta(hours=2)).time(),
        )
        await steps.plan(Plan(ladders=DEFAULT.ladders, hours=quiet))
        (leased,) = await steps.desk.leases("message.send_chunk")

        part = await steps.desk.report(leased)

    assert (part.deliveries, part.done, part.paused) == ((), False, False)
    assert (3_600 < part.quiet_s <= 7_200) == is_production
    assert (part.quiet_s == 0) != is_production
