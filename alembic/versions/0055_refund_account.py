"""Where a refund goes by bank transfer: the payer's account, sealed, and wrong answers on the way."""

import rls

revision = "0055_refund_account"
down_revision = "0054b_debit_lines_check"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE refund_account (
    merchant_id uuid NOT NULL,
    refund_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    details bytea NOT NULL,
    source text NOT NULL CHECK (source IN ('payer', 'staff', 'mandate')),
    given_at timestamptz NOT NULL,
    given_by text NOT NULL,
    changes integer NOT NULL CHECK (changes >= 0),
    PRIMARY KEY (merchant_id, refund_id)
);
CREATE TABLE refund_account_try (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    failed integer NOT NULL CHECK (failed >= 0),
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, bill_id)
);
CREATE INDEX refund_account_try_idx ON refund_account_try (merchant_id, failed_at);
"""


def upgrade() -> None:
    """Add both tables with their rules."""
    rls.script(TABLES)
    for table in ("refund_account", "refund_account_try"):
        rls.protect(table)
        rls.grant(table, "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: accounts are asked for by telephone again."""
    rls.script("DROP TABLE refund_account_try; DROP TABLE refund_account;")
