"""Payments that their payers contest, and the accounts that what is taken back is booked on."""

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


def upgrade() -> None:
    """Create the table, let the ledger know the accounts."""
    rls.script(DISPUTES)
    rls.protect("dispute")
    rls.grant("dispute", "select", "insert", "update")
    rls.script(NAMES)
    rls.script(ACCOUNTS)
    rls.expect_any_size()


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "chargebacks are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
