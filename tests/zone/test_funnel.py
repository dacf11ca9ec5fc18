"""The funnel by channel, what it costs, and telling all who never looked by another channel.

What writes here is switch_unopened and step_switch.
"""

import ast
from pathlib import Path
from typing import Any, Literal

import pytest

from portal.application.message.switch import switch_unopened
from portal.contract.bills import SUMMARISE_BILLS, VIEW_BILL, ViewBill
from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.funnel import (
    SWITCH_UNOPENED,
    VIEW_FUNNEL,
    VIEW_SWITCH,
    ChannelFunnel,
    FunnelView,
    SwitchUnopened,
    ViewFunnel,
    ViewSwitch,
)
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.message_price import (
    CHANGE_MESSAGE_PRICES,
    LIST_MESSAGE_PRICES,
    ChangeMessagePrices,
)
from portal.contract.page import MARK_OPENED, VIEW_PAGE
from portal.contract.share import ViewPage
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ids import BillId, ImportId
from portal.domain.ladder import SWITCH
from portal.domain.message import Channel
from portal.stack.postgres import BOOTSTRAP
from portal.vault.deliveries import Delivery, store
from portal.vault.funnel import FOLD_ABOVE
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.ladder import NEVER_QUIET, Steps
from tests.make.vault import ClientFor, Ground
from tests.make.web import ORIGIN, running_web, web_settings


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    made = Steps(await new_desk(vault, client_for))
    await made.plan(NEVER_QUIET)
    return made


async def funnel(desk: Desk, import_id: Any = None) -> FunnelView:  # noqa: ANN401
    return await desk.web.call(VIEW_FUNNEL, ViewFunnel(import_id=import_id), desk.staff)


async def channel(desk: Desk, name: str) -> ChannelFunnel:
    return next(one for one in (await funnel(desk)).channels if one.channel == name)


async def payer(steps: Steps, number: str) -> Any:  # noqa: ANN401
    """Who opens the bill's link."""
    secret = f"s{number.lower().replace('-', '')}".ljust(22, "x")
    await steps.set(
        "insert into link (merchant_id, secret_hash, bill_id, created_at, expires_at)"
        " select merchant_id, sha256(convert_to($2, 'UTF8')), id, now(), now() + interval '1 day'"
        " from bill where number = $1", number, secret,
    )  # fmt: skip
    return await steps.world.open(await steps.bill(number), secret)


async def send(desk: Desk, *outcomes: str) -> None:
    """Send what is planned, each with its own outcome."""
    left = list(outcomes)
    for leased in await desk.leases("message.send_chunk"):
        part = await desk.report(leased)
        while not part.done:
            await desk.redeem(*(route.delivery_id for route in part.deliveries))
            said = [result(route.delivery_id, left.pop(0)) for route in part.deliveries]
            part = await desk.report(leased, said)


