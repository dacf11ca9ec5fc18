"""Paper at the end of the ladder, or at once: from the plan to the print shop's file."""

import asyncio
import hashlib

import pytest

from portal.contract.bills import RESEND_MESSAGE, VIEW_BILL, ResendMessage, ViewBill
from portal.contract.print_batch import (
    HAND_OVER_PRINT_BATCH,
    LIST_PRINT_BATCHES,
    MAKE_PRINT_BATCH,
    TAKE_OUT_PRINT_BATCH,
    HandOverPrintBatch,
    ListPrintBatches,
    MakePrintBatch,
    PrintBatchView,
    TakeOutPrintBatch,
)
from portal.contract.slip import SET_SLIP_TERMS, SetSlipTerms
from portal.domain.errors import Conflict
from portal.domain.ids import BillId
from portal.domain.ladder import Hours, Plan, Rung
from portal.vault.ladder import look_again
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, HEADER, csv, line, new_desk
from tests.make.ladder import Steps
from tests.make.vault import ClientFor
from tests.zone.test_ladder import days

PLAN = Plan(
    ladders={
        "": (
            Rung(when="issue", channel="sms"),
            Rung(when="after_issue", days=3, channel="email", unless="opened"),
            Rung(when="after_issue", days=10, channel="paper", unless="opened"),
        )
    },
    hours=Hours(quiet_from=Hours().quiet_until, per_day=9, per_week=9),
)
FIRST_DAY = DUE_ON - days(20)


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    steps = Steps(await new_desk(vault, client_for))
    await steps.road("email")
    await steps.plan(PLAN)
    terms = SetSlipTerms(
        merchant_code=steps.desk.code, agency="dsk", maker_code="929023", company_code="25207"
    )
    await steps.desk.operator.call(SET_SLIP_TERMS, terms)
    return steps


async def posted(steps: Steps, *lines: str) -> None:
    """Issue bills of people with a postal address."""
    rows = [f"{row},105-0001,東京都港区1-2-3" for row in lines]
    made = await steps.desk.upload(csv(*rows, header=f"{HEADER},postal_code,address"))
    await steps.desk.work_off()
    await steps.desk.decide(made.id)
    await steps.desk.work_off()


async def wanted(steps: Steps) -> dict[str, str]:
    """Number of each bill that wants or has had paper → why."""
    rows = await steps.world.rows(
        "select b.number, w.reason, w.state from paper_due w join bill b on b.id = w.bill_id"
    )
    return {row["number"]: row["reason"] for row in rows if row["state"] != "dropped"}


async def make(steps: Steps, key: str) -> PrintBatchView:
    request = MakePrintBatch(charset="utf-8-sig", idempotency_key=key)
    return (await steps.desk.web.call(MAKE_PRINT_BATCH, request, steps.desk.staff)).batch


async def waiting(steps: Steps) -> int:
    request = ListPrintBatches(first=1)
    return (await steps.desk.web.call(LIST_PRINT_BATCHES, request, steps.desk.staff)).waiting


async def codes(steps: Steps, number: str) -> list[str]:
    request = ViewBill(bill_id=BillId(await steps.bill(number)))
    events = (await steps.desk.web.call(VIEW_BILL, request, steps.desk.staff)).events
    return [event.code for event in events if event.code.startswith(("paper.", "ladder."))]


async def test_paper_is_the_last_rung_and_at_once_the_only_one_where_nothing_reaches(
    steps: Steps,
) -> None:
    await posted(
        steps,
        line("E-1", email="a@example.jp"), line("E-2", phone=""),
        line("E-3", email="c@example.jp", phone="080-1111-1111"),
        line("E-4", phone="080-2222-2222"), line("E-5", phone="080-3333-3333"),
    )  # fmt: skip
    # E-2 has neither, E-4 has a number from which everything comes back, E-5 wants nothing.
    await steps.set(
        "insert into contact_fault (merchant_id, channel, blind, code, at)"
        " select merchant_id, 'sms', phone_blind, 'bounced', now() from bill where number = 'E-4'"
    )
    await steps.set("update ladder set next_at = now()")
    await steps.say("E-5", is_wanted=False)

    await steps.at(FIRST_DAY + days(1))
    assert await wanted(steps) == {
        "E-2": "no_contact", "E-4": "undelivered", "E-5": "opted_out",
    }  # fmt: skip

    await steps.set("update bill set opened_at = now() where number = 'E-3'")
    await steps.at(FIRST_DAY + days(11))
    await steps.look()
    assert (await wanted(steps))["E-1"] == "rung"
    assert "E-3" not in await wanted(steps)
    assert await codes(steps, "E-1") == ["paper.due_rung"]
    assert await waiting(steps) == 4


