"""What has had its time is forgotten, not a day earlier; what the books need is never touched.

The wall clock or the business clock is set to just before and just after the end of each period.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from portal.application.intake.upload import refuse_if_refused
from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.operator import ISSUE_LOGIN_TICKET, IssueLoginTicket
from portal.contract.page import OPEN_LINK, OpenLink
from portal.contract.payment import (
    RECORD_NOTICE,
    VIEW_RETURN,
    NoticeClaim,
    RecordNotice,
    ViewReturn,
)
from portal.domain.bill import LAPSE_AFTER_DAYS_DEFAULT
from portal.domain.errors import Expired, InvalidInput, NotFound, TryLater
from portal.domain.ids import BillId
from portal.domain.retention import KEPT, PERIODS, Forgotten
from portal.kit.clock import SystemClock
from portal.vault.act import Act
from portal.vault.call import NewCall, make_calls
from portal.vault.contact_faults import note_faults
from portal.vault.file import store_part
from portal.vault.pause import NewPause, insert_pause
from portal.vault.retention import first_id_of
from portal.vault.server import VaultServer
from tests.make.bank import new_desk as bank_desk
from tests.make.cards import agreed
from tests.make.days import Calendar, in_days
from tests.make.intake import Desk, csv, line, new_desk
from tests.make.ladder import NEVER_QUIET, Steps
from tests.make.money import World, new_world
from tests.make.refunds import new_counter
from tests.make.slip_desk import line as slip_line
from tests.make.slip_desk import new_slip_desk
from tests.make.vault import HANA, Ground, add_staff
from tests.make.vault_process import vault_process

PATIENCE_S = 10.0


def days_of(what: Forgotten) -> int:
    return PERIODS[what].days


@dataclass
class Years:
    """One merchant whose vault is stopped and started at other times."""

    ground: Ground
    world: World

    @asynccontextmanager
    async def at(self, days: float) -> AsyncGenerator[World]:
        """A vault to which it is so many days later by the wall clock, when it has forgotten."""
        await self.ground.close()
        async with self.ground.vault(wall_clock=in_days(days)) as server:
            world = replace(
                self.world,
                server=server,
                web=await self.ground.client("web"),
                work=await self.ground.client("work"),
                operator=await self.ground.client("operator"),
            )
            await forget(server)
            yield world


async def forget(server: VaultServer) -> None:
    """A round that surely found every merchant free: the vault's own may still be under way."""
    for _ in range(3):
        await server.data.upkeep.forget()
        await asyncio.sleep(0.05)


@pytest.fixture
async def years(ground: Ground) -> Years:
    async with ground.vault() as server:
        world = await new_world(server, ground.client)
    return Years(ground, world)


Make = Callable[[World], Awaitable[None]]
"""Makes a row that expires some days from the present, which it returns."""


async def make_ticket(world: World) -> None:
    await add_staff(world.operator, world.code)
    request = IssueLoginTicket(merchant_code=world.code, email=HANA, life_s=60)
    await world.operator.call(ISSUE_LOGIN_TICKET, request)


async def make_return(world: World) -> None:
    await world.start(await world.payer())


async def make_notice(world: World) -> None:
    claim = NoticeClaim(
        notice_id="ev_1", subject="attempt", reference="R-1", claim="succeeded", at=None
    )
    request = RecordNotice(
        merchant_code=world.code, provider="sandbox_card", raw=b"{}", claims=(claim,)
    )
    await world.web.call(RECORD_NOTICE, request)


async def make_link(world: World) -> None:
    await world.bill(link_days=10)


async def make_sending(world: World) -> None:
    async with world.act() as act:
        await act.db.execute(
            "insert into delivery_chunk (merchant_id, id, channel, provider, deliveries,"
            " created_at, done_at) values ($1, $2, 'sms', 'sandbox_sms', 1, $3, $3)",
            act.merchant_id, act.new_id(), act.now,
        )  # fmt: skip


