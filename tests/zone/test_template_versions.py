"""A merchant's own words: written, looked at, approved by a second person, sent, and told of."""

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from portal.contract.bills import RESEND_MESSAGE, VIEW_BILL, ResendMessage, ViewBill
from portal.contract.envelope import Nothing
from portal.contract.message import REPORT_AND_NEXT, SET_CHANNEL, ReportAndNext, SetChannel
from portal.contract.sending import VIEW_SENDING, ViewSending
from portal.contract.template import (
    ASK_TEMPLATE,
    CHECK_TEMPLATE,
    DECIDE_TEMPLATE,
    LIST_TEMPLATES,
    PREVIEW_TEMPLATE,
    SAVE_TEMPLATE,
    SET_MESSAGE_PRICES,
    VIEW_TEMPLATE,
    AskTemplate,
    CheckTemplate,
    DecideTemplate,
    PreviewTemplate,
    SaveTemplate,
    SetMessagePrices,
    TemplateVersion,
    ViewTemplate,
)
from portal.domain.errors import (
    Conflict,
    Expired,
    InvalidInput,
    InvariantBroken,
    NotAllowed,
    NotFound,
)
from portal.domain.ids import ChunkId
from portal.domain.sms import UNITS_MAX
from portal.domain.template import TemplateChannel
from portal.domain.template_state import TemplateDecision
from portal.vault.server import VaultServer
from portal.vault.template import TemplateWords, read_version, store_version
from portal.vault.wording_tally import Tally, keep
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.refunds import Member, member
from tests.make.vault import ClientFor

GOOD = "{merchant}より {month}のご利用分 {amount} 番号末尾{last4} {due}まで\n{link}"
MAIL_HOST = "mail.sandbox.test"
OTHER = GOOD + "\nみなと窓口"


@dataclass
class Writers:
    """A merchant with a clerk who writes and two owners who may approve."""

    desk: Desk
    world: World
    clerk: Member
    owner: Member
    keys: list[int] = field(default_factory=list[int])

    def key(self) -> str:
        self.keys.append(0)
        return f"key-{len(self.keys)}"

    async def save(
        self,
        body: str = GOOD,
        *,
        old: TemplateVersion | None = None,
        by: Member | None = None,
        key: str | None = None,
        channel: TemplateChannel = "sms",
        subject: str = "",
    ) -> TemplateVersion:
        request = SaveTemplate(
            template_id=old.id if old else None,
            version=old.version if old else 0,
            channel=channel,
            language="ja",
            occasion="reminder" if channel == "email" else "first",
            subject=subject,
            body=body,
            idempotency_key=key or self.key(),
        )
        authority = (by or self.clerk).authority
        return (await self.desk.web.call(SAVE_TEMPLATE, request, authority)).template

    async def ask(self, draft: TemplateVersion, by: Member | None = None) -> TemplateVersion:
        request = AskTemplate(
            template_id=draft.id, version=draft.version, idempotency_key=f"ask-{draft.id}"
        )
        authority = (by or self.clerk).authority
        return (await self.desk.web.call(ASK_TEMPLATE, request, authority)).template

    async def decide(
        self,
        one: TemplateVersion,
        decision: TemplateDecision = "approve",
        by: Member | None = None,
        totp: str | None = None,
    ) -> TemplateVersion:  # fmt: skip
        who = by or self.owner
        if totp is None:
            await who.let_codes_be_fresh()
        request = DecideTemplate(
            template_id=one.id,
            decision=decision,
            totp=who.code() if totp is None else totp,
            idempotency_key=f"{decision}-{one.id}",
        )
        return (await self.desk.web.call(DECIDE_TEMPLATE, request, who.authority)).template

    async def in_force(self, body: str = GOOD) -> TemplateVersion:
        return await self.decide(await self.ask(await self.save(body)))

    async def sent(self, number: str, **cells: str) -> str:
        """The text that a new bill's payer gets."""
        await self.desk.issued(line(number, **cells))
        (leased,) = await self.desk.leases("message.send_chunk")
        wanted = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=1)
        [route] = (await self.desk.work.call(REPORT_AND_NEXT, wanted, leased.authority)).deliveries
        [given] = (await self.desk.redeem(route.delivery_id)).deliveries
        await self.desk.report(leased, [result(route.delivery_id, "accepted")])
        assert given.refused is None
        return given.body


@pytest.fixture
async def writers(vault: VaultServer, client_for: ClientFor) -> Writers:
    desk = await new_desk(vault, client_for)
    world = World(vault, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)
    clerk = await member(world, "ryo", "clerk")
    return Writers(desk, world, clerk, await member(world, "second"))


