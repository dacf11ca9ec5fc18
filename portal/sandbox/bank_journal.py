"""The bank's books, in the sandbox's file: every debit file that it took, and its lines' ends.

A file is taken once for its reference; its bytes are kept as they came.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists bank_file (
    seq integer primary key autoincrement,
    reference text unique not null, collector text not null, sha256 text not null,
    body blob not null, given integer not null default 0
);
create table if not exists bank_line (
    reference text not null, line_no integer not null, number text not null,
    account text not null, amount integer not null, outcome text not null,
    primary key (reference, line_no)
);
"""

Row = dict[str, Any]


class BankJournal:
    """The tables of the bank on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def take(self, file: Row, lines: Iterable[Row]) -> bool:
        """Keep a file with its lines; False when its reference has one already."""
        self._db.execute("begin")
        cursor = self._db.execute(
            "insert or ignore into bank_file (reference, collector, sha256, body)"
            " values (:reference, :collector, :sha256, :body)",
            file,
        )
        if cursor.rowcount == 1:
            self._db.executemany(
                "insert into bank_line values"
                " (:reference, :line_no, :number, :account, :amount, :outcome)",
                lines,
            )
        self._db.execute("commit")
        return cursor.rowcount == 1

    def file(self, reference: str) -> Row | None:
        """A file with its bytes, or None."""
        found = self._db.execute(
            "select * from bank_file where reference = ?", (reference,)
        ).fetchone()
        return None if found is None else dict(found)

    def give(self, reference: str) -> None:
        """A result was handed out: from now on the collector can know every end."""
        self._db.execute("update bank_file set given = 1 where reference = ?", (reference,))

    def files(self) -> list[Row]:
        """Every file without its bytes, oldest first, with what was debited by it."""
        rows = self._db.execute(
            "select f.reference, f.collector, f.sha256, count(*) as lines,"
            " sum(l.outcome = '0') as debited,"
            " sum(case when l.outcome = '0' then l.amount else 0 end) as debited_yen"
            " from bank_file f join bank_line l using (reference) group by f.seq order by f.seq"
        )
        return [dict(row) for row in rows]

    def ends(self, reference: str) -> list[str]:
        """The code of every line of a file, in order."""
        rows = self._db.execute(
            "select outcome from bank_line where reference = ? order by line_no", (reference,)
        )
        return [row["outcome"] for row in rows]

    def lines(self, reference: str | None = None) -> list[Row]:
        """Every line of one file, or of all of them, in order."""
        rows = self._db.execute(
            "select l.*, f.collector, f.given from bank_line l join bank_file f using (reference)"
            " where ? is null or l.reference = ? order by f.seq, l.line_no",
            (reference, reference),
        )
        return [dict(row) for row in rows]


def told(line: Row) -> Row:
    """A line in the journal's words: our number is its reference, the collector its account."""
    return {**line, "reference": line["number"], "account": line["collector"]}


def state_of(line: Row) -> str:
    """How a debit stands for who asks: nobody can know its end before the result was given."""
    if not line["given"]:
        return "processing"
    return "succeeded" if line["outcome"] == "0" else "failed"
