"""A replacement waits until a store's number is withdrawn: state ``ready``, and who finds it.

A merchant's stopped road keeps which messages were refused, and when staff had one ask; a trial
keeps a keyed hash of whom it went to. Many withdrawn numbers are asked about one after the other: ``number_pace`` says until when.
A chunk remembers numbers of replacements that were refused because of another line of their file.
The indexes hold rows of two states that few rows are in for long: none when they are made.
"""

import rls

revision = "0051_replacement_waits"
down_revision = "0050_overrides"
branch_labels = None
depends_on = None

CHANGES = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE bill_change DROP CONSTRAINT bill_change_state_check;
ALTER TABLE bill_change ADD CONSTRAINT bill_change_state_check
    CHECK (state IN ('planned', 'done', 'waiting', 'ready', 'known', 'refused')) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_change_waiting_idx ON bill_change (merchant_id, bill_id)
    WHERE state = 'waiting' AND new_bill_id IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_change_ready_idx ON bill_change (merchant_id, import_id, bill_id)
    WHERE state = 'ready';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_change_held_idx ON bill_change (merchant_id, new_bill_id)
    WHERE state IN ('waiting', 'ready') AND new_bill_id IS NOT NULL;
"""

CLAIMS = "ALTER TABLE import_chunk ADD COLUMN claims jsonb NOT NULL DEFAULT '{}';"
MESSAGES = """
ALTER TABLE sender_hold ADD COLUMN messages uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE sender_hold ADD COLUMN asked_at timestamptz;
ALTER TABLE message_trial ADD COLUMN to_blind bytea;
"""

PACE = """
CREATE TABLE number_pace (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    free_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, provider)
);
"""

INDEXES = ("bill_change_held_idx", "bill_change_ready_idx", "bill_change_waiting_idx")


def upgrade() -> None:
    """Widen the rule for new rows; none that is there is refused by it."""
    rls.script(CHANGES)
    rls.script(CLAIMS)
    rls.script(MESSAGES)
    rls.script(PACE)
    rls.protect("number_pace")
    rls.grant("number_pace", "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop the indexes; a wider rule refuses no row that an older release writes."""
    for index in INDEXES:
        rls.script(f"DROP INDEX {index};")
    rls.script(
        """
        DROP TABLE number_pace;
        ALTER TABLE message_trial DROP COLUMN to_blind;
        ALTER TABLE sender_hold DROP COLUMN asked_at;
        ALTER TABLE sender_hold DROP COLUMN messages;
        """
    )
    rls.script("ALTER TABLE import_chunk DROP COLUMN claims;")
