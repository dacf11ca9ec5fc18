"""Bills on their ladders: the next message at its time, once, and none after the payment."""

from datetime import timedelta
from functools import partial

import pytest

from portal.contract.bills import (
    CANCEL_BILL,
    RESEND_MESSAGE,
    VIEW_BILL,
    CancelBill,
    ResendMessage,
    ViewBill,
)
from portal.contract.ladder import SET_LADDER, SetLadder
from portal.contract.pause import PLACE_PAUSE, RELEASE_PAUSE, PlacePause, ReleasePause
from portal.contract.template import TRY_TEMPLATE, TryTemplate
from portal.domain.bill import BillSums
from portal.domain.errors import Conflict, InvalidInput, NotFound, Refused
from portal.domain.ids import BillId
from portal.domain.ladder import DEFAULT, Hours, Plan, Rung
from portal.vault.ladder import failed, look_again
from portal.vault.ledger import settle
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, line, new_desk, result
from tests.make.ladder import Steps
from tests.make.vault import ClientFor

FIRST = ("first", 0, "sms")
MAIL = ("ladder", 1, "email")
BEFORE = ("ladder", 2, "sms")
AFTER = ("ladder", 3, "sms")
BY_MAIL = {"email": "taro@example.jp"}
NEVER_QUIET = Hours(quiet_from=Hours().quiet_until, per_day=9, per_week=9)


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    return Steps(await new_desk(vault, client_for))


def days(number: int) -> timedelta:
    return timedelta(days=number)


async def test_a_bill_goes_up_its_ladder_once_however_often_one_looks(steps: Steps) -> None:
    await steps.road("email")
    await steps.desk.issued(line(**BY_MAIL))
    told = [FIRST]
    for day, more in (
        (DUE_ON - days(19), None), (DUE_ON - days(16), MAIL), (DUE_ON - days(3), BEFORE),
        (DUE_ON + days(1), None), (DUE_ON + days(2), AFTER), (DUE_ON + days(9), None),
    ):  # fmt: skip
        told += [more] if more else []

        assert await steps.at(day) == bool(more)
        assert await steps.look() == 0

        assert await steps.told() == told
    assert await steps.standing() == ("", "", False)


async def test_who_has_opened_the_bill_gets_no_second_message_but_is_reminded(
    steps: Steps,
) -> None:
    await steps.road("email")
    await steps.desk.issued(line(**BY_MAIL))
    await steps.set("update bill set opened_at = now() where id = $1", await steps.bill())

    assert await steps.at(DUE_ON - days(15)) == 0
    assert await steps.at(DUE_ON - days(3)) == 1

    assert await steps.told() == [FIRST, BEFORE]
    assert await steps.skipped() == [(1, "email", "opened")]


async def test_the_bills_timeline_says_what_was_skipped_and_what_waits(steps: Steps) -> None:
    await steps.road("email")
    await steps.desk.issued(line(email=""))
    await steps.at(DUE_ON - days(15))
    await steps.at(DUE_ON - days(3), 22)

    request = ViewBill(bill_id=BillId(await steps.bill()))
    events = (await steps.desk.web.call(VIEW_BILL, request, steps.desk.staff)).events

    assert [event.code for event in events if event.code.startswith("ladder.")] == [
        "ladder.held_quiet_hours", "ladder.no_contact",
    ]  # fmt: skip


async def test_who_is_not_reached_by_a_channel_is_told_by_the_next_one_at_once(
    steps: Steps,
) -> None:
    await steps.road("email")
    await steps.desk.issued(line(phone="", **BY_MAIL), line("E-2", email=""))

    await steps.at(DUE_ON - days(19))
    assert await steps.told() == [MAIL]
    assert await steps.skipped() == [(0, "sms", "no_contact")]

    await steps.at(DUE_ON - days(15))
    assert await steps.told("E-2") == [FIRST]
    assert await steps.skipped("E-2") == [(1, "email", "no_contact")]


async def test_a_message_that_comes_back_undelivered_brings_the_next_way_forward(
    steps: Steps,
) -> None:
    await steps.road("email")
    await steps.desk.issued(line(**BY_MAIL))
    assert await steps.desk.send_all("rejected") == 1

    await steps.at(DUE_ON - days(19))

    assert await steps.told() == [FIRST, MAIL]


