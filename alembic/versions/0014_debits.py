"""Bank debits: contracts, mandates, files with their lines, and the banks' answers.

One file a day and contract, one open mandate a customer, one number a debit: what the application
sees to is kept by unique indexes as well. A line can't become another one.
"""

import rls

revision = "0014_debits"
down_revision = "0013_holds"
branch_labels = None
depends_on = None

CONTRACTS = """
CREATE TABLE debit_contract (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bank_code text NOT NULL,
    collector_code text NOT NULL,
    details bytea NOT NULL,
    record_end text NOT NULL,
    has_blank_result boolean NOT NULL,
    more_letters text NOT NULL,
    lines_max integer NOT NULL CHECK (lines_max BETWEEN 1 AND 100000),
    day_of_month smallint NOT NULL CHECK (day_of_month BETWEEN 1 AND 31),
    submit_days smallint NOT NULL CHECK (submit_days > 0),
    submit_by time NOT NULL,
    presents_again boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT debit_contract_key UNIQUE (merchant_id, bank_code, collector_code)
);
CREATE TABLE mandate (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    customer_blind bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'redirected', 'pending_bank', 'active',
        'suspended', 'revoked', 'rejected')),
    code text,
    details bytea NOT NULL,
    is_new boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX mandate_customer_idx ON mandate (merchant_id, customer_blind);
CREATE UNIQUE INDEX mandate_one_open ON mandate (merchant_id, customer_blind)
    WHERE state NOT IN ('revoked', 'rejected');
CREATE INDEX mandate_contract_idx ON mandate (merchant_id, contract_id, id);
"""

FILES = """
CREATE TABLE debit_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    contract_id uuid NOT NULL,
    debit_on date NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'sealed', 'approved', 'sending', 'accepted',
        'rejected', 'unknown', 'answered', 'discarded')),
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
    refused_result text NOT NULL,
    refused_record integer NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT debit_file_sealed CHECK (sha256 IS NOT NULL OR state IN ('building', 'discarded'))
);
CREATE UNIQUE INDEX debit_file_one_a_day ON debit_file (merchant_id, contract_id, debit_on)
    WHERE state NOT IN ('discarded', 'rejected');
CREATE INDEX debit_file_day_idx ON debit_file (merchant_id, debit_on, id);
CREATE TABLE debit (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    line_no integer NOT NULL CHECK (line_no > 0),
    bill_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    instruction_no text NOT NULL,
    state text NOT NULL CHECK (state IN ('selected', 'in_file', 'succeeded', 'nsf', 'failed',
        'stopped', 'unknown', 'withdrawn')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    cause text,
    booked_cause text,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT debit_line_key UNIQUE (merchant_id, file_id, line_no),
    CONSTRAINT debit_instruction_key UNIQUE (merchant_id, instruction_no)
);
CREATE INDEX debit_bill_idx ON debit (merchant_id, bill_id);
CREATE INDEX debit_to_book_idx ON debit (merchant_id, file_id, line_no)
    WHERE cause IS DISTINCT FROM booked_cause;
CREATE TABLE debit_result (
    merchant_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    file_id uuid NOT NULL,
    part_file_id uuid NOT NULL,
    parts integer NOT NULL,
    lines integer NOT NULL,
    unknown integer NOT NULL,
    unexpected integer NOT NULL,
    read_by text NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, sha256)
);
"""

FIXED = """
CREATE FUNCTION refuse_debit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'debit % is a line of its file: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'debit_fixed';
END
$body$;

CREATE TRIGGER debit_fixed BEFORE UPDATE ON debit FOR EACH ROW
    WHEN (OLD.amount_minor <> NEW.amount_minor OR OLD.bill_id <> NEW.bill_id
          OR OLD.instruction_no <> NEW.instruction_no OR OLD.file_id <> NEW.file_id
          OR OLD.line_no <> NEW.line_no OR OLD.mandate_id <> NEW.mandate_id)
    EXECUTE FUNCTION refuse_debit_change();

CREATE FUNCTION refuse_debit_file_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'debit file % is sealed: what it holds does not change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'debit_file_fixed';
END
$body$;

CREATE TRIGGER debit_file_fixed BEFORE UPDATE ON debit_file FOR EACH ROW
    WHEN (OLD.sha256 IS NOT NULL
          AND (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR OLD.lines <> NEW.lines
               OR OLD.total_minor <> NEW.total_minor OR OLD.debit_on <> NEW.debit_on
               OR OLD.contract_id <> NEW.contract_id))
    EXECUTE FUNCTION refuse_debit_file_change();
"""


def upgrade() -> None:
    """Create the tables with their rules."""
    rls.script(CONTRACTS)
    rls.script(FILES)
    rls.script(FIXED)
    for table in ("debit_contract", "mandate", "debit_file", "debit", "debit_result"):
        rls.protect(table)
    rls.grant("debit_contract", "select", "insert")
    rls.grant("mandate", "select", "insert", "update")
    rls.grant("debit_file", "select", "insert", "update")
    rls.grant("debit", "select", "insert", "update")
    rls.grant("debit_result", "select", "insert")


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "debits are in the ledger; restore the backup taken before this release"
    raise RuntimeError(message)
