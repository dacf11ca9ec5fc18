"""How many messages went out in the built-in words, because the merchant's own did not fit.

Counted from now on: of messages before, it is known by which version they were worded, and not
which version did not fit.
"""

import rls

revision = "0045b_wording_tally"
down_revision = "0045_sender_hold"
branch_labels = None
depends_on = None

TALLY = """
CREATE TABLE wording_tally (
    merchant_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    template_id uuid NOT NULL,
    on_date date NOT NULL,
    told integer NOT NULL,
    unfit integer NOT NULL,
    PRIMARY KEY (merchant_id, chunk_id, template_id, on_date)
);
CREATE INDEX wording_tally_day_idx ON wording_tally (merchant_id, template_id, on_date);
"""


def upgrade() -> None:
    """Create the table."""
    rls.script(TALLY)
    rls.protect("wording_tally")
    rls.grant("wording_tally", "select", "insert", "update")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop it: nobody hears of it again."""
    rls.script("DROP TABLE wording_tally;")
