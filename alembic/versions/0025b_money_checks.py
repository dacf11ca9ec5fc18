"""Charges looked at by the wider rule for their states, in a transaction of its own."""

import rls

revision = "0025b_money_checks"
down_revision = "0025_money_rest"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE card_charge VALIDATE CONSTRAINT card_charge_state_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
