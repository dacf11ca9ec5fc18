import asyncio
from collections import Counter

import pytest

from portal.contract.message import (
    REPORT_AND_NEXT,
    DeliveryRoute,
    ReportAndNext,
    SendResult,
)
from portal.contract.page import OPEN_LINK, VIEW_PAGE, OpenLink
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.contract.share import ViewPage
from portal.contract.work import FAIL_TASK, FailTask, Leased
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.ids import ChunkId, DeliveryId, to_public
from portal.kit.crypto import sha256
from portal.vault.server import VaultServer
from tests.make.intake import SMS_HOST, Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def money_of(desk: Desk) -> World:
    """The same merchant as those who pay see it, and with a look into the tables."""
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


async def chunk(desk: Desk, rows: int = 3) -> Leased:
    """An issued import of so many bills, its one chunk leased."""
    await desk.issued(*(line(f"E-{number}") for number in range(rows)))
    (leased,) = await desk.leases("message.send_chunk")
    return leased


async def again(desk: Desk, leased: Leased) -> Leased:
    """The task fails and another worker takes it."""
    await desk.work.call(FAIL_TASK, FailTask(code="died", retry_in_s=0.0), leased.authority)
    await asyncio.sleep(1.1)
    (next_leased,) = await desk.leases("message.send_chunk")
    return next_leased


async def states(desk: Desk) -> Counter[str]:
    rows = await money_of(desk).rows("select state from delivery")
    return Counter(row["state"] for row in rows)


async def messages(desk: Desk) -> Counter[str]:
    return Counter(row.message for row in (await desk.bills(first=100)).bills)


async def receipt(desk: Desk, delivery_id: DeliveryId, said: str, notice: str) -> int:
    claim = NoticeClaim(
        notice_id=notice,
        subject="delivery",
        reference=to_public("delivery", delivery_id),
        claim=said,
        at=None,
    )
    request = RecordNotice(
        merchant_code=desk.code, provider="sandbox_sms", raw=b"{}", claims=(claim,)
    )
    return (await desk.web.call(RECORD_NOTICE, request)).fresh


def sent(routes: tuple[DeliveryRoute, ...], outcome: str, code: str = "") -> list[SendResult]:
    return [result(route.delivery_id, outcome, code) for route in routes]


async def test_a_slice_is_handed_out_redeemed_reported_and_ends_the_chunk(desk: Desk) -> None:
    leased = await chunk(desk)

    part = await desk.report(leased, take=2)
    given = await desk.redeem(*(route.delivery_id for route in part.deliveries))
    rest = await desk.report(leased, sent(part.deliveries, "accepted"), take=2)
    await desk.redeem(*(route.delivery_id for route in rest.deliveries))
    last = await desk.report(leased, sent(rest.deliveries, "accepted"), take=2)

    assert (len(part.deliveries), len(rest.deliveries), last.done) == (2, 1, True)
    assert (part.account, part.sender) == ("minato", "0005123456")
    assert part.deliveries[0].key == to_public("delivery", part.deliveries[0].delivery_id)
    assert {entry.to for entry in given.deliveries} == {"+819012345678"}
    assert await states(desk) == {"accepted": 3}
    assert await messages(desk) == {"accepted": 3}
    assert await money_of(desk).value("select count(*) from task") == 0


async def test_the_message_proves_itself_and_its_link_opens_the_bill(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)

    (entry,) = (await desk.redeem(part.deliveries[0].delivery_id)).deliveries

    text, _, link = entry.body.rpartition("\n")
    for fact in ("みなと電力", "2026年11月分", "8,420円", "12E0"):
        assert fact in text
    address, _, secret = link.rpartition("/")
    assert (address, len(secret)) == ("http://localhost:8080/p/minato", 22)
    opened = await desk.web.call(OPEN_LINK, OpenLink(merchant_code="minato", secret=secret))
    page = await desk.web.call(VIEW_PAGE, ViewPage(), opened.authority)
    assert page.amount_minor == 8420
    stored = await money_of(desk).rows("select secret_hash, delivery_id from link")
    assert stored == [{"secret_hash": sha256(secret.encode()), "delivery_id": entry.delivery_id}]


