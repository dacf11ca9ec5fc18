"""A shop whose cards GMO-PG keeps, seen from the relay; and what a vault does for its payers.

The shop is behind a real relay that asks a vault's stand-in; the desk below it is a real vault that
is asked by the relay's own caller.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec

from portal.application.payment.desk import PayDesk
from portal.application.providers import gmopg
from portal.application.providers.exchange import Endpoint, Exchange, KeptWanted, SessionAnswer
from portal.contract.card_on_file import (
    DEPOSIT_CARD_STEP,
    REDEEM_INSTRUMENT,
    SET_CHARGES,
    DepositCardStep,
    InstrumentRedeemed,
    RedeemInstrument,
    SetCharges,
)
from portal.contract.client import VaultClient
from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    CompanyAsked,
    DepositPaymentAnswer,
)
from portal.contract.payment import (
    VIEW_INQUIRY,
    VIEW_RETURN,
    AttemptStarted,
    Returned,
    ViewInquiry,
    ViewReturn,
)
from portal.domain.card_on_file import words
from portal.domain.ids import AttemptId
from portal.domain.money import Money
from portal.domain.payment_word.gmopg_trade import name_at_bank
from portal.domain.reference import ORDER_ID, reference_for
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest
from portal.vault.server import VaultServer
from tests.make.cards import CONTRACT
from tests.make.companies import behind_a_relay
from tests.make.gmopg import recorded
from tests.make.gmopg_cards import Members, access_of
from tests.make.money import Payer, World, finding, new_world
from tests.make.provider import HOST
from tests.make.relay import Relay
from tests.make.vault import Ground

KEPT_PAGE = "keep-20130301110000"
ACCOUNT = ("tshop00012345", "page01", "tsite00012345")
FIRST, SECOND, OTHER = (UUID(int=(0x19B0 << 112) | number) for number in (1, 2, 3))
MEMBER, STRANGER = UUID(int=0xA1).hex, UUID(int=0xB2).hex


def reference_of(attempt: UUID) -> str:
    return reference_for(ORDER_ID, attempt)


def said_by_the_vault(attempt: UUID, token: str, amount: int = 8420) -> InstrumentRedeemed:
    return InstrumentRedeemed(
        token=token, customer="", reference=reference_of(attempt), amount_minor=amount, refused=None
    )


def forged(request: OutboundRequest, **fields: str) -> OutboundRequest:
    """The same request, with something of its own where the vault's word should stand."""
    return msgspec.structs.replace(request, body=urlencode(dict(parse_qsl(request.body)) | fields))


@dataclass
class Shop:
    """A shop whose cards are kept there, behind a relay that asks a vault's stand-in."""

    company: Members
    relay: Relay
    desk: PayDesk
    endpoint: Endpoint

    async def sent(self, request: OutboundRequest) -> OutboundAnswer:
        [answer] = await self.desk.outbound.send([request])
        return answer

    def owes(self, attempt: UUID, token: str, amount: int = 8420) -> None:
        """The vault would have this card charged."""
        self.relay.vault.cards[attempt] = (HOST, said_by_the_vault(attempt, token, amount))


@asynccontextmanager
async def a_shop(
    folder: Path, company: Members, roles: tuple[str, ...] = ("web", "work")
) -> AsyncGenerator[Shop]:
    """The shop as processes of these roles see it."""
    async with behind_a_relay(folder, "gmopg", company.behaviour, account=ACCOUNT, roles=roles) as (
        relay,
        desk,
        endpoint,
    ):
        yield Shop(company, relay, desk, endpoint)


RETURN = "https://pay.example/return/mizu/token"
PAGE = f"https://p01.mul-pay.jp/payment/Tds2Redirect?id={access_of(reference_of(SECOND))}"


def paying(shop: Shop, attempt: UUID = SECOND) -> Exchange[SessionAnswer]:
    """The payer presses the button; the vault would have this card pay 8,420 yen."""
    shop.owes(attempt, MEMBER)
    wanted = KeptWanted(
        reference=reference_of(attempt), amount=Money(1), attempt_id=attempt, return_url=RETURN,
        account="mizu", description="A-1", payee_name="みなと電力",
    )  # fmt: skip
    return gmopg.ADAPTER.pay_kept(shop.endpoint, wanted)


