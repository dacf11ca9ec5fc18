"""Calls from the button to the keypad: real vault, real relay, a company that asks what to say.

What is tried here of ``answer_call`` and ``record_call``: each step twice, out of order, forged.
"""

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from portal.application.doors.calls import ROUTES
from portal.application.doors.notices import NoticeKeys
from portal.application.providers.twilio.signature import read_fields, sign
from portal.contract.bills import VIEW_BILL, ViewBill
from portal.contract.ladder import SET_LADDER, SetLadder
from portal.contract.template import TRY_TEMPLATE, TryTemplate
from portal.domain.errors import Conflict
from portal.domain.ladder_plan import write_plan
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.calls import (
    ask_for_call,
    bills_by_phone,
    called,
    delivery_ends,
    have_calls,
    newest_call,
)
from tests.make.ladder import NEVER_QUIET
from tests.make.own_calls import have_wording
from tests.make.vault import Ground
from tests.make.workshop import MERCHANT, ORIGIN, TEL_KEY, Workshop, a_workshop

SENDING = {"message.send_chunk"}


@pytest.fixture
async def shop(ground: Ground, vault: VaultServer) -> AsyncGenerator[Workshop]:
    del vault
    async with a_workshop(ground) as made:
        operator = await ground.client("operator")
        await operator.call(
            SET_LADDER, SetLadder(merchant_code=MERCHANT, plan=write_plan(NEVER_QUIET))
        )
        await have_calls(operator, "voice")
        await have_calls(operator, "sms")
        yield made


class Company:
    """Somebody who posts to the door of calls, and may have the key."""

    def __init__(self, shop: Workshop) -> None:
        door = Starlette(routes=ROUTES)
        door.state.vault = shop.web
        keys = {"sandbox_tel": {MERCHANT: (TEL_KEY,), "other": (TEL_KEY,)}}
        door.state.notice_keys = NoticeKeys(keys, SystemClock(), ORIGIN)
        self._transport = httpx.ASGITransport(door)

    async def post(
        self, address: str, *, key: str | None = TEL_KEY, at: str = "", **fields: str
    ) -> tuple[int, str]:
        """Status and words; signed for ``at``, or for the address that it goes to."""
        raw = urlencode({"CallStatus": "in-progress", **fields})
        signed = sign(at or address, read_fields(raw.encode()) or (), key or "")
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if key is not None:
            headers["x-twilio-signature"] = signed
        async with httpx.AsyncClient(transport=self._transport, base_url=ORIGIN) as client:
            answer = await client.post(address.removeprefix(ORIGIN), content=raw, headers=headers)
        return answer.status_code, answer.text


async def strangers_are_refused(company: Company, url: str, ref: str) -> None:
    """Nobody without the key, at another address, for another merchant or call."""
    for refused in (
        await company.post(url, key=None, CallSid=ref),
        await company.post(url, key="guessed", CallSid=ref),
        await company.post(url, at=url.replace("http:", "https:"), CallSid=ref),
        await company.post(url.replace(f"/{MERCHANT}/", "/nobody/"), CallSid=ref),
    ):
        assert refused == (400, "signature_invalid")
    assert (await company.post(f"{url[:-1]}_", CallSid=ref))[0] == 404
    assert (await company.post(url.replace(f"/{MERCHANT}/", "/other/"), CallSid=ref))[0] == 404
    assert (await company.post(url.replace("sandbox_tel", "sandbox_sms"), CallSid=ref))[0] == 404


async def one_call_and_one_link_are_left(shop: Workshop, phone: str) -> None:
    """The first message, the call, the link that was asked for; and the payer's word."""
    await shop.work_off(SENDING)
    rows = await shop.rows("select channel, state, code from delivery order by id")
    assert [row["channel"] for row in rows] == ["sms", "voice", "sms"]
    assert rows[1] == {"channel": "voice", "state": "delivered", "code": "call_told"}
    texts = [text for text in shop.texts() if text["recipient"] == "+81" + phone[1:]]
    assert ["/p/minato/" in text["body"] for text in texts] == [True, True]
    (choice,) = await shop.rows("select channel, is_wanted, source from contact_choice")
    assert choice == {"channel": "voice", "is_wanted": False, "source": "telephone"}


