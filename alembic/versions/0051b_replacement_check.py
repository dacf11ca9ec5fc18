"""Changes by file looked at by the wider rule for their states, in a transaction of its own."""

import rls

revision = "0051b_replacement_check"
down_revision = "0051_replacement_waits"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE bill_change VALIDATE CONSTRAINT bill_change_state_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
