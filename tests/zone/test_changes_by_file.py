"""A file withdraws and replaces bills that are there: by line, once, and never against money."""

import asyncio
import secrets
from collections import Counter
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from portal.contract.intake import ISSUE_BILLS, ImportView, IssueBills
from portal.contract.payment import Finding
from portal.domain.ids import ImportId
from portal.domain.number import ASKED_PER_S
from portal.kit.crypto import sha256
from portal.vault.attempt import lock_bills
from portal.vault.replacement import keep_paid
from portal.vault.server import VaultServer
from tests.make.intake import HEADER, Desk, csv, line, new_desk
from tests.make.ladder import NEVER_QUIET, Steps
from tests.make.money import Payer, finding, inquire
from tests.make.slip_desk import line as notice
from tests.make.slip_desk import new_slip_desk
from tests.make.vault import ClientFor

SHORT = "action,number,contract_no,period"
ASKED = ("bill.replacement_asked",)
IS_WAITING = """
select exists (select from pg_stat_activity
               where wait_event_type = 'Lock' and query like '%id > $3 order by id limit $4%')
"""
"""Whether a step waits for a new bill that it would issue."""

WHOLE = f"action,replaces,{HEADER}"


def withdraw(action: str, number: str, contract: str = "") -> str:
    """A row that withdraws a bill."""
    return f"{action},{number},{contract or f'C-{number}'},2026-11"


def replace(old: str, new: str, **cells: str) -> str:
    """A row that replaces a bill by another of its contract."""
    return f"replace,{old},{line(new, contract_no=f'C-{old}', **cells)}"


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    made = Steps(await new_desk(vault, client_for))
    await made.plan(NEVER_QUIET)
    return made


async def judged(desk: Desk, *lines: str, header: str = SHORT) -> ImportView:
    made = await desk.upload(csv(*lines, header=header))
    await desk.work_off()
    return await desk.view(made.id)


async def sent(desk: Desk, made: ImportView) -> ImportView:
    await desk.decide(made.id)
    await desk.work_off()
    return await desk.view(made.id)


async def faults(desk: Desk, made: ImportView) -> list[tuple[int, str, str]]:
    return [(one.line, one.code, one.value) for one in await desk.faults(made.id)]


async def lifecycles(steps: Steps) -> dict[str, str]:
    rows: list[Any] = await steps.world.rows("select number, lifecycle from bill order by number")
    return {row["number"]: row["lifecycle"] for row in rows}


async def test_bills_are_withdrawn_by_file_and_nothing_is_said_of_them_any_more(
    steps: Steps,
) -> None:
    desk = steps.desk
    await desk.issued(*(line(f"E-{n}") for n in range(1, 5)))
    rows = [withdraw("cancel", "E-1"), withdraw("入金済", "E-2"), withdraw("cancel", "E-9")]
    made = await judged(desk, *rows, withdraw("cancel", "E-3", "C-4"), withdraw("取消", "E-1"))
    assert (made.rows_good, made.rows_faulty, made.amount_good_minor) == (2, 3, 0)
    assert [(one.action, one.planned, one.done) for one in made.changes] == [
        ("cancel", 1, 0), ("paid_elsewhere", 1, 0),
    ]  # fmt: skip
    assert await faults(desk, made) == [
        (4, "change_unknown", "E-9"), (5, "change_unknown", "E-3"), (6, "change_twice", "E-1"),
    ]  # fmt: skip

    done = await sent(desk, made)

    assert (done.state, done.rows_issued) == ("issued", 2)
    assert [one.done for one in done.changes] == [1, 1]
    assert await lifecycles(steps) == {
        "E-1": "canceled", "E-2": "canceled", "E-3": "open", "E-4": "open"
    }  # fmt: skip
    assert (await steps.standing("E-1"))[1:] == ("canceled", False)
    paid = await steps.bill("E-2")
    assert await steps.world.events(paid) == [
        "bill.cancel_requested", "bill.canceled", "bill.paid_elsewhere"
    ]  # fmt: skip
    assert await steps.world.books(paid) == {}
    assert await desk.send_all() == 2  # what was planned for the other two
    again = await judged(desk, *rows[:2])
    assert (again.rows_good, again.rows_known, again.rows_faulty) == (0, 2, 0)


