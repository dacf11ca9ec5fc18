"""A merchant's staff who give money back while a drill breaks things.

Stack only, and outside: a browser's session, the portal's own documents, an authenticator. Whatever
fails is asked again under the same key; each of them keeps a notebook of what they asked for, which
the drill holds against the books afterwards (portal.stack.drill.tally).
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pyotp.totp import TOTP

from portal.stack.access import StaffAccess
from portal.stack.drill.patience import PATIENCE_S, PAUSE_S, TROUBLE, persist
from portal.stack.drill.tally import Ask
from portal.stack.merchant import MerchantSystem, StaffSession

STEP_S: Final = 30
"""An authenticator shows a new code every half minute; each serves once."""

DEFINITE: Final = frozenset(
    {
        "refund_exceeds", "not_refundable", "refund_amount", "refund_state", "not_allowed",
        "approver_is_asker", "payment_disputed", "idempotency_mismatch", "not_found",
    }
)  # fmt: skip
"""Refusals that the same request would meet again; any other is met by asking again."""

ODD_AMOUNTS: Final = (4045, 4045, 4202, 4203, 4022)
"""Amounts at which the sandbox's card company drops its answer after giving the money back, takes
its time, fails after it, or refuses (portal.sandbox.magic)."""

_ODD_SHARE: Final = 0.4
_TWICE_SHARE: Final = 0.15
_WHOLE_SHARE: Final = 0.5
NO_ANSWER: Final = "no_answer"
_BUSINESS_ZONE: Final = ZoneInfo("Asia/Tokyo")


@dataclass(slots=True)
class Member:
    """One member of staff: a session and an authenticator that never shows a code twice."""

    access: StaffAccess
    session: StaffSession
    _step: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def has_code(self) -> bool:
        """Whether a code that was not shown yet counts now."""
        return self._step < int(time.time()) // STEP_S + 1

    async def ask(self, ask: Ask, payment: str) -> dict[str, Any] | None:
        """Ask until there is an answer, and note it; gives the refund that was taken."""
        wanted = {
            "billId": ask.bill, "attemptId": payment, "amount": ask.amount, "way": "PROVIDER",
            "reason": "GOODWILL", "note": ask.key, "idempotencyKey": ask.key,
        }  # fmt: skip
        refund, code = await self._with_code("refund_request", "refundRequest", wanted)
        if code != NO_ANSWER:
            ask.answer = code or "taken"
        return refund

    async def decide(self, refund: str, decision: str, key: str) -> str:
        """Approve or withdraw what a colleague asked for; gives the code of a refusal."""
        wanted = {"id": refund, "decision": decision, "idempotencyKey": key}
        if decision == "APPROVE":
            return (await self._with_code("refund_decide", "refundDecide", wanted))[1]
        return await self._until_answered("refund_decide", "refundDecide", wanted)

    async def transferred(self, refund: str, key: str) -> str:
        """Record that the money was transferred today; gives the code of a refusal."""
        today = datetime.now(_BUSINESS_ZONE).date().isoformat()
        wanted = {"id": refund, "transferredOn": today, "note": "", "idempotencyKey": key}
        return await self._until_answered("refund_transferred", "refundTransferred", wanted)

    async def _with_code(
        self, document: str, name: str, wanted: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str]:
        """Repeat with a fresh code until there is an answer: the refund, or why there is none."""
        async with self._lock:
            step = await self._fresh_step()
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline:
                if step < int(time.time()) // STEP_S - 1:
                    step = await self._fresh_step()  # the code has run out meanwhile
                totp = TOTP(self.access.totp_secret).at(step * STEP_S)
                refund, code = await self._try(document, name, wanted | {"totp": totp})
                if refund is not None or code in DEFINITE:
                    return refund, code
                if code == "totp_refused":
                    step = await self._fresh_step()
                await asyncio.sleep(PAUSE_S)
        return None, NO_ANSWER

    async def _until_answered(self, document: str, name: str, wanted: dict[str, Any]) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            refund, code = await self._try(document, name, wanted)
            if refund is not None or code in DEFINITE:
                return code
            await asyncio.sleep(PAUSE_S)
        return NO_ANSWER

    async def _try(
        self, document: str, name: str, wanted: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str]:
        """One request: the refund, or why there is none."""
        try:
            done = (await self.session.run(document, {"input": wanted}))[name]
        except TROUBLE:
            return None, "trouble"
        return done["refund"], done["errors"][0]["code"] if done["errors"] else ""

    async def _fresh_step(self) -> int:
        """The next code that was not shown yet; waits for it when all that count are used."""
        while True:
            now = int(time.time()) // STEP_S
            step = max(self._step + 1, now - 1)
            if step <= now + 1:
                self._step = step
                return step
            await asyncio.sleep(PAUSE_S)


@dataclass(slots=True)
class Staff:
    """Everybody who gives money back, and what they wrote down.

    ``odd``: some ask for amounts at which the card company misbehaves.
    """

    members: Sequence[Member]
    merchant: MerchantSystem
    chance: random.Random
    odd: bool = False
    notebook: list[Ask] = field(default_factory=list[Ask])
    troubles: list[str] = field(default_factory=list[str])
    _seen: set[str] = field(default_factory=set[str])

    async def refund_one(self) -> None:
        """Somebody picks a paid bill that nobody looked at yet, and gives a part or all back.

        Nobody does while there is no code to show: what is under way ends soon.
        """
        free = [member for member in self.members if member.has_code]
        found = await self._find() if len(free) > 1 else None
        if found is None:
            await asyncio.sleep(PAUSE_S)
            return
        self.chance.shuffle(free)
        bill, payment, room = found
        amount = self._amount(room)
        askers = 2 if amount == room and self.chance.random() < _TWICE_SHARE else 1
        asks = [self._note(bill, amount) for _ in range(askers)]
        await asyncio.gather(
            *(
                self._see_through(ask, payment, member)
                for ask, member in zip(asks, free, strict=False)
            )
        )

    @property
    def taken(self) -> int:
        """How many refunds the portal took."""
        return sum(ask.answer == "taken" for ask in self.notebook)

    async def _see_through(self, ask: Ask, payment: str, member: Member) -> None:
        """Ask, and do what a person does next: have it approved, or transfer it."""
        refund = await member.ask(ask, payment)
        refusal = "" if ask.answer else NO_ANSWER
        owners = [one for one in self.members if one.access.role == "owner"]
        if refund is not None and refund["state"] == "REQUESTED":
            colleague = next(one for one in owners if one is not member)
            refusal = await colleague.decide(refund["id"], "APPROVE", f"{ask.key}-yes")
            # Two asked for the same money, and one has it; or its payer contests it by now.
            if refusal in {"refund_exceeds", "payment_disputed"}:
                refusal = await colleague.decide(refund["id"], "WITHDRAW", f"{ask.key}-no")
        if refund is not None and refund["state"] == "BY_BANK_TRANSFER":
            refusal = await owners[0].transferred(refund["id"], f"{ask.key}-gone")
        if refusal:
            self.troubles.append(f"{ask.key}: {refusal}")

    async def _find(self) -> tuple[str, str, int] | None:
        """A payment with something left, of a bill that was not picked before."""
        found = await persist(lambda: self.merchant.bill_ids(["SETTLED"]))
        fresh = [bill for bill in found if bill not in self._seen]
        if not fresh:
            return None
        bill = self.chance.choice(fresh)
        self._seen.add(bill)
        payments = await persist(lambda: self.merchant.refundable(bill))
        return (bill, *payments[0]) if payments else None

    def _amount(self, room: int) -> int:
        odd = [amount for amount in ODD_AMOUNTS if amount < room]
        if self.odd and odd and self.chance.random() < _ODD_SHARE:
            return self.chance.choice(odd)
        return room if self.chance.random() < _WHOLE_SHARE else room // 2

    def _note(self, bill: str, amount: int) -> Ask:
        ask = Ask(f"drill-refund-{len(self.notebook):04d}", bill, amount)
        self.notebook.append(ask)
        return ask
