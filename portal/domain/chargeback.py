"""What the ledger is told of money that a company takes back from a payment. Pure.

It stands in ``disputed`` until it is decided whose it is. While the company's word moves it the
cause is the dispute; a decision about what was lost is a cause of its own, because one loss may
take several: a part of it was owed back anyway, the rest is asked for once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.domain.ledger import Account, CauseKind, Entry, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one bill loses of a payment that a company takes back. Units: minor units.

    ``cause_id``: what books it: the dispute while the company's word does, else what decided about
    the loss. ``paid_by``: the payment that paid the bill what is asked for again, where that is not
    the lost one, whose own money stood beyond the bill.
    """

    cause_id: UUID
    bill_id: UUID
    attempt_id: UUID
    amount_minor: int
    paid_by: UUID | None = None


def _book(cause: CauseKind, debit: Account, credit: Account, parts: Sequence[Taken]) -> Transaction:
    """What one cause does to all bills of a payment: one transaction, as the cause is one."""
    entries: list[Entry] = []
    for taken in parts:
        lines: tuple[tuple[Account, int, UUID], ...] = (
            (debit, taken.amount_minor, taken.paid_by or taken.attempt_id),
            (credit, -taken.amount_minor, taken.attempt_id),
        )
        entries += [
            Entry(account=account, amount_minor=amount, bill_id=taken.bill_id, attempt_id=attempt)
            for account, amount, attempt in lines
        ]
    return Transaction(cause=cause, cause_id=parts[0].cause_id, entries=tuple(entries))


def chargeback_taken(*parts: Taken) -> Transaction:
    """The company took the money back: it owes us that much less, and somebody has to decide."""
    return _book("chargeback_taken", "disputed", "chargeback", parts)


def chargeback_returned(*parts: Taken) -> Transaction:
    """The dispute was won: the company owes us the money again."""
    return _book("chargeback_returned", "chargeback", "disputed", parts)


def chargeback_returns_over(*parts: Taken) -> Transaction:
    """What was lost is owed back to the payer anyway: it has gone back by this way."""
    return _book("chargeback_returns_over", "overpayment", "disputed", parts)


def chargeback_owed_again(*parts: Taken) -> Transaction:
    """What was lost is asked for once more: the payer owes it again."""
    return _book("chargeback_owed_again", "receivable", "disputed", parts)


def chargeback_borne(*parts: Taken) -> Transaction:
    """What was lost beyond all that pays the bill: nobody is asked for it, the merchant bears it.

    It had been transferred back as an excess, and the company took it once more.
    """
    return _book("chargeback_borne", "billed", "disputed", parts)
