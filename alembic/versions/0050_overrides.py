"""An operator's word on banks' days, and on which results of 3-D Secure a merchant accepts.

Both existed as rules or as data that nobody could set: a holiday that is made late needed a new
package, and a payment that no bank stood for was booked like any other. What is there already keeps
its days; a payment that no bank stood for is a case from now on, unless its merchant takes any.
"""

import rls

revision = "0050_overrides"
down_revision = "0048_refund_answers"
branch_labels = None
depends_on = None

DAYS = """
ALTER TABLE debit_contract ADD COLUMN closed_days date[] NOT NULL DEFAULT '{}';
ALTER TABLE debit_contract ADD COLUMN opened_days date[] NOT NULL DEFAULT '{}';
GRANT UPDATE (closed_days, opened_days) ON debit_contract TO harai_vault;
"""
POLICY = """
ALTER TABLE merchant ADD COLUMN card_policy text NOT NULL DEFAULT 'attempted';
GRANT UPDATE (card_policy) ON merchant TO harai_vault;
"""


def upgrade() -> None:
    """Add the columns."""
    rls.script(DAYS)
    rls.script(POLICY)


def downgrade() -> None:
    """Drop them: the calendar's days hold, and every result is accepted."""
    rls.script(
        """
        ALTER TABLE merchant DROP COLUMN card_policy;
        ALTER TABLE debit_contract DROP COLUMN opened_days;
        ALTER TABLE debit_contract DROP COLUMN closed_days;
        """
    )
