"""Rows looked at by the wider rules of 0020, in a transaction of its own."""

import rls

revision = "0020b_mandate_checks"
down_revision = "0020_mandate_redirect"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE pause VALIDATE CONSTRAINT pause_end_code_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE mandate VALIDATE CONSTRAINT mandate_state_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
