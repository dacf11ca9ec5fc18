"""Rows passed over because of an import that nobody had decided on, and their second look.

Chunks that were judged before say nothing of it: readers take that as "passed over for none".
"""

import rls

revision = "0005_second_look"
down_revision = "0004_cases"
branch_labels = None
depends_on = None

SECOND_LOOK = """
ALTER TABLE import ADD COLUMN is_judged_again boolean NOT NULL DEFAULT false;
ALTER TABLE import_chunk ADD COLUMN waits_for jsonb NOT NULL DEFAULT '{}';
CREATE INDEX import_chunk_waits_idx ON import_chunk (merchant_id, import_id)
    WHERE waits_for <> '{}';
"""


def upgrade() -> None:
    """Add the columns, and the index of the few chunks that wait."""
    rls.script(SECOND_LOOK)


def downgrade() -> None:
    """Take both away; rows passed over stay so whatever becomes of the earlier import."""
    rls.script("DROP INDEX import_chunk_waits_idx;")
    rls.script("ALTER TABLE import_chunk DROP COLUMN waits_for;")
    rls.script("ALTER TABLE import DROP COLUMN is_judged_again;")
