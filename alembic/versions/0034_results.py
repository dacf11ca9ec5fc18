"""What goes back to a billing system by files, what its files do to bills, and the funnel.

Triggers write the events: whatever statement moves a bill, its money or its messages, a merchant
with a plan is told, in the same transaction or not at all. ``txn`` is that transaction: below the
oldest one that still runs none can appear any more, so a file ends there and leaves no gap.
"""

import rls

revision = "0034_results"
down_revision = "0029_template"
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
CREATE TABLE funnel_tally (
    merchant_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    import_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    stage text NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX funnel_tally_import_idx ON funnel_tally (merchant_id, import_id);
CREATE TABLE message_switch (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    number integer NOT NULL,
    import_id uuid,
    channel text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done')),
    after_id uuid NOT NULL,
    bills bigint NOT NULL,
    looked bigint NOT NULL,
    planned bigint NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX message_switch_running_idx ON message_switch (merchant_id)
    WHERE state = 'running';
CREATE TABLE bill_reach (
    merchant_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    opened_by text,
    paid_by text,
    PRIMARY KEY (merchant_id, bill_id)
);
CREATE INDEX result_file_waiting_idx ON result_file (merchant_id, number)
    WHERE state <> 'acknowledged';
"""

# EXECUTE: a plan made for the first statement's few rows would be kept for statements of thousands.
TRIGGERS = """
CREATE FUNCTION tell_results_of_deliveries() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM result_plan) THEN
        RETURN NULL;
    END IF;
    EXECUTE $query$
        INSERT INTO result_event (merchant_id, bill_id, kind, method, at)
        SELECT n.merchant_id, n.bill_id, k.kind, n.channel, n.changed_at
        FROM new_rows n
        JOIN old_rows o ON o.merchant_id = n.merchant_id AND o.id = n.id
        CROSS JOIN LATERAL (VALUES
            ('sent', n.state IN ('accepted', 'delivered', 'undelivered')
                     AND o.state NOT IN ('accepted', 'delivered', 'undelivered')),
            ('delivered', n.state = 'delivered' AND o.state <> 'delivered')
        ) k (kind, is_so)
        WHERE k.is_so
    $query$;
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
    EXECUTE $query$
        INSERT INTO result_event (merchant_id, bill_id, kind, amount_minor, method, at)
        SELECT n.merchant_id, n.id, k.kind, k.amount_minor, '', k.at
        FROM new_rows n
        JOIN old_rows o ON o.merchant_id = n.merchant_id AND o.id = n.id
        CROSS JOIN LATERAL (VALUES
            ('opened', NULL, n.opened_at, n.opened_at IS NOT NULL AND o.opened_at IS NULL),
            (CASE n.lifecycle WHEN 'superseded' THEN 'replaced' ELSE 'canceled' END,
             n.amount_minor, n.canceled_at,
             n.canceled_at IS NOT NULL AND o.canceled_at IS NULL)
        ) k (kind, amount_minor, at, is_so)
        WHERE k.is_so
    $query$;
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
    EXECUTE $query$
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
        ) a ON true
    $query$;
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

