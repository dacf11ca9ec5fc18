"""Data zone: the outbox of tasks and the single-use effects; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Task(SQLModel, table=True):
    """A step to be done; see portal.vault.outbox. Process-wide: workers serve all merchants."""

    __tablename__ = "task"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("task_due_idx", "lane", "merchant_id", "next_at", "id"),)

    id: UUID = Field(primary_key=True)
    merchant_id: UUID
    kind: str = Field(sa_type=sa.Text)
    lane: str = Field(sa_type=sa.Text)
    subject_id: UUID
    number: int = Field(sa_type=sa.Integer)
    state: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("'open'"))
    )
    attempt: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("1"))
    )
    tries: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("0")))
    worker: str | None = Field(default=None, sa_type=sa.Text)
    planned_at: datetime = Field(sa_column=moment())
    next_at: datetime = Field(sa_column=moment())


class Once(SQLModel, table=True):
    """A single-use effect: the hash of its arguments and the answer that a repeat gets."""

    __tablename__ = "once"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("once_created_idx", "merchant_id", "created_at"),)

    merchant_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=sa.Text, primary_key=True)
    key: str = Field(sa_type=sa.Text, primary_key=True)
    arguments: bytes
    answer: bytes | None = None
    created_at: datetime = Field(sa_column=moment())
