"""When a provider last said for certain how an attempt stands.

It stays empty for attempts that were asked about before: readers take that as "not lately".
"""

import rls

revision = "0007_heard"
down_revision = "0006_passing_days"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    rls.script("ALTER TABLE attempt ADD COLUMN heard_at timestamptz;")


def downgrade() -> None:
    """Take it away."""
    rls.script("ALTER TABLE attempt DROP COLUMN heard_at;")