async def test_a_payer_proves_who_they_are_and_nobody_else_moves_the_call(shop: Workshop) -> None:
    phone = "09012340001"
    bills = await bills_by_phone(shop, [phone])
    telephone = await called(shop, phone, bills[phone])
    company = Company(shop)
    url, ref = telephone.call["url"], telephone.call["id"]
    await strangers_are_refused(company, url, ref)

    greeting = await telephone.do("answer")
    assert "みなと電力" in greeting
    assert "8420" not in greeting + await telephone.do("keys", "1")
    assert (await company.post(url, CallSid="CAother"))[0] == 404
    asked = await company.post(url, CallSid=ref)
    for step, digits in (("0", "1"), ("7", phone[-4:]), ("0", "9")):
        assert await company.post(f"{url}/{step}", CallSid=ref, Digits=digits) == asked
    assert (await company.post(f"{url}/-1", CallSid=ref, Digits="1"))[0] == 404
    assert "違います" in await telephone.do("keys", "9999")
    assert "8420" not in (await company.post(f"{url}/1", CallSid=ref, Digits=phone[-4:]))[1]
    facts = await telephone.do("keys", phone[-4:])
    assert all(fact in facts for fact in ("2026年11月分", "8420円", "1月31日"))
    assert "山田" not in facts
    two = [company.post(f"{url}/3", CallSid=ref, Digits="1") for _ in range(2)]
    first, second = await asyncio.gather(*two)
    assert first == second
    sent = await telephone.do("keys", "1")
    assert "この番号にSMSで送ります" in first[1]
    assert await telephone.do("keys", "1") == sent
    assert await telephone.do("keys", "2") == facts
    assert "今後" in await telephone.do("keys", "9")

    assert await telephone.until_over() == "completed"
    assert await delivery_ends(shop, bills[phone], "delivered") == "call_told"
    for status in ("completed", "no-answer", "failed"):
        told = await company.post(f"{url}/status", CallSid=ref, CallStatus=status)
        assert told == (200, "")
    late = await company.post(f"{url}/6", CallSid=ref, Digits="2")
    assert "8420" not in late[1]
    with pytest.raises(Conflict, match="calls_stopped"):
        await ask_for_call(shop, bills[phone])
    await one_call_and_one_link_are_left(shop, phone)


GREETING = "いつもありがとうございます。{merchant}の佐藤です。"
ENGLISH = "update bill set language = 'en'"
TOLD = "{month}は{amount} 、\n{due}までにお願いします。"


async def test_a_call_says_the_words_it_was_bound_to_until_its_end_and_the_next_one_others(
    shop: Workshop, ground: Ground, vault: VaultServer
) -> None:
    phones = ["09012340001", "09012340002", "09012340006"]
    bills = await bills_by_phone(shop, phones)
    wording = await have_wording(shop, ground, vault)
    await wording.in_force(GREETING, TOLD)
    first = await called(shop, phones[0], bills[phones[0]])
    company, url, ref = Company(shop), first.call["url"], first.call["id"]

    greeting = await first.do("answer")
    said = await company.post(url, CallSid=ref)
    second = await wording.in_force(GREETING + "&お知らせ", TOLD)

    assert greeting.startswith("いつもありがとうございます。みなと電力の佐藤です。")
    assert "今後この電話が不要なら9を押してください" in greeting
    assert await company.post(url, CallSid=ref) == said
    assert "お客さま番号の最後の4けた" in await first.do("keys", "1")
    facts = await first.do("keys", phones[0][-4:])
    assert "2026年11月分は8420円 、" in facts
    assert "1月31日までにお願いします。" in facts
    assert "お支払い期限は" not in facts
    assert await first.do("keys", "2") == facts

    next_one = await called(shop, phones[1], bills[phones[1]])
    assert "佐藤です。&お知らせ" in await next_one.do("answer")
    await wording.decide(second, "retire")
    repeated = await company.post(next_one.call["url"], CallSid=next_one.call["id"])
    assert "佐藤です。&amp;お知らせ" in repeated[1]
    await shop.rows(f"{ENGLISH} where id = '{bills[phones[1]]}' returning id")
    assert "automatic call from みなと電力" in await next_one.do("keys", "5")
    last = await called(shop, phones[2], bills[phones[2]])
    assert (await last.do("answer")).startswith("こちらはみなと電力の自動音声です。")
    seen = await shop.web.call(VIEW_BILL, ViewBill(bill_id=bills[phones[0]]), shop.staff)
    told = [one.params for one in seen.events if one.code == "message.accepted"]
    # By day in Japan an SMS has gone as well.
    spoken = [one.get("template") for one in told if one["channel"] == "voice"]
    assert spoken == [1]


