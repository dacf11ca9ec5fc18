"""Two companies for a channel: the load is shared, and nothing waits for a company that is away."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from portal.contract.message import (
    REPORT_AND_NEXT,
    SET_CHANNEL,
    ReportAndNext,
    SendResult,
    SetChannel,
    Slice,
)
from portal.contract.work import Leased
from portal.vault.failover import AFTER_S, BUSY_CHUNKS
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor, Ground

FIRST, SECOND = "sandbox_sms", "sandbox_sms2"


@pytest.fixture
async def vault(ground: Ground) -> AsyncIterator[VaultServer]:
    async with ground.vault(provider_keys=f"{FIRST}=86400") as server:
        yield server


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def world_of(desk: Desk) -> World:
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


async def set_roads(desk: Desk, **shares: int) -> None:
    for provider, share in shares.items():
        road = SetChannel(
            merchant_code=desk.code, channel="sms", provider=provider, sender="0005", share=share
        )
        await desk.operator.call(SET_CHANNEL, road)


async def by_road(desk: Desk) -> Counter[tuple[str, str]]:
    rows = await world_of(desk).rows("select provider, state from delivery")
    return Counter((row["provider"], row["state"]) for row in rows)


async def away(desk: Desk, leased: Leased, results: list[SendResult], away_s: float) -> Slice:
    """The worker reports that its company has taken nothing for so long."""
    report = ReportAndNext(
        chunk_id=leased.subject_id,  # type: ignore[arg-type] - an id by its kind
        results=tuple(results),
        take=0,
        away_s=away_s,
    )
    return await desk.work.call(REPORT_AND_NEXT, report, leased.authority)


async def test_roads_carry_their_shares_and_a_road_without_one_only_stands_by(desk: Desk) -> None:
    await set_roads(desk, sandbox_sms=70, sandbox_sms2=30, sandbox_card=0)

    await desk.issued(*(line(f"E-{number}") for number in range(60)))

    assert await by_road(desk) == {(FIRST, "planned"): 42, (SECOND, "planned"): 18}
    assert len(await desk.leases("message.send_chunk")) == 2


async def test_what_is_unsent_leaves_a_road_on_which_nothing_goes(desk: Desk) -> None:
    await set_roads(desk, sandbox_sms=100, sandbox_sms2=0)
    await desk.issued(*(line(f"E-{number}") for number in range(5)))
    (leased,) = await desk.leases("message.send_chunk")
    unsure, sure, *_ = (await desk.report(leased, take=4)).deliveries
    await desk.redeem(unsure.delivery_id, sure.delivery_id)
    results = [result(unsure.delivery_id, "unknown"), result(sure.delivery_id, "busy", "away")]

    soon = await away(desk, leased, results, AFTER_S - 1)
    before = await by_road(desk)
    late = await away(desk, leased, [], AFTER_S)

    assert (soon.done, before) == (False, {(FIRST, "planned"): 3, (FIRST, "handed"): 2})
    assert not late.done
    assert await by_road(desk) == {(FIRST, "planned"): 1, (SECOND, "planned"): 4}
    (other,) = await desk.leases("message.send_chunk")
    part = await desk.report(other)
    given = await desk.redeem(
        *(route.delivery_id for route in part.deliveries), host="sms2.sandbox.test"
    )
    assert [entry.refused for entry in given.deliveries] == [None] * 4
    end = await desk.report(other, [result(one.delivery_id, "accepted") for one in part.deliveries])
    assert end.done
    assert unsure.delivery_id not in {one.delivery_id for one in part.deliveries}


async def test_a_chunk_that_moved_as_a_whole_is_done_and_sent_once(desk: Desk) -> None:
    await set_roads(desk, sandbox_sms=100, sandbox_sms2=0)
    await desk.issued(*(line(f"E-{number}") for number in range(3)))
    (leased,) = await desk.leases("message.send_chunk")
    await desk.report(leased)

    moved = await away(desk, leased, [], AFTER_S)

    assert moved.done
    assert await by_road(desk) == {(SECOND, "planned"): 3}
    assert await world_of(desk).value("select count(*) from task") == 1


async def test_without_another_road_or_room_there_everything_waits(desk: Desk) -> None:
    await desk.issued(line("E-1"))
    (leased,) = await desk.leases("message.send_chunk")
    alone = await away(desk, leased, [], AFTER_S)
    await set_roads(desk, sandbox_sms=100, sandbox_sms2=0)
    async with world_of(desk).act() as act:
        await act.db.execute(
            "insert into delivery_chunk (merchant_id, id, channel, provider, deliveries,"
            " created_at) select $1, gen_random_uuid(), 'sms', $2, 1, now()"
            " from generate_series(1, $3)",
            desk.merchant_id,
            SECOND,
            BUSY_CHUNKS,
        )
        await act.db.execute(
            "insert into task (merchant_id, id, kind, lane, subject_id, number, planned_at,"
            " next_at) select $1, gen_random_uuid(), 'message.send_chunk', 'bulk', id, 0, now(),"
            " 'infinity' from delivery_chunk where merchant_id = $1 and provider = $2",
            desk.merchant_id,
            SECOND,
        )

    full = await away(desk, leased, [], AFTER_S)

    assert (alone.done, full.done) == (False, False)
    assert await by_road(desk) == {(FIRST, "planned"): 1}
