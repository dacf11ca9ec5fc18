"""Refunds looked at by the wider rule for their states, in a transaction of its own."""

import rls

revision = "0056b_transfers_check"
down_revision = "0056_transfers"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE refund VALIDATE CONSTRAINT refund_state_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
