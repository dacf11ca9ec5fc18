"""Refunds that leave in a bank's file: contracts, files with their lines, and what comes back.

One file a day and contract, one living line a refund: what the application sees to is kept by
unique indexes as well. A line can't become another one, nor a file that is sealed.
"""

import rls

revision = "0056_transfers"
down_revision = "0055_refund_account"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE transfer_contract (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bank_code text NOT NULL,
    company_code text NOT NULL,
    details bytea NOT NULL,
    record_end text NOT NULL,
    more_letters text NOT NULL,
    lines_max integer NOT NULL CHECK (lines_max BETWEEN 1 AND 999999),
    submit_days smallint NOT NULL CHECK (submit_days >= 0),
    submit_by time NOT NULL,
    line text NOT NULL,
    closed_days date[] NOT NULL DEFAULT '{}',
    opened_days date[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT transfer_contract_key UNIQUE (merchant_id, bank_code, company_code)
);
CREATE TABLE transfer_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    transfer_on date NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'sealed', 'approved', 'sending', 'accepted',
        'rejected', 'unknown', 'discarded')),
    version integer NOT NULL,
    number_ms bigint NOT NULL,
    lines integer NOT NULL CHECK (lines >= 0),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    parts integer NOT NULL,
    size_bytes bigint NOT NULL,
    is_full boolean NOT NULL,
    place uuid,
    sha256 bytea,
    built_by text NOT NULL,
    built_at timestamptz NOT NULL,
    approval_id uuid,
    approve_until timestamptz,
    decided_by text,
    decided_at timestamptz,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT transfer_file_sealed CHECK (sha256 IS NOT NULL OR state IN ('building', 'discarded'))
);
CREATE UNIQUE INDEX transfer_file_one_a_day ON transfer_file (merchant_id, contract_id, transfer_on)
    WHERE state NOT IN ('discarded', 'rejected');
CREATE INDEX transfer_file_day_idx ON transfer_file (merchant_id, transfer_on, id);
CREATE TABLE transfer_line (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    line_no integer NOT NULL CHECK (line_no > 0),
    refund_id uuid NOT NULL,
    instruction_no text NOT NULL,
    state text NOT NULL CHECK (state IN ('in_file', 'released', 'transferred', 'returned')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT transfer_line_key UNIQUE (merchant_id, file_id, line_no),
    CONSTRAINT transfer_instruction_key UNIQUE (merchant_id, instruction_no)
);
CREATE UNIQUE INDEX transfer_line_one_living ON transfer_line (merchant_id, refund_id)
    WHERE state IN ('in_file', 'transferred');
CREATE INDEX transfer_line_refund_idx ON transfer_line (merchant_id, refund_id, id);
"""

FIXED = """
CREATE FUNCTION refuse_transfer_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'transfer % is a line of its file: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_fixed';
END
$body$;

CREATE TRIGGER transfer_fixed BEFORE UPDATE ON transfer_line FOR EACH ROW
    WHEN (OLD.amount_minor <> NEW.amount_minor OR OLD.refund_id <> NEW.refund_id
          OR OLD.instruction_no <> NEW.instruction_no OR OLD.file_id <> NEW.file_id
          OR OLD.line_no <> NEW.line_no)
    EXECUTE FUNCTION refuse_transfer_change();

CREATE FUNCTION refuse_transfer_file_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'transfer file % is sealed: what it holds does not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_file_fixed';
END
$body$;

CREATE TRIGGER transfer_file_fixed BEFORE UPDATE ON transfer_file FOR EACH ROW
    WHEN (OLD.sha256 IS NOT NULL
          AND (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR OLD.lines <> NEW.lines
               OR OLD.total_minor <> NEW.total_minor OR OLD.transfer_on <> NEW.transfer_on
               OR OLD.contract_id <> NEW.contract_id))
    EXECUTE FUNCTION refuse_transfer_file_change();
"""

# What is in a file is held as what waits for one: the rules about room know the state.
REFUNDS = """
ALTER TABLE refund ADD COLUMN transfer_id uuid;
ALTER TABLE refund ADD COLUMN returned_at timestamptz;
-- squawk-ignore ban-drop-constraint
ALTER TABLE refund DROP CONSTRAINT refund_state_check;
ALTER TABLE refund ADD CONSTRAINT refund_state_check
    CHECK (state IN ('requested', 'reserved', 'submitting', 'pending', 'unknown', 'succeeded',
        'failed', 'withdrawn', 'by_bank_transfer', 'in_transfer', 'transferred')) NOT VALID;

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
                        'by_bank_transfer', 'in_transfer', 'transferred');
    IF taken IS NULL OR held > taken THEN
        RAISE EXCEPTION 'refund % gives back more than attempt % brought', NEW.id, NEW.attempt_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_room';
    END IF;
    RETURN NULL;
END
$body$;

DROP TRIGGER refund_room ON refund;
CREATE TRIGGER refund_room AFTER INSERT OR UPDATE ON refund FOR EACH ROW
    WHEN (NEW.state IN ('reserved', 'submitting', 'pending', 'unknown', 'succeeded',
                        'by_bank_transfer', 'in_transfer', 'transferred'))
    EXECUTE FUNCTION check_refund_room();
"""

# A file on the line is one of debits or of transfers; the relay knows both by a try's id.
LINE = "ALTER TABLE debit_handover ADD COLUMN kind text NOT NULL DEFAULT 'debit';"

RESULTS = """
CREATE OR REPLACE FUNCTION tell_results_of_money() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
    SELECT e.merchant_id, e.bill_id, k.kind, abs(e.amount_minor),
           CASE WHEN e.account = 'advanced' THEN 'bank_transfer' ELSE coalesce(a.method, '') END,
           t.at
    FROM new_rows e
    JOIN LATERAL (
        SELECT cause, at FROM ledger_transaction
        WHERE merchant_id = e.merchant_id AND id = e.transaction_id OFFSET 0
    ) t ON true
    JOIN (VALUES
        ('attempt_succeeded', 'in_transit', 'paid_confirmed'),
        ('refund_succeeded', 'in_transit', 'refunded'),
        ('refund_succeeded_late', 'in_transit', 'refunded'),
        ('refund_transferred', 'advanced', 'refunded'),
        ('refund_returned', 'advanced', 'refund_returned'),
        ('chargeback_taken', 'disputed', 'paid_reversed'),
        ('chargeback_returned', 'disputed', 'paid_restored')
    ) k (cause, account, kind) ON k.cause = t.cause AND k.account = e.account
    LEFT JOIN LATERAL (
        SELECT method FROM attempt
        WHERE merchant_id = e.merchant_id AND id = e.attempt_id OFFSET 0
    ) a ON true;
    RETURN NULL;
END
$body$;
"""


def upgrade() -> None:
    """Create the tables with their rules, and let refunds, the line and results know of them."""
    rls.script(TABLES)
    rls.script(FIXED)
    for table in ("transfer_contract", "transfer_file", "transfer_line"):
        rls.protect(table)
        rls.grant(table, "select", "insert", "update")
    rls.script(REFUNDS)
    rls.script(LINE)
    rls.script(RESULTS)
    rls.expect_any_size()


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "transfers are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
