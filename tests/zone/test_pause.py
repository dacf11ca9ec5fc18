"""A hold, a promise and an extension stop messages at once, and end as they say."""

from datetime import date, timedelta
from typing import Any

import pytest

from portal.contract.bills import (
    CANCEL_BILL,
    RESEND_MESSAGE,
    SUMMARISE_BILLS,
    VIEW_BILL,
    BillRow,
    CancelBill,
    ResendMessage,
    ViewBill,
)
from portal.contract.envelope import Nothing
from portal.contract.login import CREATE_API_KEY, CreateApiKey
from portal.contract.page import OPEN_LINK, VIEW_PAGE, OpenLink, PageView
from portal.contract.pause import (
    LIST_BILL_PAUSES,
    PLACE_PAUSE,
    RELEASE_PAUSE,
    SET_PAUSE_LIMITS,
    BillPauses,
    ListBillPauses,
    PlacePause,
    ReleasePause,
    SetPauseLimits,
)
from portal.contract.share import ViewPage
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.domain.ids import BillId
from portal.vault.server import VaultServer
from tests.make.days import Calendar
from tests.make.intake import DUE_ON, Desk, line, new_desk, result
from tests.make.money import World
from tests.make.vault import ClientFor

ONE = timedelta(days=1)


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def world_of(desk: Desk) -> World:
    return World(
        desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id, desk.egress
    )


async def place(desk: Desk, bill: BillId, kind: str, until: date | None, **more: Any) -> BillRow:  # noqa: ANN401
    authority = more.pop("authority", desk.staff)
    given: dict[str, Any] = {"note": "", "idempotency_key": f"{kind}-{until}"} | more
    request = PlacePause(bill_id=bill, kind=kind, until=until, **given)  # type: ignore[arg-type]
    return (await desk.web.call(PLACE_PAUSE, request, authority)).row


async def release(desk: Desk, bill: BillId, key: str = "release") -> BillRow:
    request = ReleasePause(bill_id=bill, idempotency_key=key)
    return (await desk.web.call(RELEASE_PAUSE, request, desk.staff)).row


async def pauses(desk: Desk, bill: BillId) -> BillPauses:
    return await desk.web.call(LIST_BILL_PAUSES, ListBillPauses(bill_id=bill), desk.staff)


async def told(desk: Desk, bill: BillId) -> list[str]:
    found = await desk.web.call(VIEW_BILL, ViewBill(bill_id=bill), desk.staff)
    return [event.code for event in found.events]


async def numbered(desk: Desk) -> dict[str, BillRow]:
    return {row.number: row for row in (await desk.bills(first=100)).bills}


async def deliveries(desk: Desk) -> dict[str, tuple[str, str]]:
    rows = await world_of(desk).rows(
        "select b.number, d.state, d.code from delivery d join bill b on b.id = d.bill_id"
    )
    return {row["number"]: (row["state"], row["code"]) for row in rows}


# --- messages -----------------------------------------------------------------------------------
async def test_a_message_planned_before_a_hold_is_not_sent_after_it(desk: Desk) -> None:
    await desk.issued(*(line(f"E-{number}") for number in range(5)))
    (leased,) = await desk.leases("message.send_chunk")
    rows = await numbered(desk)
    await place(desk, rows["E-0"].id, "hold", None)
    await place(desk, rows["E-1"].id, "promise", desk.today + ONE)

    part = await desk.report(leased)  # what is paused is not handed out
    assert len(part.deliveries) == 3
    await place(desk, rows["E-2"].id, "hold", desk.today)
    await place(desk, rows["E-3"].id, "extension", DUE_ON + ONE)
    ids = [route.delivery_id for route in part.deliveries]
    redeemed = await desk.redeem(*ids)  # nor given out when it was handed out before

    by_code = {entry.refused for entry in redeemed.deliveries}
    assert by_code == {"paused", None}
    assert [entry.to for entry in redeemed.deliveries if entry.refused] == [""]
    going = [entry.delivery_id for entry in redeemed.deliveries if entry.refused is None]
    end = await desk.report(leased, [result(one, "accepted") for one in going])
    assert end.done
    assert await deliveries(desk) == {
        "E-0": ("left_out", "paused"), "E-1": ("left_out", "paused"),
        "E-2": ("left_out", "paused"),
        # The first message tells the payer of the bill at all, and it says the new date.
        "E-3": ("accepted", ""), "E-4": ("accepted", ""),
    }  # fmt: skip
    [new_date] = [
        entry.body for entry in redeemed.deliveries if f"{(DUE_ON + ONE).day}" in entry.body
    ][:1]
    assert str((DUE_ON + ONE).month) in new_date
    assert (await numbered(desk))["E-2"].message == "none"


