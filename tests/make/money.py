"""Bills ready to be paid, payers who hold their links, and a provider that knows the truth.

The bill is put in by an act of the vault itself (sealed, issued in the ledger, with a link), so
that money can be tested without files and messages; everything after that goes over the channel.
"""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.contract.client import VaultClient
from portal.contract.company_word import DEPOSIT_PAYMENT_ANSWER
from portal.contract.envelope import Authority, Nothing, Operation
from portal.contract.operator import (
    COMPARE_JOURNAL,
    OPEN_MERCHANT,
    CompareJournal,
    JournalLine,
    JournalRefund,
    OpenMerchant,
)
from portal.contract.page import OPEN_LINK, VIEW_PAGE, OpenLink, PageView
from portal.contract.payment import (
    RECORD_INQUIRY,
    RECORD_SUBMISSION,
    START_PAYMENT,
    VIEW_ATTEMPT,
    VIEW_INQUIRY,
    AttemptNow,
    AttemptStarted,
    Finding,
    RecordInquiry,
    RecordSubmission,
    StartPayment,
    ViewAttempt,
    ViewInquiry,
)
from portal.contract.share import SET_PART_PAYMENT, SetPartPayment, ViewPage
from portal.contract.work import (
    AWAIT_WORK,
    FINISH_TASK,
    TAKE_LEASE,
    AwaitWork,
    FinishTask,
    Leased,
    TakeLease,
)
from portal.domain.ids import to_public
from portal.domain.ledger import bill_issued
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.capability import VERSION, Budget, Capability
from portal.vault.ledger import post
from portal.vault.registry import Registered
from portal.vault.sealed import BillBilling, BillContact, BillItem
from portal.vault.server import VaultServer
from portal.vault.transaction import Call
from tests.make.company_words import Asked, deposit
from tests.make.vault import ClientFor, found_merchant

AMOUNT = 8420
PAGE = "https://card.sandbox.test/card/cs_1"

_INSERT_BILL = """
insert into bill (merchant_id, id, import_id, line, number, lifecycle, settlement, message, kind,
    period, contract_blind, customer_blind, check_code, amount_minor, tax_minor, due_on, language,
    contact, billing, created_at, issued_at)
values ($1, $2, $3, 1, $4, $5, 'unpaid', 'none', 'electricity', '2026-11', $6, $7, 482177, $8,
    765, $9, 'ja', $10, $11, $12, $12)
"""


def finding(state: str, amount: int = AMOUNT, **more: str) -> Finding:
    """What an inquiry learned, with nothing said that is not given."""
    told = {
        "provider_ref": "", "decline_code": "", "approval_no": "", "instrument_hint": "",
        "authentication": "",
    }  # fmt: skip
    return Finding(state=state, amount_minor=amount, **(told | more))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Payer:
    """Someone who has the link of one bill."""

    bill_id: UUID
    secret: str
    authority: Authority
    page_ref: str


async def new_world(
    server: VaultServer, client_for: ClientFor, code: str = "minato", wallet: str = ""
) -> "World":
    """A merchant on a running vault, with callers of every kind that money needs."""
    zones = ("web", "work", "operator", "egress")
    web, work, operator, relay = [await client_for(zone) for zone in zones]
    await found_merchant(operator, code, wallet=wallet)
    opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code=code))
    return World(server, web, work, operator, code, opened.id, relay)


