"""A merchant that keeps cards, payers who leave them, and days on which they are charged."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import finish_return
from portal.application.payment.submit import Intent, submit_payment
from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.domain.card_on_file import words
from portal.vault.attempt import read_attempt
from portal.vault.card_on_file import agree
from portal.vault.card_payment import KeptCard, note_begun
from portal.vault.server import VaultServer
from tests.make.days import Calendar
from tests.make.money import AMOUNT, Payer, World, new_world
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop
from worker.queue import Job

ORIGIN = "http://localhost:8080"
GOOD, EMPTY, EXPIRED = "4242424242424242", "4000000000000341", "4000000000000069"
CONTRACT = b"k" * 32
CHARGES = {"charge.choose", "charge.send"}


@dataclass
class CardDesk:
    """One contract whose payer may leave a card, with the company, the relay and a worker."""

    shop: Workshop
    world: World
    pay: PayDesk
    calendar: Calendar
    days_before: int = 0

    async def keep_cards(self, days_before: int | None = 0) -> None:
        """The operator lets the merchant keep cards."""
        request = SetCharges(merchant_code=self.world.code, days_before=days_before)
        await self.world.operator.call(SET_CHARGES, request)
        self.days_before = days_before or 0

    async def payer(self, contract: bytes = CONTRACT, **bill: Any) -> Payer:  # noqa: ANN401  # as bill() takes them
        """Who holds the link of a bill of the contract."""
        return await self.world.payer(contract=contract, **bill)

    async def pays(
        self,
        payer: Payer,
        number: str = GOOD,
        consent: str | None = None,
        amount: int = AMOUNT,
    ) -> UUID:
        """Pay by card on the company's page, with leave by default; the attempt's id."""
        said = words(self.days_before) if consent is None else consent
        intent = Intent(method="card", expected_minor=amount, key="k1", consent=said)
        away = await submit_payment(self.pay, payer.authority, intent, ORIGIN)
        back = await self.shop.outside.pay(away.redirect_url or "", number)
        code, token = back.removeprefix(f"{ORIGIN}/return/").split("/")
        return (await finish_return(self.pay, code, token)).attempt_id

    async def enrolled(self, number: str = GOOD, contract: bytes = CONTRACT) -> Payer:
        """Who has left a card by paying a bill."""
        payer = await self.payer(contract)
        await self.pays(payer, number)
        return payer

    def day(self, ahead: int) -> date:
        """A day of the merchant's calendar."""
        return self.calendar.today + timedelta(days=ahead)

    async def begin(self, day: date) -> None:
        """The day begins: the vault plans what it brings."""
        await self.calendar.move_to(day)
        await self.world.server.data.upkeep.begin_days()

    async def live(self, day: date) -> None:
        """The day begins, and workers do all that is due, asking included."""
        await self.begin(day)
        await self.shop.work_off(CHARGES)
        await self.ask()

    async def ask(self) -> None:
        """What is planned comes due, and is asked."""
        await self.shop.be_due()
        await self.shop.work_off({"payment.inquire"})

    async def sending(self) -> Job:
        """The one charge that waits for a worker."""
        [job] = [job for job in await self.shop.hints() if job.kind == "charge.send"]
        del self.shop.heard[job.id]
        return job

    async def cards(self) -> list[str]:
        """The states of all cards, the oldest first."""
        rows = await self.world.rows("select state from card_on_file order by id")
        return [row["state"] for row in rows]

    async def charge(self, payer: Payer) -> tuple[str, str | None] | None:
        """State and code of a bill's newest charge."""
        rows = await self.world.rows(
            "select state, code from card_charge where bill_id = $1 order by id desc",
            payer.bill_id,
        )
        return (rows[0]["state"], rows[0]["code"]) if rows else None

    def at_company(self) -> list[tuple[int, str]]:
        """Amount and end of every payment that the company knows, pages and charges alike."""
        return [(row["amount"], row["status"]) for row in self.shop.journal.payments()]


async def agreed(world: World, attempt_id: UUID) -> None:
    """Leave to keep the card of an attempt, and what was tried by it, without a company."""
    async with world.act() as act:
        attempt = await read_attempt(act, attempt_id)
        card_id = await agree(act, attempt, words(0), 0, is_fresh=True)
        await act.db.execute(
            "insert into card_charge (merchant_id, id, bill_id, card_id, state, tries, planned_on,"
            " state_at) values ($1, gen_random_uuid(), $2, $3, 'left_out', 0, $4, $5)",
            act.merchant_id, attempt.bill_id, card_id, act.business.date(), act.now,
        )  # fmt: skip
        if card_id is not None:
            await note_begun(act, attempt, KeptCard(id=card_id, provider=attempt.provider))


@asynccontextmanager
async def a_card_desk(ground: Ground, vault: VaultServer) -> AsyncGenerator[CardDesk]:
    """A merchant that keeps cards, on a running vault."""
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        desk = CardDesk(shop, world, replace(shop.bench.pay, vault=shop.web), Calendar(world))
        await desk.keep_cards()
        yield desk
