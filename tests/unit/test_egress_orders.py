"""Orders that the relay carries from one call to the next: used once, where they belong, soon."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from portal.egress import orders
from portal.egress.denial import Denied
from portal.egress.job import Job
from portal.egress.orders import LIFE, Orders
from portal.egress.template import ORDER, ORDER_PASS, TOKEN, Template
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest
from tests.make.gmopg import recorded

HERE, THERE = "p01.mul-pay.test", "p01.smbc-gp.test"
FIRST, SECOND = UUID(int=1), UUID(int=2)


class Moving:
    """The part of a clock that pairs of calls are timed by, moved by the test."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 28, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.at


def job(host: str, attempt: UUID, *placeholders: str) -> Job:
    request = OutboundRequest(
        host=host, port=443, method="POST", path="/payment/x", delivery_id=attempt
    )
    template = Template("form", {}, [], placeholders=frozenset(placeholders))
    return Job(request, host=host, template=template)


def ordering(host: str = HERE, attempt: UUID = FIRST) -> Job:
    return job(host, attempt, "instrument:amount", "instrument:reference")


def charging(host: str = HERE, attempt: UUID = FIRST) -> Job:
    return job(host, attempt, TOKEN, ORDER, ORDER_PASS, "instrument:reference")


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def known(clock: Moving) -> Orders:
    return Orders(clock)  # type: ignore[arg-type]  # it only asks for the wall's time


def test_an_order_is_used_once_by_the_attempt_and_at_the_host_that_it_was_made_for(
    known: Orders,
) -> None:
    order = known.note(ordering(), recorded("EntryTran"))

    for other in (charging(THERE), charging(attempt=SECOND)):
        with pytest.raises(Denied, match="order_unknown"):
            known.take(other, other.request.delivery_id or FIRST)
    assert order == {
        ORDER: "f51483bb5892e25754eb85207a582b3c", ORDER_PASS: "07acabfd75965a1141fb9099080a8975",
    }  # fmt: skip
    assert known.take(charging(), FIRST) == order
    with pytest.raises(Denied, match="order_unknown"):
        known.take(charging(), FIRST)


def test_an_old_order_and_one_too_many_are_forgotten(
    known: Orders, clock: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.note(ordering(), recorded("EntryTran"))
    clock.at += LIFE
    with pytest.raises(Denied):
        known.take(charging(), FIRST)
    monkeypatch.setattr(orders, "ORDERS_MAX", 1)
    known.note(ordering(), recorded("EntryTran"))
    known.note(ordering(attempt=SECOND), recorded("EntryTran"))

    with pytest.raises(Denied):
        known.take(charging(), FIRST)


@pytest.mark.parametrize(
    "answer",
    [
        recorded("EntryTran_refused"),
        OutboundAnswer(fate="unclear", status=200, body=recorded("EntryTran").body),
        OutboundAnswer(fate="answered", status=500, body=recorded("EntryTran").body),
        OutboundAnswer(fate="answered", status=200, body=b"AccessID=short&AccessPass=short"),
        OutboundAnswer(fate="answered", status=200, body=recorded("EntryTran").body * 2),
        OutboundAnswer(fate="answered", status=200, body=b"\xff=1&AccessID"),
    ],
)
def test_what_names_no_order_is_none(known: Orders, answer: OutboundAnswer) -> None:
    assert known.note(ordering(), answer) == {}


def test_only_the_request_that_registers_an_order_is_listened_to(known: Orders) -> None:
    kept = job(HERE, FIRST, "instrument:member", "instrument:reference")

    for other in (charging(), kept, job(HERE, FIRST)):
        assert known.note(other, recorded("EntryTran")) == {}
    assert known.take(job(HERE, FIRST, TOKEN), FIRST) == {}