@dataclass
class World:
    """A running vault with its callers and one merchant."""

    server: VaultServer
    web: VaultClient
    work: VaultClient
    operator: VaultClient
    code: str
    merchant_id: UUID
    relay: VaultClient | None = None
    known: dict[UUID, Asked] = field(default_factory=dict[UUID, Asked])

    async def with_company(self, card_provider: str) -> "World":
        """Another merchant there, whose cards this company takes; its code is the company's."""
        code = card_provider.replace("_", "")
        await found_merchant(self.operator, code, card_provider)
        opened = await self.operator.call(OPEN_MERCHANT, OpenMerchant(code=code))
        return replace(self, code=code, merchant_id=opened.id)

    # --- inside the vault ----------------------------------------------------------------------
    @asynccontextmanager
    async def act(self) -> AsyncGenerator[Act]:
        """A transaction of the vault for this merchant, as an operation would have it."""
        now_s = int(self.server.clock.wall().timestamp())
        capability = Capability(
            v=VERSION, kid=1, kind="caller", merchant=self.merchant_id, subject=UUID(int=7),
            ops=("test",), scope_id=None, role=None, scopes=(), budget=Budget(10**9),
            not_before=now_s - 5, expires_at=now_s + 60, jti=UUID(int=7),
        )  # fmt: skip
        entry = Registered(
            op=Operation("test", Nothing, Nothing),  # type: ignore[type-var]
            callers=frozenset({"operator"}), kinds=frozenset({"caller"}), reveals=(),
            rows_max=10**6, cost=0, audit="none", roles=None, scope=None, summary="",
        )  # fmt: skip
        call = Call(
            entry=entry, capability=capability, caller="operator", request=Nothing(), digest=b""
        )
        async with self.server.data.transactions.begin(call) as act:
            yield act

    async def value(self, query: str, *args: object) -> Any:  # noqa: ANN401  # of its column's type
        """One value as the vault's own role sees it."""
        async with self.act() as act:
            return await act.db.fetchval(query, *args)

    async def rows(self, query: str, *args: object) -> list[Any]:
        """Rows as the vault's own role sees them."""
        async with self.act() as act:
            return [dict(row) for row in await act.db.fetch(query, *args)]

    async def bill(  # noqa: PLR0913  # each is one fact of the bill
        self, *, amount: int = AMOUNT, lifecycle: str = "open", due: date | None = None,
        link_days: int = 30, contract: UUID | bytes | None = None,
        customer: bytes = b"c" * 16, kana: str = "",
    ) -> tuple[UUID, str]:  # fmt: skip
        """An issued bill and the secret of its link; alone in its contract unless one is given."""
        secret = secrets.token_hex(11)
        async with self.act() as act:
            bill_id = act.new_id()
            whose = contract or bill_id
            blind = whose if isinstance(whose, bytes) else whose.bytes
            fields = await act.fields()
            contact = BillContact(
                "山田 花子", "+819012345678", "", "12345678", "C-1", payer_kana=kana
            )
            billing = BillBilling((BillItem("電気料金", amount, 10),))
            due_on = due or act.clock.business_today("Asia/Tokyo") + timedelta(days=10)
            await act.db.execute(
                _INSERT_BILL, act.merchant_id, bill_id, UUID(int=1), f"B-{bill_id.hex[-8:]}",
                "scheduled", blind, customer, amount, due_on,
                fields.seal("bill", "contact", bill_id, 1, contact),
                fields.seal("bill", "billing", bill_id, 1, billing), act.business,
            )  # fmt: skip
            # Tallies count what a bill becomes: it is issued by moving it, as in the product.
            await act.db.execute(
                "update bill set lifecycle = $3 where merchant_id = $1 and id = $2",
                act.merchant_id, bill_id, lifecycle,
            )  # fmt: skip
            await act.db.execute(
                "insert into link (merchant_id, secret_hash, bill_id, created_at, expires_at)"
                " values ($1, $2, $3, $4, $5)",
                act.merchant_id, sha256(secret.encode()), bill_id, act.now,
                act.now + timedelta(days=link_days),
            )  # fmt: skip
            await post(act, [bill_issued(bill_id, amount)])
        return bill_id, secret

    async def delivery(self, bill_id: UUID, *, state: str) -> str:
        """A delivery of a bill in a state; its public id, which providers repeat to us."""
        async with self.act() as act:
            delivery_id = act.new_id()
            await act.db.execute(
                "insert into delivery (merchant_id, id, bill_id, chunk_id, campaign, step, channel,"
                " provider, state, created_at, changed_at) values ($1, $2, $3, $4, 'issue', 1,"
                " 'sms', 'sandbox_sms', $5, $6, $6)",
                act.merchant_id, delivery_id, bill_id, UUID(int=9), state, act.now,
            )  # fmt: skip
        return to_public("delivery", delivery_id)

    async def age(self, attempt_id: UUID, minutes: float) -> None:
        """Let an attempt and its tasks be older: what waiting does, without waiting."""
        past = timedelta(minutes=minutes)
        async with self.act() as act:
            await act.db.execute(
                "update attempt set doubt_at = doubt_at - $2::interval,"
                " state_at = state_at - $2::interval, ask_at = ask_at - $2::interval,"
                " missing_at = missing_at - $2::interval, heard_at = heard_at - $2::interval"
                " where id = $1", attempt_id, past,
            )  # fmt: skip
            await act.db.execute(
                "update task set next_at = next_at - $2::interval where subject_id = $1",
                attempt_id, past,
            )  # fmt: skip

    # --- over the channel ----------------------------------------------------------------------
    async def payer(self, **bill: Any) -> Payer:  # noqa: ANN401  # as bill() takes them
        """A payer who has just opened the link of a new bill."""
        bill_id, secret = await self.bill(**bill)
        return await self.open(bill_id, secret)

    async def open(self, bill_id: UUID, secret: str) -> Payer:
        """Open a link."""
        opened = await self.web.call(OPEN_LINK, OpenLink(merchant_code=self.code, secret=secret))
        return Payer(bill_id, secret, opened.authority, opened.page_ref)

    async def start(
        self, payer: Payer, key: str = "key-1", amount: int = AMOUNT, method: str = "card",
        **more: Any,  # noqa: ANN401  # what else was chosen, as StartPayment takes it
    ) -> AttemptStarted:  # fmt: skip
        """Press the button."""
        request = StartPayment(method=method, expected_minor=amount, idempotency_key=key, **more)
        return await self.web.call(START_PAYMENT, request, payer.authority)

    async def submitted(self, payer: Payer, started: AttemptStarted, **said: str) -> AttemptNow:
        """Report what the provider answered: by default, that it accepted."""
        told = {"outcome": "accepted", "redirect_url": PAGE, "provider_ref": "cs_1", "code": ""}
        if said.get("outcome", "accepted") != "accepted":
            told |= {"redirect_url": "", "provider_ref": ""}
        request = RecordSubmission(attempt_id=started.attempt_id, **(told | said))  # type: ignore[arg-type]
        return await self.web.call(RECORD_SUBMISSION, request, payer.authority)

    async def told(self, payer: Payer, attempt_id: UUID, found: Finding) -> AttemptNow:
        """A finding on the payer's return: the relay tells of it, the web that it was asked."""
        if await self.heard(attempt_id, found) is None:
            seen = ViewAttempt(attempt_id=attempt_id)  # type: ignore[arg-type]
            return await self.web.call(VIEW_ATTEMPT, seen, payer.authority)
        request = RecordInquiry(attempt_id=attempt_id, finding=found)  # type: ignore[arg-type]
        return await self.web.call(RECORD_INQUIRY, request, payer.authority)

    async def heard(self, attempt_id: UUID, found: Finding) -> str | None:
        """The relay puts into the vault what the company says; why it moves nothing."""
        of = self.known.get(attempt_id) or await self.know(attempt_id)
        if self.relay is None:
            msg = "a world without a relay hears no company"
            raise RuntimeError(msg)
        request = deposit(of, attempt_id, self.code, found)
        return (await self.relay.call(DEPOSIT_PAYMENT_ANSWER, request)).refused

    async def know(self, attempt_id: UUID, *, keep: bool = False) -> Asked:
        """What its company is asked by; kept for when the vault is away and shows no rows."""
        [row] = await self.rows(
            "select provider, method, reference, provider_ref from attempt where id = $1",
            attempt_id,
        )
        of = Asked(**row)
        if keep:
            self.known[attempt_id] = of
        return of

    async def paid(self, payer: Payer, key: str = "key-1") -> UUID:
        """The whole happy way; the attempt's id."""
        started = await self.start(payer, key)
        await self.submitted(payer, started)
        await self.told(payer, started.attempt_id, finding("succeeded", approval_no="A1"))
        return started.attempt_id

    async def paid_alone(
        self, payer: Payer, amount: int, key: str = "alone",
        **more: Any,  # noqa: ANN401  # what else was chosen
    ) -> UUID:  # fmt: skip
        """The whole happy way of another sum; the attempt's id."""
        started = await self.start(payer, key, amount=amount, **more)
        await self.submitted(payer, started)
        await self.told(payer, started.attempt_id, finding("succeeded", amount))
        return started.attempt_id

    async def allow_parts(self, least: int | None) -> None:
        """Let bills be paid in parts of so much at least."""
        request = SetPartPayment(merchant_code=self.code, least_minor=least)
        await self.operator.call(SET_PART_PAYMENT, request)

    async def page(self, payer: Payer, **chosen: Any) -> PageView:  # noqa: ANN401
        """Look at the page, with what was chosen there as ViewPage takes it."""
        return await self.web.call(VIEW_PAGE, ViewPage(**chosen), payer.authority)

    async def leases(self) -> list[Leased]:
        """Take every task that is due, as a worker would."""
        due = await self.work.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=100))
        return [
            await self.work.call(
                TAKE_LEASE, TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
            )
            for hint in due.tasks
        ]

    async def worked(self, truth: Callable[[UUID], Awaitable[Finding]]) -> int:
        """Do all inquiries that are due; ``truth`` is the provider. Returns how many were asked."""
        asked = 0
        for lease in await self.leases():
            asked += await inquire(self, lease, truth)
        return asked

    async def compare(
        self,
        *lines: JournalLine,
        provider: str = "sandbox_card",
        refunds: tuple[JournalRefund, ...] | None = None,
    ) -> set[tuple[str, str]]:
        """The provider's journal against ours."""
        compared = await self.operator.call(
            COMPARE_JOURNAL,
            CompareJournal(
                merchant_code=self.code,
                provider=provider,
                lines=lines,
                last=True,
                refunds=refunds,
            ),
        )
        return {(difference.reference, difference.code) for difference in compared.differences}

    async def books(self, bill_id: UUID) -> dict[str, int]:
        """Balances of one bill's accounts that are not 0."""
        rows = await self.rows(
            "select account, sum(amount_minor)::bigint as balance from ledger_entry"
            " where bill_id = $1 group by account having sum(amount_minor) <> 0", bill_id,
        )  # fmt: skip
        return {row["account"]: row["balance"] for row in rows}

    async def cases(self) -> list[str]:
        """Kinds of open cases."""
        rows = await self.rows("select kind from case_ where closed_at is null order by kind")
        return [row["kind"] for row in rows]

    async def settlement(self, bill_id: UUID) -> str:
        """The bill's stored settlement."""
        return await self.value("select settlement from bill where id = $1", bill_id)

    async def events(self, bill_id: UUID) -> list[str]:
        """Codes of the bill's timeline in their order."""
        rows = await self.rows(
            "select code from bill_event where bill_id = $1 order by id", bill_id
        )
        return [row["code"] for row in rows]


async def inquire(world: World, lease: Leased, truth: Callable[[UUID], Awaitable[Finding]]) -> int:
    """One inquiry task as relay and worker do it; 1 when the provider was asked."""

    attempt_id: Any = lease.subject_id
    work = world.work
    due = await work.call(VIEW_INQUIRY, ViewInquiry(attempt_id=attempt_id), lease.authority)
    if due.settled:
        await work.call(FINISH_TASK, FinishTask(), lease.authority)
        return 0
    found = await truth(attempt_id)
    await world.heard(attempt_id, found)
    request = RecordInquiry(attempt_id=attempt_id, finding=found)
    await work.call(RECORD_INQUIRY, request, lease.authority)
    return 1