async def test_staff_send_the_link_again_to_who_promised_but_not_to_who_is_held(
    desk: Desk,
) -> None:
    await desk.issued(line("E-0"), line("E-1"))
    await desk.send_all()
    rows = await numbered(desk)
    await place(desk, rows["E-0"].id, "hold", desk.today + ONE)
    await place(desk, rows["E-1"].id, "promise", desk.today + ONE)

    def again(number: str) -> ResendMessage:
        return ResendMessage(bill_id=rows[number].id, idempotency_key=f"again-{number}")

    with pytest.raises(Conflict, match="bill_held"):
        await desk.web.call(RESEND_MESSAGE, again("E-0"), desk.staff)
    await desk.web.call(RESEND_MESSAGE, again("E-1"), desk.staff)
    await desk.send_all()

    assert (await deliveries(desk))["E-1"][0] == "accepted"
    assert await world_of(desk).value("select count(*) from delivery where state = 'accepted'") == 3
    await release(desk, rows["E-0"].id)
    await desk.web.call(RESEND_MESSAGE, again("E-0"), desk.staff)
    await place(desk, rows["E-0"].id, "hold", None)
    await desk.send_all()
    # What was left out takes nothing from what the payer was told before.
    assert (await numbered(desk))["E-0"].message == "accepted"
    assert await world_of(desk).value("select count(*) from delivery where code = 'paused'") == 1


# --- what they are ------------------------------------------------------------------------------
async def test_the_same_key_places_once_and_a_new_pause_replaces_the_old(desk: Desk) -> None:
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"].id

    shown = await place(desk, bill, "hold", None, idempotency_key="k", note="電話で相談中")
    again = await place(desk, bill, "hold", None, idempotency_key="k", note="電話で相談中")
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await place(desk, bill, "promise", desk.today, idempotency_key="k")
    promised = await place(desk, bill, "promise", desk.today + ONE)

    assert (shown.pause, again.pause, promised.pause) == ("hold", "hold", "promise")
    found = await pauses(desk, bill)
    assert [(one.kind, one.state, one.note) for one in found.pauses] == [
        ("promise", "in_force", ""), ("hold", "replaced", "電話で相談中"),
    ]  # fmt: skip
    assert found.choices == ("release", "hold", "promise", "extension")
    stored = await world_of(desk).rows("select words from pause where words is not null")
    assert "電話".encode() not in stored[0]["words"]
    released = await release(desk, bill)
    assert (released.pause, (await release(desk, bill)).pause) == (None, None)
    with pytest.raises(Conflict, match="not_paused"):
        await release(desk, bill, "another")
    assert [code for code in await told(desk, bill) if code.startswith("pause.")] == [
        "pause.released", "pause.promised", "pause.held_open",
    ]  # fmt: skip


async def test_who_may_and_until_when_is_refused_beside_its_field(desk: Desk) -> None:
    await desk.issued(line("E-0"), line("E-1"))
    rows = await numbered(desk)
    bill = rows["E-0"].id
    made = CreateApiKey(name="system", scopes=("bills:write", "bills:read"), idempotency_key="k")
    system = (await desk.web.call(CREATE_API_KEY, made, desk.staff)).authority

    with pytest.raises(NotAllowed, match="hold_without_end"):
        await place(desk, bill, "hold", None, authority=system)
    await place(desk, rows["E-1"].id, "hold", None)
    for kind in ("hold", "promise"):
        with pytest.raises(NotAllowed, match="endless_hold"):
            await place(desk, rows["E-1"].id, kind, desk.today, authority=system)
    request = ReleasePause(bill_id=rows["E-1"].id, idempotency_key="theirs")
    with pytest.raises(NotAllowed, match="endless_hold"):
        await desk.web.call(RELEASE_PAUSE, request, system)
    for kind, until, code in (
        ("promise", None, "pause_day_needed"),
        ("promise", desk.today - ONE, "pause_day_past"),
        ("promise", desk.today + 32 * ONE, "pause_too_long"),
        ("extension", DUE_ON, "extension_shortens"),
        ("extension", DUE_ON + 121 * ONE, "pause_too_long"),
    ):
        with pytest.raises(InvalidInput, match=code) as refused:
            await place(desk, bill, kind, until)
        assert refused.value.params["field"] == "until"
    with pytest.raises(InvalidInput, match="card_number_refused"):
        await place(desk, bill, "hold", desk.today, note="4242 4242 4242 4242")
    paid = await world_of(desk).payer()
    await world_of(desk).paid(paid)
    with pytest.raises(Conflict, match="not_pausable"):
        await place(desk, BillId(paid.bill_id), "hold", desk.today)
    with pytest.raises(NotFound):
        await place(desk, BillId(desk.merchant_id), "hold", desk.today)
    placed = await world_of(desk).rows("select until, ended_at from pause")
    assert placed == [{"until": None, "ended_at": None}]

    await desk.operator.call(
        SET_PAUSE_LIMITS,
        SetPauseLimits(merchant_code=desk.code, promise_days=40, extension_days=None),
    )
    assert (await place(desk, bill, "promise", desk.today + 40 * ONE)).pause == "promise"
    assert (await place(desk, bill, "promise", desk.today, authority=system)).pause == "promise"


