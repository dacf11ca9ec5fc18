"""Slips against a real vault: from the payer's number to the books, whatever an agency tells.

Each of show_slip, take_slip_notices and record_slip_notice is one transaction; that repeating it
changes nothing is tried here.
"""

from datetime import time, timedelta

import pytest

from portal.contract.operator import JournalLine
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.slip_number import parse
from portal.vault.server import VaultServer
from tests.make.days import Calendar
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.slip_desk import ELSEWHERE, MORNING, SlipDesk, at, line, new_slip_desk
from tests.make.slips import EVENING
from tests.make.vault import ClientFor

ANNOUNCED = {"announced": AMOUNT, "unconfirmed": -AMOUNT}
OWED = {"receivable": AMOUNT, "billed": -AMOUNT}
PAID = {"in_transit": AMOUNT, "billed": -AMOUNT}
TWICE = {"in_transit": 2 * AMOUNT, "billed": -AMOUNT, "overpayment": -AMOUNT}


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def desk(world: World) -> SlipDesk:
    return await new_slip_desk(world)


# --- the number -----------------------------------------------------------------------------------
async def test_a_slip_is_made_out_once_and_says_what_its_bill_says(desk: SlipDesk) -> None:
    payer, digits = await desk.payer()

    again = await desk.show(payer)

    number = parse(again.digits)
    page = await desk.world.page(payer)
    assert again.digits == digits
    assert (number.amount_minor, number.issue) == (AMOUNT, 0)
    assert number.pay_until == again.pay_until >= page.due_on
    assert not again.at_registers
    assert await desk.world.events(payer.bill_id) == ["slip.issued"]
    assert [offer.method for offer in page.methods if offer.available] == ["card", "slip"]


async def test_who_may_not_pay_by_slip_gets_none_and_hears_why(desk: SlipDesk) -> None:
    world = desk.world
    rich = await world.payer(amount=1_000_000)
    just = await world.payer(amount=300_001)
    canceled = await world.payer(lifecycle="canceled")
    away = await world.payer()
    await world.submitted(away, await world.start(away))

    for payer, reason in (
        (rich, "amount_too_large"),
        (just, "amount_too_large"),
        (canceled, "not_payable"),
        (away, "attempt_elsewhere"),
    ):
        with pytest.raises(Conflict, match=reason):
            await desk.show(payer)
        offered = {offer.method: offer.reason for offer in (await world.page(payer)).methods}
        assert offered["slip"] == reason
    with pytest.raises(InvalidInput, match="method_unknown"):
        await world.start(rich, amount=1_000_000, method="slip")

    await desk.terms(offered=False)
    with pytest.raises(Conflict, match="not_offered"):
        await desk.show(await world.payer())
    assert await world.value("select count(*) from slip") == 0


async def test_terms_by_which_no_slip_could_be_made_out_are_refused(desk: SlipDesk) -> None:
    faulty: dict[str, dict[str, object]] = {
        "slip_maker_code": {"maker_code": "829023"},
        "slip_company_code": {"company_code": "2520"},
        "slip_amount": {"amount_max": 1_000_000},
        "slip_days": {"days_open": 0},
    }
    for code, changed in faulty.items():
        with pytest.raises(InvalidInput, match=code):
            await desk.terms(**changed)
    with pytest.raises(NotFound, match="provider_unknown"):
        await desk.terms(agency="sandbox_wallet")
    with pytest.raises(NotFound, match="merchant_unknown"):
        await desk.terms(merchant_code="nobody")


# --- money ----------------------------------------------------------------------------------------
async def test_a_till_s_word_is_no_money_until_the_agency_confirms_it(desk: SlipDesk) -> None:
    world = desk.world
    payer, digits = await desk.payer()

    assert await desk.told(line("provisional", digits)) == [("pending", "")]

    assert await world.settlement(payer.bill_id) == "provisional"
    assert await world.books(payer.bill_id) == OWED | ANNOUNCED
    page = await world.page(payer)
    assert (page.state, page.paid_at) == ("provisional", None)
    assert not any(offer.available for offer in page.methods)
    with pytest.raises(Conflict, match="not_payable"):
        await world.start(payer)

    assert await desk.told(line("confirmed", digits)) == [("posted", "")]

    assert await world.settlement(payer.bill_id) == "settled"
    assert await world.books(payer.bill_id) == PAID
    page = await world.page(payer)
    assert (page.state, page.attempt.method if page.attempt else "") == ("paid", "slip")
    assert page.paid_at is not None
    assert await world.cases() == []
    told = await world.events(payer.bill_id)
    assert set(told) == {
        "slip.issued", "slip.provisional", "bill.provisional", "slip.confirmed", "bill.paid"
    }  # fmt: skip


