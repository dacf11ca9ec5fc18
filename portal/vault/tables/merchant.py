"""Data zone: merchants, their public codes and their wrapped keys; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Merchant(SQLModel, table=True):
    """Who bills. Nothing here is personal; the row is visible in the merchant's own acts only.

    ``lapse_after_days``: so long after its due date a bill can be paid; None: it never lapses.
    ``wallet_provider``: None for a merchant that takes no smartphone wallet.
    ``number_provider``: None where payers get no numbers for stores; ``number_hours`` is when the
    merchant's telephone is answered, as their receipts say.
    ``refund_limit_minor`` goes back of one payment without a second person. A payer's promise
    reaches ``promise_days_max`` ahead, an extension ``extension_days_max`` beyond the first due
    date. ``charge_days_before``: cards that are left from now on are charged so many days before a
    bill is due; None: no card is kept, and none charged. ``part_least_minor``: the least that is
    taken of a bill at once; None: all or nothing. ``card_policy``: which results of 3-D Secure need
    nobody's look (portal.domain.authentication).
    """

    __tablename__ = "merchant"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    id: UUID = Field(primary_key=True)
    code: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    zone: str = Field(sa_type=sa.Text)
    sms_sender: str = Field(sa_type=sa.Text)
    sms_provider: str = Field(sa_type=sa.Text)
    card_provider: str = Field(sa_type=sa.Text)
    phone: str = Field(sa_type=sa.Text)
    website: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_column=moment())
    lapse_after_days: int | None = Field(
        sa_column=sa.Column(sa.Integer, nullable=True, server_default=sa.text("90"))
    )
    wallet_provider: str | None = Field(default=None, sa_column=sa.Column(sa.Text, nullable=True))
    number_provider: str | None = Field(default=None, sa_column=sa.Column(sa.Text, nullable=True))
    number_hours: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''"))
    )
    transfer_text: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''"))
    )
    refund_limit_minor: int = Field(
        sa_column=sa.Column(sa.BigInteger, nullable=False, server_default=sa.text("10000"))
    )
    promise_days_max: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("31"))
    )
    extension_days_max: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("120"))
    )
    charge_days_before: int | None = Field(default=None, sa_type=sa.Integer)
    part_least_minor: int | None = Field(
        default=None, sa_column=sa.Column(sa.BigInteger, nullable=True)
    )
    card_policy: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("'attempted'"))
    )


class MerchantCode(SQLModel, table=True):
    """Public code → merchant: what links, keys and log-ins carry. Exempt from row security."""

    __tablename__ = "merchant_code"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    code: str = Field(sa_type=sa.Text, primary_key=True)
    merchant_id: UUID = Field(unique=True)


class MerchantKey(SQLModel, table=True):
    """A wrapped key: ``merchant`` under the root, every other purpose under the merchant's."""

    __tablename__ = "merchant_key"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    purpose: str = Field(sa_type=sa.Text, primary_key=True)
    version: int = Field(sa_type=sa.Integer, primary_key=True)
    wrapped: bytes
    active_from: datetime = Field(sa_column=moment())


class MintKey(SQLModel, table=True):
    """A wrapped key that mints capabilities, for all merchants."""

    __tablename__ = "mint_key"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    kid: int = Field(
        sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False, nullable=False)
    )
    wrapped: bytes
    created_at: datetime = Field(sa_column=moment())
    retired_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