TIMED: list[tuple[Forgotten, str, Make, float]] = [
    ("login_ticket", "login_ticket", make_ticket, 60 / 86_400),
    ("return_token", "return_token", make_return, 1),
    ("notice", "notice", make_notice, 0),
    ("notice_body", "notice_body", make_notice, 0),
    ("idempotency_key", "once", make_return, 0),
    ("link_expired", "link", make_link, 10),
    ("sending", "delivery_chunk", make_sending, 0),
]
"""What, its table, how to make one, and the days until its period begins."""


@pytest.mark.parametrize(("what", "table", "make", "life"), TIMED)
async def test_a_row_goes_when_its_period_has_ended_and_not_before(
    years: Years, what: Forgotten, table: str, make: Make, life: float
) -> None:
    async with years.at(0) as world:
        await make(world)
    query = f"select count(*) from {table}"  # noqa: S608  # names of tables

    async with years.at(life + days_of(what) - 0.01) as world:
        assert await world.value(query) == 1

    async with years.at(life + days_of(what) + 0.01) as world:
        assert await world.value(query) == 0


async def test_a_return_address_says_expired_until_it_is_forgotten(ground: Ground) -> None:
    async with ground.vault() as server:
        world = await new_world(server, ground.client)
        started = await world.start(await world.payer())
        request = ViewReturn(merchant_code=world.code, return_token=started.return_token)

        await age_token(world, timedelta(days=days_of("return_token"), hours=-1))
        await forget(server)
        with pytest.raises(Expired, match="return_expired"):
            await world.web.call(VIEW_RETURN, request)

        await age_token(world, timedelta(days=days_of("return_token"), hours=1))
        await forget(server)
        with pytest.raises(NotFound, match="return_unknown"):
            await world.web.call(VIEW_RETURN, request)


async def age_token(world: World, expired: timedelta) -> None:
    """Let the token have expired so long ago; its row may be replaced, never changed."""
    moment = SystemClock().wall() - expired
    async with world.act() as act:
        [row] = await act.db.fetch("delete from return_token returning *")
        await act.db.execute(
            "insert into return_token (merchant_id, token_hash, attempt_id, bill_id, expires_at)"
            " values ($1, $2, $3, $4, $5)",
            *[*row.values()][:4], moment,
        )  # fmt: skip


async def test_an_expired_link_says_so_until_it_is_forgotten(ground: Ground) -> None:
    period = days_of("link_expired")
    async with ground.vault() as server:
        calendar = Calendar(await new_world(server, ground.client))
        world = calendar.world
        _, secret = await world.bill(link_days=1 - period)
        # Only bills that are old enough are looked at: this one was made today.
        await calendar.move_to(calendar.today + timedelta(days=period + 1))
        request = OpenLink(merchant_code=world.code, secret=secret)

        await forget(server)
        with pytest.raises(Expired, match="link_expired"):
            await world.web.call(OPEN_LINK, request)

        await world.value("update link set expires_at = expires_at - interval '2 days' returning 1")
        await forget(server)
        with pytest.raises(NotFound, match="link_unknown"):
            await world.web.call(OPEN_LINK, request)


# --- links of bills that are done ---------------------------------------------------------------


async def test_a_paid_bills_link_shows_the_receipt_for_its_time(ground: Ground) -> None:
    async with ground.vault() as server:
        calendar = Calendar(await new_world(server, ground.client))
        world = calendar.world
        payer, still_owed = await world.payer(), await world.payer()
        await world.paid(payer)
        paid_on = calendar.today

        await calendar.move_to(paid_on + timedelta(days=days_of("link_paid") - 1))
        await forget(server)
        assert (await world.page(await world.open(payer.bill_id, payer.secret))).state == "paid"

        await calendar.move_to(paid_on + timedelta(days=days_of("link_paid") + 1))
        await forget(server)
        with pytest.raises(NotFound, match="link_unknown"):
            await world.open(payer.bill_id, payer.secret)
        await world.open(still_owed.bill_id, still_owed.secret)