# Kinds in the order in which they come → books, settlement, slip's state, case.
STORIES: dict[str, tuple[dict[str, int], str, str, str]] = {
    "provisional provisional": (OWED | ANNOUNCED, "provisional", "provisional", ""),
    "provisional reversal": (OWED, "unpaid", "voided", ""),
    "provisional reversal provisional": (OWED, "unpaid", "voided", ""),
    "confirmed": (PAID, "settled", "confirmed", ""),
    "confirmed provisional": (PAID, "settled", "confirmed", ""),
    "postal": (PAID, "settled", "confirmed", ""),
    "reversal provisional": (OWED, "unpaid", "voided", "slip_reversal_unmatched"),
    "provisional confirmed reversal": (PAID, "settled", "confirmed", "slip_reversal_contradicts"),
    "provisional reversal confirmed": (PAID, "settled", "confirmed", "slip_reversal_contradicts"),
    "postal_correction": (OWED, "unpaid", "issued", "slip_postal_correction"),
}


async def test_money_follows_from_what_is_known_and_not_from_its_order(desk: SlipDesk) -> None:
    world = desk.world
    for kinds, (books, settlement, state, case) in STORIES.items():
        payer, digits = await desk.payer()

        verdicts = await desk.told(*(line(kind, digits) for kind in kinds.split()))

        assert await world.books(payer.bill_id) == books, kinds
        assert await world.settlement(payer.bill_id) == settlement, kinds
        assert await desk.state(digits) == state, kinds
        assert {reason for _, reason in verdicts if reason} == ({case} if case else set()), kinds
        opened = await world.value(
            "select count(*) from case_ c join slip s on s.id = c.subject_id where s.digits = $1",
            digits,
        )
        assert opened == bool(case), kinds


async def test_a_slip_that_was_taken_back_is_shown_and_paid_again(desk: SlipDesk) -> None:
    payer, digits = await desk.payer()

    await desk.told(line("provisional", digits), line("reversal", digits))
    assert (await desk.show(payer)).digits == digits
    await desk.told(line("provisional", digits, EVENING), line("confirmed", digits, EVENING))

    assert await desk.world.books(payer.bill_id) == PAID
    assert await desk.world.cases() == []


async def test_the_same_slip_at_another_till_is_money_that_is_owed_back(desk: SlipDesk) -> None:
    world = desk.world
    payer, digits = await desk.payer()

    first = await desk.told(line("provisional", digits), line("provisional", digits, ELSEWHERE))
    assert first == [("pending", ""), ("pending", "slip_paid_twice")]
    assert (await world.books(payer.bill_id))["announced"] == 2 * AMOUNT
    await desk.told(line("confirmed", digits), line("confirmed", digits, ELSEWHERE))

    assert await world.books(payer.bill_id) == TWICE
    assert await world.settlement(payer.bill_id) == "over"
    assert await world.cases() == ["overpaid", "slip_paid_twice"]


async def test_a_card_that_pays_while_a_till_takes_the_money_loses_nothing(desk: SlipDesk) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)

    await desk.told(line("provisional", digits))
    await world.told(payer, started.attempt_id, finding("succeeded"))
    assert await world.settlement(payer.bill_id) == "settled"
    await desk.told(line("confirmed", digits))

    assert await world.books(payer.bill_id) == TWICE
    assert await world.settlement(payer.bill_id) == "over"
    assert await world.cases() == ["overpaid"]


async def test_a_till_s_word_for_a_bill_that_owes_nothing_is_a_case_at_once(
    desk: SlipDesk,
) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    await world.paid(payer)

    assert await desk.told(line("provisional", digits)) == [("pending", "slip_not_owed")]
    assert await world.settlement(payer.bill_id) == "settled"
    await desk.told(line("reversal", digits))

    assert await world.books(payer.bill_id) == PAID
    assert await world.settlement(payer.bill_id) == "settled"


# --- days -----------------------------------------------------------------------------------------
async def test_a_slip_is_made_out_anew_when_its_last_day_is_over(desk: SlipDesk) -> None:
    world = desk.world
    payer, old = await desk.payer()
    last = parse(old).pay_until
    assert last is not None
    calendar = Calendar(world)

    await calendar.until(last)
    assert (await desk.show(payer)).digits == old
    await calendar.until(last + timedelta(days=1))
    new = await desk.show(payer)

    assert parse(new.digits).issue == 1
    assert parse(new.digits).free == parse(old).free
    assert await desk.state(old) == "replaced"
    at_last = at(last, time(12, 0))
    assert await desk.told(line("provisional", old, at_last)) == [("pending", "slip_replaced_paid")]
    assert await world.settlement(payer.bill_id) == "provisional"
    with pytest.raises(Conflict, match="not_payable"):
        await desk.show(payer)


