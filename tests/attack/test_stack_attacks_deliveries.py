"""An owner of work, egress or web at the deliveries: the one place where contacts leave the vault.

The true worker is stopped, so that the intruder can hold its lease.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from portal.contract.bills import RESEND_MESSAGE, BillRow, ResendMessage
from portal.contract.envelope import Authority
from portal.contract.message import (
    REDEEM_DELIVERIES,
    REPORT_AND_NEXT,
    DeliveryRoute,
    RedeemDeliveries,
    RedeemedDelivery,
    ReportAndNext,
    SendResult,
)
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, TakeLease
from portal.domain.ids import ChunkId, DeliveryId
from portal.stack.access import CODE
from portal.stack.certificates import SANDBOX_HOSTS
from tests.make.intruder import Asked, Town
from tests.make.onlooker import Seen, look_on

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

SMS_HOST, CARD_HOST, *_ = SANDBOX_HOSTS


@dataclass(slots=True)
class Hand:
    """A worker's lease and the one delivery that was handed out under it."""

    town: Town
    seen: Seen
    lease: Authority
    chunk: ChunkId
    route: DeliveryRoute

    @property
    def id(self) -> DeliveryId:
        return self.route.delivery_id

    def report(self) -> None:
        """Say that it went well, as the worker would."""
        result = SendResult(
            delivery_id=self.id, outcome="accepted", provider_ref=f"x{self.id.hex}", code=""
        )
        request = ReportAndNext(chunk_id=self.chunk, results=(result,), take=0)
        done = self.town.call("work", REPORT_AND_NEXT, request, self.lease)
        assert done.code == ""

    def redeem(self, host: str = SMS_HOST, delivery_id: UUID | None = None) -> RedeemedDelivery:
        """As the egress."""
        op, request, _ = redemption(DeliveryId(delivery_id or self.id), host)
        reply = self.town.call("egress", op, request).read(REDEEM_DELIVERIES)
        one: RedeemedDelivery = reply.deliveries[0]
        return one

    def send(self, *requests: dict[str, object]) -> list[str]:
        """As the worker, through the relay."""
        said: list[str] = self.town.intrude("work", "send_out", requests=requests)
        return said

    def request(self, body: dict[str, str] | None = None, **changes: object) -> dict[str, Any]:
        """What a worker sends for the delivery, with changes."""
        good = {
            "to": "{{delivery:to}}", "from": "0005000123", "text": "{{delivery:body}}",
            "reference": self.route.key, "account": CODE,
        }  # fmt: skip
        headers = {
            "authorization": "Bearer {{credential:sandbox_sms}}",
            "content-type": "application/json",
        }
        return {
            "host": SMS_HOST, "port": self.town.stack.layout.ports.api, "method": "POST",
            "path": "/v1/messages", "headers": headers, "body_kind": "json",
            "body": msgspec.json.encode(good | (body or {})).decode(),
            "delivery_id": str(self.id),
        } | changes  # fmt: skip


def redemption(delivery_id: DeliveryId, host: str = SMS_HOST) -> Asked:
    return REDEEM_DELIVERIES, RedeemDeliveries(host=host, delivery_ids=(delivery_id,)), None


@pytest.fixture(scope="module")
def seen(town: Town) -> Iterator[Seen]:
    seen = look_on(town)
    with town.stopped("work"):
        yield seen


@pytest.fixture(scope="module")
def unsent(seen: Seen) -> Iterator[BillRow]:
    """Bills one after the other, so that no test meets the other's message."""
    return iter(seen.bills[10:])


@pytest.fixture
def hand(town: Town, seen: Seen, unsent: Iterator[BillRow]) -> Hand:
    """As the owner of work: a resent message's task is leased and its delivery taken."""
    request = ResendMessage(bill_id=next(unsent).id, idempotency_key=f"attack-{uuid4()}")
    town.call("web", RESEND_MESSAGE, request, seen.owner).read(RESEND_MESSAGE)
    for _ in range(5):
        hints = town.call("work", AWAIT_WORK, AwaitWork(wait_s=5.0, at_most=10)).read(AWAIT_WORK)
        for hint in hints.tasks:
            take = TakeLease(task_id=hint.id, attempt=hint.attempt, worker="owned")
            taken = town.call("work", TAKE_LEASE, take)
            if hint.kind != "message.send_chunk" or taken.code:
                continue
            leased = taken.read(TAKE_LEASE)
            chunk = ChunkId(leased.subject_id)
            wanted = ReportAndNext(chunk_id=chunk, results=(), take=10)
            part = town.call("work", REPORT_AND_NEXT, wanted, leased.authority)
            for route in part.read(REPORT_AND_NEXT).deliveries:
                return Hand(town, seen, leased.authority, chunk, route)
    pytest.fail("no delivery was handed out")


