"""One try to pay: its states, what an inquiry means for it, and when to ask again. Pure.

A try ends only on the provider's word. When nobody knows what happened the state is ``unknown``;
only findings of an inquiry lead out of it, never a second submission. A success is believed
whenever it comes, even after ``failed`` or ``expired``: the money did move, so it is booked and a
person looks at it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeGuard, get_args

from portal.domain import doubt as doubts
from portal.domain.doubt import BACKOFF_S, DAY_S, SUBMIT_GRACE, Course, Doubt, Patience
from portal.domain.transition import Edge, take

AttemptState = Literal[
    "created", "submitting", "requires_action", "processing", "unknown",
    "succeeded", "failed", "expired",
]  # fmt: skip
AttemptEvent = Literal[
    "submit", "redirected", "number_made", "accepted", "refused", "lost", "supersede",
    "found_succeeded", "found_failed", "found_expired", "found_action", "found_pending",
    "found_unclear", "found_missing",
]  # fmt: skip
Found = Literal["succeeded", "failed", "requires_action", "pending", "not_found", "unclear"]
DeclineCode = Literal[
    "declined", "card_declined", "insufficient_funds", "authentication_failed", "expired",
    "provider_refused", "provider_busy", "provider_away", "never_received", "superseded",
    "wallet_declined", "wallet_canceled", "card_expired", "card_stopped",
    "debit_no_funds", "debit_refused", "debit_stopped", "debit_withdrawn",
]  # fmt: skip
AttemptCase = Literal[
    "amount_mismatch", "late_success", "provider_contradicts", "attempt_unresolved"
]

LIVE: Final[frozenset[AttemptState]] = frozenset(
    {"created", "submitting", "requires_action", "processing", "unknown"}
)
"""States in which money may still move by themselves; a bill has at most one attempt in them."""

DECLINE_CODES: Final[frozenset[str]] = frozenset(get_args(DeclineCode))
"""Why a try ended without money. A code that we don't know reads as ``declined``."""

NOTICE_PAUSE_S: Final = 5.0
"""Notices about one attempt, forged ones too, cause at most one inquiry in so many seconds."""

NEWS_ASKED_MAX: Final = 30
"""Inquiries about a booked payment that are not answered; after these once a day, as often again.
"""

_PATIENCE: Final[Patience[AttemptState]] = Patience(
    backoff_s={"requires_action": (120.0, 600.0, 3600.0)}, unresolved_after={}
)
"""A person on the provider's page needs time to type."""

_FOUND_SUCCESS: Final[Edge[AttemptState]] = Edge("succeeded", "payment.succeeded")
_LATE_SUCCESS: Final[Edge[AttemptState]] = Edge("succeeded", "payment.succeeded_late")
_FAILED: Final[Edge[AttemptState]] = Edge("failed", "payment.failed")
_EXPIRED: Final[Edge[AttemptState]] = Edge("expired", "payment.expired")
_ACTION: Final[Edge[AttemptState]] = Edge("requires_action", "payment.redirected")
_PENDING: Final[Edge[AttemptState]] = Edge("processing", "payment.processing")
_UNCLEAR: Final[Edge[AttemptState]] = Edge("unknown", "payment.unclear")

TRANSITIONS: Final[dict[tuple[AttemptState, AttemptEvent], Edge[AttemptState]]] = {
    ("created", "submit"): Edge("submitting", "payment.started"),
    ("submitting", "redirected"): _ACTION,
    ("submitting", "number_made"): Edge("requires_action", "payment.number_made"),
    ("submitting", "accepted"): _PENDING,
    ("submitting", "refused"): _FAILED,
    ("submitting", "lost"): _UNCLEAR,
    ("submitting", "found_succeeded"): _FOUND_SUCCESS,
    ("submitting", "found_failed"): _FAILED,
    ("submitting", "found_expired"): _EXPIRED,
    ("submitting", "found_action"): _ACTION,
    ("submitting", "found_pending"): _PENDING,
    ("submitting", "found_unclear"): _UNCLEAR,
    ("requires_action", "supersede"): Edge("expired", "payment.superseded"),
    ("requires_action", "found_succeeded"): _FOUND_SUCCESS,
    ("requires_action", "found_failed"): _FAILED,
    ("requires_action", "found_expired"): _EXPIRED,
    ("requires_action", "found_pending"): _PENDING,
    ("requires_action", "found_unclear"): _UNCLEAR,
    ("processing", "found_succeeded"): _FOUND_SUCCESS,
    ("processing", "found_failed"): _FAILED,
    ("processing", "found_expired"): _EXPIRED,
    ("processing", "found_action"): _ACTION,
    ("processing", "found_unclear"): _UNCLEAR,
    ("unknown", "found_succeeded"): _FOUND_SUCCESS,
    ("unknown", "found_failed"): _FAILED,
    ("unknown", "found_expired"): _EXPIRED,
    ("unknown", "found_action"): _ACTION,
    ("unknown", "found_pending"): _PENDING,
    ("unknown", "found_missing"): Edge("failed", "payment.never_received"),
    ("failed", "found_succeeded"): _LATE_SUCCESS,
    ("expired", "found_succeeded"): _LATE_SUCCESS,
}
"""Every event that leads out of ``unknown`` is a finding; every edge out of an ended attempt is a
success that came late. ``supersede`` is for a provider's page whose address nobody ever got."""

