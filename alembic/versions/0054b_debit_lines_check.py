"""Contracts of bank debit looked at by the wider rule for lines, in a transaction of its own."""

import rls

revision = "0054b_debit_lines_check"
down_revision = "0054_debit_readings"
branch_labels = None
depends_on = None

# Migrations run in a transaction each (env.py); only the script of all of them is one.
VALIDATE = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE debit_contract VALIDATE CONSTRAINT debit_contract_lines_max_check;
"""


def upgrade() -> None:
    """Look at every row once."""
    rls.script(VALIDATE)


def downgrade() -> None:
    """Nothing: a rule that was looked at stays so."""
