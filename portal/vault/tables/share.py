"""Data zone: what of a payment is whose, and bills that are paid in part; the schema's source."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class AttemptShare(SQLModel, table=True):
    """What an attempt that pays several bills pays of one of them; written with it, never changed.

    An attempt without such rows pays its own bill alone. Triggers (migration 0018) see to the sum,
    to the contract, and that no bill is in two live attempts.
    """

    __tablename__ = "attempt_share"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("attempt_share_bill_idx", "merchant_id", "bill_id", "attempt_id"),)

    merchant_id: UUID = Field(primary_key=True)
    attempt_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    amount_minor: int = Field(sa_type=sa.BigInteger)


class PartPaid(SQLModel, table=True):
    """What payments have paid, and no company took back, of a bill once paid in part: for sums.

    The books say it as well; this is their word kept beside the few bills that need it, written by
    portal.vault.ledger.settle alone. It says nothing of a bill that is settled.
    """

    __tablename__ = "part_paid"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    paid_minor: int = Field(sa_type=sa.BigInteger)
