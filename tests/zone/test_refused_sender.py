"""What a company refuses of one merchant's sender stops that merchant's road and nobody else's."""

from datetime import timedelta

import pytest

from portal.contract.case import SETTLE_CASE, SettleCase
from portal.contract.message import SET_CHANNEL, DeliveryRoute, SendResult, SetChannel, Slice
from portal.contract.work import FAIL_TASK, FailTask, Leased
from portal.domain.errors import LimitReached
from portal.domain.ids import CaseId
from portal.domain.message import TRIES_MAX
from portal.domain.sender_hold import PAUSE_FIRST_S, REFUSALS_MIN
from portal.vault.failover import BUSY_CHUNKS
from portal.vault.server import VaultServer
from tests.make.intake import SMS_HOST, Desk, line, new_desk
from tests.make.money import World
from tests.make.vault import ClientFor, Ground

COUNT = 5
FIRST, SECOND = "sandbox_sms", "sandbox_sms2"


def world_of(desk: Desk) -> World:
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


def refused(route: DeliveryRoute, outcome: str = "busy") -> SendResult:
    return SendResult(
        delivery_id=route.delivery_id, outcome=outcome, provider_ref="",  # type: ignore[arg-type]
        code="sender_refused", is_about_message=False, is_about_sender=True,
    )  # fmt: skip


def taken(route: DeliveryRoute) -> SendResult:
    return SendResult(
        delivery_id=route.delivery_id, outcome="accepted", provider_ref="sm_1", code=""
    )


async def chunk(desk: Desk, prefix: str, rows: int = COUNT) -> Leased:
    """An issued import of so many bills, its one chunk leased."""
    await desk.issued(*(line(f"{prefix}-{number}") for number in range(rows)))
    (leased,) = await desk.leases("message.send_chunk")
    return leased


async def states(desk: Desk) -> list[tuple[str, str, int, int]]:
    rows = await world_of(desk).rows(
        "select provider, state, tries, count(*)::int as count from delivery group by 1, 2, 3"
        " order by 1, 2, 3"
    )
    return [tuple(row.values()) for row in rows]  # type: ignore[misc]


async def change(desk: Desk, statement: str, *arguments: object) -> None:
    async with world_of(desk).act() as act:
        await act.db.execute(statement, desk.merchant_id, *arguments)


async def later(desk: Desk, since: str = "0 seconds") -> None:
    """The next message may ask now, and the stop is older by so much."""
    await change(
        desk,
        "update sender_hold set probe_at = $2, since = since - $3::text::interval"
        " where merchant_id = $1",
        desk.server.clock.wall(),
        since,
    )


async def stop(desk: Desk, leased: Leased, host: str = SMS_HOST) -> Slice:
    """All of a first slice is refused."""
    part = await desk.report(leased)
    await desk.redeem(*(route.delivery_id for route in part.deliveries), host=host)
    return await desk.report(leased, [refused(route) for route in part.deliveries], take=0)


async def ask(desk: Desk, leased: Leased) -> Slice:
    """One message asks, and is refused too."""
    await later(desk)
    part = await desk.report(leased)
    (route,) = part.deliveries
    await desk.redeem(route.delivery_id)
    return await desk.report(leased, [refused(route)], take=0)


async def asked_now(desk: Desk) -> tuple[str, int]:
    """Staff ask from the case whether the stop is over; how it closed, and what woke up."""
    case_id = await world_of(desk).value("select id from case_ where closed_at is null")
    request = SettleCase(
        case_id=CaseId(case_id), action="ask_again", note="", idempotency_key=str(case_id)
    )
    settled = await desk.web.call(SETTLE_CASE, request, desk.staff)
    return settled.case.resolution or "", settled.tasks_planned


async def staff_ask(desk: Desk) -> Leased:
    """They do, while every chunk sleeps, and are refused; the chunk as it is leased then."""
    asleep = "update task set next_at = 'infinity', state = 'open' where merchant_id = $1"
    await change(desk, asleep)
    assert await asked_now(desk) == ("ask_again", 1)
    (leased,) = await desk.leases("message.send_chunk")
    (route,) = (await desk.report(leased)).deliveries
    await desk.redeem(route.delivery_id)
    await desk.report(leased, [refused(route)], take=0)
    return leased


async def restart_road(desk: Desk, provider: str = FIRST, share: int = 100) -> None:
    road = SetChannel(
        merchant_code=desk.code, channel="sms", provider=provider, sender="0005", share=share
    )
    await desk.operator.call(SET_CHANNEL, road)


