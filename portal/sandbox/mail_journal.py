"""The mail company's books, in the sandbox's file: every mail that it took, and how it ended."""

import sqlite3
import time
from collections.abc import Iterable
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists mail (
    seq integer primary key autoincrement,
    id text unique not null, account text not null, reference text not null,
    recipient text not null, sender text not null, subject text not null,
    body text not null, html text not null, status text not null, at real not null,
    unique (account, reference)
);
create index if not exists mail_recipient on mail (recipient, seq);
"""

Row = dict[str, Any]


class MailJournal:
    """The table of the mail company on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def add(self, mail: Row) -> tuple[Row, bool]:
        """Take a mail once per (account, reference); False when it was there already."""
        fresh = self._db.execute(
            "insert or ignore into mail (id, account, reference, recipient, sender, subject, body,"
            " html, status, at) values (:id, :account, :reference, :recipient, :sender, :subject,"
            " :body, :html, 'queued', :at)",
            {**mail, "at": time.time()},
        ).rowcount
        found = self._db.execute(
            "select * from mail where account = ? and reference = ?",
            (mail["account"], mail["reference"]),
        ).fetchone()
        return dict(found), fresh == 1

    def end(self, ids: Iterable[str], status: str) -> None:
        """Note how mails ended."""
        self._db.executemany(
            "update mail set status = ? where id = ?", [(status, one) for one in ids]
        )

    def mails(self, *, after: int, recipient: str | None, limit: int) -> list[Row]:
        """The newest mails past a sequence number, oldest of them first."""
        rows = self._db.execute(
            "select * from mail where seq > :after and (:to is null or recipient = :to)"
            " order by seq desc limit :limit",
            {"after": after, "to": recipient, "limit": limit},
        ).fetchall()
        return [dict(row) for row in reversed(rows)]

    def mail(self, seq: int) -> Row | None:
        """One mail by its number."""
        found = self._db.execute("select * from mail where seq = ?", (seq,)).fetchone()
        return None if found is None else dict(found)

    def counts(self) -> Row:
        """How many mails were taken, by status."""
        rows = self._db.execute("select status, count(*) n from mail group by status").fetchall()
        by_status = {row["status"]: row["n"] for row in rows}
        return {"taken": sum(by_status.values()), "by_status": by_status}
