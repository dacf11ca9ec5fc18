"""Payments that their payers contest, and slips that a print shop puts on paper.

The accounts that contested money is booked on, batches of slips with their bills, which bills have
a postal address (its text is sealed in their contact), and what a bill says that no slip can carry.
"""

import rls

revision = "0021_print_and_chargebacks"
down_revision = "0020b_mandate_checks"
branch_labels = None
depends_on = None

DISPUTES = """
CREATE TABLE dispute (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    reference text NOT NULL,
    state text NOT NULL CHECK (state IN ('opened', 'won', 'lost')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    taken_minor bigint NOT NULL CHECK (taken_minor BETWEEN 0 AND amount_minor),
    reason text NOT NULL,
    respond_by timestamptz,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT dispute_reference_key UNIQUE (merchant_id, attempt_id, reference)
);
CREATE INDEX dispute_bill_idx ON dispute (merchant_id, bill_id);
"""

# A company's notice of a dispute names the payment by its own name only.
NAMES = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX attempt_provider_ref_idx ON attempt (merchant_id, provider, provider_ref)
    WHERE provider_ref <> '';
"""

# The wider rule takes the place of the narrower one in one transaction. The rows that are there are
# looked at by the next migration, whose transaction keeps no reader of the ledger out meanwhile.
ACCOUNTS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_account_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_account_check
    CHECK (account IN ('receivable', 'billed', 'in_transit', 'overpayment', 'refund_clearing',
        'goodwill_clearing', 'advanced', 'announced', 'unconfirmed', 'disputed', 'chargeback'))
    NOT VALID;
"""


# A bill is in one batch at most, unless it was asked for again.
PRINT = """
CREATE TABLE print_batch (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    charset text NOT NULL CHECK (charset IN ('utf-8-sig', 'cp932')),
    bills integer NOT NULL CHECK (bills > 0),
    with_bars integer NOT NULL CHECK (with_bars BETWEEN 0 AND bills),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    parts integer NOT NULL CHECK (parts > 0),
    report bytea NOT NULL,
    reported integer NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    taken_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);
CREATE TABLE print_bill (
    merchant_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    is_again boolean NOT NULL,
    PRIMARY KEY (merchant_id, batch_id, bill_id)
);
CREATE UNIQUE INDEX print_bill_once ON print_bill (merchant_id, bill_id) WHERE NOT is_again;
"""

ADDRESSES = """
ALTER TABLE bill ADD COLUMN has_address boolean NOT NULL DEFAULT false;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX bill_address_idx ON bill (merchant_id, due_on, id) WHERE has_address;
ALTER TABLE merchant ADD COLUMN transfer_text text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Create the tables and columns, let the ledger know the accounts."""
    rls.script(DISPUTES)
    rls.protect("dispute")
    rls.grant("dispute", "select", "insert", "update")
    rls.script(NAMES)
    rls.script(ACCOUNTS)
    rls.script(PRINT)
    rls.script(ADDRESSES)
    rls.protect("print_batch")
    rls.grant("print_batch", "select", "insert", "update")
    rls.protect("print_bill")
    rls.grant("print_bill", "select", "insert")
    rls.script(f"GRANT UPDATE (transfer_text) ON merchant TO {rls.VAULT};")
    rls.expect_any_size()


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "chargebacks are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
