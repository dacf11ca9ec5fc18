"""Let the planner expect that one merchant's rows may be all of a table.

A table without statistics (a new installation's, or any other before its first ANALYZE) is planned
with 200 merchants in it, and a merchant who is new since the last ANALYZE with as many rows as the
smallest known. A statement for 100 messages was then planned as "read all of this merchant's rows
100 times", and a kept plan stays until the next ANALYZE. So: one merchant counts as all, a table's
own key as one row each, now and after every ANALYZE.
"""

import rls

revision = "0016_any_size"
down_revision = "0015_debit_line"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Set it for all tables with a merchant; those of later migrations say it themselves."""
    rls.expect_any_size()


def downgrade() -> None:
    """Statistics are no data: the rows stay as they are."""
    rls.expect_any_size(merchants=0)