async def test_what_two_people_agreed_on_is_sent_and_the_timeline_names_it(
    writers: Writers,
) -> None:
    before = await writers.sent("E-1")
    draft = await writers.save()
    asked = await writers.ask(draft)
    still_before = await writers.sent("E-2")

    in_force = await writers.decide(asked)
    after = await writers.sent("E-3")

    assert (draft.state, draft.number, draft.choices) == ("draft", 1, ("edit", "ask", "withdraw"))
    assert (asked.state, asked.choices) == ("asked", ("withdraw",))
    assert (in_force.state, in_force.choices) == ("in_force", ("retire",))
    assert "【みなと電力】2026年11月分のご請求 8,420円" in before
    assert "【みなと電力】2026年11月分のご請求 8,420円" in still_before
    assert after.startswith("みなと電力より 2026年11月分のご利用分 8,420円 番号末尾")
    [newest] = [row for row in (await writers.desk.bills()).bills if row.number == "E-3"]
    seen = await writers.desk.web.call(VIEW_BILL, ViewBill(bill_id=newest.id), writers.desk.staff)
    told = [event.params for event in seen.events if event.code == "message.accepted"]
    assert [params.get("template") for params in told] == [1]


async def test_a_mail_is_worded_by_what_was_approved_and_comes_whole_from_its_road(
    writers: Writers,
) -> None:
    desk = writers.desk
    mail = SetChannel(
        merchant_code="minato", channel="email", provider="sandbox_mail",
        sender="bill@minato.example", share=100,
    )  # fmt: skip
    await desk.operator.call(SET_CHANNEL, mail)
    await desk.issued(line("E-1", email="taro@mail.example"))
    await desk.send_all()
    [bill] = (await desk.bills()).bills
    subject, body = "{merchant} {month}の件", GOOD + "\n{proof}\n{stop}"
    with pytest.raises(InvalidInput, match="template_faulty"):
        await writers.save(GOOD, channel="email", subject=subject)
    with pytest.raises(InvalidInput, match="template_faulty"):
        await writers.save(body, channel="email", subject=subject + "\nBcc: x")
    with pytest.raises(InvalidInput, match="subject_unknown"):
        await writers.save(GOOD, subject=subject)
    draft = await writers.save(body, channel="email", subject=subject)
    in_force = await writers.decide(await writers.ask(draft))
    request = PreviewTemplate(
        channel="email", language="ja", occasion="reminder", subject=subject, body=body, first=5
    )
    [shown] = (await desk.web.call(PREVIEW_TEMPLATE, request, writers.clerk.authority)).texts
    resend = ResendMessage(bill_id=bill.id, channel="email", idempotency_key="again")
    await desk.web.call(RESEND_MESSAGE, resend, desk.staff)
    (leased,) = await desk.leases("message.send_chunk")
    wanted = ReportAndNext(chunk_id=ChunkId(leased.subject_id), results=(), take=1)
    [route] = (await desk.work.call(REPORT_AND_NEXT, wanted, leased.authority)).deliveries

    [given] = (await desk.redeem(route.delivery_id, host=MAIL_HOST)).deliveries

    await desk.report(leased, [result(route.delivery_id, "accepted")])
    assert (in_force.subject, in_force.state) == (subject, "in_force")
    assert (given.refused, given.subject) == (None, "みなと電力 2026年11月分の件")
    assert given.subject == shown.subject
    assert given.body.startswith("みなと電力より 2026年11月分のご利用分 8,420円 番号末尾")
    assert given.body.count("/p/minato/") == given.body.count("/stop/minato/") == 1
    assert f'<a href="{given.stop_url}">' in given.html
    assert "/p/minato/" + "x" * 22 in shown.html
    seen = await desk.web.call(VIEW_BILL, ViewBill(bill_id=bill.id), desk.staff)
    told = [event.params for event in seen.events if event.code == "message.accepted"]
    assert sorted(params.get("template", 0) for params in told) == [0, 1]


async def test_a_language_without_own_words_and_one_taken_back_say_what_is_built_in(
    writers: Writers,
) -> None:
    one = await writers.in_force()

    english = await writers.sent("E-1", language="en")
    retired = await writers.decide(one, "retire")
    after = await writers.sent("E-2")

    assert english.startswith("みなと電力: Nov 2026 bill JPY 8,420, no. ending")
    assert retired.state == "superseded"
    assert "【みなと電力】2026年11月分のご請求" in after


async def test_a_newer_version_takes_the_place_of_the_one_before(writers: Writers) -> None:
    first = await writers.in_force()
    second = await writers.in_force(OTHER)

    record = await writers.desk.web.call(
        VIEW_TEMPLATE, ViewTemplate(template_id=second.id), writers.clerk.authority
    )
    listed = await writers.desk.web.call(LIST_TEMPLATES, Nothing(), writers.clerk.authority)

    assert (second.number, second.state) == (2, "in_force")
    assert [(one.id, one.state) for one in record.others] == [(first.id, "superseded")]
    assert [one.id for one in listed.templates] == [second.id]
    assert (await writers.sent("E-1")).endswith("\nみなと窓口")


