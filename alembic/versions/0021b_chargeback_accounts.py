"""The ledger's rows looked at by the wider rule for accounts, in a transaction of its own."""

import rls

revision = "0021b_chargeback_accounts"
down_revision = "0021_print_and_chargebacks"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE ledger_entry VALIDATE CONSTRAINT ledger_entry_account_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
