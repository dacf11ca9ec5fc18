"""Data zone: refunds that go back by a bank's file; the schema's source.

Whose accounts these are stands in the file's sealed parts (portal.vault.file) and with the refund
(portal.vault.tables.refund_account), nowhere here. States move by portal.domain.transfer only.
"""

from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class TransferContract(SQLModel, table=True):
    """What a bank agreed to with a merchant: from which account, its file's form, hours, line."""

    __tablename__ = "transfer_contract"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "bank_code", "company_code", name="transfer_contract_key"
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bank_code: str = Field(sa_type=sa.Text)
    company_code: str = Field(sa_type=sa.Text)
    details: bytes
    record_end: str = Field(sa_type=sa.Text)
    more_letters: str = Field(sa_type=sa.Text)
    lines_max: int = Field(sa_type=sa.Integer)
    submit_days: int = Field(sa_type=sa.SmallInteger)
    submit_by: time = Field(sa_type=sa.Time)
    line: str = Field(sa_type=sa.Text)
    closed_days: list[date] = Field(
        sa_column=sa.Column(sa.ARRAY(sa.Date), nullable=False, server_default=sa.text("'{}'"))
    )
    opened_days: list[date] = Field(
        sa_column=sa.Column(sa.ARRAY(sa.Date), nullable=False, server_default=sa.text("'{}'"))
    )
    created_at: datetime = Field(sa_column=moment())


class TransferFile(SQLModel, table=True):
    """One file for one day at one bank; its bytes are parts of ``id`` (portal.vault.file).

    ``place`` is the last refund that was looked at while it is filled.
    """

    __tablename__ = "transfer_file"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "transfer_file_one_a_day",
            "merchant_id",
            "contract_id",
            "transfer_on",
            unique=True,
            postgresql_where=sa.text("state NOT IN ('discarded', 'rejected')"),
        ),
        sa.Index("transfer_file_day_idx", "merchant_id", "transfer_on", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    contract_id: UUID
    transfer_on: date
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


class TransferLine(SQLModel, table=True):
    """One refund in one file. Its id is the transfer's in the books: a cause of its own."""

    __tablename__ = "transfer_line"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "file_id", "line_no", name="transfer_line_key"),
        sa.UniqueConstraint("merchant_id", "instruction_no", name="transfer_instruction_key"),
        sa.Index(
            "transfer_line_one_living",
            "merchant_id",
            "refund_id",
            unique=True,
            postgresql_where=sa.text("state IN ('in_file', 'transferred')"),
        ),
        sa.Index("transfer_line_refund_idx", "merchant_id", "refund_id", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    file_id: UUID
    line_no: int = Field(sa_type=sa.Integer)
    refund_id: UUID
    instruction_no: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
