"""Staff hold an import's messages, let them go on, or end them, and nothing is sent twice."""

import asyncio
from collections import Counter
from typing import Literal

import pytest

from portal.contract.sending import (
    STEER_SENDING,
    VIEW_SENDING,
    RoadLoad,
    SendingView,
    SteerSending,
    ViewSending,
)
from portal.contract.work import FAIL_TASK, FailTask, Leased
from portal.domain.errors import Conflict, NotFound
from portal.domain.ids import ImportId
from portal.domain.message import TRIES_MAX
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def world_of(desk: Desk) -> World:
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


async def steer(
    desk: Desk, import_id: ImportId, act: Literal["pause", "resume", "cancel"], key: str = ""
) -> SendingView:
    request = SteerSending(import_id=import_id, act=act, idempotency_key=key or desk.key())
    return await desk.web.call(STEER_SENDING, request, desk.staff)


async def sending(desk: Desk, import_id: ImportId) -> SendingView:
    return await desk.web.call(VIEW_SENDING, ViewSending(import_id=import_id), desk.staff)


async def begun(desk: Desk, rows: int = 3) -> tuple[ImportId, Leased]:
    """An issued import, its one chunk leased."""
    made = await desk.issued(*(line(f"E-{number}") for number in range(rows)))
    (leased,) = await desk.leases("message.send_chunk")
    return made.id, leased


async def states(desk: Desk) -> Counter[str]:
    rows = await world_of(desk).rows("select state from delivery")
    return Counter(row["state"] for row in rows)


async def test_what_is_held_is_not_handed_out_and_goes_on_where_it_stopped(desk: Desk) -> None:
    import_id, leased = await begun(desk)
    first = await desk.report(leased, take=1)
    await desk.redeem(first.deliveries[0].delivery_id)

    held = await steer(desk, import_id, "pause")
    stopped = await desk.report(leased, [result(first.deliveries[0].delivery_id, "accepted")])
    await desk.work.call(
        FAIL_TASK, FailTask(code="sending_paused", retry_in_s=900.0), leased.authority
    )
    asleep = await desk.leases("message.send_chunk")
    going = await steer(desk, import_id, "resume")
    (again,) = await desk.leases("message.send_chunk")
    part = await desk.report(again)

    assert (held.state, stopped.paused, stopped.deliveries) == ("paused", True, ())
    assert (asleep, going.state) == ([], "going")
    assert len(part.deliveries) == 2
    assert await states(desk) == {"accepted": 1, "handed": 2}


async def test_a_hold_reaches_what_a_worker_has_in_hand_and_costs_it_no_try(desk: Desk) -> None:
    import_id, leased = await begun(desk, rows=1)
    for _ in range(TRIES_MAX + 1):
        (route,) = (await desk.report(leased)).deliveries
        await steer(desk, import_id, "pause")
        (refused,) = (await desk.redeem(route.delivery_id)).deliveries
        back = await desk.report(leased, [result(route.delivery_id, "busy", "delivery_refused")])
        await steer(desk, import_id, "resume")
        assert (refused.refused, refused.to, back.paused) == ("sending_paused", "", True)

    (route,) = (await desk.report(leased)).deliveries
    (given,) = (await desk.redeem(route.delivery_id)).deliveries

    assert given.refused is None
    assert await world_of(desk).value("select count(*) from audit where operation like 'inc%'") == 0


async def test_one_that_gives_back_late_does_not_sleep_when_it_was_let_go_on(desk: Desk) -> None:
    import_id, leased = await begun(desk)
    await steer(desk, import_id, "pause")
    stopped = await desk.report(leased)
    await steer(desk, import_id, "resume")

    await desk.work.call(
        FAIL_TASK, FailTask(code="sending_paused", retry_in_s=900.0), leased.authority
    )

    assert stopped.paused
    soon = "select next_at < now() + interval '5 seconds' from task"
    assert await world_of(desk).value(soon) is True


async def test_what_was_ended_is_never_sent_and_what_was_sent_stays(desk: Desk) -> None:
    import_id, leased = await begun(desk)
    sent, in_hand = (await desk.report(leased, take=2)).deliveries
    await desk.redeem(sent.delivery_id)

    ended = await steer(desk, import_id, "cancel")
    (refused,) = (await desk.redeem(in_hand.delivery_id)).deliveries
    last = await desk.report(leased, [result(sent.delivery_id, "accepted")])

    assert (ended.state, refused.refused, last.done) == ("canceled", "sending_canceled", True)
    assert await states(desk) == {"accepted": 1, "left_out": 2}
    assert (await sending(desk, import_id)).left == ()
    with pytest.raises(Conflict, match="sending_state"):
        await steer(desk, import_id, "resume")


async def test_each_act_happens_once_for_its_key_and_two_at_once_do_not_cross(desk: Desk) -> None:
    import_id, _ = await begun(desk)

    first = await steer(desk, import_id, "pause", "k-1")
    again = await steer(desk, import_id, "pause", "k-1")
    with pytest.raises(Conflict, match="sending_state"):
        await steer(desk, import_id, "pause", "k-2")
    ends = await asyncio.gather(
        steer(desk, import_id, "resume", "k-3"),
        steer(desk, import_id, "cancel", "k-4"),
        return_exceptions=True,
    )

    assert again == first
    assert (await sending(desk, import_id)).state == "canceled" or isinstance(ends[1], Conflict)
    assert sum(isinstance(end, Conflict) for end in ends) <= 1


async def test_how_far_it_is_stands_by_company_and_before_the_decision_as_a_forecast(
    desk: Desk,
) -> None:
    checked = await desk.take_in(*(line(f"F-{number}") for number in range(4)))
    before = await sending(desk, checked.id)
    import_id, _ = await begun(desk, rows=3)

    now = await sending(desk, import_id)

    assert (before.planned, before.left) == (4, (RoadLoad(provider="sandbox_sms", left=4),))
    assert (now.planned, now.left) == (3, (RoadLoad(provider="sandbox_sms", left=3),))
    with pytest.raises(Conflict, match="import_state"):
        await steer(desk, checked.id, "pause")


async def test_another_merchants_import_is_nobodys(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    import_id, _ = await begun(desk)
    other = await new_desk(vault, client_for, "hikari")

    with pytest.raises(NotFound):
        await sending(other, import_id)
    with pytest.raises(NotFound):
        await steer(other, import_id, "cancel")
