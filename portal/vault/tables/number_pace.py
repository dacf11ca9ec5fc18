"""Data zone: how fast a merchant's withdrawn numbers are asked about; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class NumberPace(SQLModel, table=True):
    """Until when a merchant's inquiries at a company are planned, as many numbers came at once.

    ``free_at``, a wall time: when the next of many may be asked about.
    """

    __tablename__ = "number_pace"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    free_at: datetime = Field(sa_column=moment())