# Messages that wait, or are being sent, count as one: passing through costs nothing here. Who opened
# or paid is put down to the channel of the newest message that may have arrived by then.
FUNNEL = """
CREATE FUNCTION stage_of(state text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $body$
    SELECT CASE WHEN state IN ('planned', 'handed', 'redeemed') THEN 'waiting' ELSE state END
$body$;

CREATE FUNCTION tally_deliveries() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE $query$
            INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
            SELECT n.merchant_id, b.import_id, n.channel, n.provider, stage_of(n.state), count(*)
            FROM new_rows n
            JOIN LATERAL (SELECT import_id FROM bill
                          WHERE merchant_id = n.merchant_id AND id = n.bill_id OFFSET 0) b ON true
            GROUP BY 1, 2, 3, 4, 5
        $query$;
    ELSE
        EXECUTE $query$
            INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
            SELECT m.merchant_id, b.import_id, m.channel, k.provider, k.stage, sum(k.sign)
            FROM (
                SELECT n.merchant_id, n.bill_id, n.channel, n.provider, o.provider AS old_provider,
                       stage_of(n.state) AS stage, stage_of(o.state) AS old_stage
                FROM new_rows n
                JOIN old_rows o ON o.merchant_id = n.merchant_id AND o.id = n.id
                WHERE stage_of(n.state) <> stage_of(o.state) OR n.provider <> o.provider
            ) m
            JOIN LATERAL (SELECT import_id FROM bill
                          WHERE merchant_id = m.merchant_id AND id = m.bill_id OFFSET 0) b ON true
            CROSS JOIN LATERAL (VALUES (m.provider, m.stage, 1), (m.old_provider, m.old_stage, -1))
                 k (provider, stage, sign)
            GROUP BY 1, 2, 3, 4, 5 HAVING sum(k.sign) <> 0
        $query$;
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER delivery_funnel_insert AFTER INSERT ON delivery REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries();
CREATE TRIGGER delivery_funnel_update AFTER UPDATE ON delivery
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries();

CREATE FUNCTION tally_reach() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    EXECUTE $query$
        WITH moved AS MATERIALIZED (
            SELECT merchant_id, id, import_id, sum(issued) AS issued, sum(unopened) AS unopened,
                   sum(opened) AS opened, sum(paid) AS paid
            FROM (
                SELECT r.merchant_id, r.id, r.import_id, r.sign * k.issued AS issued,
                       r.sign * k.unopened AS unopened, r.sign * k.opened AS opened,
                       r.sign * k.paid AS paid
                FROM (SELECT *, 1 AS sign FROM new_rows
                      UNION ALL SELECT *, -1 FROM old_rows) r
                CROSS JOIN LATERAL (SELECT
                    l.counts::int AS issued,
                    (r.lifecycle IN ('open', 'overdue') AND r.settlement = 'unpaid'
                     AND r.opened_at IS NULL)::int AS unopened,
                    (r.opened_at IS NOT NULL AND l.counts)::int AS opened,
                    (r.paid_at IS NOT NULL AND l.counts)::int AS paid
                    FROM (SELECT r.lifecycle IN ('open', 'overdue', 'lapsed', 'canceling') AS counts
                    ) l) k
            ) s
            GROUP BY 1, 2, 3
            HAVING sum(issued) <> 0 OR sum(unopened) <> 0 OR sum(opened) <> 0 OR sum(paid) <> 0
        ), told AS MATERIALIZED (
            SELECT m.*, coalesce(h.opened_by, d.channel, '') AS opened_by,
                   coalesce(h.paid_by, d.channel, '') AS paid_by
            FROM moved m
            LEFT JOIN LATERAL (
                SELECT opened_by, paid_by FROM bill_reach
                WHERE merchant_id = m.merchant_id AND bill_id = m.id OFFSET 0
            ) h ON true
            LEFT JOIN LATERAL (
                SELECT channel FROM delivery
                WHERE merchant_id = m.merchant_id AND bill_id = m.id
                      AND state IN ('accepted', 'delivered', 'undelivered', 'ambiguous')
                ORDER BY id DESC LIMIT 1
            ) d ON true
            WHERE m.opened <> 0 OR m.paid <> 0
        ), kept AS (
            INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
            SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
                   CASE WHEN paid > 0 THEN paid_by END
            FROM told WHERE opened > 0 OR paid > 0
            ON CONFLICT (merchant_id, bill_id) DO UPDATE
            SET opened_by = coalesce(bill_reach.opened_by, excluded.opened_by),
                paid_by = coalesce(bill_reach.paid_by, excluded.paid_by)
        )
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT merchant_id, import_id, channel, '', stage, sum(number)
        FROM (
            SELECT merchant_id, import_id, '' AS channel, 'issued' AS stage, issued AS number
            FROM moved
            UNION ALL SELECT merchant_id, import_id, '', 'unopened', unopened FROM moved
            UNION ALL SELECT merchant_id, import_id, opened_by, 'opened', opened FROM told
            UNION ALL SELECT merchant_id, import_id, paid_by, 'paid', paid FROM told
        ) s
        GROUP BY 1, 2, 3, 5 HAVING sum(number) <> 0
    $query$;
    RETURN NULL;
END
$body$;
CREATE TRIGGER bill_funnel_update AFTER UPDATE ON bill
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_reach();
"""

