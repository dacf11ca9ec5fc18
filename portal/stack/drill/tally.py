"""What companies and staff wrote down against what the portal shows of each bill. Pure.

Stack only. The witness is the companies' journal; what was asked for stands in the notebook of
those who asked. Nothing here looks into a zone: bills are as the public API shows them, so that
this comparison and the vault's own (``compare_journal``) can't be wrong in the same way.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from portal.stack.payers import Journal, JournalPayment, JournalRefund


class AttemptShown(msgspec.Struct, frozen=True, kw_only=True):
    """One try to pay as the merchant sees it at one bill; ``amount`` is that bill's share of it.

    A payment for several bills stands at each of them; its shares together are the payment.
    Units: yen.
    """

    id: str
    provider: str
    reference: str
    state: str
    amount: int


class RefundShown(msgspec.Struct, frozen=True, kw_only=True):
    """One refund as the merchant sees it; ``note`` is what its asker wrote. Units: yen."""

    attempt: str
    provider: str
    reference: str
    state: str
    amount: int
    way: str
    note: str


class BillShown(msgspec.Struct, frozen=True, kw_only=True):
    """One bill as the merchant sees it. Units: yen."""

    number: str
    amount: int
    settlement: str
    id: str = ""
    attempts: tuple[AttemptShown, ...] = ()
    refunds: tuple[RefundShown, ...] = ()


@dataclass(slots=True)
class Ask:
    """A line of the notebook: one refund asked for, its ``key`` written into the note.

    ``answer``: "taken", the code of the portal's refusal, or "" while nobody answered.
    """

    key: str
    bill: str
    amount: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What those outside know beside journal and notebook.

    ``asked_again``: references of payments that were lost, and whose bills the merchant asks for
    again. ``chargeable``: numbers of the bills whose household left a card; None: nobody looks.
    """

    asked_again: frozenset[str] = frozenset()
    chargeable: frozenset[str] | None = None


@dataclass(slots=True)
class Tally:
    """What the comparison found, each by its reference.

    ``lost``: money that moved and is not in the books, or the other way round. ``doubled``: money
    that moved once more than anybody wanted. ``differences``: everything, in words.
    """

    lost: set[str] = field(default_factory=set[str])
    doubled: Counter[str] = field(default_factory=Counter[str])
    differences: list[str] = field(default_factory=list[str])

    def differ(self, reference: str, what: str, ours: str, theirs: str) -> None:
        """Note a disagreement, worded as the vault's comparison words its own."""
        self.differences.append(f"{reference}: {what} (ours {ours or '-'}, theirs {theirs or '-'})")


_NOTHING: Final = Known()

REFUND_AGREES: Final[dict[str, frozenset[str]]] = {
    "succeeded": frozenset({"succeeded"}),
    "pending": frozenset({"submitting", "pending", "unknown"}),
    "failed": frozenset({"failed"}),
}
"""A company's word for a refund → what the portal may show of it."""

_IN_DOUBT: Final = frozenset({"submitting", "unknown"})
_MONEY_BACK: Final = "refund_"
_LOST_CODES: Final = frozenset({"attempt_missing", "posting_missing", "posting_unfounded"})


def weigh(
    bills: Sequence[BillShown], journal: Journal, notebook: Iterable[Ask], known: Known = _NOTHING
) -> Tally:
    """Hold every line of the journal and of the notebook against the bills, and the other way."""
    tally = Tally()
    _weigh_payments(tally, bills, journal.payments, known)
    _weigh_charges(tally, bills, journal.payments, known)
    _weigh_refunds(tally, bills, journal)
    _weigh_notebook(tally, bills, notebook)
    return tally


def count_in(tally: Tally, reference: str, code: str) -> None:
    """Take a difference that the vault found into the count of what was lost."""
    if code.removeprefix(_MONEY_BACK) in _LOST_CODES | {"missing", "journal_missing"}:
        tally.lost.add(reference)


