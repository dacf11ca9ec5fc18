"""Data zone: the tables of bills and of what happened to them; the schema's source.

Clear are ids, states, amounts, dates and the bill's own number; who pays and how to reach them is
sealed in ``contact``, the line items in ``billing``. Blind columns find a bill by an exact value.
Nothing here decides: states move by portal.domain.bill and portal.domain.message only.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel


class Bill(SQLModel, table=True):
    """What a payer owes for one contract and period.

    ``line`` is the physical line of its import. ``sealed_version`` is the row version under which
    ``contact`` and ``billing`` were sealed; ``version`` moves with lifecycle and settlement and is
    what staff compare. No index covers a column that messages change, so that those updates stay
    inside their page (heap-only tuples). The unique key begins with the number, so that a search
    by number is a prefix of it. ``is_told``: a company took some message about it; ``is_reached``:
    one arrived. Neither is ever taken back, whatever becomes of later messages. ``consent_on``:
    when its payer agreed to no paper, as the file says, and where.
    """

    __tablename__ = "bill"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.UniqueConstraint(
            "merchant_id", "number", "contract_blind", "period", "kind", name="bill_request_key"
        ),
        sa.Index("bill_due_idx", "merchant_id", "due_on", "id"),
        sa.Index("bill_amount_idx", "merchant_id", "amount_minor", "id"),
        sa.Index("bill_import_idx", "merchant_id", "import_id", "id"),
        sa.Index("bill_customer_idx", "merchant_id", "customer_blind"),
        sa.Index("bill_phone_idx", "merchant_id", "phone_blind"),
        sa.Index("bill_email_idx", "merchant_id", "email_blind"),
        sa.Index(
            "bill_address_idx",
            "merchant_id",
            "due_on",
            "id",
            postgresql_where=sa.text("has_address"),
        ),
        sa.Index("bill_check_code_idx", "merchant_id", "check_code"),
        sa.Index(
            "bill_marked_idx",
            "merchant_id",
            "id",
            postgresql_where=sa.text("is_odd"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    import_id: UUID
    line: int = Field(sa_type=sa.Integer)
    number: str = Field(sa_type=sa.Text)
    version: int = Field(default=1, sa_type=sa.Integer)
    sealed_version: int = Field(default=1, sa_type=sa.Integer)
    lifecycle: str = Field(sa_type=sa.Text)
    settlement: str = Field(sa_type=sa.Text)
    message: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    period: str = Field(sa_type=sa.Text)
    contract_blind: bytes
    customer_blind: bytes
    phone_blind: bytes | None = None
    email_blind: bytes | None = None
    check_code: int = Field(sa_type=sa.Integer)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    tax_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(default="JPY", sa_type=sa.Text)
    due_on: date
    language: str = Field(sa_type=sa.Text)
    contact: bytes
    billing: bytes
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    issued_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    opened_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    paid_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    canceled_at: datetime | None = Field(
        default=None, sa_column=Column(sa.TIMESTAMP(timezone=True))
    )
    has_address: bool = Field(
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    is_odd: bool = Field(
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    consent_on: date | None = None
    consent_source: str | None = Field(default=None, sa_type=sa.Text)
    is_told: bool = Field(
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    is_reached: bool = Field(
        sa_column=Column(sa.Boolean, nullable=False, server_default=sa.text("false"))
    )


class BillEvent(SQLModel, table=True):
    """One fact in a bill's life that no column of the bill or of its deliveries tells.

    That a bill came, was issued or was opened stands in its own columns: a month's three million
    issues don't write three million rows here. ``attempt_id`` and ``amount_minor`` say of an event
    that was told of many bills at once what ``params`` says of another.
    """

    __tablename__ = "bill_event"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    code: str = Field(sa_type=sa.Text)
    actor: str = Field(sa_type=sa.Text)
    params: dict[str, str | int] = Field(sa_column=Column(JSONB, nullable=False))
    attempt_id: UUID | None = None
    amount_minor: int | None = Field(default=None, sa_type=sa.BigInteger)


class Link(SQLModel, table=True):
    """The way from a message to a bill; of its secret only the SHA-256 is kept."""

    __tablename__ = "link"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (sa.Index("link_bill_idx", "merchant_id", "bill_id"),)

    merchant_id: UUID = Field(primary_key=True)
    secret_hash: bytes = Field(primary_key=True)
    bill_id: UUID
    delivery_id: UUID | None = None
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    expires_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))


class BillTally(SQLModel, table=True):
    """How many bills stand where, as deltas that a trigger appends at every statement.

    Sums over these few rows answer the dashboard at any number of bills; appending instead of
    counting up keeps payments of one merchant from waiting for one another. Reading folds them.
    """

    __tablename__ = "bill_tally"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    id: int = Field(
        sa_column=Column(sa.BigInteger, sa.Identity(always=True), primary_key=True, nullable=False)
    )
    lifecycle: str = Field(sa_type=sa.Text)
    settlement: str = Field(sa_type=sa.Text)
    message: str = Field(sa_type=sa.Text)
    is_opened: bool
    due_on: date
    paid_on: date | None = None
    bills: int = Field(sa_type=sa.BigInteger)
    amount_minor: int = Field(sa_type=sa.BigInteger)