async def test_only_an_owner_who_did_not_ask_approves_in_time_and_by_a_code(
    writers: Writers,
) -> None:
    by_owner = await writers.ask(await writers.save(by=writers.owner), writers.owner)
    by_clerk = await writers.ask(await writers.save(OTHER))

    with pytest.raises(NotAllowed, match="approver_is_asker"):
        await writers.decide(by_owner)
    with pytest.raises(NotAllowed, match="not_allowed"):
        await writers.decide(by_owner, by=writers.clerk)
    with pytest.raises(NotAllowed, match="totp_refused"):
        await writers.decide(by_clerk, totp="000000")
    with pytest.raises(NotAllowed, match="not_allowed"):
        await writers.decide(by_owner, "withdraw", by=writers.clerk)
    assert (await writers.decide(by_owner, "withdraw")).state == "withdrawn"
    async with writers.world.act() as act:
        await act.db.execute("update approval set expires_at = asked_at")
    with pytest.raises(Expired, match="approval_expired"):
        await writers.decide(by_clerk)
    refused = await writers.decide(by_clerk, "refuse")

    assert refused.state == "refused"
    with pytest.raises(Conflict, match="template_state"):
        await writers.decide(refused, "withdraw")
    assert "のご請求" in await writers.sent("E-1")


async def test_words_that_were_asked_for_stand_still_and_a_stale_hand_changes_nothing(
    writers: Writers,
) -> None:
    draft = await writers.save()
    changed = await writers.save(OTHER, old=draft)

    with pytest.raises(Conflict, match="template_changed"):
        await writers.save("late " + GOOD, old=draft)
    with pytest.raises(Conflict, match="template_changed"):
        await writers.ask(draft)
    asked = await writers.ask(changed)
    with pytest.raises(Conflict, match="template_state"):
        await writers.save(GOOD, old=asked)
    async with writers.world.act() as act:
        await act.db.execute("update approval set content = '\\x00'")
    with pytest.raises(Conflict, match="approval_differs"):
        await writers.decide(asked)

    assert (changed.body, changed.number, changed.version) == (OTHER, 1, 2)


async def test_a_text_with_errors_is_neither_stored_nor_previewed(writers: Writers) -> None:
    for body in ("", "停止します " + GOOD, GOOD + " bit.ly/x", GOOD.replace("{amount}", "")):
        with pytest.raises(InvalidInput, match="template_faulty"):
            await writers.save(body)
        with pytest.raises(InvalidInput, match="template_faulty"):
            await writers.desk.web.call(
                PREVIEW_TEMPLATE,
                PreviewTemplate(channel="sms", language="ja", occasion="first", body=body, first=3),
                writers.clerk.authority,
            )
    with pytest.raises(InvalidInput, match="text_too_long"):
        await writers.save(GOOD + "長" * 700)
    with pytest.raises(InvalidInput, match="card_number_refused"):
        await writers.save(GOOD + " 4242 4242 4242 4242")
    listed = await writers.desk.web.call(LIST_TEMPLATES, Nothing(), writers.clerk.authority)

    assert listed.templates == ()


async def test_a_preview_shows_real_bills_with_a_link_that_leads_nowhere(
    writers: Writers,
) -> None:
    await writers.desk.issued(line("E-1"), line("E-2", amount="1200"), line("E-3", language="en"))
    request = PreviewTemplate(channel="sms", language="ja", occasion="first", body=GOOD, first=5)

    found = await writers.desk.web.call(PREVIEW_TEMPLATE, request, writers.clerk.authority)

    assert [(one.bill_number, one.is_own) for one in found.texts] == [("E-2", True), ("E-1", True)]
    assert "1,200円" in found.texts[0].text
    assert all(one.text.endswith("/p/minato/" + "x" * 22) for one in found.texts)
    assert not any("髙橋" in one.text or "高橋" in one.text for one in found.texts)


async def test_a_look_at_a_text_counts_parts_and_the_company_s_price(writers: Writers) -> None:
    prices = tuple(range(300, 3_300, 300))
    await writers.desk.operator.call(
        SET_MESSAGE_PRICES,
        SetMessagePrices(
            merchant_code="minato", channel="sms", provider="sandbox_sms", prices=prices
        ),
    )
    request = CheckTemplate(
        channel="sms", language="ja", occasion="first", body=GOOD + " 至急 " + "長" * 100
    )

    checked = await writers.desk.web.call(CHECK_TEMPLATE, request, writers.clerk.authority)

    assert [finding.code for finding in checked.findings] == ["segments_many", "urgent_words"]
    assert checked.is_fit
    assert checked.sender == "0005123456"
    assert checked.size.price == 300 * checked.size.segments
    with pytest.raises(InvalidInput, match="message_prices"):
        await writers.desk.operator.call(
            SET_MESSAGE_PRICES,
            SetMessagePrices(merchant_code="minato", channel="sms", provider="x", prices=(1,) * 11),
        )


