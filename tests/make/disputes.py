"""Payments that their payers contest: what the company says, and the staff who settle cases."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from portal.contract.case import SETTLE_CASE, SettleCase
from portal.contract.operator import JournalLine
from portal.contract.payment import (
    RECORD_NOTICE,
    DisputeFound,
    Finding,
    NoticeClaim,
    RecordNotice,
)
from portal.domain.ids import CaseId
from tests.make.money import AMOUNT, Payer, World, finding
from tests.make.refunds import Counter

BY = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)
"""Until then the merchant may answer."""


def disputed(state: str, taken: int = AMOUNT, *, paid: int = AMOUNT, **more: Any) -> Finding:  # noqa: ANN401
    """The company knows a payment, all of which is contested unless ``amount_minor`` says less."""
    found: dict[str, Any] = {
        "reference": "dp_1", "state": state, "amount_minor": paid, "taken_minor": taken,
        "reason": "fraudulent", "respond_by": BY,
    }  # fmt: skip
    return msgspec.structs.replace(
        finding("succeeded", paid), dispute=DisputeFound(**(found | more))
    )


@dataclass
class Desk:
    """A paid bill with staff, and a company that says how its dispute stands."""

    counter: Counter
    payer: Payer
    attempt_id: UUID
    paid: int = AMOUNT
    notices: int = 0

    @property
    def world(self) -> World:
        """Where the bill is."""
        return self.counter.world

    async def hear(self, found: Finding, claim: str = "dispute_opened") -> None:
        """The company's notice, then the inquiry that follows it."""
        self.notices += 1
        reference = await self.world.value(
            "select reference from attempt where id = $1", self.attempt_id
        )
        claims = (
            NoticeClaim(
                notice_id=f"n-{self.notices}", subject="attempt", reference=reference, claim=claim,
                at=None,
            ),
        )  # fmt: skip
        await self.world.web.call(
            RECORD_NOTICE,
            RecordNotice(
                merchant_code=self.world.code, provider="sandbox_card", raw=b"{}", claims=claims
            ),
        )
        await self.ask(found)

    async def ask(self, found: Finding) -> None:
        """Let every planned inquiry be due, and answer it."""

        async def truth(_: UUID) -> Finding:
            return found

        await self.world.age(self.attempt_id, 60 * 24)
        assert await self.world.worked(truth) >= 1

    async def case(self, kind: str) -> CaseId:
        """The one case of a kind."""
        return await self.world.value(
            "select id from case_ where kind = $1 order by id desc limit 1", kind
        )

    async def settle(self, kind: str, action: Any, note: str = "") -> None:  # noqa: ANN401
        """An owner settles it."""
        case_id = await self.case(kind)
        request = SettleCase(
            case_id=case_id, action=action, note=note, idempotency_key=f"{case_id}"
        )
        await self.world.web.call(SETTLE_CASE, request, self.counter.owner.authority)

    async def settlement(self) -> str:
        """The bill's."""
        return await self.world.settlement(self.payer.bill_id)

    async def books(self) -> dict[str, int]:
        """The bill's."""
        return await self.world.books(self.payer.bill_id)

    async def differences(self, taken_back: int) -> set[str]:
        """What the company's journal says otherwise, where it took so much back of the payment."""
        lines = [
            JournalLine(
                reference=row["reference"], state="succeeded", amount_minor=self.paid,
                taken_back_minor=taken_back if row["id"] == self.attempt_id else 0,
            )
            for row in await self.world.rows("select id, reference from attempt")
        ]  # fmt: skip
        return {code for _, code in await self.world.compare(*lines)}
