"""Data zone: the table of calls by which payers are told of bills; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from portal.vault.tables.columns import moment


def _text(default: str) -> sa.Column[str]:
    return Column(sa.Text, nullable=False, server_default=sa.text(f"'{default}'"))


def _count() -> sa.Column[int]:
    return Column(sa.Integer, nullable=False, server_default=sa.text("0"))


def _flag() -> sa.Column[bool]:
    return Column(sa.Boolean, nullable=False, server_default=sa.text("false"))


class PhoneCall(SQLModel, table=True):
    """One call that a company was asked for, and how far it has come: see portal.domain.call.

    ``secret_hash``: of what stands in the address that the company asks for words. ``call_ref``:
    the company's own name of the call, from its first word on. ``begun_at``: when it was picked
    up. ``template_id``: the version of the merchant's own words that it says from its first prompt
    to its last; none: the built-in ones. What was typed is kept nowhere. One delivery that was put
    back may have had several calls.
    """

    __tablename__ = "phone_call"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "secret_hash", name="phone_call_secret_key"),
        sa.CheckConstraint("wrong BETWEEN 0 AND 3", name="phone_call_wrong_check"),
        sa.Index("phone_call_bill_idx", "merchant_id", "bill_id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    delivery_id: UUID
    bill_id: UUID
    provider: str = Field(sa_type=sa.Text)
    secret_hash: bytes
    made_at: datetime = Field(sa_column=moment())
    call_ref: str = Field(sa_column=_text(""))
    begun_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    stage: str = Field(sa_column=_text("greeting"))
    saying: str = Field(sa_column=_text("greeting"))
    step: int = Field(sa_column=_count())
    wrong: int = Field(sa_column=_count())
    silent: int = Field(sa_column=_count())
    has_pressed: bool = Field(sa_column=_flag())
    is_told: bool = Field(sa_column=_flag())
    is_link_asked: bool = Field(sa_column=_flag())
    outcome: str = Field(sa_column=_text(""))
    ended_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    template_id: UUID | None = None
