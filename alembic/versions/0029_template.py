"""Merchants' own wording of messages: versions with approval, what was sent by which, prices.

A merchant without a row says what it has always said, so nothing is filled in.
"""

import rls

revision = "0029_template"
down_revision = "0028_engine"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE message_template (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    channel text NOT NULL,
    language text NOT NULL,
    occasion text NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    words bytea NOT NULL,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    asked_by text,
    asked_at timestamptz,
    approval_id uuid,
    approve_until timestamptz,
    decided_by text,
    decided_at timestamptz,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT message_template_number_key
        UNIQUE (merchant_id, channel, language, occasion, number),
    -- What is in force was approved: whatever the code does.
    CONSTRAINT message_template_approved_check
        CHECK (state <> 'in_force' OR (approval_id IS NOT NULL AND decided_by IS NOT NULL
                                       AND decided_by <> asked_by))
);
CREATE UNIQUE INDEX message_template_in_force_idx
    ON message_template (merchant_id, channel, language, occasion) WHERE state = 'in_force';
CREATE TABLE delivery_wording (
    merchant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    template_id uuid NOT NULL,
    PRIMARY KEY (merchant_id, delivery_id)
);
CREATE TABLE message_price (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    prices integer[] NOT NULL CHECK (cardinality(prices) <= 10),
    PRIMARY KEY (merchant_id, channel, provider)
);
CREATE TABLE message_trial (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    words bytea,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX message_trial_chunk_idx ON message_trial (merchant_id, chunk_id);
CREATE INDEX message_trial_asked_idx ON message_trial (merchant_id, asked_at);
CREATE INDEX message_trial_id_idx ON message_trial (id);
"""

# As for deliveries: the relay knows a trial by its id alone.
WHOSE_TRIAL = """
CREATE POLICY redeem_by_id ON message_trial FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_deliveries');
"""


def upgrade() -> None:
    """Create the tables."""
    rls.script(TABLES)
    rls.protect("message_template")
    rls.grant("message_template", "select", "insert", "update")
    rls.protect("delivery_wording")
    rls.grant("delivery_wording", "select", "insert", "update")
    rls.protect("message_price")
    rls.grant("message_price", "select", "insert", "update", "delete")
    rls.protect("message_trial")
    rls.script(WHOSE_TRIAL)
    rls.grant("message_trial", "select", "insert", "update")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: every merchant says again what is built in."""
    rls.script("DROP TABLE message_trial; DROP TABLE message_price; DROP TABLE delivery_wording; DROP TABLE message_template;")
