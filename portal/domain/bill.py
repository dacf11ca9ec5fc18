"""A bill's two independent dimensions: lifecycle (the merchant's will) and settlement (money).

The lifecycle moves along :data:`LIFECYCLE`. The settlement is never set: it is derived from what
the ledger says about the bill (:func:`settlement_of`), and :data:`SETTLEMENT` names the event of
each change. Paid twice or paid after cancel are ordinary data here, never forbidden. Pure.

``provisional`` says that a till took the money of a slip and its agency has not confirmed it.
``reversed`` says that a company has taken the money back because its payer contests the payment:
nobody is asked to pay again before a person says so.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from portal.domain.errors import Conflict, InvariantBroken
from portal.domain.transition import Edge, take

Lifecycle = Literal["scheduled", "open", "overdue", "lapsed", "canceling", "canceled", "superseded"]
Settlement = Literal["unpaid", "provisional", "settled", "over", "reversed"]
LifecycleEvent = Literal[
    "issue", "pass_due", "lapse", "extend", "cancel", "finish_cancel", "supersede",
    "await_supersede", "keep",
]  # fmt: skip

LIFECYCLE: Final[dict[tuple[Lifecycle, LifecycleEvent], Edge[Lifecycle]]] = {
    ("scheduled", "issue"): Edge("open", "bill.issued"),
    ("scheduled", "cancel"): Edge("canceled", "bill.canceled"),
    ("scheduled", "supersede"): Edge("superseded", "bill.superseded"),
    ("open", "pass_due"): Edge("overdue", "bill.overdue"),
    ("open", "extend"): Edge("open", "bill.extended"),
    ("open", "cancel"): Edge("canceling", "bill.cancel_requested"),
    ("open", "supersede"): Edge("superseded", "bill.superseded"),
    ("overdue", "lapse"): Edge("lapsed", "bill.lapsed"),
    ("overdue", "extend"): Edge("open", "bill.extended"),
    ("lapsed", "extend"): Edge("open", "bill.extended"),
    ("overdue", "cancel"): Edge("canceling", "bill.cancel_requested"),
    ("overdue", "supersede"): Edge("superseded", "bill.superseded"),
    ("lapsed", "cancel"): Edge("canceling", "bill.cancel_requested"),
    ("lapsed", "supersede"): Edge("superseded", "bill.superseded"),
    ("open", "await_supersede"): Edge("canceling", "bill.replacement_asked"),
    ("overdue", "await_supersede"): Edge("canceling", "bill.replacement_asked"),
    ("lapsed", "await_supersede"): Edge("canceling", "bill.replacement_asked"),
    ("canceling", "finish_cancel"): Edge("canceled", "bill.canceled"),
    ("canceling", "supersede"): Edge("superseded", "bill.superseded"),
    ("canceling", "keep"): Edge("open", "bill.kept"),
}
"""``canceling`` lasts while a payment may still be on its way; the link stops paying at once.

A bill that waits for its replacement is kept where the money comes first: that money pays it.
"""

SETTLEMENT: Final[dict[tuple[Settlement, Settlement], Edge[Settlement]]] = {
    ("unpaid", "settled"): Edge("settled", "bill.paid"),
    ("unpaid", "over"): Edge("over", "bill.overpaid"),
    ("settled", "over"): Edge("over", "bill.overpaid"),
    ("over", "settled"): Edge("settled", "bill.overpayment_returned"),
    ("over", "unpaid"): Edge("unpaid", "bill.overpayment_returned"),
    ("unpaid", "provisional"): Edge("provisional", "bill.provisional"),
    ("provisional", "unpaid"): Edge("unpaid", "bill.provisional_reversed"),
    ("provisional", "settled"): Edge("settled", "bill.paid"),
    ("provisional", "over"): Edge("over", "bill.overpaid"),
    ("over", "provisional"): Edge("provisional", "bill.overpayment_returned"),
    ("settled", "reversed"): Edge("reversed", "bill.reversed"),
    ("over", "reversed"): Edge("reversed", "bill.reversed"),
    ("unpaid", "reversed"): Edge("reversed", "bill.reversed"),
    ("reversed", "settled"): Edge("settled", "bill.reversal_returned"),
    ("reversed", "over"): Edge("over", "bill.overpaid"),
    ("reversed", "unpaid"): Edge("unpaid", "bill.owed_again"),
    ("reversed", "provisional"): Edge("provisional", "bill.provisional"),
}
"""(settlement before, settlement that the ledger says) → edge with the event of that change."""

MET: Final[dict[str, str]] = {
    "bill.reversal_returned": "bill.paid",
    "bill.owed_again": "bill.overpayment_returned",
}
"""Event of a change → what to tell instead where a loss went off what is owed back: other money
has paid the bill, or what was owed back is with the payer. Nobody returned anything, or asked for
it."""

PAYABLE: Final[frozenset[Lifecycle]] = frozenset({"open", "overdue"})
"""Lifecycles in which the page offers ways to pay."""

WAITING: Final[frozenset[Settlement]] = frozenset({"unpaid", "provisional"})
"""Settlements of a bill of which something is still to be paid."""

ODD: Final[frozenset[Settlement]] = frozenset({"provisional", "over", "reversed"})
"""Money did something else than to come once: few bills, which people look for."""

WITHDRAWN: Final[frozenset[Lifecycle]] = frozenset({"canceling", "canceled", "superseded"})
"""Lifecycles in which nothing is asked for any more."""

OWED: Final[frozenset[Lifecycle]] = frozenset({"open", "overdue", "lapsed"})
"""Lifecycles in which money that arrives pays the bill; in any other it is owed back."""

LAPSE_AFTER_DAYS_DEFAULT: Final = 90
"""Days after its due date on which a bill can still be paid here, unless the merchant says
otherwise."""

LAPSE_AFTER_DAYS_MAX: Final = 3_650
"""More than ten years is a slip of the keyboard; who never wants bills to lapse says "never"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSums:
    """What the ledger says about one bill: sums of its entries by account, debits positive.

    ``paid`` is what payments took off ``receivable``, ``taken`` all that providers took for the
    bill, whatever was given back since. ``announced`` is no money yet: tills say they took it.
    ``chargeback`` is what companies took back of it, ``disputed`` what of that nobody has decided.
    Units: minor units of the bill's currency.
    """

    receivable: int = 0
    in_transit: int = 0
    overpayment: int = 0
    refund_clearing: int = 0
    goodwill_clearing: int = 0
    advanced: int = 0
    paid: int = 0
    taken: int = 0
    announced: int = 0
    disputed: int = 0
    chargeback: int = 0

    @property
    def given_back(self) -> int:
        """What has gone back to the payer: by providers, and by the merchant's own transfers."""
        return self.taken - self.in_transit - self.advanced

    @property
    def on_its_way_back(self) -> int:
        """What is set aside for refunds that have not arrived yet, whether sent already or not.

        Sending books nothing, so the ledger can't tell a refund that waits to be sent from one
        that the provider has.
        """
        return -self.refund_clearing - self.goodwill_clearing

    @property
    def owed_back(self) -> int:
        """What the payer is still owed; money on its way back is not there yet."""
        return -self.overpayment - self.refund_clearing


