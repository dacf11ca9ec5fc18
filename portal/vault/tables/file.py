"""Data zone: sealed parts of files, and the business clock's offset; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class FilePart(SQLModel, table=True):
    """One part of a file, at most 1 MiB, sealed. ``fingerprint`` is keyed: it tells equal parts."""

    __tablename__ = "file_part"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(primary_key=True)
    part_no: int = Field(sa_type=sa.Integer, primary_key=True)
    size_bytes: int = Field(sa_type=sa.Integer)
    fingerprint: bytes
    sealed: bytes
    stored_at: datetime = Field(sa_column=moment())


class BusinessClock(SQLModel, table=True):
    """One row: how far business time is moved from wall time. Always 0 in production."""

    __tablename__ = "business_clock"  # pyright: ignore[reportAssignmentType]  # SQLModel

    id: int = Field(
        sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False, nullable=False)
    )
    offset_s: float = Field(
        sa_column=sa.Column(sa.Double, nullable=False, server_default=sa.text("0"))
    )
