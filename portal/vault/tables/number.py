"""Data zone: the table of numbers for convenience stores; the schema's source.

What somebody pays by is sealed with its attempt; here is only what was to be made, and whether the
relay had the payer's name for it.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class StoreOrder(SQLModel, table=True):
    """One number to be made, under its attempt's id, which is also what the relay redeems, once."""

    __tablename__ = "store_order"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("store_order_id_idx", "id"),)

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    store: str = Field(sa_type=sa.Text)
    redeemed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
