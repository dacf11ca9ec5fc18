"""A merchant with a bank's contract, payers with mandates, and the bank's answers to its files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from portal.application.payment.debit import book, fill
from portal.contract.client import VaultClient
from portal.contract.debit import (
    BUILD_DEBIT_FILE,
    DECIDE_DEBIT_FILE,
    DECIDE_MANDATE,
    LIST_DEBIT_FILES,
    OPEN_DEBIT_CONTRACT,
    READ_DEBIT_RESULT,
    REGISTER_MANDATE,
    REPORT_DEBIT_FILE,
    STORE_DEBIT_RESULT,
    TAKE_OUT_DEBIT_FILE,
    BuildDebitFile,
    DebitFilePage,
    DebitFileView,
    DebitResultRead,
    DecideDebitFile,
    DecideMandate,
    ListDebitFiles,
    MandateView,
    OpenDebitContract,
    ReadDebitResult,
    RegisterMandate,
    ReportDebitFile,
    StoreDebitResult,
    TakeOutDebitFile,
)
from portal.contract.envelope import Authority
from portal.contract.work import FINISH_TASK, FinishTask, Leased
from portal.domain.ids import DebitContractId, DebitFileId
from portal.kit.limits import FILE_PART_BYTES_MAX
from tests.make.debits import answer
from tests.make.money import AMOUNT, Payer, World
from tests.make.refunds import Member, member

BANK = "0001"
CONTRACT: dict[str, Any] = {
    "collector_code": "0000012345", "collector_name": "ミナトデンリヨク", "bank_code": BANK,
    "branch_code": "001", "account_kind": "1", "account_number": "7654321", "record_end": "\r\n",
    "has_blank_result": False, "more_letters": "", "lines_max": 50_000, "day_of_month": 27,
    "submit_days": 4, "submit_by": time(15), "presents_again": True,
}  # fmt: skip


@dataclass
class Desk:
    """Staff who build and approve files; ``world`` is the merchant's vault with its workers."""

    world: World
    builder: Member
    owner: Member
    contract_id: DebitContractId
    debit_on: date
    keys: int = 0
    customers: int = 0
    mandates: list[MandateView] = field(default_factory=list[MandateView])

    def key(self) -> str:
        """A key that was not used before."""
        self.keys += 1
        return f"bank-{self.keys}"

    # --- mandates -------------------------------------------------------------------------------
    async def register(self, **more: Any) -> MandateView:  # noqa: ANN401
        """Take a mandate down from a form."""
        self.customers += 1
        request: dict[str, Any] = {
            "contract_id": self.contract_id, "customer_no": f"{self.customers:08d}",
            "bank_code": "0005", "branch_code": "001", "account_kind": "1",
            "account_number": f"{self.customers:07d}", "payer_name": "ヤマダ　ハナコ",
            "idempotency_key": self.key(),
        }  # fmt: skip
        changed = await self.world.web.call(
            REGISTER_MANDATE, RegisterMandate(**(request | more)), self.builder.authority
        )
        return changed.mandate

    async def decide(
        self, mandate: MandateView, decision: str = "activate", *, key: str = ""
    ) -> MandateView:
        """Record the bank's answer, or the payer's will."""
        request = DecideMandate(
            mandate_id=mandate.id,
            decision=decision,  # type: ignore[arg-type]
            idempotency_key=key or self.key(),
        )
        changed = await self.world.web.call(DECIDE_MANDATE, request, self.builder.authority)
        return changed.mandate

    async def debtor(self, amount: int = AMOUNT, **more: Any) -> Payer:  # noqa: ANN401
        """A payer with an active mandate and a bill that is due by the day of the file."""
        mandate = await self.decide(await self.register(**more))
        self.mandates.append(mandate)
        return await self.bill_of(mandate, amount)

    async def bill_of(self, mandate: MandateView, amount: int = AMOUNT) -> Payer:
        """One more bill of a mandate's customer."""
        payer = await self.world.payer(amount=amount, due=self.debit_on)
        async with self.world.act() as act:
            await act.db.execute(
                "update bill set customer_blind = (select customer_blind from mandate"
                " where id = $2) where id = $1",
                payer.bill_id,
                mandate.id,
            )
        return payer

    # --- files ----------------------------------------------------------------------------------
    async def build(self, **more: Any) -> DebitFileView:  # noqa: ANN401
        """Begin the file of the day."""
        request: dict[str, Any] = {
            "contract_id": self.contract_id, "debit_on": self.debit_on,
            "idempotency_key": self.key(),
        }  # fmt: skip
        changed = await self.world.web.call(
            BUILD_DEBIT_FILE, BuildDebitFile(**(request | more)), self.builder.authority
        )
        return changed.file

    async def rule(
        self, one: DebitFileView, decision: str = "approve", *, by: Member | None = None,
        key: str = "", totp: str | None = None,
    ) -> DebitFileView:  # fmt: skip
        """Approve or discard, with a fresh code unless ``totp`` is another."""
        who = by or self.owner
        if totp is None:
            await who.let_codes_be_fresh()
        request = DecideDebitFile(
            file_id=one.id,
            decision=decision,  # type: ignore[arg-type]
            idempotency_key=key or self.key(),
            totp=who.code() if totp is None else totp,
        )
        return (await self.world.web.call(DECIDE_DEBIT_FILE, request, who.authority)).file

    async def report(self, one: DebitFileView, word: str, *, key: str = "") -> DebitFileView:
        """What the bank said of the file as a whole."""
        request = ReportDebitFile(
            file_id=one.id,
            word=word,  # type: ignore[arg-type]
            idempotency_key=key or self.key(),
        )
        return (await self.world.web.call(REPORT_DEBIT_FILE, request, self.owner.authority)).file

    async def taken_out(self, one: DebitFileView, by: Member | None = None) -> bytes:
        """The bytes of an approved file, as they go to the bank."""
        body, part_no = b"", 0
        while True:
            request = TakeOutDebitFile(file_id=one.id, part_no=part_no)
            authority = (by or self.owner).authority
            part = await self.world.web.call(TAKE_OUT_DEBIT_FILE, request, authority)
            body, part_no = body + part.body, part_no + 1
            if part.is_last:
                return body

    async def listed(self) -> DebitFilePage:
        """The first page of files."""
        return await self.world.web.call(
            LIST_DEBIT_FILES, ListDebitFiles(first=20, after=None), self.owner.authority
        )

    async def seen(self, one: DebitFileView) -> DebitFileView:
        """The file as it is now."""
        [found] = [other for other in (await self.listed()).files if other.id == one.id]
        return found

    async def at_bank(self) -> tuple[DebitFileView, bytes]:
        """Build, approve and take out the file of the day."""
        one = await self.build()
        await self.worked()
        await self.rule(one)
        return one, await self.taken_out(one)

    # --- results --------------------------------------------------------------------------------
    async def read(
        self, one: DebitFileView, body: bytes, *, key: str = "", by: Member | None = None
    ) -> DebitResultRead:
        """Hand in the bank's answer."""
        upload_key = key or self.key()
        authority = (by or self.owner).authority
        pieces = [
            body[place : place + FILE_PART_BYTES_MAX]
            for place in range(0, len(body), FILE_PART_BYTES_MAX)
        ]
        for part_no, piece in enumerate(pieces):
            await self.world.web.call(
                STORE_DEBIT_RESULT,
                StoreDebitResult(
                    file_id=one.id, upload_key=upload_key, part_no=part_no, body=piece
                ),
                authority,
            )
        request = ReadDebitResult(file_id=one.id, upload_key=upload_key, parts=len(pieces))
        return await self.world.web.call(READ_DEBIT_RESULT, request, authority)

    async def answered(
        self, one: DebitFileView, sent: bytes, result_of: Callable[[int], str]
    ) -> DebitResultRead:
        """The bank answers each line by its place, and a worker books it."""
        said = await self.read(one, answer(sent, result_of))
        await self.worked()
        return said

    # --- workers --------------------------------------------------------------------------------
    async def worked(self) -> list[str]:
        """Do all tasks of debit files that are due; their kinds."""
        leases = await self.world.leases()
        for lease in leases:
            await self.step(lease)
        return [lease.kind for lease in leases]

    async def step(self, lease: Leased) -> None:
        """One task to its end, as a worker does it."""
        file_id = DebitFileId(lease.subject_id)
        work, authority = self.world.work, lease.authority
        if lease.kind == "debit.fill":
            await fill(work, authority, file_id, lambda: False)
        elif lease.kind == "debit.book":
            await book(work, authority, file_id, lambda: False)
        else:
            await work.call(FINISH_TASK, FinishTask(), authority)

    async def debit_state(self, payer: Payer) -> str:
        """The state of the latest debit of a payer's bill."""
        return await self.world.value(
            "select state from debit where bill_id = $1 order by id desc limit 1", payer.bill_id
        )


