"""Whoever owns web or worker has payments asked about, and says that it heard something else."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from portal.application.methods.registry import find_redirect
from portal.application.payment.desk import About, PayDesk
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.client import VaultClient
from portal.contract.company_word import DEPOSIT_PAYMENT_ANSWER
from portal.contract.envelope import Authority
from portal.contract.payment import (
    RECORD_INQUIRY,
    VIEW_ATTEMPT,
    AttemptNow,
    Finding,
    RecordInquiry,
    ViewAttempt,
)
from portal.domain.card_on_file import words
from portal.domain.errors import NotAllowed
from portal.domain.ids import AttemptId
from portal.vault.server import VaultServer
from tests.make.company_words import Asked, deposit
from tests.make.disputes import disputed
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop

ORIGIN, CARD = "http://localhost:8080", "4242424242424242"
LIES: Sequence[Finding] = (
    finding("succeeded", approval_no="A1"),
    finding("succeeded", AMOUNT - 1),
    finding("failed", decline_code="card_declined"),
    finding("failed", decline_code="expired"),
    finding("not_found"),
    finding("not_found"),
    finding("pending", provider_ref="cp_other"),
    disputed("opened"),
    disputed("lost"),
    finding("succeeded", saved_token="card_of_a_stranger", saved_customer="cus_9"),
)


@dataclass
class Theft:
    """One attempt on the company's real page, another that is paid, and who would lie of them."""

    shop: Workshop
    world: World
    desk: PayDesk
    payer: Payer
    mine: AttemptNow
    paid: AttemptNow

    async def ask(
        self, reference: str, provider: str = "sandbox_card", attempt: AttemptNow | None = None
    ) -> tuple[str, bool]:
        """The relay asks a company, about this attempt as it is told; what it says, and if to whom.

        The second says that the vault has believed it.
        """
        adapter, endpoint = find_redirect(provider), self.desk.endpoint(provider)
        about = About(self.world.code, (attempt or self.mine).attempt.id)
        heard = await self.desk.ask(adapter.inquire(endpoint, reference), about)
        return heard.said.state, heard.is_deposited

    async def claim(
        self, caller: VaultClient, grant: Authority, lie: Finding, attempt: AttemptNow
    ) -> AttemptNow:
        """Say that the company said so."""
        request = RecordInquiry(attempt_id=attempt.attempt.id, finding=lie)
        return await caller.call(RECORD_INQUIRY, request, grant)

    async def stands(self, attempt: AttemptNow) -> tuple[str, str, str]:
        """Its state, what its company calls it, and its bill's settlement."""
        [row] = await self.world.rows(
            "select a.state, a.provider_ref, b.settlement from attempt a"
            " join bill b on b.id = a.bill_id where a.id = $1", attempt.attempt.id,
        )  # fmt: skip
        return row["state"], row["provider_ref"], row["settlement"]

    async def nothing_else(self) -> tuple[Any, ...]:
        """Cases, disputes and cards: what a lie would leave beside the attempt."""
        return (
            await self.world.cases(),
            await self.world.value("select count(*) from dispute"),
            await self.world.value("select count(*) from card_on_file where state = 'active'"),
        )


@pytest.fixture
async def theft(ground: Ground, vault: VaultServer) -> AsyncGenerator[Theft]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        desk = replace(shop.bench.pay, vault=shop.web)
        payers = [await world.payer(), await world.payer()]
        intent = Intent(method="card", expected_minor=AMOUNT, key="k1")
        away = [await submit_payment(desk, one.authority, intent, ORIGIN) for one in payers]
        made = Theft(shop, world, desk, payers[0], *away)
        await shop.outside.pay(away[1].redirect_url or "", CARD)
        assert await made.ask(away[1].reference, attempt=away[1]) == ("succeeded", True)
        yield made


