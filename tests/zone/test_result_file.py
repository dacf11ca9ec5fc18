"""What goes back to a billing system: all that happened, once, in files that never change."""

import csv
import hashlib
import io
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.application.settlement.results import write_results
from portal.contract.envelope import Nothing
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.contract.page import MARK_OPENED
from portal.contract.result_file import (
    ACKNOWLEDGE_RESULT_FILE,
    LIST_RESULT_FILES,
    MAKE_RESULT_FILE,
    SET_RESULT_PLAN,
    TAKE_RESULT_PART,
    AcknowledgeResultFile,
    ListResultFiles,
    MakeResultFile,
    ResultFilePage,
    ResultFileView,
    SetResultPlan,
    TakeResultPart,
)
from portal.domain.chargeback import Taken, chargeback_returned, chargeback_taken
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.domain.ledger import Return, refund_succeeded, refund_transferred
from portal.domain.result_file import COLUMNS, PART_ROWS
from portal.vault.deliveries import Delivery, store
from portal.vault.ledger import post
from portal.vault.results import Results
from portal.vault.server import VaultServer
from tests.make.merchant import found
from tests.make.money import AMOUNT, World, new_world
from tests.make.refunds import Member, member
from tests.make.slip_desk import line as slip_line
from tests.make.slip_desk import new_slip_desk
from tests.make.vault import ClientFor, Ground
from tests.make.web import running_web, web_settings
from tests.zone.test_print_screen import fields_of


@dataclass
class Office:
    """A merchant whose billing system takes files, and staff of two kinds."""

    world: World
    owner: Member
    clerk: Member
    keys: int = 0

    async def plan(self, **plan: Any) -> None:  # noqa: ANN401
        """Set the plan as the owner."""
        wanted: dict[str, Any] = {"every_minutes": None, "daily_hour": None, "charset": "utf-8"}
        wanted |= plan
        await self.world.web.call(SET_RESULT_PLAN, SetResultPlan(**wanted), self.owner.authority)

    async def begin(self, key: str = "") -> ResultFileView:
        """Ask for a file; nobody has written it yet."""
        self.keys += 1
        request = MakeResultFile(idempotency_key=key or f"file-{self.keys}")
        made = await self.world.web.call(MAKE_RESULT_FILE, request, self.clerk.authority)
        return made.file

    async def write(self) -> int:
        """Do the tasks of result files, as a worker does; how many rows they wrote."""
        rows = 0
        for lease in await self.world.leases():
            if lease.kind == "settlement.write_results":
                rows += await write_results(self.world.work, lease.authority, lambda: False)
        return rows

    async def make(self) -> ResultFileView:
        """A file that is written."""
        number = (await self.begin()).number
        await self.write()
        return next(one for one in (await self.page()).files if one.number == number)

    async def page(self, **asked: Any) -> ResultFilePage:  # noqa: ANN401
        wanted: dict[str, Any] = {"first": 10} | asked
        request = ListResultFiles(**wanted)
        return await self.world.web.call(LIST_RESULT_FILES, request, self.clerk.authority)

    async def body(self, number: int) -> bytes:
        """The whole file as the merchant takes it."""
        body, part_no = b"", 0
        while True:
            request = TakeResultPart(number=number, part_no=part_no)
            part = await self.world.web.call(TAKE_RESULT_PART, request, self.clerk.authority)
            body += part.body
            if part.is_last:
                return body
            part_no += 1

    async def rows(self, number: int, codec: str = "utf-8") -> list[dict[str, str]]:
        """Its rows by column."""
        read = csv.DictReader(io.StringIO((await self.body(number)).decode(codec), newline=""))
        assert tuple(read.fieldnames or ()) == COLUMNS
        return list(read)

    async def acknowledge(self, number: int, sha256: str) -> ResultFileView:
        request = AcknowledgeResultFile(number=number, sha256=sha256)
        made = await self.world.web.call(ACKNOWLEDGE_RESULT_FILE, request, self.clerk.authority)
        return made.file

    async def arrives(self, bill_id: UUID) -> None:
        """A message of the bill is accepted and then delivered."""
        await self.world.delivery(bill_id, state="redeemed")
        for state in ("accepted", "delivered"):
            async with self.world.act() as act:
                row = await act.db.fetchrow("select * from delivery where bill_id = $1", bill_id)
                assert row is not None
                moved = Delivery.of(row)
                moved.state = state  # type: ignore[assignment]
                await store(act, [moved])


