"""Payments by the card on file while the payer is there: which card, and how far the bank was asked."""

import rls

revision = "0057_card_payment"
down_revision = "0056b_transfers_check"
branch_labels = None
depends_on = None

PAYMENTS = """
CREATE TABLE card_payment (
    merchant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    card_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('begun', 'redeemed', 'returned', 'secured')),
    access bytea,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, attempt_id)
);
CREATE INDEX card_payment_attempt_idx ON card_payment (attempt_id);
"""

# As for charges: the relay knows an attempt by its id alone.
WHOSE = """
CREATE POLICY redeem_by_id ON card_payment FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_instrument');
"""


def upgrade() -> None:
    """Create the table with its rules."""
    rls.script(PAYMENTS)
    rls.protect("card_payment")
    rls.grant("card_payment", "select", "insert", "update")
    rls.script(WHOSE)
    rls.expect_any_size()


def downgrade() -> None:
    """Nobody pays by a card on file any more; what is under way is asked about as any attempt."""
    rls.script("DROP TABLE card_payment;")
