"""The shops' books, in the sandbox's file: every slip that a till took, and what came of it.

A row ends once: given back, or confirmed by the agency.
"""

import sqlite3
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists till (
    seq integer primary key autoincrement,
    account text not null, digits text not null, company text not null, store text not null,
    taken_on text not null, taken_at text not null, amount integer not null,
    status text not null
);
"""

Row = dict[str, Any]


def told(row: Row) -> Row:
    """A taking in the journal's words: the agency's reference is number and till together."""
    place = f"{row['taken_on']}-{row['taken_at']}-{row['company']}-{row['store']}"
    return {**row, "reference": f"{row['digits'][2:30]}.{place}"}


class TillJournal:
    """The table of the shops on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def take(self, taking: Row) -> Row:
        """A till took the money; each till of ours has a number of its own."""
        cursor = self._db.execute(
            "insert into till (account, digits, company, store, taken_on, taken_at, amount, status)"
            " select :account, :digits, :company, printf('%06d', 400000 + coalesce(max(seq), 0)),"
            " :taken_on, :taken_at, :amount, 'taken' from till",
            taking,
        )
        found = self._db.execute("select * from till where seq = ?", (cursor.lastrowid,)).fetchone()
        return dict(found)

    def end(self, seq: int, status: str) -> Row | None:
        """Give a taking its end; None when it has one already, or there is none."""
        cursor = self._db.execute(
            "update till set status = ? where seq = ? and status = 'taken'", (status, seq)
        )
        found = self._db.execute("select * from till where seq = ?", (seq,)).fetchone()
        return dict(found) if cursor.rowcount == 1 else None

    def all(self) -> list[Row]:
        """Every taking, oldest first."""
        return [dict(row) for row in self._db.execute("select * from till order by seq")]
