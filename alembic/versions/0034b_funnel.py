"""The funnel: how far bills and their messages have come by channel, and who is told another way.

Triggers append deltas in the transaction of what they count, as for bills (0002); what was there
before is counted here, a merchant at a time.
"""

import rls

revision = "0034b_funnel"
down_revision = "0034_results"
branch_labels = None
depends_on = None

TABLES = """
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
"""

# As in 0034_results no new row is joined with an old one: the plan of few rows is kept for many.
# Messages that wait or are being sent count as one: passing through costs nothing here. Who opened
# or paid is put down to the channel of the newest message that may have arrived by then.
FUNNEL = """
CREATE FUNCTION tally_deliveries() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT n.merchant_id, b.import_id, n.channel, n.provider,
               CASE WHEN n.state IN ('planned', 'handed', 'redeemed') THEN 'waiting'
                    ELSE n.state END, count(*)
        FROM new_rows n
        JOIN LATERAL (SELECT import_id FROM bill
                      WHERE merchant_id = n.merchant_id AND id = n.bill_id OFFSET 0) b ON true
        GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT m.merchant_id, b.import_id, m.channel, m.provider, m.stage, sum(m.number)
        FROM (
            SELECT merchant_id, bill_id, channel, provider,
                   CASE WHEN state IN ('planned', 'handed', 'redeemed') THEN 'waiting'
                        ELSE state END AS stage,
                   sum(sign) AS number
            FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) r
            GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0
        ) m
        JOIN LATERAL (SELECT import_id FROM bill
                      WHERE merchant_id = m.merchant_id AND id = m.bill_id OFFSET 0) b ON true
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.number) <> 0;
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
    GROUP BY 1, 2, 3, 5 HAVING sum(number) <> 0;
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
        SELECT b.merchant_id, b.import_id, d.channel, d.provider,
               CASE WHEN d.state IN ('planned', 'handed', 'redeemed') THEN 'waiting'
                    ELSE d.state END, count(*)
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
DROP TABLE funnel_tally;
DROP TABLE bill_reach;
DROP TABLE message_switch;
"""

GRANTS = {
    "funnel_tally": ("select", "insert", "delete"),
    "bill_reach": ("select", "insert", "update"),
    "message_switch": ("select", "insert", "update"),
}


def upgrade() -> None:
    """Create the tables, what fills them from now on, and what stands in them so far."""
    rls.script(TABLES)
    for table, privileges in GRANTS.items():
        rls.protect(table)
        rls.grant(table, *privileges)
    rls.script(FUNNEL)
    rls.script(FILL)
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: nothing is counted by channel."""
    rls.script(BACK)