async def test_days_that_nobody_saw_bring_one_message_and_no_burst(steps: Steps) -> None:
    await steps.road("email")
    await steps.desk.issued(line(**BY_MAIL))

    assert await steps.at(DUE_ON + days(5)) == 1

    assert await steps.told() == [FIRST, AFTER]
    assert len(await steps.skipped()) == 2


async def test_in_quiet_hours_a_rung_waits_and_is_judged_again_in_the_morning(
    steps: Steps,
) -> None:
    await steps.road("email")
    await steps.desk.issued(line(**BY_MAIL), line("E-2", **BY_MAIL))

    assert await steps.at(DUE_ON - days(16), 22) == 0
    assert await steps.standing() == ("quiet_hours", "", True)
    await steps.set("update bill set opened_at = now() where id = $1", await steps.bill("E-2"))
    assert await steps.at(DUE_ON - days(15), 7) == 0
    assert await steps.at(DUE_ON - days(15), 8) == 1

    assert (await steps.told(), await steps.told("E-2")) == ([FIRST, MAIL], [FIRST])


async def test_a_reminder_that_was_planned_is_not_handed_out_in_quiet_hours(steps: Steps) -> None:
    await steps.desk.issued(line())
    await steps.desk.send_all()
    await steps.at(DUE_ON - days(3), 20)
    await steps.calendar.move_to(DUE_ON - days(3), Hours().quiet_from)
    (leased,) = await steps.desk.leases("message.send_chunk")

    late = await steps.desk.report(leased)
    await steps.calendar.move_to(DUE_ON - days(2), Hours().quiet_until)
    early = await steps.desk.report(leased)
    await steps.calendar.move_to(DUE_ON - days(2), Hours().quiet_from)
    refused = await steps.desk.redeem(early.deliveries[0].delivery_id)

    assert (late.deliveries, late.done) == ((), False)
    assert [entry.refused for entry in refused.deliveries] == ["quiet_hours"]


async def test_first_notices_wait_too_once_the_merchant_has_a_plan(steps: Steps) -> None:
    await steps.plan(DEFAULT)
    await steps.calendar.move_to(DUE_ON - days(19), Hours().quiet_from)

    await steps.desk.issued(line())
    assert await steps.told() == []

    assert await steps.at(DUE_ON - days(18), 8) == 1
    assert await steps.told() == [FIRST]


async def test_payment_and_cancel_end_the_ladder_and_stop_what_is_planned(steps: Steps) -> None:
    await steps.desk.issued(line("E-1"), line("E-2"))
    await steps.desk.send_all()
    await steps.at(DUE_ON - days(3))
    bill_id = await steps.bill()
    async with steps.world.act() as act:
        act.closing.add("settled", act.merchant_id, bill_id, "settled", act.business)
        act.closing.add("ladder_paid", act.merchant_id, bill_id)
    request = CancelBill(
        bill_id=BillId(await steps.bill("E-2")), version=2, reason="", idempotency_key="c"
    )
    await steps.desk.web.call(CANCEL_BILL, request, steps.desk.staff)

    assert await steps.standing("E-1") == ("", "paid", False)
    assert await steps.standing("E-2") == ("", "canceled", False)
    assert await steps.desk.send_all() == 0
    assert await steps.at(DUE_ON + days(9)) == 0


async def test_a_bill_that_is_owed_again_goes_on_up_its_ladder(steps: Steps) -> None:
    await steps.desk.issued(line())
    await steps.at(DUE_ON - days(3))
    bill_id = await steps.bill()
    async with steps.world.act() as act:
        await settle(act, bill_id, "unpaid", BillSums(in_transit=8420, taken=8420, paid=8420))
    paid = await steps.standing()
    told_while_paid = await steps.at(DUE_ON + days(1))
    async with steps.world.act() as act:
        await settle(act, bill_id, "reversed", BillSums(receivable=8420))

    assert (paid, told_while_paid) == (("", "paid", False), 0)
    assert await steps.standing() == ("", "", True)
    assert await steps.at(DUE_ON + days(2)) == 1
    assert await steps.told() == [FIRST, BEFORE, AFTER]


