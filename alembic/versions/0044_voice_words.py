"""Calls in merchants' own words: which version a call says, from its first prompt to its last.

A trial of such words is called too: by the hash of a secret of its own, as calls are.
"""

import rls

revision = "0044_voice_words"
down_revision = "0043_debit_pages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; calls that were made before said the built-in words."""
    rls.script(
        """
        ALTER TABLE phone_call ADD COLUMN template_id uuid;
        ALTER TABLE message_trial ADD COLUMN secret_hash bytea;
        """
    )


def downgrade() -> None:
    """Drop them: what each delivery was worded by stays with the delivery."""
    rls.script(
        """
        ALTER TABLE message_trial DROP COLUMN secret_hash;
        ALTER TABLE phone_call DROP COLUMN template_id;
        """
    )