def told(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Event, amount and method of each event's row."""
    return [
        (row["event"], row["amount"], row["method"]) for row in rows if row["record"] == "event"
    ]


@pytest.fixture
async def office(vault: VaultServer, client_for: ClientFor) -> Office:
    world = await new_world(vault, client_for)
    return Office(world, await member(world, "owner"), await member(world, "clerk", "clerk"))


async def test_only_an_owner_sets_a_plan_and_before_one_nothing_is_kept(office: Office) -> None:
    early = await office.world.payer()
    await office.world.paid(early)
    with pytest.raises(Conflict) as refused:
        await office.begin()
    assert refused.value.code == "result_no_plan"
    with pytest.raises(NotAllowed):
        await Office(office.world, office.clerk, office.clerk).plan()
    for bad in ({"every_minutes": 4}, {"daily_hour": 24}, {"every_minutes": 5, "daily_hour": 3}):
        with pytest.raises(InvalidInput):
            await office.plan(**bad)
    await office.plan()
    with pytest.raises(Conflict) as refused:
        await office.begin()
    assert refused.value.code == "result_nothing"


async def test_what_happened_goes_back_by_row_with_totals_and_hash(office: Office) -> None:
    await office.plan()
    payer = await office.world.payer()
    await office.arrives(payer.bill_id)
    for _ in range(2):
        await office.world.web.call(MARK_OPENED, Nothing(), payer.authority)
    await office.world.paid(payer)

    view = await office.make()

    body = await office.body(1)
    rows = await office.rows(1)
    assert told(rows) == [
        ("sent", "", "sms"), ("delivered", "", "sms"), ("opened", "", ""),
        ("paid_confirmed", str(AMOUNT), "card"),
    ]  # fmt: skip
    number = await office.world.value("select number from bill where id = $1", payer.bill_id)
    events = [row for row in rows if row["record"] == "event"]
    assert {(row["bill_number"], row["kind"], row["period"]) for row in events} == {
        (number, "electricity", "2026-11")
    }
    assert [row["number"] for row in events] == ["1", "2", "3", "4"]
    assert all(row["at"].endswith("+09:00") for row in events)
    totals = [row for row in rows if row["record"] == "total"]
    assert [(row["event"], row["number"]) for row in totals] == [
        ("sent", "1"), ("delivered", "1"), ("opened", "1"), ("paid_confirmed", "1")
    ]  # fmt: skip
    assert totals[-1]["amount"] == str(AMOUNT)
    assert (rows[-1]["record"], rows[-1]["number"]) == ("end", "4")
    assert (view.rows, view.bytes) == (4, len(body))
    assert view.sha256 == hashlib.sha256(body).hexdigest()


async def test_a_file_is_taken_again_as_it_was_and_is_open_until_its_hash_comes_back(
    office: Office,
) -> None:
    await office.plan()
    payer = await office.world.payer()
    await office.world.paid(payer)

    begun = await office.begin(key="same")
    assert (await office.page()).waiting == 0
    assert (begun.number, begun.state) == (1, "writing")
    assert (await office.begin(key="same")).number == 1
    with pytest.raises(Conflict) as refused:
        await office.begin()
    assert refused.value.code == "result_unfinished"
    with pytest.raises(Conflict):
        await office.body(1)
    with pytest.raises(Conflict):
        await office.acknowledge(1, "")
    assert await office.write() == 2
    assert await office.write() == 0

    [view] = (await office.page()).files
    body = await office.body(1)
    with pytest.raises(InvalidInput) as wrong:
        await office.acknowledge(1, "0" * 64)
    assert wrong.value.code == "result_hash_differs"
    assert (await office.page()).unacknowledged == 1
    for _ in range(2):
        assert (await office.acknowledge(1, view.sha256.upper())).state == "acknowledged"
    assert (await office.page()).unacknowledged == 0
    assert await office.body(1) == body
    with pytest.raises(NotFound):
        await office.body(2)


async def test_numbers_go_on_and_a_plan_may_ask_for_shift_jis(office: Office) -> None:
    await office.plan()
    await office.world.paid(await office.world.payer())
    await office.make()
    await office.plan(charset="cp932")
    bill_id, _ = await office.world.bill()
    async with office.world.act() as act:
        await act.db.execute(
            "update bill set number = '請求-1', canceled_at = $2, lifecycle = 'canceled'"
            " where id = $1", bill_id, act.business,
        )  # fmt: skip
    second = await office.make()
    rows = await office.rows(2, "cp932")
    assert (second.number, second.charset) == (2, "cp932")
    assert told(rows) == [("canceled", str(AMOUNT), "")]
    assert rows[0]["bill_number"] == "請求-1"
    page = await office.page(first=1)
    after = await office.page(first=1, after=page.end_cursor)
    assert [one.number for one in (*page.files, *after.files)] == [2, 1]


async def test_no_event_is_lost_or_told_twice_when_transactions_end_out_of_order(
    office: Office,
) -> None:
    """One that began first and ends last is in the file after the one that passed it."""
    await office.plan()
    slow, quick, third = [(await office.world.bill())[0] for _ in range(3)]
    opening = "update bill set opened_at = $2 where id = $1"

    async with office.world.act() as late:
        await late.db.execute(opening, slow, late.business)
        async with office.world.act() as early:
            await early.db.execute(opening, quick, early.business)
        with pytest.raises(Conflict) as refused:  # what is past the one that runs must wait, too
            await office.begin()
        assert refused.value.code == "result_nothing"
        assert (await office.page()).waiting == 1
    first = await office.make()
    async with office.world.act() as act:
        await act.db.execute(opening, third, act.business)
    second = await office.make()

    rows = [*await office.rows(first.number), *await office.rows(second.number)]
    numbers = Counter(row["bill_number"] for row in rows if row["record"] == "event")
    assert numbers == {f"B-{bill_id.hex[-8:]}": 1 for bill_id in (slow, quick, third)}
    assert (first.rows, second.rows) == (2, 1)


async def test_a_file_of_many_parts_is_whole_and_ends_where_its_last_part_is_full(
    office: Office,
) -> None:
    await office.plan()
    bill_id, _ = await office.world.bill()
    async with office.world.act() as act:
        await act.db.execute(
            "insert into result_event (merchant_id, bill_id, kind, amount_minor, method, at)"
            " select $1, $2, 'paid_confirmed', n, 'card', $3 from generate_series(1, $4) n",
            act.merchant_id, bill_id, act.business, 2 * PART_ROWS,
        )  # fmt: skip

    view = await office.make()

    rows = await office.rows(view.number)
    whole = sum(range(1, 2 * PART_ROWS + 1))
    assert [row["amount"] for row in rows[:-2]] == [str(n) for n in range(1, 2 * PART_ROWS + 1)]
    assert (rows[-2]["number"], rows[-2]["amount"]) == (str(2 * PART_ROWS), str(whole))


async def test_files_are_made_by_the_clock_and_an_unanswered_one_becomes_a_case_once(
    office: Office,
) -> None:
    server = office.world.server
    results = Results(server.data.transactions, server.clock, server.signals)
    due = "update result_plan set next_at = $1"
    now = server.clock.business_now()

    async def past(statement: str, *values: object) -> None:
        async with office.world.act() as act:
            await act.db.execute(statement, *values)
        for _ in range(2):
            await results.begin()
        await office.write()

    await results.begin()  # without a plan nothing is done
    await office.plan(every_minutes=5)
    await past(due, now)
    assert (await office.page()).files == ()  # nothing happened, and no empty file is made
    await office.plan(daily_hour=6)
    await past(due, now)
    [empty] = (await office.page()).files
    assert (empty.rows, empty.made_by, empty.state) == (0, "system", "ready")
    plan = (await office.page()).plan
    assert plan is not None
    assert plan.next_at is not None
    assert plan.next_at > now
    assert [row["record"] for row in await office.rows(1)] == ["end"]

    assert await office.world.cases() == []
    old = "update result_file set made_at = made_at - interval '25 hours'"
    await past(old)
    assert await office.world.cases() == ["results_unacknowledged"]
    [late] = (await office.page()).files
    assert late.is_late
    await office.acknowledge(1, late.sha256)
    assert await office.world.cases() == []
    seen = "select seen || resolution from case_ where kind = 'results_unacknowledged'"
    assert await office.world.value(seen) == "1acknowledged"

    # a plan on demand that nobody uses keeps nothing for longer than a month
    await office.plan()
    event = (
        "insert into result_event (merchant_id, bill_id, kind, method, at)"
        " select id, id, 'sent', 'sms', $1 from merchant"
    )
    await past(event, now - timedelta(days=30))
    assert len((await office.page()).files) == 1
    await past("delete from result_event")
    await past(event, now - timedelta(days=31))
    assert [(one.number, one.rows) for one in (await office.page()).files] == [(2, 1), (1, 0)]


async def test_systems_and_staff_take_files_through_the_doors_and_no_other_merchants(
    ground: Ground, vault: VaultServer, client_for: ClientFor
) -> None:
    zones = ("web", "work", "operator", "egress")
    web_caller, work, operator, relay = [await client_for(zone) for zone in zones]
    async with (
        AsyncExitStack() as stack,
        running_web(ground.folder, web_caller, settings=web_settings(ground.folder)) as web,
    ):
        ours, others = [await found(web, operator, web_caller, code) for code in ("mizu", "kaze")]
        for one in (ours, others):
            stack.push_async_callback(one.close)
        opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="mizu"))
        world = World(vault, web_caller, work, operator, "mizu", opened.id, relay)
        office = Office(world, await member(world, "boss"), await member(world, "desk", "clerk"))
        page = (await ours.browser.get("/d/results")).text
        form = fields_of(page, "/d/do/ResultPlanSet") | {"charset": "SHIFT_JIS", "dailyHour": "24"}
        await ours.browser.post("/d/do/ResultPlanSet", data=form)
        assert (await office.page()).plan is None
        await ours.browser.post("/d/do/ResultPlanSet", data=form | {"dailyHour": "6"})
        await world.paid(await world.payer())
        form = fields_of((await ours.browser.get("/d/results")).text, "/d/do/ResultFileMake")
        for _ in range(2):
            await ours.browser.post("/d/do/ResultFileMake", data=form)
        assert (await ours.api.get("/result-files/1")).status_code == 409
        assert await office.write() == 2

        taken = [await one.get("/result-files/1") for one in (ours.api, ours.browser)]
        wrong = [
            await others.api.get("/result-files/1"),
            await ours.api.get("/result-files/2"),
            await ours.api.get("/result-files/99999999999"),
            await ours.api.get("/result-files/x"),
        ]
        async with web.browser() as stranger:
            nobody = await stranger.get("/result-files/1")
        acknowledging = (
            "mutation($i: ResultFileAcknowledgeInput!) { resultFileAcknowledge(input: $i) {"
            " file { state } errors { code path } } }"
        )
        digest = hashlib.sha256(taken[0].content).hexdigest()
        said = [
            (await one.ask(acknowledging, i={"number": 1, "sha256": sha}))["resultFileAcknowledge"]
            for one, sha in ((others, digest), (ours, "0" * 64), (ours, digest))
        ]

    assert {one.status_code for one in taken} == {200}
    assert taken[0].content == taken[1].content
    assert taken[0].headers["content-type"] == "text/csv; charset=Shift_JIS"
    assert taken[0].headers["etag"] == f'"{digest}"'
    assert [one.status_code for one in wrong] == [404] * 4
    assert nobody.status_code == 401
    assert [one["errors"] and one["errors"][0]["code"] for one in said] == [
        "not_found", "result_hash_differs", [],
    ]  # fmt: skip
    assert said[-1]["file"] == {"state": "ACKNOWLEDGED"}


