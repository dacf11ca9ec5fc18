"""The wallet company's books, in the sandbox's file: codes, payments and refunds.

Rows end once: who comes second changes nothing. What the drills compare is the same as for cards,
so the company's words are told in theirs by :func:`state_of`.
"""

import sqlite3
import time
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists wallet_code (
    seq integer primary key autoincrement,
    id text unique not null, payment_id text unique not null, reference text unique not null,
    account text not null, amount integer not null, description text not null,
    redirect_url text not null, status text not null, at real not null,
    hidden_until real not null default 0
);
create table if not exists wallet_refund (
    seq integer primary key autoincrement,
    reference text unique not null, payment_id text unique not null, amount integer not null,
    status text not null, at real not null
);
"""
_STATES: Final = {
    "CREATED": "open",
    "COMPLETED": "succeeded",
    "REFUNDED": "refunded",
    "EXPIRED": "expired",
    "DELETED": "expired",
    "FAILED": "failed",
}

Row = dict[str, Any]


def state_of(row: Row) -> str:
    """A payment's state in the journal's words.

    Money that the company gave back by itself is at one with no state of ours.
    """
    return _STATES[row["status"]]


class WalletJournal:
    """Tables of the wallet company on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def add_code(self, code: Row) -> bool:
        """Store a new code; False when its reference exists."""
        cursor = self._db.execute(
            "insert or ignore into wallet_code (id, payment_id, reference, account, amount,"
            " description, redirect_url, status, at) values (:id, :payment_id, :reference,"
            " :account, :amount, :description, :redirect_url, 'CREATED', :at)",
            {**code, "at": time.time()},
        )
        return cursor.rowcount == 1

    def code(self, *, reference: str = "", code_id: str = "", payment_id: str = "") -> Row | None:
        """One code by the merchant's reference, by its id or by its payment's."""
        row = self._db.execute(
            "select * from wallet_code where reference = ? or id = ? or payment_id = ?",
            (reference, code_id, payment_id),
        ).fetchone()
        return None if row is None else dict(row)

    def move(self, code_id: str, before: str, after: str, hidden_until: float = 0.0) -> bool:
        """Take a code from one status to the next; False when it is not there. Money moves here."""
        cursor = self._db.execute(
            "update wallet_code set status = ?, hidden_until = ? where id = ? and status = ?",
            (after, hidden_until, code_id, before),
        )
        if cursor.rowcount == 1 and after == "COMPLETED":
            self._db.execute(
                "insert into effect (kind, reference, at) values ('wallet', ?, ?)",
                (code_id, time.time()),
            )
        return cursor.rowcount == 1

    def add_refund(self, refund: Row) -> bool:
        """Give money back once; False when the reference exists or the payment has a refund."""
        cursor = self._db.execute(
            "insert or ignore into wallet_refund (reference, payment_id, amount, status, at)"
            " values (:reference, :payment_id, :amount, 'REFUNDED', :at)",
            {**refund, "at": time.time()},
        )
        return cursor.rowcount == 1

    def refund(self, reference: str) -> Row | None:
        """One refund by the merchant's reference of it."""
        row = self._db.execute(
            "select * from wallet_refund where reference = ?", (reference,)
        ).fetchone()
        return None if row is None else dict(row)

    def refund_of(self, payment_id: str) -> Row | None:
        """The one refund of a payment, if any."""
        row = self._db.execute(
            "select * from wallet_refund where payment_id = ?", (payment_id,)
        ).fetchone()
        return None if row is None else dict(row)

    def codes(self) -> list[Row]:
        """Every code, oldest first."""
        return [dict(row) for row in self._db.execute("select * from wallet_code order by seq")]
