"""Data zone: what files do to bills that are there already; the schema's source."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class BillChange(SQLModel, table=True):
    """One row of a file that withdraws a bill, or replaces it by ``new_bill_id``.

    Planned when the row is read, done when the import is sent; one of a bill in each import.
    ``waiting`` is done as far as a file can: somebody held a number for a store then, and the bill
    is ``canceling`` until that is withdrawn. A replacement is ``ready`` then, until its new bill is
    issued; ``planned`` once more where the money came first.
    """

    __tablename__ = "bill_change"  # pyright: ignore[reportAssignmentType]  # SQLModel: a function
    __table_args__ = (
        sa.Index(
            "bill_change_planned_idx",
            "merchant_id",
            "import_id",
            "bill_id",
            postgresql_where=sa.text("state = 'planned'"),
        ),
        sa.Index(
            "bill_change_waiting_idx",
            "merchant_id",
            "bill_id",
            postgresql_where=sa.text("state = 'waiting' AND new_bill_id IS NOT NULL"),
        ),
        sa.Index(
            "bill_change_ready_idx",
            "merchant_id",
            "import_id",
            "bill_id",
            postgresql_where=sa.text("state = 'ready'"),
        ),
        sa.Index(
            "bill_change_held_idx",
            "merchant_id",
            "new_bill_id",
            postgresql_where=sa.text("state IN ('waiting', 'ready') AND new_bill_id IS NOT NULL"),
        ),
    )

    merchant_id: UUID = Field(primary_key=True)
    import_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    line: int = Field(sa_type=sa.Integer)
    action: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    new_bill_id: UUID | None = None
