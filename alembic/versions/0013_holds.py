"""What stops dunning for a bill, and how long the merchant lets it."""

import rls

revision = "0013_holds"
down_revision = "0012_slip_accounts"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE pause (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('hold', 'promise', 'extension')),
    until date,
    was_due_on date,
    words bytea,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL,
    ended_by text,
    ended_at timestamptz,
    end_code text CHECK (end_code IN ('released', 'replaced')),
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT pause_until_check CHECK (until IS NOT NULL OR kind = 'hold'),
    CONSTRAINT pause_longer_check CHECK ((kind = 'extension') = (was_due_on IS NOT NULL)
        AND (was_due_on IS NULL OR until > was_due_on)),
    CONSTRAINT pause_end_check CHECK ((ended_at IS NULL) = (end_code IS NULL))
);
CREATE INDEX pause_bill_idx ON pause (merchant_id, bill_id, id);
CREATE UNIQUE INDEX pause_open_idx ON pause (merchant_id, bill_id, kind) WHERE ended_at IS NULL;
"""

SETTINGS = """
ALTER TABLE merchant ADD COLUMN promise_days_max integer NOT NULL DEFAULT 31;
ALTER TABLE merchant ADD COLUMN extension_days_max integer NOT NULL DEFAULT 120;
"""


def upgrade() -> None:
    """Create the table and add the two settings."""
    rls.script(TABLE)
    rls.protect("pause")
    rls.grant("pause", "select", "insert", "update")
    rls.script(SETTINGS)
    rls.script(
        f"GRANT UPDATE (promise_days_max, extension_days_max) ON merchant TO {rls.VAULT};"
    )


def downgrade() -> None:
    """Take both away: dunning goes on as if nothing had ever been agreed."""
    rls.script("DROP TABLE pause;")
    rls.script("ALTER TABLE merchant DROP COLUMN promise_days_max;")
    rls.script("ALTER TABLE merchant DROP COLUMN extension_days_max;")
