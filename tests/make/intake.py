"""A merchant's desk: files go in, workers do their steps, messages go out through a relay."""

import csv as csv_files
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.contract.bills import (
    LIST_BILLS,
    BillFilter,
    BillOrder,
    BillPage,
    BillSearch,
    ListBills,
)
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.intake import (
    ACCEPT_CHUNK,
    CREATE_IMPORT,
    DECIDE_IMPORT,
    DISCARD_BILLS,
    FINISH_UPLOAD,
    ISSUE_BILLS,
    LIST_ROW_FAULTS,
    PART_BYTES_MAX,
    STORE_PART,
    VIEW_IMPORT,
    AcceptChunk,
    CreateImport,
    DecideImport,
    Decision,
    DiscardBills,
    FinishUpload,
    ImportView,
    IssueBills,
    ListRowFaults,
    RowFault,
    StorePart,
    ViewImport,
)
from portal.contract.message import (
    REDEEM_DELIVERIES,
    REPORT_AND_NEXT,
    RedeemDeliveries,
    Redeemed,
    ReportAndNext,
    SendResult,
    Slice,
)
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, Leased, TakeLease, TaskHint
from portal.domain.ids import DeliveryId, ImportId
from portal.domain.sample import SampleFile, sample_file
from portal.kit.clock import SystemClock
from portal.vault.server import VaultServer
from tests.make.vault import ClientFor, add_staff, found_merchant, signed_in

SMS_HOST = "sms.sandbox.test"
HEADER = "number,customer_no,contract_no,kind,period,payer_name,phone,email,amount,due_on,language"

DUE_ON = SystemClock().business_today("Asia/Tokyo") + timedelta(days=20)


def line(number: str = "E-1", **cells: str) -> str:
    """One good row, changed where told."""
    values = {
        "number": number,
        "customer_no": f"0012-{number}",
        "contract_no": f"C-{number}",
        "kind": "monthly",
        "period": "2026-11",
        "payer_name": "髙橋 太郎",
        "phone": "090-1234-5678",
        "email": "",
        "amount": "8420",
        "due_on": DUE_ON.isoformat(),
        "language": "ja",
    } | cells
    out = io.StringIO()
    csv_files.writer(out, lineterminator="").writerow(values[name] for name in HEADER.split(","))
    return out.getvalue()


def csv(*lines: str, header: str = HEADER) -> bytes:
    """A file of these rows."""
    return "\r\n".join((header, *lines, "")).encode()