async def test_a_refused_sender_stops_its_own_merchant_alone_until_one_is_taken(
    vault: VaultServer, client_for: ClientFor
) -> None:
    # given: two merchants on one road, and a company that refuses the sender of the first
    mizu = await new_desk(vault, client_for, "mizu")
    minato = await new_desk(vault, client_for)
    leased = await chunk(minato, "A")
    theirs = await chunk(mizu, "B")

    # when
    first = await stop(minato, leased)
    waiting = await desk_waits(minato, leased)

    # then: nothing more of it is tried, no try is used up, and the other one's goes on
    assert (first.done, first.deliveries) == (False, ())
    assert 0 < waiting.quiet_s <= 60
    part = await mizu.report(theirs)
    assert len(part.deliveries) == COUNT
    await mizu.redeem(*(route.delivery_id for route in part.deliveries))
    assert (await mizu.report(theirs, [taken(route) for route in part.deliveries])).done
    assert await states(mizu) == [(FIRST, "accepted", 0, COUNT)]
    assert await states(minato) == [(FIRST, "planned", 0, COUNT)]
    assert await world_of(minato).cases() == []

    # one message at a time asks; staff have one case, and no try is used, however often
    for _ in range(TRIES_MAX + 1):
        assert (await ask(minato, leased)).quiet_s > 60
    assert await states(minato) == [(FIRST, "planned", 0, COUNT)]
    assert await world_of(minato).cases() == ["sender_refused"]
    assert await world_of(mizu).cases() == []

    # staff have one ask at once, and once a minute; it is refused, and there is a case again
    leased = await staff_ask(minato)
    assert await world_of(minato).cases() == ["sender_refused"]
    with pytest.raises(LimitReached, match="asked_just_now"):
        await asked_now(minato)

    # the first that is taken ends it: all go, and the case is closed
    await later(minato)
    (route,) = (await minato.report(leased)).deliveries
    await minato.redeem(route.delivery_id)
    quick = "update delivery set state = 'delivered' where merchant_id = $1 and id = $2"
    await change(minato, quick, route.delivery_id)  # its receipt is here before its answer
    part = await minato.report(leased, [taken(route)])
    assert len(part.deliveries) == COUNT - 1
    assert await world_of(minato).cases() == []
    assert await world_of(minato).value("select count(*) from sender_hold") == 0
    ended = "select resolution, closed_by from case_ order by id"
    by_staff, by_itself = await world_of(minato).rows(ended)
    assert by_staff["resolution"] == "ask_again"
    assert by_staff["closed_by"].startswith("staff")
    assert by_itself["resolution"] == "mended"


async def test_a_report_that_comes_again_counts_its_refusal_once(
    vault: VaultServer, client_for: ClientFor
) -> None:
    # given: a report of one refused message, whose answer the worker never gets
    desk = await new_desk(vault, client_for)
    leased = await chunk(desk, "R")
    (route,) = (await desk.report(leased, take=1)).deliveries
    await desk.redeem(route.delivery_id)

    # when
    for _ in range(REFUSALS_MIN):
        await desk.report(leased, [refused(route)], take=1)

    # then: it is still the one refusal that it was, of a message that used up one try
    assert await world_of(desk).rows("select refusals, since from sender_hold") == [
        {"refusals": 1, "since": None}
    ]
    assert await world_of(desk).value("select sum(tries) from delivery") == 1


async def desk_waits(desk: Desk, leased: Leased) -> Slice:
    """The stopped road gives nothing out, and says for how long."""
    part = await desk.report(leased)
    assert (part.deliveries, part.done) == ((), False)
    return part


