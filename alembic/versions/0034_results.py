"""What goes back to a billing system by files, and what its files do to bills that are there.

Triggers write the events: whatever statement moves a bill, its money or its messages, a merchant
with a plan is told, in the same transaction or not at all. ``txn`` is that transaction: below the
oldest one that still runs none can appear any more, so a file ends there and leaves no gap.
"""

import rls

revision = "0034_results"
down_revision = "0033_digital"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE result_event (
    merchant_id uuid NOT NULL,
    txn bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    bill_id uuid NOT NULL,
    kind text NOT NULL,
    amount_minor bigint,
    method text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, txn, id)
);
CREATE TABLE result_plan (
    merchant_id uuid PRIMARY KEY,
    every_minutes integer,
    daily_hour integer,
    charset text NOT NULL,
    next_at timestamptz,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);
CREATE TABLE result_file (
    merchant_id uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('writing', 'ready', 'acknowledged')),
    charset text NOT NULL,
    from_txn bigint NOT NULL,
    until_txn bigint NOT NULL CHECK (until_txn >= from_txn),
    after_txn bigint NOT NULL,
    after_id bigint NOT NULL,
    parts integer NOT NULL,
    rows bigint NOT NULL,
    totals jsonb DEFAULT '{}'::jsonb NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    fetched_at timestamptz,
    chased_at timestamptz,
    acknowledged_by text,
    acknowledged_at timestamptz,
    PRIMARY KEY (merchant_id, number),
    CONSTRAINT result_file_id_key UNIQUE (merchant_id, id)
);
CREATE TABLE bill_change (
    merchant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    line integer NOT NULL,
    action text NOT NULL CHECK (action IN ('cancel', 'paid_elsewhere', 'replace')),
    state text NOT NULL CHECK (state IN ('planned', 'done', 'known', 'refused')),
    new_bill_id uuid,
    PRIMARY KEY (merchant_id, import_id, bill_id),
    CONSTRAINT bill_change_new_check CHECK ((action = 'replace') = (new_bill_id IS NOT NULL))
);
CREATE INDEX bill_change_planned_idx ON bill_change (merchant_id, import_id, bill_id)
    WHERE state = 'planned';
CREATE INDEX result_file_waiting_idx ON result_file (merchant_id, number)
    WHERE state <> 'acknowledged';
"""

# No join of new rows with old ones: the plan made for the first statement's few rows is kept for
# statements of thousands. Rows are told apart by sums over both, what is looked up is so by key.
TRIGGERS = """
CREATE FUNCTION tell_results_of_deliveries() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, method, at)
    SELECT r.merchant_id, r.bill_id, k.kind, r.channel, r.at
    FROM (
        SELECT merchant_id, id, bill_id, channel, max(changed_at) FILTER (WHERE sign = 1) AS at,
               sum(sign * (state IN ('accepted', 'delivered', 'undelivered'))::int) AS sent,
               sum(sign * (state = 'delivered')::int) AS delivered
        FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) both_rows
        GROUP BY 1, 2, 3, 4
    ) r
    CROSS JOIN LATERAL (VALUES ('sent', r.sent > 0), ('delivered', r.delivered > 0))
         k (kind, is_so)
    WHERE k.is_so;
    RETURN NULL;
END
$body$;
CREATE TRIGGER delivery_results AFTER UPDATE ON delivery
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_deliveries();

CREATE FUNCTION tell_results_of_bills() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
    SELECT r.merchant_id, r.id, k.kind, k.amount_minor, '', k.at
    FROM (
        SELECT merchant_id, id, max(opened_at) FILTER (WHERE sign = 1) AS opened_at,
               max(canceled_at) FILTER (WHERE sign = 1) AS canceled_at,
               max(amount_minor) FILTER (WHERE sign = 1) AS amount_minor,
               bool_or(lifecycle = 'superseded') FILTER (WHERE sign = 1) AS is_replaced,
               sum(sign * (opened_at IS NOT NULL)::int) AS opened,
               sum(sign * (canceled_at IS NOT NULL)::int) AS canceled
        FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) both_rows
        GROUP BY 1, 2
    ) r
    CROSS JOIN LATERAL (VALUES
        ('opened', NULL, r.opened_at, r.opened > 0),
        (CASE WHEN r.is_replaced THEN 'replaced' ELSE 'canceled' END, r.amount_minor,
         r.canceled_at, r.canceled > 0)
    ) k (kind, amount_minor, at, is_so)
    WHERE k.is_so;
    RETURN NULL;
END
$body$;
CREATE TRIGGER bill_results AFTER UPDATE ON bill
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_bills();

CREATE FUNCTION tell_results_of_money() RETURNS trigger
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
CREATE TRIGGER ledger_entry_results AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_money();

CREATE FUNCTION tell_results_of_takings() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
        SELECT merchant_id, bill_id, 'paid_provisional', amount_minor, 'slip', at
        FROM new_rows WHERE state = 'pending';
    ELSE
        INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
        SELECT n.merchant_id, n.bill_id, 'paid_reversed', n.amount_minor, 'slip', n.at
        FROM new_rows n
        JOIN old_rows o ON o.merchant_id = n.merchant_id AND o.id = n.id
        WHERE n.state = 'void' AND o.state = 'pending';
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER slip_taking_results_insert AFTER INSERT ON slip_taking
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_takings();
CREATE TRIGGER slip_taking_results_update AFTER UPDATE ON slip_taking
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_takings();

CREATE FUNCTION tell_results_of_paper() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    INSERT INTO result_event (merchant_id, bill_id, kind, method, at)
    SELECT n.merchant_id, n.bill_id, 'to_paper', '', b.made_at
    FROM new_rows n
    JOIN print_batch b ON b.merchant_id = n.merchant_id AND b.id = n.batch_id;
    RETURN NULL;
END
$body$;
CREATE TRIGGER print_bill_results AFTER INSERT ON print_bill
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_results_of_paper();
"""

BACK = """
DROP TRIGGER delivery_results ON delivery;
DROP TRIGGER bill_results ON bill;
DROP TRIGGER ledger_entry_results ON ledger_entry;
DROP TRIGGER slip_taking_results_insert ON slip_taking;
DROP TRIGGER slip_taking_results_update ON slip_taking;
DROP TRIGGER print_bill_results ON print_bill;
DROP FUNCTION tell_results_of_deliveries();
DROP FUNCTION tell_results_of_bills();
DROP FUNCTION tell_results_of_money();
DROP FUNCTION tell_results_of_takings();
DROP FUNCTION tell_results_of_paper();
DROP TABLE bill_change;
DROP TABLE result_file;
DROP TABLE result_plan;
DROP TABLE result_event;
"""

GRANTS = {
    "result_event": ("select", "insert", "delete"),
    "result_plan": ("select", "insert", "update"),
    "result_file": ("select", "insert", "update"),
    "bill_change": ("select", "insert", "update", "delete"),
}


def upgrade() -> None:
    """Create the tables, then what fills them."""
    rls.script(TABLES)
    for table, privileges in GRANTS.items():
        rls.protect(table)
        rls.grant(table, *privileges)
    rls.script(TRIGGERS)
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: nothing goes back by file."""
    rls.script(BACK)