def advance(state: Lifecycle, event: LifecycleEvent) -> Edge[Lifecycle]:
    """The next lifecycle and the event code that must be emitted with it.

    Raises: Conflict ``bill_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(LIFECYCLE, state, event, "bill_state")


def settlement_of(sums: BillSums) -> Settlement:
    """What money did, from the ledger alone.

    Anything owed back makes ``over``, even when the bill itself was never paid (money for a
    canceled bill), until it has arrived there; paid in full makes ``settled``. Paid and given back
    stays ``settled``: the payer owes nothing, and what was given back is told beside it. What is
    only announced makes ``provisional`` of a bill that nothing has paid. Money that a company took
    back makes ``reversed``, as far as it is more than what is owed back anyway.

    Raises: InvariantBroken ``ledger_nonsense`` when the sums can't come from our postings.
    """
    credits_ = (
        sums.overpayment, sums.refund_clearing, sums.goodwill_clearing, sums.advanced,
        sums.chargeback,
    )  # fmt: skip
    debits = (
        sums.receivable, sums.in_transit, sums.paid, sums.given_back, sums.announced,
        sums.disputed,
    )  # fmt: skip
    if min(debits) < 0 or max(credits_) > 0:
        raise InvariantBroken("ledger_nonsense", context=repr(sums))
    if sums.disputed > max(sums.owed_back, 0):
        return "reversed"
    if sums.owed_back > 0:
        return "over"
    if sums.receivable == 0 and sums.paid > 0:
        return "settled"
    return "provisional" if sums.announced > 0 else "unpaid"


def settle(before: Settlement, sums: BillSums) -> Edge[Settlement] | None:
    """The change of settlement that the ledger now asks for; None when it says the same as before.

    Raises: InvariantBroken ``settlement_edge`` when the ledger moved in a way that no posting of
    ours can: it is append-only, so this means that the stored settlement was wrong.
    """
    after = settlement_of(sums)
    if after == before:
        return None
    edge = SETTLEMENT.get((before, after))
    if edge is None:
        raise InvariantBroken("settlement_edge", context=f"{before} -> {after}")
    return edge


def is_payable(lifecycle: Lifecycle, settlement: Settlement) -> bool:
    """Whether the page may start a payment of this bill."""
    return lifecycle in PAYABLE and settlement == "unpaid"


def check_cancelable(lifecycle: Lifecycle, settlement: Settlement) -> None:
    """Refuse to cancel what is already paid: that would be a refund. A part of it may be paid.

    Raises: Conflict ``already_paid``, ``slip_announced`` while a till says that it was paid, or
    ``bill_state`` when the lifecycle has no such edge.
    """
    if settlement == "provisional":
        raise Conflict("slip_announced")
    if settlement != "unpaid":
        raise Conflict("already_paid", params={"settlement": settlement})
    advance(lifecycle, "cancel")


def owed_minor(lifecycle: Lifecycle, sums: BillSums) -> int:
    """How much of arriving money the bill can take; the rest is owed back to the payer."""
    return sums.receivable if lifecycle in OWED else 0


def is_part_paid(sums: BillSums) -> bool:
    """Whether payments have paid some of the bill, and not all that is asked for."""
    return sums.paid > 0 and sums.receivable > 0


def is_past_due(due_on: date, today: date) -> bool:
    """Whether a bill is late on ``today``, the business day in the merchant's zone.

    The due date itself is in time until its last second.
    """
    return due_on < today


def lapses_before(today: date, lapse_after_days: int | None) -> date | None:
    """Bills due before this day lapse on ``today``; None when the merchant lets none lapse.

    A bill can be paid on the due date and on ``lapse_after_days`` days after it.
    """
    if lapse_after_days is None:
        return None
    return today - timedelta(days=lapse_after_days)


def follows_calendar(lifecycle: Lifecycle, settlement: Settlement) -> bool:
    """Whether the passing of days changes the bill: only what is still owed becomes late."""
    return lifecycle in PAYABLE and settlement == "unpaid"
