"""Merchants' own apps: which app's credentials a merchant's notifications go under.

Whatever has registered so far has the installation's one app, which has no name.
"""

import rls

revision = "0042_app"
down_revision = "0041d_consent"
branch_labels = None
depends_on = None

APPS = """
CREATE TABLE merchant_app (
    merchant_id uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('fcm', 'apns')),
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (merchant_id, provider),
    CONSTRAINT merchant_app_name_key UNIQUE (name, provider)
);
ALTER TABLE push_subscription ADD COLUMN app text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Create the table and the column."""
    rls.script(APPS)
    rls.protect("merchant_app")
    rls.grant("merchant_app", "select", "insert", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: all merchants share one app again."""
    rls.script("""
        DROP TABLE merchant_app;
        ALTER TABLE push_subscription DROP COLUMN app;
    """)
