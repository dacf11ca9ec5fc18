"""Going digital: consent, paper beside the message, paper no more, and paper again."""

import asyncio
from uuid import UUID

import pytest

from portal.contract.digital import (
    CHOOSE_BILLING,
    LIST_BILLINGS,
    STEER_BILLING,
    VIEW_PAPER,
    ChooseBilling,
    ListBillings,
    SteerBilling,
)
from portal.contract.envelope import Authority, Nothing
from portal.contract.page import MARK_OPENED, OPEN_LINK, VIEW_PAGE, OpenLink
from portal.contract.share import ViewPage
from portal.domain.digital import WORDS, Billing
from portal.domain.errors import Conflict, InvalidInput, NotFound, TryLater
from portal.domain.ids import BillId
from portal.domain.ladder import Plan
from tests.make.intake import HEADER, csv, line
from tests.make.ladder import Steps
from tests.zone.test_ladder import days
from tests.zone.test_paper import FIRST_DAY, PLAN, posted, steps, wanted

__all__ = ["steps"]

PHONE = "080-4444-4444"


async def bill(steps: Steps, number: str, *, phone: str = PHONE, period: str) -> None:
    """Another month's bill of the same contract, issued and sent by SMS."""
    row = line(number, contract_no="C-7", customer_no="0099", phone=phone, period=period)
    await posted(steps, row)


async def look_at(steps: Steps, number: str) -> Authority:
    """Send the bill's messages and open the link of the newest as its payer."""
    for leased in await steps.desk.leases("message.send_chunk"):
        part = await steps.desk.report(leased)
        for route in part.deliveries:
            [given] = (await steps.desk.redeem(route.delivery_id)).deliveries
            secret = given.body.partition(f"/p/{steps.desk.code}/")[2][:22]
            opened = await steps.desk.web.call(
                OPEN_LINK, OpenLink(merchant_code=steps.desk.code, secret=secret)
            )
            await steps.desk.web.call(MARK_OPENED, Nothing(), opened.authority)
            return opened.authority
    raise AssertionError(number)


async def state(steps: Steps) -> tuple[str, str, int]:
    [row] = await steps.world.rows("select state, reason, seen from digital_contract")
    return row["state"], row["reason"], row["seen"]


async def steer(steps: Steps, number: str, act: str, **more: str) -> Billing:
    request = SteerBilling(bill_id=BillId(await steps.bill(number)), act=act, **more)  # type: ignore[arg-type]
    return (await steps.desk.web.call(STEER_BILLING, request, steps.desk.staff)).billing


async def listed(steps: Steps, billing: Billing) -> list[str]:
    request = ListBillings(billing=billing, first=5)
    page = await steps.desk.web.call(LIST_BILLINGS, request, steps.desk.staff)
    return [one.bill_number for one in page.contracts]


async def saved(steps: Steps) -> int:
    return await steps.world.value("select coalesce(sum(sheets), 0)::int from paper_saved")


