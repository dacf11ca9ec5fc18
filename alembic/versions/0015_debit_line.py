"""The line to a bank: which contract has one, and where each file stands on it.

A handover is made with the approval of a file and there is one for each file. ``id`` is what the
relay redeems, a new one for each try.
"""

import rls

revision = "0015_debit_line"
down_revision = "0014_debits"
branch_labels = None
depends_on = None

HANDOVERS = """
ALTER TABLE debit_contract ADD COLUMN line text NOT NULL DEFAULT '';
CREATE TABLE debit_handover (
    merchant_id uuid NOT NULL,
    file_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'handed', 'redeemed', 'unknown', 'ended',
        'by_hand')),
    tries integer NOT NULL CHECK (tries >= 0),
    asked integer NOT NULL CHECK (asked >= 0),
    ask_at timestamptz,
    doubt_at timestamptz,
    code text NOT NULL,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, file_id),
    CONSTRAINT debit_handover_id_key UNIQUE (merchant_id, id)
);
CREATE INDEX debit_handover_id_idx ON debit_handover (id);
"""

# The relay knows a handover by its id alone: one operation may look up whose it is, as with
# messages (0002_bills).
WHOSE_FILE = """
CREATE POLICY redeem_by_id ON debit_handover FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_debit_file');
"""


def upgrade() -> None:
    """Create the table with its rules."""
    rls.script(HANDOVERS)
    rls.protect("debit_handover")
    rls.script(WHOSE_FILE)
    rls.grant("debit_handover", "select", "insert", "update")


def downgrade() -> None:
    """A file that is at its bank must not be forgotten: restore a backup instead."""
    message = "files are on the line; restore the backup taken before this release"
    raise RuntimeError(message)
