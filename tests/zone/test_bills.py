from datetime import timedelta

import pytest

from portal.contract.bills import (
    CANCEL_BILL,
    RESEND_MESSAGE,
    SUMMARISE_BILLS,
    VIEW_BILL,
    BillDetail,
    BillOrder,
    BillRow,
    BillSearch,
    CancelBill,
    ResendMessage,
    SearchField,
    Summary,
    ViewBill,
)
from portal.contract.envelope import Nothing
from portal.domain.bill import Settlement
from portal.domain.errors import Conflict, InvalidInput, LimitReached, NotFound
from portal.domain.ids import BillId
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, Desk, line, new_desk
from tests.make.money import World, finding
from tests.make.vault import ClientFor, Ground


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def money_of(desk: Desk) -> World:
    """The same merchant as those who pay see it."""
    return World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )


async def cancel(desk: Desk, row: BillRow, key: str = "cancel", reason: str = "") -> BillRow:
    request = CancelBill(bill_id=row.id, version=row.version, reason=reason, idempotency_key=key)
    return (await desk.web.call(CANCEL_BILL, request, desk.staff)).row


async def resend(desk: Desk, bill_id: BillId, key: str) -> BillRow:
    request = ResendMessage(bill_id=bill_id, idempotency_key=key)
    return (await desk.web.call(RESEND_MESSAGE, request, desk.staff)).row


async def detail(desk: Desk, bill_id: BillId) -> BillDetail:
    return await desk.web.call(VIEW_BILL, ViewBill(bill_id=bill_id), desk.staff)


async def summary(desk: Desk) -> Summary:
    return await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)


async def numbers(desk: Desk, order: BillOrder, first: int) -> list[str]:
    """All numbers of the list, page by page."""
    found: list[str] = []
    after = None
    while True:
        page = await desk.bills(order=order, first=first, after=after)
        found += [row.number for row in page.bills]
        if not page.has_next:
            return found
        after = page.end_cursor


@pytest.mark.parametrize("order", ["due_asc", "due_desc", "amount_asc", "amount_desc"])
async def test_pages_of_every_order_join_without_gap_or_repeat(
    desk: Desk, order: BillOrder
) -> None:
    rows = [
        line(
            f"E-{number:02d}",
            amount=str(100 + number % 5),
            due_on=(DUE_ON + timedelta(days=number % 3)).isoformat(),
        )
        for number in range(23)
    ]
    await desk.take_in(*rows)

    paged = await numbers(desk, order, 4)
    whole = await desk.bills(order=order, first=100)

    assert paged == [row.number for row in whole.bills]
    assert len(set(paged)) == 23
    values = [row.amount_minor if order.startswith("amount") else row.due_on for row in whole.bills]
    assert values == sorted(values, reverse=order.endswith("desc"))


async def test_newest_first_is_the_reverse_of_oldest_first(desk: Desk) -> None:
    await desk.take_in(*(line(f"E-{number}") for number in range(9)))

    assert await numbers(desk, "created_desc", 2) == (await numbers(desk, "created_asc", 3))[::-1]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("number", "E-1 "),
        ("customer_no", "００１２-e1"),  # noqa: RUF001
        ("phone", "+81 80-1111-2222"),
        ("email", "Taro@Example.JP"),
    ],
)
async def test_search_finds_exactly_one_whatever_way_it_is_typed(
    desk: Desk, field: SearchField, text: str
) -> None:
    await desk.take_in(
        line("E-1", phone="080-1111-2222", email="taro@example.jp"), line("E-2"), line("E-10")
    )

    found = await desk.bills(search=BillSearch(field=field, text=text))

    assert [row.number for row in found.bills] == ["E-1"]
    assert (found.count, found.count_exact) == (1, True)


async def test_a_check_code_leads_the_call_centre_to_the_bill(desk: Desk) -> None:
    await desk.take_in(line("E-1"), line("E-2"))
    row = (await desk.bills()).bills[1]
    code = (await detail(desk, row.id)).check_code

    found = await desk.bills(search=BillSearch(field="check_code", text=code.replace("-", " ")))

    assert row.number in [hit.number for hit in found.bills]


async def test_a_search_is_paged_and_ordered_too(desk: Desk) -> None:
    rows = [line(f"E-{n}", phone="08011112222", amount=str(100 + n % 3)) for n in range(7)]
    await desk.take_in(*rows)
    search = BillSearch(field="phone", text="08011112222")
    first = await desk.bills(search=search, order="amount_desc", first=4)

    rest = await desk.bills(search=search, order="amount_desc", first=4, after=first.end_cursor)

    amounts = [row.amount_minor for row in (*first.bills, *rest.bills)]
    assert amounts == sorted(amounts, reverse=True)
    assert len({row.id for row in (*first.bills, *rest.bills)}) == 7
    assert (first.has_next, rest.has_next) == (True, False)