async def test_what_is_refused_now_and_then_uses_up_its_tries_and_stops_nothing(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    leased = await chunk(desk, "C", TRIES_MAX + 2)
    part = await desk.report(leased, take=2)
    bad = part.deliveries[0]

    # one message is refused "for the sender" again and again, while others are taken
    for _ in range(TRIES_MAX):
        await desk.redeem(*(route.delivery_id for route in part.deliveries))
        results = [
            refused(route) if route.delivery_id == bad.delivery_id else taken(route)
            for route in part.deliveries
        ]
        part = await desk.report(leased, results, take=100)
        others = [one for one in part.deliveries if one.delivery_id != bad.delivery_id]
        again = [one for one in part.deliveries if one.delivery_id == bad.delivery_id]
        part = Slice(deliveries=(*again, *others[:1]), done=part.done)

    assert await states(desk) == [
        (FIRST, "accepted", 0, TRIES_MAX), (FIRST, "failed", TRIES_MAX - 1, 1),
        (FIRST, "handed", 0, 1),
    ]  # fmt: skip


async def test_the_other_road_carries_and_without_one_the_ladder_goes_on_after_three_days(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(vault, client_for)
    leased = await chunk(desk, "D")
    await stop(desk, leased)
    await restart_road(desk, SECOND, share=0)
    await change(
        desk,
        "insert into sender_hold (merchant_id, channel, provider, refusals, since, probe_at)"
        " values ($1, 'sms', $2, 3, now(), now() + interval '1 day')",
        SECOND,
    )

    # a second road that refuses the sender as well is none
    await older(desk, FIRST, "21 seconds")
    await desk_waits(desk, leased)
    await change(desk, "delete from sender_hold where merchant_id = $1 and provider = $2", SECOND)

    # one that has no room just now is asked for some before the next message asks here
    await change(desk, "update sender_hold set probe_at = probe_at + interval '14 minutes'"
                 " where merchant_id = $1")  # fmt: skip
    await crowd(desk, SECOND)
    assert (await desk_waits(desk, leased)).quiet_s == PAUSE_FIRST_S
    await change(desk, "delete from task where merchant_id = $1 and number = 99")
    moved = await desk.report(leased)

    assert moved.done
    assert await states(desk) == [(SECOND, "planned", 0, COUNT)]
    (other,) = await desk.leases("message.send_chunk")

    # and when both are stopped for three days, the bills' ladders have their turn
    await stop(desk, other, "sms2.sandbox.test")
    await older(desk, SECOND, "3 days")
    await desk_waits(desk, other)
    await change(
        desk,
        "update delivery_chunk set created_at = created_at - interval '3 days'"
        " where merchant_id = $1",
    )
    paid = "update bill set settlement = 'settled' where merchant_id = $1 and number = 'D-0'"
    await change(desk, paid)
    over = await desk.report(other)
    assert over.done
    assert await states(desk) == [(SECOND, "failed", 0, COUNT - 1), (SECOND, "left_out", 0, 1)]
    told = "select distinct message from bill where settlement = 'unpaid'"
    assert await world_of(desk).value(told) == "failed"
    due = "select count(*) from ladder where next_at <= $1"
    assert await world_of(desk).value(due, vault.clock.business_now()) == COUNT - 1


async def crowd(desk: Desk, provider: str) -> None:
    """As many chunks wait on a road as it has room for."""
    await change(
        desk,
        "with chunk as (insert into delivery_chunk"
        " (merchant_id, id, channel, provider, deliveries, created_at)"
        " select $1, gen_random_uuid(), 'sms', $2, 1, now() from generate_series(1, $3)"
        " returning id)"
        " insert into task (merchant_id, id, kind, lane, subject_id, number, planned_at, next_at)"
        " select $1, gen_random_uuid(), 'message.send_chunk', 'bulk', id, 99, now(), 'infinity'"
        " from chunk",
        provider,
        BUSY_CHUNKS,
    )


async def older(desk: Desk, provider: str, age: str) -> None:
    """The stop is older by so much; nobody may ask yet."""
    await change(
        desk,
        "update sender_hold set since = since - $3::text::interval where merchant_id = $1"
        " and provider = $2",
        provider,
        age,
    )


async def test_a_stop_holds_over_a_restart_and_setting_the_road_anew_ends_it_at_once(
    ground: Ground,
) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        leased = await chunk(desk, "E")
        await stop(desk, leased)
    await ground.close()

    async with ground.vault() as server:
        desk.server, desk.operator = server, await ground.client("operator")
        desk.work = await ground.client("work")
        async with world_of(desk).act() as act:  # nobody who only waits stands in line for the row
            locked = "select from sender_hold where merchant_id = $1 for update"
            await act.db.execute(locked, desk.merchant_id)
            await desk_waits(desk, leased)
        asleep = "update task set next_at = 'infinity', state = 'open' where merchant_id = $1"
        await change(desk, asleep)

        # another road's changes nothing of it
        await restart_road(desk, SECOND, share=0)
        assert await world_of(desk).value("select count(*) from sender_hold") == 1

        # it waits for nobody who has a task in hand, and may be about to report
        held = "select from task where merchant_id = $1 for update"
        async with world_of(desk).act() as act:
            await act.db.execute(held, desk.merchant_id)
            await restart_road(desk)
        asks_later = (
            "update sender_hold set probe_at = now() + interval '10 minutes' where merchant_id = $1"
        )
        stop_again = (
            "insert into sender_hold (merchant_id, channel, provider, since)"
            " values ($1, 'sms', $2, now())"
        )
        await change(desk, stop_again, FIRST)

        await restart_road(desk)

        assert await world_of(desk).value("select count(*) from sender_hold") == 0
        due = "select next_at <= $2 from task where subject_id = $1"
        assert await world_of(desk).value(due, leased.subject_id, server.clock.wall())

        # a chunk that was in hand meanwhile does not sleep on for as long as its worker was told
        for is_over in (False, True):
            (leased,) = await desk.leases("message.send_chunk")
            await change(desk, "delete from sender_hold where merchant_id = $1")
            if not is_over:
                await change(desk, stop_again, FIRST)
                await change(desk, asks_later)
            wait = FailTask(code="deliveries_not_due", retry_in_s=900.0)
            await desk.work.call(FAIL_TASK, wait, leased.authority)
            soon = server.clock.wall() + timedelta(minutes=1)  # none goes at once: see put_back
            is_due = await world_of(desk).value(due, leased.subject_id, soon)
            assert is_due == is_over
            await change(desk, "update task set next_at = now() where merchant_id = $1")
