"""Data zone: the tables of imports, their chunks and the faults of their rows; schema's source.

The file's bytes lie in sealed parts elsewhere. What stood in a faulty cell and what the file was
called may name people: both are sealed.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel


class Import(SQLModel, table=True):
    """One file. The ``split_*`` columns are the splitter's memory between two parts.

    ``columns`` are the header's columns by our names in the file's order, '' for an unknown one.
    ``step_after`` is the last bill that issuing or discarding has come to. ``is_judged_again``:
    what the first look made is being deleted, then every chunk is judged once more. ``sending``:
    whether its messages go, wait, or never go (portal.domain.sending).
    """

    __tablename__ = "import"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    file_id: UUID
    state: str = Field(sa_type=sa.Text)
    sealed_version: int = Field(default=1, sa_type=sa.Integer)
    facts: bytes
    created_at: datetime = Field(sa_column=Column(sa.TIMESTAMP(timezone=True), nullable=False))
    created_by: str = Field(sa_type=sa.Text)
    received_bytes: int = Field(default=0, sa_type=sa.BigInteger)
    size_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    is_received: bool = False
    split_state: bytes
    encoding: str | None = Field(default=None, sa_type=sa.Text)
    columns: list[str] | None = Field(default=None, sa_column=Column(sa.ARRAY(sa.Text)))
    chunks_planned: int = Field(default=0, sa_type=sa.Integer)
    chunks_done: int = Field(default=0, sa_type=sa.Integer)
    rows_seen: int = Field(default=0, sa_type=sa.Integer)
    rows_good: int = Field(default=0, sa_type=sa.Integer)
    rows_faulty: int = Field(default=0, sa_type=sa.Integer)
    rows_known: int = Field(default=0, sa_type=sa.Integer)
    rows_issued: int = Field(default=0, sa_type=sa.Integer)
    step_after: UUID | None = None
    amount_good_minor: int = Field(default=0, sa_type=sa.BigInteger)
    refused_code: str | None = Field(default=None, sa_type=sa.Text)
    refused_params: dict[str, str | int] = Field(sa_column=Column(JSONB, nullable=False))
    checked_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    decided_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    is_judged_again: bool = False
    sending: str = Field(
        default="going", sa_column=Column(sa.Text, nullable=False, server_default="going")
    )


class ImportChunk(SQLModel, table=True):
    """About 1,000 rows of a file: bytes ``start_offset`` up to ``end_offset``, whole rows only.

    ``faults`` counts rows by fault code; ``done_at`` stands once its verdicts are stored.
    ``waits_for`` counts rows that were passed over, by the undecided import that has them.
    ``claims``: hash of a bill's key → line of a row that was refused after it had that bill.
    """

    __tablename__ = "import_chunk"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function
    __table_args__ = (
        sa.Index(
            "import_chunk_waits_idx",
            "merchant_id",
            "import_id",
            postgresql_where=sa.text("waits_for <> '{}'"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    import_id: UUID = Field(primary_key=True)
    chunk_no: int = Field(primary_key=True, sa_type=sa.Integer)
    start_offset: int = Field(sa_type=sa.BigInteger)
    end_offset: int = Field(sa_type=sa.BigInteger)
    first_line: int = Field(sa_type=sa.Integer)
    is_oversize: bool = False
    faults: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=Column(sa.TIMESTAMP(timezone=True)))
    waits_for: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    claims: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))


class RowFault(SQLModel, table=True):
    """One reason why one row was not taken; ``value`` is what stood there, sealed."""

    __tablename__ = "row_fault"  # pyright: ignore[reportAssignmentType] SQLModel types it as a function

    merchant_id: UUID = Field(primary_key=True)
    import_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True, sa_type=sa.Integer)
    id: UUID = Field(primary_key=True)
    column_name: str = Field(sa_type=sa.Text)
    code: str = Field(sa_type=sa.Text)
    params: dict[str, str | int] = Field(sa_column=Column(JSONB, nullable=False))
    value: bytes
