"""Data zone: what providers told us, and the marks of a journal's comparison; schema's source.

A notice is a hint. Its bytes are kept sealed for whoever has to find out later what was said; no
decision rests on them.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel


class NoticeBody(SQLModel, table=True):
    """One request as it came, sealed; it may hold several notices."""

    __tablename__ = "notice_body"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=sa.Text)
    received_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    body: bytes


class Notice(SQLModel, table=True):
    """One claim of a provider, unique by the provider's own id of it."""

    __tablename__ = "notice"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.Index("notice_reference_idx", "merchant_id", "provider", "reference"),
        sa.Index("notice_received_idx", "merchant_id", "received_at"),
    )

    merchant_id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    notice_id: str = Field(sa_type=sa.Text, primary_key=True)
    body_id: UUID
    subject: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    claim: str = Field(sa_type=sa.Text)
    claimed_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    received_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))


class JournalMark(SQLModel, table=True):
    """A reference that the provider's journal named, while a comparison in pieces is under way."""

    __tablename__ = "journal_mark"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    reference: str = Field(sa_type=sa.Text, primary_key=True)
