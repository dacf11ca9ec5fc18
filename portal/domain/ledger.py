"""The double-entry ledger as pure values: accounts, entries, and the transactions we know.

Debits are positive, credits negative; a transaction that doesn't sum to 0 can't be built. Each
names its cause (kind and id), and a cause is booked at most once per merchant: whatever is
delivered twice is booked once. Nothing is ever changed; corrections are new transactions. Storing
them is portal.vault.ledger's work.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Final, Literal
from uuid import UUID

from portal.domain.bill import BillSums
from portal.domain.errors import InvariantBroken

Account = Literal[
    "receivable", "billed", "in_transit", "overpayment", "refund_clearing", "goodwill_clearing",
    "advanced", "announced", "unconfirmed", "disputed", "chargeback",
]  # fmt: skip

ACCOUNTS: Final[dict[Account, str]] = {
    "receivable": "what payers owe for issued bills (debit)",
    "billed": "what the merchant has billed and not yet been paid out (credit)",
    "in_transit": "what a provider has taken from payers and owes (debit)",
    "overpayment": "what is owed back to payers: paid twice, paid after cancel (credit)",
    "refund_clearing": "what is on its way back to payers of what was owed to them (credit)",
    "goodwill_clearing": "what is on its way back to payers of what was rightly paid (credit)",
    "advanced": "what the merchant has transferred back itself and is owed for it (credit)",
    "announced": "what tills say they took and no agency has confirmed: no money yet (debit)",
    "unconfirmed": "the other side of what is announced (credit)",
    "disputed": "what companies took back and nobody has decided about (debit)",
    "chargeback": "what companies took back of what stands in in_transit (credit)",
}
"""Account → what its balance means and on which side it normally stands."""

CauseKind = Literal[
    "bill_issued", "bill_canceled", "attempt_succeeded", "refund_reserved", "refund_released",
    "refund_succeeded", "refund_transferred", "refund_succeeded_late", "slip_announced",
    "slip_announcement_ended", "chargeback_taken", "chargeback_returned", "chargeback_returns_over",
    "chargeback_owed_again", "chargeback_borne", "part_owed_back", "refund_returned",
]  # fmt: skip


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPaid:
    """What one payment paid of a bill that is canceled. Units: minor units.

    ``given_minor`` of it went back as goodwill, ``leaving_minor`` more is on its way.
    """

    attempt_id: UUID
    paid_minor: int
    given_minor: int = 0
    leaving_minor: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether more goes back than it pays: its company took some, which is asked for again."""
        return self.given_minor + self.leaving_minor > self.paid_minor