async def test_the_list_finds_what_is_paused_and_says_how_many(desk: Desk) -> None:
    await desk.issued(*(line(f"E-{number}") for number in range(4)))
    rows = await numbered(desk)
    await place(desk, rows["E-0"].id, "hold", None)
    await place(desk, rows["E-1"].id, "promise", desk.today)
    await place(desk, rows["E-2"].id, "extension", DUE_ON + ONE)

    for shown, number in (("hold", "E-0"), ("promise", "E-1"), ("extended", "E-2")):
        page = await desk.bills(pause=(shown,), first=10)
        assert [row.number for row in page.bills] == [number]
        assert (page.count, page.bills[0].pause) == (1, shown)
    both = await desk.bills(pause=("hold", "promise"), first=10)
    assert {row.number for row in both.bills} == {"E-0", "E-1"}
    assert (await desk.bills(pause=("missed",), first=10)).count == 0


# --- days ---------------------------------------------------------------------------------------
async def test_a_missed_promise_is_seen_and_lets_dunning_go_on(desk: Desk) -> None:
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    (leased,) = await desk.leases("message.send_chunk")
    bill = (await numbered(desk))["E-0"].id
    promised = desk.today + ONE
    await place(desk, bill, "promise", promised)

    await calendar.move_to(promised + ONE)

    [row] = (await desk.bills(pause=("missed",), first=10)).bills
    assert (row.number, row.pause, row.pause_until) == ("E-0", "missed", promised)
    summary = await desk.web.call(SUMMARISE_BILLS, Nothing(), desk.staff)
    assert summary.missed_promises == 1
    assert [one.state for one in (await pauses(desk, bill)).pauses] == ["missed"]
    assert (await told(desk, bill))[0] == "pause.missed"
    assert len((await desk.report(leased)).deliveries) == 1
    # It stays told when it is followed by another promise.
    await place(desk, bill, "promise", promised + ONE)
    assert [one.state for one in (await pauses(desk, bill)).pauses] == ["in_force", "missed"]


async def test_an_extension_makes_a_late_bill_be_in_time_and_late_again_after_its_day(
    desk: Desk,
) -> None:
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"]
    await calendar.until(DUE_ON + ONE)
    assert await calendar.lifecycle(bill.id) == "overdue"
    later = DUE_ON + 5 * ONE

    row = await place(desk, bill.id, "extension", later)

    assert (row.lifecycle, row.due_on, row.pause) == ("open", later, "extended")
    assert row.version > bill.version
    await calendar.until(later)
    assert await calendar.lifecycle(bill.id) == "open"
    with pytest.raises(InvalidInput, match="extension_shortens"):
        await place(desk, bill.id, "extension", later, idempotency_key="shorter")
    await calendar.until(later + ONE)
    assert await calendar.lifecycle(bill.id) == "overdue"
    found = await pauses(desk, bill.id)
    assert (found.first_due_on, found.pauses[0].was_due_on) == (DUE_ON, DUE_ON)
    codes = [code for code in await told(desk, bill.id) if code.startswith("bill.")]
    assert codes[:3] == ["bill.overdue", "bill.extended", "bill.overdue"]


async def test_a_bill_extended_while_its_day_is_worked_is_not_made_late(desk: Desk) -> None:
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"].id
    await calendar.move_to(DUE_ON + ONE)
    hints = await calendar.hints()
    await place(desk, bill, "extension", DUE_ON + 9 * ONE)

    assert hints
    assert (await calendar.until(DUE_ON + ONE)).overdue == 0
    assert await calendar.lifecycle(bill) == "open"


