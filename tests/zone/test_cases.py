"""Cases against a real vault: what was stranded goes on, once, and only by whom it may."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from portal.contract.bills import VIEW_BILL, ViewBill
from portal.contract.case import (
    LIST_CASES,
    SETTLE_CASE,
    VIEW_CASE,
    CasePage,
    CaseSettled,
    CaseView,
    ListCases,
    SettleCase,
    ViewCase,
)
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.login import CREATE_API_KEY, CreateApiKey, Scope
from portal.contract.work import FAIL_TASK, FINISH_TASK, FailTask, FinishTask, Leased
from portal.domain.case import CaseKind
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.kit import limits
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.intake import Desk, csv, line, new_desk, result
from tests.make.money import World, finding, new_world
from tests.make.vault import ClientFor, add_staff, signed_in

CLERK = "clerk@minato.example"
ALL: tuple[Scope, ...] = ("bills:read", "bills:write")


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


async def give_up(vault: VaultServer, work: VaultClient, leased: Leased, merchant: UUID) -> None:
    """The last try of a task fails."""
    async with acting(vault, merchant) as act:
        await act.db.execute("update task set tries = $1", limits.TASK_TRIES_MAX - 1)
    why = FailTask(code="provider_busy", retry_in_s=0)
    assert (await work.call(FAIL_TASK, why, leased.authority)).gave_up


async def cases(
    web: VaultClient,
    staff: Authority,
    *,
    is_open: bool | None = True,
    kinds: tuple[CaseKind, ...] = (),
    first: int = 50,
    after: str | None = None,
) -> CasePage:
    request = ListCases(is_open=is_open, kinds=kinds, first=first, after=after)
    return await web.call(LIST_CASES, request, staff)


async def the_case(web: VaultClient, staff: Authority) -> CaseView:
    (found,) = (await cases(web, staff)).cases
    return found


async def settle(  # as the request has them
    web: VaultClient, staff: Authority, case: CaseView, action: str, note: str = "", key: str = "k1"
) -> CaseSettled:
    request = SettleCase(case_id=case.id, action=action, note=note, idempotency_key=key)  # type: ignore[arg-type]
    return await web.call(SETTLE_CASE, request, staff)


async def tasks(vault: VaultServer, merchant: UUID) -> int:
    async with acting(vault, merchant) as act:
        return await act.db.fetchval("select count(*) from task")


async def clerk_of(desk: Desk) -> Authority:
    await add_staff(desk.operator, desk.code, CLERK, "clerk")
    return (await signed_in(desk.operator, desk.web, desk.code, CLERK)).authority


async def stuck_import(desk: Desk) -> tuple[UUID, Leased]:
    """An import whose only part was given up, and the lease that failed last."""
    made = await desk.upload(csv(line("E-1"), line("E-2")))
    (leased,) = await desk.leases("intake.accept_chunk")
    await give_up(desk.server, desk.work, leased, desk.merchant_id)
    assert (await desk.view(made.id)).state == "checking"
    return made.id, leased


async def test_a_file_that_stood_still_is_checked_after_a_restart(desk: Desk) -> None:
    import_id, old = await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)

    settled = await settle(desk.web, desk.staff, case, "restart")

    assert (case.kind, case.seen, case.waiting) == ("task.intake.accept_chunk", 1, 1)
    assert (case.moved_on, case.params) == (False, {"code": "provider_busy"})
    assert case.import_ is not None
    assert (case.import_.id, case.import_.state) == (import_id, "checking")
    assert settled.tasks_planned == 1
    assert (settled.case.resolution, settled.case.choices) == ("restart", ())
    with pytest.raises(Conflict, match="lease_lost"):
        await desk.work.call(FINISH_TASK, FinishTask(), old.authority)
    assert await desk.work_off() == 1
    assert (await desk.view(import_id)).state == "checked"
    assert (await desk.view(import_id)).rows_good == 2
    assert (await cases(desk.web, desk.staff)).cases == ()


async def test_a_part_that_is_still_being_worked_on_is_not_started_twice(desk: Desk) -> None:
    rows = [line(f"E-{n}", payer_name="山" * 50) for n in range(1_500)]
    made = await desk.upload(csv(*rows))
    first, *others = await desk.leases("intake.accept_chunk")
    assert others
    await give_up(desk.server, desk.work, first, desk.merchant_id)
    case = await the_case(desk.web, desk.staff)

    settled = await settle(desk.web, desk.staff, case, "restart")

    assert (case.waiting, settled.tasks_planned) == (1, 1)
    for leased in others:
        await desk.step(leased)
    assert await desk.work_off() == 1
    assert (await desk.view(made.id)).state == "checked"
    assert (await desk.view(made.id)).rows_good == 1_500


async def test_bills_that_were_not_issued_are_issued_after_a_restart(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"), line("E-2"))
    await desk.decide(made.id)
    (leased,) = await desk.leases("intake.issue_bills")
    await give_up(desk.server, desk.work, leased, desk.merchant_id)
    case = await the_case(desk.web, desk.staff)

    await settle(desk.web, desk.staff, case, "restart")
    await desk.work_off()

    assert (case.kind, case.waiting) == ("task.intake.issue_bills", 2)
    assert (await desk.view(made.id)).state == "issued"
    assert (await desk.view(made.id)).rows_issued == 2


async def test_an_import_that_was_not_discarded_is_after_a_restart(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"))
    await desk.decide(made.id, "discard")
    (leased,) = await desk.leases("intake.discard_bills")
    await give_up(desk.server, desk.work, leased, desk.merchant_id)

    await settle(desk.web, desk.staff, await the_case(desk.web, desk.staff), "restart")
    await desk.work_off()

    assert (await desk.view(made.id)).state == "discarded"
    assert (await desk.bills()).count == 0


async def test_a_second_look_that_was_given_up_goes_on_after_a_restart(desk: Desk) -> None:
    earlier, later = await desk.take_in(line("E-1")), await desk.take_in(line("E-1"))
    await desk.decide(earlier.id, "discard")
    (discarding,) = await desk.leases("intake.discard_bills")
    await desk.step(discarding)
    (clearing,) = await desk.leases("intake.discard_bills")
    await give_up(desk.server, desk.work, clearing, desk.merchant_id)

    await settle(desk.web, desk.staff, await the_case(desk.web, desk.staff), "restart")
    await desk.work_off()

    seen = await desk.view(later.id)
    assert (seen.state, seen.rows_good, seen.rows_known) == ("checked", 1, 0)


async def test_messages_that_stood_still_go_out_after_a_restart_each_once(desk: Desk) -> None:
    made = await desk.issued(*(line(f"E-{n}") for n in range(3)))
    (leased,) = await desk.leases("message.send_chunk")
    part = await desk.report(leased, take=1)
    sent = [route.delivery_id for route in part.deliveries]
    await desk.redeem(*sent)
    await desk.report(leased, [result(sent[0], "accepted")], take=0)
    await give_up(desk.server, desk.work, leased, desk.merchant_id)
    case = await the_case(desk.web, desk.staff)

    await settle(desk.web, desk.staff, case, "restart")

    assert (case.kind, case.waiting) == ("task.message.send_chunk", 2)
    assert case.import_ is not None
    assert case.import_.id == made.id
    assert await desk.send_all() == 2
    page = await desk.bills()
    assert [bill.message for bill in page.bills] == ["accepted"] * 3


async def test_two_restarts_at_once_plan_one(desk: Desk) -> None:
    await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)

    done = await asyncio.gather(
        *(settle(desk.web, desk.staff, case, "restart", key=f"k{n}") for n in range(6)),
        return_exceptions=True,
    )

    refused = [one for one in done if isinstance(one, Conflict)]
    assert [one.code for one in refused] == ["case_closed"] * 5
    assert await tasks(desk.server, desk.merchant_id) == 1


async def test_the_same_key_restarts_once_and_other_arguments_are_refused(desk: Desk) -> None:
    await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)

    first, second = await asyncio.gather(
        *(settle(desk.web, desk.staff, case, "restart") for _ in range(2))
    )

    assert first == second
    assert await tasks(desk.server, desk.merchant_id) == 1
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await settle(desk.web, desk.staff, case, "let_be", "enough")


async def test_a_case_that_comes_again_after_it_was_closed_opens_a_new_one(desk: Desk) -> None:
    _, _ = await stuck_import(desk)
    first = await the_case(desk.web, desk.staff)
    await settle(desk.web, desk.staff, first, "restart")
    (again,) = await desk.leases("intake.accept_chunk")
    await give_up(desk.server, desk.work, again, desk.merchant_id)

    second = await the_case(desk.web, desk.staff)
    both = (await cases(desk.web, desk.staff, is_open=None)).cases

    assert second.id != first.id
    assert second.seen == 1
    assert [one.id for one in both] == [second.id, first.id]
    assert [one.resolution for one in both] == [None, "restart"]


async def test_what_happens_again_while_open_counts_and_says_when_last(desk: Desk) -> None:
    async with acting(desk.server, desk.merchant_id) as act:
        await act.open_case("overpaid", UUID(int=5), amount_minor=1)
    async with acting(desk.server, desk.merchant_id) as act:
        await act.open_case("overpaid", UUID(int=5), amount_minor=2)

    case = await the_case(desk.web, desk.staff)

    assert (case.seen, case.params) == (2, {"amount_minor": 2})
    assert case.last_seen_at > case.opened_at


async def test_a_clerk_restarts_but_ends_nothing_for_good(desk: Desk) -> None:
    clerk = await clerk_of(desk)
    import_id, _ = await stuck_import(desk)
    case = await the_case(desk.web, clerk)

    with pytest.raises(NotAllowed, match="not_allowed"):
        await settle(desk.web, clerk, case, "let_be", "leave it", key="k0")
    await settle(desk.web, clerk, case, "restart")
    await desk.work_off()

    assert [choice.action for choice in case.choices] == ["restart"]
    owner_sees = (await cases(desk.web, desk.staff, is_open=False)).cases[0]
    assert owner_sees.closed_by is not None
    assert owner_sees.closed_by.startswith("staff:")
    assert (await desk.view(import_id)).state == "checked"


@pytest.mark.parametrize(
    ("note", "code"),
    [
        ("", "case_note_needed"),
        (" \n ", "case_note_needed"),
        ("paid back to 4242 4242 4242 4242", "card_number_refused"),
        ("paid ４２４２－４２４２－４２４２－４２４２", "card_number_refused"),  # noqa: RUF001 - full width on purpose
        ("x" * 501, "text_too_long"),
        ("a\x07b", "control_character"),
    ],
)
async def test_a_note_that_must_be_there_or_may_not_be_kept(
    desk: Desk, note: str, code: str
) -> None:
    await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)

    with pytest.raises(InvalidInput, match=code) as refused:
        await settle(desk.web, desk.staff, case, "let_be", note)

    assert refused.value.params["field"] == "note"
    assert (await the_case(desk.web, desk.staff)).id == case.id


async def test_a_note_is_shown_to_staff_and_stored_sealed(desk: Desk) -> None:
    await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)
    note = "山田様へ電話済み\n返金は12月1日"

    settled = await settle(desk.web, desk.staff, case, "let_be", f"  {note}\r\n")

    assert settled.case.note == note
    assert settled.tasks_planned == 0
    assert (await tasks(desk.server, desk.merchant_id)) == 0
    async with acting(desk.server, desk.merchant_id) as act:
        blob = await act.db.fetchval("select note from case_ where id = $1", case.id)
    assert blob is not None
    assert "山田".encode() not in blob


async def test_another_merchants_case_is_not_found(desk: Desk, client_for: ClientFor) -> None:
    await stuck_import(desk)
    case = await the_case(desk.web, desk.staff)
    other = await new_desk(desk.server, client_for, "kansai")

    for call in (
        other.web.call(VIEW_CASE, ViewCase(case_id=case.id), other.staff),
        settle(other.web, other.staff, case, "restart"),
    ):
        with pytest.raises(NotFound, match="not_found"):
            await call

    assert (await cases(other.web, other.staff, is_open=None)).cases == ()
    assert await tasks(desk.server, desk.merchant_id) == 0
    assert (await the_case(desk.web, desk.staff)).id == case.id


async def test_pages_show_each_case_once_and_a_cursor_fits_its_own_list(desk: Desk) -> None:
    async with acting(desk.server, desk.merchant_id) as act:
        for number in range(5):
            await act.open_case("overpaid", UUID(int=number))
            await act.open_case("late_success", UUID(int=number))
    seen: list[UUID] = []
    after = None
    while True:
        page = await cases(desk.web, desk.staff, kinds=("overpaid",), first=2, after=after)
        seen += [case.id for case in page.cases]
        after = page.end_cursor
        assert (page.count, page.count_exact) == (5, True)
        if not page.has_next:
            break

    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)
    assert (await cases(desk.web, desk.staff)).count == 10
    assert (await cases(desk.web, desk.staff, is_open=False)).count == 0
    with pytest.raises(InvalidInput, match="cursor_invalid"):
        await cases(desk.web, desk.staff, kinds=("late_success",), after=after)
    for size in (0, 101):
        with pytest.raises(InvalidInput, match="page_size"):
            await cases(desk.web, desk.staff, first=size)


async def test_a_key_settles_only_with_the_scope_for_writing(desk: Desk) -> None:
    await stuck_import(desk)
    made: dict[int, Authority] = {}
    for count in (1, 2):
        request = CreateApiKey(name="ERP", scopes=ALL[:count], idempotency_key=f"k{count}")
        made[count] = (await desk.web.call(CREATE_API_KEY, request, desk.staff)).authority
    case = await the_case(desk.web, made[1])

    with pytest.raises(NotAllowed):
        await settle(desk.web, made[1], case, "restart")
    settled = await settle(desk.web, made[2], case, "restart")

    assert settled.case.closed_by is not None
    assert settled.case.closed_by.startswith("api_key:")


async def test_a_day_is_gone_through_again_unless_another_task_does_it_already(
    desk: Desk,
) -> None:
    async with acting(desk.server, desk.merchant_id) as act:
        await act.open_case("task.payment.pass_due", desk.merchant_id, code="task_broke")
    first = await the_case(desk.web, desk.staff)

    settled = await settle(desk.web, desk.staff, first, "restart")

    assert settled.tasks_planned == await tasks(desk.server, desk.merchant_id) == 1
    async with acting(desk.server, desk.merchant_id) as act:
        await act.open_case("task.payment.pass_due", desk.merchant_id, code="task_broke")
    again = await the_case(desk.web, desk.staff)
    with pytest.raises(Conflict, match="case_moved_on"):
        await settle(desk.web, desk.staff, again, "restart", key="k2")
    assert (first.moved_on, again.moved_on) == (False, True)
    assert await tasks(desk.server, desk.merchant_id) == 1


# --- money -----------------------------------------------------------------------------------


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    made = await new_world(vault, client_for)
    await add_staff(made.operator, made.code)
    return made


async def owner_of(world: World) -> Authority:
    return (await signed_in(world.operator, world.web, world.code)).authority


async def unasked(world: World) -> tuple[Any, UUID]:
    """A payer whose attempt nobody asks about any more."""
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.age(started.attempt_id, 10)
    leases = await world.leases()
    for spare in leases[1:]:
        await world.work.call(FINISH_TASK, FinishTask(), spare.authority)
    await give_up(world.server, world.work, leases[0], world.merchant_id)
    return payer, started.attempt_id


async def test_an_attempt_that_nobody_asked_about_is_asked_after_a_restart(world: World) -> None:
    staff = await owner_of(world)
    payer, attempt_id = await unasked(world)
    case = await the_case(world.web, staff)

    await settle(world.web, staff, case, "restart")

    async def paid(_attempt_id: UUID) -> Any:  # noqa: ANN401  # a Finding
        return finding("succeeded")

    assert case.attempt is not None
    assert case.bill is not None
    assert (case.attempt.id, case.bill.id) == (attempt_id, payer.bill_id)
    assert await world.worked(paid) == 1
    assert await world.settlement(payer.bill_id) == "settled"
    assert "case.restart" in await world.events(payer.bill_id)


async def test_a_restart_of_what_has_moved_on_changes_nothing_and_says_so(world: World) -> None:
    staff = await owner_of(world)
    payer, attempt_id = await unasked(world)
    await world.told(payer, attempt_id, finding("succeeded"))
    before = await tasks(world.server, world.merchant_id)
    case = await the_case(world.web, staff)

    with pytest.raises(Conflict, match="case_moved_on"):
        await settle(world.web, staff, case, "restart")

    assert case.moved_on
    assert [choice.action for choice in case.choices] == ["let_be", "settled_by_hand"]
    assert await tasks(world.server, world.merchant_id) == before
    assert (await the_case(world.web, staff)).id == case.id
    await settle(world.web, staff, case, "let_be")
    assert (await cases(world.web, staff)).cases == ()


async def test_money_that_came_twice_says_how_much_is_owed_back(world: World) -> None:
    staff = await owner_of(world)
    payer = await world.payer(lifecycle="canceled")
    async with world.act() as act:
        await act.db.execute("update bill set lifecycle = 'open' where id = $1", payer.bill_id)
    await world.paid(payer)
    await _pay_again(world, payer, "key-2")
    await _pay_again(world, payer, "key-3")
    case = await the_case(world.web, staff)
    assert case.bill is not None
    assert (case.kind, case.bill.id, case.seen) == ("overpaid", payer.bill_id, 2)
    assert (case.bill.settlement, case.bill.over_minor) == ("over", 2 * 8420)

    with pytest.raises(Conflict, match="case_action"):
        await settle(world.web, staff, case, "restart")
    settled = await settle(world.web, staff, case, "settled_by_hand", "返金済み", key="k2")

    assert settled.case.resolution == "settled_by_hand"
    view = await world.web.call(VIEW_BILL, ViewBill(bill_id=case.bill.id), staff)
    assert view.events[0].code == "case.settled_by_hand"


async def _pay_again(world: World, payer: Any, key: str) -> None:  # noqa: ANN401  # a Payer
    """A second try of a bill that looks unpaid for a moment: two providers, two successes."""
    async with world.act() as act:
        settled = "update bill set settlement = $2 where id = $1"
        await act.db.execute(settled, payer.bill_id, "unpaid")
    started = await world.start(payer, key)
    await world.submitted(payer, started)
    async with world.act() as act:
        await act.db.execute(settled, payer.bill_id, "settled")
    await world.told(payer, started.attempt_id, finding("succeeded"))


async def test_an_attempt_in_doubt_is_asked_about_on_demand(world: World) -> None:
    staff = await owner_of(world)
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started, outcome="unknown")
    await world.age(started.attempt_id, 25 * 60)

    async def unclear(_attempt_id: UUID) -> Any:  # noqa: ANN401  # a Finding
        return finding("unclear")

    await world.worked(unclear)
    case = await the_case(world.web, staff)
    before = await tasks(world.server, world.merchant_id)

    await settle(world.web, staff, case, "ask_again")

    assert case.kind == "attempt_unresolved"
    assert await tasks(world.server, world.merchant_id) == before + 1
    assert await world.worked(unclear) == 1
    again = await the_case(world.web, staff)
    assert (again.kind, again.id == case.id) == ("attempt_unresolved", False)
