"""Which smartphone wallet a merchant takes, if any.

An older vault founds merchants without one and offers none; nothing that it wrote changes.
"""

import rls

revision = "0008_wallet"
down_revision = "0007_heard"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and let the operator's operation change it."""
    rls.script("ALTER TABLE merchant ADD COLUMN wallet_provider text;")
    rls.script(f"GRANT UPDATE (wallet_provider) ON merchant TO {rls.VAULT};")


def downgrade() -> None:
    """Take it away, and the right with it."""
    rls.script(f"REVOKE UPDATE (wallet_provider) ON merchant FROM {rls.VAULT};")
    rls.script("ALTER TABLE merchant DROP COLUMN wallet_provider;")