def _weigh_payments(
    tally: Tally, bills: Sequence[BillShown], payments: Sequence[JournalPayment], known: Known
) -> None:
    moved = Counter(one.reference for one in payments if one.state == "succeeded")
    amounts = {one.reference: one.amount for one in payments}
    shown: dict[str, list[AttemptShown]] = {}
    for attempt in (attempt for bill in bills for attempt in bill.attempts):
        shown.setdefault(attempt.reference, []).append(attempt)
    for reference in moved:
        shares = shown.get(reference, [])
        states = {share.state for share in shares}
        total = sum(share.amount for share in shares)
        if states != {"succeeded"}:
            tally.lost.add(reference)
            said = ", ".join(sorted(states))
            tally.differ(reference, "money came that is not shown", said, "succeeded")
        elif total != amounts[reference]:
            tally.differ(reference, "amount shown differs", str(total), str(amounts[reference]))
    for reference, shares in shown.items():
        if not moved[reference] and any(share.state == "succeeded" for share in shares):
            tally.lost.add(reference)
            tally.differ(reference, "shown as paid, and no money came", "succeeded", "")
    gone = {one.reference for one in payments if one.taken_back}
    for bill in bills:
        _weigh_bill(tally, bill, moved, gone, known)


def _weigh_bill(
    tally: Tally, bill: BillShown, moved: Counter[str], gone: Collection[str], known: Known
) -> None:
    """A bill is paid once at most, and its state is what the companies' money makes of it.

    A company that takes a payment back takes all that it still has of it; what the merchant asks
    for again is owed again.
    """
    times = sum(moved[attempt.reference] for attempt in bill.attempts)
    came = sum(moved[attempt.reference] * attempt.amount for attempt in bill.attempts)
    lost = {
        attempt.reference: attempt.amount - _given_back(bill, attempt)
        for attempt in bill.attempts
        if attempt.reference in gone
    }
    came -= sum(part for reference, part in lost.items() if reference in known.asked_again)
    if came > bill.amount:
        tally.doubled[bill.number] += max(times - 1, 1)
        tally.differ(bill.number, "paid more than once", bill.settlement, str(times))
    due = "unpaid" if came < bill.amount else "settled" if came == bill.amount else "over"
    if any(part > 0 for reference, part in lost.items() if reference not in known.asked_again):
        due = "reversed"
    if bill.settlement != due:
        tally.differ(bill.number, "the bill's state differs", bill.settlement, due)


def _given_back(bill: BillShown, attempt: AttemptShown) -> int:
    """What of one payment's share of a bill its company gave back. Units: yen."""
    return sum(
        refund.amount
        for refund in bill.refunds
        if (refund.attempt, refund.way, refund.state) == (attempt.id, "provider", "succeeded")
    )


def _weigh_charges(
    tally: Tally, bills: Sequence[BillShown], payments: Sequence[JournalPayment], known: Known
) -> None:
    """A bill is charged to a card on file once at most, and only where a card was left for it."""
    charged = Counter(one.reference for one in payments if one.charged)
    for bill in bills:
        times = sum(charged[attempt.reference] for attempt in bill.attempts)
        if times > 1:
            tally.doubled[bill.number] += times - 1
            tally.differ(bill.number, "charged more than once", "1", str(times))
        if times and known.chargeable is not None and bill.number not in known.chargeable:
            tally.doubled[bill.number] += times
            tally.differ(bill.number, "charged to a card that nobody left for it", "", str(times))


