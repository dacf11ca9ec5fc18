"""The telephone company's books, in the sandbox's file: every call, what was said and pressed."""

import json
import sqlite3
import time
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists call (
    seq integer primary key autoincrement,
    id text unique not null, account text not null,
    recipient text not null, sender text not null, url text not null, status_url text not null,
    status text not null, picked_up_by text not null default '',
    action text not null default '', digits integer not null default 0,
    log text not null default '[]', at real not null
);
create index if not exists call_recipient on call (recipient, seq);
"""
ENDS: Final = ("completed", "busy", "no-answer", "failed", "canceled")

Row = dict[str, Any]


class CallJournal:
    """The table of the telephone company on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def add(self, call: Row) -> Row:
        """Take a call: there is no key under which a second one would be the first."""
        self._db.execute(
            "insert into call (id, account, recipient, sender, url, status_url, status, at) values"
            " (:id, :account, :recipient, :sender, :url, :status_url, 'ringing', :at)",
            {**call, "at": time.time()},
        )
        return self._one("select * from call where id = ?", call["id"]) or {}

    def pick_up(self, seq: int, by: str) -> bool:
        """Somebody or a machine answers; False when it does not ring any more."""
        return self._changed(
            "update call set status = 'in-progress', picked_up_by = ?"
            " where seq = ? and status = 'ringing'",
            (by, seq),
        )

    def end(self, seq: int, status: str) -> bool:
        """Give a call its end; False when it has one."""
        return self._changed(
            "update call set status = ?, action = '', digits = 0"
            " where seq = ? and status in ('ringing', 'in-progress')",
            (status, seq),
        )

    def say(self, seq: int, lines: list[str], action: str, digits: int) -> None:
        """Note what is said now, and where which keys go."""
        self._db.execute(
            "update call set action = ?, digits = ?, log = json_insert(log, '$[#]', json(?))"
            " where seq = ?",
            (action, digits, json.dumps({"who": "machine", "text": " ".join(lines)}), seq),
        )

    def press(self, seq: int, keys: str) -> None:
        """Note what was pressed; empty for nothing."""
        self._db.execute(
            "update call set log = json_insert(log, '$[#]', json(?)) where seq = ?",
            (json.dumps({"who": "keys", "text": keys}), seq),
        )

    def call(self, seq: int) -> Row | None:
        """One call by its number."""
        return self._one("select * from call where seq = ?", seq)

    def calls(self, *, after: int, recipient: str | None, limit: int) -> list[Row]:
        """The newest calls past a sequence number, oldest of them first."""
        rows = self._db.execute(
            "select * from call where seq > :after and (:to is null or recipient = :to)"
            " order by seq desc limit :limit",
            {"after": after, "to": recipient, "limit": limit},
        ).fetchall()
        return [_read(row) for row in reversed(rows)]

    def counts(self) -> Row:
        """How many calls were taken, by status."""
        rows = self._db.execute("select status, count(*) n from call group by status").fetchall()
        by_status = {row["status"]: row["n"] for row in rows}
        return {"taken": sum(by_status.values()), "by_status": by_status}

    def _changed(self, statement: str, values: tuple[object, ...]) -> bool:
        return self._db.execute(statement, values).rowcount == 1

    def _one(self, statement: str, value: object) -> Row | None:
        row = self._db.execute(statement, (value,)).fetchone()
        return None if row is None else _read(row)


def _read(row: sqlite3.Row) -> Row:
    return {**dict(row), "log": json.loads(row["log"])}
