"""A road that was taken away is kept, off: what was planned by it still goes from its sender."""

import rls

revision = "0036_road_off"
down_revision = "0035_ladder_plan_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark; all roads there are on."""
    rls.script("ALTER TABLE merchant_channel ADD COLUMN is_off boolean NOT NULL DEFAULT false;")


def downgrade() -> None:
    """Take the roads away that are off."""
    rls.script("DELETE FROM merchant_channel WHERE is_off;")
    rls.script("ALTER TABLE merchant_channel DROP COLUMN is_off;")