# What was there before: under the locks of the triggers, a merchant at a time.
FILL = """
DO $body$
DECLARE
    whose uuid;
BEGIN
    FOR whose IN SELECT merchant_id FROM merchant_code LOOP
        PERFORM set_config('harai.merchant', whose::text, true);
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT b.merchant_id, b.id,
               CASE WHEN b.opened_at IS NOT NULL THEN coalesce(d.channel, '') END,
               CASE WHEN b.paid_at IS NOT NULL THEN coalesce(d.channel, '') END
        FROM bill b
        LEFT JOIN (
            SELECT DISTINCT ON (bill_id) bill_id, channel FROM delivery
            WHERE merchant_id = whose
                  AND state IN ('accepted', 'delivered', 'undelivered', 'ambiguous')
            ORDER BY bill_id, id DESC
        ) d ON d.bill_id = b.id
        WHERE b.merchant_id = whose AND (b.opened_at IS NOT NULL OR b.paid_at IS NOT NULL);
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT b.merchant_id, b.import_id, d.channel, d.provider, stage_of(d.state), count(*)
        FROM delivery d JOIN bill b ON b.merchant_id = whose AND b.id = d.bill_id
        WHERE d.merchant_id = whose GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT b.merchant_id, b.import_id, k.channel, '', k.stage, count(*)
        FROM bill b
        LEFT JOIN bill_reach h ON h.merchant_id = whose AND h.bill_id = b.id
        CROSS JOIN LATERAL (
            SELECT b.lifecycle IN ('open', 'overdue', 'lapsed', 'canceling') AS counts
        ) l
        CROSS JOIN LATERAL (VALUES
            ('', 'issued', l.counts),
            ('', 'unopened', b.lifecycle IN ('open', 'overdue') AND b.settlement = 'unpaid'
                             AND b.opened_at IS NULL),
            (h.opened_by, 'opened', b.opened_at IS NOT NULL AND l.counts),
            (h.paid_by, 'paid', b.paid_at IS NOT NULL AND l.counts)
        ) k (channel, stage, is_so)
        WHERE b.merchant_id = whose AND k.is_so GROUP BY 1, 2, 3, 5;
    END LOOP;
    PERFORM set_config('harai.merchant', '', true);
END
$body$;
"""

BACK = """
DROP TRIGGER delivery_funnel_insert ON delivery;
DROP TRIGGER delivery_funnel_update ON delivery;
DROP TRIGGER bill_funnel_update ON bill;
DROP FUNCTION tally_deliveries();
DROP FUNCTION tally_reach();
DROP FUNCTION stage_of(text);
DROP TABLE funnel_tally;
DROP TABLE bill_reach;
DROP TABLE message_switch;
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
    "funnel_tally": ("select", "insert", "delete"),
    "bill_reach": ("select", "insert", "update"),
    "message_switch": ("select", "insert", "update"),
}


def upgrade() -> None:
    """Create the tables, then what fills them."""
    rls.script(TABLES)
    for table, privileges in GRANTS.items():
        rls.protect(table)
        rls.grant(table, *privileges)
    rls.script(TRIGGERS)
    rls.script(FUNNEL)
    rls.script(FILL)
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: nothing goes back by file."""
    rls.script(BACK)