async def test_a_second_redemption_is_refused_and_an_incident(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    (route,) = (await desk.report(leased)).deliveries
    (first,) = (await desk.redeem(route.delivery_id)).deliveries

    (second,) = (await desk.redeem(route.delivery_id)).deliveries

    assert (first.refused, first.to) == (None, "+819012345678")
    assert (second.refused, second.to, second.body) == ("delivery_redeemed", "", "")
    assert await incidents(desk) == ["incident:delivery_redeemed"]
    assert await money_of(desk).value("select count(*) from link") == 1


async def test_two_redemptions_at_once_give_the_values_once(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    (route,) = (await desk.report(leased)).deliveries

    both = await asyncio.gather(*(desk.redeem(route.delivery_id) for _ in range(8)))

    given = [entry.to for redeemed in both for entry in redeemed.deliveries if entry.to]
    assert given == ["+819012345678"]


async def test_no_other_host_gets_a_value(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    (route,) = (await desk.report(leased)).deliveries

    for host in ("card.sandbox.test", "evil.example", "SMS.SANDBOX.TEST", ""):
        (entry,) = (await desk.redeem(route.delivery_id, host=host)).deliveries
        assert (entry.refused, entry.to, entry.body) == ("host_wrong", "", "")

    assert await incidents(desk) == ["incident:delivery_host"] * 4
    (entry,) = (await desk.redeem(route.delivery_id, host=SMS_HOST)).deliveries
    assert entry.to == "+819012345678"  # the control: the right host does


async def incidents(desk: Desk) -> list[str]:
    rows = await money_of(desk).rows(
        "select outcome from audit where outcome like 'incident:%' order by number"
    )
    return [row["outcome"] for row in rows]


async def test_what_was_not_handed_out_or_is_unknown_is_refused(desk: Desk) -> None:
    leased = await chunk(desk, rows=2)
    (route,) = (await desk.report(leased, take=1)).deliveries
    planned = await money_of(desk).value("select id from delivery where state = 'planned'")
    unknown = DeliveryId(desk.merchant_id)

    redeemed = await desk.redeem(DeliveryId(planned), unknown, route.delivery_id, route.delivery_id)

    assert [entry.refused for entry in redeemed.deliveries] == [
        "delivery_not_handed",
        "delivery_unknown",
        None,
        "delivery_repeated",
    ]


async def test_deliveries_of_two_merchants_are_redeemed_in_one_call(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    other = await new_desk(vault, client_for, "other")
    mine, theirs = await chunk(desk, rows=1), None
    await other.issued(line("E-9", phone="070-9999-8888"))
    (theirs,) = await other.leases("message.send_chunk")
    (one,) = (await desk.report(mine)).deliveries
    (two,) = (await other.report(theirs)).deliveries

    redeemed = await desk.redeem(one.delivery_id, two.delivery_id)

    assert [entry.to for entry in redeemed.deliveries] == ["+819012345678", "+817099998888"]
    assert "/p/other/" in redeemed.deliveries[1].body


async def test_a_bill_paid_or_canceled_since_is_left_out(desk: Desk) -> None:
    leased = await chunk(desk)
    money = money_of(desk)
    await money.value("update bill set settlement = 'settled' where number = 'E-0' returning 1")
    part = await desk.report(leased)
    assert len(part.deliveries) == 2
    await money.value("update bill set lifecycle = 'canceled' where number = 'E-1' returning 1")

    redeemed = await desk.redeem(*(route.delivery_id for route in part.deliveries))
    end = await desk.report(leased, sent(part.deliveries, "accepted"))

    assert [entry.refused for entry in redeemed.deliveries] == ["not_due", None]
    assert end.done
    assert await states(desk) == {"left_out": 2, "accepted": 1}


async def test_what_is_unclear_is_ambiguous_and_never_sent_again(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)
    await desk.redeem(part.deliveries[0].delivery_id)

    end = await desk.report(leased, sent(part.deliveries, "unknown", "relay_lost"))

    assert end.done
    assert await states(desk) == {"ambiguous": 1}
    assert await messages(desk) == {"ambiguous": 1}
    assert await receipt(desk, part.deliveries[0].delivery_id, "delivered", "ev_1") == 1
    assert await messages(desk) == {"delivered": 1}


async def test_a_worker_that_dies_before_redemption_loses_nothing(desk: Desk) -> None:
    leased = await chunk(desk)
    first = await desk.report(leased)

    second = await desk.report(await again(desk, leased))

    assert second.deliveries == first.deliveries
    redeemed = await desk.redeem(*(route.delivery_id for route in second.deliveries))
    assert all(entry.refused is None for entry in redeemed.deliveries)


async def test_a_worker_that_dies_after_redemption_leaves_it_ambiguous(desk: Desk) -> None:
    leased = await chunk(desk, rows=2)
    part = await desk.report(leased, take=1)
    await desk.redeem(part.deliveries[0].delivery_id)

    rest = await desk.report(await again(desk, leased))

    assert len(rest.deliveries) == 1
    assert rest.deliveries != part.deliveries
    assert await states(desk) == {"ambiguous": 1, "handed": 1}


async def test_busy_answers_come_back_and_a_refusal_ends_the_message(desk: Desk) -> None:
    leased = await chunk(desk, rows=2)
    part = await desk.report(leased)
    busy, bad = part.deliveries
    await desk.redeem(busy.delivery_id, bad.delivery_id)

    rest = await desk.report(
        leased,
        [
            result(busy.delivery_id, "busy", "provider_busy"),
            result(bad.delivery_id, "rejected", "invalid_number"),
        ],
    )

    assert rest.deliveries == (busy,)
    assert await states(desk) == {"handed": 1, "failed": 1}
    (entry,) = (await desk.redeem(busy.delivery_id)).deliveries
    assert entry.refused is None
    assert (await desk.report(leased, sent((busy,), "accepted"))).done


async def test_a_message_that_is_busy_for_ever_is_given_up(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)
    for _ in range(20):
        if part.done:
            break
        await desk.redeem(part.deliveries[0].delivery_id)
        part = await desk.report(leased, sent(part.deliveries, "busy", "provider_busy"))

    assert part.done
    assert await states(desk) == {"failed": 1}


async def test_results_reported_twice_change_nothing(desk: Desk) -> None:
    leased = await chunk(desk, rows=2)
    part = await desk.report(leased, take=1)
    await desk.redeem(part.deliveries[0].delivery_id)
    results = sent(part.deliveries, "accepted")
    first = await desk.report(leased, results, take=1)

    second = await desk.report(leased, results, take=1)

    assert second == first
    assert await states(desk) == {"accepted": 1, "handed": 1}


async def test_a_result_without_redemption_is_an_incident_and_no_message(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    part = await desk.report(leased)

    again_due = await desk.report(leased, sent(part.deliveries, "accepted"))

    assert again_due.deliveries == part.deliveries
    assert await messages(desk) == {"planned": 1}
    assert await incidents(desk) == ["incident:result_without_redemption"]


async def test_receipts_move_forward_only(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    (route,) = (await desk.report(leased)).deliveries
    await receipt(desk, route.delivery_id, "delivered", "forged")
    assert await messages(desk) == {"planned": 1}  # it was never redeemed
    await desk.redeem(route.delivery_id)
    await desk.report(leased, sent((route,), "accepted"))

    for number, (said, expected) in enumerate(
        [
            ("queued", "accepted"),
            ("undelivered", "undelivered"),
            ("delivered", "delivered"),
            ("failed", "delivered"),
            ("undelivered", "delivered"),
        ]
    ):
        await receipt(desk, route.delivery_id, said, f"ev_{number}")
        assert await messages(desk) == {expected: 1}


async def test_a_receipt_that_overtakes_the_report_is_kept(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    (route,) = (await desk.report(leased)).deliveries
    await desk.redeem(route.delivery_id)
    await receipt(desk, route.delivery_id, "delivered", "ev_1")

    end = await desk.report(leased, sent((route,), "accepted"))

    assert end.done
    assert await messages(desk) == {"delivered": 1}


async def test_another_chunks_lease_reports_nothing(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)
    request = ReportAndNext(chunk_id=ChunkId(desk.merchant_id), results=(), take=1)

    with pytest.raises(NotFound):
        await desk.work.call(
            REPORT_AND_NEXT,
            request,
            leased.authority,
        )


async def test_a_slice_has_its_bounds(desk: Desk) -> None:
    leased = await chunk(desk, rows=1)

    with pytest.raises(InvalidInput, match="slice_size"):
        await desk.report(leased, take=101)
    with pytest.raises(InvalidInput, match="slice_size"):
        await desk.redeem()
    assert len((await desk.report(leased, take=100)).deliveries) == 1
