"""Data zone: how far bills and their messages have come, as deltas; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from portal.vault.tables.columns import moment


class FunnelTally(SQLModel, table=True):
    """How many stand where, as deltas that triggers append at every statement; reading folds them.

    Messages by channel, company and stage (``waiting`` until a company has them); bills without a
    company: ``issued``, ``unopened`` (owed, and nobody has looked), ``told`` and ``reached`` (by
    any message) without a channel, ``opened`` and ``paid`` by the one that they are put down to.
    """

    __tablename__ = "funnel_tally"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("funnel_tally_import_idx", "merchant_id", "import_id"),)

    merchant_id: UUID = Field(primary_key=True)
    id: int = Field(
        sa_column=Column(sa.BigInteger, sa.Identity(always=True), primary_key=True, nullable=False)
    )
    import_id: UUID
    channel: str = Field(sa_type=sa.Text)
    provider: str = Field(sa_type=sa.Text)
    stage: str = Field(sa_type=sa.Text)
    number: int = Field(sa_type=sa.BigInteger)


class BillReach(SQLModel, table=True):
    """To which channel's message it is put down that a bill was opened, and paid; '' to none."""

    __tablename__ = "bill_reach"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    opened_by: str | None = Field(default=None, sa_type=sa.Text)
    paid_by: str | None = Field(default=None, sa_type=sa.Text)


class MessageSwitch(SQLModel, table=True):
    """All who never looked are told by another channel, as staff asked; one at a time.

    ``after_id`` is the last bill that was looked at, ``bills`` how many there were when it began.
    """

    __tablename__ = "message_switch"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "message_switch_running_idx",
            "merchant_id",
            unique=True,
            postgresql_where=sa.text("state = 'running'"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    number: int = Field(sa_type=sa.Integer)
    import_id: UUID | None = None
    channel: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    after_id: UUID
    bills: int = Field(sa_type=sa.BigInteger)
    looked: int = Field(sa_type=sa.BigInteger)
    planned: int = Field(sa_type=sa.BigInteger)
    made_by: str = Field(sa_type=sa.Text)
    made_at: datetime = Field(sa_column=moment())
