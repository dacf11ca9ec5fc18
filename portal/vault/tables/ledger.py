"""Data zone: the double-entry ledger's two tables; the schema's source.

Both are append-only (no grant, and a trigger that refuses); a statement trigger refuses entries
that don't balance. What may be booked is written in portal.domain.ledger, and only
portal.vault.ledger inserts here.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel


class LedgerTransaction(SQLModel, table=True):
    """One cause booked: ``entries`` lines whose debits sum to ``debit_minor``."""

    __tablename__ = "ledger_transaction"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "cause_id", "cause", name="ledger_cause_key"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    cause: str = Field(sa_type=sa.Text)
    cause_id: UUID
    at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    currency: str = Field(default="JPY", sa_type=sa.Text)
    debit_minor: int = Field(sa_type=sa.BigInteger)
    entries: int = Field(sa_type=sa.SmallInteger)


class LedgerEntry(SQLModel, table=True):
    """One line of a transaction: debits positive, credits negative. Units: minor units."""

    __tablename__ = "ledger_entry"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (sa.Index("ledger_entry_bill_idx", "merchant_id", "bill_id"),)

    merchant_id: UUID = Field(primary_key=True)
    transaction_id: UUID = Field(primary_key=True)
    line: int = Field(sa_type=sa.SmallInteger, primary_key=True)
    account: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    bill_id: UUID
    attempt_id: UUID | None = None