async def test_a_bill_is_replaced_at_once_and_a_file_sent_again_changes_nothing(
    steps: Steps,
) -> None:
    desk = steps.desk
    await desk.issued(line("E-1"), line("E-2"))
    rows = (
        replace("E-1", "N-1", amount="700"), replace("E-9", "N-9"), replace("E-1", "N-2"),
        f",,{line('E-3')}",
    )  # fmt: skip

    made = await judged(desk, *rows, header=WHOLE)
    assert (made.rows_good, made.rows_faulty, made.amount_good_minor) == (2, 2, 700 + 8420)
    assert await faults(desk, made) == [
        (3, "change_unknown", "E-9"), (4, "change_twice", "E-1")
    ]  # fmt: skip
    other = await judged(desk, rows[0], header=WHOLE)
    assert (other.rows_good, other.rows_known) == (0, 1)
    done = await sent(desk, made)

    assert (done.rows_good, done.rows_issued) == (2, 2)
    assert await lifecycles(steps) == {
        "E-1": "superseded", "E-2": "open", "E-3": "open", "N-1": "open"
    }  # fmt: skip
    assert await steps.world.books(await steps.bill("E-1")) == {}
    assert (await steps.world.books(await steps.bill("N-1")))["receivable"] == 700
    assert (await steps.standing("E-1"))[1:] == ("superseded", False)
    assert await steps.told("N-1") != []
    again = await judged(desk, rows[0], header=WHOLE)
    assert (again.rows_good, again.rows_known, again.rows_faulty) == (0, 1, 0)
    late = await judged(desk, replace("E-1", "N-5"), header=WHOLE)
    assert await faults(desk, late) == [(2, "change_withdrawn", "E-1")]


async def test_money_on_its_way_refuses_a_change_also_when_it_started_after_the_check(
    steps: Steps,
) -> None:
    desk, world = steps.desk, steps.world
    await desk.issued(*(line(f"E-{n}") for n in range(1, 5)))

    async def attempt(number: str, state: str) -> None:
        await steps.set(
            "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
            " amount_minor, created_at, state_at, doubt_at)"
            " select merchant_id, uuidv7(), id, 'card', 'sandbox_card', uuidv7()::text, $2, 8420,"
            " created_at, created_at, created_at from bill where number = $1", number, state,
        )  # fmt: skip

    await attempt("E-1", "processing")
    await attempt("E-4", "failed")
    await steps.set("update bill set settlement = 'settled' where number = 'E-2'")
    made = await judged(
        desk, withdraw("cancel", "E-1"), withdraw("paid_elsewhere", "E-2"),
        withdraw("cancel", "E-4"),
    )  # fmt: skip
    swap = await judged(desk, replace("E-3", "N-3"), header=WHOLE)
    assert await faults(desk, made) == [
        (2, "change_under_way", "E-1"), (3, "change_paid", "E-2")
    ]  # fmt: skip
    await attempt("E-4", "created")
    await attempt("E-3", "unknown")

    made, swap = await sent(desk, made), await sent(desk, swap)

    assert (made.rows_good, made.rows_faulty, made.rows_issued) == (0, 3, 0)
    assert {one.code: one.rows for one in made.faults} == {
        "change_under_way": 2, "change_paid": 1
    }  # fmt: skip
    assert (4, "change_under_way", "E-4") in await faults(desk, made)
    assert (swap.rows_good, swap.rows_faulty, swap.amount_good_minor) == (0, 1, 0)
    assert await faults(desk, swap) == [(2, "change_under_way", "E-3")]
    assert set((await lifecycles(steps)).values()) == {"open"}
    assert await world.value("select count(*) from bill") == 4


async def hold(steps: Steps, *numbers: str) -> None:
    """Payers hold a number for a store for each of these bills."""
    await steps.set(
        "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
        " amount_minor, created_at, state_at, doubt_at, ask_at)"
        " select merchant_id, uuidv7(), id, 'number', 'gmopg', uuidv7()::text,"
        " 'requires_action', 8420, created_at, created_at, created_at, now() + interval '1d'"
        " from bill where number = any($1)", list(numbers),
    )  # fmt: skip


