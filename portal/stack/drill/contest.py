"""Payers who contest what they paid, their card company's word, and a merchant who asks again.

Stack only, and outside: the company's own desk, and the merchant's system at the public API. The
desk is never killed; the portal hears of it by notices that may come late, and asks.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

import httpx

from portal.stack.drill.patience import PAUSE_S, TROUBLE, persist
from portal.stack.merchant import LostDispute, MerchantSystem, PortalRefusedError
from portal.stack.payers import JournalPayment, Phone

AT: Final = "sandbox_card"
WAYS: Final = ("take_now", "take_when_lost")
"""When the company takes the money back: at once, or only when its holder is right."""

_CONFLICT: Final = 409
_SEE_OTHER: Final = 303
_NEEDLESS: Final = ("not_payable", "message_running")
"""Refusals to send a message again: it is paid again already, or is being told."""

_STEP_S: Final = 1.0
_OPEN_SHARE: Final = 0.5
_WON_SHARE: Final = 0.4
_AGAIN_SHARE: Final = 0.6
_CHARGED_SHARE: Final = 0.4
_EACH_STAYS: Final = 5
"""So many disputes to one that nobody decides while the drill lasts."""


@dataclass(slots=True)
class Contest:
    """Opens disputes at the company's desk (``origin``), decides them, asks to pay again.

    ``most``: disputes that are opened at all. ``asked`` are references of payments whose money the
    merchant asks for again, noted before the portal is told; ``troubles`` what it would not do.
    """

    phone: Phone
    client: httpx.AsyncClient
    origin: str
    merchant: MerchantSystem
    chance: random.Random
    most: int
    opened: list[str] = field(default_factory=list[str])
    asked: set[str] = field(default_factory=set[str])
    troubles: list[str] = field(default_factory=list[str])
    _looked_at: set[str] = field(default_factory=set[str])

    async def go_on(self) -> None:
        """Open a dispute, or decide one, or ask for what was lost; whatever chance says."""
        await asyncio.sleep(_STEP_S)
        payments = [one for one in (await self.phone.journal()).payments if one.provider == AT]
        if len(self.opened) < self.most and self.chance.random() < _OPEN_SHARE:
            await self._open(payments)
            return
        stay = set(self.opened[_EACH_STAYS - 1 :: _EACH_STAYS])
        undecided = [one for one in payments if one.dispute == "opened"]
        free = [one.reference for one in undecided if one.reference not in stay]
        if free:
            act = "win" if self.chance.random() < _WON_SHARE else "lose"
            await self._act(self.chance.choice(free), act)
        await self._ask_again()

    async def _open(self, payments: list[JournalPayment]) -> None:
        paid = [one for one in payments if one.state == "succeeded" and not one.dispute]
        charged = [one for one in paid if one.charged]
        if charged and self.chance.random() < _CHARGED_SHARE:
            paid = charged
        if not paid:
            return
        reference = self.chance.choice(paid).reference
        if await self._act(reference, self.chance.choice(WAYS)):
            self.opened.append(reference)

    async def _act(self, reference: str, act: str) -> bool:
        """At the desk; False for what can't be done there: all of it has gone back, for one."""
        answer = await self.client.post(f"{self.origin}/disputes/{reference}", data={"act": act})
        if answer.status_code == _CONFLICT:
            return False
        if answer.status_code != _SEE_OTHER:
            self.troubles.append(f"{reference}: the desk answered {answer.status_code} to {act}")
        return True

    async def _ask_again(self) -> None:
        """Of the losses that nobody looked at yet some are asked for again, and the payer told."""
        try:
            lost = await self.merchant.lost_disputes()
        except TROUBLE:
            await asyncio.sleep(PAUSE_S)
            return
        for one in lost:
            if one.case in self._looked_at:
                continue
            self._looked_at.add(one.case)
            if self.chance.random() < _AGAIN_SHARE:
                await self._ask(one)

    async def _ask(self, lost: LostDispute) -> None:
        self.asked.add(lost.reference)
        try:
            await persist(lambda: self.merchant.ask_to_pay(lost.case, f"again-{lost.case}"))
            await persist(lambda: self._resend(lost))
        except TROUBLE as trouble:
            self.troubles.append(f"{lost.reference}: {trouble}")

    async def _resend(self, lost: LostDispute) -> None:
        try:
            await self.merchant.resend(lost.bill, f"resend-{lost.case}")
        except PortalRefusedError as refused:
            if not any(code in str(refused) for code in _NEEDLESS):
                raise
