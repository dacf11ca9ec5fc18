"""Cases that people settle: when one was last seen, what was written about it, and the open ones.

Both columns stay empty for cases that were opened before; readers take that as "seen once" and
"nothing written".
"""

import rls

revision = "0004_cases"
down_revision = "0003_money"
branch_labels = None
depends_on = None

CASES = """
ALTER TABLE case_ ADD COLUMN seen_at timestamptz, ADD COLUMN note bytea;
CREATE INDEX case_open_page_idx ON case_ (merchant_id, id) WHERE closed_at IS NULL;
"""


def upgrade() -> None:
    """Add the columns, and the index by which the open ones are listed and counted."""
    rls.script(CASES)


def downgrade() -> None:
    """Take both away; what was written about cases is lost."""
    rls.script("DROP INDEX case_open_page_idx;")
    rls.script("ALTER TABLE case_ DROP COLUMN note, DROP COLUMN seen_at;")
