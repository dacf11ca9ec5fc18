"""A payment that its payer contests at the card company: states, and what a finding means. Pure.

The company takes the money back (when the dispute opens, or only when it is lost) and returns it
when the dispute is won. Only an inquiry tells; a notice merely makes us ask. What was taken stands
in the ledger as ``disputed`` until it is decided whose it is.

Source: docs.stripe.com/disputes/how-disputes-work (opened, won, lost; when money is withdrawn).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from portal.domain.case import CaseKind, CaseResolution
from portal.domain.errors import InvariantBroken
from portal.domain.transition import Edge

DisputeState = Literal["opened", "won", "lost"]
DisputeBooking = Literal["chargeback_taken", "chargeback_returned"]

EDGES: Final[dict[tuple[DisputeState | None, DisputeState], Edge[DisputeState]]] = {
    (None, "opened"): Edge("opened", "payment.disputed"),
    (None, "won"): Edge("won", "payment.dispute_won"),
    (None, "lost"): Edge("lost", "payment.dispute_lost"),
    ("opened", "won"): Edge("won", "payment.dispute_won"),
    ("opened", "lost"): Edge("lost", "payment.dispute_lost"),
}
"""(state before, state that was found) → edge. A dispute that is decided stays decided: another
word about it is a contradiction, and a person's to clear up."""

ASK_EVERY_S: Final = timedelta(days=1).total_seconds()
"""An open dispute is asked about so often, whatever notices say: one of them may be lost."""

REFUND_WAIT_S: Final = 60.0
"""Pause between two questions about a dispute while a refund of the payment has not ended."""

PAY_AGAIN_DAYS: Final = 14
"""Who is asked to pay a bill again has at least so many days for it."""

REFUSES_REFUNDS: Final[frozenset[DisputeState]] = frozenset({"opened", "lost"})
"""The money of a payment in one of these is not there to be given back; companies refuse it, too.

Source: docs.stripe.com/disputes/responding (a disputed charge can't be refunded)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """What judging needs: our state (None: unheard of), what of the money is booked as taken.

    ``room_minor``: what the company keeps of the payment, after what was given back and what other
    disputes of it took. ``under_way_minor``: what of that giving back has not ended at the company.
    """

    state: DisputeState | None
    booked_minor: int
    room_minor: int
    under_way_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeVerdict:
    """What a finding means.

    ``edge``: the transition, or None when the state stays. ``booking`` with ``booked_minor``: what
    the ledger is told. ``case``: what a person has to look at. ``ends``: how the case that asked
    for an answer ends by itself. ``ask_in_s``: when to ask again.
    """

    edge: Edge[DisputeState] | None = None
    booking: DisputeBooking | None = None
    booked_minor: int = 0
    case: CaseKind | None = None
    ends: CaseResolution | None = None
    ask_in_s: float | None = None


def judge(
    facts: DisputeFacts, found: DisputeState, amount_minor: int, taken_minor: int
) -> DisputeVerdict:
    """What it means that a dispute was found in a state, with ``taken_minor`` of it taken back.

    A lost dispute has taken its amount whether the company says so or not. More than the payment
    still has, or another sum than before, is booked by nobody: ``amount_mismatch``. Where a refund
    that is under way would make it fit if it failed, it has: no company takes what it has given
    back. So that refund's end is waited for.

    Units: minor units of the payment's currency.
    """
    edge = EDGES.get((facts.state, found))
    if edge is None and facts.state != found:
        return DisputeVerdict(case="provider_contradicts")
    if edge is None and found != "opened":
        return DisputeVerdict()
    taken = 0 if found == "won" else (taken_minor or (amount_minor if found == "lost" else 0))
    is_other = bool(facts.booked_minor) and taken not in {0, facts.booked_minor}
    if not is_other and facts.room_minor < taken <= facts.room_minor + facts.under_way_minor:
        return DisputeVerdict(ask_in_s=REFUND_WAIT_S)
    if is_other or taken > facts.room_minor:
        return DisputeVerdict(case="amount_mismatch", ask_in_s=_again(facts.state))
    booking, booked = _booking(facts.booked_minor, taken, is_won=found == "won")
    return DisputeVerdict(
        edge=edge,
        booking=booking,
        booked_minor=booked,
        case=_case(edge),
        ends=None if edge is None or found == "opened" else found,
        ask_in_s=_again(found),
    )


def split_taken(taken_minor: int, rooms: Mapping[UUID, int]) -> dict[UUID, int]:
    """How much each bill of a payment loses of what its company takes; who loses nothing is not in.

    ``rooms``: what each bill still has of the payment, the one due last first. In that order each
    loses all it has, until the sum is there: what stays pays what was due first, as money does
    that nobody said anything about.

    Units: minor units. Raises: InvariantBroken ``dispute_room`` for more than all of them have.
    Source: Civil Code (Minpo) art. 488(4): performance goes to the debt that was due first.
    """
    parts: dict[UUID, int] = {}
    left = taken_minor
    for bill_id, room in rooms.items():
        part = min(left, room)
        if part > 0:
            parts[bill_id] = part
            left -= part
    if left:
        raise InvariantBroken("dispute_room", context=f"{left} of {taken_minor} are no bill's")
    return parts


def split_asked(lost_minor: int, lost_id: UUID, paid: Mapping[UUID, int]) -> dict[UUID, int]:
    """What of a loss a bill is asked for once more, by the payments that paid it.

    ``paid``: what each payment pays of the bill, the newest last. The lost one itself comes first;
    where its own money stood beyond the bill and was given back, what another paid stands in for
    it. Never more than all of them pay: of a bill nobody owes more than it is over.

    Units: minor units.
    """
    asked: dict[UUID, int] = {}
    left = lost_minor
    others = [payment for payment in reversed(list(paid)) if payment != lost_id]
    for payment in (lost_id, *others):
        part = min(left, paid.get(payment, 0))
        if part > 0:
            asked[payment] = part
            left -= part
    return asked


def _booking(
    booked_minor: int, taken_minor: int, *, is_won: bool
) -> tuple[DisputeBooking | None, int]:
    if is_won:
        return ("chargeback_returned", booked_minor) if booked_minor else (None, 0)
    if taken_minor and not booked_minor:
        return "chargeback_taken", taken_minor
    return None, 0


def _case(edge: Edge[DisputeState] | None) -> CaseKind | None:
    if edge is None or edge.state == "won":
        return None
    return "charged_back" if edge.state == "opened" else "chargeback_lost"


def _again(state: DisputeState | None) -> float | None:
    return ASK_EVERY_S if state == "opened" else None
