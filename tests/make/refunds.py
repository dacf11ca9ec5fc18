"""Paid bills with staff who ask for refunds, and what a worker and a provider say to those."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pyotp

from portal.contract.client import VaultClient
from portal.contract.company_word import CompanyAsked
from portal.contract.envelope import Authority
from portal.contract.refund import (
    BEGIN_REFUND,
    DECIDE_REFUND,
    DEPOSIT_REFUND_ANSWER,
    LIST_BILL_REFUNDS,
    RECORD_REFUND_FINDING,
    RECORD_REFUND_SUBMISSION,
    RECORD_TRANSFER,
    REDEEM_REFUND,
    REQUEST_REFUND,
    BeginRefund,
    BillRefunds,
    DecideRefund,
    DepositRefundAnswer,
    ListBillRefunds,
    RecordRefundFinding,
    RecordRefundSubmission,
    RecordTransfer,
    RedeemRefund,
    RefundBegun,
    RefundNow,
    RefundView,
    RequestRefund,
)
from portal.contract.work import Leased
from portal.domain.ids import RefundId
from portal.domain.refund import NOT_SENT
from tests.make.money import AMOUNT, World, finding
from tests.make.vault import add_staff, signed_in

HOST = "card.sandbox.test"
ANSWERS: dict[str, tuple[int, dict[str, object]]] = {
    "succeeded": (201, {"status": "succeeded"}),
    "accepted": (201, {"status": "pending"}),
    "refused": (422, {"code": "refused"}),
}
FINDINGS: dict[str, tuple[int, dict[str, object]]] = {
    "not_found": (404, {"code": "not_found"}),
    "unclear": (500, {}),
}
"""How the sandbox's card company says it; findings that are here tell of no refund."""


@dataclass
class Member:
    """One member of staff with what proves who it is."""

    world: World
    authority: Authority
    totp: pyotp.TOTP

    def code(self) -> str:
        """The code of this half minute."""
        return self.totp.at(self.world.server.clock.wall())

    async def let_codes_be_fresh(self) -> None:
        """Let codes count as unused: what waiting half a minute does, without waiting."""
        async with self.world.act() as act:
            await act.db.execute(
                "update staff set totp_step = 0 where merchant_id = $1", act.merchant_id
            )


async def member(world: World, name: str, role: str = "owner") -> Member:
    """A new member of staff, logged in."""
    email = f"{name}@{world.code}.example"
    secret = await add_staff(world.operator, world.code, email, role)
    session = await signed_in(world.operator, world.web, world.code, email)
    return Member(world, session.authority, pyotp.TOTP(secret))