async def test_a_bill_whose_number_somebody_holds_ends_once_that_is_withdrawn_and_money_wins(
    steps: Steps,
) -> None:
    # given payers who hold numbers for a store, one of them only after the file was checked
    desk, world = steps.desk, steps.world
    await desk.issued(*(line(f"E-{n}") for n in range(1, 5)))

    await hold(steps, "E-1", "E-2", "E-3")
    rows = [withdraw("cancel", "E-1"), withdraw("paid_elsewhere", "E-2"), withdraw("取消", "E-4")]
    made = await judged(desk, *rows)
    assert (made.rows_good, made.rows_faulty) == (3, 0)
    await hold(steps, "E-4")

    # when the file is sent
    made = await sent(desk, made)

    # then nobody is asked for anything, what is owed is still in the books, and workers are told
    assert (made.state, made.rows_issued, made.rows_faulty) == ("issued", 3, 0)
    assert [(one.done, one.waiting) for one in made.changes] == [(2, 2), (1, 1)]
    waiting = {f"E-{n}": "canceling" for n in (1, 2, 4)}
    assert await lifecycles(steps) == waiting | {"E-3": "open"}
    assert [(await steps.standing(one))[1:] for one in waiting] == [("canceled", False)] * 3
    assert await desk.send_all() == 1  # of the one bill that is still asked for
    ids = {await steps.bill(number): number for number in waiting}
    assert await world.books(await steps.bill("E-1")) == {"billed": -8420, "receivable": 8420}
    again = await judged(desk, *rows)
    assert (again.rows_good, again.rows_known) == (0, 3)
    leases = await desk.leases("payment.inquire")
    told = {"E-1": "failed", "E-2": "succeeded", "E-4": "requires_action"}

    async def truth(attempt_id: UUID) -> Finding:
        of = await world.value("select bill_id from attempt where id = $1", attempt_id)
        return finding(told[ids[of]], 8420, provider_ref="p-1")

    assert [await inquire(world, lease, truth) for lease in leases] == [1, 1, 1]

    # and each ends as its company says: withdrawn, paid before that, or not yet
    assert await lifecycles(steps) == {
        "E-1": "canceled", "E-2": "canceled", "E-3": "open", "E-4": "canceling"
    }  # fmt: skip
    made = await desk.view(made.id)
    assert [(one.done, one.waiting) for one in made.changes] == [(2, 1), (1, 0)]
    assert await world.books(await steps.bill("E-1")) == {}
    paid = await steps.bill("E-2")
    assert await world.books(paid) == {"in_transit": 8420, "overpayment": -8420}
    assert await world.cases() == ["overpaid"]
    events = await world.events(paid)
    assert [code for code in events if code.startswith("bill.")] == [
        "bill.cancel_requested", "bill.paid_elsewhere", "bill.overpaid", "bill.canceled"
    ]  # fmt: skip


async def companies_say(steps: Steps, told: dict[str, tuple[Any, int]]) -> None:
    """Workers ask about the numbers of these bills, and do what follows."""
    ids = {await steps.bill(number): number for number in told}

    async def truth(attempt_id: UUID) -> Finding:
        of = await steps.world.value("select bill_id from attempt where id = $1", attempt_id)
        state, amount = told[ids[of]]
        return finding(state, amount, provider_ref="p-1")

    for lease in await steps.desk.leases("payment.inquire"):
        await inquire(steps.world, lease, truth)
    await steps.desk.work_off()


async def way(steps: Steps, number: str) -> list[str]:
    """What the bill's own timeline says."""
    events = await steps.world.events(await steps.bill(number))
    return [code for code in events if code.startswith("bill.")]


