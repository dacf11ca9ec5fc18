"""Refunds at somebody else's Stripe, where an idempotency key counts and no more goes back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from portal.application.payment.desk import PayDesk
from portal.application.providers import stripe
from portal.application.providers.exchange import (
    Endpoint,
    RefundWanted,
)
from portal.domain.money import Money
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from tests.make.companies import Drop, behind_a_relay
from tests.make.relay import STRIPE_KEY, Relay
from tests.make.stripe_mock import as_charges, intent_of, running_mock, take_charge

PAID = 8420


@dataclass
class Company:
    """The mock with one payment, ours through the relay under the rules of the docs."""

    relay: Relay
    desk: PayDesk
    endpoint: Endpoint
    client: httpx.AsyncClient
    charge: str
    lost: Drop

    def wanted(self, number: int, amount: int) -> RefundWanted:
        return RefundWanted(
            refund_id=UUID(int=9),
            reference="01JD0000000000000000000001",
            provider_ref=intent_of(self.charge),
            refund_reference=f"01JD000000000000000000010{number}",
            amount=Money(amount),
            remaining=Money(PAID - amount),
            account="mizu",
        )

    async def refund(self, wanted: RefundWanted) -> RefundAnswer:
        return await self.desk.converse(stripe.ADAPTER.refund(self.endpoint, wanted))

    async def find(self, wanted: RefundWanted) -> RefundFinding:
        return await self.desk.converse(stripe.ADAPTER.inquire_refund(self.endpoint, wanted))

    async def given_back(self) -> int:
        """Its own word, past the relay. Units: yen."""
        return int((await self.client.get(f"/v1/charges/{self.charge}")).json()["amount_refunded"])


@pytest.fixture
async def company(tmp_path: Path) -> AsyncGenerator[Company]:
    lost = Drop()
    async with (
        running_mock() as address,
        behind_a_relay(tmp_path, "stripe", as_charges(address, lost)) as (relay, desk, endpoint),
        httpx.AsyncClient(base_url=address, auth=(STRIPE_KEY, "")) as client,
    ):
        charge = await take_charge(client, PAID)
        yield Company(relay, desk, endpoint, client, charge, lost)


async def test_the_same_refund_twice_gives_back_once_under_one_name(company: Company) -> None:
    wanted = company.wanted(1, 420)
    exchange = stripe.ADAPTER.refund(company.endpoint, wanted)

    [first] = await company.desk.outbound.send([exchange.request])
    [second] = await company.desk.outbound.send([exchange.request])

    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert exchange.read(first) == exchange.read(second)
    assert exchange.read(first).outcome == "succeeded"
    assert await company.given_back() == 420


async def test_a_lost_answer_is_found_by_our_reference_and_a_repeat_gives_nothing_more(
    company: Company,
) -> None:
    wanted = company.wanted(1, 420)
    assert (await company.find(wanted)).state == "not_found"
    company.lost.next = True

    lost = await company.refund(wanted)
    found = await company.find(wanted)
    repeated = await company.refund(wanted)

    assert lost.outcome == "unknown"
    assert (found.state, found.amount_minor) == ("succeeded", 420)
    assert repeated.provider_ref == found.provider_ref
    assert await company.given_back() == 420


async def test_one_reference_with_another_amount_is_unknown_and_gives_nothing(
    company: Company,
) -> None:
    assert (await company.refund(company.wanted(1, 420))).outcome == "succeeded"

    other = await company.refund(company.wanted(1, 421))

    assert (other.outcome, other.code) == ("unknown", "reference_exists")
    assert await company.given_back() == 420


async def test_more_than_is_left_is_refused_and_nothing_goes_back(company: Company) -> None:
    assert (await company.refund(company.wanted(1, 8000))).outcome == "succeeded"

    too_much = await company.refund(company.wanted(2, 421))
    rest = await company.refund(company.wanted(3, 420))
    after = await company.refund(company.wanted(4, 1))

    assert [one.outcome for one in (too_much, rest, after)] == ["refused", "succeeded", "refused"]
    assert (await company.find(company.wanted(2, 421))).state == "not_found"
    assert await company.given_back() == PAID


async def test_a_refusal_is_replayed_as_it_was_and_a_new_reference_is_asked_anew(
    company: Company,
) -> None:
    stranger = replace(company.wanted(1, 420), provider_ref="pi_nobody")

    refused = [await company.refund(stranger) for _ in range(2)]
    given = await company.refund(company.wanted(2, 420))

    assert [one.outcome for one in refused] == ["refused", "refused"]
    assert given.outcome == "succeeded"
    assert await company.given_back() == 420


async def test_what_it_lacks_is_never_taken_for_an_answer(company: Company) -> None:
    asking = stripe.ADAPTER.inquire(company.endpoint, "01JD", intent_of(company.charge))

    assert (await company.desk.converse(asking)).state == "unclear"
