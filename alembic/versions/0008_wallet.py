"""Which smartphone wallet a merchant takes, if any.

An older vault founds merchants without one and offers none; nothing that it wrote changes.
"""

import rls

revision = "0008_wallet"
down_revision = "0007_heard"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    rls.script("ALTER TABLE merchant ADD COLUMN wallet_provider text;")


def downgrade() -> None:
    """Take it away."""
    rls.script("ALTER TABLE merchant DROP COLUMN wallet_provider;")
