"""Plans of messages, each bill's place on its ladder, and what payers said of channels.

Bills that were issued before have no ladder: they are told of as they were.
"""

import rls

revision = "0026_ladder"
down_revision = "0027_mail"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ladder_plan (
    merchant_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    plan jsonb NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version)
);
CREATE TABLE ladder (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    plan_version integer NOT NULL,
    done integer NOT NULL,
    next_at timestamptz,
    failed_at timestamptz,
    skips jsonb NOT NULL DEFAULT '[]',
    held text NOT NULL DEFAULT '',
    ended text NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, bill_id)
);
CREATE INDEX ladder_next_idx ON ladder (merchant_id, next_at, bill_id) WHERE next_at IS NOT NULL;
CREATE TABLE contact_choice (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contact bytea NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('transactional', 'marketing')),
    is_wanted boolean NOT NULL,
    source text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX contact_choice_contact_idx ON contact_choice (merchant_id, contact, id);
"""
NAMES = ("ladder_plan", "ladder", "contact_choice")


def upgrade() -> None:
    """Create the tables; what a payer said is never changed, only said anew."""
    rls.script(TABLES)
    for name in NAMES:
        rls.protect(name)
    rls.grant("ladder_plan", "select", "insert")
    rls.grant("ladder", "select", "insert", "update", "delete")
    rls.grant("contact_choice", "select", "insert")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: a bill is told of once, when it is issued."""
    rls.script("DROP TABLE contact_choice; DROP TABLE ladder; DROP TABLE ladder_plan;")
