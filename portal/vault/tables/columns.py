"""Data zone: the few column shapes that SQLModel's defaults don't give: PostgreSQL's own types."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def moment(*, nullable: bool = False) -> sa.Column[object]:
    """A point in time with its zone; SQLModel would leave the zone out."""
    return sa.Column(sa.TIMESTAMP(timezone=True), nullable=nullable)


def texts() -> sa.Column[object]:
    """A list of texts."""
    return sa.Column(ARRAY(sa.Text()), nullable=False)


def json() -> sa.Column[object]:
    """Parameters of an event or a case, as JSONB."""
    return sa.Column(JSONB(), nullable=False)
