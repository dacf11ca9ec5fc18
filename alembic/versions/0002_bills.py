"""Imports, bills, links and deliveries, with the tally that a trigger keeps of bills.

Bulk tables carry no foreign keys on purpose: a check per row would cost more than the insert, and
rows come and go only through the vault's operations.
"""

import rls

revision = "0002_bills"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE import (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('receiving', 'checking', 'checked', 'issuing', 'issued',
        'discarding', 'discarded', 'refused')),
    sealed_version integer NOT NULL DEFAULT 1,
    facts bytea NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    received_bytes bigint NOT NULL DEFAULT 0,
    size_bytes bigint,
    is_received boolean NOT NULL DEFAULT false,
    split_state bytea NOT NULL,
    encoding text,
    columns text[],
    chunks_planned integer NOT NULL DEFAULT 0,
    chunks_done integer NOT NULL DEFAULT 0,
    rows_seen integer NOT NULL DEFAULT 0,
    rows_good integer NOT NULL DEFAULT 0,
    rows_faulty integer NOT NULL DEFAULT 0,
    rows_known integer NOT NULL DEFAULT 0,
    rows_issued integer NOT NULL DEFAULT 0,
    step_after uuid,
    amount_good_minor bigint NOT NULL DEFAULT 0,
    refused_code text,
    refused_params jsonb NOT NULL DEFAULT '{}',
    checked_at timestamptz,
    decided_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);

CREATE TABLE import_chunk (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    chunk_no integer NOT NULL,
    start_offset bigint NOT NULL,
    end_offset bigint NOT NULL,
    first_line integer NOT NULL,
    is_oversize boolean NOT NULL DEFAULT false,
    faults jsonb NOT NULL DEFAULT '{}',
    done_at timestamptz,
    PRIMARY KEY (merchant_id, import_id, chunk_no)
);

CREATE TABLE row_fault (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    id uuid NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    params jsonb NOT NULL DEFAULT '{}',
    value bytea NOT NULL,
    PRIMARY KEY (merchant_id, import_id, line, id)
);

CREATE TABLE bill (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    line integer NOT NULL,
    number text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    sealed_version integer NOT NULL DEFAULT 1,
    lifecycle text NOT NULL CHECK (lifecycle IN ('scheduled', 'open', 'overdue', 'lapsed',
        'canceling', 'canceled', 'superseded')),
    settlement text NOT NULL CHECK (settlement IN ('unpaid', 'provisional', 'settled', 'over',
        'reversed')),
    message text NOT NULL CHECK (message IN ('none', 'planned', 'sending', 'accepted',
        'delivered', 'undelivered', 'failed', 'ambiguous')),
    kind text NOT NULL,
    period text NOT NULL,
    contract_blind bytea NOT NULL,
    customer_blind bytea NOT NULL,
    phone_blind bytea,
    email_blind bytea,
    check_code integer NOT NULL CHECK (check_code BETWEEN 0 AND 999999),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    currency text NOT NULL DEFAULT 'JPY',
    due_on date NOT NULL,
    language text NOT NULL,
    contact bytea NOT NULL,
    billing bytea NOT NULL,
    created_at timestamptz NOT NULL,
    issued_at timestamptz,
    opened_at timestamptz,
    paid_at timestamptz,
    canceled_at timestamptz,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT bill_request_key UNIQUE (merchant_id, number, contract_blind, period, kind)
) WITH (fillfactor = 85);
CREATE INDEX bill_due_idx ON bill (merchant_id, due_on, id);
CREATE INDEX bill_amount_idx ON bill (merchant_id, amount_minor, id);
CREATE INDEX bill_import_idx ON bill (merchant_id, import_id, id);
CREATE INDEX bill_customer_idx ON bill (merchant_id, customer_blind);
CREATE INDEX bill_phone_idx ON bill (merchant_id, phone_blind);
CREATE INDEX bill_email_idx ON bill (merchant_id, email_blind);
CREATE INDEX bill_check_code_idx ON bill (merchant_id, check_code);
CREATE INDEX bill_odd_idx ON bill (merchant_id, settlement, id)
    WHERE settlement NOT IN ('unpaid', 'settled');