async def test_a_slip_expires_after_the_agency_s_grace_and_late_money_still_pays(
    desk: SlipDesk,
) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    waiting, back = await desk.payer()
    last = parse(digits).pay_until
    assert last is not None
    calendar = Calendar(world)
    await calendar.move_to((await world.page(waiting)).due_on)
    await desk.told(line("provisional", back, at(last, time(9, 0))))

    await calendar.until(last + timedelta(days=14))
    assert await desk.state(digits) == "issued"
    await calendar.until(last + timedelta(days=15))

    assert await desk.state(digits) == "expired"
    assert await desk.state(back) == "provisional"
    assert await calendar.lifecycle(waiting.bill_id) == "open"
    await desk.told(
        line("confirmed", digits, at(last, time(23, 59))),
        line("reversal", back, at(last, time(9, 0))),
    )
    assert await world.settlement(payer.bill_id) == "settled"
    assert await calendar.lifecycle(waiting.bill_id) == "overdue"
    assert "slip.confirmed_late" in await world.events(payer.bill_id)
    assert await world.cases() == []


async def test_a_till_s_clock_decides_whether_the_last_day_was_over(desk: SlipDesk) -> None:
    payer, digits = await desk.payer()
    last = parse(digits).pay_until
    assert last is not None
    on_the_day, after = at(last, time(23, 59)), at(last + timedelta(days=1), time(0, 5))

    assert await desk.told(line("provisional", digits, on_the_day)) == [("pending", "")]
    await desk.told(line("reversal", digits, on_the_day))
    assert await desk.told(line("confirmed", digits, after)) == [("posted", "slip_after_deadline")]

    assert await desk.world.settlement(payer.bill_id) == "settled"


# --- files ----------------------------------------------------------------------------------------
async def test_a_file_sent_twice_is_told_apart_and_books_nothing_twice(desk: SlipDesk) -> None:
    payer, digits = await desk.payer()
    body = f"{line('provisional', digits)}\r\n{line('confirmed', digits)}\r\n".encode("cp932")

    first = await desk.file(body)
    again = await desk.file(body)
    other = await desk.file(body + b"\r\n")

    assert (first.seen_before, again.seen_before, other.seen_before) == (False, True, False)
    assert again.lines == first.lines
    assert [verdict.result for verdict in other.lines] == ["duplicate", "duplicate"]
    assert await desk.world.books(payer.bill_id) == PAID
    await desk.file(b"", sha256="0" * 64)
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await desk.file(b"x", sha256="0" * 64)


async def test_faulty_and_foreign_lines_book_nothing_and_stop_no_other(
    desk: SlipDesk, client_for: ClientFor
) -> None:
    world = desk.world
    other = await new_slip_desk(await new_world(world.server, client_for, "hikari"))
    stranger, foreign = await other.payer()
    payer, digits = await desk.payer()
    good = line("confirmed", digits)

    verdicts = await desk.told(
        line("confirmed", foreign),
        good[: len(good) // 2],
        line("confirmed", digits, ELSEWHERE, amount=1),
        good,
    )

    assert verdicts == [
        ("set_aside", "slip_unknown"),
        ("refused", "line_columns"),
        ("refused", "amount_differs"),
        ("posted", ""),
    ]
    assert await world.books(payer.bill_id) == PAID
    assert await other.world.books(stranger.bill_id) == OWED
    assert await world.cases() == ["slip_unknown"]
    utf8 = await desk.file(line("confirmed", digits, EVENING).encode("utf-16-le"))
    assert {verdict.result for verdict in utf8.lines} == {"refused"}


# --- at once --------------------------------------------------------------------------------------
async def test_what_comes_at_once_says_what_tills_did_and_confirms_nothing(
    desk: SlipDesk,
) -> None:
    world = desk.world
    payer, digits = await desk.payer()

    assert await desk.beep(line("provisional", digits)) == 1
    assert await desk.beep(line("provisional", digits)) == 0
    assert await desk.beep(line("confirmed", digits)) == 0

    assert await world.books(payer.bill_id) == OWED | ANNOUNCED
    with pytest.raises(NotFound, match="provider_unknown"):
        await desk.beep(line("provisional", digits), provider="dsk")
    with pytest.raises(InvalidInput, match="notice_malformed"):
        await desk.beep("01,nonsense")
    assert await desk.told(line("provisional", digits), line("confirmed", digits)) == [
        ("duplicate", ""),
        ("posted", ""),
    ]


async def test_confirmed_money_is_compared_and_given_back_like_any_other(desk: SlipDesk) -> None:
    world = desk.world
    payer, digits = await desk.payer()
    await desk.told(line("confirmed", digits, MORNING))
    reference = await world.value("select reference from attempt where bill_id = $1", payer.bill_id)

    same = JournalLine(reference=reference, state="succeeded", amount_minor=AMOUNT)
    assert await world.compare(same, provider="sandbox_agency") == set()
    assert await world.compare(provider="sandbox_agency") == {(reference, "journal_missing")}
