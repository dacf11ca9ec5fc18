"""A merchant with a bank's contract for transfers, refunds that wait for one, and its workers."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from portal.application.payment.transfer import advance
from portal.contract.client import VaultClient
from portal.contract.due import MOVE_CLOCK, MoveClock
from portal.contract.envelope import Authority
from portal.contract.refund import RefundView
from portal.contract.transfer import (
    BUILD_TRANSFER_FILE,
    DECIDE_TRANSFER_FILE,
    LIST_TRANSFER_FILES,
    OPEN_TRANSFER_CONTRACT,
    RECORD_RETURN,
    REPORT_TRANSFER_FILE,
    TAKE_OUT_TRANSFER_FILE,
    VIEW_TRANSFER_FILE,
    BuildTransferFile,
    DecideTransferFile,
    ListTransferFiles,
    OpenTransferContract,
    RecordReturn,
    ReportTransferFile,
    TakeOutTransferFile,
    TransferFilePage,
    TransferFileSeen,
    TransferFileView,
    ViewTransferFile,
)
from portal.contract.work import FINISH_TASK, FinishTask, Leased
from portal.domain.ids import RefundId, TransferContractId, TransferFileId
from portal.domain.refund_account import RefundAccount
from portal.kit.clock import SystemClock
from portal.vault.attempt import lock_bill
from portal.vault.refund import read_refund
from portal.vault.refund_account import give_account
from tests.make.money import World
from tests.make.refunds import Counter, Member, member, paid

CONTRACT: dict[str, Any] = {
    "company_code": "0000054321", "company_name": "ミナトデンリヨク", "bank_code": "0001",
    "branch_code": "001", "account_kind": "1", "account_number": "7654321", "submit_days": 1,
    "submit_by": time(15),
}  # fmt: skip
PART: int = 3000


@dataclass
class TransferDesk:
    """Staff who build and approve files of transfers; ``counter`` asks for the refunds."""

    world: World
    counter: Counter
    clerk: Member
    contract_id: TransferContractId
    day: date
    keys: int = 0

    @property
    def owner(self) -> Member:
        """Who approves."""
        return self.counter.owner

    def key(self) -> str:
        """A key that was not used before."""
        self.keys += 1
        return f"transfer-{self.keys}"

    # --- refunds --------------------------------------------------------------------------------
    async def refund(self, *, number: str = "1234567", amount: int = PART) -> RefundView:
        """A refund that waits for its transfer; its payer's account is known unless ``number``
        is empty.
        """
        bill, attempt = await paid(self.world)
        asked = await self.counter.ask(bill, attempt, amount, way="bank_transfer")
        if number:
            await self.give(asked, number)
        return asked

    async def give(self, refund: RefundView, number: str = "1234567") -> None:
        """The payer's account."""
        account = RefundAccount(
            bank_code="0005", branch_code="001", kind="1", number=number, holder="ﾔﾏﾀﾞ ﾊﾅｺ"
        )
        async with self.world.act() as act:
            await lock_bill(act, refund.bill_id)
            await give_account(act, await read_refund(act, refund.id), account, "staff")

    async def come_back(self, refund: RefundView, *, key: str = "", **more: Any) -> RefundView:  # noqa: ANN401
        """The bank sent it back."""
        return await self.come_back_by_id(refund.id, key=key, **more)

    async def come_back_by_id(
        self,
        refund_id: RefundId,
        *,
        key: str = "",
        **more: Any,  # noqa: ANN401
    ) -> RefundView:
        """The same of a refund that is known by its id."""
        request: dict[str, Any] = {
            "refund_id": refund_id, "returned_on": self.today, "reason": "口座なし",
            "idempotency_key": key or self.key(),
        }  # fmt: skip
        by: Member = more.pop("by", self.owner)
        asked = RecordReturn(**(request | more))
        return (await self.world.web.call(RECORD_RETURN, asked, by.authority)).refund

    @property
    def today(self) -> date:
        """The business day in Japan."""
        return self.world.server.clock.business_today("Asia/Tokyo")

    async def state(self, refund: RefundView) -> str:
        """Where it stands."""
        return await self.counter.state(refund)

    async def booked(self, refund: RefundView) -> dict[str, int]:
        """How often its bill's ledger was told of each cause."""
        rows = await self.world.rows(
            "select t.cause, count(distinct t.id) as n from ledger_transaction t"
            " join ledger_entry e on e.transaction_id = t.id where e.bill_id = $1 group by 1",
            refund.bill_id,
        )
        return {row["cause"]: row["n"] for row in rows}

    # --- files ----------------------------------------------------------------------------------
    async def build(self, **more: Any) -> TransferFileView:  # noqa: ANN401
        """Begin the file of the day."""
        request: dict[str, Any] = {
            "contract_id": self.contract_id, "transfer_on": self.day, "idempotency_key": self.key(),
        }  # fmt: skip
        by: Member = more.pop("by", self.clerk)
        asked = BuildTransferFile(**(request | more))
        return (await self.world.web.call(BUILD_TRANSFER_FILE, asked, by.authority)).file

    async def rule(
        self, one: TransferFileView, decision: str = "approve", *, by: Member | None = None,
        key: str = "", totp: str | None = None,
    ) -> TransferFileView:  # fmt: skip
        """Approve or discard, with a fresh code unless ``totp`` is another."""
        await (by or self.owner).let_codes_be_fresh()
        return await self.rule_as_is(one, decision, by=by, key=key, totp=totp)

    async def rule_as_is(
        self, one: TransferFileView, decision: str = "approve", *, by: Member | None = None,
        key: str = "", totp: str | None = None,
    ) -> TransferFileView:  # fmt: skip
        """The same by a code that may have been used: for who can't look into the vault."""
        who = by or self.owner
        asked = DecideTransferFile(
            file_id=one.id,
            decision=decision,  # type: ignore[arg-type]
            idempotency_key=key or self.key(),
            totp=who.code() if totp is None else totp,
        )
        return (await self.world.web.call(DECIDE_TRANSFER_FILE, asked, who.authority)).file

    async def report(self, one: TransferFileView, word: str, *, key: str = "") -> TransferFileView:
        """What the bank said of the file as a whole."""
        asked = ReportTransferFile(
            file_id=one.id,
            word=word,  # type: ignore[arg-type]
            idempotency_key=key or self.key(),
        )
        return (await self.world.web.call(REPORT_TRANSFER_FILE, asked, self.owner.authority)).file

    async def taken_out(self, one: TransferFileView, by: Member | None = None) -> bytes:
        """The bytes of an approved file, as they go to the bank."""
        body, part_no = b"", 0
        while True:
            asked = TakeOutTransferFile(file_id=one.id, part_no=part_no)
            authority = (by or self.owner).authority
            part = await self.world.web.call(TAKE_OUT_TRANSFER_FILE, asked, authority)
            body, part_no = body + part.body, part_no + 1
            if part.is_last:
                return body

    async def listed(self, by: Member | None = None) -> TransferFilePage:
        """The first page of files."""
        asked = ListTransferFiles(first=20, after=None)
        return await self.world.web.call(LIST_TRANSFER_FILES, asked, (by or self.owner).authority)

    async def looked(
        self, one: TransferFileView, first: int = 100, after_line: int = 0
    ) -> TransferFileSeen:
        """The file with its lines."""
        asked = ViewTransferFile(file_id=one.id, first=first, after_line=after_line)
        return await self.world.web.call(VIEW_TRANSFER_FILE, asked, self.owner.authority)

    async def seen(self, one: TransferFileView) -> TransferFileView:
        """The file as it is now."""
        [found] = [other for other in (await self.listed()).files if other.id == one.id]
        return found

    async def sealed(self) -> TransferFileView:
        """The file of the day, built."""
        one = await self.build()
        await self.worked()
        return await self.seen(one)

    async def at_bank(self) -> tuple[TransferFileView, bytes]:
        """Build, approve and take out the file of the day."""
        one = await self.sealed()
        await self.rule(one)
        return one, await self.taken_out(one)

    async def gone(self) -> TransferFileView:
        """A file that the bank took, on its day."""
        one, _ = await self.at_bank()
        await self.report(one, "accepted")
        await self.worked()
        await self.day_comes(one)
        await self.worked()
        return one

    async def day_comes(self, one: TransferFileView) -> None:
        """Let the business clock come to a file's day, which begins then."""
        ahead = (one.transfer_on - SystemClock().wall().date()).days + 1
        await self.world.operator.call(MOVE_CLOCK, MoveClock(offset_s=ahead * 86_400.0))
        upkeep = self.world.server.data.upkeep
        await upkeep.refresh()
        await upkeep.begin_days()

    # --- workers --------------------------------------------------------------------------------
    async def worked(self) -> list[str]:
        """Do all tasks of transfer files that are due; their kinds."""
        leases = await self.world.leases()
        for lease in leases:
            await self.step(lease)
        return [lease.kind for lease in leases]

    async def step(self, lease: Leased) -> None:
        """One task to its end, as a worker does it."""
        work = self.world.work
        if lease.kind == "transfer.advance":
            await advance(work, lease.authority, TransferFileId(lease.subject_id), lambda: False)
        else:
            await work.call(FINISH_TASK, FinishTask(), lease.authority)


