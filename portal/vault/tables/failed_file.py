"""Data zone: a merchant's own debits that failed, as a bank's answer has them; schema's source.

No customer number is stored: a line is found by blind indexes, which go once it was told.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class FailedFile(SQLModel, table=True):
    """One file. ``stored_to``: the last record that was stored; ``told_to``: that was told.

    ``sha256`` is of its bytes, once it was taken. Moments are business times.
    """

    __tablename__ = "failed_file"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    state: str = Field(sa_type=sa.Text)
    sha256: bytes | None = None
    lines: int = Field(sa_type=sa.Integer)
    succeeded: int = Field(sa_type=sa.Integer)
    stored_to: int = Field(sa_type=sa.Integer)
    told_to: int = Field(sa_type=sa.Integer)
    told: int = Field(sa_type=sa.Integer)
    known: int = Field(sa_type=sa.Integer)
    under_way: int = Field(sa_type=sa.Integer)
    not_owed: int = Field(sa_type=sa.Integer)
    unmatched: int = Field(sa_type=sa.Integer)
    unclear: int = Field(sa_type=sa.Integer)
    sent_by: str = Field(sa_type=sa.Text)
    sent_at: datetime = Field(sa_column=moment())
    taken_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    told_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class FailedLine(SQLModel, table=True):
    """One failed debit. ``blinds``: by which its customer may be found, until it was told."""

    __tablename__ = "failed_line"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "failed_line_bill_idx",
            "merchant_id",
            "file_id",
            "bill_id",
            postgresql_where=sa.text("bill_id IS NOT NULL"),
        ),
        sa.Index(
            "failed_line_looked_idx",
            "merchant_id",
            "file_id",
            "record_no",
            postgresql_where=sa.text("result IN ('not_owed', 'unmatched', 'unclear')"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(primary_key=True)
    record_no: int = Field(primary_key=True, sa_type=sa.Integer)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    code: str = Field(sa_type=sa.Text)
    blinds: list[bytes] = Field(sa_column=sa.Column(ARRAY(sa.LargeBinary()), nullable=False))
    result: str | None = Field(default=None, sa_type=sa.Text)
    bill_id: UUID | None = None
