"""The card company's memory of cards that payers let it keep: part of the sandbox's journal.

No number is kept: of a card its brand, its last digits, and how its charges will end.
"""

import secrets
import sqlite3
from typing import Any, Final

_SCHEMA: Final = """
create table if not exists keep (payment text primary key, customer text not null);
create table if not exists kept_card (
    seq integer primary key autoincrement,
    id text unique not null, customer text not null, payment text unique not null,
    brand text not null, hint text not null, charged text not null
);
create table if not exists asking_card (id text primary key);
create table if not exists paying_card (payment text primary key, card text not null);
"""


class CardJournal:
    """Shares the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Make the tables if they are missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def ask_to_keep(self, payment_id: str, customer: str) -> None:
        """Note that a payment, once it has succeeded, leaves its card here."""
        self._db.execute("insert or ignore into keep values (?, ?)", (payment_id, customer))

    def keep(
        self, payment_id: str, brand: str, hint: str, charged: str, *, is_asked: bool = False
    ) -> None:
        """Keep the card of a payment that has succeeded, if that was asked for.

        ``is_asked``: its bank asks a payer who is there for a password.
        """
        card_id = f"card_{secrets.token_hex(12)}"
        self._db.execute(
            "insert or ignore into kept_card (id, customer, payment, brand, hint, charged)"
            " select ?, customer, payment, ?, ?, ? from keep where payment = ?",
            (card_id, brand, hint, charged, payment_id),
        )
        if is_asked:
            self._db.execute("insert into asking_card values (?)", (card_id,))

    def pay_by(self, payment_id: str, card_id: str) -> None:
        """Note which card pays while its payer is there."""
        self._db.execute("insert or ignore into paying_card values (?, ?)", (payment_id, card_id))

    def paying(self, payment_id: str) -> dict[str, Any] | None:
        """The kept card that pays, with its payer there."""
        statement = (
            "select * from kept_card where id = (select card from paying_card where payment = ?)"
        )
        return self._one(statement, payment_id)

    def is_asked(self, card_id: str) -> bool:
        """Whether the card's bank asks a payer who is there."""
        return self._one("select id from asking_card where id = ?", card_id) is not None

    def of_payment(self, payment_id: str) -> dict[str, Any] | None:
        """The card that a payment left here."""
        return self._one("select * from kept_card where payment = ?", payment_id)

    def card(self, card_id: str, customer: str) -> dict[str, Any] | None:
        """A card by the company's own name for it, of the customer who left it."""
        return self._one("select * from kept_card where id = ? and customer = ?", card_id, customer)

    def _one(self, statement: str, *values: str) -> dict[str, Any] | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else dict(row)