async def test_a_paused_bill_waits_and_goes_on_when_the_pause_is_over(steps: Steps) -> None:
    await steps.desk.issued(line())
    pause = PlacePause(
        bill_id=BillId(await steps.bill()), kind="hold", until=None, note="", idempotency_key="p"
    )
    await steps.desk.web.call(PLACE_PAUSE, pause, steps.desk.staff)

    assert await steps.at(DUE_ON - days(3)) == 0
    assert await steps.standing() == ("paused", "", False)

    release = ReleasePause(bill_id=BillId(await steps.bill()), idempotency_key="r")
    await steps.desk.web.call(RELEASE_PAUSE, release, steps.desk.staff)
    assert await steps.look() == 1
    assert await steps.told() == [FIRST, BEFORE]


async def test_one_person_with_many_bills_is_told_no_more_often_than_the_plan_says(
    steps: Steps,
) -> None:
    await steps.plan(
        Plan(ladders=DEFAULT.ladders, hours=Hours(quiet_from=Hours().quiet_until, per_week=3))
    )
    await steps.desk.issued(*(line(f"E-{number}") for number in range(6)))
    await steps.desk.send_all()

    planned = [await steps.at(DUE_ON - days(3) + days(day)) for day in range(3)]

    assert planned == [2, 1, 0]
    assert await steps.world.value("select count(*) from ladder where held = 'cap'") == 3


async def test_a_debit_that_failed_is_told_of(steps: Steps) -> None:
    await steps.desk.issued(line())
    await steps.at(DUE_ON - days(18))
    bill_id = await steps.bill()
    async with steps.world.act() as act:
        await failed(act, [bill_id])

    assert await steps.look() == 1
    assert await steps.told() == [FIRST, ("ladder", 4, "sms")]


async def test_a_plan_holds_for_bills_issued_since_and_its_hours_for_all(steps: Steps) -> None:
    await steps.desk.issued(line("E-1"))
    soon = Plan(
        ladders={
            "": (Rung(when="issue", channel="sms"),),
            "monthly": (
                Rung(when="issue", channel="sms"),
                Rung(when="after_issue", days=1, channel="sms", unless="opened"),
            ),
        },
        hours=NEVER_QUIET,
    )
    assert await steps.plan(soon) == 1
    assert await steps.plan(soon) == 1
    await steps.desk.issued(line("E-2"), line("E-3", kind="once"))

    assert await steps.at(DUE_ON - days(18), 0) == 1  # a day after it, whatever hour it is now
    assert await steps.at(DUE_ON - days(3), 23) == 1

    assert await steps.told("E-1") == [FIRST, BEFORE]
    assert await steps.told("E-2") == [FIRST, ("ladder", 1, "sms")]
    assert (await steps.told("E-3"), await steps.standing("E-3")) == ([FIRST], ("", "done", False))


async def test_a_plan_is_set_by_the_operator_alone_and_only_one_that_makes_sense(
    steps: Steps,
) -> None:
    desk = steps.desk
    with pytest.raises(InvalidInput, match="ladder_plan"):
        await desk.operator.call(SET_LADDER, SetLadder(merchant_code=desk.code, plan=b"{"))
    request = SetLadder(merchant_code="nobody", plan=b'{"ladders": {"": []}}')
    with pytest.raises(NotFound, match="merchant_unknown"):
        await desk.operator.call(SET_LADDER, request)
    with pytest.raises(Refused):
        await desk.web.call(SET_LADDER, SetLadder(merchant_code=desk.code, plan=b"{}"))


async def call_ends(steps: Steps, code: str) -> None:
    """The newest call of the bill reached nobody."""
    bill_id = await steps.bill()
    async with steps.world.act() as act:
        await act.db.execute(
            "update delivery set state = 'undelivered', code = $2"
            " where bill_id = $1 and channel = 'voice' and state = 'planned'",
            bill_id,
            code,
        )
        await look_again(act, [bill_id])


