"""Data zone: browsers and devices that take a payer's notifications; the schema's source."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class PushSubscription(SQLModel, table=True):
    """One browser or device of a customer; where exactly it is stands sealed in ``contact``.

    ``contact_blind`` is the keyed hash of the address or token, so that the same is not kept twice.
    A browser is bound to the telephone of the bill on which it was said (``phone_blind``): a bill
    that goes to another number tells it nothing. ``app`` is the name of the app that registered a
    device (MerchantApp); "": the installation's.
    """

    __tablename__ = "push_subscription"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "customer_blind", "contact_blind", name="push_subscription_key"
        ),
        sa.Index("push_subscription_contact_idx", "merchant_id", "contact_blind"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    customer_blind: bytes
    contact_blind: bytes
    phone_blind: bytes | None = None
    kind: str = Field(sa_type=sa.Text)
    contact: bytes
    created_at: datetime = Field(sa_column=moment())
    app: str = Field(
        default="", sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''"))
    )


class PushDelivery(SQLModel, table=True):
    """To which browser or device a delivery went, so that the relay can say that it is gone."""

    __tablename__ = "push_delivery"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    delivery_id: UUID = Field(primary_key=True)
    subscription_id: UUID


class MerchantApp(SQLModel, table=True):
    """A merchant's own app at one service, by its name in the relay's rules; none other has it."""

    __tablename__ = "merchant_app"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.UniqueConstraint("name", "provider", name="merchant_app_name_key"),)

    merchant_id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=sa.Text, primary_key=True)
    name: str = Field(sa_type=sa.Text)