async def test_a_replacement_waits_for_the_number_that_somebody_holds_and_money_wins(
    steps: Steps,
) -> None:
    # given payers who hold numbers for a store, one of them only after the file was checked
    desk, world = steps.desk, steps.world
    old, new = [f"E-{n}" for n in range(1, 6)], [f"N-{n}" for n in range(1, 6)]
    await desk.issued(*(line(number) for number in old))
    await hold(steps, *old[:4])
    rows = [replace(*pair, amount="700") for pair in zip(old, new, strict=True)]
    made = await judged(desk, *rows, f",,{line('N-6')}", header=WHOLE)
    assert (made.rows_good, made.rows_faulty, made.amount_good_minor) == (6, 0, 5 * 700 + 8420)
    await hold(steps, "E-5")

    # when the file is sent
    made = await sent(desk, made)

    # then the old bills can't be paid on their pages, and no new one is asked for yet
    assert (made.state, made.rows_issued, made.rows_faulty) == ("issued", 1, 0)
    assert [(one.done, one.waiting) for one in made.changes] == [(5, 5)]
    standing = dict.fromkeys(old, "canceling") | dict.fromkeys(new, "scheduled")
    assert await lifecycles(steps) == standing | {"N-6": "open"}
    assert [(await steps.standing(one))[1:] for one in old] == [("superseded", False)] * 5
    assert (await judged(desk, *rows, header=WHOLE)).rows_known == 5

    # when their companies say: withdrawn, paid before that, paid in part, not yet; and staff cancel
    await steps.set("update bill set lifecycle = 'canceled' where number = 'N-5'")
    part = await steps.bill("E-3")
    await steps.set("update attempt set amount_minor = 400 where bill_id = $1", part)
    told = {
        "E-1": ("failed", 8420), "E-2": ("succeeded", 8420), "E-3": ("succeeded", 400),
        "E-4": ("requires_action", 8420), "E-5": ("failed", 8420),
    }  # fmt: skip
    await companies_say(steps, told)

    # then each is replaced or kept, the merchant is told which, and what was paid is paid
    assert await lifecycles(steps) == {
        "E-1": "superseded", "E-2": "open", "E-3": "open", "E-4": "canceling",
        "E-5": "superseded", "N-1": "open", "N-4": "scheduled", "N-5": "canceled", "N-6": "open",
    }  # fmt: skip
    made = await desk.view(made.id)
    assert (made.rows_issued, made.rows_good, made.amount_good_minor) == (2, 4, 3 * 700 + 8420)
    assert await faults(desk, made) == [(3, "change_paid", "E-2"), (4, "change_part_paid", "E-3")]
    counted = {one.code: one.rows for one in made.faults}
    assert counted == {"change_paid": 1, "change_part_paid": 1}
    assert [(one.done, one.waiting) for one in made.changes] == [(3, 1)]
    books = [await world.books(await steps.bill(number)) for number in ("E-1", "N-1", "E-2")]
    assert (books[0], await world.cases()) == ({}, [])
    assert (books[1]["receivable"], books[2]["in_transit"]) == (700, 8420)
    assert await way(steps, "E-2") == [*ASKED, "bill.kept", "bill.paid"]
    assert await way(steps, "E-1") == [*ASKED, "bill.superseded"]
    assert [bool(await steps.told(one)) for one in ("N-1", "N-4")] == [True, False]
    assert [(await steps.standing(one))[1] for one in old[:3]] == ["superseded", "paid", ""]

    # and what still waits ends so later, once
    await steps.set("update task set next_at = now() where kind = 'payment.inquire'")
    await companies_say(steps, told | {"E-4": ("failed", 8420)})
    made = await desk.view(made.id)
    assert (made.rows_issued, made.changes[0].waiting) == (3, 0)
    assert (await lifecycles(steps))["E-4"] == "superseded"
    assert await world.value("select count(*) from task where kind = 'intake.issue_bills'") == 0


async def money_comes(steps: Steps, *numbers: str) -> None:
    """Money comes for bills that wait for their replacement, whatever becomes of it."""
    ids = [await steps.bill(number) for number in numbers]
    await steps.set(
        "update attempt set state = 'failed', ask_at = null where bill_id = any($1)", ids
    )
    async with steps.world.act() as act:
        assert set(await keep_paid(act, await lock_bills(act, ids))) == set(ids)