async def test_who_was_not_there_is_called_again_at_other_hours_and_then_told_otherwise(
    steps: Steps,
) -> None:
    rungs = (
        Rung(when="issue", channel="sms"),
        Rung(when="after_issue", days=3, channel="voice"),
        Rung(when="after_issue", days=9, channel="email"),
    )
    await steps.plan(Plan(ladders={"": rungs}))
    for channel in ("voice", "email"):
        await steps.road(channel)
    await steps.desk.issued(line(**BY_MAIL))
    await steps.at(DUE_ON - days(19), 9)
    told = await steps.told()
    day = DUE_ON - days(16)

    assert await steps.at(day, 19) == 1
    await call_ends(steps, "call_no_answer")
    # Three hours later nobody may be called: the second call comes in the morning.
    assert [await steps.at(day, 20), await steps.at(day, 23)] == [0, 0]
    assert (await steps.standing())[0] == "quiet_hours"
    assert await steps.at(day + days(1), 8) == 1
    assert await steps.look() == 0
    await call_ends(steps, "call_no_answer")
    assert [await steps.at(day + days(2), hour) for hour in (9, 11)] == [0, 1]
    await call_ends(steps, "call_no_answer")
    assert await steps.look() == 1  # nobody was disturbed, so the mail needs no other day

    calls = [("ladder", 1, "voice"), ("ladder", 13, "voice"), ("ladder", 25, "voice")]
    assert await steps.told() == [*told, *calls, ("ladder", 2, "email")]
    await steps.at(day + days(6))
    assert await steps.standing() == ("", "done", False)


async def test_no_telephone_rings_at_night_or_after_its_owner_said_no_whoever_asks(
    steps: Steps,
) -> None:
    await steps.road("voice")
    await steps.desk.issued(line())
    await steps.desk.send_all()
    resend = partial(ResendMessage, channel="voice", bill_id=BillId(await steps.bill()))
    await steps.at(DUE_ON - days(19), 23)

    with pytest.raises(Conflict, match="call_at_night"):
        await steps.desk.web.call(RESEND_MESSAGE, resend(idempotency_key="k-1"), steps.desk.staff)
    trial = TryTemplate(
        channel="voice", language="ja", occasion="first", subject="{merchant}",
        body="{month} {amount} {due}", phone="03-9999-0000", idempotency_key="t-1",
    )  # fmt: skip
    with pytest.raises(Conflict, match="call_at_night"):
        await steps.desk.web.call(TRY_TEMPLATE, trial, steps.desk.staff)
    await steps.at(DUE_ON - days(18), 10)
    await steps.desk.web.call(TRY_TEMPLATE, trial, steps.desk.staff)
    await trial_is_late(steps)
    await steps.at(DUE_ON - days(18), 10)
    await steps.desk.web.call(RESEND_MESSAGE, resend(idempotency_key="k-2"), steps.desk.staff)
    (leased,) = await steps.desk.leases("message.send_chunk")
    await steps.at(DUE_ON - days(18), 22)
    assert (await steps.desk.report(leased)).deliveries == ()
    await steps.at(DUE_ON - days(17), 10)
    await steps.say(channel="voice", kind="transactional", is_wanted=False)
    assert (await steps.desk.report(leased)).done

    calls = await steps.world.rows("select state, code from delivery where channel = 'voice'")
    assert [tuple(row.values()) for row in calls] == [("left_out", "opted_out")]
    with pytest.raises(Conflict, match="calls_stopped"):
        await steps.desk.web.call(RESEND_MESSAGE, resend(idempotency_key="k-3"), steps.desk.staff)


async def trial_is_late(steps: Steps) -> None:
    """A trial whose company was away: it rings neither at night nor without its words, and ends."""
    (leased,) = await steps.desk.leases("message.send_chunk")
    over = "update message_trial set asked_at = asked_at - interval '1 day'"
    forgotten = "update message_trial set asked_at = now(), words = null"
    refusals: list[str | None] = []
    await steps.at(DUE_ON - days(18), 22)
    (route,) = (await steps.desk.report(leased)).deliveries
    for by_now in ("select", over, forgotten):
        async with steps.world.act() as act:
            await act.db.execute(by_now)
        given = await steps.desk.redeem(route.delivery_id, host="card.sandbox.test")
        refusals.append(given.deliveries[0].refused)
        await steps.at(DUE_ON - days(17), 10)
        last = await steps.desk.report(
            leased, [result(route.delivery_id, "busy", "delivery_refused")]
        )

    assert refusals == ["quiet_hours", "not_due", "not_due"]
    assert last.done
    assert await steps.world.rows("select state from message_trial") == [{"state": "failed"}]
