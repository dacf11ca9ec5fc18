"""The sandbox's own books, in SQLite: every message taken and every payment, with its end.

The witness of the drills: nothing in it comes from the portal's database, and a row of
``effect`` is written once for each thing that really happened outside.
"""

import sqlite3
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from portal.sandbox.bank_journal import BankJournal
from portal.sandbox.bank_mandates import MandateJournal
from portal.sandbox.call_journal import CallJournal
from portal.sandbox.card_journal import CardJournal
from portal.sandbox.counter_journal import CounterJournal
from portal.sandbox.dispute_journal import DisputeJournal
from portal.sandbox.mail_journal import MailJournal
from portal.sandbox.push_journal import PushJournal
from portal.sandbox.till_journal import TillJournal
from portal.sandbox.transfer_journal import TransferJournal
from portal.sandbox.wallet_journal import WalletJournal

_SCHEMA: Final = """
create table if not exists message (
    seq integer primary key autoincrement,
    id text unique not null, account text not null, reference text not null,
    recipient text not null, sender text not null, body text not null,
    status text not null, at real not null,
    unique (account, reference)
);
create index if not exists message_recipient on message (recipient, seq);
create table if not exists payment (
    seq integer primary key autoincrement,
    id text unique not null, reference text unique not null, account text not null,
    amount integer not null, currency text not null, description text not null,
    return_url text not null, status text not null, decline_code text, approval_no text,
    card_hint text, authentication text not null default '', at real not null,
    hidden_until real not null default 0
);
create table if not exists refund (
    seq integer primary key autoincrement,
    id text unique not null, reference text unique not null, payment text not null,
    amount integer not null, currency text not null, status text not null, at real not null
);
create index if not exists refund_payment on refund (payment);
create table if not exists effect (
    seq integer primary key autoincrement,
    kind text not null, reference text not null, at real not null
);
create table if not exists once (key text primary key);
"""

Row = dict[str, Any]