async def test_a_batch_takes_each_bill_once_leaves_out_what_ended_and_is_handed_over_once(
    steps: Steps,
) -> None:
    numbers = [f"E-{number}" for number in range(1, 8)]
    await posted(steps, *(line(number) for number in numbers))
    await steps.at(FIRST_DAY + days(11))
    assert set(await wanted(steps)) == set(numbers)
    await steps.set("update bill set settlement = 'settled' where number = 'E-1'")
    await steps.set("update bill set lifecycle = 'canceled' where number = 'E-2'")
    for number, kind in (("E-3", "hold"), ("E-4", "promise")):
        await steps.set(
            "insert into pause (merchant_id, id, bill_id, kind, placed_by, placed_at, until)"
            " select merchant_id, gen_random_uuid(), id, $2, 'test', now(), date '2099-01-01'"
            " from bill where number = $1",
            number, kind,
        )  # fmt: skip
    assert await waiting(steps) == 3

    made = await asyncio.gather(
        *(make(steps, f"k-{number}") for number in range(3)), return_exceptions=True
    )

    batches = [one for one in made if isinstance(one, PrintBatchView)]
    assert sum(batch.bills for batch in batches) == 3
    assert all(isinstance(one, PrintBatchView | Conflict) for one in made)
    assert await waiting(steps) == 0
    states = await steps.world.rows(
        "select b.number, w.state from paper_due w join bill b on b.id = w.bill_id"
        " order by b.number"
    )
    assert [row["state"] for row in states] == [
        "dropped", "dropped", "waiting", "waiting", "printed", "printed", "printed",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="nothing_to_print"):
        await make(steps, "again")

    batch = batches[0]
    web, staff = steps.desk.web, steps.desk.staff
    hand_over = HandOverPrintBatch(batch_id=batch.id)
    with pytest.raises(Conflict, match="print_not_taken"):
        await web.call(HAND_OVER_PRINT_BATCH, hand_over, staff)
    part = await web.call(
        TAKE_OUT_PRINT_BATCH, TakeOutPrintBatch(batch_id=batch.id, part_no=0), staff
    )
    assert hashlib.sha256(part.body).hexdigest() == batch.sha256
    handed = (await web.call(HAND_OVER_PRINT_BATCH, hand_over, staff)).batch
    assert handed.handed_at is not None
    assert (await web.call(HAND_OVER_PRINT_BATCH, hand_over, staff)).batch == handed
    number = await steps.world.value(
        "select min(b.number) from print_bill o join bill b on b.id = o.bill_id"
        " where o.batch_id = $1",
        batch.id,
    )
    assert set(await codes(steps, number)) >= {"paper.due_rung", "paper.handed_over"}


async def test_a_call_that_staff_asked_for_and_that_found_nobody_is_no_reason_for_paper(
    steps: Steps,
) -> None:
    await steps.road("voice")
    call = Rung(when="after_issue", days=5, channel="voice")
    await steps.plan(Plan(ladders={"": (PLAN.ladders[""][0], call)}, hours=PLAN.hours))
    await posted(steps, line("E-1", phone="03-1234-5678"))
    await steps.set("update delivery set state = 'left_out', code = 'no_contact'")
    await steps.at(FIRST_DAY + days(1))
    request = ResendMessage(
        bill_id=BillId(await steps.bill()), channel="voice", idempotency_key="call"
    )
    await steps.desk.web.call(RESEND_MESSAGE, request, steps.desk.staff)
    await steps.set(
        "update delivery set state = 'undelivered', code = 'call_busy' where channel = 'voice'"
    )
    async with steps.world.act() as act:
        await look_again(act, [await steps.bill()])

    await steps.look()
    assert await wanted(steps) == {}
    await steps.at(FIRST_DAY + days(6))
    assert (await steps.told())[-1] == ("ladder", 1, "voice")


async def test_a_first_notice_by_telephone_gives_way_at_once_where_calls_were_stopped(
    steps: Steps,
) -> None:
    await steps.road("voice")
    text = Rung(when="after_issue", days=3, channel="sms")
    first = Rung(when="issue", channel="voice")
    await steps.plan(Plan(ladders={"": (first, text)}, hours=PLAN.hours))
    await posted(steps, line("E-1", phone="090-1111-2222"))
    assert await steps.told("E-1") == [("first", 0, "voice")]
    await steps.say("E-1", channel="voice", is_wanted=False)
    await posted(steps, line("E-2", phone="090-1111-2222"), line("E-3", phone="090-3333-2222"))

    await steps.look()

    assert await steps.told("E-2") == [("ladder", 1, "sms")]
    assert await steps.skipped("E-2") == [(0, "voice", "opted_out")]
    assert await steps.told("E-3") == [("first", 0, "voice")]
