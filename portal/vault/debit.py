"""Data zone: bank debits as operations read and move them: contracts, mandates, files.

Whoever changes a file locks its row first; whoever books a line locks the file, then the bill.
States move by portal.domain.debit and portal.domain.mandate only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.days import BankCalendar, DebitTerms
from portal.domain.debit import FileState
from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.mandate import MandateDetails, MandateState, MandateWay
from portal.domain.transition import Edge
from portal.domain.zengin.record import Account, FileForm, Header
from portal.kit.holidays import bank_calendar
from portal.vault.act import Act
from portal.vault.db import Row

CONTRACT_TABLE: Final = "debit_contract"
MANDATE_TABLE: Final = "mandate"
METHOD: Final = "bank_debit"
"""The method of a debit's attempt, and its provider: the bank behind the contract."""

SEALED_VERSION: Final = 1
"""Details of a contract never change, and those of a mandate once: when the bank's page has said
whose account it is. Another account is another mandate."""


class ContractDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of a contract: the collector's name and account as the header has them."""

    collector_name: str
    branch_code: str
    bank_name: str
    branch_name: str
    account_kind: str
    account_number: str


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
        details = self.details
        account = None
        if details.account_number:
            account = Account(
                bank_code=self.bank_code,
                branch_code=details.branch_code,
                kind=details.account_kind,
                number=details.account_number,
            )
        return Header(
            collector_code=self.collector_code,
            collector_name=details.collector_name,
            month=debit_on.month,
            day=debit_on.day,
            bank_code=self.bank_code,
            branch_code=details.branch_code,
            bank_name=details.bank_name,
            branch_name=details.branch_name,
            account=account,
        )


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
class DebitFile:
    """One row of the table. Units: yen; ``number_ms`` is the file's part of its lines' numbers.

    ``booked_to``: up to this line nothing is left to be booked or freed. ``reading``: how far an
    answer was read that is not told yet (portal.vault.debit_reading).
    """

    id: UUID
    contract_id: UUID
    debit_on: date
    state: FileState
    version: int
    number_ms: int
    lines: int
    total_minor: int
    parts: int
    size_bytes: int
    is_full: bool
    place: UUID | None
    sha256: bytes | None
    built_by: str
    built_at: datetime
    approval_id: UUID | None
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    state_at: datetime
    refused_result: str
    refused_record: int
    booked_to: int = 0
    reading: bytes | None = None

    @property
    def content(self) -> bytes:
        """What a second person approves: the sealed bytes, by their hash, and what they ask for."""
        return msgspec.msgpack.encode(
            [self.id, self.debit_on.isoformat(), self.lines, self.total_minor, self.sha256]
        )


_NAMES: Final = (
    "id", "contract_id", "debit_on", "state", "version", "number_ms", "lines", "total_minor",
    "parts", "size_bytes", "is_full", "place", "sha256", "built_by", "built_at", "approval_id",
    "approve_until", "decided_by", "decided_at", "state_at", "refused_result", "refused_record",
    "booked_to", "reading",
)  # fmt: skip
FILES: Final = f"select {', '.join(_NAMES)} from debit_file where merchant_id = $1"  # noqa: S608  constant columns
"""Files; conditions of a constant text follow."""

_INSERT: Final = f"""
insert into debit_file (merchant_id, {", ".join(_NAMES)})
values ($1, {", ".join(f"${place}" for place in range(2, len(_NAMES) + 2))})
on conflict (merchant_id, contract_id, debit_on) where state not in ('discarded', 'rejected')
do nothing returning true
"""  # noqa: S608  constant columns
_CHANGING: Final = (
    "state", "version", "lines", "total_minor", "parts", "size_bytes", "is_full", "place",
    "sha256", "approval_id", "approve_until", "decided_by", "decided_at", "state_at",
    "refused_result", "refused_record", "booked_to", "reading",
)  # fmt: skip
_STORE: Final = f"""
update debit_file set {", ".join(f"{name} = ${place}" for place, name in enumerate(_CHANGING, 3))}
where merchant_id = $1 and id = $2 and version = $4 - 1
"""  # noqa: S608  constant columns


def to_file(row: Row) -> DebitFile:
    """A row of FILES as a value."""
    return DebitFile(**{name: row[name] for name in _NAMES})


async def lock_file(act: Act, file_id: UUID) -> DebitFile:
    """Lock a file and read it. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(FILES + " and id = $2 for update", act.merchant_id, file_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "debit_file"})
    return to_file(row)


async def insert_file(act: Act, debit_file: DebitFile) -> bool:
    """Add a new file; False when its day and contract have one already."""
    values = [getattr(debit_file, name) for name in _NAMES]
    return bool(await act.db.fetchval(_INSERT, act.merchant_id, *values))


async def store_file(act: Act, debit_file: DebitFile) -> DebitFile:
    """Write a changed file under the next version."""
    stored = replace(debit_file, version=debit_file.version + 1)
    values = [getattr(stored, name) for name in _CHANGING]
    tag = await act.db.execute(_STORE, act.merchant_id, stored.id, *values)
    if tag != "UPDATE 1":
        raise InvariantBroken("debit_file_lock", context=f"debit file {stored.id} moved unlocked")
    return stored


def moved(act: Act, debit_file: DebitFile, edge: Edge[FileState]) -> DebitFile:
    """The file where an edge led, not yet written; its lines are gone through from the first."""
    return replace(debit_file, state=edge.state, state_at=act.now, booked_to=0)
