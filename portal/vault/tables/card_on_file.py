"""Data zone: cards on file and what is paid by them; the schema's source.

What a company calls the card is sealed in ``instrument``, with its brand and last digits. States
move by portal.domain.card_on_file only.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class CardOnFile(SQLModel, table=True):
    """A payer's leave to charge a card for one contract; at most one stands, by an index.

    ``attempt_id`` is the payment that enrolled it. ``consent`` is the version of the words that the
    payer agreed to at ``consent_at`` (business time), ``enrolled_on`` the day in the merchant's
    zone from which bills to come are counted. It is charged ``days_before`` a bill is due, which is
    what those words said. ``code``: why it was suspended.
    """

    __tablename__ = "card_on_file"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "attempt_id", name="card_on_file_attempt_key"),
        sa.Index(
            "card_on_file_one_standing",
            "merchant_id",
            "contract_blind",
            unique=True,
            postgresql_where=sa.text("state IN ('active', 'suspended')"),
        ),
        sa.Index(
            "card_on_file_active_idx",
            "merchant_id",
            "id",
            postgresql_where=sa.text("state = 'active'"),
        ),
        sa.Index("card_on_file_contract_idx", "merchant_id", "contract_blind"),
        sa.Index("card_on_file_attempt_idx", "attempt_id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    attempt_id: UUID
    contract_blind: bytes
    customer_blind: bytes
    provider: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    code: str | None = Field(default=None, sa_type=sa.Text)
    consent: str = Field(sa_type=sa.Text)
    consent_at: datetime = Field(sa_column=moment())
    days_before: int = Field(sa_type=sa.Integer)
    enrolled_on: date | None = None
    instrument: bytes | None = None
    state_at: datetime = Field(sa_column=moment())


class CardCharge(SQLModel, table=True):
    """One bill's charge to a card on file; at most one that was not left out, by an index.

    ``attempt_id`` is its newest try, which is also what the relay redeems, once.
    """

    __tablename__ = "card_charge"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "card_charge_one_a_bill",
            "merchant_id",
            "bill_id",
            unique=True,
            postgresql_where=sa.text("state <> 'left_out'"),
        ),
        sa.UniqueConstraint("merchant_id", "attempt_id", name="card_charge_attempt_key"),
        sa.Index("card_charge_attempt_idx", "attempt_id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    card_id: UUID
    attempt_id: UUID | None = None
    state: str = Field(sa_type=sa.Text)
    tries: int = Field(sa_type=sa.Integer)
    code: str | None = Field(default=None, sa_type=sa.Text)
    planned_on: date
    state_at: datetime = Field(sa_column=moment())


class CardPayment(SQLModel, table=True):
    """An attempt that is paid by a card on file while its payer is there.

    ``access`` is what the company calls the order, and what acts on it: sealed, the relay's alone,
    and erased with the last step or when the try ends without money. States move by
    portal.domain.card_payment only.
    """

    __tablename__ = "card_payment"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("card_payment_attempt_idx", "attempt_id"),)

    merchant_id: UUID = Field(primary_key=True)
    attempt_id: UUID = Field(primary_key=True)
    card_id: UUID
    state: str = Field(sa_type=sa.Text)
    access: bytes | None = None
    state_at: datetime = Field(sa_column=moment())
