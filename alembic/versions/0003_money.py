"""Attempts, return tokens, notices and the double-entry ledger, which balances or refuses.

Attempts, tokens and notices carry no foreign keys, as in 0002: rows come only through the vault's
operations. The ledger's two tables check each other by one trigger per statement.
"""

import rls

revision = "0003_money"
down_revision = "0002_bills"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE attempt (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    method text NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL CHECK (state IN ('created', 'submitting', 'requires_action', 'processing',
        'unknown', 'succeeded', 'failed', 'expired')),
    version integer NOT NULL DEFAULT 1,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL DEFAULT 'JPY' CHECK (currency = 'JPY'),
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    state_at timestamptz NOT NULL,
    doubt_at timestamptz NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    ask_at timestamptz,
    missing_at timestamptz,
    decline_code text,
    authentication text NOT NULL DEFAULT '',
    provider_ref text NOT NULL DEFAULT '',
    instrument bytea,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT attempt_reference_key UNIQUE (merchant_id, provider, reference)
);
CREATE UNIQUE INDEX attempt_one_live ON attempt (merchant_id, bill_id)
    WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown');
CREATE INDEX attempt_bill_idx ON attempt (merchant_id, bill_id, id);

CREATE TABLE return_token (
    merchant_id uuid NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    attempt_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, token_hash)
);

CREATE TABLE notice_body (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

CREATE TABLE notice (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    notice_id text NOT NULL,
    body_id uuid NOT NULL,
    subject text NOT NULL CHECK (subject IN ('attempt', 'delivery')),
    reference text NOT NULL,
    claim text NOT NULL,
    claimed_at timestamptz,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, provider, notice_id)
);
CREATE INDEX notice_reference_idx ON notice (merchant_id, provider, reference);

CREATE TABLE ledger_transaction (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    cause text NOT NULL,
    cause_id uuid NOT NULL,
    at timestamptz NOT NULL,
    currency text NOT NULL DEFAULT 'JPY' CHECK (currency = 'JPY'),
    debit_minor bigint NOT NULL CHECK (debit_minor > 0),
    entries smallint NOT NULL CHECK (entries >= 2),
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT ledger_cause_key UNIQUE (merchant_id, cause_id, cause)
);

CREATE TABLE ledger_entry (
    merchant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL CHECK (line >= 0),
    account text NOT NULL CHECK (account IN ('receivable', 'billed', 'in_transit',
        'overpayment')),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    bill_id uuid NOT NULL,
    attempt_id uuid,
    PRIMARY KEY (merchant_id, transaction_id, line)
);
CREATE INDEX ledger_entry_bill_idx ON ledger_entry (merchant_id, bill_id);

CREATE TABLE journal_mark (
    merchant_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    PRIMARY KEY (merchant_id, provider, reference)
);
"""

# One check per statement: 40,000 entries cost one look-up a header. The header says how many
# lines a transaction has, so none can be added to it afterwards. OFFSET 0 makes every header a look-up
# by key, however large the ledger is; EXECUTE plans anew each time, because a plan kept from an empty
# table would scan a full one.
BALANCE = """
CREATE FUNCTION check_ledger_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
DECLARE
    unsound uuid;
BEGIN
    EXECUTE $query$
        SELECT a.transaction_id
        FROM (
            SELECT merchant_id, transaction_id, sum(amount_minor) AS balance, count(*) AS lines,
                   max(line) AS last_line,
                   sum(amount_minor) FILTER (WHERE amount_minor > 0) AS debit
            FROM added GROUP BY merchant_id, transaction_id
        ) a
        LEFT JOIN LATERAL (
            SELECT id, entries, debit_minor FROM ledger_transaction
            WHERE merchant_id = a.merchant_id AND id = a.transaction_id OFFSET 0
        ) t ON true
        WHERE t.id IS NULL OR a.balance <> 0 OR a.lines <> t.entries
              OR a.last_line <> t.entries - 1 OR a.debit IS DISTINCT FROM t.debit_minor
        LIMIT 1
    $query$ INTO unsound;
    IF unsound IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', unsound
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance';
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_balance();

CREATE FUNCTION refuse_ledger_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'ledger_append_only';
END
$body$;

CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON ledger_transaction FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
"""

GRANTS = {
    "attempt": ("select", "insert", "update"),
    "return_token": ("select", "insert", "delete"),
    "notice_body": ("select", "insert"),
    "notice": ("select", "insert"),
    "ledger_transaction": ("select", "insert"),
    "ledger_entry": ("select", "insert"),
    "journal_mark": ("select", "insert", "delete"),
}


def upgrade() -> None:
    """Create the money tables, the ledger's triggers and what the vault's role may do."""
    rls.script(TABLES)
    rls.script(BALANCE)
    for table, privileges in GRANTS.items():
        rls.protect(table)
        rls.grant(table, *privileges)


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "the ledger is append-only; restore the backup taken before this release"
    raise RuntimeError(message)
