"""The bank's books of transfers, in the sandbox's file: every file that it took, and its lines.

A file is taken once for its reference; nothing goes back for a line but money that found nobody.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists transfer_file (
    seq integer primary key autoincrement,
    reference text unique not null, company text not null, day text not null, sha256 text not null
);
create table if not exists transfer_line (
    reference text not null, line_no integer not null, number text not null,
    bank text not null, branch text not null, account text not null, holder text not null,
    amount integer not null, outcome text not null,
    primary key (reference, line_no)
);
"""

Row = dict[str, Any]


class TransferJournal:
    """The tables of transfers on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def take(self, file: Row, lines: Iterable[Row]) -> bool:
        """Keep a file with its lines; False when its reference has one already."""
        self._db.execute("begin")
        cursor = self._db.execute(
            "insert or ignore into transfer_file (reference, company, day, sha256)"
            " values (:reference, :company, :day, :sha256)",
            file,
        )
        if cursor.rowcount == 1:
            self._db.executemany(
                "insert into transfer_line values (:reference, :line_no, :number, :bank, :branch,"
                " :account, :holder, :amount, :outcome)",
                lines,
            )
        self._db.execute("commit")
        return cursor.rowcount == 1

    def file(self, reference: str) -> Row | None:
        """A file, or None."""
        found = self._db.execute(
            "select * from transfer_file where reference = ?", (reference,)
        ).fetchone()
        return None if found is None else dict(found)

    def files(self) -> list[Row]:
        """Every file with its lines, the oldest first."""
        rows = self._db.execute("select * from transfer_file order by seq").fetchall()
        return [{**dict(row), "lines": self._lines(row["reference"])} for row in rows]

    def lines(self) -> list[Row]:
        """Every line of every file, in order, with its company's code."""
        return [
            {**line, "company": file["company"]} for file in self.files() for line in file["lines"]
        ]

    def _lines(self, reference: str) -> list[Row]:
        rows = self._db.execute(
            "select * from transfer_line where reference = ? order by line_no", (reference,)
        )
        return [dict(row) for row in rows]


def told(line: Row) -> Row:
    """A line in the journal's words: our number is its reference."""
    return {
        "provider": "bank_transfer",
        "reference": line["number"],
        "payment": line["company"],
        "state": "succeeded" if line["outcome"] == "transferred" else "returned",
        "amount": line["amount"],
    }
