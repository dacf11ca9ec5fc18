"""What a collection agency's notices about one slip mean: states, money, what needs a person. Pure.

Notices come in files, days apart, twice, and not always in order. So money is never a matter of
their order: what counts is which kinds are known of each taking (one payment at one till), and a
notice books the difference that it makes. Reading a file is portal.domain.slip_file's work.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Final, Literal

from portal.domain.errors import InvalidInput
from portal.domain.slip_number import SlipNumber, SlipTerms, check_digit, read_fields
from portal.domain.transition import Edge, take

NoticeKind = Literal["provisional", "confirmed", "reversal", "postal", "postal_correction"]

KINDS: Final[dict[str, NoticeKind]] = {
    "01": "provisional",
    "02": "confirmed",
    "03": "reversal",
    "12": "postal",
    "22": "postal_correction",
}
"""An agency's code → what it says. A real-time kind (81) exists; what it promises is not known
here, so it is no notice until an agency's document says so."""

POSTAL: Final[frozenset[NoticeKind]] = frozenset({"postal", "postal_correction"})
"""Kinds whose barcode comes with the deadline blotted out (999999) and without a time."""

SlipState = Literal["issued", "provisional", "confirmed", "voided", "expired", "replaced"]
SlipEvent = Literal[
    "take", "confirm", "reverse", "reverse_replaced", "release", "release_replaced", "expire",
    "replace",
]  # fmt: skip
TakingState = Literal["none", "pending", "posted", "void"]
Effect = Literal["pend", "post", "void"]
SlipCase = Literal[
    "slip_unknown", "slip_differs", "slip_check_digit", "amount_mismatch", "reversal_unmatched",
    "reversal_contradicts", "paid_twice", "after_deadline", "replaced_paid", "postal_correction",
]  # fmt: skip

PAYABLE: Final[frozenset[SlipState]] = frozenset({"issued", "voided"})
"""States in which a payer is still asked to pay by this slip."""

_TAKEN: Final[Edge[SlipState]] = Edge("provisional", "slip.provisional")
_TAKEN_LATE: Final[Edge[SlipState]] = Edge("provisional", "slip.provisional_late")
_CONFIRMED: Final[Edge[SlipState]] = Edge("confirmed", "slip.confirmed")
_CONFIRMED_LATE: Final[Edge[SlipState]] = Edge("confirmed", "slip.confirmed_late")
_VOIDED: Final[Edge[SlipState]] = Edge("voided", "slip.reversed")
_EXPIRED: Final[Edge[SlipState]] = Edge("expired", "slip.expired")
_REPLACED: Final[Edge[SlipState]] = Edge("replaced", "slip.replaced")

TRANSITIONS: Final[dict[tuple[SlipState, SlipEvent], Edge[SlipState]]] = {
    ("issued", "take"): _TAKEN,
    ("issued", "confirm"): _CONFIRMED,
    ("issued", "reverse"): _VOIDED,
    ("issued", "expire"): _EXPIRED,
    ("issued", "replace"): _REPLACED,
    ("provisional", "confirm"): _CONFIRMED,
    ("provisional", "reverse"): _VOIDED,
    ("provisional", "reverse_replaced"): Edge("replaced", "slip.reversed"),
    ("provisional", "release"): Edge("voided", "slip.unconfirmed"),
    ("provisional", "release_replaced"): Edge("replaced", "slip.unconfirmed"),
    ("voided", "take"): _TAKEN,
    ("voided", "confirm"): _CONFIRMED,
    ("voided", "expire"): _EXPIRED,
    ("voided", "replace"): _REPLACED,
    ("expired", "take"): _TAKEN_LATE,
    ("expired", "confirm"): _CONFIRMED_LATE,
    ("expired", "replace"): _REPLACED,
    ("replaced", "take"): _TAKEN_LATE,
    ("replaced", "confirm"): _CONFIRMED_LATE,
}
"""Nothing leads out of ``confirmed``: what an agency confirmed it pays out. ``voided`` can be paid
like ``issued``. ``issued`` is reversed when a reversal overtook the notice that it takes back. A
slip that was replaced and then paid stays replaced when that payment is taken back. ``release``: a
till's word that no agency confirmed in all that time holds the bill no longer."""

_EVENT_TO: Final[dict[TakingState, SlipEvent]] = {
    "posted": "confirm",
    "pending": "take",
    "void": "reverse",
}
_STATE_OF: Final[dict[TakingState, SlipState]] = {
    "posted": "confirmed",
    "pending": "provisional",
    "void": "voided",
}
_EFFECTS: Final[dict[tuple[TakingState, TakingState], Effect]] = {
    ("none", "pending"): "pend",
    ("none", "posted"): "post",
    ("pending", "posted"): "post",
    ("pending", "void"): "void",
    ("void", "posted"): "post",
}
"""(before, after) → what is booked; a change that is missing moves no money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipNotice:
    """One line of an agency. Units: yen.

    ``received_on`` and ``received_at``: when the shop took the money, by the shop's clock in Japan;
    the post gives no time. ``paid_out_on``: when the agency pays us, None before it is confirmed.
    """

    agency: str
    kind: NoticeKind
    digits: str
    received_on: date
    received_at: time | None
    company_code: str
    store_code: str
    amount_minor: int
    paid_out_on: date | None = None

    @property
    def taking(self) -> str:
        """One payment at one till: the same in the provisional, the confirmed and the reversal.

        The company belongs to it, because wallets all give the store 000000.
        """
        clock = f"{self.received_at:%H%M}" if self.received_at else "----"
        return f"{self.received_on:%Y%m%d}-{clock}-{self.company_code}-{self.store_code}"

    @property
    def key(self) -> str:
        """The same for a line that comes again in another file, and for nothing else."""
        return f"{self.agency}:{self.kind}:{self.digits}:{self.taking}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipFacts:
    """What is known of a slip.

    ``known``: the notices that counted so far, in any order. ``is_replaced``: the bill was issued
    anew, so this slip must not be offered again.
    """

    state: SlipState
    number: SlipNumber
    is_replaced: bool = False
    known: tuple[SlipNotice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipVerdict:
    """What a notice means.

    ``edge``: the transition to take, or None when the state stays. ``effect``: what to do with the
    money of the notice's taking: book it as pending, post it (the pending entry if there is one,
    else anew) or void the pending entry; None books nothing. ``case``: what a person has to look
    at. ``counts``: the notice joins ``known``; otherwise it is only kept as it came.
    ``is_duplicate``: the same line was seen before.
    """

    edge: Edge[SlipState] | None = None
    effect: Effect | None = None
    case: SlipCase | None = None
    counts: bool = True
    is_duplicate: bool = False


def advance(state: SlipState, event: SlipEvent) -> Edge[SlipState]:
    """The next state of a slip and the event code that must be emitted with it.

    Raises: Conflict ``slip_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(TRANSITIONS, state, event, "slip_state")


