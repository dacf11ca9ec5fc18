"""What an event of many bills at once says of each: its payment and its amount, in columns.

A JSON text for each event, read and made into the stored form, was more than half of what the rows
of a debit file's booking cost. Events that are there keep what they say where they say it.
"""

import rls

revision = "0052_event_columns"
down_revision = "0051b_replacement_check"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns, empty."""
    rls.script("""
        ALTER TABLE bill_event ADD COLUMN attempt_id uuid, ADD COLUMN amount_minor bigint;
    """)


def downgrade() -> None:
    """Drop both columns, and with them what they say of events that came since."""
    rls.script("""
        ALTER TABLE bill_event DROP COLUMN attempt_id, DROP COLUMN amount_minor;
    """)