async def test_from_consent_over_a_parallel_run_to_no_paper_and_back_by_the_payers_press(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    payer = await look_at(steps, "E-1")
    web = steps.desk.web
    with pytest.raises(InvalidInput, match="words_unknown"):
        await web.call(CHOOSE_BILLING, ChooseBilling(is_digital=True, words="0"), payer)
    for _ in range(2):
        agreed = ChooseBilling(is_digital=True, words=WORDS)
        assert (await web.call(CHOOSE_BILLING, agreed, payer)).billing == "parallel"

    # Two bills are printed beside their message; once both were read there, paper ends by itself.
    for number, period in (("E-2", "2026-08"), ("E-3", "2026-09")):
        await bill(steps, number, period=period)
        assert (await wanted(steps))[number] == "parallel"
        assert (await state(steps))[0] == "parallel"
        await look_at(steps, number)
    assert await state(steps) == ("digital", "", 2)
    assert await wanted(steps) == {}
    assert await listed(steps, "digital") == ["E-3"]

    await bill(steps, "E-4", period="2026-10")
    assert (await wanted(steps), await saved(steps)) == ({}, 1)
    payer = await look_at(steps, "E-4")
    await steps.at(FIRST_DAY + days(11))
    assert "E-4" not in await wanted(steps)

    back = ChooseBilling(is_digital=False, words=WORDS)
    for _ in range(2):
        assert (await web.call(CHOOSE_BILLING, back, payer)).billing == "paper"
    assert await state(steps) == ("paper", "asked", 2)
    assert (await wanted(steps), await saved(steps)) == ({"E-4": "returned"}, 0)
    said = await steps.world.rows(
        "select event, source, words, actor from digital_event order by id"
    )
    assert [tuple(row.values()) for row in said] == [
        ("agree", "page", f"page {WORDS}", "payer"), ("confirm", "system", "", "payer"),
        ("take_back", "page", f"page {WORDS}", "payer"),
    ]  # fmt: skip
    page = await web.call(VIEW_PAGE, ViewPage(), payer)
    assert (page.billing.billing, page.billing.may_choose) == ("paper", True)


async def test_an_unverified_contact_replaces_no_paper_and_a_changed_number_brings_it_along(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    assert await steer(steps, "E-1", "agree", source="letter") == "parallel"
    with pytest.raises(Conflict, match="billing_unverified"):
        await steer(steps, "E-1", "convert")
    with pytest.raises(InvalidInput, match="reason_needed"):
        await steer(steps, "E-1", "take_back")
    await look_at(steps, "E-1")
    assert await steer(steps, "E-1", "convert") == "digital"

    await bill(steps, "E-2", period="2026-08")
    await bill(steps, "E-3", period="2026-09", phone="080-5555-5555")
    assert await saved(steps) == 1
    assert await wanted(steps) == {"E-3": "unverified"}


async def test_whom_no_message_reaches_any_more_is_billed_on_paper_again_with_the_reason(
    steps: Steps,
) -> None:
    await bill(steps, "E-1", period="2026-07")
    await steer(steps, "E-1", "agree")
    await look_at(steps, "E-1")
    await steer(steps, "E-1", "convert")
    await bill(steps, "E-2", period="2026-08")
    assert await saved(steps) == 1
    await steps.say("E-2", is_wanted=False)

    await steps.at(FIRST_DAY + days(1))

    assert (await wanted(steps))["E-2"] == "opted_out"
    assert (await state(steps))[:2] == ("paper", "opted_out")
    assert await saved(steps) == 0
    assert await listed(steps, "paper") == ["E-2"]
    with pytest.raises(Conflict, match="billing_state"):
        await steer(steps, "E-2", "convert")


async def digital(steps: Steps) -> None:
    """A contract that is billed without paper, whose payer was reached."""
    await bill(steps, "E-1", period="2026-07")
    await steer(steps, "E-1", "agree")
    await look_at(steps, "E-1")
    assert await steer(steps, "E-1", "convert") == "digital"


async def test_a_bill_for_which_the_plan_has_no_message_is_printed_and_told_to_staff(
    steps: Steps,
) -> None:
    # given a digital contract, and a plan that tells of no monthly bill
    await digital(steps)
    await steps.plan(Plan(ladders={"once": PLAN.ladders[""]}))

    # when bills of it come, with and without an address to post to
    await bill(steps, "E-2", period="2026-08")
    row = line("E-3", contract_no="C-7", customer_no="0099", phone=PHONE, period="2026-09")
    await steps.desk.issued(row)

    # then paper tells of the one, a person of the other; that the payer agreed stays
    assert await wanted(steps) == {"E-2": "no_message"}
    assert await steps.told("E-2") == []
    assert (await state(steps))[0] == "digital"
    figures = await steps.desk.web.call(VIEW_PAPER, Nothing(), steps.desk.staff)
    assert (figures.unsaid_month, await saved(steps)) == (1, 0)
    assert await untold(steps) == [("E-3", "no_message")]
    # and where the merchant prints nothing, a person of both
    await steps.set("update slip_terms set is_offered = false")
    await bill(steps, "E-4", period="2026-10")
    assert await untold(steps) == [("E-3", "no_message"), ("E-4", "no_message")]
    assert (await wanted(steps))["E-4"] == "no_message"


async def test_whom_neither_message_nor_paper_reaches_is_told_to_staff_once(steps: Steps) -> None:
    await digital(steps)
    # of E-3 the first message went out before its payer wanted no more; so did that of E-5, whose
    # merchant prints nothing, and of E-2 and E-4 none did
    await steps.desk.issued(row_of("E-3", "2026-09"))
    await posted(steps, row_of("E-5", "2026-11"))
    assert await steps.desk.send_all() == 2
    await steps.desk.issued(row_of("E-2", "2026-08"))
    await posted(steps, row_of("E-4", "2026-10"))
    await steps.set("update slip_terms set is_offered = false")
    await steps.say("E-2", is_wanted=False)

    for day in (1, 2):
        await steps.set("update ladder set next_at = now() where ended = ''")
        await steps.at(FIRST_DAY + days(day))

    assert await untold(steps) == [("E-2", "opted_out"), ("E-4", "opted_out")]
    assert await steps.world.value("select sum(seen)::int from case_") == 2
    assert (await state(steps))[:2] == ("paper", "opted_out")
    printed = await wanted(steps)
    assert (printed["E-4"], printed["E-5"]) == ("opted_out", "opted_out")
    assert not {"E-2", "E-3"} & set(printed)


def row_of(number: str, period: str) -> str:
    """A bill of the contract in another month."""
    return line(number, contract_no="C-7", customer_no="0099", phone=PHONE, period=period)


async def untold(steps: Steps) -> list[tuple[str, str]]:
    """Number of each bill that nothing tells of, as its case says, and why."""
    rows = await steps.world.rows(
        "select b.number, c.params::json ->> 'reason' as reason from case_ c"
        " join bill b on b.id = c.subject_id where c.kind = 'bill_untold' order by 1"
    )
    return [(row["number"], row["reason"]) for row in rows]


async def in_file(steps: Steps, number: str, period: str, consent: str) -> None:
    """A bill of the contract whose row says that its payer agreed."""
    row = line(number, contract_no="C-7", customer_no="0099", phone=PHONE, period=period)
    header = f"{HEADER},postal_code,address,digital_consent,digital_consent_source"
    made = await steps.desk.upload(csv(f"{row},105-0001,東京都港区1-2-3,{consent}", header=header))
    await steps.desk.work_off()
    assert await steps.world.value("select count(*) from digital_event") == (number != "E-1")
    await steps.desk.decide(made.id)
    await steps.desk.work_off()


async def test_consent_in_a_file_counts_like_one_on_a_screen_once_its_bill_is_issued(
    steps: Steps,
) -> None:
    today = steps.desk.today
    await in_file(steps, "E-1", "2026-07", f"{today - days(40)},契約")

    assert (await state(steps))[0] == "parallel"
    assert await wanted(steps) == {"E-1": "parallel"}
    # said again month after month it is said once
    await in_file(steps, "E-2", "2026-08", f"{today - days(40)},契約")
    said = await steps.world.rows("select event, source, words, actor from digital_event")
    assert [tuple(row.values()) for row in said] == [
        ("agree", "contract", f"file {today - days(40)}", "system"),
    ]  # fmt: skip
    # and what is older than the payer's return to paper is no news
    await steer(steps, "E-2", "take_back", reason="asked")
    row = line("E-3", contract_no="C-7", customer_no="0099", phone=PHONE, period="2026-09")
    header = f"{HEADER},digital_consent"
    made = await steps.desk.upload(csv(f"{row},{today - days(1)}", header=header))
    await steps.desk.work_off()
    await steps.desk.decide(made.id)
    await steps.desk.work_off()
    assert (await state(steps))[:2] == ("paper", "asked")


async def test_two_at_once_move_a_contract_once(steps: Steps) -> None:
    await bill(steps, "E-1", period="2026-07")
    await bill(steps, "E-2", period="2026-08")

    said = await asyncio.gather(
        *(steer(steps, number, "agree") for number in ("E-1", "E-2", "E-1", "E-2")),
        return_exceptions=True,
    )

    assert all(one == "parallel" or isinstance(one, TryLater) for one in said)
    assert await steps.world.value("select count(*) from digital_event") == 1
    missing = SteerBilling(bill_id=BillId(UUID(int=9)), act="agree")
    with pytest.raises(NotFound):
        await steps.desk.web.call(STEER_BILLING, missing, steps.desk.staff)
