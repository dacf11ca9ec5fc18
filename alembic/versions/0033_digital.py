"""Bills that want paper, contracts that are billed digitally, contacts that are doubted.

Contracts without a row are billed as they were, and batches made before have no hash.
"""

import rls

revision = "0033_digital"
down_revision = "0032_push"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE paper_due (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'printed', 'dropped')),
    PRIMARY KEY (merchant_id, bill_id)
);
CREATE INDEX paper_due_waiting_idx ON paper_due (merchant_id, bill_id) WHERE state = 'waiting';
CREATE INDEX paper_due_reason_idx ON paper_due (merchant_id, reason, at);
CREATE TABLE digital_contract (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('paper', 'parallel', 'digital')),
    reason text NOT NULL DEFAULT '',
    seen integer NOT NULL DEFAULT 0 CHECK (seen >= 0),
    bill_id uuid NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, contract_blind)
);
CREATE INDEX digital_contract_state_idx ON digital_contract (merchant_id, state, since);
CREATE TABLE digital_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    bill_id uuid NOT NULL,
    event text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    words text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX digital_event_contract_idx ON digital_event (merchant_id, contract_blind, id);
CREATE TABLE contact_verified (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    contact bytea NOT NULL,
    customer_blind bytea NOT NULL,
    channel text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, contract_blind, contact)
);
CREATE INDEX contact_verified_contact_idx ON contact_verified (merchant_id, contact);
CREATE TABLE contact_doubt (
    merchant_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    contact bytea NOT NULL,
    why text NOT NULL,
    bill_id uuid NOT NULL,
    at timestamptz NOT NULL,
    cleared_at timestamptz,
    PRIMARY KEY (merchant_id, contract_blind, contact)
);
CREATE INDEX contact_doubt_open_idx ON contact_doubt (merchant_id, why, at)
    WHERE cleared_at IS NULL;
CREATE TABLE paper_saved (
    merchant_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    on_date date NOT NULL,
    sheets integer NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX paper_saved_day_idx ON paper_saved (merchant_id, on_date);
ALTER TABLE print_batch ADD COLUMN sha256 bytea;
ALTER TABLE print_batch ADD COLUMN handed_at timestamptz;
ALTER TABLE print_batch ADD COLUMN handed_by text;
ALTER TABLE contact_fault ADD COLUMN cleared_at timestamptz;
"""
CHANGED = ("paper_due", "digital_contract", "contact_doubt")
ADDED = ("digital_event", "paper_saved")


def upgrade() -> None:
    """Create the tables; what was said and what was saved is never changed, only said anew."""
    rls.script(TABLES)
    for name in (*CHANGED, *ADDED, "contact_verified"):
        rls.protect(name)
    for name in CHANGED:
        rls.grant(name, "select", "insert", "update")
    for name in ADDED:
        rls.grant(name, "select", "insert")
    rls.grant("contact_verified", "select", "insert")
    rls.grant("contact_fault", "update")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: everybody is told by message, and paper is what staff ask for."""
    rls.script(
        "ALTER TABLE contact_fault DROP COLUMN cleared_at;"
        "ALTER TABLE print_batch DROP COLUMN sha256, DROP COLUMN handed_at, DROP COLUMN handed_by;"
        "DROP TABLE paper_saved; DROP TABLE contact_doubt; DROP TABLE contact_verified;"
        "DROP TABLE digital_event; DROP TABLE digital_contract; DROP TABLE paper_due;"
    )
