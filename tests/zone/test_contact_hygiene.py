"""Contacts that are somebody else's or reach nobody: said, suspected, listed, cleared."""

from typing import Any

import pytest

from portal.contract.envelope import Nothing
from portal.contract.hygiene import (
    CLEAR_CONTACT,
    COUNT_CONTACT_PROBLEMS,
    DENY_BILL,
    LIST_CONTACT_PROBLEMS,
    ClearContact,
    ListContactProblems,
)
from portal.contract.page import VIEW_PAGE
from portal.contract.share import ViewPage
from portal.domain.errors import Conflict, NotFound
from portal.domain.hygiene import Problem
from portal.domain.ids import BillId
from portal.domain.ladder import Plan, Rung
from portal.vault.call import wrong_before
from portal.vault.contact_faults import read_faulty
from tests.make.intake import line, result
from tests.make.ladder import Steps
from tests.zone.test_going_digital import bill, look_at, state, steer
from tests.zone.test_ladder import days
from tests.zone.test_paper import FIRST_DAY, PLAN, posted, steps, wanted

__all__ = ["steps"]


async def problems(steps: Steps, problem: Problem, first: int = 9, **more: Any) -> list[Any]:  # noqa: ANN401
    request = ListContactProblems(problem=problem, first=first, **more)
    page = await steps.desk.web.call(LIST_CONTACT_PROBLEMS, request, steps.desk.staff)
    if page.has_next:
        return [*page.problems, *await problems(steps, problem, first, after=page.end_cursor)]
    return list(page.problems)


async def clear(steps: Steps, number: str, channel: Any = "sms") -> None:  # noqa: ANN401
    request = ClearContact(
        bill_id=BillId(await steps.bill(number)), channel=channel, reason="confirmed"
    )
    await steps.desk.web.call(CLEAR_CONTACT, request, steps.desk.staff)