async def test_web_can_not_say_what_became_of_a_payment(theft: Theft) -> None:
    """It has the payer's authority, and its road to every company."""
    web, grant = theft.desk.vault, theft.payer.authority
    before, mine = await theft.stands(theft.mine), theft.mine
    assert before[0::2] == ("requires_action", "unpaid")
    early = await theft.ask(mine.reference)

    for lie in LIES:
        assert (await theft.claim(web, grant, lie, mine)).attempt.state == "requires_action"
    of = Asked("sandbox_card", "card", mine.reference)
    false = deposit(of, mine.attempt.id, theft.world.code, LIES[0])
    for authority in (None, grant):
        with pytest.raises(NotAllowed):
            await web.call(DEPOSIT_PAYMENT_ANSWER, false, authority)
    # A true answer of the company's about another payment, and of another company about none.
    told = [
        await theft.ask(theft.paid.reference),
        await theft.ask("0" * 26),
        await theft.ask(mine.reference, "sandbox_wallet"),
    ]

    assert early == ("requires_action", True)
    assert told == [("succeeded", False), ("not_found", False), ("not_found", False)]
    assert await theft.stands(mine) == before
    assert await theft.nothing_else() == ([], 0, 0)

    # Positive control: the company's own word about this payment, whoever had it asked.
    await theft.shop.outside.pay(mine.redirect_url or "", CARD)
    assert await theft.ask(mine.reference) == ("succeeded", True)
    # What was heard of it before moves it no more.
    assert (await theft.claim(web, grant, finding("failed"), mine)).attempt.state == "succeeded"
    assert (await theft.stands(mine))[0::2] == ("succeeded", "settled")
    assert await theft.nothing_else() == ([], 0, 0)


async def test_worker_can_not_say_what_became_of_a_payment(theft: Theft) -> None:
    """It has its real leases, of an attempt that is open and of one that is paid."""
    work, world = theft.world.work, theft.world
    before = [await theft.stands(one) for one in (theft.mine, theft.paid)]

    async def lease_of(attempt: AttemptNow) -> Authority:
        await world.value(
            "update attempt set ask_at = $2 where id = $1 returning true",
            attempt.attempt.id, world.server.clock.wall(),
        )  # fmt: skip
        async with world.act() as act:
            await act.plan_task("payment.inquire", attempt.attempt.id)
        leases = await world.leases()
        return next(one for one in leases if one.subject_id == attempt.attempt.id).authority

    for attempt in (theft.mine, theft.paid):
        for lie in LIES:
            asking = await lease_of(attempt)
            assert await theft.ask("0" * 26, attempt=attempt) == ("not_found", False)
            of = Asked("sandbox_card", "card", attempt.reference)
            false = deposit(of, attempt.attempt.id, world.code, lie)
            with pytest.raises(NotAllowed):
                await work.call(DEPOSIT_PAYMENT_ANSWER, false, asking)
            await theft.claim(work, asking, lie, attempt)

    assert [await theft.stands(one) for one in (theft.mine, theft.paid)] == before
    assert await theft.nothing_else() == ([], 0, 0)
    # It is asked again all the same.
    assert await world.value("select count(*) from attempt where ask_at is null") == 0

    # Positive control: the same worker, and the company's answer.
    await theft.shop.outside.pay(theft.mine.redirect_url or "", CARD)
    await theft.shop.be_due()
    await theft.shop.work_off({"payment.inquire"})
    assert (await theft.stands(theft.mine))[0::2] == ("succeeded", "settled")


async def test_nobody_but_the_company_says_which_card_is_kept(
    ground: Ground, vault: VaultServer
) -> None:
    world = await new_world(vault, ground.client)
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    payer = await world.payer()
    left = await world.start(payer, consent=words(0))
    await world.submitted(payer, left)

    async def cards() -> list[str]:
        return [row["state"] for row in await world.rows("select state from card_on_file")]

    lie = finding("succeeded", saved_token="card_of_a_stranger", saved_customer="cus_9")
    claim = RecordInquiry(attempt_id=AttemptId(left.attempt_id), finding=lie)
    await world.web.call(RECORD_INQUIRY, claim, payer.authority)
    assert await cards() == ["awaited"]

    # Positive control: the company says that it kept one, and which.
    true = finding("succeeded", saved_token="card_own", saved_customer="cus_1")
    assert await world.heard(UUID(str(left.attempt_id)), true) is None
    await world.web.call(RECORD_INQUIRY, claim, payer.authority)
    seen = ViewAttempt(attempt_id=AttemptId(left.attempt_id))
    now = await world.web.call(VIEW_ATTEMPT, seen, payer.authority)
    assert (now.attempt.state, await cards()) == ("succeeded", ["active"])
