"""Data zone: payment slips, what tills took of them, and what was noted; the schema's source.

A slip's state moves by portal.domain.slip_notice only. Nothing here names a person: the digits lead
to a bill by this merchant's rows alone.
"""

from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class SlipTermsRow(SQLModel, table=True):
    """What a merchant agreed to with its collection agency. Units: yen.

    ``is_offered`` False: no new slip is made out, notices about old ones still count.
    """

    __tablename__ = "slip_terms"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function

    merchant_id: UUID = Field(primary_key=True)
    agency: str = Field(sa_type=sa.Text)
    maker_code: str = Field(sa_type=sa.Text)
    company_code: str = Field(sa_type=sa.Text)
    amount_min: int = Field(sa_type=sa.Integer)
    amount_max: int = Field(sa_type=sa.Integer)
    is_public_money: bool
    scans_screens: bool
    days_open: int = Field(sa_type=sa.Integer)
    grace_days: int = Field(sa_type=sa.Integer)
    is_offered: bool


class Slip(SQLModel, table=True):
    """One number that shops read. ``is_current``: the bill's slip; else an older issue.

    ``number_key`` is maker, free field and issue: the post's notices have no more. ``issued_at``
    is business time, ``state_at`` wall time.
    """

    __tablename__ = "slip"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "number_key", name="slip_number_key"),
        sa.Index(
            "slip_one_current",
            "merchant_id",
            "bill_id",
            unique=True,
            postgresql_where=sa.text("is_current"),
        ),
        sa.Index("slip_bill_idx", "merchant_id", "bill_id", "issue"),
        sa.Index(
            "slip_expiry_idx",
            "merchant_id",
            "pay_until",
            "id",
            postgresql_where=sa.text("state IN ('issued', 'voided')"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    bill_id: UUID
    agency: str = Field(sa_type=sa.Text)
    number_key: str = Field(sa_type=sa.Text)
    digits: str = Field(sa_type=sa.Text)
    issue: int = Field(sa_type=sa.SmallInteger)
    state: str = Field(sa_type=sa.Text)
    version: int = Field(sa_type=sa.Integer)
    is_current: bool
    amount_minor: int = Field(sa_type=sa.BigInteger)
    pay_until: date
    issued_at: datetime = Field(sa_column=moment())
    state_at: datetime = Field(sa_column=moment())


class SlipTaking(SQLModel, table=True):
    """One payment at one till: what its money is in the books.

    ``id`` is the cause of its postings, and the id of its attempt once it is posted. ``at`` is
    when we first heard of it, in business time: how long it may wait for its confirmation.
    """

    __tablename__ = "slip_taking"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "slip_id", "taking", name="slip_taking_key"),
        sa.Index(
            "slip_taking_pending_idx",
            "merchant_id",
            "at",
            postgresql_where=sa.text("state = 'pending'"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    slip_id: UUID
    bill_id: UUID
    taking: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    at: datetime = Field(sa_column=moment())


class SlipNoticeRow(SQLModel, table=True):
    """One line of an agency as it came, once. ``counts``: it is part of what decides about money.

    ``received_on`` and ``received_at`` are the shop's clock in Japan.
    """

    __tablename__ = "slip_notice"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "notice_key", name="slip_notice_key"),
        sa.Index("slip_notice_slip_idx", "merchant_id", "slip_id", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    notice_key: str = Field(sa_type=sa.Text)
    slip_id: UUID | None = None
    agency: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    digits: str = Field(sa_type=sa.Text)
    received_on: date
    received_at: time | None = None
    company_code: str = Field(sa_type=sa.Text)
    store_code: str = Field(sa_type=sa.Text)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    paid_out_on: date | None = None
    counts: bool
    case_kind: str | None = Field(default=None, sa_type=sa.Text)
    came_by: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())