async def test_a_trial_s_call_says_the_words_one_way_and_forgets_them_when_it_is_over(
    shop: Workshop,
) -> None:
    def tried(phone: str) -> TryTemplate:
        return TryTemplate(
            channel="voice", language="ja", occasion="first", subject=GREETING, body=TOLD,
            phone=phone, idempotency_key=f"try {phone}",
        )  # fmt: skip

    await shop.issued(["09012340001"])
    with pytest.raises(Conflict, match="trial_to_payer"):
        await shop.web.call(TRY_TEMPLATE, tried("090-1234-0001"), shop.staff)
    for _ in range(2):
        await shop.web.call(TRY_TEMPLATE, tried("03-9999-0000"), shop.staff)
    await shop.work_off(SENDING)
    telephone, company = newest_call(shop, "0399990000"), Company(shop)
    url, ref = telephone.call["url"], telephone.call["id"]

    assert await shop.rows("select state from message_trial") == [{"state": "accepted"}]
    assert (await company.post(f"{url[:-1]}_", CallSid=ref))[0] == 404
    words = (await company.post(url, CallSid=ref))[1]
    assert words == (await company.post(f"{url}/0", CallSid=ref, Digits="9"))[1]
    said = await telephone.do("answer")
    assert await telephone.until_over() == "completed"
    over = await company.post(f"{url}/status", CallSid=ref, CallStatus="completed")

    assert said.startswith("【テスト】いつもありがとうございます。みなと電力の佐藤です。")
    assert "2026年11月分は8420円 、" in said
    assert "押してください" not in said + words
    assert words.endswith("<Hangup/></Response>")
    assert over == await company.post(f"{url}/status", CallSid=ref, CallStatus="completed")
    assert over == (200, "")
    assert (await company.post(url, CallSid=ref))[0] == 404
    assert await shop.rows("select words from message_trial") == [{"words": None}]
    assert await shop.rows("select id from delivery where channel = 'voice'") == []
    assert await shop.rows("select id from phone_call") == []


ENDS = {
    "09012340002": ("delivered", "receipt_delivered", "undelivered", "call_unheard"),
    "0312345678": ("left_out", "no_contact", "delivered", "call_told"),
    "09000000486": ("delivered", "receipt_delivered", "undelivered", "call_busy"),
    "09000000408": ("delivered", "receipt_delivered", "undelivered", "call_no_answer"),
    "09000000777": ("delivered", "receipt_delivered", "undelivered", "call_machine"),
    "09000000500": ("delivered", "receipt_delivered", "undelivered", "call_failed"),
    "09000000604": ("delivered", "receipt_delivered", "failed", "call_number_wrong"),
    "09000000404": ("failed", "number_unknown", "failed", "number_unknown"),
    "09000000999": ("delivered", "receipt_delivered", "delivered", "call_stopped"),
    "09012340005": ("delivered", "receipt_delivered", "delivered", "call_stopped"),
    "09000030003": ("undelivered", "receipt_undelivered", "undelivered", "call_unproven"),
    "09000030005": ("failed", "receipt_bounced", "undelivered", "call_busy"),
    "09000030007": ("failed", "receipt_failed", "undelivered", "call_no_answer"),
    "09000021610": ("failed", "recipient_opted_out", "undelivered", "call_unheard"),
}
"""Telephone → how its text message ends, and its call after what is done below."""
PAID = "update bill set settlement = 'settled'"
NO_MORE = """
select l.next_at <= c.at as is_soon from contact_choice c
join bill b on b.phone_blind = c.contact join ladder l on l.bill_id = b.id
"""


async def test_each_way_in_which_texts_and_calls_end_is_known_and_judges_its_number(
    shop: Workshop,
) -> None:
    bills = await bills_by_phone(shop, list(ENDS))
    for bill_id in bills.values():
        await ask_for_call(shop, bill_id)
    await shop.work_off(SENDING)

    for phone, acts in {
        "09012340002": ("answer", "silence", "silence"),
        "0312345678": ("answer", "keys 1", "keys 5678", "keys 1", "hang_up"),
        "09000000999": ("answer", "keys 9"),
        "09012340005": ("answer", "paid", "keys 9"),
        "09000030003": ("answer", *["keys 1", *["keys 0000"] * 3]),
        "09000030005": ("hang_up",),
        "09000030007": ("ring_out",),
        "09000021610": ("answer", "hang_up"),
    }.items():
        telephone = newest_call(shop, phone)
        for act in acts:
            name, _, keys = act.partition(" ")
            if name == "paid":
                bill_id = bills[phone]
                await shop.rows(f"{PAID} where id = '{bill_id}' returning id")
            else:
                await telephone.do(name, keys)
        if phone == "0312345678":
            assert [one["text"] for one in telephone.call["log"]][-1].startswith("この番号には")
    machine = newest_call(shop, "09000000777")
    await machine.until_over()
    assert "8420" not in machine.heard

    for phone, (state, code, call_state, call_code) in ENDS.items():
        assert (phone, await delivery_ends(shop, bills[phone], call_state)) == (phone, call_code)
        assert await delivery_ends(shop, bills[phone], state, "sms") == code
    # No more calls is a word about all bills, also while this one is paid; and what reaches the
    # payer now is asked at once.
    assert await shop.rows(NO_MORE) == [{"is_soon": True}] * 2
    faults = await shop.rows("select channel, code from contact_fault order by channel, code")
    assert [tuple(row.values()) for row in faults] == [
        ("sms", "bounced"), ("sms", "bounced"), ("sms", "complained"),
        ("voice", "bounced"), ("voice", "bounced"),
    ]  # fmt: skip
    seen = ViewBill(bill_id=bills["09000000604"])
    assert (await shop.web.call(VIEW_BILL, seen, shop.staff)).resend_channels == ("sms",)
    with pytest.raises(Conflict, match="contact_faulty"):
        await ask_for_call(shop, bills["09000000604"])
