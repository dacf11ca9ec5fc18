"""A promise to pay ends with the bill's money.

The wider rules take the narrower ones' place; the rows are looked at afterwards (0020b).
"""

import rls

revision = "0020_mandate_redirect"
down_revision = "0016_any_size"
branch_labels = None
depends_on = None

ENDS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE pause DROP CONSTRAINT pause_end_code_check;
ALTER TABLE pause ADD CONSTRAINT pause_end_code_check
    CHECK (end_code IN ('released', 'replaced', 'paid')) NOT VALID;
"""


def upgrade() -> None:
    """Let promises end by payment."""
    rls.script(ENDS)


def downgrade() -> None:
    """Nothing: rows may hold the new words already."""
