"""Data zone: the tables of deliveries and of the chunks in which they are sent; schema's source.

A delivery holds ids, states and the provider's own reference; whom it goes to and what it says
are rendered at the moment of redemption and stored nowhere.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel


class Delivery(SQLModel, table=True):
    """One message to one payer by one channel; unique per bill, campaign, step and channel.

    ``not_before`` keeps a delivery from being handed out while an older hand-out of it may still
    reach the relay. ``sent_at``: it was known then that a company took it; what was taken before
    0041 has none. ``unclear_at``: redeemed then, and nobody knows whether it was sent; it goes
    again under its key, by the same company and no other. ``id`` alone is indexed too: the relay
    knows nothing but ids.
    """

    __tablename__ = "delivery"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "bill_id", "campaign", "step", "channel", name="delivery_once_key"
        ),
        sa.Index("delivery_chunk_idx", "merchant_id", "chunk_id", "id"),
        sa.Index("delivery_id_idx", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    chunk_id: UUID
    campaign: str = Field(sa_type=sa.Text)
    step: int = Field(sa_type=sa.Integer)
    channel: str = Field(sa_type=sa.Text)
    provider: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    tries: int = Field(default=0, sa_type=sa.Integer)
    not_before: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    provider_ref: str = Field(default="", sa_type=sa.Text)
    code: str = Field(default="", sa_type=sa.Text)
    unclear_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    changed_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))


class DeliveryChunk(SQLModel, table=True):
    """Up to 500 deliveries of one merchant and provider that one task sends."""

    __tablename__ = "delivery_chunk"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (sa.Index("delivery_chunk_import_idx", "merchant_id", "import_id"),)

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    import_id: UUID | None = None
    channel: str = Field(sa_type=sa.Text)
    provider: str = Field(sa_type=sa.Text)
    deliveries: int = Field(sa_type=sa.Integer)
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
