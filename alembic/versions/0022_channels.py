"""By which company, and from which address, a merchant's messages of each channel go.

A merchant without a row for SMS goes on by its own two columns, so nothing is copied here.
"""

import rls

revision = "0022_channels"
down_revision = "0021b_chargeback_accounts"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE merchant_channel (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    sender text NOT NULL,
    share integer NOT NULL CHECK (share BETWEEN 0 AND 100),
    PRIMARY KEY (merchant_id, channel, provider)
);
"""


def upgrade() -> None:
    """Create the table."""
    rls.script(TABLES)
    rls.protect("merchant_channel")
    rls.grant("merchant_channel", "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop it: merchants send by SMS alone again."""
    rls.script("DROP TABLE merchant_channel;")
