"""Data zone: how far a merchant's bills were followed along the calendar; the schema's source."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

_NEVER = sa.text("'1900-01-01'")
_FIRST = sa.text("'00000000-0000-0000-0000-000000000000'")


class DueDay(SQLModel, table=True):
    """One row a merchant; see portal.vault.due.

    ``day`` is the business day that began last. The next columns are two places in the order of
    (due date, id): bills up to the first were looked at for being late, up to the second for
    lapsing. ``charged_on``: the day for which charges of cards on file were last planned.
    """

    __tablename__ = "due_day"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    day: date
    overdue_to: date = Field(sa_column=sa.Column(sa.Date, nullable=False, server_default=_NEVER))
    overdue_id: UUID = Field(sa_column=sa.Column(sa.Uuid, nullable=False, server_default=_FIRST))
    lapsed_to: date = Field(sa_column=sa.Column(sa.Date, nullable=False, server_default=_NEVER))
    lapsed_id: UUID = Field(sa_column=sa.Column(sa.Uuid, nullable=False, server_default=_FIRST))
    charged_on: date = Field(sa_column=sa.Column(sa.Date, nullable=False, server_default=_NEVER))
