"""Debits are booked along their file, so that what a bank tells moves no index.

A line is told something once and booked once: two new versions of its row. Both named columns of
an index's condition, so each wrote all five indexes anew; without that index, and with room left in
each page, they write none (heap-only tuples). So it is with a mandate, of which a first answer says
that it is not new any more. How far a file is booked is kept with the file.
"""

import rls

revision = "0019_debit_results"
down_revision = "0016_any_size"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the place, drop the index; pages that are there already stay as they are."""
    rls.script("""
        ALTER TABLE debit_file ADD COLUMN booked_to integer NOT NULL DEFAULT 0;
        ALTER TABLE debit SET (fillfactor = 50);
        ALTER TABLE mandate SET (fillfactor = 50);
        DROP INDEX debit_to_book_idx;
    """)


def downgrade() -> None:
    """Everything is found again by the index."""
    rls.script("""
        CREATE INDEX debit_to_book_idx ON debit (merchant_id, file_id, line_no)
            WHERE cause IS DISTINCT FROM booked_cause;
        ALTER TABLE debit RESET (fillfactor);
        ALTER TABLE mandate RESET (fillfactor);
        ALTER TABLE debit_file DROP COLUMN booked_to;
    """)
