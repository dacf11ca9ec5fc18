"""A merchant's roads: which company new messages take, and who may say so."""

import msgspec
import pytest

from portal.contract.message import REPORT_AND_NEXT as NEXT
from portal.contract.message import SET_CHANNEL, ChannelRoad, ReportAndNext, SetChannel
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.domain.errors import InvalidInput, NotFound, Refused
from portal.domain.ids import ChunkId
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def road(
    desk: Desk,
    share: int | None = 100,
    provider: str = "sandbox_card",
    sender: str = "0005999888",
) -> SetChannel:
    return SetChannel(
        merchant_code=desk.code, channel="sms", share=share, provider=provider, sender=sender
    )


async def test_new_messages_take_the_road_and_planned_ones_stay_on_theirs(desk: Desk) -> None:
    await desk.issued(line("R-1"))
    (before,) = await desk.leases("message.send_chunk")

    await desk.operator.call(SET_CHANNEL, road(desk))
    await desk.issued(line("R-2"))

    (after,) = await desk.leases("message.send_chunk")
    seen: list[tuple[str, str]] = []
    for leased in (before, after):
        wanted = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=1)
        part = await desk.work.call(NEXT, wanted, leased.authority)
        seen += [(route.provider, part.sender) for route in part.deliveries]
    assert seen == [("sandbox_sms", "0005123456"), ("sandbox_card", "0005999888")]


async def test_a_road_is_replaced_and_taken_away_and_the_first_company_is_back(desk: Desk) -> None:
    first = await desk.operator.call(SET_CHANNEL, road(desk, share=40))
    changed = await desk.operator.call(SET_CHANNEL, road(desk, share=60, sender="0005"))
    gone = await desk.operator.call(SET_CHANNEL, road(desk, share=None))

    def known(provider: str, sender: str, share: int) -> tuple[ChannelRoad, ...]:
        return (ChannelRoad(channel="sms", provider=provider, sender=sender, share=share),)

    assert first.roads == known("sandbox_card", "0005999888", 40)
    assert changed.roads == known("sandbox_card", "0005", 60)
    assert gone.roads == known("sandbox_sms", "0005123456", 1)


async def test_a_company_is_heard_of_what_it_carried_after_its_road_is_gone(desk: Desk) -> None:
    await desk.operator.call(SET_CHANNEL, road(desk, provider="sandbox_sms2"))
    await desk.issued(line("R-1"))
    (leased,) = await desk.leases("message.send_chunk")
    (route,) = (await desk.report(leased)).deliveries
    await desk.redeem(route.delivery_id, host="sms2.sandbox.test")
    await desk.report(leased, [result(route.delivery_id, "accepted")])
    await desk.operator.call(SET_CHANNEL, road(desk, provider="sandbox_sms2", share=None))

    claim = NoticeClaim(
        notice_id="n-1", subject="delivery", reference=route.key, claim="undelivered", at=None
    )
    notice = RecordNotice(
        merchant_code=desk.code, provider="sandbox_carrier", raw=b"{}", claims=(claim,)
    )
    with pytest.raises(NotFound, match="provider_unknown"):
        await desk.web.call(RECORD_NOTICE, notice)
    heard = msgspec.structs.replace(notice, provider="sandbox_sms2")
    assert (await desk.web.call(RECORD_NOTICE, heard)).fresh == 1
    assert [row.message for row in (await desk.bills()).bills] == ["undelivered"]


async def test_what_was_planned_by_a_road_goes_from_its_sender_when_it_is_off(desk: Desk) -> None:
    await desk.operator.call(SET_CHANNEL, road(desk))
    await desk.issued(line("R-1"))
    await desk.operator.call(SET_CHANNEL, road(desk, share=None))
    await desk.issued(line("R-2"))

    senders: list[tuple[str, str]] = []
    for leased in await desk.leases("message.send_chunk"):
        wanted = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=1)
        part = await desk.work.call(NEXT, wanted, leased.authority)
        senders += [(route.provider, part.sender) for route in part.deliveries]

    assert sorted(senders) == [("sandbox_card", "0005999888"), ("sandbox_sms", "0005123456")]
    again = (await desk.operator.call(SET_CHANNEL, road(desk, share=7))).roads
    assert [(one.provider, one.share) for one in again] == [("sandbox_card", 7)]


async def test_a_road_that_only_stands_by_does_not_take_the_first_companys_place(
    desk: Desk,
) -> None:
    roads = (await desk.operator.call(SET_CHANNEL, road(desk, share=0))).roads

    assert [(one.provider, one.share) for one in roads] == [("sandbox_sms", 1), ("sandbox_card", 0)]

    roads = (await desk.operator.call(SET_CHANNEL, road(desk, provider="sandbox_sms"))).roads

    assert [(one.provider, one.share) for one in roads] == [
        ("sandbox_sms", 100), ("sandbox_card", 0),
    ]  # fmt: skip


async def test_a_road_that_leads_nowhere_is_refused_with_what_to_do(desk: Desk) -> None:
    with pytest.raises(NotFound, match="provider_unknown"):
        await desk.operator.call(SET_CHANNEL, road(desk, provider="nobody"))
    with pytest.raises(InvalidInput, match="channel_share"):
        await desk.operator.call(SET_CHANNEL, road(desk, share=101))
    with pytest.raises(InvalidInput, match="text_too_long"):
        await desk.operator.call(SET_CHANNEL, road(desk, sender="0" * 121))
    with pytest.raises(InvalidInput, match="card_number"):
        await desk.operator.call(SET_CHANNEL, road(desk, sender="4111 1111 1111 1111"))
    with pytest.raises(Refused):
        await desk.web.call(SET_CHANNEL, road(desk))
