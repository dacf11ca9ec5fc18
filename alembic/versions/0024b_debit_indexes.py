"""Fewer indexes to tell, in a transaction that keeps no reader out while it builds new ones.

Odd bills are found by their mark. And an event's key begins with its bill, as everybody who reads
events does: one index does what two did.
"""

import rls

revision = "0024b_debit_indexes"
down_revision = "0024_debit_speed"
branch_labels = None
depends_on = None

INDEXES = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_marked_idx ON bill (merchant_id, id) WHERE is_odd;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX bill_event_key ON bill_event (merchant_id, bill_id, id);
-- Last what keeps readers out, once nothing has to be built any more.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX bill_odd_idx;
-- squawk-ignore ban-drop-constraint
ALTER TABLE bill_event DROP CONSTRAINT bill_event_pkey;
ALTER TABLE bill_event ADD CONSTRAINT bill_event_pkey PRIMARY KEY USING INDEX bill_event_key;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX bill_event_bill_idx;
"""


def upgrade() -> None:
    """Two indexes for four."""
    rls.script(INDEXES)


def downgrade() -> None:
    """The indexes as before."""
    rls.script("""
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX bill_odd_idx ON bill (merchant_id, settlement, id)
            WHERE settlement NOT IN ('unpaid', 'settled');
        -- squawk-ignore require-concurrent-index-deletion
        DROP INDEX bill_marked_idx;
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX bill_event_bill_idx ON bill_event (merchant_id, bill_id, id);
        ALTER TABLE bill_event DROP CONSTRAINT bill_event_pkey;
        ALTER TABLE bill_event ADD CONSTRAINT bill_event_pkey PRIMARY KEY (merchant_id, id);
    """)
