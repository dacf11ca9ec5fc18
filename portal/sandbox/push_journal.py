"""The push services' books: who subscribed, and every notification with how it ended."""

import sqlite3
import time
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists push_browser (
    token text primary key, private text not null, secret text not null, fault text not null,
    label text not null, at real not null
);
create table if not exists push (
    seq integer primary key autoincrement,
    service text not null, token text not null, topic text not null, title text not null,
    body text not null, link text not null, at real not null
);
create index if not exists push_token on push (token, seq);
create table if not exists push_taken (
    seq integer primary key autoincrement,
    service text not null, token text not null, topic text not null, at real not null
);
"""

Row = dict[str, Any]


class PushJournal:
    """The tables of the push services on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def subscribe(self, browser: Row) -> None:
        """Note a browser: its token, private number and secret in hexadecimal letters, fault."""
        self._db.execute(
            "insert into push_browser values (:token, :private, :secret, :fault, :label, :at)",
            {**browser, "at": time.time()},
        )

    def browser(self, token: str) -> Row | None:
        """A browser by its token."""
        found = self._db.execute("select * from push_browser where token = ?", (token,)).fetchone()
        return None if found is None else dict(found)

    def show(self, push: Row) -> None:
        """Show a notification; one of the same topic on the same screen goes."""
        now = time.time()
        self._db.execute(
            "insert into push_taken (service, token, topic, at)"
            " values (:service, :token, :topic, :at)",
            {**push, "at": now},
        )
        if push["topic"]:
            self._db.execute("delete from push where token = :token and topic = :topic", push)
        self._db.execute(
            "insert into push (service, token, topic, title, body, link, at)"
            " values (:service, :token, :topic, :title, :body, :link, :at)",
            {**push, "at": now},
        )

    def shown(self, *, after: int, token: str | None, limit: int) -> list[Row]:
        """What stands on locked screens past a number, oldest first."""
        rows = self._db.execute(
            "select p.*, b.label from push p left join push_browser b on b.token = p.token"
            " where p.seq > :after and (:token is null or p.token = :token)"
            " order by p.seq desc limit :limit",
            {"after": after, "token": token, "limit": limit},
        ).fetchall()
        return [dict(row) for row in reversed(rows)]

    def taken(self) -> list[Row]:
        """Every notification that was taken, those that were replaced since included."""
        return [dict(row) for row in self._db.execute("select * from push_taken order by seq")]