_FOUND_IN: Final[dict[AttemptState, AttemptEvent]] = {
    "requires_action": "found_action",
    "processing": "found_pending",
    "unknown": "found_unclear",
}
"""Where a live attempt is found to stand → the event that leads there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What judging a finding needs to know of an attempt.

    ``doubt_at``: since when the outcome is open (the submission). ``silent_since``: when the
    provider last said how the attempt stands, or when its present state began. ``asked``: inquiries
    since then. ``missing_at``: first "not found" that counted, or None. ``is_known``: the provider
    gave the payment a name of its own, so it did receive it. ``patient_until``: so long somebody
    may still pay by what they hold, and nobody has to look at it.
    """

    state: AttemptState
    amount_minor: int
    doubt_at: datetime
    silent_since: datetime
    asked: int
    missing_at: datetime | None
    is_known: bool = False
    patient_until: datetime | None = None

    @property
    def doubt(self) -> Doubt[AttemptState]:
        """What of it the clockwork of questions needs."""
        return Doubt(
            state=self.state,
            doubt_at=self.doubt_at,
            asked=self.asked,
            missing_at=self.missing_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a finding means.

    ``edge``: the transition to take, or None when the state stays. ``booked``: the money has to be
    booked. ``ask_in_s``: when to inquire again, or None when nothing needs asking.
    ``missing_at``: the new value. ``case``: what a person has to look at.
    """

    edge: Edge[AttemptState] | None = None
    booked: bool = False
    ask_in_s: float | None = None
    missing_at: datetime | None = None
    case: AttemptCase | None = None
    decline_code: DeclineCode | None = None


def advance(state: AttemptState, event: AttemptEvent) -> Edge[AttemptState]:
    """The next state of an attempt and the event code that must be emitted with it.

    Raises: Conflict ``attempt_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(TRANSITIONS, state, event, "attempt_state")


def read_decline(code: str) -> DeclineCode:
    """Our code for a provider adapter's decline code; ``declined`` for one that we don't know."""
    return code if _is_decline(code) else "declined"


def _is_decline(code: str) -> TypeGuard[DeclineCode]:
    return code in DECLINE_CODES


def judge(
    facts: AttemptFacts, found: Found, amount_minor: int, decline: str, now: datetime
) -> Verdict:
    """What the finding ``found`` of an inquiry, read at ``now``, means for the attempt.

    Units: ``amount_minor`` as the provider has it; it matters only for a success.
    """
    if found == "succeeded" and amount_minor != facts.amount_minor:
        return _judge_other_amount(facts, now)
    if facts.state in LIVE:
        return _judge_live(facts, found, decline, now)
    return _judge_ended(facts, found, now)


def ask_again_s(state: AttemptState, asked: int, doubt_s: float) -> float | None:
    """Seconds until the next inquiry of a live attempt that was asked about ``asked`` times.

    10 s, 30 s, 2 min, 10 min, then hourly; slower while a person is on the provider's page; daily
    once it is a case; None after 30 days, when only a person or a notice starts it again.
    """
    return doubts.ask_again_s(asked, doubt_s, _PATIENCE.backoff_s.get(state, BACKOFF_S))


def notice_says_news(state: AttemptState, claim: str) -> bool:
    """Whether a provider's claim about an attempt in ``state`` is worth an inquiry."""
    return claim != state


def ask_after_notice_s(
    ask_at: datetime | None,
    now: datetime,
    *,
    told_at: datetime | None = None,
    heard_at: datetime | None = None,
) -> float | None:
    """Seconds until the inquiry that a notice of ``now`` deserves; None when one is coming soon.

    An inquiry that began before the notice may have asked too early, so there is always one after
    it; but never more than one in NOTICE_PAUSE_S, however many notices are thrown at us and
    however fast they are followed up. ``told_at``: when the notice before this one came, whose
    inquiry was made within NOTICE_PAUSE_S of it. ``heard_at``: when an inquiry was last answered.
    """
    pause = timedelta(seconds=NOTICE_PAUSE_S)
    if ask_at is not None and timedelta(0) < ask_at - now <= pause:
        return None
    free_at = now
    if ask_at is not None and ask_at <= now:
        free_at = ask_at + pause
    if told_at is not None and now - told_at < 2 * pause:
        is_answered = heard_at is not None and heard_at >= told_at
        free_at = max(free_at, (heard_at if heard_at and is_answered else now) + pause)
    return max((free_at - now).total_seconds(), 0.0)


def _judge_live(facts: AttemptFacts, found: Found, decline: str, now: datetime) -> Verdict:
    if found == "succeeded":
        return Verdict(edge=advance(facts.state, "found_succeeded"), booked=True)
    if found == "failed":
        code = read_decline(decline)
        event: AttemptEvent = "found_expired" if code == "expired" else "found_failed"
        return Verdict(edge=advance(facts.state, event), decline_code=code)
    if found == "requires_action":
        return _stands(facts, "requires_action", now)
    if found == "pending":
        return _stands(facts, "processing", now)
    if found == "not_found":
        return _judge_not_found(facts, now)
    return _judge_unclear(facts, now)


def _judge_unclear(facts: AttemptFacts, now: datetime) -> Verdict:
    """An inquiry that learned nothing: doubts a submission past its grace, changes nothing else."""
    if facts.state == "submitting" and now - facts.doubt_at >= SUBMIT_GRACE:
        return _stands(facts, "unknown", now)
    stays = _stands(facts, facts.state, now)
    if stays.ask_in_s is None:
        return stays
    # Nothing was learned: this is no payer who needs time to type, so the silence only doubles.
    silence_s = (now - facts.silent_since).total_seconds()
    return replace(stays, ask_in_s=min(stays.ask_in_s, max(silence_s, BACKOFF_S[0])))


def _judge_not_found(facts: AttemptFacts, now: datetime) -> Verdict:
    doubt, worth = facts.doubt, doubts.weigh_missing(facts.doubt, now)
    if worth == "grace":
        return _stands(facts, facts.state, now)
    if facts.state == "unknown" and worth == "twice":
        return Verdict(edge=advance("unknown", "found_missing"), decline_code="never_received")
    # The provider had it: a page that nobody used runs out, and some then know nothing of it.
    # Until that counts the payer may still be on that page, and is led there.
    is_on_page = facts.state == "requires_action" and facts.is_known
    if is_on_page and worth == "twice":
        return Verdict(edge=advance(facts.state, "found_expired"), decline_code="expired")
    state: AttemptState = facts.state if is_on_page else "unknown"
    course: Course[AttemptState] = doubts.stand(doubt, _PATIENCE, state, now)
    return _taken(facts, doubts.ask_of_missing(course, doubt, now))


def _judge_ended(facts: AttemptFacts, found: Found, now: datetime) -> Verdict:
    if facts.state == "succeeded":
        if found == "unclear":
            # Something made us ask (a notice of a dispute, perhaps), and it was not answered.
            return Verdict(ask_in_s=_ask_of_news_s(facts.asked))
        contradicts = found in {"failed", "not_found"}
        return Verdict(case="provider_contradicts" if contradicts else None)
    if found == "succeeded":
        edge = advance(facts.state, "found_succeeded")
        return Verdict(edge=edge, booked=True, case="late_success")
    if found in {"pending", "requires_action"}:
        # We had given it up, the provider has not: money may still come, so keep asking.
        return _taken(facts, doubts.stand(facts.doubt, _PATIENCE, "processing", now, is_move=False))
    if found == "unclear":
        # Something made us ask, and it was not answered: else a notice of money would be lost.
        doubt_s = (now - facts.doubt_at).total_seconds()
        return Verdict(ask_in_s=ask_again_s("processing", facts.asked + 1, doubt_s))
    return Verdict()


def _ask_of_news_s(asked: int) -> float | None:
    if asked >= 2 * NEWS_ASKED_MAX:
        return None
    return DAY_S if asked >= NEWS_ASKED_MAX else BACKOFF_S[min(asked, len(BACKOFF_S) - 1)]


def _judge_other_amount(facts: AttemptFacts, now: datetime) -> Verdict:
    """A success over another amount than ours is nobody's payment until a person has looked."""
    if facts.state not in LIVE:
        return Verdict(case="amount_mismatch")
    return replace(_stands(facts, "unknown", now), case="amount_mismatch")


def _stands(facts: AttemptFacts, state: AttemptState, now: datetime) -> Verdict:
    """It was found to stand in ``state``, where it may have stood before."""
    course: Course[AttemptState] = doubts.stand(facts.doubt, _PATIENCE, state, now)
    patient_until = facts.patient_until if state == "requires_action" else None
    if patient_until is not None and now < patient_until:
        course = replace(course, is_overdue=False)
    return _taken(facts, course)


def _taken(facts: AttemptFacts, course: Course[AttemptState]) -> Verdict:
    """A course as an attempt takes it."""
    moves = facts.state in LIVE and course.state != facts.state
    return Verdict(
        edge=advance(facts.state, _FOUND_IN[course.state]) if moves else None,
        ask_in_s=course.ask_in_s,
        missing_at=course.missing_at,
        case="attempt_unresolved" if course.is_overdue else None,
    )