async def test_a_lapsed_bills_link_says_whom_to_call_for_its_time(ground: Ground) -> None:
    async with ground.vault() as server:
        calendar = Calendar(await new_world(server, ground.client))
        world = calendar.world
        due = calendar.today + timedelta(days=3)
        payer = await world.payer(due=due)
        lapsed_on = due + timedelta(days=LAPSE_AFTER_DAYS_DEFAULT + 1)
        await calendar.until(lapsed_on)

        await calendar.move_to(lapsed_on + timedelta(days=days_of("link_closed") - 1))
        await forget(server)
        assert (await world.page(await world.open(payer.bill_id, payer.secret))).state == "lapsed"

        await calendar.move_to(lapsed_on + timedelta(days=days_of("link_closed") + 1))
        await forget(server)
        with pytest.raises(NotFound, match="link_unknown"):
            await world.open(payer.bill_id, payer.secret)


async def test_a_canceled_bills_link_says_so_for_its_time(ground: Ground) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        world = world_of(desk)
        calendar = Calendar(world)
        bill_id, secret = await world.bill()
        request = CancelBill(
            bill_id=BillId(bill_id), version=1, reason="moved", idempotency_key=desk.key()
        )
        await desk.web.call(CANCEL_BILL, request, desk.staff)
        canceled_on = calendar.today

        await calendar.move_to(canceled_on + timedelta(days=days_of("link_closed") - 1))
        await forget(server)
        assert (await world.page(await world.open(bill_id, secret))).state == "canceled"

        await calendar.move_to(canceled_on + timedelta(days=days_of("link_closed") + 1))
        await forget(server)
        assert await world.value("select count(*) from link") == 0


# --- imports ------------------------------------------------------------------------------------


def world_of(desk: Desk) -> World:
    return World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )


async def test_an_import_that_nobody_decided_about_is_discarded_with_a_reason(
    ground: Ground,
) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        world, calendar = world_of(desk), Calendar(world_of(desk))
        good = [line(f"E-{number}") for number in range(3)]
        checked = await desk.take_in(*good, line("bad", amount=""))
        broken = await desk.create()
        body = csv(line("F-1"))
        await desk.store(broken.id, 0, body)
        days = days_of("undecided_import")

        await calendar.move_to(calendar.today + timedelta(days=days - 1))
        await forget(server)
        assert (await desk.view(checked.id)).state == "checked"

        await calendar.move_to(calendar.today + timedelta(days=2))
        await forget(server)
        seen = await desk.view(checked.id)
        assert (seen.state, seen.refused_code) == ("discarding", "import_abandoned")
        assert seen.refused_params == {"days": days}
        with pytest.raises(InvalidInput, match="import_abandoned"):
            refuse_if_refused(await desk.finish(broken.id, len(body)))
        await desk.work_off()
        await desk.store(broken.id, 0, body)  # a part sent once more is not kept any more

        for made in (checked, broken):
            assert (await desk.view(made.id)).state == "discarded"
        for table in ("bill", "file_part"):
            assert await world.value(f"select count(*) from {table}") == 0  # noqa: S608  # names
        assert await world.value("select count(*) from row_fault") == 1

        await calendar.move_to(calendar.today + timedelta(days=days_of("row_fault") + 1))
        await forget(server)
        assert await world.value("select count(*) from row_fault") == 0
        assert (await desk.view(checked.id)).faults[0].rows == 1


async def test_faults_of_a_sent_import_go_and_its_bills_stay(ground: Ground) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        world, calendar = world_of(desk), Calendar(world_of(desk))
        await desk.issued(line("E-1"), line("bad", amount=""))

        await calendar.move_to(calendar.today + timedelta(days=days_of("row_fault") - 1))
        await forget(server)
        assert await world.value("select count(*) from row_fault") == 1

        await calendar.move_to(calendar.today + timedelta(days=2))
        await forget(server)
        assert await world.value("select count(*) from row_fault") == 0
        assert await world.value("select count(*) from bill") == 1


# --- many, and what stays -----------------------------------------------------------------------