async def open_contract(world: World, **more: Any) -> DebitContractId:  # noqa: ANN401
    """A bank's contract with the world's merchant."""
    request = OpenDebitContract(merchant_code=world.code, **(CONTRACT | more))
    return (await world.operator.call(OPEN_DEBIT_CONTRACT, request)).contract_id


async def new_desk(world: World, **contract: Any) -> Desk:  # noqa: ANN401
    """A contract, and two members of staff: a clerk who builds and an owner who approves."""
    contract_id = await open_contract(world, **contract)
    builder = await member(world, "banto", "clerk")
    owner = await member(world, "okami")
    desk = Desk(world, builder, owner, contract_id, date.min)
    [view] = (await desk.listed()).contracts
    assert view.next_debit_on is not None
    desk.debit_on = view.next_debit_on
    return desk


async def open_bank(
    operator: VaultClient, web: VaultClient, code: str, staff: Authority
) -> DebitContractId:
    """A merchant's contract with a mandate and a file that is being built."""
    contract = OpenDebitContract(merchant_code=code, **CONTRACT)
    contract_id = (await operator.call(OPEN_DEBIT_CONTRACT, contract)).contract_id
    mandate: Any = {
        "contract_id": contract_id, "customer_no": "1", "bank_code": "0005", "branch_code": "001",
        "account_kind": "1", "account_number": "1234567", "payer_name": "カ",
        "idempotency_key": "bank",
    }  # fmt: skip
    await web.call(REGISTER_MANDATE, RegisterMandate(**mandate), staff)
    listed = await web.call(LIST_DEBIT_FILES, ListDebitFiles(first=1, after=None), staff)
    [view] = listed.contracts
    assert view.next_debit_on is not None
    build = BuildDebitFile(
        contract_id=contract_id, debit_on=view.next_debit_on, idempotency_key="bank"
    )
    await web.call(BUILD_DEBIT_FILE, build, staff)
    return contract_id
