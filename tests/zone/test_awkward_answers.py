"""Answers that are none, through the real relay to the companies' adapters: nobody knows.

Cut off, a byte at a time, a maintenance page in Shift_JIS with any status, a redirect: whatever the
company answers with, a payment or refund that may have happened is unknown, and a question learns
nothing. No act is sent a second time.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest

from portal.application.methods.registry import REFUNDS, find_redirect, find_refunds
from portal.application.payment.desk import PayDesk
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    RefundWanted,
    SessionWanted,
)
from portal.domain.money import Money
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.companies import rules_of
from tests.make.gmopg import paid
from tests.make.provider import HOST, Behaviour, Provider, Seen, answer, saying
from tests.make.relay import Relay, rule, running_relay

if TYPE_CHECKING:
    from portal.contract.client import VaultClient

REFERENCE = "01JD0000000000000000000001"
SESSION = SessionWanted(
    reference=REFERENCE, amount=Money(8420), return_url="https://pay.example/return/mizu/tok",
    account="mizu", description="水道料金 2026-11",
)  # fmt: skip
REFUND = RefundWanted(
    refund_id=UUID(int=9),
    reference=REFERENCE, provider_ref="", refund_reference="01JD0000000000000000000002",
    amount=Money(3000), remaining=Money(5420), account="mizu",
)  # fmt: skip
PAID_AS = {"sandbox_card": "cs_1", "paypay": "p-1234567890123456789", "stripe": "pi_1",
           "gmopg": "a1.b1"}  # fmt: skip
"""What each company calls the payment."""

BRIEF: dict[str, object] = {"timeout_s": 1.0}

MAINTENANCE = "<html><title>ただいまメンテナンス中です。表示できません</title></html>".encode(
    "cp932"
)
GOOD = b'{"id":"cs_1","reference":"01JD0000000000000000000001","url":"https://pay.example/p"}'


def page(status: int) -> Behaviour:
    return saying(answer(status, MAINTENANCE, "Content-Type: text/html; charset=Shift_JIS"))


async def trickle(_provider: Provider, _seen: Seen, writer: asyncio.StreamWriter) -> None:
    """A byte, and a second later the next."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 87\r\n\r\n")
    for byte in GOOD:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1.0)


AWKWARD: dict[str, Behaviour] = {
    "cut off": saying(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n" + GOOD,
        then_close=True,
    ),
    "a byte a second": trickle,
    "maintenance as 200": page(200),
    "maintenance as 503": page(503),
    "redirect": saying(answer(302, b"", "Location: https://elsewhere.test/maintenance")),
}


@dataclass(frozen=True)
class Company:
    """A company behind the relay, and how it misbehaves now."""

    provider: str
    relay: Relay
    desk: PayDesk
    endpoint: Endpoint

    async def meet(self, act: str, behaviour: Behaviour) -> tuple[str, int]:
        """What an act's answer is read as, and how many requests the company saw for it."""
        seen = self.relay.provider.seen
        self.relay.provider.behaviour = behaviour
        before = len(seen)
        read = await self.desk.converse(self._exchange(act))
        told = read.outcome if act in {"open", "refund"} else read.state
        return told, len(seen) - before

    def _exchange(self, act: str) -> Exchange[Any]:
        if act in {"refund", "inquire_refund"}:
            refunds = find_refunds(self.provider)
            give = refunds.refund if act == "refund" else refunds.inquire_refund
            return give(self.endpoint, replace(REFUND, provider_ref=PAID_AS[self.provider]))
        payments = find_redirect(self.provider)
        if act == "open":
            return payments.open_session(self.endpoint, SESSION)
        return payments.inquire(self.endpoint, REFERENCE)


GIVES_BACK: dict[str, dict[str, Any]] = {
    version: {"path_prefixes": (f"{version}/refunds",), "methods": ("POST",), "refund": {}}
    for version in ("/v1", "/v2")
}


def rules_for(provider: str) -> list[dict[str, object]]:
    own: dict[str, object] = {"role": "web", "path_prefixes": ("/v1/", "/v2/")} | BRIEF
    match provider:
        case "sandbox_card":
            header = {"header:authorization": "Bearer {{credential:sandbox_card}}"}
            card = {"credentials": ("sandbox_card",), "fixed": header}
            return [rule(0, **card, **own), rule(0, id="back", **card, **(own | GIVES_BACK["/v1"]))]
        case "paypay":
            signer = {"name": "opa", "key": "opa.key", "secret": "opa.secret"}
            asked = {"name": "paymentId", "shape": "digits", "length_min": 16, "length_max": 64}
            ask = own | {"path_prefixes": ("/v2/refunds",), "methods": ("GET",), "query": [asked]}
            return [
                rule(0, credentials=(), signer=signer, **own),
                rule(0, id="back", credentials=(), signer=signer, **(own | GIVES_BACK["/v2"])),
                rule(0, id="ask", credentials=(), signer=signer, **ask),
            ]
        case _:
            return [one | BRIEF for one in rules_of(provider)]


@pytest.fixture(params=["sandbox_card", "paypay", "stripe", "gmopg"])
async def company(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Company]:
    provider: str = request.param
    callers = f"{os.geteuid()}=web,{os.geteuid()}=work"
    async with running_relay(tmp_path, rules=rules_for(provider), callers=callers) as relay:
        account = ("tshop00012345", "page01") if provider == "gmopg" else ()
        endpoint = Endpoint(HOST, relay.provider.port, account)
        desk = PayDesk(cast("VaultClient", None), relay.outbound, {provider: endpoint})
        yield Company(provider, relay, desk, endpoint)


async def test_an_answer_that_is_none_is_never_taken_for_one(company: Company) -> None:
    acts = ["open", "inquire"]
    if company.provider in REFUNDS:
        acts += ["refund", "inquire_refund"]

    read = {
        (act, word): await company.meet(act, behaviour)
        for act in acts
        for word, behaviour in AWKWARD.items()
    }

    unknown = {"open": ("unknown", 1), "refund": ("unknown", 1)}
    if company.provider == "gmopg":
        # It looks at the order first: who learns nothing there has sent nothing yet.
        unknown["refund"] = ("refused", 1)
    assert read == {(act, word): unknown.get(act, ("unclear", 1)) for act, word in read}


@pytest.mark.parametrize("company", ["gmopg"], indirect=True)
async def test_an_answer_that_is_none_to_the_second_step_is_unknown(company: Company) -> None:
    looked = paid(REFERENCE, 8420)

    read = {
        word: await company.meet("refund", after_a_look(looked, behaviour))
        for word, behaviour in AWKWARD.items()
    }

    assert read == dict.fromkeys(AWKWARD, ("unknown", 2))


def after_a_look(looked: OutboundAnswer, behaviour: Behaviour) -> Behaviour:
    """The order is found; whatever comes then is answered awkwardly."""

    async def choose(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        looks = seen.line.split(" ")[1].endswith("SearchTrade.idPass")
        found = saying(answer(looked.status, looked.body, f"Date: {looked.headers['date']}"))
        await (found if looks else behaviour)(provider, seen, writer)

    return choose
