"""Data zone: bills that want paper, contracts billed digitally, contacts; the schema's source.

Contacts and contracts stand here by the keyed hashes that bills have of them, never in clear.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from portal.vault.tables.columns import moment


class PaperDue(SQLModel, table=True):
    """A bill that goes into the next print batch, why, and since when (a business time).

    ``state``: ``waiting``, ``printed`` in a batch, or ``dropped``: paid or withdrawn before that.
    """

    __tablename__ = "paper_due"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "paper_due_waiting_idx",
            "merchant_id",
            "bill_id",
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        sa.Index("paper_due_reason_idx", "merchant_id", "reason", "at"),
    )

    merchant_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    reason: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())
    state: str = Field(
        default="waiting", sa_column=Column(sa.Text, nullable=False, server_default="waiting")
    )


class DigitalContract(SQLModel, table=True):
    """How one contract is billed, if that was ever said; see portal.domain.digital.

    ``seen``: bills of the parallel run that were read by message. ``bill_id``: a bill of the
    contract by which staff find it. ``since``: when the state began, a business time.
    """

    __tablename__ = "digital_contract"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("digital_contract_state_idx", "merchant_id", "state", "since"),)

    merchant_id: UUID = Field(primary_key=True)
    contract_blind: bytes = Field(primary_key=True)
    state: str = Field(sa_type=sa.Text)
    reason: str = Field(default="", sa_column=Column(sa.Text, nullable=False, server_default=""))
    seen: int = Field(
        default=0, sa_column=Column(sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    bill_id: UUID
    since: datetime = Field(sa_column=moment())


class DigitalEvent(SQLModel, table=True):
    """What was said of a contract's way of billing, by whom, where, and by which words."""

    __tablename__ = "digital_event"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index("digital_event_contract_idx", "merchant_id", "contract_blind", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    contract_blind: bytes
    bill_id: UUID
    event: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    source: str = Field(sa_type=sa.Text)
    words: str = Field(default="", sa_column=Column(sa.Text, nullable=False, server_default=""))
    reason: str = Field(default="", sa_column=Column(sa.Text, nullable=False, server_default=""))
    actor: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())


class ContactVerified(SQLModel, table=True):
    """A contact that reached the payer of a contract: they opened the link that went there."""

    __tablename__ = "contact_verified"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("contact_verified_contact_idx", "merchant_id", "contact"),)

    merchant_id: UUID = Field(primary_key=True)
    contract_blind: bytes = Field(primary_key=True)
    contact: bytes = Field(primary_key=True)
    customer_blind: bytes
    channel: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_column=moment())


class ContactDoubt(SQLModel, table=True):
    """A contact that may be somebody else's, and ``why``; see portal.domain.hygiene.

    Of one that was denied no messages of the contract go there. The doubt holds until staff clear
    it; a new one after that takes its place.
    """

    __tablename__ = "contact_doubt"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "contact_doubt_open_idx",
            "merchant_id",
            "why",
            "at",
            postgresql_where=sa.text("cleared_at IS NULL"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    contract_blind: bytes = Field(primary_key=True)
    contact: bytes = Field(primary_key=True)
    why: str = Field(sa_type=sa.Text)
    bill_id: UUID
    at: datetime = Field(sa_column=moment())
    cleared_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class PaperSaved(SQLModel, table=True):
    """How many bills of a day were not printed because their payers are billed digitally.

    Appended by each step, less where one had to be printed after all. Reading adds up a month.
    """

    __tablename__ = "paper_saved"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (sa.Index("paper_saved_day_idx", "merchant_id", "on_date"),)

    merchant_id: UUID = Field(primary_key=True)
    id: int = Field(
        sa_column=Column(sa.BigInteger, sa.Identity(always=True), primary_key=True, nullable=False)
    )
    on_date: date
    sheets: int = Field(sa_type=sa.Integer)