async def test_cursors_are_refused_when_forged_or_moved_to_another_list(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    await desk.take_in(*(line(f"E-{number}") for number in range(3)))
    cursor = (await desk.bills(first=1)).end_cursor
    assert cursor is not None
    assert len((await desk.bills(first=1, after=cursor)).bills) == 1  # the control: it works
    other = await new_desk(vault, client_for, "other")
    spoiled = cursor[:-6] + ("A" if cursor[-6] != "A" else "B") + cursor[-5:]

    for page in (
        desk.bills(first=1, after=spoiled),
        desk.bills(first=1, after="x"),
        desk.bills(first=1, after="é"),
        desk.bills(first=1, after=cursor, order="due_asc"),
        desk.bills(first=1, after=cursor, lifecycle=("scheduled",)),
        other.bills(first=1, after=cursor),
    ):
        with pytest.raises(InvalidInput, match="cursor_invalid"):
            await page


async def test_filters_hold_together_and_counts_are_exact(desk: Desk) -> None:
    first = await desk.issued(*(line(f"E-{number}") for number in range(6)))
    await desk.take_in(*(line(f"F-{number}", due_on=f"{DUE_ON + timedelta(2)}") for number in "ab"))
    row = (await desk.bills(lifecycle=("open",), first=1)).bills[0]
    await cancel(desk, row)

    assert (await desk.bills(lifecycle=("open",))).count == 5
    assert (await desk.bills(lifecycle=("open", "scheduled"))).count == 7
    assert (await desk.bills(import_id=first.id)).count == 6
    assert (await desk.bills(due_from=DUE_ON + timedelta(1))).count == 2
    assert (await desk.bills(due_to=DUE_ON, message=("none",))).count == 0
    assert (await desk.bills(never_opened=True, lifecycle=("open",))).count == 5
    assert [row.number for row in (await desk.bills(lifecycle=("canceled",))).bills] == [row.number]


async def test_bills_whose_money_did_something_odd_are_found_as_long_as_it_is_odd(
    desk: Desk,
) -> None:
    await desk.issued(*(line(f"E-{number}") for number in range(4)))
    world = money_of(desk)

    async def found(*settlement: Settlement) -> list[str]:
        return sorted(row.number for row in (await desk.bills(settlement=settlement)).bills)

    async def moved(settlement: Settlement, *bills: str) -> None:
        async with world.act() as act:
            await act.db.execute(
                "update bill set settlement = $1 where number = any($2::text[])", settlement, bills
            )

    for settlement in ("provisional", "over", "reversed"):
        await moved(settlement, "E-1", "E-2")
        assert await found(settlement) == ["E-1", "E-2"]
        assert await found(settlement, "unpaid") == ["E-0", "E-1", "E-2", "E-3"]
        await moved("settled", "E-1")
        assert await found(settlement) == ["E-2"]
        assert await found("settled") == ["E-1"]
    assert await world.rows("select number from bill where is_odd") == [{"number": "E-2"}]


async def test_a_bill_of_another_merchant_is_not_there(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    await desk.take_in(line("E-1"))
    row = (await desk.bills()).bills[0]
    other = await new_desk(vault, client_for, "other")

    assert (await detail(desk, row.id)).row.number == "E-1"
    assert (await other.bills()).count == 0
    with pytest.raises(NotFound):
        await detail(other, row.id)


async def test_a_bill_tells_its_story(desk: Desk) -> None:
    await desk.issued(line("E-1", email="taro@example.jp"))
    await desk.send_all()
    row = (await desk.bills()).bills[0]

    story = await detail(desk, row.id)

    assert [event.code for event in reversed(story.events)] == [
        "bill.accepted",
        "bill.issued",
        "message.planned",
        "message.accepted",
    ]
    assert (story.contract_no, story.email_hint) == ("C-E-1", "t***@example.jp")
    assert len(story.check_code) == 7


async def test_a_canceled_bill_owes_nothing_and_keeps_its_reason(desk: Desk) -> None:
    await desk.issued(line("E-1"))
    row = (await desk.bills()).bills[0]

    canceled = await cancel(desk, row, reason="二重請求のため")

    assert (canceled.lifecycle, canceled.payer_name) == ("canceled", "髙橋 太郎")
    assert await money_of(desk).books(row.id) == {}
    story = await detail(desk, row.id)
    reasons = {event.code: event.params.get("reason") for event in story.events}
    assert reasons["bill.cancel_requested"] == "二重請求のため"
    assert (await cancel(desk, row, reason="二重請求のため")).lifecycle == "canceled"


async def test_a_bill_that_moved_on_is_not_canceled_by_an_old_view(desk: Desk) -> None:
    await desk.take_in(line("E-1"))
    old = (await desk.bills()).bills[0]
    made = (await summary(desk)).imports[0]
    await desk.decide(made.id)
    await desk.work_off()

    with pytest.raises(Conflict, match="stale_version") as refused:
        await cancel(desk, old)
    assert refused.value.params == {"version": old.version + 1}


async def test_a_bill_canceled_before_its_yes_is_not_issued(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"), line("E-2"))
    row = (await desk.bills()).bills[0]
    assert (await cancel(desk, row)).lifecycle == "canceled"

    await desk.decide(made.id)
    await desk.work_off()

    assert (await desk.view(made.id)).rows_issued == 1
    assert [row.lifecycle for row in (await desk.bills()).bills] == ["canceled", "open"]


async def test_a_bill_being_paid_is_canceling_and_one_paid_is_refused(desk: Desk) -> None:
    money = money_of(desk)
    running, paid = await money.payer(), await money.payer()
    started = await money.start(running)
    await money.paid(paid)
    rows = {row.id: row for row in (await desk.bills()).bills}

    assert (await cancel(desk, rows[BillId(running.bill_id)])).lifecycle == "canceling"
    with pytest.raises(Conflict, match="already_paid"):
        await cancel(desk, rows[BillId(paid.bill_id)], key="other")

    await money.told(running, started.attempt_id, finding("failed", decline_code="card_declined"))
    assert (await desk.bills(lifecycle=("canceled",))).count == 1


async def test_a_reason_with_a_card_number_is_refused(desk: Desk) -> None:
    await desk.take_in(line("E-1"))
    row = (await desk.bills()).bills[0]

    with pytest.raises(InvalidInput, match="card_number_refused"):
        await cancel(desk, row, reason="4242 4242 4242 4242 で支払済み")
    assert (await cancel(desk, row, reason="支払済み")).lifecycle == "canceled"


async def test_a_message_is_resent_urgently_but_not_too_often(desk: Desk) -> None:
    await desk.issued(line("E-1"))
    row = (await desk.bills()).bills[0]
    with pytest.raises(Conflict, match="message_running"):
        await resend(desk, row.id, "early")
    await desk.send_all()

    for key in ("one", "two", "three"):
        assert (await resend(desk, row.id, key)).message == "planned"
        assert (await resend(desk, row.id, key)).message == "planned"
        assert await desk.send_all() == 1
    with pytest.raises(LimitReached, match="resent_too_often"):
        await resend(desk, row.id, "four")

    await cancel(desk, (await desk.bills()).bills[0])
    with pytest.raises(Conflict, match="not_payable"):
        await resend(desk, row.id, "five")


async def test_a_payer_without_telephone_is_issued_but_not_resent_to(desk: Desk) -> None:
    await desk.issued(line("E-1", phone="", email="taro@example.jp"))
    row = (await desk.bills()).bills[0]

    assert (row.lifecycle, row.message) == ("open", "none")
    with pytest.raises(Conflict, match="no_channel"):
        await resend(desk, row.id, "one")


async def test_the_summary_counts_what_happened(desk: Desk) -> None:
    await desk.issued(*(line(f"E-{number}", amount="1000") for number in range(5)))
    await desk.take_in(line("F-1"))
    await desk.send_all()
    money = money_of(desk)
    paid = await money.payer(amount=8420)
    await money.paid(paid)
    await cancel(desk, (await desk.bills(lifecycle=("open",), first=1)).bills[0])

    seen = await summary(desk)

    assert (seen.requested_bills, seen.requested_minor) == (5, 4 * 1000 + 8420)
    assert (seen.paid_bills, seen.paid_minor) == (1, 8420)
    assert (seen.unpaid_bills, seen.unpaid_minor, seen.overdue_bills) == (4, 4000, 0)
    assert (seen.funnel.requested, seen.funnel.accepted, seen.funnel.paid) == (5, 4, 1)
    assert [(day.day, day.bills, day.amount_minor) for day in seen.days] == [(desk.today, 1, 8420)]
    assert [made.state for made in seen.imports] == ["checked", "issued"]


async def test_searching_costs_budget_for_the_question_and_each_candidate(
    ground: Ground,
) -> None:
    async with ground.vault(budget_staff_rows_per_hour=12) as server:
        desk = await new_desk(server, ground.client)
        await desk.take_in(*(line(f"E-{number}", phone="08011112222") for number in range(4)))
        search = BillSearch(field="phone", text="08011112222")

        assert (await desk.bills(search=search, first=1)).count == 4
        assert (await desk.bills(search=search, first=1)).count == 4
        with pytest.raises(LimitReached, match="budget_spent"):
            await desk.bills(search=search, first=1)
