"""Data zone: bank debits; the schema's source.

Whose account it is stands sealed in ``details``; it never changes. States move by
portal.domain.mandate and portal.domain.debit only. A debit's id is its attempt's: the books know
the one, banks the number of the other.
"""

from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class DebitContract(SQLModel, table=True):
    """What a bank agreed to with a merchant: who collects, its file's form, its days, its line."""

    __tablename__ = "debit_contract"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "bank_code", "collector_code", name="debit_contract_key"
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bank_code: str = Field(sa_type=sa.Text)
    collector_code: str = Field(sa_type=sa.Text)
    details: bytes
    record_end: str = Field(sa_type=sa.Text)
    has_blank_result: bool
    more_letters: str = Field(sa_type=sa.Text)
    lines_max: int = Field(sa_type=sa.Integer)
    day_of_month: int = Field(sa_type=sa.SmallInteger)
    submit_days: int = Field(sa_type=sa.SmallInteger)
    submit_by: time = Field(sa_type=sa.Time)
    presents_again: bool
    line: str = Field(sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''")))
    result_days: int = Field(
        sa_column=sa.Column(sa.SmallInteger, nullable=False, server_default=sa.text("1"))
    )
    closed_days: list[date] = Field(
        sa_column=sa.Column(sa.ARRAY(sa.Date), nullable=False, server_default=sa.text("'{}'"))
    )
    opened_days: list[date] = Field(
        sa_column=sa.Column(sa.ARRAY(sa.Date), nullable=False, server_default=sa.text("'{}'"))
    )
    created_at: datetime = Field(sa_column=moment())


class Mandate(SQLModel, table=True):
    """A payer's word that their account may be debited. ``is_new``: no debit was made by it yet.

    ``way``: ``paper``, or ``redirect`` for one that was given at the bank's page. Of the latter
    ``details`` know no account before the bank confirmed it: then they are sealed anew, under the
    next ``sealed_version``.
    """

    __tablename__ = "mandate"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index("mandate_customer_idx", "merchant_id", "customer_blind"),
        sa.Index(
            "mandate_one_open",
            "merchant_id",
            "customer_blind",
            unique=True,
            postgresql_where=sa.text("state NOT IN ('revoked', 'rejected', 'abandoned')"),
        ),
        sa.Index("mandate_contract_idx", "merchant_id", "contract_id", "id"),
        sa.Index("mandate_state_idx", "merchant_id", "state", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    contract_id: UUID
    customer_blind: bytes
    state: str = Field(sa_type=sa.Text)
    code: str | None = Field(default=None, sa_type=sa.Text)
    details: bytes
    is_new: bool
    way: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("'paper'"))
    )
    sealed_version: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("1"))
    )
    created_by: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_column=moment())
    state_at: datetime = Field(sa_column=moment())


class DebitFile(SQLModel, table=True):
    """One file for one day at one bank; its bytes are parts of ``id`` (portal.vault.file).

    ``place`` is the last mandate that was looked at while it is filled, ``booked_to`` the last
    line up to which nothing is left to be booked or freed. ``reading``: how far a long answer was
    checked or told (portal.vault.debit_reading); counts and sums, of no payer.
    """

    __tablename__ = "debit_file"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "debit_file_one_a_day",
            "merchant_id",
            "contract_id",
            "debit_on",
            unique=True,
            postgresql_where=sa.text("state NOT IN ('discarded', 'rejected')"),
        ),
        sa.Index("debit_file_day_idx", "merchant_id", "debit_on", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    contract_id: UUID
    debit_on: date
    state: str = Field(sa_type=sa.Text)
    version: int = Field(sa_type=sa.Integer)
    number_ms: int = Field(sa_type=sa.BigInteger)
    lines: int = Field(sa_type=sa.Integer)
    total_minor: int = Field(sa_type=sa.BigInteger)
    parts: int = Field(sa_type=sa.Integer)
    size_bytes: int = Field(sa_type=sa.BigInteger)
    is_full: bool
    place: UUID | None = None
    sha256: bytes | None = None
    built_by: str = Field(sa_type=sa.Text)
    built_at: datetime = Field(sa_column=moment())
    approval_id: UUID | None = None
    approve_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: str | None = Field(default=None, sa_type=sa.Text)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    state_at: datetime = Field(sa_column=moment())
    refused_result: str = Field(sa_type=sa.Text)
    refused_record: int = Field(sa_type=sa.Integer)
    booked_to: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    reading: bytes | None = None


class Debit(SQLModel, table=True):
    """One line of a file. ``cause``: what the bank said last, ``booked_cause``: what was booked.

    No index names what changes (``state`` and the causes), and pages are left half empty, so that
    an answer to a whole file rewrites no index.
    """

    __tablename__ = "debit"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "file_id", "line_no", name="debit_line_key"),
        sa.UniqueConstraint("merchant_id", "instruction_no", name="debit_instruction_key"),
        sa.Index("debit_bill_idx", "merchant_id", "bill_id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    file_id: UUID
    line_no: int = Field(sa_type=sa.Integer)
    bill_id: UUID
    mandate_id: UUID
    instruction_no: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    cause: str | None = Field(default=None, sa_type=sa.Text)
    booked_cause: str | None = Field(default=None, sa_type=sa.Text)


class DebitResult(SQLModel, table=True):
    """A bank's answer that was read whole: the same bytes are never read twice."""

    __tablename__ = "debit_result"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    sha256: bytes = Field(primary_key=True)
    file_id: UUID
    part_file_id: UUID
    parts: int = Field(sa_type=sa.Integer)
    lines: int = Field(sa_type=sa.Integer)
    unknown: int = Field(sa_type=sa.Integer)
    unexpected: int = Field(sa_type=sa.Integer)
    read_by: str = Field(sa_type=sa.Text)
    read_at: datetime = Field(sa_column=moment())
