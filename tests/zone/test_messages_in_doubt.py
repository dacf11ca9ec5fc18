"""A message in doubt goes again under its key where that can't double, and nowhere else."""

from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from portal.contract.message import SET_CHANNEL, DeliveryRoute, SendResult, SetChannel
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.contract.work import Leased
from portal.domain.message import TRIES_MAX, Unclear
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor, Ground


@pytest.fixture
async def vault(ground: Ground) -> AsyncIterator[VaultServer]:
    async with ground.vault(provider_keys="sandbox_sms=86400") as server:
        yield server


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def world_of(desk: Desk) -> World:
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


async def chunk(desk: Desk, rows: int = 1) -> Leased:
    """An issued import of so many bills, its one chunk leased."""
    await desk.issued(*(line(f"E-{number}") for number in range(rows)))
    (leased,) = await desk.leases("message.send_chunk")
    return leased


async def lost(desk: Desk, leased: Leased) -> DeliveryRoute:
    """One message is redeemed, and nobody learns what became of it."""
    (route,) = (await desk.report(leased, take=1)).deliveries
    (given,) = (await desk.redeem(route.delivery_id)).deliveries
    assert given.refused is None
    await desk.report(leased, [unclear(route)], take=0)
    return route


def unclear(route: DeliveryRoute) -> SendResult:
    return result(route.delivery_id, "unknown", "timed_out")


async def wait_over(desk: Desk) -> None:
    """The time in which a receipt may still come has passed."""
    await world_of(desk).rows("update delivery set not_before = null returning id")


async def states(desk: Desk) -> Counter[str]:
    rows = await world_of(desk).rows("select state from delivery")
    return Counter(row["state"] for row in rows)


async def receipt(desk: Desk, route: DeliveryRoute, said: str) -> None:
    claim = NoticeClaim(
        notice_id="ev_1", subject="delivery", reference=route.key, claim=said, at=None
    )
    request = RecordNotice(
        merchant_code=desk.code, provider="sandbox_sms", raw=b"{}", claims=(claim,)
    )
    await desk.web.call(RECORD_NOTICE, request)


async def test_where_keys_are_honoured_it_goes_again_under_the_same_key(desk: Desk) -> None:
    leased = await chunk(desk)
    route = await lost(desk, leased)
    at_once = await desk.report(leased)
    await wait_over(desk)

    (again,) = (await desk.report(leased)).deliveries
    (given,) = (await desk.redeem(again.delivery_id)).deliveries
    end = await desk.report(leased, [result(again.delivery_id, "accepted")])

    assert (at_once.deliveries, at_once.done) == ((), False)
    assert again == route
    assert (given.refused, given.to) == (None, "+819012345678")
    assert end.done
    assert await states(desk) == {"accepted": 1}


async def test_a_receipt_that_comes_first_spares_the_second_sending(desk: Desk) -> None:
    leased = await chunk(desk)
    route = await lost(desk, leased)

    await receipt(desk, route, "delivered")
    await wait_over(desk)

    assert (await desk.report(leased)).done
    assert await states(desk) == {"delivered": 1}


async def test_a_bounce_that_comes_before_the_repeat_ends_all_sending_there(desk: Desk) -> None:
    route = await lost(desk, await chunk(desk))

    await receipt(desk, route, "bounced")

    assert await states(desk) == {"failed": 1}
    assert await world_of(desk).value("select code from contact_fault") == "bounced"


async def test_what_stays_in_doubt_is_ambiguous_after_so_many_tries(desk: Desk) -> None:
    leased = await chunk(desk)
    await lost(desk, leased)
    turns = 0
    is_done = False
    while not is_done:
        turns += 1
        await wait_over(desk)
        (route,) = (await desk.report(leased)).deliveries
        await desk.redeem(route.delivery_id)
        is_done = (await desk.report(leased, [unclear(route)], take=0)).done

    assert turns == TRIES_MAX - 1
    assert await states(desk) == {"ambiguous": 1}


async def test_no_message_goes_again_once_its_key_may_be_forgotten(desk: Desk) -> None:
    leased = await chunk(desk)
    route = await lost(desk, leased)
    await wait_over(desk)
    (again,) = (await desk.report(leased)).deliveries
    await world_of(desk).rows(
        "update delivery set unclear_at = unclear_at - interval '1 day' returning id"
    )

    (given,) = (await desk.redeem(again.delivery_id)).deliveries
    end = await desk.report(leased, [result(route.delivery_id, "busy", "delivery_refused")])

    assert (given.refused, given.to) == ("key_over", "")
    assert end.done
    assert await states(desk) == {"ambiguous": 1}


async def test_a_bill_paid_meanwhile_leaves_it_in_doubt_and_unsent(desk: Desk) -> None:
    leased = await chunk(desk)
    await lost(desk, leased)
    await world_of(desk).rows("update bill set settlement = 'settled' returning id")
    await wait_over(desk)

    end = await desk.report(leased)

    assert (end.deliveries, end.done) == ((), True)
    assert await states(desk) == {"ambiguous": 1}


@pytest.mark.parametrize(
    ("provider", "host", "unclear_word"),
    [
        ("sandbox_sms2", "sms2.sandbox.test", "same_key"),
        ("sandbox_sms", "sms.sandbox.test", "leave"),
    ],
)
async def test_without_keys_or_against_the_merchants_will_nothing_goes_again(
    desk: Desk, provider: str, host: str, unclear_word: Unclear
) -> None:
    road = SetChannel(
        merchant_code=desk.code, channel="sms", provider=provider, sender="0005", share=100,
        unclear=unclear_word,
    )  # fmt: skip
    await desk.operator.call(SET_CHANNEL, road)
    await desk.operator.call(SET_CHANNEL, msgspec.structs.replace(road, unclear=None))
    leased = await chunk(desk)
    (route,) = (await desk.report(leased)).deliveries
    (given,) = (await desk.redeem(route.delivery_id, host=host)).deliveries

    end = await desk.report(leased, [unclear(route)])

    assert (given.refused, route.provider) == (None, provider)
    assert end.done
    assert await states(desk) == {"ambiguous": 1}
