"""Refunds, what goes back without a second person, and the accounts that they are booked on.

The application decides under the bill's lock; the trigger decides again under the attempt's, so
that no two refunds can give back more than the attempt brought, whatever the code does.
"""

import rls

revision = "0009_refunds"
down_revision = "0008_wallet"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE refund (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL CHECK (state IN ('requested', 'reserved', 'submitting', 'pending',
        'unknown', 'succeeded', 'failed', 'withdrawn', 'by_bank_transfer', 'transferred')),
    version integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    owed_minor bigint NOT NULL,
    currency text NOT NULL DEFAULT 'JPY' CHECK (currency = 'JPY'),
    way text NOT NULL CHECK (way IN ('provider', 'bank_transfer')),
    reason text NOT NULL,
    words bytea,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    approval_id uuid,
    approve_until timestamptz,
    decided_by text,
    decided_at timestamptz,
    finished_at timestamptz,
    transferred_on date,
    state_at timestamptz NOT NULL,
    doubt_at timestamptz,
    asked integer NOT NULL,
    ask_at timestamptz,
    missing_at timestamptz,
    code text,
    provider_ref text NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT refund_reference_key UNIQUE (merchant_id, provider, reference),
    CONSTRAINT refund_owed_check CHECK (owed_minor BETWEEN 0 AND amount_minor)
);
CREATE INDEX refund_bill_idx ON refund (merchant_id, bill_id, id);
CREATE INDEX refund_attempt_idx ON refund (merchant_id, attempt_id);
CREATE INDEX refund_waiting_idx ON refund (merchant_id, id)
    WHERE state IN ('requested', 'by_bank_transfer');
"""

# The attempt's row is locked first: two refunds of one payment come one after the other, and the
# sum is read by a statement that begins after the lock, so it sees what the other one committed.
ROOM = """
CREATE FUNCTION check_refund_room() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    taken bigint;
    held bigint;
BEGIN
    SELECT amount_minor INTO taken FROM attempt
    WHERE merchant_id = NEW.merchant_id AND id = NEW.attempt_id AND bill_id = NEW.bill_id
          AND state = 'succeeded'
    FOR NO KEY UPDATE;
    SELECT coalesce(sum(amount_minor), 0) INTO held FROM refund
    WHERE merchant_id = NEW.merchant_id AND attempt_id = NEW.attempt_id
          AND state IN ('reserved', 'submitting', 'pending', 'unknown', 'succeeded',
                        'by_bank_transfer', 'transferred');
    IF taken IS NULL OR held > taken THEN
        RAISE EXCEPTION 'refund % gives back more than attempt % brought', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_room';
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER refund_room AFTER INSERT OR UPDATE ON refund FOR EACH ROW
    WHEN (NEW.state IN ('reserved', 'submitting', 'pending', 'unknown', 'succeeded',
                        'by_bank_transfer', 'transferred'))
    EXECUTE FUNCTION check_refund_room();

CREATE FUNCTION refuse_refund_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'refund % is what was asked for: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_fixed';
END
$body$;

CREATE TRIGGER refund_fixed BEFORE UPDATE ON refund FOR EACH ROW
    WHEN (OLD.amount_minor <> NEW.amount_minor OR OLD.attempt_id <> NEW.attempt_id
          OR OLD.bill_id <> NEW.bill_id OR OLD.reference <> NEW.reference)
    EXECUTE FUNCTION refuse_refund_change();
"""

# The wider rule takes the place of the narrower one in one transaction. The rows that are there are
# looked at by the next migration, whose transaction keeps no reader of the ledger out meanwhile.
ACCOUNTS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_account_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_account_check
    CHECK (account IN ('receivable', 'billed', 'in_transit', 'overpayment', 'refund_clearing',
        'goodwill_clearing', 'advanced')) NOT VALID;
"""


def upgrade() -> None:
    """Create the table with its rule, add the setting, and let the ledger know the accounts."""
    rls.script(TABLE)
    rls.script(ROOM)
    rls.protect("refund")
    rls.grant("refund", "select", "insert", "update")
    rls.script("ALTER TABLE merchant ADD COLUMN refund_limit_minor bigint NOT NULL DEFAULT 10000;")
    rls.script(f"GRANT UPDATE (refund_limit_minor) ON merchant TO {rls.VAULT};")
    rls.script(ACCOUNTS)


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "refunds are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
