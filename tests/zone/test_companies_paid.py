"""A bill is paid at each company: the stages, the vault and the relay are real, the outside is not.

The companies here answer as their documents and recordings show them; what they know of a payment
is what our own request told them.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import finish_return
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.payment import VIEW_ATTEMPT, AttemptNow, ViewAttempt
from portal.kit.outbound.wire import OutboundAnswer
from portal.vault.server import VaultServer
from tests.make.companies import behind_a_relay
from tests.make.company_words import HOSTS
from tests.make.gmopg import errors, paid
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.provider import Provider, Seen, answer
from tests.make.relay import Relay
from tests.make.stripe import PAGE, answered, intent, session
from tests.make.vault import ClientFor

ORIGIN = "http://localhost:8080"
LINK = "https://link.mul-pay.jp/v2/plus/tshop00012345/checkout/2f0a"


@dataclass
class Company(ABC):
    """What one company knows of the one payment that it was asked to open."""

    reference: str = ""
    amount: int = 0
    is_paid: bool = False
    loses_answers: bool = False
    opened: list[str] = field(default_factory=list[str])

    async def serve(self, provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        del provider
        said = self.answer(seen)
        if self.loses_answers and self.opened and seen.line.startswith("POST"):
            self.loses_answers = False
            writer.close()
            return
        writer.write(answer(said.status, said.body, f"Date: {formatdate(usegmt=True)}"))

    @abstractmethod
    def answer(self, seen: Seen) -> OutboundAnswer:
        """What the company says to a request."""

    def open(self, reference: str, amount: str) -> None:
        self.reference, self.amount = reference, int(amount)
        self.opened.append(reference)


class Checkout(Company):
    """Stripe: a session, and a payment inside it once the payer has paid."""

    def answer(self, seen: Seen) -> OutboundAnswer:
        path = seen.line.split(" ")[1].partition("?")[0]
        if seen.line.startswith("POST"):
            form = {name: texts[0] for name, texts in parse_qs(seen.body.decode()).items()}
            amount = form["line_items[0][price_data][unit_amount]"]
            self.open(form["client_reference_id"], amount)
        if path.endswith("/search"):
            return answered(
                200, {"data": [self.payment()] if self.is_paid else [], "has_more": False}
            )
        known = {"client_reference_id": self.reference, "amount_total": self.amount}
        if self.is_paid:
            known |= {"status": "complete", "payment_intent": self.payment()}
        return answered(200, session(**known))

    def payment(self) -> dict[str, object]:
        metadata = {"reference": self.reference}
        return intent(amount=self.amount, amount_received=self.amount, metadata=metadata)


class LinkTypePlus(Company):
    """GMO-PG: no order before the payer has used the page."""

    def answer(self, seen: Seen) -> OutboundAnswer:
        if seen.line.split(" ")[1].endswith(".json"):
            asked = json.loads(seen.body)["transaction"]
            self.open(asked["OrderID"], asked["Amount"])
            return answered(200, {"OrderID": self.reference, "LinkUrl": LINK})
        return paid(self.reference, self.amount) if self.is_paid else errors("M01004002")


@dataclass
class Till:
    """A payer, a company, and the desk between them."""

    world: World
    company: Company
    relay: Relay
    desk: PayDesk

    async def press(self, payer: Payer, key: str = "k1") -> AttemptNow:
        wish = Intent(method="card", expected_minor=AMOUNT, key=key)
        return await submit_payment(self.desk, payer.authority, wish, ORIGIN)

    def return_url(self) -> str:
        body = self.relay.provider.seen[0].body.decode()
        if body.startswith("{"):
            return json.loads(body)["transaction"]["RetUrl"]
        return parse_qs(body)["success_url"][0]

    async def come_back(self) -> AttemptNow:
        code, token = self.return_url().removeprefix(f"{ORIGIN}/return/").split("/")
        back = await finish_return(self.desk, code, token)
        seen = ViewAttempt(attempt_id=back.attempt_id)
        return await self.desk.vault.call(VIEW_ATTEMPT, seen, back.authority)


@pytest.fixture(params=["stripe", "gmopg"])
async def till(
    request: pytest.FixtureRequest, tmp_path: Path, vault: VaultServer, client_for: ClientFor
) -> AsyncGenerator[Till]:
    name: str = request.param
    company = Checkout() if name == "stripe" else LinkTypePlus()
    account = () if name == "stripe" else ("tshop00012345", "page01")
    world = await (await new_world(vault, client_for)).with_company(name)
    async with behind_a_relay(tmp_path, name, company.serve, account=account) as (relay, _, there):
        desk = PayDesk(world.web, relay.outbound, {name: there})
        relay.vault.listener, relay.vault.listens_as = world.relay, HOSTS[name]
        yield Till(world, company, relay, desk)


async def test_payer_pays_at_the_company_and_comes_back_to_a_settled_bill(till: Till) -> None:
    payer = await till.world.payer()

    away = await till.press(payer)
    early = await till.come_back()
    till.company.is_paid = True
    back = await till.come_back()

    assert away.redirect_url in {PAGE, LINK}
    assert till.company.opened == [away.reference]
    assert (early.attempt.state, back.attempt.state) == ("requires_action", "succeeded")
    assert back.attempt.instrument_hint in {"4242", "1111"}
    assert await till.world.settlement(payer.bill_id) == "settled"


async def test_lost_answer_is_asked_about_and_never_opened_again(till: Till) -> None:
    payer = await till.world.payer()
    till.company.loses_answers = True

    lost = await till.press(payer)
    again = await till.press(payer)
    till.company.is_paid = True
    back = await till.come_back()

    assert (lost.attempt.state, again.attempt.id) == ("unknown", lost.attempt.id)
    assert till.company.opened == [lost.reference]
    assert back.attempt.state == "succeeded"


async def test_other_amount_at_the_company_is_a_persons_work_and_settles_nothing(
    till: Till,
) -> None:
    payer = await till.world.payer()
    await till.press(payer)
    till.company.is_paid = True
    till.company.amount = AMOUNT - 1

    back = await till.come_back()

    assert back.attempt.state != "succeeded"
    assert await till.world.settlement(payer.bill_id) == "unpaid"
    assert await till.world.cases() == ["amount_mismatch"]
