"""Mandates that payers give at a bank's page, what happened to each, and promises that end.

The wider rules take the narrower ones' place; the rows are looked at afterwards (0020b). A mandate
that was begun and left is ``abandoned`` and frees its customer like one that was refused.
"""

import rls

revision = "0020_mandate_redirect"
down_revision = "0019_debit_results"
branch_labels = None
depends_on = None

ENDS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE pause DROP CONSTRAINT pause_end_code_check;
ALTER TABLE pause ADD CONSTRAINT pause_end_code_check
    CHECK (end_code IN ('released', 'replaced', 'paid')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE mandate DROP CONSTRAINT mandate_state_check;
ALTER TABLE mandate ADD CONSTRAINT mandate_state_check
    CHECK (state IN ('draft', 'redirected', 'pending_bank', 'active', 'suspended', 'revoked',
        'rejected', 'abandoned')) NOT VALID;
ALTER TABLE mandate ADD COLUMN way text NOT NULL DEFAULT 'paper';
ALTER TABLE mandate ADD COLUMN sealed_version integer NOT NULL DEFAULT 1;
-- One row for each payer who gave one: the table is small and is read by few.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX mandate_one_open;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX mandate_one_open ON mandate (merchant_id, customer_blind)
    WHERE state NOT IN ('revoked', 'rejected', 'abandoned');
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX mandate_state_idx ON mandate (merchant_id, state, id);
"""

TABLES = """
CREATE TABLE mandate_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    code text NOT NULL,
    reason text,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX mandate_event_idx ON mandate_event (merchant_id, mandate_id, id);
CREATE TABLE mandate_redirect (
    merchant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    version integer NOT NULL,
    page bytea,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    token_until timestamptz NOT NULL,
    asked integer NOT NULL CHECK (asked >= 0),
    ask_at timestamptz,
    doubt_at timestamptz NOT NULL,
    missing_at timestamptz,
    PRIMARY KEY (merchant_id, mandate_id),
    CONSTRAINT mandate_redirect_id_key UNIQUE (merchant_id, id),
    CONSTRAINT mandate_redirect_reference_key UNIQUE (merchant_id, provider, reference),
    CONSTRAINT mandate_redirect_token_key UNIQUE (merchant_id, token_hash)
);
CREATE INDEX mandate_redirect_id_idx ON mandate_redirect (id);
"""

# The relay knows what it puts into the vault by its id alone, as with files (0015).
WHOSE_WORD = """
CREATE POLICY deposit_by_id ON mandate_redirect FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'deposit_mandate_word');
"""


def upgrade() -> None:
    """Create the tables with their rules."""
    rls.script(ENDS)
    rls.script(TABLES)
    for table in ("mandate_event", "mandate_redirect"):
        rls.protect(table)
    rls.script(WHOSE_WORD)
    rls.grant("mandate_event", "select", "insert")
    rls.grant("mandate_redirect", "select", "insert", "update")
    rls.expect_any_size()


def downgrade() -> None:
    """A bank may hold payers' leave to debit them: restore a backup instead."""
    message = "mandates are at banks; restore the backup taken before this release"
    raise RuntimeError(message)
