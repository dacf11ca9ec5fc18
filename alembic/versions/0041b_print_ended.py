"""A print file without the bills that ended before it was taken out: which line is whose."""

import rls

revision = "0041b_print_ended"
down_revision = "0041_reached"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the lines' places; the vault may take a bill out of a batch."""
    rls.script("ALTER TABLE print_bill ADD COLUMN place integer;")
    rls.grant("print_bill", "update", "delete")


def downgrade() -> None:
    """Drop them: what is in a batch stays in it."""
    rls.script(
        f"""
        REVOKE UPDATE, DELETE ON print_bill FROM {rls.VAULT};
        ALTER TABLE print_bill DROP COLUMN place;
        """
    )
