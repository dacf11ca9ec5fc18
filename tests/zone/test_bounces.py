"""Mails that come back: the token that left with a mail is the only way to speak of it."""

import email
import hashlib
import hmac
from email.policy import default
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from portal.application.doors.notices import ROUTES, NoticeKeys
from portal.application.providers import smtp
from portal.contract.bills import RESEND_MESSAGE, VIEW_BILL, ResendMessage, ViewBill
from portal.contract.message import SET_CHANNEL, RedeemedDelivery, SetChannel
from portal.contract.payment import RECORD_NOTICE, NoticeClaim, RecordNotice
from portal.domain.ids import BillId, to_public
from portal.egress.mime import make_mail
from portal.egress.submission import Submission
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.money import World
from tests.make.returned import complaint, report
from tests.make.vault import ClientFor

HOST = "smtp.provider.test"
SENDER = "noreply@bill.minato.example"


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    desk = await new_desk(vault, client_for)
    road = SetChannel(
        merchant_code=desk.code, channel="email", provider="smtp", sender=SENDER, share=100
    )
    await desk.operator.call(SET_CHANNEL, road)
    await desk.issued(
        line("E-1", email="taro@mail.example"), line("E-2", email="taro@mail.example")
    )
    await desk.send_all()
    return desk


async def mailed(desk: Desk, place: int = 0) -> tuple[BillId, RedeemedDelivery]:
    """One bill's mail, given out to the relay and taken by the server."""
    bill_id = sorted(row.id for row in (await desk.bills()).bills)[place]
    request = ResendMessage(bill_id=bill_id, channel="email", idempotency_key=desk.key())
    await desk.web.call(RESEND_MESSAGE, request, desk.staff)
    (leased,) = await desk.leases("message.send_chunk")
    (route,) = (await desk.report(leased)).deliveries
    (entry,) = (await desk.redeem(route.delivery_id, host=HOST)).deliveries
    await desk.report(leased, [result(route.delivery_id, "accepted")])
    return bill_id, entry


async def returned(desk: Desk, *mails: bytes, by: str = "smtp") -> None:
    """The mail server hands on what came back, as the door reads it."""
    for raw in mails:
        claims = smtp.NOTICES.parse(raw, {})
        notice = RecordNotice(merchant_code=desk.code, provider=by, raw=raw, claims=claims)
        await desk.web.call(RECORD_NOTICE, notice)


async def state(desk: Desk, delivery_id: UUID) -> str:
    world = World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)
    rows = await world.rows("select id, state from delivery where channel = 'email'")
    return {row["id"]: row["state"] for row in rows}[delivery_id]


async def ways(desk: Desk, bill_id: BillId) -> tuple[str, ...]:
    seen = await desk.web.call(VIEW_BILL, ViewBill(bill_id=bill_id), desk.staff)
    return seen.resend_channels


async def test_what_the_vault_gives_out_becomes_a_mail_with_its_way_back(desk: Desk) -> None:
    _, entry = await mailed(desk)

    values = {
        f"delivery:{name}": getattr(entry, name)
        for name in (
            "to",
            "body",
            "subject",
            "html",
            "sender",
            "sender_name",
            "return_token",
            "stop_url",
        )
    }
    ruled = Submission(from_domains=("bill.minato.example",), bounce_domain="bounce.minato.example")
    made = make_mail(ruled, values, entry.delivery_id, SystemClock().wall(), {})

    assert made.sender == f"bounce+{entry.return_token}@bounce.minato.example"
    assert len(made.sender.partition("@")[0]) <= 64
    mail = email.message_from_bytes(made.data, policy=default)
    assert (mail["to"], mail["from"].addresses[0].addr_spec) == ("taro@mail.example", SENDER)
    assert "みなと電力" in mail["subject"]


async def test_a_bounce_for_good_ends_writing_to_the_address_for_every_bill(desk: Desk) -> None:
    first, entry = await mailed(desk)
    other = next(row.id for row in (await desk.bills()).bills if row.id != first)
    assert await ways(desk, other) == ("sms", "email")

    raw = report(entry.return_token.upper())  # some servers on the way back change the letters
    await returned(desk, raw, raw)

    assert await state(desk, entry.delivery_id) == "failed"
    assert await ways(desk, first) == await ways(desk, other) == ("sms",)


async def test_a_full_mailbox_leaves_the_address_as_it_is(desk: Desk) -> None:
    bill_id, entry = await mailed(desk)

    await returned(desk, report(entry.return_token, action="delayed", status="4.2.2"))
    assert await state(desk, entry.delivery_id) == "accepted"
    await returned(desk, report(entry.return_token, status="4.4.7"))

    assert await state(desk, entry.delivery_id) == "undelivered"
    assert await ways(desk, bill_id) == ("sms", "email")


async def test_who_complains_has_read_the_mail_and_gets_no_other(desk: Desk) -> None:
    bill_id, entry = await mailed(desk)

    # The bounce domain's server can't tell by which road a mail went; its token does.
    road = SetChannel(
        merchant_code=desk.code, channel="email", provider="aws_ses", sender=SENDER, share=0
    )
    await desk.operator.call(SET_CHANNEL, road)
    await returned(desk, complaint(entry.return_token), by="aws_ses")

    assert await state(desk, entry.delivery_id) == "delivered"
    assert await ways(desk, bill_id) == ("sms",)


async def test_without_the_token_of_that_very_mail_nothing_moves(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    bill_id, entry = await mailed(desk)
    letters, _, mac = entry.return_token.partition(".")
    forged = [f"{letters}.{'0' * 24}", f"{'0' * 26}.{mac}", f"{letters}.{mac[:-1]}0"]
    if forged[-1] == entry.return_token:
        forged[-1] = f"{letters}.{mac[:-1]}1"
    await returned(desk, *(report(token) for token in forged))
    # Not even the delivery's own public name, which the application knows.
    claim = NoticeClaim(
        notice_id="n-1",
        subject="delivery",
        reference=to_public("delivery", entry.delivery_id),
        claim="bounced",
        at=None,
    )
    named = RecordNotice(merchant_code=desk.code, provider="smtp", raw=b"x", claims=(claim,))
    await desk.web.call(RECORD_NOTICE, named)
    # Nor the right token at another merchant's address.
    other = await new_desk(vault, client_for, "kawabe")
    road = SetChannel(
        merchant_code="kawabe", channel="email", provider="smtp", sender=SENDER, share=100
    )
    await other.operator.call(SET_CHANNEL, road)
    await returned(other, report(entry.return_token))

    assert await state(desk, entry.delivery_id) == "accepted"
    assert await ways(desk, bill_id) == ("sms", "email")


async def test_the_door_hears_no_mail_server_that_it_has_no_key_for(desk: Desk) -> None:
    _, entry = await mailed(desk)
    door = Starlette(routes=ROUTES)
    door.state.vault = desk.web
    raw = report(entry.return_token)
    now_s = int(SystemClock().wall().timestamp())
    mac = hmac.new(b"given", f"{now_s}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"x-harai-signature": f"t={now_s},v1={mac}"}
    transport = httpx.ASGITransport(door)
    statuses: list[int] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for keys in ({}, {"smtp": {desk.code: ("another",)}}, {"smtp": {desk.code: ("given",)}}):
            door.state.notice_keys = NoticeKeys(keys, SystemClock())
            taken = await client.post(f"/notices/smtp/{desk.code}", content=raw, headers=headers)
            statuses.append(taken.status_code)

    assert statuses == [400, 400, 200]
    assert await state(desk, entry.delivery_id) == "failed"
