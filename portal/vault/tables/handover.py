"""Data zone: files on the line to their bank, and answers to debit files; the schema's source.

One row a file each, made with its approval and once the bank has it. ``id`` is what the relay
redeems, a new one for each try.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.vault.tables.columns import moment


class DebitHandover(SQLModel, table=True):
    """Where a file stands on the line (portal.domain.handover); ``kind``: of debits or transfers.

    ``doubt_at``: when it was sent. ``given``: parts of it that the relay has, at this try.
    """

    __tablename__ = "debit_handover"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "id", name="debit_handover_id_key"),
        sa.Index("debit_handover_id_idx", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(primary_key=True)
    id: UUID
    provider: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    tries: int = Field(sa_type=sa.Integer)
    asked: int = Field(sa_type=sa.Integer)
    ask_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    doubt_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    code: str = Field(sa_type=sa.Text)
    state_at: datetime = Field(sa_column=moment())
    given: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default=sa.text("0")))
    kind: str = Field(
        sa_column=sa.Column(sa.Text, nullable=False, server_default=sa.text("'debit'"))
    )


class DebitFetch(SQLModel, table=True):
    """Where the answer to a file stands (portal.domain.fetch). ``since``: when it was first due.

    A try's ``id`` is also where its answer's parts lie (portal.vault.file).
    """

    __tablename__ = "debit_fetch"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "id", name="debit_fetch_id_key"),
        sa.Index("debit_fetch_id_idx", "id"),
    )

    merchant_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(primary_key=True)
    id: UUID
    provider: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    tries: int = Field(sa_type=sa.Integer)
    since: datetime = Field(sa_column=moment())
    code: str = Field(sa_type=sa.Text)
    state_at: datetime = Field(sa_column=moment())