_BATCH = """
insert into print_batch (merchant_id, id, charset, bills, with_bars, total_minor, parts, report,
                         reported, made_by, made_at)
values ($1, $2, 'cp932', 1, 0, 1, 1, '', 0, 'test', $3)
"""
_TOLD_BY_FILE = """
with plan as (
    insert into result_plan (merchant_id, charset, set_by, set_at) values ($1, 'utf-8', 'test', $2)
), change as (
    insert into bill_change (merchant_id, import_id, bill_id, line, action, state)
    values ($1, uuidv7(), uuidv7(), 2, 'cancel', 'done')
), switch as (
    insert into message_switch (merchant_id, id, number, channel, state, after_id, bills, looked,
                                planned, made_by, made_at)
    values ($1, uuidv7(), 1, 'email', 'done', uuidv7(), 1, 1, 1, 'test', $2)
)
insert into result_file (merchant_id, number, id, state, charset, from_txn, until_txn, after_txn,
                         after_id, parts, rows, bytes, sha256, made_by, made_at)
values ($1, 1, uuidv7(), 'ready', 'utf-8', 0, 9, 0, 0, 1, 0, 0, '', 'test', $2)
"""
_PRINTED_AND_CONTESTED = """
with batch as (
    insert into print_batch (merchant_id, id, charset, bills, with_bars, total_minor, parts,
                             report, reported, made_by, made_at)
    values ($1, uuidv7(), 'cp932', 1, 0, 1, 1, '', 0, 'test', now()) returning id
), bills as (
    insert into print_bill select $1, id, $2, false from batch
), price as (
    insert into message_price values ($1, 'sms', 'sandbox_sms', '{330}')
), trial as (
    insert into message_trial values ($1, uuidv7(), uuidv7(), 'sms', 'sandbox_sms', 'accepted', 1,
                                      null, 'test', now())
), wanted as (
    insert into paper_due values ($1, $2, 'rung', now())
), billed as (
    insert into digital_contract (merchant_id, contract_blind, state, bill_id, since)
    values ($1, '', 'digital', $2, now())
), said as (
    insert into digital_event (merchant_id, id, contract_blind, bill_id, event, state, source,
                               actor, at)
    values ($1, $2, '', $2, 'agree', 'parallel', 'page', 'payer', now())
), reached as (
    insert into contact_verified values ($1, '', '', '', 'sms', now())
), doubted as (
    insert into contact_doubt values ($1, '', '', 'denied', $2, now())
), saved as (
    insert into paper_saved (merchant_id, on_date, sheets) values ($1, '2026-11-22', 1)
), wording as (
    insert into delivery_wording values ($1, $2, $3)
), browser as (
    insert into push_subscription (merchant_id, id, customer_blind, contact_blind, kind, contact,
                                   created_at)
    values ($1, uuidv7(), '', '', 'web', '', now())
), pushed as (
    insert into push_delivery values ($1, $2, $3)
), app as (
    insert into merchant_app values ($1, 'fcm', 'minato.app')
), misfits as (
    insert into wording_tally values ($1, $2, $3, '2026-11-22', 9, 1)
), refused as (
    insert into sender_hold (merchant_id, channel, provider) values ($1, 'push', 'fcm')
), failed as (
    insert into failed_file (merchant_id, id, state, lines, succeeded, stored_to, told_to, told,
                             known, under_way, not_owed, unmatched, unclear, sent_by, sent_at)
    values ($1, uuidv7(), 'told', 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 'test', now())
), contract as (
    insert into transfer_contract (merchant_id, id, bank_code, company_code, details, line,
                                   record_end, more_letters, lines_max, submit_days, submit_by,
                                   created_at)
    values ($1, uuidv7(), '0001', '1', '', '', '', '', 9, 1, '15:00', now())
), transfers as (
    insert into transfer_file (merchant_id, id, contract_id, transfer_on, state, version, number_ms,
                               lines, total_minor, parts, size_bytes, is_full, built_by, built_at,
                               state_at)
    values ($1, $2, $2, '2026-11-24', 'discarded', 1, 0, 1, 1, 0, 0, false, 'test', now(), now())
), transferred as (
    insert into transfer_line (merchant_id, id, file_id, line_no, refund_id, instruction_no, state,
                               amount_minor)
    values ($1, $2, $2, 1, $2, '1', 'released', 1)
), template as (
    insert into message_template (merchant_id, id, channel, language, occasion, number, state,
                                  version, words, written_by, written_at)
    values ($1, uuidv7(), 'sms', 'ja', 'first', 1, 'draft', 1, '', 'test', now())
)
insert into dispute (merchant_id, id, bill_id, attempt_id, reference, state, amount_minor,
                     taken_minor, reason, opened_at)
values ($1, uuidv7(), $2, $3, 'dp_1', 'opened', 1, 0, '', now())
"""
_MANY = """
insert into once (merchant_id, kind, key, arguments, created_at)
select $1, 'test', n::text, 'x', $2 from generate_series(1, $3) as n
"""


