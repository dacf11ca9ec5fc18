"""Debits that are booked in thousands: room beside each attempt.

An attempt ends by another version of its row, of which three indexes are told. Attempts come in the
order of their keys, so the pages of heap and indexes were full by then: the version went to another
page, and each page of an index was searched for something to drop, packed anew and often cut in
two. Half a page that is left free costs less to write than that. Pages that are there stay as they
are; what is written from now on has the room.
"""

import rls

revision = "0043_debit_pages"
down_revision = "0042_app"
branch_labels = None
depends_on = None

INDEXES = ("attempt_pkey", "attempt_bill_idx", "attempt_reference_key")


def upgrade() -> None:
    """Leave room in what is written from now on."""
    rls.script("ALTER TABLE attempt SET (fillfactor = 50);")
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} SET (fillfactor = 50);")


def downgrade() -> None:
    """Pack pages again."""
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} RESET (fillfactor);")
    rls.script("ALTER TABLE attempt RESET (fillfactor);")
