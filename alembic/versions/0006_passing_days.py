"""How far bills were followed along the calendar, when they lapse, and what may be forgotten.

An older vault founds merchants without ``lapse_after_days`` and gives them the default; it begins
no days and forgets nothing. The indexes are those by which retention finds what is old.
"""

import rls

revision = "0006_passing_days"
down_revision = "0005_second_look"
branch_labels = None
depends_on = None

DAYS = """
ALTER TABLE merchant ADD COLUMN lapse_after_days integer DEFAULT 90
    CHECK (lapse_after_days BETWEEN 0 AND 3650);

CREATE TABLE due_day (
    merchant_id uuid PRIMARY KEY,
    day date NOT NULL,
    overdue_to date NOT NULL DEFAULT '1900-01-01',
    overdue_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    lapsed_to date NOT NULL DEFAULT '1900-01-01',
    lapsed_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);
"""
OLD = """
CREATE INDEX login_ticket_expiry_idx ON login_ticket (merchant_id, expires_at);
CREATE INDEX return_token_expiry_idx ON return_token (merchant_id, expires_at);
CREATE INDEX notice_received_idx ON notice (merchant_id, received_at);
CREATE INDEX once_created_idx ON once (merchant_id, created_at);
"""
FORGOTTEN = ("link", "notice", "notice_body", "delivery_chunk")


def upgrade() -> None:
    """Add the setting, the days, the indexes, and the right to delete what has had its time."""
    rls.script(DAYS)
    rls.protect("due_day")
    rls.grant("due_day", "select", "insert", "update")
    rls.script(f"GRANT UPDATE (lapse_after_days) ON merchant TO {rls.VAULT};")
    rls.script(OLD)
    for table in FORGOTTEN:
        rls.grant(table, "delete")


def downgrade() -> None:
    """Take it away; what was forgotten stays so."""
    for table in FORGOTTEN:
        rls.script(f"REVOKE DELETE ON {table} FROM {rls.VAULT};")
    rls.script(
        "DROP INDEX login_ticket_expiry_idx; DROP INDEX return_token_expiry_idx;"
        " DROP INDEX notice_received_idx; DROP INDEX once_created_idx;"
    )
    rls.script("DROP TABLE due_day;")
    rls.script(f"REVOKE UPDATE (lapse_after_days) ON merchant FROM {rls.VAULT};")
    rls.script("ALTER TABLE merchant DROP COLUMN lapse_after_days;")
