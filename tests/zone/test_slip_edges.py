"""Slips at their edges: words that nobody confirms, money given back, agencies that change.

What is judged as attacks here: a till's word that is forged or lost must not hold a bill for ever.
"""

import asyncio
from collections import Counter as Counts
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from portal.application.payment.slips import take_file
from portal.contract.number import SET_NUMBER, SetNumber, StoreNumber
from portal.contract.operator import JournalLine
from portal.contract.payment import VIEW_INQUIRY, ViewInquiry
from portal.domain.bill import check_cancelable
from portal.domain.days import JAPAN
from portal.domain.errors import Conflict
from portal.domain.slip import UNCONFIRMED_DAYS
from portal.domain.slip_number import parse
from portal.vault.server import VaultServer
from tests.make.days import Calendar
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter
from tests.make.slip_desk import ELSEWHERE, SlipDesk, at, line, new_slip_desk
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import payer_browser
from tests.make.web import running_web

OWED = {"receivable": AMOUNT, "billed": -AMOUNT}
PAID = {"in_transit": AMOUNT, "billed": -AMOUNT}


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def desk(world: World) -> SlipDesk:
    return await new_slip_desk(world)


async def test_a_till_s_word_that_nobody_confirms_lets_the_bill_go(desk: SlipDesk) -> None:
    world, calendar = desk.world, Calendar(desk.world)
    payer, digits = await desk.payer()
    early, early_digits = await desk.payer()
    both, twice = await desk.payer()
    begun = calendar.today + timedelta(days=1)
    await calendar.move_to(begun, time(0, 5))
    await desk.beep(line("provisional", early_digits))
    await calendar.move_to(begun, time(23, 55))
    await desk.beep(line("provisional", digits))
    await desk.beep(line("provisional", twice), line("provisional", twice, ELSEWHERE))

    await calendar.until(begun + timedelta(days=UNCONFIRMED_DAYS), time(23, 55))
    for bill in (payer, early, both):
        assert await world.settlement(bill.bill_id) == "provisional"
    await calendar.until(begun + timedelta(days=UNCONFIRMED_DAYS + 1), time(0, 5))

    for bill in (payer, early, both):
        assert await world.settlement(bill.bill_id) == "unpaid"
        assert await world.books(bill.bill_id) == OWED
        assert await calendar.lifecycle(bill.bill_id) == "overdue"
    assert "slip.unconfirmed" in await world.events(payer.bill_id)
    assert (await world.cases()).count("slip_unconfirmed") == 3
    assert parse((await desk.show(payer)).digits).issue == 1


async def test_what_was_let_go_is_booked_when_its_confirmation_comes_after_all(
    desk: SlipDesk,
) -> None:
    world, calendar = desk.world, Calendar(desk.world)
    payer, digits = await desk.payer()
    back, taken_back = await desk.payer()
    await desk.told(line("provisional", digits), line("provisional", taken_back))
    await calendar.until(calendar.today + timedelta(days=UNCONFIRMED_DAYS + 2))

    verdicts = await desk.told(line("confirmed", digits), line("reversal", taken_back))

    assert [result for result, _ in verdicts] == ["posted", "voided"]
    assert await world.books(payer.bill_id) == PAID
    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(back.bill_id) == OWED


async def test_money_of_a_slip_goes_back_by_the_merchant_s_own_transfer_alone(
    desk: SlipDesk,
) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    await world.paid(payer)
    await desk.told(line("confirmed", digits))
    row = await world.rows("select id, reference from attempt where method = 'slip'")
    counter = Counter(world, desk.staff)
    today = Calendar(world).today

    asked = await counter.ask(payer.bill_id, row[0]["id"], way="provider")
    assert (asked.way, await counter.state(asked)) == ("bank_transfer", "by_bank_transfer")
    assert await world.settlement(payer.bill_id) == "over"
    await counter.transferred(asked, today)

    assert await world.settlement(payer.bill_id) == "settled"
    assert (await world.books(payer.bill_id))["advanced"] == -AMOUNT
    assert [lease.kind for lease in await world.leases() if "refund" in lease.kind] == []
    same = JournalLine(reference=row[0]["reference"], state="succeeded", amount_minor=AMOUNT)
    assert await world.compare(same, provider="sandbox_agency") == set()


async def test_a_receipt_says_when_the_till_took_the_money(desk: SlipDesk) -> None:
    world, calendar = desk.world, Calendar(desk.world)
    payer, digits = await desk.payer()
    told, never = await desk.payer()
    till = at(calendar.today, time(0, 5))
    await calendar.move_to(calendar.today + timedelta(days=9))

    await desk.told(line("confirmed", digits, till))
    await desk.told(line("confirmed", never, at(date(2001, 1, 1), time(9, 0))))

    page, wrong = await world.page(payer), await world.page(told)
    assert page.paid_at == datetime.combine(till[0], till[1], JAPAN)
    assert wrong.paid_at is not None
    assert wrong.paid_at.date() >= calendar.today - timedelta(days=1)


def test_what_a_till_says_it_has_is_not_canceled_and_not_called_paid() -> None:
    with pytest.raises(Conflict, match="slip_announced"):
        check_cancelable("open", "provisional")


async def test_a_merchant_s_earlier_agency_still_confirms_its_slips_by_file(
    desk: SlipDesk,
) -> None:
    payer, digits = await desk.payer()
    await desk.told(line("provisional", digits))
    await desk.terms(agency="dsk", maker_code="929024")

    assert await desk.told(line("provisional", digits), line("confirmed", digits)) == [
        ("duplicate", ""),
        ("posted", ""),
    ]
    assert await desk.world.books(payer.bill_id) == PAID


