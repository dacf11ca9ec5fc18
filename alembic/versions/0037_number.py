"""Numbers to pay by at convenience stores: who makes a merchant's, and what was to be made."""

import rls

revision = "0037_number"
down_revision = "0036_road_off"
branch_labels = None
depends_on = None

NUMBERS = """
ALTER TABLE merchant ADD COLUMN number_provider text;
ALTER TABLE merchant ADD COLUMN number_hours text NOT NULL DEFAULT '';
CREATE TABLE store_order (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    store text NOT NULL,
    redeemed_at timestamptz,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX store_order_id_idx ON store_order (id);
"""

# As for charges: the relay knows an attempt by its id alone.
WHOSE = """
CREATE POLICY redeem_by_id ON store_order FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_payer');
"""


def upgrade() -> None:
    """Add the columns and the table with its rules."""
    rls.script(NUMBERS)
    rls.protect("store_order")
    rls.grant("store_order", "select", "insert", "update")
    rls.script(WHOSE)
    rls.script(f"grant update (number_provider, number_hours) on merchant to {rls.VAULT};")
    rls.expect_any_size()


def downgrade() -> None:
    """Drop them: nobody is offered a number any more."""
    rls.script(
        f"""
        REVOKE UPDATE (number_provider, number_hours) ON merchant FROM {rls.VAULT};
        DROP TABLE store_order;
        ALTER TABLE merchant DROP COLUMN number_hours;
        ALTER TABLE merchant DROP COLUMN number_provider;
        """
    )
