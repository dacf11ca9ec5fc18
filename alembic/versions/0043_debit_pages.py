"""Debits that are booked in thousands: room beside each attempt, and the funnel's rows once.

An attempt ends by another version of its row, of which three indexes are told. Attempts come in the
order of their keys, so the pages of heap and indexes were full by then: the version went to another
page, and each page of an index was searched for something to drop, packed anew and often cut in
two. Half a page that is left free costs less to write than that. Pages that are there stay as they
are; what is written from now on has the room.

What the funnel keeps of a bill was offered to the table as if another could be there already; who
has looked and found none may add it, since the bill's lock is held: only its own change keeps it.
"""

import rls

revision = "0043_debit_pages"
down_revision = "0042_app"
branch_labels = None
depends_on = None

INDEXES = ("attempt_pkey", "attempt_bill_idx", "attempt_reference_key")

REACH = """
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
               coalesce(h.paid_by, d.channel, '') AS paid_by%(asked)s
        FROM moved m
        LEFT JOIN LATERAL (
            SELECT %(id)sopened_by, paid_by FROM bill_reach
            WHERE merchant_id = m.merchant_id AND bill_id = m.id OFFSET 0
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT channel FROM delivery
            WHERE merchant_id = m.merchant_id AND bill_id = m.id
                  AND state IN ('accepted', 'delivered', 'undelivered', 'ambiguous')
            ORDER BY id DESC LIMIT 1
        ) d ON true
        WHERE m.opened <> 0 OR m.paid <> 0
    ), %(first)skept AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE %(known)s
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
_BEFORE = {"asked": "", "id": "", "first": "", "known": "opened > 0 OR paid > 0"}
_NOW = {
    "asked": ",\n               h.bill_id IS NULL AS is_first",
    "id": "bill_id, ",
    "first": """first AS (
        INSERT INTO bill_reach (merchant_id, bill_id, opened_by, paid_by)
        SELECT merchant_id, id, CASE WHEN opened > 0 THEN opened_by END,
               CASE WHEN paid > 0 THEN paid_by END
        FROM put_down WHERE is_first AND (opened > 0 OR paid > 0)
    ), """,
    "known": "NOT is_first AND (opened > 0 OR paid > 0)",
}


def upgrade() -> None:
    """Leave room in what is written from now on; add the funnel's rows without a second look."""
    rls.script("ALTER TABLE attempt SET (fillfactor = 50);")
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} SET (fillfactor = 50);")
    rls.script(REACH % _NOW)


def downgrade() -> None:
    """Pack pages again, and look twice."""
    rls.script(REACH % _BEFORE)
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} RESET (fillfactor);")
    rls.script("ALTER TABLE attempt RESET (fillfactor);")
