"""Debit files of as many lines as six digits count, and answers that are read a step at a time.

How far an answer was checked stands at its file until it is told.
"""

import rls

revision = "0054_debit_readings"
down_revision = "0053_card_keep"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE debit_file ADD COLUMN reading bytea;
-- squawk-ignore ban-drop-constraint
ALTER TABLE debit_contract DROP CONSTRAINT debit_contract_lines_max_check;
ALTER TABLE debit_contract ADD CONSTRAINT debit_contract_lines_max_check
    CHECK (lines_max BETWEEN 1 AND 999999) NOT VALID;
"""


def upgrade() -> None:
    """Add the column, empty; widen the rule: no contract that is there is refused by it."""
    rls.script(CHANGES)


def downgrade() -> None:
    """Drop the column; answers that are being read are put up again. The rule stays wider."""
    rls.script("ALTER TABLE debit_file DROP COLUMN reading;")
