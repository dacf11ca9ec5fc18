"""A card that a trial payment leaves at its company: charged without its payer, then with them.

Stack only. The card is made for this run: nothing stands in any vault, so who kept it can have it
deleted in the company's own console afterwards.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, cast
from uuid import UUID

import msgspec

from portal.application.methods.redirect import ByRedirect
from portal.application.methods.registry import find_charges, find_kept
from portal.application.methods.saved import Secures
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    KeptWanted,
    SessionWanted,
)
from portal.contract.card_on_file import (
    DEPOSIT_CARD_STEP,
    REDEEM_INSTRUMENT,
    CardStepDeposited,
    DepositCardStep,
    InstrumentRedeemed,
    RedeemInstrument,
)
from portal.contract.envelope import Operation, Reply, Request
from portal.contract.number import REDEEM_PAYER, PayerRedeemed
from portal.contract.payment import Finding
from portal.contract.refund import (
    DEPOSIT_REFUND_ANSWER,
    REDEEM_REFUND,
    RETURN_REFUND,
    RefundAnswerDeposited,
    RefundRedeemed,
    RefundReturned,
)
from portal.domain.card_on_file import name_card
from portal.domain.errors import InvariantBroken
from portal.domain.money import Money
from portal.domain.reference import form_of, id_behind, reference_for
from portal.kit.clock import SystemClock, new_id
from portal.stack.certify_awkward import Converse
from portal.stack.certify_report import Report

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)

_TRIAL_PAYER: Final = PayerRedeemed(
    name="試験 太郎", kana="シケン\u3000タロウ", phone="0300000000", refused=None
)
_NO_CARD: Final = InstrumentRedeemed(
    token="", customer="", reference="", amount_minor=0, refused="delivery_unknown"
)


class TrialVault:
    """Whoever moves money delivers no message; a refund may leave, and a payer is made up.

    ``cards``: attempt → the card of this run, and what it may be charged. ``pages``: attempt →
    where its payer's bank asks them.
    """

    def __init__(self) -> None:
        """No card yet."""
        self.cards: dict[UUID, InstrumentRedeemed] = {}
        self.pages: dict[UUID, str] = {}

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """The vault's leave for the one refund that this run makes, or who pays by what."""
        if op.name == REDEEM_INSTRUMENT.name:
            return cast("_R", self._redeem(cast("RedeemInstrument", request)))
        if op.name == DEPOSIT_CARD_STEP.name:
            return cast("_R", self._keep(cast("DepositCardStep", request)))
        if op.name == REDEEM_REFUND.name:
            return cast("_R", RefundRedeemed(refused=None))
        if op.name == RETURN_REFUND.name:
            return cast("_R", RefundReturned(refused=None))
        if op.name == DEPOSIT_REFUND_ANSWER.name:
            return cast("_R", RefundAnswerDeposited(refused=None))
        if op.name == REDEEM_PAYER.name:
            return cast("_R", _TRIAL_PAYER)
        raise InvariantBroken("certify_without_vault", context=op.name)

    def _keep(self, step: DepositCardStep) -> CardStepDeposited:
        card = self.cards.get(step.attempt_id)
        if card is not None and step.order:
            order = {"order": step.order, "order_pass": step.order_pass}
            self.cards[step.attempt_id] = msgspec.structs.replace(card, **order)
        if step.page:
            self.pages[step.attempt_id] = step.page
        return CardStepDeposited(refused=None)

    def _redeem(self, request: RedeemInstrument) -> InstrumentRedeemed:
        card = self.cards.get(request.attempt_id, _NO_CARD)
        if request.part == "order":
            return msgspec.structs.replace(card, token="", customer="")
        return card


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCard:
    """The one card of a run at ``provider``."""

    provider: str
    endpoint: Endpoint
    vault: TrialVault
    converse: Converse
    report: Report
    as_web: Converse
    id: UUID = field(default_factory=lambda: new_id(SystemClock()))

    def left_with(self, wanted: SessionWanted) -> SessionWanted:
        """The payment whose payer leaves the card."""
        return replace(wanted, enrol=True, customer_reference=self.id.hex)

    def awaited(self, reference: str) -> None:
        """From now on that payment's card may be kept."""
        self._known(id_behind(reference), reference, self.id.hex, "", 0)

    async def charge(self, adapter: ByRedirect, paid: Finding, original: str) -> None:
        """Charge what was kept once, as much as was paid."""
        self.report.begin("keep the card")
        self.report.read("keep the card", bool(paid.saved_token), fits=bool(paid.saved_token))
        if not paid.saved_token:
            return
        attempt_id, amount = new_id(SystemClock()), paid.amount_minor
        reference = reference_for(form_of(self.provider), attempt_id)
        token = name_card(self.provider, self.id, paid.saved_token)
        self._known(attempt_id, reference, token, paid.saved_customer, amount)
        wanted = ChargeWanted(
            reference=reference, amount=Money(amount), instrument_id=attempt_id,
            original_reference=original, account="certify", description="certify",
        )  # fmt: skip
        charging = find_charges(self.provider).charge(self.endpoint, wanted)
        said = await self.converse("charge the card", charging)
        self.report.read("charge the card", said, fits=said.outcome == "accepted")
        asking = adapter.inquire(self.endpoint, reference, said.provider_ref)
        found = await self.converse("inquire the charge", asking)
        fits = (found.state, found.amount_minor) == ("succeeded", amount)
        self.report.read("inquire the charge", found, fits=fits)

    async def pay(
        self,
        adapter: ByRedirect,
        paid: Finding,
        return_url: str,
        pay: Callable[[str], Awaitable[None]],
    ) -> None:
        """Have what was kept pay once more, with its payer there: the bank may ask them."""
        if not paid.saved_token:
            return
        attempt_id, amount = new_id(SystemClock()), paid.amount_minor
        reference = reference_for(form_of(self.provider), attempt_id)
        token = name_card(self.provider, self.id, paid.saved_token)
        self._known(attempt_id, reference, token, paid.saved_customer, amount)
        wanted = KeptWanted(
            reference=reference, amount=Money(amount), attempt_id=attempt_id,
            return_url=return_url, account="certify", description="certify",
        )  # fmt: skip
        act = "pay with the card, the payer there"
        said = await self.as_web(act, find_kept(self.provider).pay_kept(self.endpoint, wanted))
        self.report.read(act, said, fits=said.outcome == "accepted")
        if said.outcome != "accepted":
            return
        page = self.vault.pages.get(attempt_id, "")
        if page:
            await pay(page)
        asking = adapter.inquire(self.endpoint, reference, said.provider_ref)
        if page and isinstance(adapter, Secures):
            asking = adapter.secure(self.endpoint, reference, said.provider_ref, is_back=True)
        act = "inquire the payment"
        found = await self.as_web(act, asking)
        fits = (found.state, found.amount_minor) == ("succeeded", amount)
        self.report.read(act, found, fits=fits)

    def _known(
        self, attempt_id: UUID, reference: str, token: str, customer: str, amount_minor: int
    ) -> None:
        self.vault.cards[attempt_id] = InstrumentRedeemed(
            token=token,
            customer=customer,
            reference=reference,
            amount_minor=amount_minor,
            refused=None,
        )
