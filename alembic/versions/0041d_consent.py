"""That a payer agreed to be billed without paper, as the file of their bill says it."""

import rls

revision = "0041d_consent"
down_revision = "0041c_sent_at"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; bills that are there came without a word."""
    rls.script(
        """
        ALTER TABLE bill ADD COLUMN consent_on date;
        ALTER TABLE bill ADD COLUMN consent_source text;
        """
    )


def downgrade() -> None:
    """Drop them: the contracts' own words stay."""
    rls.script(
        """
        ALTER TABLE bill DROP COLUMN consent_source;
        ALTER TABLE bill DROP COLUMN consent_on;
        """
    )