@dataclass
class Counter:
    """A merchant whose staff give money back."""

    world: World
    owner: Member
    keys: int = 0
    codes_are_fresh: bool = True
    known: dict[UUID, Any] = field(default_factory=dict[UUID, Any])

    async def ask(
        self,
        bill_id: UUID,
        attempt_id: UUID,
        amount: int = AMOUNT,
        **more: Any,  # noqa: ANN401
    ) -> RefundView:
        """Ask for a refund with a fresh code."""
        by: Member = more.pop("by", self.owner)
        if self.codes_are_fresh:
            await self.owner.let_codes_be_fresh()
        self.keys += 1
        request: dict[str, Any] = {
            "bill_id": bill_id, "attempt_id": attempt_id, "amount_minor": amount,
            "way": "provider", "reason": "overpaid", "note": "",
            "totp": by.code(), "idempotency_key": f"ask-{self.keys}",
        }  # fmt: skip
        changed = await self.world.web.call(
            REQUEST_REFUND, RequestRefund(**(request | more)), by.authority
        )
        return changed.refund

    async def decide(
        self, refund: RefundView, decision: str = "approve", *, by: Member | None = None,
        key: str = "decide-1", totp: str | None = None,
    ) -> RefundView:  # fmt: skip
        """Approve or withdraw, with a fresh code unless ``totp`` is another."""
        who = by or self.owner
        if self.codes_are_fresh:
            await self.owner.let_codes_be_fresh()
        request = DecideRefund(
            refund_id=refund.id,
            decision=decision,  # type: ignore[arg-type]
            idempotency_key=key,
            totp=who.code() if totp is None else totp,
        )
        authority = who.authority
        return (await self.world.web.call(DECIDE_REFUND, request, authority)).refund

    async def transferred(
        self, refund: RefundView, day: date, note: str = "", *, by: Member | None = None,
        key: str = "transfer-1",
    ) -> RefundView:  # fmt: skip
        """Record a transfer."""
        request = RecordTransfer(
            refund_id=refund.id, transferred_on=day, note=note, idempotency_key=key
        )
        authority = (by or self.owner).authority
        return (await self.world.web.call(RECORD_TRANSFER, request, authority)).refund

    async def of_bill(self, bill_id: UUID, *, by: Member | None = None) -> BillRefunds:
        """The refunds of a bill as staff see them."""
        authority = (by or self.owner).authority
        return await self.world.web.call(
            LIST_BILL_REFUNDS,
            ListBillRefunds(bill_id=bill_id),
            authority,  # type: ignore[arg-type]
        )

    async def limit(self, yen: int) -> None:
        """Set what goes back without a second person."""
        async with self.world.act() as act:
            await act.db.execute(
                "update merchant set refund_limit_minor = $2 where id = $1", act.merchant_id, yen
            )

    async def state(self, refund: RefundView) -> str:
        """The refund's state in the database."""
        found: str = await self.world.value("select state from refund where id = $1", refund.id)
        return found

    async def lease(self, kind: str) -> Leased:
        """Lease the one task of a kind that is due."""
        [lease] = [one for one in await self.world.leases() if one.kind == kind]
        return lease

    async def begin(self, lease: Leased) -> RefundBegun:
        """A worker is about to send it."""
        return await self.world.work.call(
            BEGIN_REFUND,
            BeginRefund(refund_id=lease.subject_id),
            lease.authority,  # type: ignore[arg-type]
        )

    async def _at_the_relay(self, lease: Leased, method: str, path: str, body: str) -> Any:  # noqa: ANN401
        """A refund as the relay speaks of it, and the request about it that it was given."""
        if lease.subject_id not in self.known:  # read once: a vault that is killed shows no rows
            [self.known[lease.subject_id]] = await self.world.rows(
                "select r.reference, r.amount_minor, a.reference as payment from refund r"
                " join attempt a on a.id = r.attempt_id where r.id = $1",
                lease.subject_id,
            )
        row = self.known[lease.subject_id]
        headers = ("accept", "authorization")
        path = f"{path}/{row['reference']}" if method == "GET" else path
        return row, CompanyAsked(method=method, path=path, headers=headers, body=body)

    async def left(self, lease: Leased) -> str | None:
        """The relay asks for leave to send a refund; why it gets none."""
        row, asked = await self._at_the_relay(lease, "POST", "/v1/refunds", "{}")
        leave = RedeemRefund(
            host=HOST, refund_id=RefundId(lease.subject_id), reference=row["reference"],
            payment=row["payment"], amount_minor=row["amount_minor"], remaining_minor=None,
            asked=asked,
        )  # fmt: skip
        return (await self.relay.call(REDEEM_REFUND, leave)).refused

    async def deposited(
        self,
        lease: Leased,
        status: int,
        told: Mapping[str, object],
        *,
        is_answer: bool = False,
        age_ms: int = 0,
    ) -> str | None:
        """The relay puts the company's answer into the vault; why it moves nothing."""
        method = "POST" if is_answer else "GET"
        row, asked = await self._at_the_relay(lease, method, "/v1/refunds", "")
        known = {"reference": row["reference"], "payment": row["payment"], "currency": "JPY"}
        if status < 300:
            told = known | {"id": "cr_1", "amount": row["amount_minor"]} | told
        answer = DepositRefundAnswer(
            host=HOST, refund_id=RefundId(lease.subject_id), is_submission=is_answer, asked=asked,
            status=status, body=msgspec.json.encode(told), age_ms=age_ms,
        )  # fmt: skip
        return (await self.relay.call(DEPOSIT_REFUND_ANSWER, answer)).refused

    @property
    def relay(self) -> VaultClient:
        """Who speaks to the company."""
        assert self.world.relay is not None
        return self.world.relay

    async def answered(
        self, lease: Leased, outcome: str, *, ref: str | None = None, code: str = ""
    ) -> RefundNow:
        """What the provider said to the one call, to the relay and, it says, to the worker.

        It has a name for what it knows. What was not sent never came to the relay's ears.
        """
        if ref is None:
            ref = "cr_1" if outcome in {"accepted", "succeeded"} else ""
        if code not in NOT_SENT:
            await self.left(lease)
            status, told = ANSWERS.get(outcome, (500, {}))
            await self.deposited(lease, status, told, is_answer=True)
        return await self.claimed(lease, outcome, ref=ref, code=code)

    async def claimed(
        self, lease: Leased, outcome: str, *, ref: str = "", code: str = ""
    ) -> RefundNow:
        """What a worker says of the one call, whatever the relay heard."""
        request = RecordRefundSubmission(
            refund_id=lease.subject_id,
            outcome=outcome,
            provider_ref=ref,
            code=code,  # type: ignore[arg-type]
        )
        return await self.world.work.call(RECORD_REFUND_SUBMISSION, request, lease.authority)

    async def found(
        self, lease: Leased, state: str, amount: int = AMOUNT, code: str = ""
    ) -> RefundNow:
        """What an inquiry learned, by the relay's word and by the worker's."""
        status, told = FINDINGS.get(state, (200, {"status": state, "amount": amount}))
        await self.deposited(lease, status, told)
        return await self.claimed_found(lease, state, amount, code)

    async def claimed_found(
        self, lease: Leased, state: str, amount: int = AMOUNT, code: str = ""
    ) -> RefundNow:
        """What a worker says of an inquiry, whatever the relay heard."""
        request = RecordRefundFinding(
            refund_id=lease.subject_id, state=state, amount_minor=amount,  # type: ignore[arg-type]
            provider_ref="cr_1" if state in {"succeeded", "pending"} else "", code=code,
        )  # fmt: skip
        return await self.world.work.call(RECORD_REFUND_FINDING, request, lease.authority)

    async def sent(self, outcome: str = "succeeded", **said: str) -> str:
        """The whole step of a worker; the refund's state after it."""
        lease = await self.lease("payment.refund")
        assert (await self.begin(lease)).fresh
        return (await self.answered(lease, outcome, **said)).state

    async def inquired(self, refund: RefundView, state: str, *, minutes: float = 5) -> str:
        """Let the next inquiry be due, and answer it."""
        await self.age(refund, minutes)
        leases = [one for one in await self.world.leases() if one.kind == "payment.refund_inquire"]
        assert leases
        now = [await self.found(lease, state, refund.amount_minor) for lease in leases]
        return now[-1].state

    async def age(self, refund: RefundView, minutes: float) -> None:
        """Let a refund and its tasks be older: what waiting does, without waiting."""
        async with self.world.act() as act:
            await act.db.execute(
                "update refund set doubt_at = doubt_at - $2::interval,"
                " state_at = state_at - $2::interval, ask_at = ask_at - $2::interval,"
                " missing_at = missing_at - $2::interval where id = $1",
                refund.id, timedelta(minutes=minutes),
            )  # fmt: skip
            await act.db.execute(
                "update task set next_at = next_at - $2::interval"
                " where subject_id = $1 and kind = 'payment.refund_inquire'",
                refund.id, timedelta(minutes=minutes),
            )  # fmt: skip


async def new_counter(world: World, owner: str = "hana") -> Counter:
    """A merchant with one owner."""
    return Counter(world, await member(world, owner))


async def overpaid(world: World) -> tuple[UUID, UUID, UUID]:
    """A bill paid twice: the bill and both attempts; the second came after an expired page."""
    payer = await world.payer()
    first = await world.start(payer, "k1")
    await world.submitted(payer, first, outcome="refused", code="card_declined")
    second = await world.paid(payer, "k2")
    await world.told(payer, first.attempt_id, finding("succeeded"))
    assert await world.settlement(payer.bill_id) == "over"
    return payer.bill_id, second, first.attempt_id


async def paid(world: World, amount: int = AMOUNT) -> tuple[UUID, UUID]:
    """A bill paid once, and its attempt."""
    payer = await world.payer(amount=amount)
    started = await world.start(payer, amount=amount)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("succeeded", amount))
    return payer.bill_id, started.attempt_id