def judge(slip: SlipFacts | None, notice: SlipNotice) -> SlipVerdict:
    """What ``notice`` means for the slip that its number leads to; None: there is no such slip.

    Total and independent of order: whichever way a set of notices comes, repeated or not, the
    effects add up to the same money.
    """
    if slip is None:
        return _set_aside("slip_unknown")
    if any(notice.key == known.key for known in slip.known):
        return SlipVerdict(counts=False, is_duplicate=True)
    doubt = _compare(slip.number, notice)
    if doubt:
        return _set_aside(doubt)
    if notice.kind == "postal_correction":
        return _set_aside("postal_correction")
    before = _takings(slip.known)
    after = _takings((*slip.known, notice))
    return SlipVerdict(
        edge=_edge(slip, after),
        effect=_EFFECTS.get((before.get(notice.taking, "none"), after[notice.taking])),
        case=_case(slip, notice, before, after),
    )


def has_expired(state: SlipState, pay_until: date | None, terms: SlipTerms, today: date) -> bool:
    """Whether nobody will pay this slip any more: its last day and the agency's grace are over."""
    if pay_until is None or state not in PAYABLE:
        return False
    return today > pay_until + timedelta(days=terms.grace_days)


def _takings(notices: Iterable[SlipNotice]) -> dict[str, TakingState]:
    """Taking → what the kinds known of it say together."""
    kinds: dict[str, set[NoticeKind]] = {}
    for notice in notices:
        kinds.setdefault(notice.taking, set()).add(notice.kind)
    return {taking: _taking_state(known) for taking, known in kinds.items()}


def _taking_state(kinds: set[NoticeKind]) -> TakingState:
    if kinds & {"confirmed", "postal"}:
        return "posted"
    if kinds == {"provisional", "reversal"}:
        return "void"
    return "pending" if "provisional" in kinds else "none"


def _edge(slip: SlipFacts, takings: dict[str, TakingState]) -> Edge[SlipState] | None:
    """The edge to what the strongest taking says; None when the slip stands there already."""
    said = _strongest(takings)
    if said == "none" or _STATE_OF[said] == slip.state:
        return None
    if said != "void":
        return advance(slip.state, _EVENT_TO[said])
    if slip.state in {"expired", "replaced"}:
        return None  # a payment that was never booked and is taken back changes nothing there
    return advance(slip.state, "reverse_replaced" if slip.is_replaced else "reverse")


def _strongest(takings: dict[str, TakingState]) -> TakingState:
    held: list[TakingState] = ["none", *takings.values()]
    return max(held, key=("none", "void", "pending", "posted").index)


def _compare(number: SlipNumber, notice: SlipNotice) -> SlipCase | None:
    """Whether the notice is about this slip, digit by digit; the post alone leaves out some."""
    try:
        told = read_fields(notice.digits)
    except InvalidInput:
        return "slip_differs"
    digits, last = number.digits(), notice.digits[-1]
    is_right = int(last) == check_digit(notice.digits[:-1])
    is_postal = notice.kind in POSTAL
    if not is_right and not (is_postal and last == digits[-1]):
        return "slip_check_digit"
    if told.key != number.key:
        return "slip_differs"
    if number.amount_minor not in {told.amount_minor} & {notice.amount_minor}:
        return "amount_mismatch"
    same = replace(told, pay_until=number.pay_until) if is_postal else told
    return None if same == number else "slip_differs"


def _case(
    slip: SlipFacts,
    notice: SlipNotice,
    before: dict[str, TakingState],
    after: dict[str, TakingState],
) -> SlipCase | None:
    """What a person has to look at, the gravest first."""
    kinds = {known.kind for known in slip.known if known.taking == notice.taking} | {notice.kind}
    if {"confirmed", "reversal"} <= kinds:
        return "reversal_contradicts"
    if kinds == {"reversal"}:
        return "reversal_unmatched"
    is_new = before.get(notice.taking, "none") in {"none", "void"}
    if not is_new or after[notice.taking] not in {"pending", "posted"}:
        return None
    if sum(held in {"pending", "posted"} for held in after.values()) > 1:
        return "paid_twice"
    if slip.is_replaced:
        return "replaced_paid"
    until = slip.number.pay_until
    is_late = until is not None and notice.received_on > until and notice.kind not in POSTAL
    return "after_deadline" if is_late else None


def _set_aside(case: SlipCase) -> SlipVerdict:
    return SlipVerdict(case=case, counts=False)