async def open_transfers(world: World, **more: Any) -> TransferContractId:  # noqa: ANN401
    """A bank's contract with the world's merchant."""
    request = OpenTransferContract(merchant_code=world.code, **(CONTRACT | more))
    return (await world.operator.call(OPEN_TRANSFER_CONTRACT, request)).contract_id


async def new_transfer_desk(world: World, **contract: Any) -> TransferDesk:  # noqa: ANN401
    """A contract, an owner who approves and a clerk who builds."""
    contract_id = await open_transfers(world, **contract)
    owner = await member(world, "okami")
    clerk = await member(world, "banto", "clerk")
    desk = TransferDesk(world, Counter(world, owner), clerk, contract_id, date.min)
    [view] = (await desk.listed()).contracts
    assert view.next_on is not None
    desk.day = view.next_on
    return desk


async def open_transfer(
    operator: VaultClient, web: VaultClient, code: str, staff: Authority
) -> TransferContractId:
    """A merchant's contract with a file that is being built."""
    contract = OpenTransferContract(merchant_code=code, **CONTRACT)
    contract_id = (await operator.call(OPEN_TRANSFER_CONTRACT, contract)).contract_id
    asked = ListTransferFiles(first=1, after=None)
    [view] = (await web.call(LIST_TRANSFER_FILES, asked, staff)).contracts
    assert view.next_on is not None
    build = BuildTransferFile(
        contract_id=contract_id, transfer_on=view.next_on, idempotency_key="bank"
    )
    await web.call(BUILD_TRANSFER_FILE, build, staff)
    return contract_id
