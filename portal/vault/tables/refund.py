"""Data zone: refunds; the schema's source.

States move by portal.domain.refund only. A trigger (migration 0008) refuses what would give back
more than the attempt brought, whatever the code does.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class Refund(SQLModel, table=True):
    """Money on its way back to a payer, of one attempt.

    ``asked_at``, ``decided_at`` and ``finished_at`` are business times; ``state_at``, ``doubt_at``
    (the submission), ``ask_at`` and ``missing_at`` are wall times that drive inquiries.
    ``left_at`` (wall): the relay has the vault's leave to send it, and has not said since that it
    came to nothing; ``payment_ref``: of which payment it left for, by its company's name, as the
    relay had it. ``owed_minor`` of the amount was owed back when it was set aside. ``words`` is
    sealed under ``version``: what staff wrote (portal.vault.refund.RefundWords). ``transfer_id``:
    what the books call its transfer, None for the refund's own id; ``returned_at`` (business): when
    the bank sent a transfer of it back last.
    """

    __tablename__ = "refund"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "provider", "reference", name="refund_reference_key"),
        sa.Index("refund_bill_idx", "merchant_id", "bill_id", "id"),
        sa.Index("refund_id_idx", "id"),
        sa.Index("refund_attempt_idx", "merchant_id", "attempt_id"),
        sa.Index(
            "refund_waiting_idx",
            "merchant_id",
            "id",
            postgresql_where=sa.text("state IN ('requested', 'by_bank_transfer')"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    attempt_id: UUID
    provider: str = Field(sa_type=sa.Text)
    reference: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    version: int = Field(sa_type=sa.Integer)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    owed_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("'JPY'"))
    )
    way: str = Field(sa_type=sa.Text)
    reason: str = Field(sa_type=sa.Text)
    words: bytes | None = None
    asked_by: str = Field(sa_type=sa.Text)
    asked_at: datetime = Field(sa_column=moment())
    approval_id: UUID | None = None
    approve_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: str | None = Field(default=None, sa_type=sa.Text)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    transferred_on: date | None = None
    state_at: datetime = Field(sa_column=moment())
    doubt_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    asked: int = Field(sa_type=sa.Integer)
    ask_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    missing_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    code: str | None = Field(default=None, sa_type=sa.Text)
    provider_ref: str = Field(sa_type=sa.Text)
    left_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    payment_ref: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("''"))
    )
    transfer_id: UUID | None = None
    returned_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
