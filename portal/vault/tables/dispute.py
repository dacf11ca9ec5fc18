"""Data zone: payments that their payers contest at the company that took them; schema's source.

States move by portal.domain.dispute only. Nothing in it is sealed: ids, amounts and the company's
own word for the reason.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Dispute(SQLModel, table=True):
    """One dispute of one payment. ``reference`` is the company's name of it.

    ``taken_minor``: what the ledger has as taken back and not returned. ``opened_at`` and
    ``closed_at`` are business times of when we learned of it.
    """

    __tablename__ = "dispute"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "attempt_id", "reference", name="dispute_reference_key"),
        sa.Index("dispute_bill_idx", "merchant_id", "bill_id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    attempt_id: UUID
    reference: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    taken_minor: int = Field(sa_type=sa.BigInteger)
    reason: str = Field(sa_type=sa.Text)
    respond_by: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    opened_at: datetime = Field(sa_column=moment())
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
