"""When a company took a message: its state is overwritten by what became of it."""

import rls

revision = "0041c_sent_at"
down_revision = "0041b_print_ended"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; of what was taken before, nobody has kept it."""
    rls.script("ALTER TABLE delivery ADD COLUMN sent_at timestamptz;")


def downgrade() -> None:
    """Drop it."""
    rls.script("ALTER TABLE delivery DROP COLUMN sent_at;")
