"""A charge that its company was too busy for may be sent once more: state ``again``."""

import rls

revision = "0025_money_rest"
down_revision = "0024b_debit_indexes"
branch_labels = None
depends_on = None

# Charges are few and none is refused by the wider rule; they are looked at by the next migration.
CHARGES = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE card_charge DROP CONSTRAINT card_charge_state_check;
ALTER TABLE card_charge ADD CONSTRAINT card_charge_state_check
    CHECK (state IN ('planned', 'handed', 'redeemed', 'again', 'left_out')) NOT VALID;
"""


def upgrade() -> None:
    """Widen the rule for new rows."""
    rls.script(CHARGES)


def downgrade() -> None:
    """Nothing: a wider rule refuses no row that an older release writes."""
