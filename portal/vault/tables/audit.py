"""Data zone: the audit's rows and the budgets' counters, both process-wide; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Audit(SQLModel, table=True):
    """One act as it was committed. The vault may insert and read rows, never change them.

    ``number`` counts up within an instance, with gaps where acts were rolled back; ``digest`` is
    the SHA-256 of the request. The chain over the rows is kept outside; see portal.vault.audit.
    """

    __tablename__ = "audit"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    instance: str = Field(sa_type=sa.Text, primary_key=True)
    number: int = Field(
        sa_column=sa.Column(sa.BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    at: datetime = Field(sa_column=moment())
    merchant_id: UUID | None = None
    caller: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    subject: UUID
    jti: UUID
    operation: str = Field(sa_type=sa.Text)
    outcome: str = Field(sa_type=sa.Text)
    rows: int = Field(sa_type=sa.Integer)
    digest: bytes


class Budget(SQLModel, table=True):
    """Rows revealed to one holder in one window; counted in chunks leased to an instance."""

    __tablename__ = "budget"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    holder: str = Field(sa_type=sa.Text, primary_key=True)
    window_no: int = Field(sa_type=sa.BigInteger, primary_key=True)
    used: int = Field(sa_type=sa.BigInteger)
    expires_at: datetime = Field(sa_column=moment())
