"""What the storm of payments is judged by: both sides at one moment, and what that comes to.

Stack only, and pure but for the types: looking is portal.stack.drill.payments' work.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from portal.contract.operator import Inspection
from portal.stack.drill.tally import BillShown, Tally
from portal.stack.payers import Journal

PAYMENTS_MIN: Final = 100
KILLS_MIN: Final = 24
REFUNDS_MIN: Final = 20
CHARGES_MIN: Final = 12
DISPUTES_MIN: Final = 12
"""The storm goes on until there were so many of each."""


class Report(msgspec.Struct, kw_only=True):
    """What is printed.

    ``payments`` and ``refunds`` are those that the companies carried out; ``transferred`` went back
    by the merchant's own hand. Of the payments ``charges`` went to cards on file, ``by_wallet``
    and ``by_number`` were by wallet and at a store, ``shared`` paid several bills and ``parts`` a
    part of one; ``declined`` charges brought nothing. ``disputes`` by what the company says of
    them, ``asked_again`` of the lost.
    ``unresolved`` attempts and refunds are still being asked about: nobody can know yet whether
    their company ever heard of them, and money of none has moved.
    """

    seed: int
    payments: int
    refunds: int
    transferred: int
    charges: int
    declined: int
    by_wallet: int
    by_number: int
    shared: int
    parts: int
    disputes: dict[str, int]
    asked_again: int
    kills: int
    killed: dict[str, int]
    lost: int
    doubled: int
    unresolved: int
    differences: list[str]
    ledger_sum: int
    audit_ok: bool
    cases: int
    seconds: float
    faults: list[str]


@dataclass(slots=True)
class Sight:
    """Both sides at one moment, and what comparing them found."""

    ours: Inspection
    theirs: Journal
    bills: Sequence[BillShown]
    tally: Tally
    cases: int

    @property
    def paid(self) -> int:
        """Payments that the companies carried out."""
        return sum(one.state == "succeeded" for one in self.theirs.payments)

    @property
    def given_back(self) -> int:
        """Refunds that the companies carried out."""
        return sum(one.state == "succeeded" for one in self.theirs.refunds)

    @property
    def disputes(self) -> Counter[str]:
        """How the companies say that disputes stand."""
        return Counter(one.dispute for one in self.theirs.payments if one.dispute)

    def charges_in(self, state: str) -> int:
        """Charges of cards on file that ended so at their company."""
        return sum(one.charged and one.state == state for one in self.theirs.payments)

    def paid_by(self, provider: str) -> int:
        """Payments that one company carried out."""
        found = self.theirs.payments
        return sum(one.state == "succeeded" and one.provider == provider for one in found)

    @property
    def shared(self) -> int:
        """Payments of several bills that came."""
        return sum(times > 1 for times in self._times().values())

    @property
    def parts(self) -> int:
        """Payments of a part of one bill that came."""
        times = self._times()
        return sum(
            one.state == "succeeded" and times[one.reference] == 1 and one.amount < bill.amount
            for bill in self.bills
            for one in bill.attempts
        )

    def _times(self) -> Counter[str]:
        came = (one for bill in self.bills for one in bill.attempts if one.state == "succeeded")
        return Counter(one.reference for one in came)

    def refunds_in(self, *states: str) -> int:
        """Refunds of ours in one of the states."""
        return sum(refund.state in states for bill in self.bills for refund in bill.refunds)


_IN_THE_DARK: Final = ("created", "submitting", "unknown")


def report_of(
    seed: int,
    kills: Mapping[str, int],
    sight: Sight,
    asked_again: int,
    faults: list[str],
    seconds: float,
) -> Report:
    """What is printed of a storm: who was killed how often, and what was found after it."""
    attempts = sum(sight.ours.attempts.get(state, 0) for state in _IN_THE_DARK)
    found = Report(
        seed=seed,
        payments=sight.paid,
        refunds=sight.given_back,
        transferred=sight.refunds_in("transferred"),
        charges=sight.charges_in("succeeded"),
        declined=sight.charges_in("failed"),
        by_wallet=sight.paid_by("sandbox_wallet"),
        by_number=sight.paid_by("sandbox_counter"),
        shared=sight.shared,
        parts=sight.parts,
        disputes=dict(sorted(sight.disputes.items())),
        asked_again=asked_again,
        kills=sum(kills.values()),
        killed=dict(sorted(kills.items())),
        lost=len(sight.tally.lost),
        doubled=sight.tally.doubled.total(),
        unresolved=attempts + sight.refunds_in("submitting", "pending", "unknown"),
        differences=sight.tally.differences,
        ledger_sum=sight.ours.ledger_sum,
        audit_ok=sight.ours.audit_ok,
        cases=sight.cases,
        seconds=round(seconds, 1),
        faults=[*faults],
    )
    found.faults += _faults(found, sight)
    return found


def _faults(found: Report, sight: Sight) -> list[str]:
    """Everything that is not as it must be, in words.

    Refunds that failed are people's work, and so are disputes until somebody has decided.
    """
    is_work = {
        "refund_failed": sight.refunds_in("failed"),
        "charged_back": sight.disputes["opened"],
        "chargeback_lost": sight.disputes["lost"] - found.asked_again,
    }
    wanted = {
        "lost": (found.lost, 0),
        "doubled": (found.doubled, 0),
        "ledger_sum": (found.ledger_sum, 0),
        "audit_ok": (found.audit_ok, True),
        "tasks_due": (sight.ours.tasks_due, 0),
        "cases": (sight.ours.cases, {kind: many for kind, many in is_work.items() if many}),
    }
    faults = [
        f"{name} is {is_}, must be {must}" for name, (is_, must) in wanted.items() if is_ != must
    ]
    least = {
        "payments": (found.payments, PAYMENTS_MIN),
        "kills": (found.kills, KILLS_MIN),
        "refunds": (found.refunds, 1),
        "charges": (found.charges, 1),
        "declined charges": (found.declined, 1),
        "payments by wallet": (found.by_wallet, 1),
        "payments by number": (found.by_number, 1),
        "payments of several bills": (found.shared, 1),
        "payments of a part": (found.parts, 1),
        "disputes": (sum(found.disputes.values()), DISPUTES_MIN),
    }
    faults += [
        f"{name} are {are}, must be {must} at least"
        for name, (are, must) in least.items()
        if are < must
    ]
    return faults + found.differences
