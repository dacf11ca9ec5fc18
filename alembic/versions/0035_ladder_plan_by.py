"""Who set a version of a merchant's plan of messages; those before were set by the operator."""

import rls

revision = "0035_ladder_plan_by"
down_revision = "0034b_funnel"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE ladder_plan ADD COLUMN set_by text NOT NULL DEFAULT 'operator';
"""


def upgrade() -> None:
    """Add the column."""
    rls.script(TABLES)


def downgrade() -> None:
    """Drop it: what was set stays."""
    rls.script("ALTER TABLE ladder_plan DROP COLUMN set_by;")
