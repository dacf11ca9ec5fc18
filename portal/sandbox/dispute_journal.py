"""The card company's disputes, in the sandbox's file: one a payment, opened once, decided once."""

import secrets
import sqlite3
import time
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists dispute (
    seq integer primary key autoincrement,
    id text unique not null, payment text unique not null, amount integer not null,
    status text not null, taken integer not null, reason text not null, respond_by real not null,
    at real not null
);
"""
_ANSWER_S: Final = 7 * 86_400.0

Row = dict[str, Any]


def told(dispute: Row | None) -> Row | None:
    """A dispute as the interface for merchants tells of it."""
    if dispute is None:
        return None
    return {
        "id": dispute["id"],
        "status": dispute["status"],
        "amount": dispute["amount"],
        "taken": dispute["taken"],
        "reason": dispute["reason"],
        "respond_by": int(dispute["respond_by"]),
    }


class DisputeJournal:
    """The table of disputes on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def open(self, payment: str, *, takes_now: bool) -> bool:
        """Contest a payment that succeeded; False when it did not, or was contested before.

        ``takes_now``: its money is taken back at once, not only when the dispute is lost. What was
        given back by refunds is left out.
        """
        cursor = self._db.execute(
            "insert or ignore into dispute (id, payment, amount, status, taken, reason, respond_by,"
            " at) select :id, reference, kept, 'opened', case when :now then kept else 0 end,"
            " 'fraudulent', :respond_by, :at from (select reference, amount - coalesce((select"
            " sum(amount) from refund where refund.payment = payment.reference and refund.status <>"
            " 'failed'), 0) as kept from payment where reference = :payment and status ="
            " 'succeeded') where kept > 0",
            {
                "id": f"cd_{secrets.token_hex(8)}",
                "payment": payment,
                "now": takes_now,
                "respond_by": time.time() + _ANSWER_S,
                "at": time.time(),
            },
        )
        return cursor.rowcount == 1

    def decide(self, payment: str, *, won: bool) -> bool:
        """Decide an open dispute: the merchant's money comes back, or is gone. Once."""
        cursor = self._db.execute(
            "update dispute set status = ?, taken = ? * amount"
            " where payment = ? and status = 'opened'",
            ("won" if won else "lost", 0 if won else 1, payment),
        )
        return cursor.rowcount == 1

    def of(self, payment: str) -> Row | None:
        """The dispute of a payment by the merchant's reference, if there is one."""
        row = self._db.execute("select * from dispute where payment = ?", (payment,)).fetchone()
        return None if row is None else dict(row)

    def taken_back(self, payment: str) -> int:
        """What the company has taken back of a payment by now."""
        dispute = self.of(payment)
        return 0 if dispute is None else dispute["taken"]
