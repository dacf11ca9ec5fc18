"""Accounts for refunds by bank transfer, against a real vault: who may give one, and until when.

give_refund_account and give_payer_account are repeated here with the same arguments and happen
once.
"""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.contract.ladder import SET_LADDER, SetLadder
from portal.contract.message import (
    REDEEM_DELIVERIES,
    REPORT_AND_NEXT,
    RedeemDeliveries,
    RedeemedDelivery,
    ReportAndNext,
)
from portal.contract.refund import LIST_REFUNDS, ListRefunds
from portal.contract.transfer import LIST_TRANSFER_FILES, ListTransferFiles
from portal.domain.errors import (
    Conflict,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    PortalError,
)
from portal.domain.ids import ChunkId
from portal.domain.ladder import DEFAULT, Hours, Plan
from portal.domain.ladder_plan import write_plan
from portal.domain.refund_account import CHANGES_MAX, TRIES_MAX
from portal.kit.clock import SystemClock
from portal.vault.ladder import held_campaigns
from portal.vault.refund import read_refund
from portal.vault.refund_account import account_of
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.intake import SMS_HOST
from tests.make.money import AMOUNT, World, new_world
from tests.make.refund_accounts import (
    PHONE,
    given_by_payer,
    given_by_staff,
    paid_payer,
    reached_by,
    waiting,
)
from tests.make.refunds import Counter, member, new_counter
from tests.make.vault import ClientFor


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def test_a_payer_gives_an_account_and_corrects_it_until_it_is_transferred(
    counter: Counter,
) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    asked = (await world.page(payer)).refunds
    assert (asked.may_give, asked.proof, asked.tries_left) == (True, "phone", TRIES_MAX)
    [line] = asked.refunds
    assert (line.amount_minor, line.is_open, line.account) == (AMOUNT, True, None)

    await given_by_payer(world, payer)
    await given_by_payer(world, payer)
    [line] = (await world.page(payer)).refunds.refunds
    assert line.account is not None
    assert (line.account.bank_name, line.account.account_hint) == ("三菱ＵＦＪ", "****456")
    assert (line.account.holder_hint, line.account.given_by) == ("ヤ** ハ**", "")
    assert line.account.changes == 0, "the same again is no change"

    await given_by_payer(world, payer, account_number="7654321")
    [seen] = (await counter.of_bill(payer.bill_id)).refunds
    assert seen.account is not None
    assert seen.takes_account
    assert (seen.account.source, seen.account.account_hint) == ("payer", "****321")
    assert (seen.account.given_by, seen.account.changes) == ("payer", 1)
    assert (await world.events(payer.bill_id))[-2:] == [
        "refund.account_given", "refund.account_changed"
    ]  # fmt: skip
    async with world.act() as act:
        account = await account_of(act, await read_refund(act, refund.id))
    assert account is not None
    assert (account.number, account.holder) == ("7654321", "ﾔﾏﾀﾞ ﾊﾅｺ")
    [row] = await world.rows("select * from refund_account")
    assert b"7654321" not in row["details"]
    assert "7654321" not in str({**row, "details": ""})

    today = world.server.clock.business_today("Asia/Tokyo")
    await counter.transferred(refund, today)
    with pytest.raises(Conflict, match="refund_account_closed"):
        await given_by_payer(world, payer, account_number="1111111")
    with pytest.raises(Conflict, match="refund_account_closed"):
        await given_by_staff(counter.owner, refund)
    assert (await world.page(payer)).refunds.refunds == ()


async def test_the_payer_hears_of_each_account_at_the_contact_that_is_known(
    counter: Counter,
) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    await given_by_payer(world, payer)
    await given_by_payer(world, payer)
    await given_by_staff(counter.owner, refund, account_number="7654321")

    planned = await world.rows(
        "select id, campaign, step, channel from delivery where bill_id = $1 order by id",
        payer.bill_id,
    )
    assert [(row["campaign"], row["step"], row["channel"]) for row in planned] == [
        ("account", 0, "sms"), ("account", 1, "sms")
    ]  # fmt: skip
    assert world.relay is not None
    told: list[RedeemedDelivery] = []
    for lease in [one for one in await world.leases() if one.kind == "message.send_chunk"]:
        given = await world.work.call(
            REPORT_AND_NEXT,
            ReportAndNext(chunk_id=ChunkId(lease.subject_id), results=(), take=1),
            lease.authority,
        )
        ids = tuple(one.delivery_id for one in given.deliveries)
        redeem = RedeemDeliveries(host=SMS_HOST, delivery_ids=ids)
        told += (await world.relay.call(REDEEM_DELIVERIES, redeem)).deliveries
    assert [(one.refused, one.to) for one in told] == [(None, PHONE)] * 2
    assert "返金の振込先の口座が登録または変更されました" in told[0].body
    assert "http" not in told[0].body
    assert "456" not in told[0].body

    for number in range(CHANGES_MAX - 1):
        await given_by_payer(world, payer, account_number=f"{number + 1}")
    with pytest.raises(LimitReached, match="refund_account_often"):
        await given_by_payer(world, payer, account_number="99")