async def test_who_got_a_message_for_somebody_else_says_so_once_and_gets_no_more(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    await steer(steps, "E-1", "agree")
    stranger = await look_at(steps, "E-1")
    await steer(steps, "E-1", "convert")
    await bill(steps, "E-2", period="2026-08")
    web = steps.desk.web

    for _ in range(2):
        await web.call(DENY_BILL, Nothing(), stranger)

    assert await steps.world.cases() == ["contact_denied"]
    assert (await state(steps))[:2] == ("paper", "not_theirs")
    page = (await web.call(VIEW_PAGE, ViewPage(), stranger)).billing
    assert (page.is_denied, page.may_deny) == (True, False)
    # What was planned already is left out when it is redeemed, for every bill of the contract.
    assert await steps.desk.send_all() == 1
    left = await steps.world.rows("select code from delivery where state = 'left_out'")
    assert [row["code"] for row in left] == ["contact_faulty"]
    await steps.at(FIRST_DAY + days(1))
    assert set(await wanted(steps)) == {"E-1", "E-2"}
    [found] = await problems(steps, "doubted")
    assert (found.bill_number, found.contact, found.code) == ("E-1", "phone", "denied")
    assert found.hint == "080-****-4444"
    await steer(steps, "E-1", "agree")
    with pytest.raises(Conflict, match="billing_unverified"):
        await steer(steps, "E-1", "convert")

    await clear(steps, "E-1")
    assert await problems(steps, "doubted") == []
    with pytest.raises(Conflict, match="contact_sound"):
        await clear(steps, "E-1")
    await bill(steps, "E-3", period="2026-09")
    assert await steps.desk.send_all() == 1
    assert await steps.told("E-3") == [("first", 0, "sms")]


async def test_what_came_back_is_listed_and_once_it_is_cleared_the_next_message_goes_there(
    steps: Steps,
) -> None:
    mail = "taro@example.jp"
    await posted(steps, line("E-1", phone="", email=mail), line("E-2", phone="", email=mail))
    await steps.set(
        "insert into contact_fault (merchant_id, channel, blind, code, at)"
        " select merchant_id, 'email', email_blind, 'bounced', $1 from bill where number = 'E-1'",
        steps.world.server.clock.business_now(),
    )
    [found] = await problems(steps, "faulty")
    assert (found.bill_number, found.hint, found.code) == ("E-2", "t***@example.jp", "bounced")

    with pytest.raises(Conflict, match="no_channel"):
        await clear(steps, "E-1", "sms")
    await clear(steps, "E-1", "email")
    assert await problems(steps, "faulty") == []
    assert await steps.at(FIRST_DAY + days(1)) == 2
    assert await steps.told("E-2") == [("ladder", 1, "email")]


async def test_a_payer_with_neither_number_nor_address_is_cleared_for_their_devices(
    steps: Steps,
) -> None:
    await posted(steps, line("E-1", phone="", email=""))
    with pytest.raises(Conflict, match="contact_sound"):
        await clear(steps, "E-1", "email")
    doubt = (
        "insert into contact_doubt (merchant_id, contract_blind, contact, why, bill_id, at)"
        " select merchant_id, contract_blind, customer_blind, 'denied', id, $1 from bill"
    )
    await steps.set(doubt, steps.world.server.clock.business_now())

    await clear(steps, "E-1", "email")

    open_ones = "select count(*) from contact_doubt where cleared_at is null"
    assert await steps.world.value(open_ones) == 0


async def test_wrong_digits_of_two_calls_about_a_bill_are_counted_one_after_the_other(
    steps: Steps,
) -> None:
    await posted(steps, line("E-1"))
    bill_id = await steps.bill("E-1")
    free = "select id from bill where id = $1 for update skip locked"

    async with steps.world.act() as one:
        assert await wrong_before(one, bill_id, bill_id) == 0
        assert await steps.world.value(free, bill_id) is None
    assert await steps.world.value(free, bill_id) == bill_id


async def test_what_arrived_before_a_contact_was_cleared_stays_arrived(steps: Steps) -> None:
    mail = Rung(when="after_issue", days=3, channel="email", unless="delivered")
    await steps.plan(Plan(ladders={"": (PLAN.ladders[""][0], mail)}, hours=PLAN.hours))
    await posted(steps, line("E-1", email="taro@example.jp"))
    await steps.set("update delivery set state = 'delivered'")
    await steps.set(
        "insert into contact_fault (merchant_id, channel, blind, code, at)"
        " select merchant_id, 'voice', phone_blind, 'bounced', $1 from bill",
        steps.world.server.clock.business_now(),
    )
    await steps.set("insert into contact_fault select merchant_id, 'sms', blind, code, at"
                    " from contact_fault")  # fmt: skip

    # The number is cleared, by whatever way it was known to be faulty.
    await clear(steps, "E-1")

    assert await problems(steps, "faulty") == []
    assert await steps.at(FIRST_DAY + days(5)) == 0
    assert await steps.skipped() == [(1, "email", "delivered")]


async def test_who_came_by_a_notification_and_says_no_gets_none_of_that_contract(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    await look_at(steps, "E-1")
    await steps.set("update delivery set channel = 'push'")
    await steps.set(
        "insert into link (merchant_id, secret_hash, bill_id, delivery_id, created_at, expires_at)"
        " select merchant_id, sha256('pushed'::bytea), bill_id, id, now(), now() + interval '1 day'"
        " from delivery"
    )
    stranger = await steps.world.open(await steps.bill(), "pushed")

    await steps.desk.web.call(DENY_BILL, Nothing(), stranger.authority)

    async def faulty() -> set[str]:
        async with steps.world.act() as act:
            return {channel for channel, _ in await read_faulty(act, [await steps.bill()])}

    assert await faulty() == {"push", "sms", "voice"}
    [found] = await problems(steps, "doubted")
    assert found.bill_number == "E-1"
    await clear(steps, "E-1")
    assert await faulty() == set()
    assert await problems(steps, "doubted") == []


async def test_a_worker_can_judge_no_contact_that_nothing_was_sent_to(steps: Steps) -> None:
    await posted(steps, line("E-1"))
    for leased in await steps.desk.leases("message.send_chunk"):
        [route] = (await steps.desk.report(leased)).deliveries
        said = result(route.delivery_id, "rejected", "number_unknown")
        await steps.desk.report(leased, [said])

    assert await steps.world.rows("select * from contact_fault") == []


async def test_a_number_that_was_anothers_and_one_on_many_contracts_are_suspected_and_go_on(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    await look_at(steps, "E-1")
    await steps.set("update bill set issued_at = issued_at - interval '200 days'")
    await posted(steps, line("N-1", phone="080-4444-4444", customer_no="0555"))
    await posted(steps, *(line(f"S-{n}", phone="080-7777-7777") for n in range(5)))
    await posted(steps, line("P-1", phone=""))
    await steps.at(FIRST_DAY + days(1))

    assert [one.bill_number for one in await problems(steps, "recycled")] == ["N-1"]
    [shared] = await problems(steps, "shared")
    assert (shared.hint, shared.contracts) == ("080-****-7777", 5)
    assert [one.bill_number for one in await problems(steps, "missing", first=1)] == ["P-1"]
    assert await steps.told("N-1") == [("first", 0, "sms")]
    counts = await steps.desk.web.call(COUNT_CONTACT_PROBLEMS, Nothing(), steps.desk.staff)
    assert {one.problem: one.count for one in counts.counts} == {
        "faulty": 0, "doubted": 0, "recycled": 1, "shared": 1, "missing": 1,
    }  # fmt: skip

    await clear(steps, "S-1")
    assert await problems(steps, "shared") == []
    with pytest.raises(NotFound):
        await steps.desk.web.call(
            CLEAR_CONTACT,
            ClearContact(bill_id=BillId(steps.desk.merchant_id), channel="sms", reason="mistake"),
            steps.desk.staff,
        )