CREATE TABLE bill_event (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    actor text NOT NULL,
    params jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX bill_event_bill_idx ON bill_event (merchant_id, bill_id, id);

CREATE TABLE link (
    merchant_id uuid NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    bill_id uuid NOT NULL,
    delivery_id uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (merchant_id, secret_hash)
);
CREATE INDEX link_bill_idx ON link (merchant_id, bill_id);

CREATE TABLE delivery_chunk (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    import_id uuid,
    channel text NOT NULL,
    provider text NOT NULL,
    deliveries integer NOT NULL,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);

CREATE TABLE delivery (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    campaign text NOT NULL,
    step integer NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'handed', 'redeemed', 'accepted', 'ambiguous',
        'delivered', 'undelivered', 'failed', 'left_out')),
    tries integer NOT NULL DEFAULT 0,
    not_before timestamptz,
    provider_ref text NOT NULL DEFAULT '',
    code text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT delivery_once_key UNIQUE (merchant_id, bill_id, campaign, step, channel)
) WITH (fillfactor = 60);
CREATE INDEX delivery_chunk_idx ON delivery (merchant_id, chunk_id, id);
CREATE INDEX delivery_id_idx ON delivery (id);

CREATE TABLE bill_tally (
    merchant_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    lifecycle text NOT NULL,
    settlement text NOT NULL,
    message text NOT NULL,
    is_opened boolean NOT NULL,
    due_on date NOT NULL,
    paid_on date,
    bills bigint NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
"""

# Only the branch of the operation at hand is ever planned, so the transition tables that an
# INSERT or a DELETE does not have are never looked up.
TALLY = """
CREATE FUNCTION tally_bills() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, count(*), sum(b.amount_minor)
        FROM new_bills b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, -count(*), -sum(b.amount_minor)
        FROM old_bills b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7;
    ELSE
        INSERT INTO bill_tally (merchant_id, lifecycle, settlement, message, is_opened, due_on,
                                paid_on, bills, amount_minor)
        SELECT b.merchant_id, b.lifecycle, b.settlement, b.message, b.opened_at IS NOT NULL,
               b.due_on, (b.paid_at AT TIME ZONE m.zone)::date, sum(b.sign),
               sum(b.sign * b.amount_minor)
        FROM (
            SELECT merchant_id, lifecycle, settlement, message, opened_at, due_on, paid_at,
                   amount_minor, 1 AS sign
            FROM new_bills
            UNION ALL
            SELECT merchant_id, lifecycle, settlement, message, opened_at, due_on, paid_at,
                   amount_minor, -1
            FROM old_bills
        ) b LEFT JOIN merchant m ON b.paid_at IS NOT NULL AND m.id = b.merchant_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        HAVING sum(b.sign) <> 0 OR sum(b.sign * b.amount_minor) <> 0;
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER bill_tally_insert AFTER INSERT ON bill REFERENCING NEW TABLE AS new_bills
    FOR EACH STATEMENT EXECUTE FUNCTION tally_bills();
CREATE TRIGGER bill_tally_update AFTER UPDATE ON bill
    REFERENCING OLD TABLE AS old_bills NEW TABLE AS new_bills
    FOR EACH STATEMENT EXECUTE FUNCTION tally_bills();
CREATE TRIGGER bill_tally_delete AFTER DELETE ON bill REFERENCING OLD TABLE AS old_bills
    FOR EACH STATEMENT EXECUTE FUNCTION tally_bills();
"""

# The relay knows deliveries by id alone, so one operation may look up whose they are: it names
# itself in this setting, reads ids only, and enters each merchant for all the rest.
WHOSE_DELIVERY = """
CREATE POLICY redeem_by_id ON delivery FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_deliveries');
"""

GRANTS = {
    "import": ("select", "insert", "update"),
    "import_chunk": ("select", "insert", "update"),
    "row_fault": ("select", "insert", "delete"),
    "bill": ("select", "insert", "update", "delete"),
    "bill_event": ("select", "insert"),
    "link": ("select", "insert", "update"),
    "delivery_chunk": ("select", "insert", "update"),
    "delivery": ("select", "insert", "update"),
    "bill_tally": ("select", "insert", "delete"),
}


def upgrade() -> None:
    """Make the tables, their trigger, and what the vault's role may do with them."""
    rls.script(TABLES)
    rls.script(TALLY)
    for table, privileges in GRANTS.items():
        rls.protect(table)
        rls.grant(table, *privileges)
    rls.script(WHOSE_DELIVERY)


def downgrade() -> None:
    """Drop what upgrade made."""
    rls.script("".join(f"DROP TABLE {table};" for table in reversed(GRANTS)))
    rls.script("DROP FUNCTION tally_bills();")