async def test_nobody_is_asked_for_both_bills_when_money_comes_in_the_middle_of_a_step(
    steps: Steps,
) -> None:
    # given a file that is being sent, of which one bill waits for its replacement
    desk, world = steps.desk, steps.world
    await desk.issued(line("E-1"))
    await hold(steps, "E-1")
    made = await judged(desk, replace("E-1", "N-1"), header=WHOLE)
    await desk.decide(made.id)
    [leased] = await desk.leases("intake.issue_bills")
    request = IssueBills(import_id=ImportId(made.id))
    assert (await desk.work.call(ISSUE_BILLS, request, leased.authority)).rows == 1

    # when money comes for it after the next step has looked for such, and before it issues bills
    async with world.act() as act:
        await act.db.execute("select from bill where number = 'N-1' for update")
        step = asyncio.create_task(desk.work.call(ISSUE_BILLS, request, leased.authority))
        while not await world.value(IS_WAITING):
            assert not step.done()
        await money_comes(steps, "E-1")
        await steps.set("update bill set settlement = 'settled' where number = 'E-1'")

    # then the new bill is not asked for, and the row is refused
    assert (await step).remaining
    assert await lifecycles(steps) == {"E-1": "open", "N-1": "scheduled"}
    await desk.step(leased)
    assert await lifecycles(steps) == {"E-1": "open"}
    assert await faults(desk, made) == [(2, "change_paid", "E-1")]


async def test_a_bill_whose_money_came_and_went_is_replaced_after_all(steps: Steps) -> None:
    desk = steps.desk
    await desk.issued(line("E-1"))
    await hold(steps, "E-1")
    made = await sent(desk, await judged(desk, replace("E-1", "N-1"), header=WHOLE))
    assert (made.state, made.rows_issued) == ("issued", 0)

    await money_comes(steps, "E-1")
    await desk.work_off()

    assert await lifecycles(steps) == {"E-1": "superseded", "N-1": "open"}
    assert (await steps.world.books(await steps.bill("N-1")))["receivable"] == 8420
    assert (await desk.view(made.id)).rows_issued == 1


