"""Which numbers and addresses take no messages any more, by the keyed hash that bills have of them.

Filled by bounces and complaints; nothing is known of what was sent before.
"""

import rls

revision = "0027_mail"
down_revision = "0022_channels"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE contact_fault (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    blind bytea NOT NULL,
    code text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, channel, blind)
);
"""


def upgrade() -> None:
    """Create the table."""
    rls.script(TABLES)
    rls.protect("contact_fault")
    rls.grant("contact_fault", "select", "insert")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop it: what came back is written to again."""
    rls.script("DROP TABLE contact_fault;")
