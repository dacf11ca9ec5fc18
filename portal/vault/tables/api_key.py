"""Data zone: merchants' API keys and all revoked authorities; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment, texts


class ApiKey(SQLModel, table=True):
    """An API key as it is listed; its capability carries ``id`` as jti and is stored nowhere."""

    __tablename__ = "api_key"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=sa.Text)
    scopes: list[str] = Field(sa_column=texts())
    created_by: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class Revoked(SQLModel, table=True):
    """An authority that is void before its time. Process-wide: every vault reads all of them."""

    __tablename__ = "revoked"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    jti: UUID = Field(primary_key=True)
    merchant_id: UUID
    expires_at: datetime = Field(sa_column=moment())
