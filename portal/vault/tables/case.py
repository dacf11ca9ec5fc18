"""Data zone: cases that need a human, and approvals by a second person; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import json, moment


class Case(SQLModel, table=True):
    """Something that needs a human; at most one open per kind and thing. ``seen`` counts repeats.

    ``note`` is sealed: what was written when it was settled (portal.vault.case.CaseNote). The
    table is ``case_``: ``case`` is a word of SQL.
    """

    __tablename__ = "case_"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "case_open_idx",
            "merchant_id",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "case_open_page_idx",
            "merchant_id",
            "id",
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=sa.Text)
    subject_id: UUID
    params: dict[str, str | int] = Field(sa_column=json())
    seen: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("1")))
    opened_at: datetime = Field(sa_column=moment())
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_by: str | None = Field(default=None, sa_type=sa.Text)
    resolution: str | None = Field(default=None, sa_type=sa.Text)
    seen_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    note: bytes | None = None


class Approval(SQLModel, table=True):
    """A request that someone else than its asker approves; used once, by its exact content."""

    __tablename__ = "approval"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=sa.Text)
    content: bytes
    asked_by: str = Field(sa_type=sa.Text)
    asked_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    approved_by: str | None = Field(default=None, sa_type=sa.Text)
    approved_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
