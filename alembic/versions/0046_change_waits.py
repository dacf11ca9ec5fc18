"""A bill that a file withdraws may wait until a store's number is withdrawn: state ``waiting``."""

import rls

revision = "0046_change_waits"
down_revision = "0045b_wording_tally"
branch_labels = None
depends_on = None

CHANGES = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE bill_change DROP CONSTRAINT bill_change_state_check;
ALTER TABLE bill_change ADD CONSTRAINT bill_change_state_check
    CHECK (state IN ('planned', 'done', 'waiting', 'known', 'refused')) NOT VALID;
"""


def upgrade() -> None:
    """Widen the rule for new rows; none that is there is refused by it."""
    rls.script(CHANGES)


def downgrade() -> None:
    """Nothing: a wider rule refuses no row that an older release writes."""