async def test_changes_come_in_steps_and_go_with_a_file_that_is_thrown_away(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.vault.change_step.STEP_CHANGES", 2)
    desk = steps.desk
    await desk.issued(*(line(f"E-{n}") for n in range(5)))
    rows = [withdraw("cancel", f"E-{n}") for n in range(5)]
    thrown = await judged(desk, *rows)
    await desk.decide(thrown.id, "discard")
    await desk.work_off()
    assert await steps.world.value("select count(*) from bill_change") == 0
    assert set((await lifecycles(steps)).values()) == {"open"}

    made = await judged(desk, *rows)
    await desk.decide(made.id)
    [leased] = await desk.leases("intake.issue_bills")
    request = IssueBills(import_id=ImportId(made.id))
    first = await desk.work.call(ISSUE_BILLS, request, leased.authority)

    assert (first.rows, first.remaining) == (2, True)
    assert (await desk.view(made.id)).rows_issued == 2  # what a screen shows meanwhile
    await desk.step(leased)
    assert (await desk.view(made.id)).rows_issued == 5
    assert set((await lifecycles(steps)).values()) == {"canceled"}


async def test_many_numbers_are_asked_about_one_after_the_other_and_a_single_one_now(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.vault.change_step.STEP_CHANGES", 2)
    monkeypatch.setattr("portal.vault.unwanted.AT_ONCE", 1)
    desk = steps.desk
    numbers = [f"E-{n}" for n in range(5)]
    await desk.issued(*map(line, numbers))
    await hold(steps, *numbers)

    await sent(desk, await judged(desk, *(withdraw("cancel", number) for number in numbers)))

    tasks: list[Any] = await steps.world.rows(
        "select a.ask_at, a.ask_at - t.planned_at as wait from task t join attempt a"
        " on a.id = t.subject_id where t.kind = 'payment.inquire' order by t.planned_at, a.ask_at"
    )
    many, single = tasks[:4], tasks[4]
    gaps = [(after["ask_at"] - one["ask_at"]).total_seconds() for one, after in pairwise(many)]
    assert all(gap > 0.99 / ASKED_PER_S for gap in gaps), gaps
    assert many[0]["wait"].total_seconds() == single["wait"].total_seconds() == 0


async def test_of_two_lines_about_one_bill_the_earlier_has_it_whichever_chunk_comes_first(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.domain.intake.split.CHUNK_ROWS", 4)
    desk = steps.desk
    await desk.issued(*(line(f"E-{n}") for n in range(1, 5)))
    rows = (
        replace("E-1", "N-1"), replace("E-2", "N-2"), f"cancel,,{line('E-3')}",
        f"cancel,,{line('E-4')}", replace("E-1", "N-1"), replace("E-2", "N-9"),
        replace("E-3", "N-3"), f"paid_elsewhere,,{line('E-4')}",
    )  # fmt: skip
    made = await desk.upload(csv(*rows, header=WHOLE))
    for leased in reversed(await desk.leases("intake.accept_chunk")):
        await desk.step(leased)

    made = await desk.view(made.id)
    assert (made.rows_good, made.rows_faulty, made.amount_good_minor) == (4, 4, 2 * 8420)
    assert sorted(await faults(desk, made)) == [
        (6, "duplicate_in_file", "N-1"), (7, "change_twice", "E-2"), (8, "change_twice", "E-3"),
        (9, "change_twice", "E-4"),
    ]  # fmt: skip
    done = await sent(desk, made)

    assert (done.rows_issued, done.rows_faulty) == (4, 4)
    assert await lifecycles(steps) == {
        "E-1": "superseded", "E-2": "superseded", "E-3": "canceled", "E-4": "canceled",
        "N-1": "open", "N-2": "open",
    }  # fmt: skip


FILES: dict[str, list[tuple[int, tuple[int, ...]]]] = {
    "N aN aO aP": [(1, (3, 2, 1, 0)), (1, (2, 0, 3, 1)), (2, (0, 1)), (4, (0,))],
    "aN aO O bO": [(1, (0, 1, 2, 3)), (1, (3, 2, 1, 0)), (1, (2, 3, 1, 0)), (1, (1, 2, 0, 3))],
    "O a aO bO O": [(1, (4, 3, 2, 1, 0)), (2, (1, 2, 0)), (5, (0,))],
    "xN N aN N": [(1, (3, 2, 1, 0)), (2, (0, 1)), (4, (0,))],
}
"""Files → rows of a chunk, and orders of its chunks. A row names the old bill that it replaces and
its own number; one without a number withdraws the old one, one without an old one is a new bill."""


def told(rows: list[str]) -> set[tuple[int, str, int]]:
    """What each line is refused for, and by which: of two with one wish the earlier has it."""
    numbers: dict[str, int] = {}
    olds: dict[str, int] = {}
    found: set[tuple[int, str, int]] = set()
    for place, row in enumerate(rows, 2):
        old, new = row.rstrip("NOP"), row.lstrip("abx")
        if old == "x":
            found.add((place, "change_unknown", 0))
            continue
        has_number = numbers.setdefault(new, place) if new else place
        has_old = olds.setdefault(old, place) if old else place
        if has_number < place:
            found.add((place, "duplicate_in_file", has_number))
        elif has_old < place:
            found.add((place, "change_twice", has_old))
    return found


def spelled(row: str, case: str) -> str:
    """The file's line of such a row."""
    old, new = row.rstrip("NOP"), row.lstrip("abx")
    contract = f"C-{case}"
    if not new:
        return f"cancel,,{line(case + old, contract_no=contract)}"
    action = f"replace,{case}{old}" if old else ","
    return f"{action},{line(case + new, contract_no=contract)}"


async def test_lines_are_judged_alike_in_whatever_order_their_chunks_are_worked(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = steps.desk
    cases = [(file, *work) for file, orders in FILES.items() for work in orders]
    names = [f"{10 + place}-" for place in range(len(cases))]
    await desk.issued(
        *(line(f"{name}{old}", contract_no=f"C-{name}") for name in names for old in "ab")
    )

    for name, (file, size, order) in zip(names, cases, strict=True):
        rows = file.split()
        expected = told(rows)
        monkeypatch.setattr("portal.domain.intake.split.CHUNK_ROWS", size)
        made = await desk.upload(csv(*(spelled(row, name) for row in rows), header=WHOLE))
        leases = await desk.leases("intake.accept_chunk")
        assert len(leases) == len(order)
        for chunk in order:
            await desk.step(leases[chunk])

        made = await desk.view(made.id)
        listed = await desk.faults(made.id)
        found = {(one.line, one.code, one.params.get("line", 0)) for one in listed}
        assert found == expected, (file, size, order)
        assert len(listed) == made.rows_faulty == len(expected), (file, size, order)
        counts = Counter(code for _, code, _ in expected)
        assert {one.code: one.rows for one in made.faults} == counts, (file, size, order)
        good = set(range(2, len(rows) + 2)) - {place for place, _, _ in expected}
        issued = [rows[place - 2] for place in good if rows[place - 2].lstrip("abx")]
        assert (made.rows_good, made.amount_good_minor) == (len(good), 8420 * len(issued))
        planned = [rows[place - 2] for place in good if rows[place - 2].rstrip("NOP")]
        assert sum(one.planned for one in made.changes) == len(planned), (file, size, order)
        if size > 1:
            done = await sent(desk, made)
            assert (done.rows_issued, done.rows_good) == (len(good), len(good))


async def test_an_earlier_line_with_a_replacements_number_leaves_the_old_bill_as_it_is(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.domain.intake.split.CHUNK_ROWS", 2)
    desk = steps.desk
    await desk.issued(line("E-1"), line("E-2"))
    rows = (
        f",,{line('N-1', contract_no='C-E-1')}", f",,{line('N-3')}",
        replace("E-1", "N-1"), replace("E-2", "N-2"),
    )  # fmt: skip
    made = await desk.upload(csv(*rows, header=WHOLE))
    for leased in reversed(await desk.leases("intake.accept_chunk")):
        await desk.step(leased)
    await steps.set("update bill set settlement = 'settled' where number = 'E-2'")
    assert await faults(desk, made) == [(4, "duplicate_in_file", "N-1")]

    done = await sent(desk, made)

    assert (done.rows_issued, done.rows_good, done.rows_faulty) == (2, 2, 2)
    assert await faults(desk, made) == [(4, "duplicate_in_file", "N-1"), (5, "change_paid", "E-2")]
    assert await lifecycles(steps) == {"E-1": "open", "E-2": "open", "N-1": "open", "N-3": "open"}


async def test_an_old_paper_slip_that_is_paid_after_its_bill_was_replaced_is_owed_back(
    steps: Steps,
) -> None:
    # given a payer who printed the slip of a bill that a file then replaces by a smaller one
    desk, world = steps.desk, steps.world
    shop = await new_slip_desk(world, "kiku")
    await desk.issued(line("E-1"))
    old = await steps.bill("E-1")
    digits = (await shop.show(await linked(steps, old))).digits
    made = await judged(desk, replace("E-1", "N-1", amount="700"), header=WHOLE)
    await sent(desk, made)
    new = await steps.bill("N-1")
    theirs = (await shop.show(await linked(steps, new))).digits

    # when the old slip is paid at a till, and the agency confirms it
    first = await shop.told(notice("provisional", digits))
    second = await shop.told(notice("confirmed", digits))

    # then its money is owed back, its page doesn't call anything paid, and the new bill can be paid
    page = await world.page(await linked(steps, old))
    assert (page.state, page.owed_back_minor) == ("superseded", 8420)
    assert (await world.page(await linked(steps, new))).state in {"open", "due_soon", "overdue"}
    assert (first, second) == ([("pending", "slip_not_owed")], [("posted", "")])
    assert await world.settlement(old) == "over"
    assert await world.settlement(new) == "unpaid"
    assert await world.books(old) == {"in_transit": 8420, "overpayment": -8420}
    assert sorted(await world.cases()) == ["overpaid", "slip_not_owed"]
    assert await shop.told(notice("confirmed", theirs)) == [("posted", "")]
    assert await world.settlement(new) == "settled"


async def linked(steps: Steps, bill_id: UUID) -> Payer:
    """Whoever holds another link of this bill."""
    secret = secrets.token_hex(11)
    await steps.set(
        "insert into link (merchant_id, secret_hash, bill_id, created_at, expires_at)"
        " select merchant_id, $2, id, created_at, created_at + interval '90 days' from bill"
        " where id = $1",
        bill_id, sha256(secret.encode()),
    )  # fmt: skip
    return await steps.world.open(bill_id, secret)