@dataclass
class Desk:
    """One merchant with a member of staff signed in, a worker and a relay."""

    server: VaultServer
    web: VaultClient
    work: VaultClient
    egress: VaultClient
    operator: VaultClient
    staff: Authority
    code: str
    merchant_id: UUID
    keys: int = 0
    hints: list[TaskHint] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The merchant's business day."""
        return self.server.clock.business_today("Asia/Tokyo")

    def key(self) -> str:
        """A fresh idempotency key."""
        self.keys += 1
        return f"key-{self.keys}"

    # --- intake --------------------------------------------------------------------------------
    async def create(self, size_bytes: int | None = None, key: str | None = None) -> ImportView:
        """Open an import."""
        request = CreateImport(
            filename="請求_11月.csv", size_bytes=size_bytes, idempotency_key=key or self.key()
        )
        return await self.web.call(CREATE_IMPORT, request, self.staff)

    async def store(self, import_id: UUID, offset: int, body: bytes) -> int:
        """Store one part."""
        request = StorePart(import_id=ImportId(import_id), offset=offset, body=body)
        return (await self.web.call(STORE_PART, request, self.staff)).received_bytes

    async def upload(self, body: bytes) -> ImportView:
        """Send a whole file; nothing is judged yet."""
        made = await self.create(len(body))
        for offset in range(0, len(body), PART_BYTES_MAX):
            await self.store(made.id, offset, body[offset : offset + PART_BYTES_MAX])
        return await self.finish(made.id, len(body))

    async def finish(self, import_id: UUID, size: int) -> ImportView:
        """Say that the file is whole."""
        request = FinishUpload(import_id=ImportId(import_id), size_bytes=size)
        return await self.web.call(FINISH_UPLOAD, request, self.staff)

    async def view(self, import_id: UUID) -> ImportView:
        """The import as screens show it."""
        request = ViewImport(import_id=ImportId(import_id))
        return await self.web.call(VIEW_IMPORT, request, self.staff)

    async def faults(self, import_id: UUID, code: str | None = None) -> list[RowFault]:
        """All faults, page by page."""
        found: list[RowFault] = []
        while True:
            request = ListRowFaults(
                import_id=ImportId(import_id),
                first=50,
                after_line=found[-1].line if found else 0,
                code=code,
            )
            page = await self.web.call(LIST_ROW_FAULTS, request, self.staff)
            found += page.faults
            if not page.has_next:
                return found

    async def take_in(self, *lines: str) -> ImportView:
        """Upload rows and judge them."""
        made = await self.upload(csv(*lines))
        await self.work_off()
        return await self.view(made.id)

    async def sample(self, rows: int, seed: int = 1, faulty: float = 0.0) -> ImportView:
        """Upload and judge a sample."""
        wanted = SampleFile(rows=rows, seed=seed, today=self.today, faulty_share=faulty)
        made = await self.upload(b"".join(sample_file(wanted)))
        await self.work_off()
        return await self.view(made.id)

    async def decide(
        self, import_id: UUID, decision: Decision = "send", key: str | None = None
    ) -> ImportView:
        """Say yes or no."""
        request = DecideImport(
            import_id=ImportId(import_id), decision=decision, idempotency_key=key or self.key()
        )
        return await self.web.call(DECIDE_IMPORT, request, self.staff)

    async def issued(self, *lines: str) -> ImportView:
        """Take rows in and issue them; messages wait."""
        made = await self.take_in(*lines)
        await self.decide(made.id)
        await self.work_off()
        return await self.view(made.id)

    # --- work ----------------------------------------------------------------------------------
    async def leases(self, *kinds: str) -> list[Leased]:
        """Lease every task that is due, of these kinds; hints of other kinds are kept."""
        self.hints += (await self.work.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=500))).tasks
        wanted = [hint for hint in self.hints if not kinds or hint.kind in kinds]
        self.hints = [hint for hint in self.hints if hint not in wanted]
        return [await self.lease(hint.id, hint.attempt) for hint in wanted]

    async def lease(self, task_id: Any, attempt: int) -> Leased:  # noqa: ANN401  # a NewType
        """Take one task."""
        request = TakeLease(task_id=task_id, attempt=attempt, worker="test")
        return await self.work.call(TAKE_LEASE, request)

    async def work_off(self) -> int:
        """Do all steps of intake that are due, and what they leave behind; how many."""
        done = 0
        while leases := await self.leases(
            "intake.accept_chunk", "intake.issue_bills", "intake.discard_bills"
        ):
            for leased in leases:
                await self.step(leased)
                done += 1
        return done

    async def step(self, leased: Leased) -> None:
        """One task of intake, as the worker does it."""
        import_id = ImportId(leased.subject_id)
        if leased.kind == "intake.accept_chunk":
            chunk = AcceptChunk(import_id=import_id, chunk_no=leased.number)
            await self.work.call(ACCEPT_CHUNK, chunk, leased.authority, timeout_s=60.0)
            return
        while True:
            if leased.kind == "intake.issue_bills":
                progress = await self.work.call(
                    ISSUE_BILLS, IssueBills(import_id=import_id), leased.authority
                )
            else:
                progress = await self.work.call(
                    DISCARD_BILLS, DiscardBills(import_id=import_id), leased.authority
                )
            if not progress.remaining:
                return

    # --- messages ------------------------------------------------------------------------------
    async def report(
        self, leased: Leased, results: Sequence[SendResult] = (), take: int = 100
    ) -> Slice:
        """Report a slice and take the next."""
        request = ReportAndNext(chunk_id=leased.subject_id, results=tuple(results), take=take)  # type: ignore[arg-type]
        return await self.work.call(REPORT_AND_NEXT, request, leased.authority)

    async def redeem(self, *ids: DeliveryId, host: str = SMS_HOST) -> Redeemed:
        """Redeem as the relay does."""
        return await self.egress.call(
            REDEEM_DELIVERIES, RedeemDeliveries(host=host, delivery_ids=ids)
        )

    async def send_all(self, outcome: str = "accepted") -> int:
        """Send every chunk that is due; how many messages."""
        sent = 0
        for leased in await self.leases("message.send_chunk"):
            part = await self.report(leased)
            while not part.done:
                await self.redeem(*(route.delivery_id for route in part.deliveries))
                sent += len(part.deliveries)
                part = await self.report(
                    leased, [result(route.delivery_id, outcome) for route in part.deliveries]
                )
        return sent

    # --- bills ---------------------------------------------------------------------------------
    async def bills(  # as the request has them
        self,
        *,
        first: int = 50,
        after: str | None = None,
        order: BillOrder = "created_asc",
        search: BillSearch | None = None,
        staff: Authority | None = None,
        **wanted: Any,  # noqa: ANN401  # fields of the filter
    ) -> BillPage:
        """A page of the list."""
        request = ListBills(
            filter=BillFilter(**wanted), search=search, order=order, first=first, after=after
        )
        return await self.web.call(LIST_BILLS, request, staff or self.staff)


def result(delivery_id: DeliveryId, outcome: str, code: str = "") -> SendResult:
    """What a worker reports on one delivery."""
    ref = f"sm_{delivery_id.hex[-8:]}" if outcome == "accepted" else ""
    return SendResult(delivery_id=delivery_id, outcome=outcome, provider_ref=ref, code=code)  # type: ignore[arg-type]


async def new_desk(vault: VaultServer, client_for: ClientFor, code: str = "minato") -> Desk:
    """A desk of a new merchant in a running vault."""
    web, operator = await client_for("web"), await client_for("operator")
    await found_merchant(operator, code)
    await add_staff(operator, code)
    session = await signed_in(operator, web, code)
    return Desk(
        server=vault,
        web=web,
        work=await client_for("work"),
        egress=await client_for("egress"),
        operator=operator,
        staff=session.authority,
        code=code,
        merchant_id=session.merchant.id,
    )