async def test_many_rows_go_slice_by_slice_and_only_counts_are_told(years: Years) -> None:
    async with years.at(0) as world, world.act() as act:
        await act.db.execute(_MANY, act.merchant_id, act.now, 12_001)

    with capture_logs() as told:
        async with years.at(days_of("idempotency_key") + 1) as world:
            assert await world.value("select count(*) from once") == 0
            merchant = world.merchant_id

    said = [event for event in told if event["event"] == "retention.forgot"]
    assert sum(event["rows"] for event in said) == 12_001
    for event in said:
        assert event.keys() == {"event", "log_level", "merchant_id", "kind", "rows"}
        assert (event["merchant_id"], event["kind"]) == (merchant, "idempotency_key")


@pytest.mark.parametrize("point", ["vault.before_upkeep", "vault.after_upkeep"])
async def test_a_kill_while_forgetting_leaves_the_rest_to_the_next_vault(
    years: Years, point: str
) -> None:
    async with years.at(0) as world, world.act() as act:
        old = SystemClock().wall() - timedelta(days=days_of("idempotency_key") + 1)
        await act.db.execute(_MANY, act.merchant_id, old, 6_000)

    crash = {"HARAI_CRASH_POINT": point, "HARAI_CRASH_OPERATION": "forget"}
    async with vault_process(years.ground, **crash) as process:
        assert await process.wait() == 137

    async with years.at(0) as world:
        assert await world.value("select count(*) from once") == 0


async def test_one_merchants_rows_go_and_the_others_stay(ground: Ground) -> None:
    async with ground.vault() as server:
        first = await new_world(server, ground.client, "aaa")
        second = await new_world(server, ground.client, "bbb")
        old = SystemClock().wall() - timedelta(days=days_of("idempotency_key") + 1)
        for world, at in ((first, old), (second, SystemClock().wall())):
            async with world.act() as act:
                await act.db.execute(_MANY, act.merchant_id, at, 10)

        await forget(server)

        assert await first.value("select count(*) from once") == 0
        assert await second.value("select count(*) from once") == 10


async def plan_and_choose(desk: Desk) -> None:
    """A plan of messages, and a payer's word about them."""
    await Steps(desk).plan(NEVER_QUIET)
    await Steps(desk).say(is_wanted=False)


async def _write_the_rest(act: Act, bill_id: UUID, attempt: UUID) -> None:
    """What is kept for good and what nobody wrote above."""
    await act.open_case("overpaid", act.merchant_id)
    held = NewPause(bill_id=bill_id, kind="hold", until=None, was_due_on=None, note="")
    await insert_pause(act, held)
    await act.db.execute(_PRINTED_AND_CONTESTED, act.merchant_id, bill_id, attempt)
    await act.db.execute(_TOLD_BY_FILE, act.merchant_id, act.business)
    told = await act.db.fetchval("select id from delivery limit 1")
    await note_faults(act, {told: "bounced"})
    await make_calls(act, [NewCall(b"hash", told, bill_id, "sandbox_tel")])


