"""Which bills a company took a message about, and which a message reached: counted as bills.

The funnel's bills by how far they came are told by one tally for every screen: by any message of a
bill, not by its newest. Paid is what is paid now, as the money says; what was reversed is not.
"""

import rls

revision = "0041_reached"
down_revision = "0037_number"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE bill ADD COLUMN is_told boolean NOT NULL DEFAULT false;
ALTER TABLE bill ADD COLUMN is_reached boolean NOT NULL DEFAULT false;
"""

MARK = """
DO $body$
DECLARE
    whose uuid;
BEGIN
    FOR whose IN SELECT merchant_id FROM merchant_code LOOP
        PERFORM set_config('harai.merchant', whose::text, true);
        UPDATE bill b SET is_told = true, is_reached = d.is_reached
        FROM (
            SELECT bill_id, bool_or(state = 'delivered') AS is_reached FROM delivery
            WHERE merchant_id = whose AND state IN ('accepted', 'delivered', 'undelivered')
            GROUP BY 1
        ) d
        WHERE b.merchant_id = whose AND b.id = d.bill_id;
    END LOOP;
    PERFORM set_config('harai.merchant', '', true);
END
$body$;
"""

# As in 0034b_funnel but for the bills that were told and reached, and for what counts as paid. Who
# has looked for a bill's row and found none adds it plainly: the bill's lock is held, and only the
# bill's own change keeps that row.
FUNNEL = """
CREATE OR REPLACE FUNCTION tally_reach() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT merchant_id, id, import_id, sum(issued) AS issued, sum(unopened) AS unopened,
               sum(told) AS told, sum(reached) AS reached, sum(opened) AS opened,
               sum(paid) AS paid
        FROM (
            SELECT r.merchant_id, r.id, r.import_id, r.sign * k.issued AS issued,
                   r.sign * k.unopened AS unopened, r.sign * k.told AS told,
                   r.sign * k.reached AS reached, r.sign * k.opened AS opened,
                   r.sign * k.paid AS paid
            FROM (SELECT *, 1 AS sign FROM new_rows
                  UNION ALL SELECT *, -1 FROM old_rows) r
            CROSS JOIN LATERAL (SELECT
                l.counts::int AS issued,
                (r.lifecycle IN ('open', 'overdue') AND r.settlement = 'unpaid'
                 AND r.opened_at IS NULL)::int AS unopened,
                (r.is_told AND l.counts)::int AS told,
                (r.is_reached AND l.counts)::int AS reached,
                (r.opened_at IS NOT NULL AND l.counts)::int AS opened,
                (r.settlement IN ('settled', 'over') AND l.counts)::int AS paid
                FROM (SELECT r.lifecycle IN ('open', 'overdue', 'lapsed', 'canceling') AS counts
                ) l) k
        ) s
        GROUP BY 1, 2, 3
        HAVING sum(issued) <> 0 OR sum(unopened) <> 0 OR sum(told) <> 0 OR sum(reached) <> 0
               OR sum(opened) <> 0 OR sum(paid) <> 0
    ), put_down AS MATERIALIZED (
        SELECT m.*, coalesce(h.opened_by, d.channel, '') AS opened_by,
               coalesce(h.paid_by, d.channel, '') AS paid_by,
               h.bill_id IS NULL AS is_first
        FROM moved m
        LEFT JOIN LATERAL (
            SELECT bill_id, opened_by, paid_by FROM bill_reach
            WHERE merchant_id = m.merchant_id AND bill_id = m.id OFFSET 0
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT channel FROM delivery
            WHERE merchant_id = m.merchant_id AND bill_id = m.id
                  AND state IN ('accepted', 'delivered', 'undelivered', 'ambiguous')
            ORDER BY id DESC LIMIT 1
        ) d ON true
        WHERE m.opened <> 0 OR m.paid <> 0
    ), first AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE is_first AND (opened > 0 OR paid > 0)
    ), kept AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE NOT is_first AND (opened > 0 OR paid > 0)
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
        UNION ALL SELECT merchant_id, import_id, '', 'told', told FROM moved
        UNION ALL SELECT merchant_id, import_id, '', 'reached', reached FROM moved
        UNION ALL SELECT merchant_id, import_id, opened_by, 'opened', opened FROM put_down
        UNION ALL SELECT merchant_id, import_id, paid_by, 'paid', paid FROM put_down
    ) s
    GROUP BY 1, 2, 3, 5 HAVING sum(number) <> 0;
    RETURN NULL;
END
$body$;
"""

# What was there before: under the locks of the triggers, a merchant at a time. A reader that folds
# (portal.vault.funnel) is waited for, and none begins: else what it puts in counts a second time.
FILL = """
DO $body$
DECLARE
    whose uuid;
BEGIN
    FOR whose IN SELECT merchant_id FROM merchant_code LOOP
        PERFORM set_config('harai.merchant', whose::text, true);
        PERFORM pg_advisory_xact_lock(hashtextextended(whose::text, 8262));
        DELETE FROM funnel_tally
        WHERE merchant_id = whose AND stage IN ('told', 'reached', 'paid');
        INSERT INTO funnel_tally (merchant_id, import_id, channel, provider, stage, number)
        SELECT b.merchant_id, b.import_id, k.channel, '', k.stage, count(*)
        FROM bill b
        LEFT JOIN bill_reach h ON h.merchant_id = whose AND h.bill_id = b.id
        CROSS JOIN LATERAL (VALUES
            ('', 'told', b.is_told),
            ('', 'reached', b.is_reached),
            (coalesce(h.paid_by, ''), 'paid', b.settlement IN ('settled', 'over'))
        ) k (channel, stage, is_so)
        WHERE b.merchant_id = whose AND k.is_so
              AND b.lifecycle IN ('open', 'overdue', 'lapsed', 'canceling')
        GROUP BY 1, 2, 3, 5;
    END LOOP;
    PERFORM set_config('harai.merchant', '', true);
END
$body$;
"""

BEFORE = """
CREATE OR REPLACE FUNCTION tally_reach() RETURNS trigger
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
"""

GONE = """
DO $body$
DECLARE
    whose uuid;
BEGIN
    FOR whose IN SELECT merchant_id FROM merchant_code LOOP
        PERFORM set_config('harai.merchant', whose::text, true);
        DELETE FROM funnel_tally WHERE merchant_id = whose AND stage IN ('told', 'reached');
    END LOOP;
    PERFORM set_config('harai.merchant', '', true);
END
$body$;
ALTER TABLE bill DROP COLUMN is_reached;
ALTER TABLE bill DROP COLUMN is_told;
"""


def upgrade() -> None:
    """Add the marks, count by them from now on, and count what stands there so far."""
    rls.script(COLUMNS)
    rls.script(MARK)
    rls.script(FUNNEL)
    rls.script(FILL)


def downgrade() -> None:
    """Count as before; what is paid stays as it was counted."""
    rls.script(BEFORE)
    rls.script(GONE)
