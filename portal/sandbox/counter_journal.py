"""The books of the company of store numbers, in the sandbox's file: orders and how they stand.

An order ends once: paid, withdrawn or run out, whichever comes first. The drills' words for it are
told by :func:`state_of`.
"""

import sqlite3
import time
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists counter_order (
    seq integer primary key autoincrement,
    reference text unique not null, account text not null, amount integer not null,
    access_id text unique not null, access_pass text not null, tran_id text not null,
    store text not null default '', receipt_no text not null default '',
    confirmation_no text not null default '', payer text not null default '',
    status text not null, at real not null, until real not null default 0
);
create unique index if not exists counter_number_once on counter_order (store, receipt_no)
    where receipt_no <> '';
"""
_STATES: Final = {
    "REQSUCCESS": "open",
    "PAYSUCCESS": "succeeded",
    "CANCEL": "expired",
    "EXPIRED": "expired",
}

Row = dict[str, Any]


def status_of(order: Row) -> str:
    """How an order stands by now: a number that nobody paid by in its time has run out."""
    if order["status"] == "REQSUCCESS" and order["until"] <= time.time():
        return "EXPIRED"
    return str(order["status"])


def state_of(order: Row) -> str | None:
    """An order's state in the journal's words; None for one that no store ever had."""
    return _STATES.get(status_of(order))


class CounterJournal:
    """The table of the company of store numbers on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def register(self, order: Row) -> bool:
        """Store a new order, which no store has yet; False when its reference exists."""
        cursor = self._db.execute(
            "insert or ignore into counter_order (reference, account, amount, access_id,"
            " access_pass, tran_id, status, at) values (:reference, :account, :amount, :access_id,"
            " :access_pass, :tran_id, 'UNPROCESSED', :at)",
            {**order, "at": time.time()},
        )
        return cursor.rowcount == 1

    def give_to_store(self, reference: str, number: Row) -> bool:
        """Let an order be paid by a number; False when it can be already, or another has it."""
        cursor = self._db.execute(
            "update or ignore counter_order set status = 'REQSUCCESS', store = :store,"
            " receipt_no = :receipt_no, confirmation_no = :confirmation_no, payer = :payer,"
            " until = :until where reference = :reference and status = 'UNPROCESSED'",
            {**number, "reference": reference},
        )
        return cursor.rowcount == 1

    def order(self, reference: str) -> Row | None:
        """One order by the merchant's reference."""
        return self._one("select * from counter_order where reference = ?", reference)

    def find(self, store: str, receipt_no: str) -> Row | None:
        """The order that is paid by a number at a store."""
        return self._one(
            "select * from counter_order where store = ? and receipt_no = ? and receipt_no <> ''",
            store,
            receipt_no,
        )

    def end(self, reference: str, status: str) -> bool:
        """Give an order that can be paid its end; False when it has one. Money moves here, once."""
        cursor = self._db.execute(
            "update counter_order set status = ? where reference = ? and status = 'REQSUCCESS'"
            " and until > ?",
            (status, reference, time.time()),
        )
        if cursor.rowcount == 1 and status == "PAYSUCCESS":
            self._db.execute(
                "insert into effect (kind, reference, at) values ('number', ?, ?)",
                (reference, time.time()),
            )
        return cursor.rowcount == 1

    def all(self) -> list[Row]:
        """Every order, oldest first."""
        return [dict(row) for row in self._db.execute("select * from counter_order order by seq")]

    def _one(self, statement: str, *values: str) -> Row | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else dict(row)
