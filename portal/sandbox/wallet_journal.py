"""The wallet company's books, in the sandbox's file: codes, payments and refunds.

Rows end once: who comes second changes nothing. What the drills compare is the same as for cards,
so the company's words are told in theirs by :func:`state_of` and :func:`refund_told`.
"""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
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
    reference text unique not null, payment_id text not null, amount integer not null,
    status text not null, at real not null
);
create unique index if not exists wallet_refund_once on wallet_refund (payment_id)
    where status <> 'FAILED';
"""
_STATES: Final = {
    "CREATED": "open",
    "COMPLETED": "succeeded",
    "REFUNDED": "succeeded",
    "EXPIRED": "expired",
    "DELETED": "expired",
    "FAILED": "failed",
}
_REFUND_STATES: Final = {"CREATED": "pending", "REFUNDED": "succeeded", "FAILED": "failed"}

Row = dict[str, Any]


def state_of(row: Row) -> str:
    """A payment's state in the journal's words: what was given back was taken first."""
    return _STATES[row["status"]]


def refund_told(row: Row) -> Row:
    """A refund in the journal's words, under the merchant's reference of its payment."""
    return {
        "reference": row["reference"],
        "payment": row["payment"],
        "state": _REFUND_STATES[row["status"]],
        "amount": row["amount"],
    }


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

    def take_refund(self, refund: Row, code_id: str) -> bool:
        """Give money back once, or take that on (status CREATED).

        False when the reference exists, the payment has a refund or is none that was paid.
        """
        with self._at_once():
            cursor = self._db.execute(
                "insert or ignore into wallet_refund (reference, payment_id, amount, status, at)"
                " select :reference, :payment_id, :amount, :status, :at from wallet_code"
                " where id = :code and status = 'COMPLETED'",
                {**refund, "code": code_id, "at": time.time()},
            )
            taken = cursor.rowcount == 1
            if taken and refund["status"] == "REFUNDED":
                self._gone_back(refund["reference"], refund["payment_id"])
            return taken

    def end_refund(self, reference: str, status: str) -> bool:
        """Give a refund that was taken on its end; False when it already has one."""
        with self._at_once():
            row = self._db.execute(
                "update wallet_refund set status = ? where reference = ? and status = 'CREATED'"
                " returning payment_id",
                (status, reference),
            ).fetchone()
            if row is not None and status == "REFUNDED":
                self._gone_back(reference, row["payment_id"])
            return row is not None

    def _gone_back(self, reference: str, payment_id: str) -> None:
        self._db.execute(
            "update wallet_code set status = 'REFUNDED' where payment_id = ?", (payment_id,)
        )
        self._db.execute(
            "insert into effect (kind, reference, at) values ('refund', ?, ?)",
            (reference, time.time()),
        )

    @contextmanager
    def _at_once(self) -> Generator[None]:
        """All of it or nothing, also when this process is killed half-way."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def refund(self, reference: str) -> Row | None:
        """One refund by the merchant's reference of it."""
        row = self._db.execute(
            "select * from wallet_refund where reference = ?", (reference,)
        ).fetchone()
        return None if row is None else dict(row)

    def refunds_of(self, payment_id: str) -> list[Row]:
        """What was given back of a payment, or was to be, oldest first."""
        rows = self._db.execute(
            "select * from wallet_refund where payment_id = ? order by seq", (payment_id,)
        )
        return [dict(row) for row in rows]

    def refunds(self) -> list[Row]:
        """Every refund with its payment's reference, oldest first."""
        rows = self._db.execute(
            "select r.*, c.reference as payment from wallet_refund r"
            " join wallet_code c on c.payment_id = r.payment_id order by r.seq"
        )
        return [dict(row) for row in rows]

    def codes(self) -> list[Row]:
        """Every code, oldest first."""
        return [dict(row) for row in self._db.execute("select * from wallet_code order by seq")]