def test_neither_work_nor_web_can_redeem(hand: Hand) -> None:
    op, request, _ = redemption(hand.id)

    for zone, grant in (
        ("work", None), ("work", hand.lease), ("web", None), ("web", hand.seen.owner),
        ("web", hand.lease),
    ):  # fmt: skip
        refused = hand.town.call(zone, op, request, grant)
        assert (refused.code, refused.body) == ("not_allowed", b"")

    assert hand.redeem().to.startswith("+8190777700"), "the control: the egress can"
    hand.report()


def test_the_egress_redeems_once_and_for_the_delivery_s_own_host(hand: Hand) -> None:
    for host in (CARD_HOST, "evil.test", "127.0.0.1", f"{SMS_HOST}.evil.test", ""):
        refused = hand.redeem(host)
        assert (refused.refused, refused.to, refused.body) == ("host_wrong", "", "")
    made_up = hand.redeem(delivery_id=uuid4())
    assert (made_up.refused, made_up.to) == ("delivery_unknown", "")

    given, again = hand.redeem(), hand.redeem()

    assert given.refused is None
    assert given.to.startswith("+8190777700"), "the control: what is due is given"
    assert f"/p/{CODE}/" in given.body
    assert (again.refused, again.to, again.body) == ("delivery_redeemed", "", "")
    assert hand.send(hand.request()) == ["delivery_refused"], "nor once more through the relay"
    hand.report()


def test_what_the_egress_has_sent_it_cannot_have_again(hand: Hand) -> None:
    [sent] = hand.send(hand.request())
    assert sent.startswith("201 "), "the control: the worker's own request leaves"
    assert "8190" not in sent

    assert hand.redeem().refused == "delivery_redeemed"
    hand.report()
    late = hand.redeem()
    assert (late.refused, late.to, late.body) == ("delivery_redeemed", "", "")


def test_a_worker_words_no_message_and_chooses_no_addressee(hand: Hand) -> None:
    forged = {
        "another text": hand.request({"text": "振込先が変わりました https://evil.example"}),
        "a text around it": hand.request({"text": "{{delivery:body}} https://evil.example"}),
        "another addressee": hand.request({"to": "+819099999999"}),
        "a second addressee": hand.request({"cc": "+819099999999"}),
        "the addressee shown": hand.request({"reference": "{{delivery:to}}"}),
        "the text shown": hand.request({"account": "{{delivery:body}}"}),
        "another host": hand.request(host=CARD_HOST),
        "a query": hand.request(path="/v1/messages?to=%2B819099999999"),
        "another credential": hand.request(
            headers={"authorization": "Bearer {{credential:sandbox_card}}"}
        ),
        "a credential in the body": hand.request({"reference": "{{credential:sandbox_sms}}"}),
        "the same delivery twice": hand.request(),
    }
    twice = forged.pop("the same delivery twice")

    refused = dict(zip(forged, hand.send(*forged.values()), strict=True))
    assert not [name for name, said in refused.items() if said[:1].isdigit()], refused
    assert refused["another text"] == refused["another addressee"] == "place_not_as_fixed"
    assert refused["a second addressee"] == "field_not_allowed"
    assert refused["the addressee shown"] == refused["the text shown"] == "placeholder_misplaced"

    first, second = hand.send(twice, twice)
    assert first.startswith("201 "), "the control"
    assert second == "delivery_refused"
    hand.report()


def test_a_worker_learns_nothing_of_what_it_sends(hand: Hand) -> None:
    [answer] = hand.send(hand.request())

    assert answer.startswith("201 ")
    told = answer.encode() + msgspec.json.encode(hand.route)
    assert b"777700" not in told
    assert f"/p/{CODE}/".encode() not in told
    assert hand.route.key.encode() in answer.encode(), "the control: the rest of it is shown"
    hand.report()