class Journal:
    """One file, one writer (the sandbox is a single process).

    Commits survive a killed process; after a power cut the last second may be missing, which no
    drill here can cause.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file."""
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)
        self.disputes = DisputeJournal(self._db)
        """What payers contest at the card company."""
        self.mails = MailJournal(self._db)
        """The mail company's part."""
        self.calls = CallJournal(self._db)
        """The telephone company's part."""
        self.pushes = PushJournal(self._db)
        """The push services' part."""
        self.tills = TillJournal(self._db)
        """The shops' part."""
        self.bank = BankJournal(self._db)
        """The bank's part."""
        self.transfers = TransferJournal(self._db)
        """Its transfers."""
        self.mandates = MandateJournal(self._db)
        """What payers signed at its page."""
        self.wallet = WalletJournal(self._db)
        """The wallet company's part."""
        self.cards = CardJournal(self._db)
        """Cards that the card company keeps."""
        self.counters = CounterJournal(self._db)
        """The part of the company of store numbers."""

    def close(self) -> None:
        """Flush and close the file."""
        self._db.close()

    def first_time(self, key: str) -> bool:
        """True once for each key, for faults that happen only the first time."""
        return self._db.execute("insert or ignore into once values (?)", (key,)).rowcount == 1

    def add_message(self, message: Row) -> tuple[Row, bool]:
        """Take a message once per (account, reference); False when it was there already."""
        with self._at_once():
            cursor = self._db.execute(
                "insert or ignore into message"
                " (id, account, reference, recipient, sender, body, status, at) values"
                " (:id, :account, :reference, :recipient, :sender, :body, 'queued', :at)",
                {**message, "at": time.time()},
            )
            fresh = cursor.rowcount == 1
            if fresh:
                self._effect("message", message["reference"])
        found = self._one(
            "select * from message where account = ? and reference = ?",
            message["account"],
            message["reference"],
        )
        if found is None:
            msg = "a message just written can't be read back"
            raise RuntimeError(msg)
        return found, fresh

    def add_message_again(self, message: Row) -> Row:
        """Take a message whatever was taken before: a repeat is one message more, on its own line.

        The line's reference carries the message's id then, as lines are told apart by it.
        """
        line = {**message, "at": time.time()}
        with self._at_once():
            is_known = self._db.execute(
                "select 1 from message where account = :account and reference = :reference", line
            ).fetchone()
            if is_known:
                line["reference"] = f"{message['reference']}#{message['id']}"
            self._db.execute(
                "insert into message"
                " (id, account, reference, recipient, sender, body, status, at) values"
                " (:id, :account, :reference, :recipient, :sender, :body, 'queued', :at)",
                line,
            )
            self._effect("message", message["reference"])
        return {**message, "status": "queued"}

    def set_message_status(self, ids: Iterable[str], status: str) -> None:
        """Note how messages ended."""
        with self._at_once():
            self._db.executemany(
                "update message set status = ? where id = ?", [(status, one) for one in ids]
            )

    def messages(self, *, after: int, recipient: str | None, limit: int) -> list[Row]:
        """The newest messages past a sequence number, oldest of them first."""
        where = "seq > ?" if recipient is None else "seq > ? and recipient = ?"
        values: list[str | int] = [after] if recipient is None else [after, recipient]
        rows = self._db.execute(
            f"select * from message where {where} order by seq desc limit ?",  # noqa: S608 - fixed texts
            (*values, limit),
        ).fetchall()
        return [dict(row) for row in reversed(rows)]

    def messages_by_recipient(self) -> dict[str, int]:
        """How many messages were taken for each telephone."""
        rows = self._db.execute("select recipient, count(*) n from message group by recipient")
        return {row["recipient"]: row["n"] for row in rows}

    def messages_taken(self) -> int:
        """How many messages were taken in all, at the same cost however many there are."""
        found = self._db.execute("select max(seq) newest from message").fetchone()
        return found["newest"] or 0

    def message_counts(self) -> Row:
        """How many messages were taken, to how many references, by status."""
        by_status = {
            row["status"]: row["n"]
            for row in self._db.execute("select status, count(*) n from message group by status")
        }
        effects = self._db.execute("select count(*) from effect where kind = 'message'").fetchone()
        return {"taken": sum(by_status.values()), "effects": effects[0], "by_status": by_status}

    def open_payment(self, payment: Row) -> bool:
        """Store a new payment; False when the reference exists."""
        cursor = self._db.execute(
            "insert or ignore into payment (id, reference, account, amount, currency, description,"
            " return_url, status, at) values (:id, :reference, :account, :amount, :currency,"
            " :description, :return_url, 'open', :at)",
            {**payment, "at": time.time()},
        )
        return cursor.rowcount == 1

    def payment(self, *, reference: str | None = None, payment_id: str | None = None) -> Row | None:
        """One payment by the merchant's reference or by our id."""
        if reference is not None:
            return self._one("select * from payment where reference = ?", reference)
        return self._one("select * from payment where id = ?", payment_id or "")

    def end_payment(self, payment_id: str, end: Row) -> bool:
        """Give an open payment its end; False when it already has one. Money moves here, once."""
        with self._at_once():
            cursor = self._db.execute(
                "update payment set status = :status, decline_code = :decline_code,"
                " approval_no = :approval_no, card_hint = :card_hint,"
                " authentication = :authentication, hidden_until = :hidden_until"
                " where id = :id and status in ('open', 'processing')",
                {**end, "id": payment_id},
            )
            if cursor.rowcount == 1 and end["status"] == "succeeded":
                self._effect("payment", payment_id)
            return cursor.rowcount == 1

    def payments(self) -> list[Row]:
        """Every payment by card, oldest first."""
        return [dict(row) for row in self._db.execute("select * from payment order by seq")]

    def take_refund(self, refund: Row) -> str:
        """Store a refund that its payment still has room for; money moves back here, once.

        A payment that is contested, or was and is lost, has none.

        Says what became of it: ``taken``, ``exists`` (the reference), or ``exceeds``.
        """
        with self._at_once():
            cursor = self._db.execute(
                "insert into refund"
                " (id, reference, payment, amount, currency, status, at)"
                " select :id, :reference, :payment, :amount, :currency, :status, :at"
                " where not exists (select 1 from refund where reference = :reference)"
                " and (select amount from payment"
                " where reference = :payment and status = 'succeeded')"
                " >= :amount + (select coalesce(sum(amount), 0) from refund"
                " where payment = :payment and status <> 'failed')"
                " and not exists (select 1 from dispute"
                " where payment = :payment and status <> 'won')",
                {**refund, "at": time.time()},
            )
            if cursor.rowcount == 1:
                if refund["status"] == "succeeded":
                    self._effect("refund", refund["reference"])
                return "taken"
            return "exceeds" if self.refund(refund["reference"]) is None else "exists"

    def end_refund(self, reference: str, status: str) -> bool:
        """Give a pending refund its end; False when it already has one."""
        with self._at_once():
            cursor = self._db.execute(
                "update refund set status = ? where reference = ? and status = 'pending'",
                (status, reference),
            )
            if cursor.rowcount == 1 and status == "succeeded":
                self._effect("refund", reference)
            return cursor.rowcount == 1

    def refund(self, reference: str) -> Row | None:
        """One refund by the merchant's reference."""
        return self._one("select * from refund where reference = ?", reference)

    def refunds(self) -> list[Row]:
        """Every refund, oldest first."""
        return [dict(row) for row in self._db.execute("select * from refund order by seq")]

    @contextmanager
    def _at_once(self) -> Generator[None]:
        """All of it or nothing, also when this process is killed half-way, and one commit."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def _effect(self, kind: str, reference: str) -> None:
        self._db.execute(
            "insert into effect (kind, reference, at) values (?, ?, ?)",
            (kind, reference, time.time()),
        )

    def _one(self, statement: str, *values: str) -> Row | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else dict(row)
