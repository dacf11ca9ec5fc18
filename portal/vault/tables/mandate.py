"""Data zone: what happened to mandates, and how payers give one at a bank's page; schema's source.

The mandate itself is portal.vault.tables.debit's. Nothing here knows an account.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class MandateEvent(SQLModel, table=True):
    """One thing that happened to a mandate; rows are added and never changed.

    ``code`` is the event of an edge of portal.domain.mandate; ``reason`` says why, where somebody
    said it. ``at`` is a business time.
    """

    __tablename__ = "mandate_event"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("mandate_event_idx", "merchant_id", "mandate_id", "id"),)

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    mandate_id: UUID
    at: datetime = Field(sa_column=moment())
    actor: str = Field(sa_type=sa.Text)
    code: str = Field(sa_type=sa.Text)
    reason: str | None = Field(default=None, sa_type=sa.Text)


class MandateRedirect(SQLModel, table=True):
    """A mandate on its way over the bank's page: where to, back by which token, asked how often.

    ``id`` is what the relay puts the bank's word under. ``reference`` is ours at the bank. ``page``
    is the bank's address, sealed (portal.vault.mandate_redirect.BankPage). The times drive
    inquiries and are wall times.
    """

    __tablename__ = "mandate_redirect"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "id", name="mandate_redirect_id_key"),
        sa.UniqueConstraint(
            "merchant_id", "provider", "reference", name="mandate_redirect_reference_key"
        ),
        sa.UniqueConstraint("merchant_id", "token_hash", name="mandate_redirect_token_key"),
        sa.Index("mandate_redirect_id_idx", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    mandate_id: UUID = Field(primary_key=True)
    bill_id: UUID
    id: UUID
    provider: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    version: int = Field(sa_type=sa.Integer)
    page: bytes | None = None
    token_hash: bytes
    token_until: datetime = Field(sa_column=moment())
    asked: int = Field(sa_type=sa.Integer)
    ask_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    doubt_at: datetime = Field(sa_column=moment())
    missing_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