def part_owed_back(bill_id: UUID, parts: Iterable[PartPaid]) -> Transaction:
    """A bill that was paid in part is asked for no more: what was paid of it is owed back.

    It pays the bill no longer, so :func:`bill_canceled` forgives all of it beside this. What was
    given back is not owed once more; goodwill on its way is on its way as something owed, so that
    it is owed again should it not arrive. Of what is used up nothing is owed.
    """
    entries: list[Entry] = []
    for part in parts:
        gone = min(part.given_minor + part.leaving_minor, part.paid_minor)
        leaving = 0 if part.is_used_up else part.leaving_minor
        lines: tuple[tuple[Account, int], ...] = (
            ("receivable", part.paid_minor), ("overpayment", gone - part.paid_minor),
            ("billed", -gone),
            ("goodwill_clearing", leaving), ("refund_clearing", -leaving),
        )  # fmt: skip
        entries += [
            Entry(account=account, amount_minor=amount, bill_id=bill_id, attempt_id=part.attempt_id)
            for account, amount in lines
            if amount
        ]
    return Transaction(cause="part_owed_back", cause_id=bill_id, entries=tuple(entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What one bill gets of a payment. Units: minor units.

    ``owed_minor`` is what the bill can still take (portal.domain.bill.owed_minor), 0 for a bill
    that can take none; the rest of ``amount_minor`` is owed back.
    """

    bill_id: UUID
    amount_minor: int
    owed_minor: int

    @property
    def over_minor(self) -> int:
        """What of it is owed back."""
        return self.amount_minor - min(self.amount_minor, self.owed_minor)


def attempt_succeeded(
    bill_id: UUID, attempt_id: UUID, amount_minor: int, owed_minor: int
) -> Transaction:
    """Money came by an attempt for one bill; see :func:`attempt_paid`."""
    paid = Paid(bill_id=bill_id, amount_minor=amount_minor, owed_minor=owed_minor)
    return attempt_paid(attempt_id, [paid])


def attempt_paid(attempt_id: UUID, shares: Iterable[Paid]) -> Transaction:
    """Money came by an attempt: each share pays what its bill owes, what exceeds it is owed back.

    One attempt's money is booked once, under one cause, whichever way and for however many bills.
    """
    entries: list[Entry] = []
    for paid in shares:
        lines: tuple[tuple[Account, int], ...] = (
            ("in_transit", paid.amount_minor),
            ("receivable", paid.over_minor - paid.amount_minor),
            ("overpayment", -paid.over_minor),
        )
        entries += [
            Entry(account=account, amount_minor=amount, bill_id=paid.bill_id, attempt_id=attempt_id)
            for account, amount in lines
            if amount
        ]
    return Transaction(cause="attempt_succeeded", cause_id=attempt_id, entries=tuple(entries))


def slip_announced(bill_id: UUID, taking_id: UUID, amount_minor: int) -> Transaction:
    """A till took the money, its agency has not confirmed it: noted apart from all real money.

    What is owed stays owed, so nothing has to be undone but these two lines when the till gives
    the money back.
    """
    return Transaction(
        cause="slip_announced",
        cause_id=taking_id,
        entries=(
            Entry(account="announced", amount_minor=amount_minor, bill_id=bill_id),
            Entry(account="unconfirmed", amount_minor=-amount_minor, bill_id=bill_id),
        ),
    )


def slip_announcement_ended(bill_id: UUID, taking_id: UUID, amount_minor: int) -> Transaction:
    """What was announced is confirmed or taken back: one cause for both, so it ends once.

    Confirmed money is booked beside it by ``attempt_succeeded``.
    """
    return Transaction(
        cause="slip_announcement_ended",
        cause_id=taking_id,
        entries=(
            Entry(account="unconfirmed", amount_minor=amount_minor, bill_id=bill_id),
            Entry(account="announced", amount_minor=-amount_minor, bill_id=bill_id),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money that goes back to a payer, as the books see it.

    ``owed_minor`` of ``amount_minor`` is owed back (it stands in ``overpayment``); the rest the
    merchant gives back of what it had billed. ``transfer_id``: a refund that is transferred anew
    each time the bank sends it back is several causes, by what each transfer is called; None for
    one that is a cause by itself. Units: minor units.
    """

    refund_id: UUID
    bill_id: UUID
    attempt_id: UUID
    amount_minor: int
    owed_minor: int
    transfer_id: UUID | None = None

    def book(self, cause: CauseKind, *lines: tuple[Account, int]) -> Transaction:
        """A transaction caused by this refund, of those lines that are not empty."""
        entries = tuple(
            Entry(
                account=account,
                amount_minor=amount,
                bill_id=self.bill_id,
                attempt_id=self.attempt_id,
            )
            for account, amount in lines
            if amount
        )
        is_transfer = cause in {"refund_transferred", "refund_returned"}
        cause_id = (self.transfer_id if is_transfer else None) or self.refund_id
        return Transaction(cause=cause, cause_id=cause_id, entries=entries)

    @property
    def given_minor(self) -> int:
        """What the merchant gives up of its own claim."""
        return self.amount_minor - self.owed_minor


def refund_reserved(back: Return) -> Transaction:
    """Money is set aside before it leaves: first what is owed back, the rest of ``billed``.

    ``billed`` is the contra account for a bill that was paid rightly and is given back all the
    same (goodwill, a wrong bill): the merchant's claim goes down by what it gives away, and
    nothing becomes receivable again, because the payer owes nothing.
    """
    return back.book(
        "refund_reserved",
        ("overpayment", back.owed_minor),
        ("refund_clearing", -back.owed_minor),
        ("billed", back.given_minor),
        ("goodwill_clearing", -back.given_minor),
    )


def refund_released(back: Return) -> Transaction:
    """The refund failed: what was set aside goes back to where it came from."""
    return back.book(
        "refund_released",
        ("refund_clearing", back.owed_minor),
        ("overpayment", -back.owed_minor),
        ("goodwill_clearing", back.given_minor),
        ("billed", -back.given_minor),
    )


def refund_succeeded(back: Return) -> Transaction:
    """The provider gave the money back, so it owes us that much less."""
    return back.book(
        "refund_succeeded",
        ("refund_clearing", back.owed_minor),
        ("goodwill_clearing", back.given_minor),
        ("in_transit", -back.amount_minor),
    )


def refund_transferred(back: Return) -> Transaction:
    """The merchant transferred the money from its own account; the provider still owes all."""
    return back.book(
        "refund_transferred",
        ("refund_clearing", back.owed_minor),
        ("goodwill_clearing", back.given_minor),
        ("advanced", -back.amount_minor),
    )


def refund_returned(back: Return) -> Transaction:
    """The bank sent a transfer back: it is on its way again, for whoever transfers it anew."""
    return back.book(
        "refund_returned",
        ("advanced", back.amount_minor),
        ("refund_clearing", -back.owed_minor),
        ("goodwill_clearing", -back.given_minor),
    )


def refund_succeeded_late(back: Return) -> Transaction:
    """Money left after all, by a refund that had failed and whose reservation was released."""
    return back.book(
        "refund_succeeded_late",
        ("overpayment", back.owed_minor),
        ("billed", back.given_minor),
        ("in_transit", -back.amount_minor),
    )


def with_entries(sums: BillSums, transaction: Transaction, bill_id: UUID | None = None) -> BillSums:
    """What the ledger says about a bill after one more transaction about it.

    ``bill_id``: whose entries count, where the transaction is about several bills.
    """
    balances = asdict(sums)
    for entry in transaction.entries:
        if bill_id not in {None, entry.bill_id}:
            continue
        if entry.account in balances:
            balances[entry.account] += entry.amount_minor
        if entry.account == "receivable" and entry.attempt_id is not None:
            balances["paid"] -= entry.amount_minor
        if entry.account == "in_transit" and entry.amount_minor > 0:
            balances["taken"] += entry.amount_minor
    return BillSums(**balances)


_BOOKINGS: Final[dict[CauseKind, Callable[[Return], Transaction]]] = {
    "refund_reserved": refund_reserved,
    "refund_released": refund_released,
    "refund_succeeded": refund_succeeded,
    "refund_transferred": refund_transferred,
    "refund_succeeded_late": refund_succeeded_late,
    "refund_returned": refund_returned,
}


def booking_of(cause: CauseKind) -> Callable[[Return], Transaction]:
    """How a refund is booked under this cause.

    Raises: InvariantBroken ``ledger_cause`` for a cause that no refund has.
    """
    booking = _BOOKINGS.get(cause)
    if booking is None:
        raise InvariantBroken("ledger_cause", context=cause)
    return booking