async def test_a_line_past_all_bounds_stops_no_line_beside_it(desk: SlipDesk) -> None:
    payer, digits = await desk.payer()
    file = b"9" * (300 * 1024) + b"\r\n" + line("confirmed", digits).encode("cp932")

    taken = await take_file(desk.world.web, desk.staff.authority, file)

    told = [(verdict.line_no, verdict.result, verdict.reason) for verdict in taken.lines]
    assert told == [(1, "refused", "line_too_long"), (2, "posted", "")]
    assert await desk.world.settlement(payer.bill_id) == "settled"


async def test_two_files_at_once_book_each_payment_once(desk: SlipDesk) -> None:
    world = desk.world
    pairs = [await desk.payer() for _ in range(4)]
    foreign = replace(parse(pairs[0][1]), maker_code="929099").digits()
    lines = [line(kind, digits) for _, digits in pairs for kind in ("provisional", "confirmed")]
    lines.append(line("confirmed", foreign))
    bodies = ["\r\n".join(order).encode("cp932") for order in (lines, lines[::-1])]

    taken = await asyncio.gather(*(desk.file(body) for body in bodies))

    results = Counts(verdict.result for one in taken for verdict in one.lines)
    assert results["posted"] == len(pairs)
    assert results["refused"] == 0
    for payer, _ in pairs:
        assert await world.books(payer.bill_id) == PAID
    assert await world.value("select count(*) from slip_notice") == len(lines)


async def test_a_card_s_success_and_a_till_s_word_at_once_lose_no_money(desk: SlipDesk) -> None:
    world = desk.world
    for kind in ("provisional", "confirmed"):
        payer, digits = await desk.payer()
        started = await world.start(payer)
        await world.submitted(payer, started)

        await asyncio.gather(
            world.told(payer, started.attempt_id, finding("succeeded")),
            desk.told(line(kind, digits)),
        )
        await desk.told(line("confirmed", digits, ELSEWHERE), line("confirmed", digits))

        books = await world.books(payer.bill_id)
        assert (books["in_transit"], books["overpayment"]) == (3 * AMOUNT, -2 * AMOUNT)
        assert books.get("announced", 0) == 0
        assert await world.settlement(payer.bill_id) == "over"


async def test_whoever_only_looks_ahead_makes_out_no_slip_and_opens_no_bill(
    desk: SlipDesk, ground: Ground
) -> None:
    world = desk.world
    payer = await world.payer()
    opened = "select opened_at from bill where id = $1"
    async with (
        running_web(ground.folder, world.web) as web,
        payer_browser(web, payer.authority, payer.page_ref) as browser,
    ):
        address = f"/b/{payer.page_ref}/slip"
        ahead = [
            await browser.head(address),
            await browser.get(address, headers={"sec-purpose": "prefetch;prerender"}),
            await browser.get(address, headers={"purpose": "prefetch"}),
        ]
        assert [answer.status_code for answer in ahead] == [503] * 3
        assert await world.value("select count(*) from slip") == 0
        assert await world.value(opened, payer.bill_id) is None
        async with web.browser() as stranger:
            assert "<svg" not in (await stranger.get(address)).text
        assert await world.value("select count(*) from slip") == 0

        shown = await browser.get(address)

    assert "<script src" not in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert await world.value(opened, payer.bill_id) is not None


async def test_a_till_that_has_a_slips_money_has_the_number_of_its_bill_withdrawn(
    desk: SlipDesk,
) -> None:
    world = desk.world
    company = SetNumber(merchant_code=world.code, provider="gmopg", hours="09:00-17:00")
    await world.operator.call(SET_NUMBER, company)
    payer, digits = await desk.payer(kana="ヤマダ\u3000ハナコ")
    started = await world.start(payer, method="number", store="lawson")
    number = StoreNumber(
        store="lawson", receipt_no="20153671234", confirmation_no="580512",
        pay_by=world.server.clock.wall() + timedelta(days=10),
    )  # fmt: skip
    told: Any = {"redirect_url": "", "number": number}
    await world.submitted(payer, started, **told)

    await desk.beep(line("provisional", digits))

    ours = [one for one in await world.leases() if one.subject_id == started.attempt_id]
    [lease] = ours
    assert lease.kind == "payment.inquire"
    due = await world.work.call(
        VIEW_INQUIRY, ViewInquiry(attempt_id=started.attempt_id), lease.authority
    )
    assert (due.unwanted, due.settled) == (True, False)
    page = await world.page(payer)
    assert page.state == "provisional"
    assert page.attempt is not None
    assert page.attempt.number is None

    # a bill that waits for its replacement is kept, as money came first; one to be canceled is not
    for action, kept in (("replace", "open"), ("cancel", "canceling")):
        other, digits = await desk.payer()
        await world.rows(
            "with asked as (update bill set lifecycle = 'canceling' where id = $1 returning *)"
            " insert into bill_change (merchant_id, import_id, bill_id, line, action, state,"
            " new_bill_id) select merchant_id, import_id, id, 2, $2, 'waiting',"
            " case $2 when 'replace' then gen_random_uuid() end from asked returning 1",
            other.bill_id,
            action,
        )
        await desk.beep(line("provisional", digits))
        [row] = await world.rows(
            "select lifecycle, settlement, (select state from bill_change where bill_id = b.id)"
            " as change from bill b where id = $1",
            other.bill_id,
        )
        state = "planned" if action == "replace" else "waiting"
        assert tuple(row.values()) == (kept, "provisional", state)
