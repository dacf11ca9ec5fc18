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

    def keep(self, payment_id: str, brand: str, hint: str, charged: str) -> None:
        """Keep the card of a payment that has succeeded, if that was asked for."""
        self._db.execute(
            "insert or ignore into kept_card (id, customer, payment, brand, hint, charged)"
            " select ?, customer, payment, ?, ?, ? from keep where payment = ?",
            (f"card_{secrets.token_hex(12)}", brand, hint, charged, payment_id),
        )

    def of_payment(self, payment_id: str) -> dict[str, Any] | None:
        """The card that a payment left here."""
        return self._one("select * from kept_card where payment = ?", payment_id)

    def card(self, card_id: str, customer: str) -> dict[str, Any] | None:
        """A card by the company's own name for it, of the customer who left it."""
        return self._one("select * from kept_card where id = ? and customer = ?", card_id, customer)

    def _one(self, statement: str, *values: str) -> dict[str, Any] | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else dict(row)
