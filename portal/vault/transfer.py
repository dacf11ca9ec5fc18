"""Data zone: refunds by a bank's file as operations read and move them: contracts and files.

Whoever changes a file locks its row first; whoever moves a line locks the file, then the bill.
States move by portal.domain.transfer only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final
from uuid import UUID

from portal.domain.days import BankCalendar
from portal.domain.errors import NotFound
from portal.domain.transfer import TransferState, TransferTerms
from portal.domain.transition import Edge
from portal.domain.zengin.record import TRANSFERS, FileForm, Header
from portal.kit.holidays import bank_calendar
from portal.vault.act import Act
from portal.vault.bank_file import BankFile, ContractDetails, FileTable
from portal.vault.db import Row

CONTRACT_TABLE: Final = "transfer_contract"
SEALED_VERSION: Final = 1
"""Details of a contract never change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferContract:
    """One row of the table with ``details`` opened. ``line``: who takes its files, "" by hand.

    ``closed_days`` and ``opened_days``: an operator's word on its bank's days.
    """

    id: UUID
    bank_code: str
    company_code: str
    details: ContractDetails
    record_end: str
    more_letters: str
    lines_max: int
    submit_days: int
    submit_by: time
    line: str
    closed_days: Sequence[date] = ()
    opened_days: Sequence[date] = ()

    @property
    def calendar(self) -> BankCalendar:
        """Its bank's business days."""
        return bank_calendar(self.closed_days, self.opened_days)

    @property
    def terms(self) -> TransferTerms:
        """Until when its file may come."""
        return TransferTerms(submit_days=self.submit_days, submit_by=self.submit_by)

    @property
    def form(self) -> FileForm:
        """How its file is written."""
        return FileForm(
            separator="\r\n" if self.record_end else "",
            lines_max=self.lines_max,
            more_letters=self.more_letters,
        )

    def header(self, transfer_on: date) -> Header:
        """The first record of a file for that day."""
        return self.details.header(self.bank_code, self.company_code, transfer_on, TRANSFERS)


_NAMES: Final = (
    "id", "bank_code", "company_code", "details", "record_end", "more_letters", "lines_max",
    "submit_days", "submit_by", "line", "closed_days", "opened_days",
)  # fmt: skip
_CONTRACTS: Final = f"select {', '.join(_NAMES)} from transfer_contract where merchant_id = $1"  # noqa: S608  constant columns
_DAYS: Final = """
select l.refund_id, f.transfer_on from transfer_line l
join transfer_file f on f.merchant_id = $1 and f.id = l.file_id
where l.merchant_id = $1 and l.refund_id = any($2::uuid[]) and l.state = 'in_file'
"""


async def read_transfer_contracts(act: Act) -> list[TransferContract]:
    """All contracts of the act's merchant, the oldest first."""
    rows = await act.db.fetch(_CONTRACTS + " order by id", act.merchant_id)
    return [await _open(act, row) for row in rows]


async def read_transfer_contract(act: Act, contract_id: UUID) -> TransferContract:
    """A contract of the act's merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_CONTRACTS + " and id = $2", act.merchant_id, contract_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "transfer_contract"})
    return await _open(act, row)


async def _open(act: Act, row: Row) -> TransferContract:
    values = dict(row)
    fields = await act.fields()
    blob: bytes = values.pop("details")
    details = fields.open(
        CONTRACT_TABLE, "instrument", row["id"], SEALED_VERSION, blob, ContractDetails
    )
    return TransferContract(**values, details=details)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFile(BankFile):
    """One row of the table."""

    state: TransferState
    transfer_on: date

    @property
    def day(self) -> date:
        """When the money goes."""
        return self.transfer_on


TRANSFER_FILES: Final = FileTable("transfer_file", "transfer_on", TransferFile)
"""Its rows."""


def moved_file(act: Act, file: TransferFile, edge: Edge[TransferState]) -> TransferFile:
    """The file where an edge led, not yet written."""
    return replace(file, state=edge.state, state_at=act.now)


async def step_file(act: Act, file: TransferFile, edge: Edge[TransferState]) -> TransferFile:
    """The file where an edge led, written; its lines are a worker's to move where that frees them.

    Whoever locks the file and calls this plans the step that books it, or gives its refunds back.
    """
    stored = await TRANSFER_FILES.store(act, moved_file(act, file, edge))
    if edge.state in {"discarded", "rejected", "accepted"}:
        await act.plan_task("transfer.advance", stored.id)
    return stored


async def transfer_days(act: Act, refund_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Refund → the day of the file in which it stands, for those that stand in one."""
    rows = await act.db.fetch(_DAYS, act.merchant_id, refund_ids)
    return {row["refund_id"]: row["transfer_on"] for row in rows}
