"""Bills that are paid in thousands: a new version of a row that no index has to be told of.

An index that looks at a bill's settlement is told of every new version of every bill that is paid,
and all its ten others with it, whatever their columns. So it looks at a mark instead that only odd
bills carry (provisional, overpaid, reversed), which a trigger keeps; and a page leaves room for a
new version of each of its rows, without which they go to another page and all indexes are told.
"""

import rls

revision = "0024_debit_speed"
down_revision = "0022_channels"
branch_labels = None
depends_on = None

MARK = """
ALTER TABLE bill ADD COLUMN is_odd boolean NOT NULL DEFAULT false;
ALTER TABLE bill SET (fillfactor = 50);
"""

# By the database, so that a release that knows no mark keeps it as well. Hardly a bill is odd: what
# is done for a statement's thousands is one look at the rows that it wrote.
TRIGGER = """
CREATE FUNCTION mark_odd_bills() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    IF EXISTS (SELECT FROM new_bills
               WHERE is_odd <> (settlement NOT IN ('unpaid', 'settled'))) THEN
        EXECUTE $query$
            UPDATE bill SET is_odd = NOT bill.is_odd
            FROM (SELECT merchant_id, id FROM new_bills
                  WHERE is_odd <> (settlement NOT IN ('unpaid', 'settled'))) n
            WHERE bill.merchant_id = n.merchant_id AND bill.id = n.id
        $query$;
    END IF;
    RETURN NULL;
END
$body$;
CREATE TRIGGER bill_odd_insert AFTER INSERT ON bill REFERENCING NEW TABLE AS new_bills
    FOR EACH STATEMENT EXECUTE FUNCTION mark_odd_bills();
CREATE TRIGGER bill_odd_update AFTER UPDATE ON bill REFERENCING NEW TABLE AS new_bills
    FOR EACH STATEMENT EXECUTE FUNCTION mark_odd_bills();
"""

# Row-level security is forced on the owner too, so the mark is set merchant by merchant, by the
# index that goes with the next migration.
MARKED = """
DO $body$
DECLARE
    here uuid;
BEGIN
    FOR here IN SELECT merchant_id FROM merchant_code LOOP
        PERFORM set_config('harai.merchant', here::text, true);
        UPDATE bill SET is_odd = true
        WHERE merchant_id = here AND settlement NOT IN ('unpaid', 'settled');
    END LOOP;
END
$body$;
"""


def upgrade() -> None:
    """Add the mark, set it where it belongs, and leave room from now on."""
    rls.script(MARK + TRIGGER + MARKED)


def downgrade() -> None:
    """Take the mark away."""
    rls.script(
        "DROP TRIGGER bill_odd_insert ON bill; DROP TRIGGER bill_odd_update ON bill;"
        " DROP FUNCTION mark_odd_bills(); ALTER TABLE bill DROP COLUMN is_odd;"
        " ALTER TABLE bill SET (fillfactor = 85);"
    )
