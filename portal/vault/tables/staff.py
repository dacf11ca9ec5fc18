"""Data zone: a merchant's staff and their single-use log-in tickets; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Staff(SQLModel, table=True):
    """A member of staff. ``profile`` (name, mail) and ``secrets`` (password hash, TOTP) are sealed.

    ``totp_step`` is the last 30-second step whose code was used: each works once.
    """

    __tablename__ = "staff"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.UniqueConstraint("merchant_id", "email_blind", name="staff_email_key"),)

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    email_blind: bytes
    profile: bytes
    secrets: bytes
    role: str = Field(sa_type=sa.Text)
    totp_step: int = Field(default=0, sa_type=sa.BigInteger)
    failures: int = Field(default=0, sa_type=sa.Integer)
    locked_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    created_at: datetime = Field(sa_column=moment())


class LoginTicket(SQLModel, table=True):
    """A single-use log-in; of its secret only the SHA-256 is kept."""

    __tablename__ = "login_ticket"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("login_ticket_expiry_idx", "merchant_id", "expires_at"),)

    merchant_id: UUID = Field(primary_key=True)
    secret_hash: bytes = Field(primary_key=True)
    staff_id: UUID
    expires_at: datetime = Field(sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
