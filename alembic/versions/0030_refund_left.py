"""Whether a refund left is the relay's word: when it got the vault's leave to send it."""

import rls

revision = "0030_refund_left"
down_revision = "0029_template"
branch_labels = None
depends_on = None

COLUMN = """
ALTER TABLE refund ADD COLUMN left_at timestamp with time zone;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX refund_id_idx ON refund (id);
"""

# As for charges: the relay knows a refund by its id alone.
WHOSE = """
CREATE POLICY redeem_by_id ON refund FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_refund');
"""


def upgrade() -> None:
    """Add the column: of what is being sent just now a worker's word still counts."""
    rls.script(COLUMN)
    rls.script(WHOSE)


def downgrade() -> None:
    """Drop them: the worker's word counts again."""
    rls.script(
        """
        DROP POLICY redeem_by_id ON refund;
        DROP INDEX refund_id_idx;
        ALTER TABLE refund DROP COLUMN left_at;
        """
    )
