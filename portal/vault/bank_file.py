"""Data zone: files for banks as rows: what files of debits and of transfers have in common.

A file's bytes are parts of its id (portal.vault.file). Whoever changes one locks its row first.
"""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

import msgspec

from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.zengin.record import KIND, Account, Header
from portal.vault.act import Act
from portal.vault.db import Row


class ContractDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of a contract: the merchant's name and account as the header has them."""

    collector_name: str
    branch_code: str
    bank_name: str
    branch_name: str
    account_kind: str
    account_number: str

    def header(self, bank_code: str, collector_code: str, day: date, kind: str = KIND) -> Header:
        """The first record of a file for that day; no account where the contract has none."""
        account = None
        if self.account_number:
            account = Account(
                bank_code=bank_code,
                branch_code=self.branch_code,
                kind=self.account_kind,
                number=self.account_number,
            )
        return Header(
            collector_code=collector_code,
            collector_name=self.collector_name,
            month=day.month,
            day=day.day,
            bank_code=bank_code,
            branch_code=self.branch_code,
            bank_name=self.bank_name,
            branch_name=self.branch_name,
            account=account,
            kind=kind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BankFile(ABC):
    """One file. Units: yen; ``number_ms`` is the file's part of its lines' numbers.

    ``place``: the last thing that was looked at while it was filled.
    """

    id: UUID
    contract_id: UUID
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

    @property
    @abstractmethod
    def day(self) -> date:
        """The day on which its money moves."""
        ...

    @property
    def content(self) -> bytes:
        """What a second person approves: the sealed bytes, by their hash, and what they ask for."""
        return msgspec.msgpack.encode(
            [self.id, self.day.isoformat(), self.lines, self.total_minor, self.sha256]
        )


F = TypeVar("F", bound=BankFile)

_FIXED: Final = frozenset(
    {"id", "contract_id", "debit_on", "transfer_on", "number_ms", "built_by", "built_at"}
)


class FileTable(Generic[F]):
    """The table of one kind of files; ``name`` is also what a missing one is called."""

    def __init__(self, name: str, day: str, make: type[F]) -> None:
        """``day``: the column of a file's day. Statements are made of the constants of ``make``."""
        self.name = name
        self._make = make
        self._names = tuple(field.name for field in dataclasses.fields(make))
        self._changing = tuple(column for column in self._names if column not in _FIXED)
        self.select = f"select {', '.join(self._names)} from {name} where merchant_id = $1"  # noqa: S608  constants
        places = ", ".join(f"${place}" for place in range(2, len(self._names) + 2))
        self._insert = (
            f"insert into {name} (merchant_id, {', '.join(self._names)}) values ($1, {places})"  # noqa: S608  constants
            f" on conflict (merchant_id, contract_id, {day})"
            " where state not in ('discarded', 'rejected') do nothing returning true"
        )
        sets = ", ".join(f"{column} = ${place}" for place, column in enumerate(self._changing, 4))
        self._store = (
            f"update {name} set {sets} where merchant_id = $1 and id = $2 and version = $3"  # noqa: S608  constants
        )

    def read(self, row: Row) -> F:
        """A row of ``select`` as a value."""
        return self._make(**{name: row[name] for name in self._names})

    async def lock(self, act: Act, file_id: UUID) -> F:
        """Lock a file and read it. Raises: NotFound ``not_found``."""
        return await self._one(act, file_id, " and id = $2 for update")

    async def find(self, act: Act, file_id: UUID) -> F:
        """A file as it is. Raises: NotFound ``not_found``."""
        return await self._one(act, file_id, " and id = $2")

    async def _one(self, act: Act, file_id: UUID, condition: str) -> F:
        row = await act.db.fetchrow(self.select + condition, act.merchant_id, file_id)
        if row is None:
            raise NotFound("not_found", params={"kind": self.name})
        return self.read(row)

    async def insert(self, act: Act, file: F) -> bool:
        """Add a new file; False when its day and contract have one already."""
        values = [getattr(file, name) for name in self._names]
        return bool(await act.db.fetchval(self._insert, act.merchant_id, *values))

    async def store(self, act: Act, file: F) -> F:
        """Write a changed file under the next version."""
        stored = replace(file, version=file.version + 1)
        values = [getattr(stored, name) for name in self._changing]
        tag = await act.db.execute(self._store, act.merchant_id, file.id, file.version, *values)
        if tag != "UPDATE 1":
            raise InvariantBroken("bank_file_lock", context=f"{self.name} {file.id} moved unlocked")
        return stored
