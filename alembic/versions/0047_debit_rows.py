"""Debits that are booked in thousands: a row is not locked once more, and indexes have room.

A trigger before an update takes a lock on each row that is to change, which is a write of its own,
before it asks whether it has anything to say; one after it only compares. It refuses the same: an
update that a line must not have still takes its whole transaction with it.

A bill's events and ledger entries stand beside those that the bill had when it was issued, so the
pages of these two indexes, packed when they were filled in order, were each cut in two as soon as
bills were paid, and the events' once more. Pages that are there stay as they are.
"""

import rls

revision = "0047_debit_rows"
down_revision = "0046b_change_waits_check"
branch_labels = None
depends_on = None

INDEXES = ("bill_event_pkey", "ledger_entry_bill_idx")

_FIXED = """
DROP TRIGGER debit_fixed ON debit;

CREATE TRIGGER debit_fixed {moment} UPDATE ON debit FOR EACH ROW
    WHEN (OLD.amount_minor <> NEW.amount_minor OR OLD.bill_id <> NEW.bill_id
          OR OLD.instruction_no <> NEW.instruction_no OR OLD.file_id <> NEW.file_id
          OR OLD.line_no <> NEW.line_no OR OLD.mandate_id <> NEW.mandate_id)
    EXECUTE FUNCTION refuse_debit_change();
"""


def upgrade() -> None:
    """Refuse afterwards; leave room in what is written from now on."""
    rls.script(_FIXED.format(moment="AFTER"))
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} SET (fillfactor = 50);")


def downgrade() -> None:
    """Lock first; pack pages again."""
    for index in INDEXES:
        rls.script(f"ALTER INDEX {index} RESET (fillfactor);")
    rls.script(_FIXED.format(moment="BEFORE"))
