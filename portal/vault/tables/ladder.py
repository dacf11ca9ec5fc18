"""Data zone: plans of messages, bills' places on ladders, payers' choices; the schema's source."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel


class LadderPlan(SQLModel, table=True):
    """One version of a merchant's plan; see portal.domain.ladder. Versions count from 1.

    ``set_by``: a member of the staff, or ``operator`` for the operator's command. A bill keeps the
    version by which it was issued; hours and caps are the newest one's.
    """

    __tablename__ = "ladder_plan"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    version: int = Field(sa_column=Column(sa.Integer, primary_key=True, autoincrement=False))
    plan: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    set_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    set_by: str = Field(
        sa_column=Column(sa.Text, nullable=False, server_default=sa.text("'operator'"))
    )


class Ladder(SQLModel, table=True):
    """Where one issued bill stands on its ladder.

    ``next_at`` is a business time: when to look at it next; none when nothing comes by itself.
    ``done``: one bit a rung that was sent or skipped; ``skips``: which ones were skipped, when and
    why, so that no month writes millions of events to say so. ``held``: why a rung that is due
    waits. ``ended``: why nothing will be said any more. ``plan_version`` 0 is the plan of merchants
    who set none.
    """

    __tablename__ = "ladder"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "ladder_next_idx",
            "merchant_id",
            "next_at",
            "bill_id",
            postgresql_where=sa.text("next_at IS NOT NULL"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    plan_version: int = Field(sa_type=sa.Integer)
    done: int = Field(sa_type=sa.Integer)
    next_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    failed_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    skips: list[dict[str, Any]] = Field(
        sa_column=Column(JSONB, nullable=False, server_default=sa.text("'[]'"))
    )
    held: str = Field(sa_column=Column(sa.Text, nullable=False, server_default=sa.text("''")))
    ended: str = Field(sa_column=Column(sa.Text, nullable=False, server_default=sa.text("''")))


class ContactChoice(SQLModel, table=True):
    """What a payer said of a channel and a class of message; the newest row holds, all are kept.

    ``contact`` is the blind index of the number or address that the channel uses.
    """

    __tablename__ = "contact_choice"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("contact_choice_contact_idx", "merchant_id", "contact", "id"),)

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    contact: bytes
    channel: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    is_wanted: bool
    source: str = Field(sa_type=sa.Text)
    actor: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
