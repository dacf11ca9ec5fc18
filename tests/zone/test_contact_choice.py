"""What payers say of reminders: kept with time and source, and obeyed from that moment on."""

import asyncio

import pytest

from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    STOP_BY_MAIL,
    STOP_REMINDERS,
    SetContactChoice,
    StopByMail,
    StopReminders,
)
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.domain.errors import Conflict, NotFound, Refused
from portal.domain.ids import BillId
from portal.domain.ladder import Plan, Rung
from portal.vault.deliveries import OPTED_OUT
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, line, new_desk
from tests.make.ladder import NEVER_QUIET, Steps
from tests.make.vault import ClientFor, Ground
from tests.make.web import running_web, web_settings
from tests.zone.test_ladder import BEFORE, BY_MAIL, FIRST, MAIL, days
from tests.zone.test_paper import posted

BY_MAIL_FIRST = Plan(
    ladders={
        "": (
            Rung(when="issue", channel="email"),
            Rung(when="after_issue", days=3, channel="sms"),
        )
    },
    hours=NEVER_QUIET.hours,
)
STOP_PAGE = {"content-type": "application/x-www-form-urlencoded"}
ONE_CLICK = "List-Unsubscribe=One-Click"


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

    # nor does a mail in which they say so of text messages keep one back: it is no unsubscribing
    await steps.say("E-2", is_wanted=True)
    await steps.say("E-2", is_wanted=False, source="mail")
    await steps.desk.issued(line("E-9"))
    assert await steps.told("E-9") == [FIRST]
    stopped = (
        f"select {OPTED_OUT} from delivery d join bill b on b.id = d.bill_id"  # noqa: S608
        " where d.merchant_id = $1 and b.number = 'E-9'"
    )
    assert await steps.world.value(stopped, steps.desk.merchant_id) is False


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


async def stop_urls(steps: Steps) -> list[str]:
    """Have the mails that are planned redeemed as the relay does; where each can be stopped."""
    (leased,) = await steps.desk.leases("message.send_chunk")
    part = await steps.desk.report(leased)
    given = await steps.desk.redeem(*(route.delivery_id for route in part.deliveries))
    assert all(one.stop_url in one.body for one in given.deliveries)
    return [one.stop_url for one in given.deliveries]


async def staff_have_them_again(steps: Steps) -> None:
    """What a click stopped comes again when the payer says so on the telephone."""
    said = await steps.say("E-7", channel="email", is_wanted=True)
    assert [(one.channel, one.is_wanted, one.source) for one in said.choices] == [
        ("email", True, "telephone")
    ]


async def no_mail_tells_of_a_new_bill(steps: Steps, person: dict[str, str]) -> None:
    """Who unsubscribed has no first notice by mail: one without a number to write to gets paper."""
    await steps.plan(BY_MAIL_FIRST)
    await steps.desk.issued(line("E-10", **person), line("E-12", email="other@example.jp"))
    await posted(steps, line("E-11", email=person["email"], phone=""))
    await steps.look()
    assert [await steps.told(number) for number in ("E-10", "E-11", "E-12")] == [
        [("ladder", 1, "sms")], [], [("first", 0, "email")],
    ]  # fmt: skip
    reason = "select reason from paper_due where bill_id = $1"
    assert await steps.world.value(reason, await steps.bill("E-11")) == "opted_out"
    # nor does one that was planned before its reader unsubscribed, though stopping reminders did
    # not keep it
    await steps.say("E-12", channel="email", is_wanted=False)
    stopped = (
        f"select {OPTED_OUT} from delivery d join bill b on b.id = d.bill_id"  # noqa: S608
        " where d.merchant_id = $1 and b.number = 'E-12'"
    )
    assert await steps.world.value(stopped, steps.desk.merchant_id) is False
    await steps.say("E-12", channel="email", is_wanted=False, source="mail")
    assert await steps.world.value(stopped, steps.desk.merchant_id) is True


async def test_one_click_in_a_mail_stops_mails_to_its_address_and_the_ladder_goes_on(
    steps: Steps, ground: Ground
) -> None:
    # given two bills of one address that were told of by mail
    road = SetChannel(
        merchant_code=steps.desk.code, channel="email", provider="sandbox_sms", sender="x",
        share=100,
    )  # fmt: skip
    await steps.desk.operator.call(SET_CHANNEL, road)
    person = BY_MAIL | {"phone": "080-9999-0007"}
    await steps.desk.issued(line("E-7", **person), line("E-8", **person))
    await steps.desk.send_all()
    await steps.at(DUE_ON - days(16))
    first, second = await stop_urls(steps)
    token = first.rpartition("/")[2]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    choices = "select channel, kind, is_wanted, source from contact_choice order by id"
    settings = web_settings(ground.folder)

    async with (
        running_web(ground.folder, steps.desk.web, settings=settings) as web,
        web.browser() as browser,
    ):
        path, other = [url.removeprefix(settings.public_origin) for url in (first, second)]
        # when scanners look, and others guess
        looked = [await browser.get(path), await browser.head(path)]
        guesses = [
            await browser.post(guess, content=ONE_CLICK, headers=STOP_PAGE)
            for guess in (path[:-1], path.replace(token, forged), f"/stop/nobody/{token}")
        ]
        before = await steps.world.rows(choices)
        # when mail programs click, several times at once, and in either form of a body
        clicks = await asyncio.gather(
            browser.post(path, content=ONE_CLICK, headers=STOP_PAGE),
            browser.post(path, files={"List-Unsubscribe": (None, "One-Click")}),
            browser.post(other),
        )
        said = await steps.world.rows(choices)
        # when the bill has another address
        await steps.set("update bill set email_blind = 'x' where number = 'E-8'")
        late = await browser.post(other)

    # then only the clicks counted, once
    assert [answer.status_code for answer in (*looked, *guesses)] == [200, 200, 404, 404, 404]
    assert "<form" in looked[0].text
    assert before == []
    assert [answer.status_code for answer in (*clicks, late)] == [200, 200, 200, 404]
    assert not any(answer.cookies for answer in (*looked, *clicks))
    assert [tuple(row.values()) for row in said] == [("email", "transactional", False, "mail")]
    # and the next rung says it by text message, while no mail goes there
    assert await steps.at(DUE_ON - days(3)) > 0
    assert await steps.told("E-7") == [FIRST, MAIL, BEFORE]
    await no_mail_tells_of_a_new_bill(steps, person)
    await staff_have_them_again(steps)
    with pytest.raises(NotFound, match="link_unknown"):
        await steps.desk.web.call(STOP_BY_MAIL, StopByMail(merchant_code="nobody", token=token))
