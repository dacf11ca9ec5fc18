"""What a finding about a refund means, and when to ask again. Pure.

A finding is what an inquiry learned of a refund (portal.domain.refund_word reads it); only these
lead out of ``unknown``.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from portal.domain import doubt as doubts
from portal.domain.doubt import SUBMIT_GRACE, Course, Doubt, Patience
from portal.domain.refund import (
    ASKED,
    RefundCase,
    RefundEvent,
    RefundFound,
    RefundState,
    advance,
)
from portal.domain.transition import Edge

PENDING_UNRESOLVED_AFTER: Final = timedelta(days=7)
"""A refund that a company took on may wait for days there; after these a person looks."""

_PATIENCE: Final[Patience[RefundState]] = Patience(
    backoff_s={}, unresolved_after={"pending": PENDING_UNRESOLVED_AFTER}
)

LOOK_BACK_S: Final = 86_400.0
"""What was never received is asked about once more after this: its sender may have been frozen."""

_FOUND_IN: Final[dict[RefundState, RefundEvent]] = {
    "pending": "found_pending",
    "unknown": "found_unclear",
}
"""Where a refund that is asked about is found to stand → the event that leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """What judging a finding needs to know of a refund.

    ``doubt_at``: since when the outcome is open (the submission). ``asked``: inquiries since the
    present state began. ``missing_at``: first "not found" that counted, or None. ``room_minor``:
    what of the payment nothing else holds. ``is_known``: the provider gave the refund a name of its
    own, so it can't have missed it: "not found" then frees nothing and is a person's to clear up.
    """

    state: RefundState
    amount_minor: int
    doubt_at: datetime
    asked: int
    missing_at: datetime | None
    room_minor: int
    is_known: bool = False

    @property
    def doubt(self) -> Doubt[RefundState]:
        """What of it the clockwork of questions needs."""
        return Doubt(
            state=self.state,
            doubt_at=self.doubt_at,
            asked=self.asked,
            missing_at=self.missing_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundVerdict:
    """What a finding means: the edge to take, when to ask again, what a person has to look at.

    ``missing_at`` is the new value; ``code`` says why a refund failed.
    """

    edge: Edge[RefundState] | None = None
    ask_in_s: float | None = None
    missing_at: datetime | None = None
    case: RefundCase | None = None
    code: str | None = None


def judge(
    facts: RefundFacts, found: RefundFound, amount_minor: int, code: str, now: datetime
) -> RefundVerdict:
    """What the finding ``found`` of an inquiry, read at ``now``, means for the refund.

    Units: ``amount_minor`` as the provider has it; it matters only for a success.
    """
    if found == "succeeded" and amount_minor != facts.amount_minor:
        return _judge_other_amount(facts, now)
    if facts.state in ASKED:
        return _judge_asked(facts, found, code, now)
    if facts.state == "failed" and found == "unclear":
        # Somebody had a reason to look back, and was not answered: the look is still to come.
        doubt_s = (now - facts.doubt_at).total_seconds()
        return RefundVerdict(ask_in_s=doubts.ask_again_s(facts.asked + 1, doubt_s))
    return _judge_other(facts, found)


def _judge_asked(facts: RefundFacts, found: RefundFound, code: str, now: datetime) -> RefundVerdict:
    match found:
        case "succeeded":
            return RefundVerdict(edge=advance(facts.state, "found_succeeded"))
        case "failed":
            edge = advance(facts.state, "found_failed")
            return RefundVerdict(edge=edge, case="refund_failed", code=code or "provider_refused")
        case "pending":
            return _stands(facts, "pending", now)
        case "not_found":
            return _judge_not_found(facts, now)
        case "unclear":
            if facts.state == "submitting" and now - facts.doubt_at >= SUBMIT_GRACE:
                return _stands(facts, "unknown", now)
            return _stands(facts, facts.state, now)


def _judge_not_found(facts: RefundFacts, now: datetime) -> RefundVerdict:
    doubt, worth = facts.doubt, doubts.weigh_missing(facts.doubt, now)
    if worth == "grace":
        return _stands(facts, facts.state, now)
    if facts.state == "unknown" and worth == "twice":
        if facts.is_known:
            stays = _stands(facts, facts.state, now)
            return replace(stays, missing_at=facts.missing_at, case="refund_contradicts")
        edge = advance("unknown", "found_missing")
        return RefundVerdict(
            edge=edge, ask_in_s=LOOK_BACK_S, case="refund_failed", code="never_received"
        )
    course: Course[RefundState] = doubts.stand(doubt, _PATIENCE, "unknown", now)
    return _taken(facts, doubts.ask_of_missing(course, doubt, now))


def _judge_other(facts: RefundFacts, found: RefundFound) -> RefundVerdict:
    """A finding about a refund that we believed to be over, or never to have left."""
    if facts.state == "succeeded":
        contradicts = found in {"failed", "not_found"}
        return RefundVerdict(case="refund_contradicts" if contradicts else None)
    if found not in {"succeeded", "pending"}:
        return RefundVerdict()
    if facts.state == "failed" and found == "succeeded" and facts.amount_minor <= facts.room_minor:
        edge = advance("failed", "found_succeeded")
        return RefundVerdict(edge=edge, case="refund_contradicts")
    # More left than was taken, or what we never sent: nobody but a person can tell what to book.
    return RefundVerdict(case="refund_contradicts")


def _judge_other_amount(facts: RefundFacts, now: datetime) -> RefundVerdict:
    """Another amount than ours went back: not booked until a person has looked."""
    if facts.state not in ASKED:
        return RefundVerdict(case="refund_contradicts")
    return replace(_stands(facts, "unknown", now), case="refund_contradicts")


def _stands(facts: RefundFacts, state: RefundState, now: datetime) -> RefundVerdict:
    """It was found to stand in ``state``, where it may have stood before."""
    return _taken(facts, doubts.stand(facts.doubt, _PATIENCE, state, now))


def _taken(facts: RefundFacts, course: Course[RefundState]) -> RefundVerdict:
    """A course as a refund takes it."""
    moves = course.state != facts.state
    return RefundVerdict(
        edge=advance(facts.state, _FOUND_IN[course.state]) if moves else None,
        ask_in_s=course.ask_in_s,
        missing_at=course.missing_at,
        case="refund_unresolved" if course.is_overdue else None,
    )