async def test_books_bills_timelines_and_the_audit_stay_for_good(ground: Ground) -> None:
    async with ground.vault() as server:
        desk = await new_desk(server, ground.client)
        world, calendar = world_of(desk), Calendar(world_of(desk))
        road = SetChannel(
            merchant_code=desk.code, channel="sms", provider="sandbox_sms", sender="0005", share=1
        )
        await desk.operator.call(SET_CHANNEL, road)
        await desk.issued(line("E-1"), line("E-2"))
        await desk.send_all()
        await plan_and_choose(desk)
        payer = await world.payer()
        attempt = await world.paid(payer)
        one = await world.payer(contract=(contract := uuid4()), amount=5_000)
        two = await world.payer(contract=contract, amount=600)
        await world.allow_parts(1_000)
        await world.paid_alone(one, 1_000, part_minor=1_000)
        await world.paid_alone(one, 4_600, "rest", also=(two.page_ref,))
        await (await new_counter(world, "giver")).ask(payer.bill_id, attempt, 1000)
        await agreed(world, attempt)
        slips = await new_slip_desk(world, "teller")
        _, digits = await slips.payer()
        await slips.told(slip_line("confirmed", digits))
        bank = await bank_desk(world)
        await bank.debtor()
        one, sent = await bank.at_bank()
        await bank.answered(one, sent, lambda _place: "0")
        async with world.act() as act:
            await _write_the_rest(act, payer.bill_id, attempt)
        before = await counts(world)
        await calendar.move_to(calendar.today + timedelta(days=3_600))
        await ground.close()

    years = Years(ground, world)
    async with years.at(3_600) as world:
        after = await counts(world)

    assert {name for name, rows in before.items() if rows} >= set(KEPT) - {
        "api_key",
        "mandate_redirect",
        "number_pace",
        "store_order",
    }
    assert [name for name, rows in before.items() if after[name] < rows] == []


async def counts(world: World) -> dict[str, int]:
    return {
        name: await world.value(f"select count(*) from {name}")  # noqa: S608  # names of tables
        for name in KEPT
    }


async def test_a_merchant_whose_rows_are_busy_keeps_no_other_waiting(ground: Ground) -> None:
    async with ground.vault() as server:
        busy, free = [await new_world(server, ground.client, code) for code in ("aaa", "bbb")]
        old = SystemClock().wall() - timedelta(days=days_of("idempotency_key") + 1)
        for world in (busy, free):
            async with world.act() as act:
                await act.db.execute(_MANY, act.merchant_id, old, 10)

        async with busy.act() as act:
            await act.db.execute("select from once for update")
            with pytest.raises(TryLater, match="vault_busy"):
                await server.data.upkeep.forget()
            assert await free.value("select count(*) from once") == 0

        await forget(server)
        assert await busy.value("select count(*) from once") == 0


_FAILED: str = """
insert into failed_line (merchant_id, file_id, record_no, amount_minor, code, blinds)
values ($1, $2, 2, 1, '1', '{}')
"""


async def test_a_print_shops_file_goes_and_the_batch_stays_and_so_go_failed_debits(
    ground: Ground,
) -> None:
    assert days_of("print_file") == days_of("failed_line")
    async with ground.vault() as server:
        world = await new_world(server, ground.client)
        past = server.clock.wall() - timedelta(days=days_of("print_file") + 1)
        async with world.act() as act:
            for made_at in (past, server.clock.wall()):
                batch_id = first_id_of(made_at)
                await act.db.execute(_BATCH, act.merchant_id, batch_id, made_at)
                await store_part(act, batch_id, 0, b"a line\r\n")
                await act.db.execute(_FAILED, act.merchant_id, batch_id)

        await forget(server)

        assert await world.value("select count(*) from print_batch") == 2
        assert await world.value("select array_agg(file_id) from failed_line") == [batch_id]
        left = await world.value("select file_id from file_part")
        assert left == await world.value("select max(id::text)::uuid from print_batch")