async def test_no_bill_is_extended_to_a_day_that_the_walk_has_passed(desk: Desk) -> None:
    # As at midnight: a request that read the clock just before it waits while the day begins.
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"].id
    await calendar.until(DUE_ON + 2 * ONE)
    await calendar.move_to(DUE_ON + ONE)

    with pytest.raises(InvalidInput, match="pause_day_past"):
        await place(desk, bill, "extension", DUE_ON + ONE)
    assert (await place(desk, bill, "extension", DUE_ON + 2 * ONE)).lifecycle == "open"
    assert (await calendar.until(DUE_ON + 3 * ONE)).overdue == 1


async def test_nobody_missed_a_promise_to_pay_what_was_canceled_before_its_day(desk: Desk) -> None:
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"].id
    row = await place(desk, bill, "promise", desk.today + ONE)
    request = CancelBill(bill_id=bill, version=row.version, reason="", idempotency_key="cancel")
    await desk.web.call(CANCEL_BILL, request, desk.staff)

    await calendar.move_to(desk.today + 5 * ONE)

    assert [one.state for one in (await pauses(desk, bill)).pauses] == ["released"]
    assert "pause.missed" not in await told(desk, bill)


async def test_a_hold_that_has_passed_does_not_hide_an_extension(desk: Desk) -> None:
    calendar = Calendar(world_of(desk))
    await desk.issued(line("E-0"))
    bill = (await numbered(desk))["E-0"].id
    later = DUE_ON + 5 * ONE
    await place(desk, bill, "hold", desk.today)
    held = await place(desk, bill, "extension", later)

    await calendar.move_to(desk.today + ONE)

    [row] = (await desk.bills(pause=("extended",), first=10)).bills
    assert (held.pause, row.pause, row.pause_until) == ("hold", "extended", later)
    await calendar.move_to(later + ONE)
    row = (await numbered(desk))["E-0"]
    assert (row.pause, row.pause_until) == (None, None)


async def test_a_bill_sent_again_is_known_whichever_of_its_due_dates_it_names(desk: Desk) -> None:
    await desk.issued(line("E-0"))
    later = DUE_ON + 5 * ONE
    await place(desk, (await numbered(desk))["E-0"].id, "extension", later)

    for due_on, known in ((DUE_ON, 1), (later, 1), (DUE_ON + ONE, 0)):
        again = await desk.take_in(line("E-0", due_on=due_on.isoformat()))
        assert (again.rows_known, again.rows_faulty) == (known, 1 - known)


# --- the payer ----------------------------------------------------------------------------------
async def test_the_payers_page_says_what_was_agreed_and_takes_money_all_the_same(
    desk: Desk,
) -> None:
    world = world_of(desk)
    payer = await world.payer()
    bill = BillId(payer.bill_id)
    until = desk.today + ONE

    async def page() -> PageView:
        opened = await desk.web.call(
            OPEN_LINK, OpenLink(merchant_code=desk.code, secret=payer.secret)
        )
        return await desk.web.call(VIEW_PAGE, ViewPage(), opened.authority)

    assert (await page()).pauses == ()
    await place(desk, bill, "promise", until)
    seen = await page()

    assert [(one.kind, one.until) for one in seen.pauses] == [("promise", until)]
    assert any(offer.available for offer in seen.methods)
    await place(desk, bill, "hold", None)
    assert [(one.kind, one.until) for one in (await page()).pauses] == [("hold", None)]
    await world.paid(payer)
    assert (await page()).pauses == ()
    # Money came by the promised day, so the promise was kept, whatever took its place.
    assert [one.state for one in (await pauses(desk, bill)).pauses] == ["in_force", "kept"]


async def test_a_promise_ends_with_the_bills_money_and_an_owners_hold_does_not(desk: Desk) -> None:
    world = world_of(desk)
    payer = await world.payer()
    bill = BillId(payer.bill_id)
    await place(desk, bill, "promise", desk.today + ONE)
    await place(desk, bill, "extension", desk.today + 30 * ONE)  # which a promise does not outlive
    await place(desk, bill, "promise", desk.today + 2 * ONE)

    await world.paid(payer)

    assert (await pauses(desk, bill)).pauses[0].state == "kept"
    still_open = await world.rows(
        "select kind from pause where bill_id = $1 and ended_at is null", payer.bill_id
    )
    assert [row["kind"] for row in still_open] == ["extension"]
