"""Data zone: batches of slips that a print shop puts on paper; the schema's source.

The file itself lies in sealed parts under the batch's id (portal.vault.file). ``report`` is sealed:
what did not go in, and which letters the file's charset lacks.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class PrintBatch(SQLModel, table=True):
    """One file for a print shop. ``made_at`` and ``taken_at`` (first download) business times.

    ``sha256`` is the whole file's. ``handed_at`` and ``handed_by``: the shop has it.
    """

    __tablename__ = "print_batch"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    charset: str = Field(sa_type=sa.Text)
    bills: int = Field(sa_type=sa.Integer)
    with_bars: int = Field(sa_type=sa.Integer)
    total_minor: int = Field(sa_type=sa.BigInteger)
    parts: int = Field(sa_type=sa.Integer)
    report: bytes
    reported: int = Field(sa_type=sa.Integer)
    made_by: str = Field(sa_type=sa.Text)
    made_at: datetime = Field(sa_column=moment())
    taken_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    sha256: bytes | None = None
    handed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    handed_by: str | None = Field(default=None, sa_type=sa.Text)


class PrintBill(SQLModel, table=True):
    """A bill in a batch; ``is_again``: it was asked for though another batch may have it.

    ``place``: which line of the file it is, from 0; none in batches that were made before 0041.
    """

    __tablename__ = "print_bill"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "print_bill_once",
            "merchant_id",
            "bill_id",
            unique=True,
            postgresql_where=sa.text("NOT is_again"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    batch_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    is_again: bool
    place: int | None = Field(default=None, sa_type=sa.Integer)