async def test_no_quiet_hour_keeps_it_back(counter: Counter) -> None:
    world = counter.world
    now = world.server.clock.business_now().astimezone(ZoneInfo("Asia/Tokyo"))
    quiet = Hours(
        quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=2)).time()
    )
    plan = write_plan(Plan(ladders=DEFAULT.ladders, hours=quiet))
    await world.operator.call(SET_LADDER, SetLadder(merchant_code=world.code, plan=plan))
    async with world.act() as act:
        held = await held_campaigns(act, {"first", "ladder", "resent", "account"})
    assert held & {"resent", "account"} == set()
    assert "first" in held


async def test_a_link_alone_sends_no_money_anywhere(counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    with pytest.raises(InvalidInput) as faulty:
        await given_by_payer(world, payer, holder_name="山田", proof="0000")
    assert (faulty.value.code, faulty.value.params["field"]) == ("kana_unwritable", "holderName")

    for wrong in ("0000", "", "43210", "5678"):
        with pytest.raises(NotAllowed, match="refund_proof_wrong"):
            await given_by_payer(world, payer, proof=wrong)
    # A right one takes no wrong one back, and another page of the same link is no way round.
    await given_by_payer(world, payer, proof="４３２１")  # noqa: RUF001  as typed
    again = await world.open(payer.bill_id, payer.secret)
    with pytest.raises(NotAllowed) as last:
        await given_by_payer(world, again, account_number="1111111", proof="1111")
    assert last.value.params["left"] == 0
    for one in (payer, again):
        with pytest.raises(LimitReached, match="refund_proof_over"):
            await given_by_payer(world, one, account_number="1111111")

    shown = (await world.page(payer)).refunds
    assert (shown.may_give, shown.tries_left) == (False, 0)
    kept = await given_by_staff(counter.owner, refund, account_number="2222222")
    assert (kept.source, kept.account_hint, kept.changes) == ("staff", "****222", 1)


async def test_many_answers_at_once_are_counted_one_by_one(counter: Counter) -> None:
    payer, _ = await waiting(counter)
    wrong = [
        given_by_payer(counter.world, payer, proof=f"000{place}") for place in range(TRIES_MAX + 3)
    ]

    refused = await asyncio.gather(*wrong, return_exceptions=True)

    codes = sorted(one.code for one in refused if isinstance(one, PortalError))
    assert codes == ["refund_proof_over"] * 3 + ["refund_proof_wrong"] * TRIES_MAX


async def test_what_the_page_shows_proves_nothing(counter: Counter) -> None:
    world = counter.world
    payer, _ = await waiting(counter)
    await reached_by(world, payer.bill_id, phone="+819012345678")
    assert (await world.page(payer)).refunds.proof == "customer_no"
    with pytest.raises(NotAllowed, match="refund_proof_wrong"):
        await given_by_payer(world, payer, proof="5678")
    await given_by_payer(world, payer, proof="1234-5678")

    await reached_by(world, payer.bill_id, phone="", customer_no="123-4567")
    shown = (await world.page(payer)).refunds
    assert (shown.may_give, shown.proof) == (False, "staff")
    with pytest.raises(NotAllowed, match="refund_proof_wrong"):
        await given_by_payer(world, payer, proof="1234567")


async def test_only_the_links_own_bill_and_its_waiting_refunds_take_it(
    counter: Counter, vault: VaultServer, client_for: ClientFor
) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    other, _ = await paid_payer(world)
    with pytest.raises(Conflict, match="refund_account_closed"):
        await given_by_payer(world, other)
    foreign = await new_world(vault, client_for, "bbb")
    stranger = await member(foreign, "stranger")
    with pytest.raises(NotFound):
        await given_by_staff(stranger, refund)
    assert await world.value("select count(*) from refund_account") == 0

    clerk = await member(world, "clerk", "clerk")
    await given_by_staff(clerk, refund)
    assert await foreign.value("select count(*) from refund_account") == 0
    assert (await world.page(payer)).refunds.refunds[0].account is not None


async def test_staff_take_it_down_once_and_find_what_lacks_one(counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    _, second = await waiting(counter)

    async def lacking() -> list[str]:
        request = ListRefunds(states=(), first=10, after=None, lacks_account=True)
        page = await world.web.call(LIST_REFUNDS, request, counter.owner.authority)
        return [str(one.id) for one in page.refunds]

    assert await lacking() == [str(second.id), str(refund.id)]
    first = await given_by_staff(counter.owner, refund, key="one")
    assert await given_by_staff(counter.owner, refund, key="one") == first
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await given_by_staff(counter.owner, refund, key="one", account_number="1")
    assert await lacking() == [str(second.id)]
    with pytest.raises(Conflict, match="refund_account_unknown"):
        await given_by_staff(counter.owner, refund, key="two", is_debited=True)
    assert (await world.events(payer.bill_id)).count("refund.account_given") == 1


async def test_of_a_debit_the_account_is_known(vault: VaultServer, client_for: ClientFor) -> None:
    desk = await new_desk(await new_world(vault, client_for))
    payer = await desk.debtor(account_number="0099123")
    one, sent = await desk.at_bank()
    await desk.answered(one, sent, lambda _place: "0")
    [attempt] = await desk.world.rows("select id from attempt where bill_id = $1", payer.bill_id)
    counter = Counter(desk.world, desk.owner)
    refund = await counter.ask(payer.bill_id, attempt["id"], AMOUNT)
    assert refund.account is not None
    assert (refund.account.source, refund.account.account_hint) == ("mandate", "****123")
    async with desk.world.act() as act:
        account = await account_of(act, await read_refund(act, refund.id))
        await act.db.execute("delete from refund_account")  # as of a refund before this release
        assert await account_of(act, await read_refund(act, refund.id)) == account
    assert account is not None
    assert (account.number, account.holder) == ("0099123", "ﾔﾏﾀﾞ ﾊﾅｺ")

    await given_by_staff(desk.owner, refund, key="other")
    back = await given_by_staff(desk.owner, refund, key="back", is_debited=True)
    assert (back.source, back.account_hint, back.changes) == ("mandate", "****123", 1)


async def test_of_a_debit_that_no_transfer_surely_reaches_it_is_asked_for(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(await new_world(vault, client_for))
    payer = await desk.debtor(bank_code="9900", branch_code="018")
    one, sent = await desk.at_bank()
    await desk.answered(one, sent, lambda _place: "0")
    [attempt] = await desk.world.rows("select id from attempt where bill_id = $1", payer.bill_id)

    refund = await Counter(desk.world, desk.owner).ask(payer.bill_id, attempt["id"], AMOUNT)

    assert refund.account is None
    asked = ListTransferFiles(first=1, after=None)
    page = await desk.world.web.call(LIST_TRANSFER_FILES, asked, desk.owner.authority)
    assert (page.waiting, page.accountless) == (0, 1), "no file would hold it"


async def test_an_account_given_meanwhile_is_given_or_refused(counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)

    told = await asyncio.gather(
        given_by_payer(world, payer),
        given_by_payer(world, payer, account_number="7654321"),
        counter.decide(refund, "withdraw"),
        return_exceptions=True,
    )

    assert await counter.state(refund) == "withdrawn"
    given = [one for one in told[:2] if not isinstance(one, BaseException)]
    refused = [one for one in told[:2] if isinstance(one, BaseException)]
    assert all(isinstance(one, Conflict) for one in refused)
    rows = await world.rows("select changes from refund_account")
    assert [row["changes"] for row in rows] == ([len(given) - 1] if given else [])


async def test_it_is_forgotten_after_the_refunds_end(counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    with pytest.raises(NotAllowed):
        await given_by_payer(world, payer, proof="0000")
    await given_by_payer(world, payer)
    old = SystemClock().wall() - timedelta(days=91)
    aged = "update refund set state_at = $1 where id = $2"
    async with world.act() as act:
        await act.db.execute(aged, old, refund.id)
    await world.server.data.upkeep.forget()
    assert await world.value("select count(*) from refund_account") == 1, "it still waits"

    await counter.transferred(refund, world.server.clock.business_today("Asia/Tokyo"))
    async with world.act() as act:
        await act.db.execute(aged, old, refund.id)
        await act.db.execute("update refund_account_try set failed_at = $1", old)
    await world.server.data.upkeep.forget()

    assert await world.value("select count(*) from refund_account") == 0
    assert await world.value("select count(*) from refund_account_try") == 0
    [seen] = (await counter.of_bill(payer.bill_id)).refunds
    assert (seen.state, seen.account) == ("transferred", None)