THERE = "p01.mul-pay.test"
BANK = "https://p01.mul-pay.jp/payment/Tds2Redirect?id=1"
ORDER, ORDER_PASS = access_of("one"), access_of("two")


class Bank:
    """A merchant at GMO-PG, a payer who left a card there, and the relay."""

    def __init__(self, world: World, relay: VaultClient, payer: Payer) -> None:
        self.world, self.relay, self.payer = world, relay, payer

    async def start(self, key: str = "k") -> AttemptStarted:
        return await self.world.start(self.payer, key, kept=True)

    async def ask(self, attempt_id: UUID, part: str, host: str = THERE) -> tuple[str, str | None]:
        asked = RedeemInstrument(
            host=host, attempt_id=AttemptId(attempt_id), part=part, by_payer=True  # type: ignore[arg-type]
        )  # fmt: skip
        said = await self.relay.call(REDEEM_INSTRUMENT, asked)
        return said.order, said.refused

    async def put(self, attempt_id: UUID, host: str = THERE, **step: str) -> str | None:
        told = DepositCardStep(host=host, attempt_id=AttemptId(attempt_id), **step)
        return (await self.relay.call(DEPOSIT_CARD_STEP, told)).refused

    async def led(self, key: str = "k") -> AttemptStarted:
        """The payer is at their bank: all that the relay does on the way there."""
        started = await self.start(key)
        await self.put(started.attempt_id, order=ORDER, order_pass=ORDER_PASS)
        await self.ask(started.attempt_id, "charge")
        await self.put(started.attempt_id, page=BANK)
        await self.world.submitted(
            self.payer, started, provider_ref=name_at_bank(started.reference)
        )
        return started

    async def back(self, started: AttemptStarted, access: str = "") -> Returned:
        asked = ViewReturn(
            merchant_code=self.world.code, return_token=started.return_token, access=access
        )
        return await self.world.web.call(VIEW_RETURN, asked)

    async def due(self, attempt_id: UUID) -> str:
        [lease] = [one for one in await self.world.leases() if one.subject_id == attempt_id]
        asked = ViewInquiry(attempt_id=AttemptId(attempt_id))
        return (await self.world.work.call(VIEW_INQUIRY, asked, lease.authority)).secures


async def kept_by(
    world: World, relay: VaultClient, attempt_id: AttemptId, said: OutboundAnswer
) -> str | None:
    """The relay heard what came of having a card kept; why that moves nothing."""
    fields = {
        "OrderID": "{{instrument:reference}}", "ShopID": "shop",
        "MemberID": "{{instrument:member}}", "ShopPass": "{{credential:gmopg}}",
    }  # fmt: skip
    asked = CompanyAsked(
        method="POST", path="/payment/TradedCard.idPass", headers=(), body=urlencode(fields)
    )
    word = DepositPaymentAnswer(
        host=THERE, merchant_code=world.code, attempt_id=attempt_id, asked=asked,
        status=said.status, body=said.body, age_ms=0,
    )  # fmt: skip
    return (await relay.call(DEPOSIT_PAYMENT_ANSWER, word)).refused


async def a_payer_at_gmopg(ground: Ground, vault: VaultServer) -> Bank:
    """A payer whose card GMO-PG keeps, with another bill of the contract."""
    world = await (await new_world(vault, ground.client, "mizu")).with_company("gmopg")
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    first = await world.payer(contract=CONTRACT)
    left = await world.start(first, consent=words(0))
    await world.submitted(first, left, provider_ref=KEPT_PAGE)
    await world.told(first, left.attempt_id, finding("succeeded"))
    relay = await ground.client("egress")
    await kept_by(world, relay, left.attempt_id, recorded("TradedCard"))
    return Bank(world, relay, await world.payer(contract=CONTRACT))
