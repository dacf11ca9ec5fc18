"""Data zone: roads that are stopped for one merchant; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class SenderHold(SQLModel, table=True):
    """That a company refuses a merchant's sender or app, and since when nothing goes there.

    See portal.domain.sender_hold.Hold. ``since`` is a business time, ``probe_at`` and ``asked_at``,
    when staff last had a message ask, are wall times.
    Units: ``pause_s`` in seconds.
    """

    __tablename__ = "sender_hold"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=sa.Text, primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    refusals: int = Field(
        default=0, sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    code: str = Field(
        default="", sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''"))
    )
    since: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    probe_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    probe_chunk: UUID | None = None
    pause_s: float = Field(
        default=0.0, sa_column=sa.Column(sa.Float, nullable=False, server_default=sa.text("0"))
    )
    messages: list[UUID] = Field(
        sa_column=sa.Column(ARRAY(sa.Uuid()), nullable=False, server_default=sa.text("'{}'"))
    )
    asked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
