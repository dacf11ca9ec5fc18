"""Data zone: the wording of merchants' messages, version by version; the schema's source."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class MessageTemplate(SQLModel, table=True):
    """One version of what a merchant says by a channel, in a language, on an occasion.

    ``words`` is sealed under ``version`` (portal.vault.template.TemplateWords): text, and for
    channels that have one the subject. ``written_at``, ``asked_at`` and ``decided_at`` are business
    times. Of one channel, language and occasion one version is in force at most.
    """

    __tablename__ = "message_template"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "channel", "language", "occasion", "number",
            name="message_template_number_key",
        ),
        sa.Index(
            "message_template_in_force_idx",
            "merchant_id",
            "channel",
            "language",
            "occasion",
            unique=True,
            postgresql_where=sa.text("state = 'in_force'"),
        ),
    )  # fmt: skip

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=sa.Text)
    language: str = Field(sa_type=sa.Text)
    occasion: str = Field(sa_type=sa.Text)
    number: int = Field(sa_type=sa.Integer)
    state: str = Field(sa_type=sa.Text)
    version: int = Field(sa_type=sa.Integer)
    words: bytes
    written_by: str = Field(sa_type=sa.Text)
    written_at: datetime = Field(sa_column=moment())
    asked_by: str | None = Field(default=None, sa_type=sa.Text)
    asked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    approval_id: UUID | None = None
    approve_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: str | None = Field(default=None, sa_type=sa.Text)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class DeliveryWording(SQLModel, table=True):
    """By which version of a merchant's own wording a delivery was worded; none: the built-in."""

    __tablename__ = "delivery_wording"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    delivery_id: UUID = Field(primary_key=True)
    template_id: UUID


class WordingTally(SQLModel, table=True):
    """Messages of a chunk that had a merchant's own wording, and those that it did not fit.

    ``on_date`` is a day of the merchant's; what did not fit was told in the built-in words.
    """

    __tablename__ = "wording_tally"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index("wording_tally_day_idx", "merchant_id", "template_id", "on_date"),
    )  # fmt: skip

    merchant_id: UUID = Field(primary_key=True)
    chunk_id: UUID = Field(primary_key=True)
    template_id: UUID = Field(primary_key=True)
    on_date: date = Field(primary_key=True)
    told: int = Field(sa_type=sa.Integer)
    unfit: int = Field(sa_type=sa.Integer)


class MessagePrice(SQLModel, table=True):
    """What a company takes from a merchant for a message, by its number of parts.

    Units: ``prices`` in hundredths of a yen, the first for one part.
    """

    __tablename__ = "message_price"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=sa.Text, primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    prices: list[int] = Field(sa_column=sa.Column(sa.ARRAY(sa.Integer), nullable=False))


class MessageTrial(SQLModel, table=True):
    """One text sent to a member of staff, or said to them; no bill, no payer, no link.

    ``words`` is sealed under version 1 (portal.vault.template_trial.TrialWords) and goes once the
    trial is over. ``secret_hash``: of what stands in the address that a company asks for a call's
    words. ``to_blind``: keyed hash of whom it went to. ``asked_at`` is a wall time. ``id`` alone is
    indexed too: the relay knows ids.
    """

    __tablename__ = "message_trial"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index("message_trial_chunk_idx", "merchant_id", "chunk_id"),
        sa.Index("message_trial_asked_idx", "merchant_id", "asked_at"),
        sa.Index("message_trial_id_idx", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    chunk_id: UUID
    channel: str = Field(sa_type=sa.Text)
    provider: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    tries: int = Field(sa_type=sa.Integer)
    words: bytes | None = None
    asked_by: str = Field(sa_type=sa.Text)
    asked_at: datetime = Field(sa_column=moment())
    secret_hash: bytes | None = None
    to_blind: bytes | None = None
