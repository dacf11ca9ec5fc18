"""Data zone: the tables of payment attempts and of the tokens payers return with; schema's source.

States move by portal.domain.payment only. Sealed is what concerns the payer's instrument
(``instrument``: the provider's page, the approval number, the card's last digits).
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

_LIVE = "state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')"


class Attempt(SQLModel, table=True):
    """One try to pay a bill; at most one per bill is live, which an index enforces.

    ``created_at`` and ``finished_at`` are business times; the others are wall times that drive
    inquiries: ``doubt_at`` when it was submitted, ``ask_at`` when the next inquiry is due,
    ``missing_at`` when the provider first said "not found" in a way that counts, ``heard_at`` when
    it last said for certain how the attempt stands. ``instrument`` is sealed under ``version``.
    """

    __tablename__ = "attempt"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "provider", "reference", name="attempt_reference_key"),
        sa.Index(
            "attempt_one_live",
            "merchant_id",
            "bill_id",
            unique=True,
            postgresql_where=sa.text(_LIVE),
        ),
        sa.Index("attempt_bill_idx", "merchant_id", "bill_id", "id"),
        sa.Index(
            "attempt_provider_ref_idx",
            "merchant_id",
            "provider",
            "provider_ref",
            postgresql_where=sa.text("provider_ref <> ''"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    method: str = Field(sa_type=sa.Text)
    provider: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    version: int = Field(default=1, sa_type=sa.Integer)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(default="JPY", sa_type=sa.Text)
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    finished_at: datetime | None = Field(
        default=None, sa_column=Column(sa.TIMESTAMP(timezone=True))
    )
    state_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    doubt_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    asked: int = Field(default=0, sa_type=sa.Integer)
    ask_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    missing_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    decline_code: str | None = Field(default=None, sa_type=sa.Text)
    authentication: str = Field(default="", sa_type=sa.Text)
    provider_ref: str = Field(default="", sa_type=sa.Text)
    instrument: bytes | None = None
    heard_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))


class ReturnToken(SQLModel, table=True):
    """The way back from a provider's page; of the token only the SHA-256 is kept."""

    __tablename__ = "return_token"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (sa.Index("return_token_expiry_idx", "merchant_id", "expires_at"),)

    merchant_id: UUID = Field(primary_key=True)
    token_hash: bytes = Field(primary_key=True)
    attempt_id: UUID
    bill_id: UUID
    expires_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
