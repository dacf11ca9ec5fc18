"""Cards on file: kept by their company for a contract, charged for bills on their day.

``merchant.charge_days_before``: null keeps no cards. ``due_day.charged_on``: the day for which
charges were last chosen.
"""

import rls

revision = "0017_card_on_file"
down_revision = "0016_any_size"
branch_labels = None
depends_on = None

CARDS = """
ALTER TABLE merchant ADD COLUMN charge_days_before integer;
ALTER TABLE due_day ADD COLUMN charged_on date NOT NULL DEFAULT '1900-01-01';
CREATE TABLE card_on_file (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    contract_blind bytea NOT NULL,
    customer_blind bytea NOT NULL,
    provider text NOT NULL,
    state text NOT NULL CHECK (state IN ('awaited', 'active', 'suspended', 'replaced', 'revoked',
        'void')),
    code text,
    consent text NOT NULL,
    consent_at timestamptz NOT NULL,
    days_before integer NOT NULL,
    enrolled_on date,
    instrument bytea,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT card_on_file_attempt_key UNIQUE (merchant_id, attempt_id),
    CONSTRAINT card_on_file_is_known CHECK (
        state NOT IN ('active', 'suspended') OR (instrument IS NOT NULL AND enrolled_on IS NOT NULL)
    )
);
CREATE UNIQUE INDEX card_on_file_one_standing ON card_on_file (merchant_id, contract_blind)
    WHERE state IN ('active', 'suspended');
CREATE INDEX card_on_file_active_idx ON card_on_file (merchant_id, id) WHERE state = 'active';
CREATE INDEX card_on_file_contract_idx ON card_on_file (merchant_id, contract_blind);
CREATE TABLE card_charge (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    card_id uuid NOT NULL,
    attempt_id uuid,
    state text NOT NULL CHECK (state IN ('planned', 'handed', 'redeemed', 'left_out')),
    tries integer NOT NULL CHECK (tries >= 0),
    code text,
    planned_on date NOT NULL,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT card_charge_attempt_key UNIQUE (merchant_id, attempt_id)
);
CREATE UNIQUE INDEX card_charge_one_a_bill ON card_charge (merchant_id, bill_id)
    WHERE state <> 'left_out';
CREATE INDEX card_charge_attempt_idx ON card_charge (attempt_id);
"""

# The relay knows a charge by its attempt's id alone: one operation may look up whose it is, as
# with messages (0002_bills).
WHOSE_CHARGE = """
CREATE POLICY redeem_by_id ON card_charge FOR SELECT
    USING ((SELECT current_setting('harai.crossing', true)) = 'redeem_instrument');
"""


def upgrade() -> None:
    """Create the tables with their rules."""
    rls.script(CARDS)
    for table in ("card_on_file", "card_charge"):
        rls.protect(table)
        rls.grant(table, "select", "insert", "update")
    rls.script(WHOSE_CHARGE)
    rls.script(f"grant update (charge_days_before) on merchant to {rls.VAULT};")
    rls.expect_any_size()


def downgrade() -> None:
    """What payers agreed to must not be forgotten: restore a backup instead."""
    message = "cards are on file; restore the backup taken before this release"
    raise RuntimeError(message)
