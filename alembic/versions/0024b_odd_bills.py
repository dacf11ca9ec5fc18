"""The index of odd bills by their mark, in a transaction that keeps no reader out meanwhile."""

import rls

revision = "0024b_odd_bills"
down_revision = "0024_debit_speed"
branch_labels = None
depends_on = None

INDEX = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_marked_idx ON bill (merchant_id, id) WHERE is_odd;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX bill_odd_idx;
"""


def upgrade() -> None:
    """One index for another."""
    rls.script(INDEX)


def downgrade() -> None:
    """The index by settlement, as before."""
    rls.script("""
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX bill_odd_idx ON bill (merchant_id, settlement, id)
            WHERE settlement NOT IN ('unpaid', 'settled');
        -- squawk-ignore require-concurrent-index-deletion
        DROP INDEX bill_marked_idx;
    """)
