"""The double-entry ledger as pure values: accounts, entries, and the transactions we know.

Debits are positive, credits negative; a transaction that doesn't sum to 0 can't be built. Each
names its cause (kind and id), and a cause is booked at most once per merchant: whatever is
delivered twice is booked once. Nothing is ever changed; corrections are new transactions. Storing
them is portal.vault.ledger's work.
"""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from portal.domain.errors import InvariantBroken

Account = Literal["receivable", "billed", "in_transit", "overpayment"]

ACCOUNTS: Final[dict[Account, str]] = {
    "receivable": "what payers owe for issued bills (debit)",
    "billed": "what the merchant has billed and not yet been paid out (credit)",
    "in_transit": "what a provider has taken from payers and owes (debit)",
    "overpayment": "what is owed back to payers: paid twice, paid after cancel (credit)",
}
"""Account → what its balance means and on which side it normally stands."""

CauseKind = Literal["bill_issued", "bill_canceled", "attempt_succeeded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: ``amount_minor`` is positive for a debit, negative for a credit, never 0."""

    account: Account
    amount_minor: int
    bill_id: UUID
    attempt_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Entries that belong together, at least two, summing to 0.

    Raises: InvariantBroken ``ledger_unbalanced`` when they don't.
    """

    cause: CauseKind
    cause_id: UUID
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        """Refuse what no book may hold."""
        amounts = [entry.amount_minor for entry in self.entries]
        if len(amounts) < 2 or sum(amounts) or not all(amounts):  # noqa: PLR2004  two sides make an entry double
            raise InvariantBroken("ledger_unbalanced", context=f"{self.cause} {self.cause_id}")

    @property
    def debit_minor(self) -> int:
        """Sum of the debits: the size of the transaction."""
        return sum(entry.amount_minor for entry in self.entries if entry.amount_minor > 0)


def bill_issued(bill_id: UUID, amount_minor: int) -> Transaction:
    """A bill became due: the payer owes it."""
    return Transaction(
        cause="bill_issued",
        cause_id=bill_id,
        entries=(
            Entry(account="receivable", amount_minor=amount_minor, bill_id=bill_id),
            Entry(account="billed", amount_minor=-amount_minor, bill_id=bill_id),
        ),
    )


def bill_canceled(bill_id: UUID, owed_minor: int) -> Transaction:
    """The merchant forgives what is still owed; takes ``bill_issued`` back by that much."""
    return Transaction(
        cause="bill_canceled",
        cause_id=bill_id,
        entries=(
            Entry(account="billed", amount_minor=owed_minor, bill_id=bill_id),
            Entry(account="receivable", amount_minor=-owed_minor, bill_id=bill_id),
        ),
    )


def attempt_succeeded(
    bill_id: UUID, attempt_id: UUID, amount_minor: int, owed_minor: int
) -> Transaction:
    """Money came by an attempt: it pays what is owed, and what exceeds that is owed back.

    ``owed_minor`` is what the bill can still take (portal.domain.bill.owed_minor), 0 for a bill
    that can take none: one attempt's money is booked once, under one cause, whichever way.
    """
    pays = min(amount_minor, owed_minor)
    entries = [Entry(
        account="in_transit", amount_minor=amount_minor, bill_id=bill_id, attempt_id=attempt_id
    )]  # fmt: skip
    sides: tuple[tuple[Account, int], ...] = (
        ("receivable", pays),
        ("overpayment", amount_minor - pays),
    )
    entries += [
        Entry(account=account, amount_minor=-credit, bill_id=bill_id, attempt_id=attempt_id)
        for account, credit in sides
        if credit
    ]
    return Transaction(cause="attempt_succeeded", cause_id=attempt_id, entries=tuple(entries))
