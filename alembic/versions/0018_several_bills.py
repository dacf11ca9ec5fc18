"""Several bills in one payment, and a part of a bill.

The shares of an attempt are written with it and never change: their sum is what the provider was
asked for, they are of one contract, and no bill is in two live attempts, whatever the code does.
These rules look when the transaction ends, as the attempt's row is written last.
"""

import rls

revision = "0018_several_bills"
down_revision = "0017_card_on_file"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE attempt_share (
    merchant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (merchant_id, attempt_id, bill_id)
);
CREATE INDEX attempt_share_bill_idx ON attempt_share (merchant_id, bill_id, attempt_id);
CREATE TABLE part_paid (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    paid_minor bigint NOT NULL CHECK (paid_minor >= 0),
    PRIMARY KEY (merchant_id, bill_id)
);
"""

# Both look for a live attempt of the same bill: a share at those of its bill alone and at other
# shares, an attempt without shares at shares. Two attempts of one bill without shares are refused
# by attempt_one_live as before.
RULES = """
CREATE FUNCTION check_attempt_share() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    whole record;
    shared record;
BEGIN
    SELECT a.amount_minor, a.bill_id, b.contract_blind, b.customer_blind INTO whole
    FROM attempt a JOIN bill b ON b.merchant_id = a.merchant_id AND b.id = a.bill_id
    WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id;
    SELECT sum(s.amount_minor) AS amount_minor, count(*) AS bills,
           bool_or(s.bill_id = whole.bill_id) AS has_own,
           bool_and(b.contract_blind = whole.contract_blind
                    AND b.customer_blind = whole.customer_blind) AS is_one_contract
    INTO shared
    FROM attempt_share s
    LEFT JOIN bill b ON b.merchant_id = s.merchant_id AND b.id = s.bill_id
    WHERE s.merchant_id = NEW.merchant_id AND s.attempt_id = NEW.attempt_id;
    IF shared.amount_minor IS DISTINCT FROM whole.amount_minor OR shared.bills < 2
       OR shared.has_own IS NOT TRUE OR shared.is_one_contract IS NOT TRUE THEN
        RAISE EXCEPTION 'the shares of attempt % are not what it asks for', NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_share_sum';
    END IF;
    IF EXISTS (
        SELECT FROM attempt a
        WHERE a.merchant_id = NEW.merchant_id AND a.bill_id = NEW.bill_id
              AND a.id <> NEW.attempt_id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) OR EXISTS (
        SELECT FROM attempt_share s
        JOIN attempt a ON a.merchant_id = s.merchant_id AND a.id = s.attempt_id
        WHERE s.merchant_id = NEW.merchant_id AND s.bill_id = NEW.bill_id
              AND s.attempt_id <> NEW.attempt_id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) THEN
        RAISE EXCEPTION 'bill % is in another live attempt', NEW.bill_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'attempt_one_live';
    END IF;
    RETURN NULL;
END
$body$;
CREATE CONSTRAINT TRIGGER attempt_share_sound AFTER INSERT ON attempt_share
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_attempt_share();

CREATE FUNCTION check_attempt_alone() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (
        SELECT FROM attempt_share s
        JOIN attempt a ON a.merchant_id = s.merchant_id AND a.id = s.attempt_id
        WHERE s.merchant_id = NEW.merchant_id AND s.bill_id = NEW.bill_id
              AND s.attempt_id <> NEW.id
              AND a.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    ) THEN
        RAISE EXCEPTION 'bill % is in another live attempt', NEW.bill_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'attempt_one_live';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER attempt_alone AFTER INSERT ON attempt FOR EACH ROW
    WHEN (NEW.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown'))
    EXECUTE FUNCTION check_attempt_alone();
"""

# A refund of a payment that has shares is of one of them, and never more than that.
ROOM = """
CREATE OR REPLACE FUNCTION check_refund_room() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    taken bigint;
    held bigint;
BEGIN
    SELECT coalesce(s.amount_minor, a.amount_minor) INTO taken FROM attempt a
    LEFT JOIN attempt_share s ON s.merchant_id = a.merchant_id AND s.attempt_id = a.id
                                 AND s.bill_id = NEW.bill_id
    WHERE a.merchant_id = NEW.merchant_id AND a.id = NEW.attempt_id AND a.state = 'succeeded'
          AND (s.bill_id IS NOT NULL OR a.bill_id = NEW.bill_id)
    FOR NO KEY UPDATE OF a;
    SELECT coalesce(sum(amount_minor), 0) INTO held FROM refund
    WHERE merchant_id = NEW.merchant_id AND attempt_id = NEW.attempt_id AND bill_id = NEW.bill_id
          AND state IN ('reserved', 'submitting', 'pending', 'unknown', 'succeeded',
                        'by_bank_transfer', 'transferred');
    IF taken IS NULL OR held > taken THEN
        RAISE EXCEPTION 'refund % gives back more than attempt % brought', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_room';
    END IF;
    RETURN NULL;
END
$body$;
"""


def upgrade() -> None:
    """Create both tables and their rules; let merchants allow parts, off until one says so."""
    rls.script(TABLES)
    for table in ("attempt_share", "part_paid"):
        rls.protect(table)
    rls.grant("attempt_share", "select", "insert")
    rls.grant("part_paid", "select", "insert", "update")
    rls.script(RULES)
    rls.script(ROOM)
    rls.script("ALTER TABLE merchant ADD COLUMN part_least_minor bigint;")
    rls.script(f"GRANT UPDATE (part_least_minor) ON merchant TO {rls.VAULT};")
    rls.expect_any_size()


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "shares are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
