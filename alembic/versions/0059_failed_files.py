"""Files of a merchant's own failed debits, of any length: stored, told by workers, then forgotten.

A line holds no customer's number: blind indexes of what it may be, and none once it was told.
"""

import rls

revision = "0059_failed_files"
down_revision = "0057_card_payment"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE failed_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('receiving', 'dropped', 'telling', 'told')),
    sha256 bytea,
    lines integer NOT NULL,
    succeeded integer NOT NULL,
    stored_to integer NOT NULL,
    told_to integer NOT NULL,
    told integer NOT NULL,
    known integer NOT NULL,
    under_way integer NOT NULL,
    not_owed integer NOT NULL,
    unmatched integer NOT NULL,
    unclear integer NOT NULL,
    sent_by text NOT NULL,
    sent_at timestamptz NOT NULL,
    taken_at timestamptz,
    told_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);
CREATE TABLE failed_line (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    record_no integer NOT NULL,
    amount_minor bigint NOT NULL,
    code text NOT NULL,
    blinds bytea[] NOT NULL,
    result text,
    bill_id uuid,
    PRIMARY KEY (merchant_id, file_id, record_no)
);
CREATE INDEX failed_line_bill_idx ON failed_line (merchant_id, file_id, bill_id)
    WHERE bill_id IS NOT NULL;
CREATE INDEX failed_line_looked_idx ON failed_line (merchant_id, file_id, record_no)
    WHERE result IN ('not_owed', 'unmatched', 'unclear');
"""


def upgrade() -> None:
    """Create the tables."""
    rls.script(TABLES)
    for table in ("failed_file", "failed_line"):
        rls.protect(table)
        rls.grant(table, "select", "insert", "update", "delete")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: what was told stays on the bills' timelines."""
    rls.script("DROP TABLE failed_line; DROP TABLE failed_file;")
