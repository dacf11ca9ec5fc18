"""Data zone: what a billing system is told, and the files in which it was told; schema's source.

Triggers write the events, in the transaction of what they tell of (migration 0034_results)
and only for merchants with a plan. A file holds the events of all transactions between two
horizons: each is in one file, whatever the order in which transactions end.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from portal.vault.tables.columns import moment


class ResultEvent(SQLModel, table=True):
    """One event of a bill. ``txn`` is the transaction that wrote it, ``at`` business time."""

    __tablename__ = "result_event"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    txn: int = Field(
        sa_column=Column(
            sa.BigInteger,
            primary_key=True,
            nullable=False,
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
        )
    )
    id: int = Field(
        sa_column=Column(sa.BigInteger, sa.Identity(always=True), primary_key=True, nullable=False)
    )
    bill_id: UUID
    kind: str = Field(sa_type=sa.Text)
    amount_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    method: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())


class ResultPlan(SQLModel, table=True):
    """When a merchant's files are made; with this row its events begin to be kept."""

    __tablename__ = "result_plan"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    every_minutes: int | None = Field(default=None, sa_type=sa.Integer)
    daily_hour: int | None = Field(default=None, sa_type=sa.Integer)
    charset: str = Field(sa_type=sa.Text)
    next_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    set_by: str = Field(sa_type=sa.Text)
    set_at: datetime = Field(sa_column=moment())


class ResultFile(SQLModel, table=True):
    """One file: events with ``from_txn`` <= txn < ``until_txn``, in their order.

    ``after_txn`` and ``after_id`` are how far it is written. Its bytes lie in sealed parts under
    ``id`` (portal.vault.file).
    """

    __tablename__ = "result_file"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "id", name="result_file_id_key"),
        sa.Index(
            "result_file_waiting_idx",
            "merchant_id",
            "number",
            postgresql_where=sa.text("state <> 'acknowledged'"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=sa.Integer)
    id: UUID
    state: str = Field(sa_type=sa.Text)
    charset: str = Field(sa_type=sa.Text)
    from_txn: int = Field(sa_type=sa.BigInteger)
    until_txn: int = Field(sa_type=sa.BigInteger)
    after_txn: int = Field(sa_type=sa.BigInteger)
    after_id: int = Field(sa_type=sa.BigInteger)
    parts: int = Field(sa_type=sa.Integer)
    rows: int = Field(sa_type=sa.BigInteger)
    totals: dict[str, list[int]] = Field(sa_column=Column(JSONB, nullable=False))
    bytes: int = Field(sa_type=sa.BigInteger)
    sha256: str = Field(sa_type=sa.Text)
    made_by: str = Field(sa_type=sa.Text)
    made_at: datetime = Field(sa_column=moment())
    fetched_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    chased_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    acknowledged_by: str | None = Field(default=None, sa_type=sa.Text)
    acknowledged_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