async def test_the_same_key_does_it_once_and_another_text_under_it_is_refused(
    writers: Writers,
) -> None:
    first = await writers.save(key="k")
    again = await writers.save(key="k")
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await writers.save(OTHER, key="k")
    asked = await writers.ask(first)
    assert await writers.ask(first) == asked
    done = await writers.decide(asked)

    repeated = await writers.decide(asked, totp="000000")

    assert again.id == first.id
    assert repeated.state == done.state == "in_force"
    count = await writers.world.value("select count(*) from message_template")
    assert count == 1


async def test_of_two_approvals_at_once_one_version_is_in_force_at_the_end(
    writers: Writers,
) -> None:
    third = await member(writers.world, "third")
    first = await writers.ask(await writers.save())
    second = await writers.ask(await writers.save(OTHER))

    done = await asyncio.gather(writers.decide(first), writers.decide(second, by=third))

    assert [one.state for one in done] == ["in_force", "in_force"]
    rows = await writers.world.rows("select state from message_template")
    assert sorted(row["state"] for row in rows) == ["in_force", "superseded"]


async def test_the_database_lets_nothing_come_into_force_that_one_person_decided(
    writers: Writers,
) -> None:
    await writers.ask(await writers.save())

    with pytest.raises(InvariantBroken, match="database_refused"):
        async with writers.world.act() as act:
            await act.db.execute(
                "update message_template set state = 'in_force', decided_by = asked_by"
            )


async def test_another_merchant_s_version_is_not_found(
    writers: Writers, vault: VaultServer, client_for: ClientFor
) -> None:
    other = await new_desk(vault, client_for, "hoshi")
    draft = await writers.save()

    with pytest.raises(NotFound):
        await other.web.call(VIEW_TEMPLATE, ViewTemplate(template_id=draft.id), other.staff)


async def test_words_that_do_not_fit_are_counted_and_staff_hear_of_them_once_a_day(
    writers: Writers,
) -> None:
    # given: words that fit, and then, as if a release had let them in that looked less closely,
    # words that are too long
    version = await writers.in_force()
    assert "みなと電力より" in await writers.sent("E-1")
    async with writers.world.act() as act:
        long = TemplateWords("み" * (UNITS_MAX - len(GOOD)) + GOOD)
        await store_version(act, replace(await read_version(act, version.id), words=long))

    # when
    made = await writers.desk.issued(*(line(f"F-{number}") for number in range(4)))
    (leased,) = await writers.desk.leases("message.send_chunk")
    part = await writers.desk.report(leased)
    given = await writers.desk.redeem(*(route.delivery_id for route in part.deliveries))

    # then: every payer is told all the same, screens count, and staff have a case
    assert not any(one.refused or "みなと電力より" in one.body for one in given.deliveries)
    ask = ViewSending(import_id=made.id)
    assert (await writers.desk.web.call(VIEW_SENDING, ask, writers.desk.staff)).unfit == 4
    listed = await writers.desk.web.call(LIST_TEMPLATES, Nothing(), writers.clerk.authority)
    assert [(one.told, one.unfit) for one in listed.templates] == [(5, 4)]
    look = ViewTemplate(template_id=version.id)
    record = await writers.desk.web.call(VIEW_TEMPLATE, look, writers.clerk.authority)
    assert (record.template.told, record.template.unfit) == (5, 4)
    assert await writers.world.cases() == ["wording_unfit"]

    # the same day they hear no more of it, and of a few odd bills among many nothing
    seen = "select seen from case_"
    async with writers.world.act() as act:
        await keep(act, tally(version.id, told=3, unfit=3))
        before = await act.db.fetchval(seen)
        await keep(act, tally(version.id, told=3, unfit=3))
        assert await act.db.fetchval(seen) == before
        yesterday = "update case_ set params = jsonb_set(params, '{day}', '\"2020-01-01\"')"
        await act.db.execute(yesterday)
        await keep(act, tally(UUID(int=7), told=150, unfit=3))
        await keep(act, tally(UUID(int=8), told=2, unfit=2))
        assert await act.db.fetchval(seen) == before
        await keep(act, tally(UUID(int=7), told=1, unfit=1))
        assert await act.db.fetchval(seen) == before + 1


def tally(template_id: UUID, *, told: int, unfit: int) -> Tally:
    """A slice of a chunk of its own, in which so many were worded."""
    made = Tally()
    chunk_id = UUID(int=told * 1_000 + unfit)
    for number in range(told):
        made.add(UUID(int=number), chunk_id, template_id, is_own=number >= unfit)
    return made
