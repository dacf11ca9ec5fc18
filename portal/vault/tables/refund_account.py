"""Data zone: the payer's account for a refund that is transferred; the schema's source.

The account stands sealed in ``details``; nothing else here says whose or which it is.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class RefundAccount(SQLModel, table=True):
    """Where one refund goes, as it was given last; it goes 90 days after the refund ended.

    ``details`` is sealed under ``version`` (portal.domain.refund_account.RefundAccount).
    ``source``: ``payer``, ``staff`` or ``mandate`` (staff chose the debited account again).
    ``changes``: how often it was given anew since the first time. ``given_at`` is a business time.
    """

    __tablename__ = "refund_account"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    refund_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=sa.Integer)
    details: bytes
    source: str = Field(sa_type=sa.Text)
    given_at: datetime = Field(sa_column=moment())
    given_by: str = Field(sa_type=sa.Text)
    changes: int = Field(sa_type=sa.Integer)


class RefundAccountTry(SQLModel, table=True):
    """How often the question of a bill's page was answered wrongly; by whom, nobody knows.

    ``failed_at`` is a wall time; 90 days after it the row goes.
    """

    __tablename__ = "refund_account_try"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("refund_account_try_idx", "merchant_id", "failed_at"),)

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    failed: int = Field(sa_type=sa.Integer)
    failed_at: datetime = Field(sa_column=moment())