def filling(migration: str) -> str:
    """How a migration counts what was there before it."""
    [written] = (Path(__file__).parents[2] / "alembic/versions").glob(f"*_{migration}.py")
    texts = {
        node.targets[0].id: node.value
        for node in ast.parse(written.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return ast.literal_eval(texts["FILL"])


async def count_anew(ground: Ground) -> None:
    """Count what is there as the migrations do, with nothing counted before."""
    admin = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    try:
        await admin.execute("delete from funnel_tally; delete from bill_reach")
        for migration in ("funnel", "reached"):
            await admin.execute(filling(migration))
    finally:
        await admin.close()


async def switch(steps: Steps, work: VaultClient) -> int:
    """Do the tasks of switches, as a worker does; how many messages were planned."""
    planned = 0
    for lease in await steps.desk.leases("message.switch_unopened"):
        planned += await switch_unopened(work, lease.authority, lambda: False)
    return planned


async def test_the_funnel_counts_what_each_channel_did_and_what_it_cost(
    steps: Steps, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = steps.desk
    first = await desk.issued(*(line(f"E-{n}") for n in range(4)))
    other = await desk.issued(line("F-1"))
    assert (await channel(desk, "sms")).waiting == 5
    await send(desk, "accepted", "accepted", "rejected", "accepted", "unknown")
    assert (await funnel(desk)).channels[-1].cost_hundredths is None
    await the_owner_sets_what_an_sms_costs(steps)
    await steps.set(
        "update delivery set state = 'delivered' where id ="
        " (select min(id::text)::uuid from delivery where state = 'accepted')"
    )
    seen = await payer(steps, "E-0")
    await steps.world.web.call(VIEW_PAGE, ViewPage(), seen.authority)  # a look-ahead does as much
    assert (await funnel(desk)).opened == 0
    for _ in range(2):
        await steps.world.web.call(MARK_OPENED, Nothing(), seen.authority)
    await steps.set("update bill set paid_at = now(), settlement = 'settled' where number = 'E-0'")
    await steps.set("update bill set opened_at = now() where number = 'E-2'")

    sms = await channel(desk, "sms")
    whole, part = await funnel(desk), await funnel(desk, other.id)

    assert (sms.planned, sms.sent, sms.delivered, sms.failed, sms.ambiguous) == (5, 3, 1, 1, 1)
    assert (sms.opened, sms.paid, sms.waiting, sms.left_out) == (1, 1, 0, 0)
    assert (sms.cost_hundredths, sms.doubtful_hundredths) == (2_100, 700)
    assert (whole.issued, whole.opened, whole.paid, whole.unopened) == (5, 2, 1, 3)
    assert (part.issued, part.opened, part.unopened, part.ambiguous) == (1, 0, 1, 1)
    await steps.set("update bill set paid_at = null, settlement = 'unpaid' where number = 'E-0'")
    await steps.set("update bill set lifecycle = 'canceled' where number = 'E-2'")
    after = await funnel(desk, first.id)
    assert (after.issued, after.opened, after.paid, after.unopened) == (3, 1, 0, 2)
    await steps.set(
        "insert into funnel_tally (merchant_id, import_id, channel, provider, stage, number)"
        " select $1, $2, 'sms', 'sandbox_sms', 'waiting', case n % 2 when 0 then 1 else -1 end"
        " from generate_series(1, $3) n", desk.merchant_id, first.id, 2 * FOLD_ABOVE,
    )  # fmt: skip
    monkeypatch.setattr("portal.vault.funnel.FOLDED_MAX", FOLD_ABOVE)
    before = await funnel(desk)
    assert await steps.world.value("select count(*) from funnel_tally") > FOLD_ABOVE
    assert await funnel(desk) == before  # what one reader leaves the next one folds
    assert await steps.world.value("select count(*) from funnel_tally") < FOLD_ABOVE
    assert await funnel(desk) == before
    await count_anew(ground)
    assert await funnel(desk) == before
    with pytest.raises(NotFound):
        await funnel(desk, ImportId(desk.merchant_id))


async def became(steps: Steps, number: str, channel_: str, event: Any) -> None:  # noqa: ANN401
    """Something becomes of a bill's message by a channel, as a company's word says."""
    async with steps.world.act() as act:
        row = await act.db.fetchrow(
            "select * from delivery where bill_id = (select id from bill where number = $1)"
            " and channel = $2 for update", number, channel_,
        )  # fmt: skip
        assert row is not None
        moved = Delivery.of(row)
        assert moved.take(event)
        await store(act, [moved])


async def test_a_bill_counts_as_delivered_once_any_message_about_it_was_on_every_screen(
    steps: Steps, ground: Ground
) -> None:
    desk = steps.desk
    await steps.road("email")
    made = await desk.issued(*(line(f"E-{n}", email=f"e{n}@example.jp") for n in range(4)))
    await send(desk, *["accepted"] * 4)
    await became(steps, "E-0", "sms", "receipt_delivered")
    await became(steps, "E-1", "sms", "receipt_undelivered")
    request = SwitchUnopened(channel="email", idempotency_key="one")
    await desk.web.call(SWITCH_UNOPENED, request, desk.staff)
    assert await switch(steps, desk.work) == 4

    async def said() -> list[tuple[int, ...]]:
        """What the first screen, the whole funnel and the import's say of bills."""
        summary = (await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)).funnel
        views = [await funnel(desk), await funnel(desk, made.id)]
        return [
            (summary.requested, summary.accepted, summary.delivered, summary.opened, summary.paid),
            *((one.issued, one.sent, one.delivered, one.opened, one.paid) for one in views),
        ]

    assert await said() == [(4, 4, 1, 0, 0)] * 3  # their newest messages only wait
    await steps.set("update delivery set state = 'redeemed' where channel = 'email'")
    for number in range(4):
        await became(steps, f"E-{number}", "email", "accept")
    for number in (0, 1):
        await became(steps, f"E-{number}", "email", "receipt_delivered")
    await became(steps, "E-2", "sms", "receipt_delivered")  # late, and not the newest any more
    await became(steps, "E-3", "email", "receipt_failed")
    await steps.set("update bill set settlement = 'settled', paid_at = now() where number = 'E-2'")
    assert await said() == [(4, 4, 3, 0, 1)] * 3
    assert [(await channel(desk, one)).delivered for one in ("sms", "email")] == [2, 2]
    assert await steps.world.value("select message from bill where number = 'E-2'") == "accepted"
    view = ViewBill(bill_id=BillId(await steps.bill("E-2")))
    mail, text = (await desk.web.call(VIEW_BILL, view, desk.staff)).messages
    assert (mail.channel, mail.state, mail.delivered_at) == ("email", "accepted", None)
    assert (text.channel, text.state, text.paid_at) == ("sms", "delivered", None)
    steps_of = [text.planned_at, text.sent_at, mail.sent_at, text.delivered_at, mail.paid_at]
    moments = [one for one in steps_of if one is not None]
    assert len(moments) == 5
    assert moments == sorted(moments)
    assert mail.cost_hundredths is None  # nobody has set a price
    await steps.set("update bill set settlement = 'reversed' where number = 'E-2'")
    await steps.set("update bill set lifecycle = 'canceled' where number = 'E-0'")
    assert await said() == [(3, 3, 2, 0, 0)] * 3
    await count_anew(ground)
    assert await said() == [(3, 3, 2, 0, 0)] * 3
    await steps.set("update delivery set channel = 'push' where channel = 'email'")
    note = (await desk.web.call(VIEW_BILL, view, desk.staff)).messages[0]
    assert (note.channel, note.cost_hundredths) == ("push", 0)  # the usual, as the funnel has it


async def the_owner_sets_what_an_sms_costs(steps: Steps) -> None:
    desk = steps.desk
    await steps.road("push")

    async def change(
        *prices: int, channel: Channel | Literal["paper"] = "sms", provider: str = "sandbox_sms"
    ) -> None:
        request = ChangeMessagePrices(channel=channel, provider=provider, prices=prices)
        await desk.web.call(CHANGE_MESSAGE_PRICES, request, desk.staff)

    for _ in range(2):
        await change(300, 700)
    with pytest.raises(InvalidInput, match="message_prices"):
        await change(-1)
    with pytest.raises(InvalidInput, match="message_prices"):
        await change(100, 200, channel="push", provider="sandbox_card")
    with pytest.raises(NotFound):
        await change(100, channel="email", provider="sandbox_mail")  # no road, no price
    await change(94, channel="paper", provider="paper")
    await change(channel="paper", provider="paper")
    listed = (await desk.web.call(LIST_MESSAGE_PRICES, Nothing(), desk.staff)).prices
    assert [(one.channel, one.prices, one.is_usual) for one in listed] == [
        ("paper", (), False), ("push", (0,), True), ("sms", (300, 700), False)
    ]  # fmt: skip


async def test_all_who_never_looked_are_told_once_by_another_channel(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.vault.switch.STEP_BILLS", 2)
    desk = steps.desk

    def bill(number: str, **cells: str) -> str:
        return line(number, email=f"{number.lower()}@example.jp", **cells)

    made = await desk.issued(*(bill(f"E-{n}") for n in range(4)), line("E-4"))
    await desk.issued(bill("F-1"))
    await send(desk, *["accepted"] * 6)
    await steps.set("update bill set opened_at = now() where number = 'E-0'")
    wanted = ViewSwitch(import_id=made.id, channel="email")
    with pytest.raises(Conflict) as refused:
        await desk.web.call(VIEW_SWITCH, wanted, desk.staff)
    assert refused.value.code == "channel_unreachable"
    await steps.road("email")
    plan = await desk.web.call(VIEW_SWITCH, wanted, desk.staff)
    assert (plan.bills, [road.left for road in plan.roads]) == (4, [4])

    async def begin(key: str, **asked: Any) -> int:  # noqa: ANN401
        request = SwitchUnopened(channel="email", idempotency_key=key, **asked)
        return (await desk.web.call(SWITCH_UNOPENED, request, desk.staff)).bills

    assert [await begin("one", import_id=made.id) for _ in range(2)] == [4, 4]
    with pytest.raises(Conflict) as refused:
        await begin("two")
    assert refused.value.code == "switch_running"
    assert await switch(steps, desk.work) == 3  # one of the four has no address
    told = "select number from delivery d join bill b on b.id = d.bill_id where campaign = $1"
    numbers = [row["number"] for row in await steps.world.rows(f"{told} order by 1", SWITCH)]
    assert numbers == ["E-1", "E-2", "E-3"]
    assert await begin("three") == 5
    assert await switch(steps, desk.work) == 1  # the others have a message that waits
    await steps.set("update delivery set state = 'accepted' where state = 'planned'")
    assert await begin("four") == 5
    await steps.set("update merchant_channel set is_off = true where channel = 'email'")
    assert await switch(steps, desk.work) == 0  # nobody carries it any more: that ends it
    await steps.road("email")
    await steps.set("update bill set opened_at = now()")
    with pytest.raises(Conflict) as refused:
        await begin("five")
    assert refused.value.code == "nothing_unopened"


async def test_a_switch_tells_only_whom_its_channel_reaches_and_ends_when_its_road_is_taken_away(
    steps: Steps,
) -> None:
    desk = steps.desk
    await desk.issued(*(line(f"E-{n}", customer_no=f"009{n}") for n in (1, 2, 3)))
    await send(desk, "accepted", "accepted", "accepted")
    await steps.road("push")
    await steps.set("update merchant_channel set provider = 'fcm' where channel = 'push'")
    await steps.set(
        "insert into push_subscription (merchant_id, id, customer_blind, contact_blind, kind,"
        " contact, created_at) select merchant_id, id, customer_blind, ''::bytea,"
        " case number when 'E-2' then 'fcm' else 'apns' end, ''::bytea, now()"
        " from bill where number <> 'E-1'"  # nobody carries to E-3's device
    )

    async def begin(key: str) -> None:
        request = SwitchUnopened(channel="push", idempotency_key=key)
        await desk.web.call(SWITCH_UNOPENED, request, desk.staff)

    await begin("one")
    assert await switch(steps, desk.work) == 1
    assert [len(await steps.told(number)) for number in ("E-1", "E-2", "E-3")] == [1, 2, 1]

    await steps.set("update delivery set state = 'accepted'")
    await begin("two")
    await desk.operator.call(
        SET_CHANNEL,
        SetChannel(merchant_code=desk.code, channel="push", provider="fcm", sender="", share=None),
    )
    assert await switch(steps, desk.work) == 0
    await steps.road("push")
    await begin("three")


async def test_only_a_page_that_is_seen_counts_as_opened_and_no_look_ahead_does(
    steps: Steps, ground: Ground
) -> None:
    bill_id, secret = await steps.world.bill()
    opened = "select opened_at is not null from bill where id = $1"
    link = f"/p/{steps.desk.code}/{secret}"
    settings = web_settings(ground.folder)
    async with running_web(ground.folder, steps.desk.web, settings=settings) as web:
        for headers in ({"sec-purpose": "prefetch"}, {"purpose": "prefetch"}, {}):
            async with web.browser() as browser:
                await browser.head(link)
                came = await browser.get(link, headers=headers)
                if came.status_code == 303:  # what scanners of mail follow, too
                    page = await browser.get(came.headers["location"])
                    assert page.status_code == 200
                    seen_at = f"{came.headers['location']}/opened"
                    await browser.head(came.headers["location"])
                    assert await steps.world.value(opened, bill_id) is False
                    told = await browser.post(seen_at, headers={"origin": ORIGIN})
                    assert told.status_code == 204
    assert await steps.world.value(opened, bill_id) is True
