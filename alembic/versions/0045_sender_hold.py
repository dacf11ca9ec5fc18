"""Roads that are stopped for one merchant, because its sender or app is refused there.

What a company refused so far opened the breaker of its road for all merchants, or used up the
tries of messages; nothing of that was kept, so there is nothing to carry over.
"""

import rls

revision = "0045_sender_hold"
down_revision = "0044_voice_words"
branch_labels = None
depends_on = None

HOLD = """
CREATE TABLE sender_hold (
    merchant_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    refusals integer NOT NULL DEFAULT 0,
    code text NOT NULL DEFAULT '',
    since timestamptz,
    probe_at timestamptz,
    probe_chunk uuid,
    pause_s double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id, channel, provider)
);
"""


def upgrade() -> None:
    """Create the table."""
    rls.script(HOLD)
    rls.protect("sender_hold")
    rls.grant("sender_hold", "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop it: what waits is tried again as any message is."""
    rls.script("DROP TABLE sender_hold;")
