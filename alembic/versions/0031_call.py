"""Calls by which payers are told of bills: how far each has come, by its secret's hash.

Nobody was called before, so nothing is filled in.
"""

import rls

revision = "0031_call"
down_revision = "0030_refund_left"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE phone_call (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    provider text NOT NULL,
    secret_hash bytea NOT NULL,
    made_at timestamptz NOT NULL,
    call_ref text NOT NULL DEFAULT '',
    begun_at timestamptz,
    stage text NOT NULL DEFAULT 'greeting',
    saying text NOT NULL DEFAULT 'greeting',
    step integer NOT NULL DEFAULT 0,
    wrong integer NOT NULL DEFAULT 0,
    silent integer NOT NULL DEFAULT 0,
    has_pressed boolean NOT NULL DEFAULT false,
    is_told boolean NOT NULL DEFAULT false,
    is_link_asked boolean NOT NULL DEFAULT false,
    outcome text NOT NULL DEFAULT '',
    ended_at timestamptz,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT phone_call_secret_key UNIQUE (merchant_id, secret_hash),
    -- Whatever the code does: nobody guesses on and on in one call.
    CONSTRAINT phone_call_wrong_check CHECK (wrong BETWEEN 0 AND 3)
);
CREATE INDEX phone_call_bill_idx ON phone_call (merchant_id, bill_id);
"""


def upgrade() -> None:
    """Create the table."""
    rls.script(TABLES)
    rls.protect("phone_call")
    rls.grant("phone_call", "select", "insert", "update")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop it: calls under way are forgotten, and who is in one hears that it is over."""
    rls.script("DROP TABLE phone_call;")
