"""Payment slips: a merchant's terms, one slip a bill at a time, what tills took, what was noted.

The database keeps what the application promises: one current slip a bill, a number once, a notice
once, and no slip that becomes another one's.
"""

import rls

revision = "0011_slips"
down_revision = "0010_ledger_accounts"
branch_labels = None
depends_on = None

TERMS = """
CREATE TABLE slip_terms (
    merchant_id uuid NOT NULL,
    agency text NOT NULL,
    maker_code text NOT NULL CHECK (maker_code ~ '^9[0-9]{5}$'),
    company_code text NOT NULL CHECK (company_code ~ '^[0-9]{5}$'),
    amount_min integer NOT NULL,
    amount_max integer NOT NULL,
    is_public_money boolean NOT NULL,
    scans_screens boolean NOT NULL,
    days_open integer NOT NULL CHECK (days_open > 0),
    grace_days integer NOT NULL CHECK (grace_days >= 0),
    is_offered boolean NOT NULL,
    PRIMARY KEY (merchant_id),
    CONSTRAINT slip_terms_amounts CHECK (amount_min BETWEEN 1 AND amount_max
                                         AND amount_max <= 999999)
);
"""

SLIPS = """
CREATE TABLE slip (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    bill_id uuid NOT NULL,
    agency text NOT NULL,
    number_key text NOT NULL,
    digits text NOT NULL CHECK (digits ~ '^91[0-9]{42}$'),
    issue smallint NOT NULL CHECK (issue BETWEEN 0 AND 9),
    state text NOT NULL CHECK (state IN ('issued', 'provisional', 'confirmed', 'voided', 'expired',
        'replaced')),
    version integer NOT NULL,
    is_current boolean NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999),
    pay_until date NOT NULL,
    issued_at timestamptz NOT NULL,
    state_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT slip_number_key UNIQUE (merchant_id, number_key)
);
CREATE UNIQUE INDEX slip_one_current ON slip (merchant_id, bill_id) WHERE is_current;
CREATE INDEX slip_bill_idx ON slip (merchant_id, bill_id, issue);
CREATE INDEX slip_expiry_idx ON slip (merchant_id, pay_until, id)
    WHERE state IN ('issued', 'voided');

CREATE TABLE slip_taking (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    slip_id uuid NOT NULL,
    bill_id uuid NOT NULL,
    taking text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'posted', 'void')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT slip_taking_key UNIQUE (merchant_id, slip_id, taking)
);
CREATE INDEX slip_taking_pending_idx ON slip_taking (merchant_id, at) WHERE state = 'pending';

CREATE TABLE slip_notice (
    merchant_id uuid NOT NULL,
    id uuid NOT NULL,
    notice_key text NOT NULL,
    slip_id uuid,
    agency text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('provisional', 'confirmed', 'reversal', 'postal',
        'postal_correction')),
    digits text NOT NULL CHECK (digits ~ '^91[0-9]{42}$'),
    received_on date NOT NULL,
    received_at time,
    company_code text NOT NULL,
    store_code text NOT NULL,
    amount_minor bigint NOT NULL,
    paid_out_on date,
    counts boolean NOT NULL,
    case_kind text,
    came_by text NOT NULL CHECK (came_by IN ('file', 'notice')),
    at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT slip_notice_key UNIQUE (merchant_id, notice_key)
);
CREATE INDEX slip_notice_slip_idx ON slip_notice (merchant_id, slip_id, id);
"""

# What payers hold in their hands stays what it is: a slip may move on, never become another.
FIXED = """
CREATE FUNCTION refuse_slip_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
BEGIN
    RAISE EXCEPTION 'slip % was made out: it can not become another', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'slip_fixed';
END
$body$;

CREATE TRIGGER slip_fixed BEFORE UPDATE ON slip FOR EACH ROW
    WHEN (OLD.digits <> NEW.digits OR OLD.bill_id <> NEW.bill_id
          OR OLD.amount_minor <> NEW.amount_minor OR OLD.pay_until <> NEW.pay_until)
    EXECUTE FUNCTION refuse_slip_change();
"""

# As in 0009: the wider rule takes the narrower one's place, the rows are looked at afterwards.
ACCOUNTS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_account_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_account_check
    CHECK (account IN ('receivable', 'billed', 'in_transit', 'overpayment', 'refund_clearing',
        'goodwill_clearing', 'advanced', 'announced', 'unconfirmed')) NOT VALID;
"""


def upgrade() -> None:
    """Create the tables with their rules, and let the ledger know the accounts."""
    rls.script(TERMS)
    rls.script(SLIPS)
    rls.script(FIXED)
    for table in ("slip_terms", "slip", "slip_taking", "slip_notice"):
        rls.protect(table)
    for table in ("slip_terms", "slip", "slip_taking"):
        rls.grant(table, "select", "insert", "update")
    rls.grant("slip_notice", "select", "insert")
    rls.script(ACCOUNTS)


def downgrade() -> None:
    """Money is never unwound by a migration: restore a backup instead."""
    message = "slips are in payers' hands; restore the backup taken before this release"
    raise RuntimeError(message)
