"""What came of a refund is its company's word, from the relay: of which payment it left for.

A question is about the payment that the refund left for, whatever anybody says of that payment
since. One that left before this column was there is asked about by the payment's own name.
"""

import rls

revision = "0048_refund_answers"
down_revision = "0047_debit_rows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: a vault of the release before writes nothing there."""
    rls.script("ALTER TABLE refund ADD COLUMN payment_ref text DEFAULT '' NOT NULL;")


def downgrade() -> None:
    """Drop it."""
    rls.script("ALTER TABLE refund DROP COLUMN payment_ref;")
