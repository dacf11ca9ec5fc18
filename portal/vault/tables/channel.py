"""Data zone: by which company a merchant's messages of a channel go; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from portal.vault.tables.columns import moment


class MerchantChannel(SQLModel, table=True):
    """One road of a merchant's messages: a channel by a company, under a number or name.

    ``share``: its part of the channel's new messages beside the other roads of the same channel;
    0 carries nothing unless no other does. A merchant without a row for SMS that has a share goes
    by its own columns ``sms_provider`` and ``sms_sender``. ``unclear``: what becomes of a message
    of which nobody knows whether it was sent; see portal.domain.message. ``is_off``: nothing new
    goes by it; what was planned by it still goes, from the same number or name. ``says_amount``:
    whether a notification names the sum on the locked screen.
    """

    __tablename__ = "merchant_channel"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=sa.Text, primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    sender: str = Field(sa_type=sa.Text)
    share: int = Field(sa_type=sa.Integer)
    unclear: str = Field(
        default="same_key",
        sa_column=Column(sa.Text, nullable=False, server_default="same_key"),
    )
    is_off: bool = Field(
        default=False,
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    says_amount: bool = Field(
        default=False,
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false")),
    )


class ContactFault(SQLModel, table=True):
    """A number or address that takes no messages of a channel any more, and why.

    ``blind`` is the keyed hash that bills have of it; ``code`` is ``bounced`` (there is no such
    mailbox) or ``complained`` (its reader wants none). The first reason stays. ``cleared_at``:
    staff know better; what came back before that counts no more.
    """

    __tablename__ = "contact_fault"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=sa.Text, primary_key=True)
    blind: bytes = Field(primary_key=True)
    code: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())
    cleared_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