async def test_money_that_comes_goes_and_comes_back_is_told_with_sum_and_way(
    office: Office,
) -> None:
    world = office.world
    await office.plan()
    slips = await new_slip_desk(world, "teller")
    for kinds in (("provisional", "confirmed"), ("provisional", "reversal")):
        _, digits = await slips.payer()
        for kind in kinds:
            await slips.told(slip_line(kind, digits))
    payer = await world.payer()
    attempt_id = await world.paid(payer)
    taken = Taken(
        cause_id=UUID(int=3), bill_id=payer.bill_id, attempt_id=attempt_id, amount_minor=50
    )
    back = Return(
        refund_id=UUID(int=4), bill_id=payer.bill_id, attempt_id=attempt_id, amount_minor=70,
        owed_minor=0,
    )  # fmt: skip
    other = replace(back, refund_id=UUID(int=5), amount_minor=80)
    async with world.act() as act:
        await post(act, [chargeback_taken(taken), refund_succeeded(back)])
        await post(act, [chargeback_returned(taken), refund_transferred(other)])
        await act.db.execute(
            "with batch as (insert into print_batch (merchant_id, id, charset, bills, with_bars,"
            " total_minor, parts, report, reported, made_by, made_at)"
            " values ($1, uuidv7(), 'cp932', 1, 1, 1, 1, '', 0, 'test', $3) returning id)"
            " insert into print_bill (merchant_id, batch_id, bill_id, is_again)"
            " select $1, id, $2, false from batch", act.merchant_id, payer.bill_id, act.business,
        )  # fmt: skip

    rows = told(await office.rows((await office.make()).number))

    money = Counter((event, method) for event, _, method in rows if event != "opened")
    assert money == Counter(
        {
            ("paid_provisional", "slip"): 2, ("paid_confirmed", "slip"): 1,
            ("paid_reversed", "slip"): 1, ("paid_confirmed", "card"): 1,
            ("paid_reversed", "card"): 1, ("paid_restored", "card"): 1,
            ("refunded", "card"): 1, ("refunded", "bank_transfer"): 1, ("to_paper", ""): 1,
        }
    )  # fmt: skip
    assert {(event, amount) for event, amount, _ in rows} >= {
        ("paid_reversed", "50"), ("paid_restored", "50"), ("refunded", "70"), ("refunded", "80"),
    }  # fmt: skip
