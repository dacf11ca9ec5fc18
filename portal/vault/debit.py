"""Data zone: bank debits as operations read and move them: contracts, mandates, files.

Whoever changes a file locks its row first; whoever books a line locks the file, then the bill.
States move by portal.domain.debit and portal.domain.mandate only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from portal.domain.days import BankCalendar, DebitTerms
from portal.domain.debit import FileState
from portal.domain.errors import NotFound
from portal.domain.mandate import MandateDetails, MandateState, MandateWay
from portal.domain.transition import Edge
from portal.domain.zengin.record import FileForm, Header
from portal.kit.holidays import bank_calendar
from portal.vault.act import Act
from portal.vault.bank_file import BankFile, ContractDetails, FileTable
from portal.vault.db import Row

CONTRACT_TABLE: Final = "debit_contract"
MANDATE_TABLE: Final = "mandate"
METHOD: Final = "bank_debit"
"""The method of a debit's attempt, and its provider: the bank behind the contract."""

SEALED_VERSION: Final = 1
"""Details of a contract never change, and those of a mandate once: when the bank's page has said
whose account it is. Another account is another mandate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One row of the table with ``details`` opened. ``line``: who takes its files, "" by hand.

    ``result_days``: business days after a debit until its bank has an answer. ``closed_days`` and
    ``opened_days``: an operator's word on its bank's days, over the calendar's.
    """

    id: UUID
    bank_code: str
    collector_code: str
    details: ContractDetails
    record_end: str
    has_blank_result: bool
    more_letters: str
    lines_max: int
    day_of_month: int
    submit_days: int
    submit_by: time
    presents_again: bool
    line: str
    result_days: int = 1
    closed_days: Sequence[date] = ()
    opened_days: Sequence[date] = ()

    @property
    def calendar(self) -> BankCalendar:
        """Its bank's business days."""
        return bank_calendar(self.closed_days, self.opened_days)

    @property
    def terms(self) -> DebitTerms:
        """When it debits, and until when its file may come."""
        return DebitTerms(
            day_of_month=self.day_of_month, submit_days=self.submit_days, submit_by=self.submit_by
        )

    @property
    def form(self) -> FileForm:
        """How its file is written."""
        return FileForm(
            separator="\r\n" if self.record_end else "",
            has_account=bool(self.details.account_number),
            has_blank_result=self.has_blank_result,
            lines_max=self.lines_max,
            more_letters=self.more_letters,
        )

    def header(self, debit_on: date) -> Header:
        """The first record of a file for that day."""
        return self.details.header(self.bank_code, self.collector_code, debit_on)


_CONTRACT_NAMES: Final = (
    "id", "bank_code", "collector_code", "details", "record_end", "has_blank_result",
    "more_letters", "lines_max", "day_of_month", "submit_days", "submit_by", "presents_again",
    "line", "result_days", "closed_days", "opened_days",
)  # fmt: skip
_CONTRACTS: Final = (
    f"select {', '.join(_CONTRACT_NAMES)} from debit_contract where merchant_id = $1"  # noqa: S608  constant columns
)


async def read_contracts(act: Act) -> list[Contract]:
    """All contracts of the act's merchant, the oldest first."""
    rows = await act.db.fetch(_CONTRACTS + " order by id", act.merchant_id)
    return [await _open_contract(act, row) for row in rows]


async def read_contract(act: Act, contract_id: UUID) -> Contract:
    """A contract of the act's merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_CONTRACTS + " and id = $2", act.merchant_id, contract_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "debit_contract"})
    return await _open_contract(act, row)


async def _open_contract(act: Act, row: Row) -> Contract:
    values = dict(row)
    fields = await act.fields()
    blob: bytes = values.pop("details")
    details = fields.open(
        CONTRACT_TABLE, "instrument", row["id"], SEALED_VERSION, blob, ContractDetails
    )
    return Contract(**values, details=details)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """One row of the table with ``details`` opened."""

    id: UUID
    contract_id: UUID
    state: MandateState
    code: str | None
    details: MandateDetails
    sealed_version: int
    way: MandateWay
    created_by: str
    created_at: datetime
    state_at: datetime


MANDATES: Final = """
select id, contract_id, state, code, details, sealed_version, way, created_by, created_at, state_at
from mandate where merchant_id = $1"""
"""Mandates; conditions of a constant text follow."""


async def open_mandate(act: Act, row: Row) -> Mandate:
    """A row of MANDATES as a value."""
    values = dict(row)
    fields = await act.fields()
    blob: bytes = values.pop("details")
    details = fields.open(
        MANDATE_TABLE, "instrument", row["id"], row["sealed_version"], blob, MandateDetails
    )
    return Mandate(**values, details=details)


async def lock_mandate(act: Act, mandate_id: UUID) -> Mandate:
    """Lock a mandate and read it. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(MANDATES + " and id = $2 for update", act.merchant_id, mandate_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "mandate"})
    return await open_mandate(act, row)


async def move_mandate(
    act: Act, mandate_id: UUID, edge: Edge[MandateState], code: str | None = None
) -> None:
    """Write where an edge led a locked mandate; ``code`` says why, where somebody said it."""
    await act.db.execute(
        "update mandate set state = $3, code = $4, state_at = $5"
        " where merchant_id = $1 and id = $2",
        act.merchant_id,
        mandate_id,
        edge.state,
        code,
        act.now,
    )
    await tell_mandate(act, mandate_id, edge.code, code)


async def tell_mandate(act: Act, mandate_id: UUID, code: str, reason: str | None = None) -> None:
    """Add to a mandate's history."""
    await act.db.execute(
        "insert into mandate_event (merchant_id, id, mandate_id, at, actor, code, reason)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        act.merchant_id,
        act.new_id(),
        mandate_id,
        act.business,
        act.actor,
        code,
        reason,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitFile(BankFile):
    """One row of the table.

    ``booked_to``: up to this line nothing is left to be booked or freed. ``reading``: how far an
    answer was read that is not told yet (portal.vault.debit_reading).
    """

    state: FileState
    debit_on: date
    refused_result: str
    refused_record: int
    booked_to: int = 0
    reading: bytes | None = None

    @property
    def day(self) -> date:
        """When the accounts are debited."""
        return self.debit_on


_TABLE: Final = FileTable("debit_file", "debit_on", DebitFile)
FILES: Final = _TABLE.select
"""Files; conditions of a constant text follow."""

to_file = _TABLE.read
lock_file = _TABLE.lock
insert_file = _TABLE.insert
store_file = _TABLE.store


def moved(act: Act, debit_file: DebitFile, edge: Edge[FileState]) -> DebitFile:
    """The file where an edge led, not yet written; its lines are gone through from the first."""
    return replace(debit_file, state=edge.state, state_at=act.now, booked_to=0)
