"""Debits are booked along their file, and answers fetched by the line, each on its own row.

A line is told something once and booked once: two new versions of its row. Both named columns of
an index's condition, so each wrote all five indexes anew; without that index, and with room left in
each page, they write none (heap-only tuples). So it is with a mandate, of which a first answer says
that it is not new any more. How far a file is booked is kept with the file.
"""

import rls

revision = "0019_debit_results"
down_revision = "0018_several_bills"
branch_labels = None
depends_on = None

FETCHES = """
ALTER TABLE debit_contract ADD COLUMN result_days smallint NOT NULL DEFAULT 1;
ALTER TABLE debit_handover ADD COLUMN given integer NOT NULL DEFAULT 0;
CREATE TABLE debit_fetch (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'handed', 'storing', 'read', 'by_hand')),
    tries integer NOT NULL CHECK (tries >= 0),
    since timestamptz NOT NULL,
    code text NOT NULL,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, file_id),
    CONSTRAINT debit_fetch_id_key UNIQUE (merchant_id, id)
);
CREATE INDEX debit_fetch_id_idx ON debit_fetch (id);
"""

# As with a file that goes out (0015): the relay knows a try by its id alone.
WHOSE_ANSWER = """
CREATE POLICY keep_by_id ON debit_fetch FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'keep_debit_result');
"""


def upgrade() -> None:
    """Add the place, drop the index; pages that are there already stay as they are."""
    rls.script(FETCHES)
    rls.protect("debit_fetch")
    rls.script(WHOSE_ANSWER)
    rls.grant("debit_fetch", "select", "insert", "update")
    rls.expect_any_size()
    rls.script("""
        ALTER TABLE debit_file ADD COLUMN booked_to integer NOT NULL DEFAULT 0;
        ALTER TABLE debit SET (fillfactor = 50);
        ALTER TABLE mandate SET (fillfactor = 50);
        -- One transaction for all: dropping writes nothing and is over at once, but for the wait for
        -- the table's lock, which is bounded.
        -- squawk-ignore require-concurrent-index-deletion
        DROP INDEX debit_to_book_idx;
    """)


def downgrade() -> None:
    """Everything is found again by the index."""
    rls.script("""
        DROP TABLE debit_fetch;
        ALTER TABLE debit_contract DROP COLUMN result_days;
        ALTER TABLE debit_handover DROP COLUMN given;
        CREATE INDEX debit_to_book_idx ON debit (merchant_id, file_id, line_no)
            WHERE cause IS DISTINCT FROM booked_cause;
        ALTER TABLE debit RESET (fillfactor);
        ALTER TABLE mandate RESET (fillfactor);
        ALTER TABLE debit_file DROP COLUMN booked_to;
    """)
