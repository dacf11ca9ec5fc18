"""Calls in merchants' own words: which version a call says, from its first prompt to its last."""

import rls

revision = "0044_voice_words"
down_revision = "0043_debit_pages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; calls that were made before said the built-in words."""
    rls.script("ALTER TABLE phone_call ADD COLUMN template_id uuid;")


def downgrade() -> None:
    """Drop it: what each delivery was worded by stays with the delivery."""
    rls.script("ALTER TABLE phone_call DROP COLUMN template_id;")