def _weigh_refunds(tally: Tally, bills: Sequence[BillShown], journal: Journal) -> None:
    shown = {refund.reference: (bill, refund) for bill, refund in _refunds_of(bills)}
    theirs = {line.reference: line for line in journal.refunds}
    for line in journal.refunds:
        found = shown.get(line.reference)
        if found is None:
            tally.lost.add(line.reference)
            tally.doubled[line.reference] += line.state == "succeeded"
            tally.differ(line.reference, "money went back that nobody asked for", "", line.state)
        else:
            _weigh_refund(tally, *found, line)
    for _, refund in shown.values():
        has_gone = refund.way == "provider" and refund.state == "succeeded"
        if has_gone and refund.reference not in theirs:
            tally.lost.add(refund.reference)
            tally.differ(refund.reference, "shown as given back, and none went", "succeeded", "")
    _weigh_unsent(tally, bills)
    _weigh_room(tally, journal)


def _weigh_unsent(tally: Tally, bills: Sequence[BillShown]) -> None:
    """What was set aside is sent, unless another refund of the payment is in doubt: it waits."""
    refunds = [refund for _, refund in _refunds_of(bills)]
    in_doubt = {one.attempt for one in refunds if one.state in _IN_DOUBT}
    for refund in refunds:
        if refund.state == "reserved" and refund.attempt not in in_doubt:
            tally.lost.add(refund.reference)
            tally.differ(refund.reference, "set aside, and never sent", "reserved", "")


def _weigh_refund(tally: Tally, bill: BillShown, ours: RefundShown, line: JournalRefund) -> None:
    payment = {one.id: one.reference for one in bill.attempts}.get(ours.attempt, "")
    rules = (
        (
            ours.state not in REFUND_AGREES.get(line.state, frozenset()),
            "refund",
            ours.state,
            line.state,
        ),
        (ours.amount != line.amount, "amount of the refund", str(ours.amount), str(line.amount)),
        (payment != line.payment, "payment of the refund", payment, line.payment),
    )
    for differs, what, our_side, their_side in rules:
        if differs:
            tally.differ(line.reference, f"{what} differs", our_side, their_side)
    if (line.state == "succeeded") != (ours.state == "succeeded"):
        tally.lost.add(line.reference)


def _weigh_room(tally: Tally, journal: Journal) -> None:
    """No company gives back more of a payment than it took, nor under one reference twice."""
    came = Counter[str]()
    for payment in journal.payments:
        came[payment.reference] += payment.amount if payment.state == "succeeded" else 0
    went = Counter[str]()
    for refund in journal.refunds:
        went[refund.payment] += refund.amount if refund.state == "succeeded" else 0
    for reference, amount in went.items():
        if amount > came[reference]:
            tally.doubled[reference] += 1
            tally.differ(reference, "more went back than came", str(came[reference]), str(amount))
    times = Counter(one.reference for one in journal.refunds)
    for reference, often in times.items():
        if often > 1:
            tally.doubled[reference] += often - 1
            tally.differ(reference, "the journal has the refund twice", "1", str(often))


def _weigh_notebook(tally: Tally, bills: Sequence[BillShown], notebook: Iterable[Ask]) -> None:
    """What was asked for and taken is there once; what was refused is not there."""
    made = Counter(refund.note for _, refund in _refunds_of(bills))
    amounts = {refund.note: refund.amount for _, refund in _refunds_of(bills)}
    asked = {ask.key: ask for ask in notebook}
    for key, ask in asked.items():
        least, most = {"taken": (1, 1), "": (0, 1)}.get(ask.answer, (0, 0))
        if made[key] < least:
            tally.lost.add(key)
            tally.differ(key, "a refund that was taken is not there", "0", "1")
        if made[key] > most:
            tally.doubled[key] += made[key] - most
            tally.differ(key, "a refund was made too often", str(made[key]), str(most))
        if made[key] and amounts[key] != ask.amount:
            tally.differ(key, "another amount was asked for", str(amounts[key]), str(ask.amount))
    for note, times in made.items():
        if note not in asked:
            tally.doubled[note or "-"] += times
            tally.differ(note or "-", "a refund that nobody asked for", str(times), "0")


def _refunds_of(bills: Sequence[BillShown]) -> Iterator[tuple[BillShown, RefundShown]]:
    return ((bill, refund) for bill in bills for refund in bill.refunds)
