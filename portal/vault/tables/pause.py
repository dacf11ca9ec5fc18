"""Data zone: what stops dunning for a bill; the schema's source."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Pause(SQLModel, table=True):
    """A hold, a promise to pay or an extension; at most one of a kind is open per bill.

    Rows are ended and never deleted: what was agreed with a payer belongs to the bill. Times are
    business times. ``was_due_on`` is the due date that an extension replaced. ``words`` is what
    staff wrote, sealed (portal.vault.pause.PauseWords).
    """

    __tablename__ = "pause"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index("pause_bill_idx", "merchant_id", "bill_id", "id"),
        sa.Index(
            "pause_open_idx",
            "merchant_id",
            "bill_id",
            "kind",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    kind: str = Field(sa_type=sa.Text)
    until: date | None = None
    was_due_on: date | None = None
    words: bytes | None = None
    placed_by: str = Field(sa_type=sa.Text)
    placed_at: datetime = Field(sa_column=moment())
    ended_by: str | None = Field(default=None, sa_type=sa.Text)
    ended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    end_code: str | None = Field(default=None, sa_type=sa.Text)
