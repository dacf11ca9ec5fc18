"""Browsers and devices that take a payer's notifications, and whether a lock screen names the sum.

Nobody has said yes before, so nothing is filled in.
"""

import rls

revision = "0032_push"
down_revision = "0031_call"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE push_subscription (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_blind bytea NOT NULL,
    contact_blind bytea NOT NULL,
    phone_blind bytea,
    kind text NOT NULL CHECK (kind IN ('web', 'fcm', 'apns')),
    contact bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT push_subscription_key UNIQUE (merchant_id, customer_blind, contact_blind)
);
CREATE INDEX push_subscription_contact_idx ON push_subscription (merchant_id, contact_blind);
CREATE TABLE push_delivery (
    merchant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    PRIMARY KEY (merchant_id, delivery_id)
);
ALTER TABLE merchant_channel ADD COLUMN says_amount boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Create the tables and the column."""
    rls.script(TABLES)
    rls.protect("push_subscription")
    rls.protect("push_delivery")
    rls.grant("push_subscription", "select", "insert", "update", "delete")
    rls.grant("push_delivery", "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: nobody is reached by a notification any more."""
    rls.script("""
        DROP TABLE push_delivery;
        DROP TABLE push_subscription;
        ALTER TABLE merchant_channel DROP COLUMN says_amount;
    """)
