"""Cards that a company keeps under a name of ours: the relay asks for it by the payment's id alone."""

import rls

revision = "0053_card_keep"
down_revision = "0052_event_columns"
branch_labels = None
depends_on = None

# As for charges: the relay knows an attempt by its id alone.
WHOSE = """
CREATE INDEX card_on_file_attempt_idx ON card_on_file (attempt_id);
CREATE POLICY redeem_by_id ON card_on_file FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_instrument');
"""


def upgrade() -> None:
    """Add the look-up and its index."""
    rls.script(WHOSE)


def downgrade() -> None:
    """Drop them: no card is kept under a name of ours any more."""
    rls.script(
        """
        DROP POLICY redeem_by_id ON card_on_file;
        DROP INDEX card_on_file_attempt_idx;
        """
    )
