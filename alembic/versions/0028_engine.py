"""Sending that may stop and go on: unclear messages, and an import's messages held by its staff.

A message in doubt remembers since when, so that it goes again under its key only as long as the
company still knows that key.
"""

import rls

revision = "0028_engine"
down_revision = "0026_ladder"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE delivery ADD COLUMN unclear_at timestamp with time zone;
ALTER TABLE import ADD COLUMN sending text DEFAULT 'going' NOT NULL;
ALTER TABLE merchant_channel ADD COLUMN unclear text DEFAULT 'same_key' NOT NULL;
CREATE INDEX delivery_chunk_import_idx ON delivery_chunk (merchant_id, import_id);
"""


def upgrade() -> None:
    """Add the columns: nothing is in doubt, every import's messages go."""
    rls.script(COLUMNS)


def downgrade() -> None:
    """Drop them: what is unclear waits for a receipt again."""
    rls.script(
        """
        DROP INDEX delivery_chunk_import_idx;
        ALTER TABLE merchant_channel DROP COLUMN unclear;
        ALTER TABLE import DROP COLUMN sending;
        ALTER TABLE delivery DROP COLUMN unclear_at;
        """
    )
