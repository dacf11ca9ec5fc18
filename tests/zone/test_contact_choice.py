"""What payers say of reminders: kept with time and source, and obeyed from that moment on."""

import pytest

from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    STOP_REMINDERS,
    SetContactChoice,
    StopReminders,
)
from portal.domain.errors import Conflict, NotFound, Refused
from portal.domain.ids import BillId
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, line, new_desk
from tests.make.ladder import Steps
from tests.make.vault import ClientFor
from tests.zone.test_ladder import BEFORE, FIRST, days


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    steps = Steps(await new_desk(vault, client_for))
    await steps.desk.issued(line("E-1"), line("E-2"), line("E-3", phone="080-9999-0000"))
    return steps


async def test_reminders_stop_for_the_number_over_all_its_bills_and_come_again_when_wanted(
    steps: Steps,
) -> None:
    said = await steps.say(is_wanted=False)
    assert await steps.say(is_wanted=False) == said
    await steps.desk.send_all()

    assert await steps.at(DUE_ON - days(3)) == 1
    assert [await steps.told(number) for number in ("E-1", "E-2", "E-3")] == [
        [FIRST], [FIRST], [FIRST, BEFORE],
    ]  # fmt: skip
    assert (2, "sms", "opted_out") in await steps.skipped()

    await steps.say(is_wanted=True)
    assert await steps.at(DUE_ON + days(2)) == 3
    rows = await steps.world.rows("select is_wanted, source, actor from contact_choice order by id")
    assert [(row["is_wanted"], row["source"]) for row in rows] == [
        (False, "telephone"), (True, "telephone"),
    ]  # fmt: skip


async def test_a_reminder_that_was_planned_is_left_out_once_its_payer_says_no(
    steps: Steps,
) -> None:
    await steps.desk.send_all()
    await steps.at(DUE_ON - days(3))
    await steps.say(is_wanted=False)

    assert await steps.desk.send_all() == 1

    left_out = await steps.world.rows("select code from delivery where state = 'left_out'")
    assert {row["code"] for row in left_out} == {"opted_out"}


async def test_a_payer_stops_them_on_the_bills_page_and_a_first_notice_still_comes(
    steps: Steps,
) -> None:
    payer = await steps.world.payer()
    await steps.set(
        "update bill set phone_blind = (select phone_blind from bill where number = 'E-1')"
        " where id = $1",
        payer.bill_id,
    )
    web = steps.desk.web
    said = await web.call(STOP_REMINDERS, StopReminders(channel="sms"), payer.authority)
    again = await web.call(STOP_REMINDERS, StopReminders(channel="sms"), payer.authority)
    assert [(one.channel, one.is_wanted, one.source) for one in said.choices] == [
        ("sms", False, "page")
    ]
    assert again == said
    with pytest.raises(Conflict, match="no_channel"):
        await web.call(STOP_REMINDERS, StopReminders(channel="email"), payer.authority)

    await steps.desk.issued(line("E-9"))
    assert await steps.told("E-9") == [FIRST]


async def test_nobody_says_anything_for_another_merchants_payer(
    steps: Steps, vault: VaultServer, client_for: ClientFor
) -> None:
    other = Steps(await new_desk(vault, client_for, "other"))
    no = SetContactChoice(
        bill_id=BillId(await steps.bill()), channel="sms", is_wanted=False, source="letter"
    )
    with pytest.raises(NotFound):
        await other.desk.web.call(SET_CONTACT_CHOICE, no, other.desk.staff)
    stop = StopReminders(channel="sms")
    with pytest.raises(Refused):
        await steps.desk.web.call(STOP_REMINDERS, stop, steps.desk.staff)
